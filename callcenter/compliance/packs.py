"""Reading a policy pack: dated figures for one jurisdiction, with sources. A wrong pack bars every call."""

from collections.abc import Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import yaml

from callcenter.domain.contact import CallingHours, ContactPolicy
from callcenter.domain.durations import parse_duration
from callcenter.errors import BadInput

PACKS = Path(__file__).with_name("packs_data")
DEFAULT_PACK = "cn-bank"


def load_policy(name: str, now: datetime, root: Path = PACKS) -> ContactPolicy | None:
    """Return the version of a pack that is in force at `now`; None when there is none, which bars every call.

    Raises BadInput naming file and entry when the pack is malformed.
    """
    path = root / f"{name}.yaml"
    if not path.is_file():
        return None
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise BadInput(f"{path.name}: not YAML: {error}") from None
    versions = raw.get("versions") if isinstance(raw, Mapping) else None
    if not isinstance(versions, list) or not versions:
        raise BadInput(f"{path.name}: needs a list of versions")
    policies = [(_valid_from(version, path.name), version) for version in versions]
    in_force = [item for item in policies if item[0] <= now.date()]
    if not in_force:
        return None
    valid_from, version = max(in_force, key=lambda item: item[0])
    return _policy(f"{name}@{valid_from.isoformat()}", version, path.name)


def _valid_from(version: Any, where: str) -> date:
    value = version.get("valid_from") if isinstance(version, Mapping) else None
    if not isinstance(value, date):
        raise BadInput(f"{where}: each version needs valid_from, a date such as 2026-01-01")
    return value


def _figure(version: Mapping[str, Any], name: str, where: str) -> Any:
    entry = version.get(name)
    if not isinstance(entry, Mapping) or "value" not in entry or not entry.get("source"):
        raise BadInput(f"{where}: {name} needs value and source")
    return entry["value"]


def _clock(value: Any, where: str) -> time:
    try:
        return time.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadInput(f"{where}: {value!r} is not a time such as '09:00'") from None


def _policy(label: str, version: Mapping[str, Any], where: str) -> ContactPolicy:
    hours = _figure(version, "calling_hours", where)
    cap = _figure(version, "attempt_cap", where)
    if not isinstance(hours, Mapping) or not isinstance(cap, int) or isinstance(cap, bool) or cap < 1:
        raise BadInput(f"{where}: calling_hours needs opens and closes, attempt_cap a whole number above 0")
    opens = _clock(hours.get("opens"), f"{where}: opens")
    closes = _clock(hours.get("closes"), f"{where}: closes")
    if opens >= closes:
        raise BadInput(f"{where}: calling_hours must open before they close")
    return ContactPolicy(
        version=label,
        calling_hours=CallingHours(opens, closes, frozenset(hours.get("weekdays", range(7)))),
        attempt_cap=cap,
        cap_window=parse_duration(_figure(version, "cap_window", where), f"{where}: cap_window"),
        minimum_gap=parse_duration(_figure(version, "minimum_gap", where), f"{where}: minimum_gap"),
    )
