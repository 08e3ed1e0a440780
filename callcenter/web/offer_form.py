"""The form of an offer: what was typed in, read into terms; and terms, written into the form."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from callcenter.domain.offers import OfferTerms
from callcenter.models import Offer

LISTS = ("journeys", "steps", "rules")
_COUNTS = ("per_customer", "per_customer_days", "per_agent_day", "per_day")
_CLOCK = "%Y-%m-%dT%H:%M"


class Unreadable(Exception):
    """What was typed in cannot be read; `problems` holds a sentence by field."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("unreadable")
        self.problems = dict(problems)


def read_terms(form: "MultiDict[str, str]", now: datetime) -> OfferTerms:
    """Read the form; times are those of the offer's zone. Raises Unreadable."""
    problems: dict[str, str] = {}
    said = {name: form.get(name, "").strip() for name in form}
    zone = said.get("time_zone", "")
    counts = {name: _count(said.get(name, ""), name, problems) for name in _COUNTS}
    money = {name: _money(said.get(name, ""), name, problems) for name in ("value", "cost")}
    begins = _time(said.get("valid_from", ""), zone, "valid_from", problems) or now
    ends = _time(said.get("valid_until", ""), zone, "valid_until", problems)
    if problems:
        raise Unreadable(problems)
    return OfferTerms(
        name={"en": said.get("name_en", ""), "zh": said.get("name_zh", "")},
        words={"en": said.get("words_en", ""), "zh": said.get("words_zh", "")},
        currency=said.get("currency", "").upper(),
        valid_from=begins,
        valid_until=ends,
        tags=tuple(dict.fromkeys(one.strip() for one in said.get("tags", "").split(",") if one.strip())),
        journeys=tuple(form.getlist("journeys")),
        steps=tuple(form.getlist("steps")),
        rules=tuple(form.getlist("rules")),
        time_zone=zone,
        value=money["value"],
        cost=money["cost"],
        per_customer=counts["per_customer"],
        per_customer_days=counts["per_customer_days"],
        per_agent_day=counts["per_agent_day"],
        per_day=counts["per_day"],
    )


def _count(text: str, name: str, problems: dict[str, str]) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    problems[name] = gettext("Give a whole number from 1, or leave it empty for no limit.")
    return None


def _money(text: str, name: str, problems: dict[str, str]) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        problems[name] = gettext("Give an amount from 0, with at most two decimals.")
        return Decimal(0)


def _time(text: str, zone: str, name: str, problems: dict[str, str]) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.strptime(text[:16], _CLOCK).replace(tzinfo=ZoneInfo(zone))
    except (ValueError, KeyError, OSError):
        problems[name] = gettext("Choose a day and a time.")
        return None


def values_of(row: Offer) -> dict[str, str]:
    """Return an offer as the form's fields hold it."""
    zone = ZoneInfo(row.time_zone)
    values = {
        "name_en": row.name.get("en", ""),
        "name_zh": row.name.get("zh", ""),
        "words_en": row.words.get("en", ""),
        "words_zh": row.words.get("zh", ""),
        "currency": row.currency,
        "value": f"{row.value:f}",
        "cost": f"{row.cost:f}",
        "tags": ", ".join(row.tags),
        "valid_from": row.valid_from.astimezone(zone).strftime(_CLOCK),
        "valid_until": row.valid_until.astimezone(zone).strftime(_CLOCK) if row.valid_until else "",
        "time_zone": row.time_zone,
    }
    return values | {name: str(getattr(row, name) or "") for name in _COUNTS}


def ticked_of(row: Offer) -> dict[str, tuple[str, ...]]:
    """Return what of the lists an offer names."""
    return {name: tuple(getattr(row, name)) for name in LISTS}


def typed(form: "MultiDict[str, str]") -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Return what was typed in, as it was, for a form that comes back."""
    values = {name: value for name, value in form.items() if name not in LISTS}
    return values, {name: tuple(form.getlist(name)) for name in LISTS}
