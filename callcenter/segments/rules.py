"""What a segment's definition may say, and the same in words. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from math import isfinite
from typing import Any

from callcenter.domain.durations import parse_duration
from callcenter.domain.enums import SegmentForm, SurveyGroup
from callcenter.domain.fields import Field, FieldSource, Takes, label_of, visit_fields
from callcenter.domain.journey import JourneyDefinition, PropertyType
from callcenter.domain.moments import read_date
from callcenter.errors import BadInput
from callcenter.segments import policy

_KEY = re.compile(r"^[a-z0-9][a-z0-9-]{0,59}$")
_RESERVED = ("new", "tags")
"""Pages of their own have these names."""
_OWN_FORMS = ("customer.tags", "customer.segments", "customer.survey_group")
"""What of the customer has a row of its own, or would make segments of segments."""
_EVENT_FORMS = (SegmentForm.DID, SegmentForm.DID_NOT, SegmentForm.FIRST, SegmentForm.LAST, SegmentForm.WORTH)
Words = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Known:
    """What rows may speak of: events by name with their journey and words, their sums, and attributes."""

    events: Mapping[str, tuple[str, Words]] = field(default_factory=dict)
    amounts: Mapping[str, Words] = field(default_factory=dict)
    fields: Mapping[str, Field] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One row; its form says what of the rest counts. Spans are whole days; `amount` is a property of the event."""

    form: SegmentForm
    event: str = ""
    journey: str = ""
    days: int = 0
    times: int = 1
    recent_days: int = 0
    amount: str = ""
    least: float = 0.0
    field: str = ""
    op: str = ""
    value: Any = None


@dataclass(frozen=True, slots=True)
class SegmentSpec:
    """A segment's definition, ready to be worked out: all rows hold, or any of them."""

    key: str
    title: Words
    is_any: bool
    rows: tuple[Row, ...]


def known_of(journeys: Iterable[JourneyDefinition]) -> Known:
    """Return what rows may speak of where these journeys are loaded; an event is of the first that names it."""
    events: dict[str, tuple[str, Words]] = {}
    amounts: dict[str, Words] = {}
    fields: dict[str, Field] = {}
    for journey in journeys:
        for name in journey.roles:
            events.setdefault(name, (journey.id, label_of(journey, name)))
        for name, kind in journey.properties.items():
            if kind is PropertyType.NUMBER:
                amounts.setdefault(name, label_of(journey, name))
        for name, one in visit_fields(journey).items():
            if one.source is FieldSource.CUSTOMER and name not in _OWN_FORMS:
                fields.setdefault(name, one)
    return Known(events, amounts, fields)


def read_segment(raw: Mapping[str, Any], known: Known) -> SegmentSpec:
    """Turn a definition into its spec: `{segment, title, any, rows: [{form, ...}]}`.

    Raises BadInput; its `fields` name the entry, a row by its number from 0.
    """
    key, rows = raw.get("segment"), raw.get("rows")
    if not isinstance(key, str) or not _KEY.match(key) or key in _RESERVED:
        raise _wrong("key", "Give a key of lower-case letters, digits or -, such as long-quiet.")
    title = {str(lang): str(text).strip() for lang, text in dict(raw.get("title") or {}).items()}
    title = {lang: text for lang, text in title.items() if text}
    if not title or any(len(text) > policy.MOST_TEXT for text in title.values()):
        raise _wrong("title", "Give a name in one language at least, of at most 80 letters.")
    if not isinstance(rows, list) or not 1 <= len(rows) <= policy.MOST_ROWS:
        raise _wrong("rows", "Give one row at least, and at most 8.")
    read = tuple(_row(one, str(place), known) for place, one in enumerate(rows))
    return SegmentSpec(key, title, raw.get("any") is True, read)


def _wrong(where: str, text: str) -> BadInput:
    return BadInput(text, {where: [text]})


