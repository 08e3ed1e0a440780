"""What an identify call's traits say about a customer. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import available_timezones

import phonenumbers

_ZONES = available_timezones()
_LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Profile:
    """The checked part of a customer's traits, and what was wrong with the rest."""

    name: str | None = None
    gender: str | None = None
    number: str | None = None
    time_zone: str | None = None
    language: str | None = None
    city: str | None = None
    tags: tuple[str, ...] | None = None
    traits: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[tuple[str, str], ...] = ()


def read_profile(traits: Mapping[str, Any]) -> Profile:
    """Read the traits we know; a wrong one is reported and left out, and the rest is kept.

    A number that is no telephone number, or a zone nobody knows, must not look like one: without it the
    compliance gate bars the call.
    """
    problems: list[tuple[str, str]] = []
    number = zone = None
    if raw := traits.get("phone"):
        number = read_number(raw)
        if number is None:
            problems.append(("invalid_phone", "phone is not a valid number in international form (+86...)"))
    if raw := traits.get("time_zone") or traits.get("timezone"):
        zone = raw if isinstance(raw, str) and raw in _ZONES else None
        if zone is None:
            problems.append(("unknown_time_zone", "time_zone is not an IANA zone such as Asia/Shanghai"))
    tags = traits.get("tags")
    known = ("phone", "time_zone", "timezone", "name", "tags")
    language = str(traits.get("language") or "")[:2].lower()
    return Profile(
        name=_text(traits.get("name"), 120),
        gender=_text(traits.get("gender"), 20),
        number=number,
        time_zone=zone,
        language=language if language in _LANGUAGES else None,
        city=_text(traits.get("city"), 120),
        tags=tuple(str(tag)[:60] for tag in tags) if isinstance(tags, list) else None,
        traits={key: value for key, value in traits.items() if key not in known},
        problems=tuple(problems),
    )


def read_number(raw: Any) -> str | None:
    """Return a number in E.164 form, or None when it is not a valid international number."""
    if not isinstance(raw, str) or not raw.strip().startswith("+"):
        return None
    try:
        number = phonenumbers.parse(raw)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _text(value: Any, limit: int) -> str | None:
    return value.strip()[:limit] if isinstance(value, str) and value.strip() else None
