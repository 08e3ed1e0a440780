"""What events look like: the properties seen under each event's name, and what must not be shown. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

MOST_NAMES = 60
MOST_PROPERTIES = 60
_LONGEST_EXAMPLE = 60
HIDDEN = "•••"
_LONG_NUMBER = 10**10
"""Numbers of eleven digits and more may be telephones or accounts."""

_PERSONAL_WORDS = frozenset(
    (
        *("name", "firstname", "lastname", "fullname", "surname", "username", "nickname", "customername"),
        *(
            "phone",
            "mobile",
            "tel",
            "telephone",
            "email",
            "mail",
            "address",
            "street",
            "latitude",
            "longitude",
        ),
        *("birthday", "birthdate", "dob", "passport", "ssn", "idcard", "idnumber", "identity", "iban", "pan"),
        *("cardnumber", "accountnumber", "password", "token", "secret", "writekey", "ip"),
        *("userid", "anonymousid", "previousid", "subject"),
    )
)
_TELLING = frozenset(("phone", "mobile", "email", "mail", "passport", "iban", "password", "secret", "token"))
"""One of these words in a longer name tells enough: `contact_phone`, `backupEmail`."""
_PERSONAL_HAN = re.compile("姓名|手机|电话|邮箱|地址|身份证|证件号|卡号|账号|生日|密码")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+")
_DIGITS = re.compile(r"\d(?:[\d\s\-()]{5,})\d")


@dataclass(slots=True)
class PropertySeen:
    """One property of one event's name: in how many events, with which types of value, and one of them."""

    events: int = 0
    types: Counter[str] = field(default_factory=Counter)
    example: str | None = None


@dataclass(slots=True)
class EventSeen:
    """One event's name: its kinds, how many there were, since when and until when, and its properties."""

    name: str
    events: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    first_at: datetime | None = None
    last_at: datetime | None = None
    properties: dict[str, PropertySeen] = field(default_factory=dict)
    """By path: `loan.amount` is a member of the object `loan`."""


def is_personal(name: str) -> bool:
    """Whether a property of this name may tell who somebody is; its values are then never shown."""
    plain = re.sub(r"[^a-z]", "", name.rpartition(".")[2].lower())
    parts = set(re.split(r"[^a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower()))
    if plain in _PERSONAL_WORDS or _PERSONAL_HAN.search(name):
        return True
    return bool(parts & _TELLING) or plain.endswith(("phone", "email", "idnumber", "cardnumber"))


def masked(value: Any, name: str = "") -> Any:
    """Return a value for people to look at: members of personal names, mail addresses and long numbers hidden."""
    if isinstance(value, Mapping):
        return {key: masked(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner, name) for inner in value]
    if value is None or isinstance(value, bool):
        return value
    if is_personal(name) or (isinstance(value, int) and abs(value) >= _LONG_NUMBER):
        return HIDDEN
    return masked_text(value) if isinstance(value, str) else value


def masked_text(value: str) -> str:
    """Hide mail addresses and telephone, card or account numbers in a text; times stay readable."""
    if _is_time(value):
        return value
    return _DIGITS.sub(_hide_digits, _MAIL.sub(HIDDEN, value))


def _is_time(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return not value.isdigit()


def _hide_digits(found: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", found.group())
    return HIDDEN + digits[-2:] if len(digits) >= 7 else found.group()


def schema_seen(events: Iterable[tuple[str, str, datetime, Mapping[str, Any]]]) -> list[EventSeen]:
    """Tell what each event's name comes with, the most frequent name first.

    Takes each event's name, kind, arrival and properties. Names and properties beyond MOST_NAMES and
    MOST_PROPERTIES are counted under the name `…`.
    """
    found: dict[str, EventSeen] = {}
    for name, kind, received_at, properties in events:
        key = name if name in found or len(found) < MOST_NAMES else "…"
        seen = found.setdefault(key, EventSeen(key))
        seen.events += 1
        seen.kinds[kind] += 1
        seen.first_at = min(seen.first_at or received_at, received_at)
        seen.last_at = max(seen.last_at or received_at, received_at)
        for path, value in _members(properties):
            _note(seen.properties, path, value)
    return sorted(found.values(), key=lambda one: (-one.events, one.name))


def _members(properties: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    """Yield each member by its path, of an object its own members too, one level deep."""
    for name, value in properties.items():
        path = prefix + str(name)
        if isinstance(value, Mapping) and value and not prefix:
            yield from _members(value, f"{path}.")
        else:
            yield path, value


def _note(properties: dict[str, PropertySeen], path: str, value: Any) -> None:
    key = path if path in properties or len(properties) < MOST_PROPERTIES else "…"
    seen = properties.setdefault(key, PropertySeen())
    seen.events += 1
    seen.types[type_of(value)] += 1
    if seen.example is None and value is not None and key != "…":
        seen.example = HIDDEN if any(map(is_personal, path.split("."))) else _example(value)


def _example(value: Any) -> str:
    text = masked_text(value) if isinstance(value, str) else str(masked(value))
    return text if len(text) <= _LONGEST_EXAMPLE else text[:_LONGEST_EXAMPLE] + "…"


def type_of(value: Any) -> str:
    """Name a JSON value's type; text that holds a time is a time."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "time" if len(value) >= 10 and _is_time(value) else "text"
    return "list" if isinstance(value, list) else "object"