def _row(raw: Any, where: str, known: Known) -> Row:
    said: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
    if said.get("form") not in set(SegmentForm):
        raise _wrong(where, "Choose what the row asks for.")
    form = SegmentForm(said["form"])
    if form in _EVENT_FORMS:
        return _event_row(form, said, where, known)
    if form is SegmentForm.ATTRIBUTE:
        return _attribute_row(said, where, known)
    value = str(said.get("value") or "").strip()
    if form is SegmentForm.SURVEY and value not in set(SurveyGroup):
        raise _wrong(where, "Choose promoters, passives or detractors.")
    if not value or len(value) > policy.MOST_TEXT:
        raise _wrong(where, "Give the tag, of at most 80 letters.")
    return Row(form, op="has not" if said.get("op") == "has not" else "has", value=value)


def _event_row(form: SegmentForm, said: Mapping[str, Any], where: str, known: Known) -> Row:
    event = str(said.get("event") or "")
    if event not in known.events:
        raise _wrong(where, "Choose what they did from the list.")
    days = _whole(
        said.get("days"), policy.LONGEST_DAYS, where, "Give the days: a whole number from 1 to 365."
    )
    row: dict[str, Any] = {"form": form, "event": event, "journey": known.events[event][0], "days": days}
    if form in (SegmentForm.DID, SegmentForm.WORTH):
        text = "Give how often: a whole number from 1 to 100."
        row["times"] = _whole(said.get("times", 1), policy.MOST_TIMES, where, text)
    if form is SegmentForm.WORTH:
        text = "Give within how many days they did it last: from 1 to the days counted."
        row["recent_days"] = _whole(said.get("recent_days", days), days, where, text)
        amount, least = str(said.get("amount") or ""), _number(said.get("least"))
        if amount not in known.amounts or least is None:
            raise _wrong(where, "Choose the sum that is added up, and give how much it is at least.")
        row |= {"amount": amount, "least": least}
    return Row(**row)


def _whole(value: Any, most: int, where: str, text: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise _wrong(where, text)
    return value


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and isfinite(value) and abs(value) < 1e15 else None


def _attribute_row(said: Mapping[str, Any], where: str, known: Known) -> Row:
    one = known.fields.get(str(said.get("field")))
    op = str(said.get("op"))
    if one is None or op not in one.operators:
        raise _wrong(where, "Choose an attribute and how it compares.")
    value = said.get("value")
    if not _fits(one, op, value):
        raise _wrong(where, "Give a value that fits the attribute: a number, a text, 2026-12-01, or 30d.")
    return Row(SegmentForm.ATTRIBUTE, field=one.name, op=op, value=value)


def _fits(one: Field, op: str, value: Any) -> bool:
    takes, kind = one.operators[op].takes, one.type.value
    if takes is Takes.DURATION:
        try:
            return timedelta(0) < parse_duration(value, "") <= timedelta(days=3660)
        except BadInput:
            return False
    values = value if takes is Takes.LIST and isinstance(value, list) else [value]
    if takes is Takes.LIST and not (isinstance(value, list) and value):
        return False
    if kind == "number":
        return all(_number(item) is not None for item in values)
    if kind == "date":
        return all(isinstance(item, str) and read_date(item) is not None for item in values)
    return all(isinstance(item, str) and 0 < len(item) <= policy.MOST_TEXT for item in values)


def as_written(spec: SegmentSpec) -> dict[str, Any]:
    """Return a spec as its definition is kept."""
    used = {
        SegmentForm.DID: ("event", "days", "times"),
        SegmentForm.WORTH: ("event", "days", "times", "recent_days", "amount", "least"),
        SegmentForm.ATTRIBUTE: ("field", "op", "value"),
        SegmentForm.TAG: ("op", "value"),
        SegmentForm.SURVEY: ("op", "value"),
    }
    rows = [
        {"form": row.form.value}
        | {name: getattr(row, name) for name in used.get(row.form, ("event", "days"))}
        for row in spec.rows
    ]
    return {"any": spec.is_any, "rows": rows}
