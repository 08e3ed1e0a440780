"""Who is in a segment, as one statement over the customers and their events; the database does all of the work.

Events that have left the database for the archive are not looked at.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from callcenter.domain.durations import parse_duration
from callcenter.domain.enums import SegmentForm
from callcenter.domain.fields import Field, FieldType
from callcenter.segments.rules import Known, Row, SegmentSpec

_AHEAD = timedelta(minutes=2)
"""An event may bear a time so much later than the moment it came in."""
_OF = "SELECT e.customer_id FROM journey_event e WHERE e.journey = {journey} AND coalesce(e.key, e.name) = {event}"
_SINCE = " AND e.event_time >= {since} AND e.received_at >= {received}"
_FORMS: Mapping[SegmentForm, str] = {
    SegmentForm.DID: f"c.id IN ({_OF}{_SINCE} GROUP BY 1 HAVING count(*) >= {{times}})",
    # Not "NOT IN": that would be looked up row by row once the list no longer fits into memory. And grouped, or how
    # few such events there are is guessed wrong, and they are looked up customer by customer: three times as slow.
    SegmentForm.DID_NOT: (
        f"NOT EXISTS (SELECT FROM ({_OF}{_SINCE} GROUP BY 1) d WHERE d.customer_id = c.id)"
    ),
    SegmentForm.FIRST: f"c.id IN ({_OF} GROUP BY 1 HAVING min(e.event_time) >= {{since}})",
    SegmentForm.LAST: f"c.id IN ({_OF} GROUP BY 1 HAVING max(e.event_time) < {{since}})",
    SegmentForm.WORTH: (
        f"c.id IN ({_OF}{_SINCE} GROUP BY 1 HAVING count(*) >= {{times}} AND max(e.event_time) >= {{recent}} AND "
        "coalesce(sum(CASE WHEN jsonb_typeof(e.properties -> {amount}) = 'number' "
        "THEN (e.properties ->> {amount})::numeric END), 0) >= {least})"
    ),
}
_COLUMNS = {"customer.language": "c.language", "customer.city": "c.city", "customer.gender": "c.gender"}
_COMPARE = {
    "=": "=",
    "!=": "<>",
    ">": ">",
    ">=": ">=",
    "<": "<",
    "<=": "<=",
    "before": "<",
    "on": "=",
    "after": ">",
}


@dataclass
class _Asked:
    """The values of a statement, by the names they are written with in it."""

    values: dict[str, Any] = field(default_factory=dict)

    def value(self, value: Any, kind: str = "text") -> str:
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"%({name})s::{kind}"


def members_of(spec: SegmentSpec, known: Known, now: datetime) -> tuple[str, dict[str, Any]]:
    """Return the condition on `customer c` that holds for a segment's members, and its values."""
    asked = _Asked()
    rows = [_condition(row, known, asked, now) for row in spec.rows]
    joined = (" OR " if spec.is_any else " AND ").join(f"({one})" for one in rows)
    return f"c.external_id IS NOT NULL AND c.erased_at IS NULL AND ({joined})", asked.values


def _condition(row: Row, known: Known, asked: _Asked, now: datetime) -> str:
    if row.form is SegmentForm.ATTRIBUTE:
        return _attribute(row, known.fields[row.field], asked, now)
    if row.form is SegmentForm.TAG:
        value = asked.value(row.value)
        holds = f"(c.tags ? {value} OR c.agent_tags ? {value})"
        return f"NOT {holds}" if row.op == "has not" else holds
    if row.form is SegmentForm.SURVEY:
        compared = "IS DISTINCT FROM" if row.op == "has not" else "="
        return f"c.survey_group {compared} {asked.value(row.value)}"
    since = now - timedelta(days=row.days)
    return _FORMS[row.form].format(
        journey=asked.value(row.journey),
        event=asked.value(row.event),
        since=asked.value(since, "timestamptz"),
        received=asked.value(since - _AHEAD, "timestamptz"),
        times=asked.value(row.times, "int"),
        recent=asked.value(now - timedelta(days=row.recent_days), "timestamptz"),
        amount=asked.value(row.amount),
        least=asked.value(row.least, "numeric"),
    )


def _attribute(row: Row, one: Field, asked: _Asked, now: datetime) -> str:
    kinds: Mapping[FieldType, Callable[[Row, Field, _Asked, datetime], str]] = {
        FieldType.NUMBER: _number,
        FieldType.TEXT: _text,
        FieldType.SET: _set,
        FieldType.DATE: _date,
    }
    return kinds[one.type](row, one, asked, now)


def _trait(one: Field, asked: _Asked, kind: str, cast: str) -> str:
    """A trait where it is of the kind wanted; nothing, which no comparison holds for, where it is not."""
    name = asked.value(one.name.removeprefix("customer."))
    return f"CASE WHEN jsonb_typeof(c.traits -> {name}) = '{kind}' THEN (c.traits ->> {name}){cast} END"


def _number(row: Row, one: Field, asked: _Asked, now: datetime) -> str:
    if one.name == "customer.known_days":
        have = f"extract(epoch FROM ({asked.value(now, 'timestamptz')} - c.created_at)) / 86400"
    else:
        have = _trait(one, asked, "number", "::numeric")
    return f"{have} {_COMPARE[row.op]} {asked.value(row.value, 'numeric')}"


def _text(row: Row, one: Field, asked: _Asked, _: datetime) -> str:
    have = _COLUMNS.get(one.name) or _trait(one, asked, "string", "")
    if row.op in ("in", "not in"):
        compared = "= ANY" if row.op == "in" else "<> ALL"
        return f"{have} {compared}({asked.value(list(row.value), 'text[]')})"
    if row.op == "starts with":
        return f"starts_with({have}, {asked.value(row.value)})"
    return f"{have} {_COMPARE[row.op]} {asked.value(row.value)}"


def _set(row: Row, one: Field, asked: _Asked, _: datetime) -> str:
    name = asked.value(one.name.removeprefix("customer."))
    have = f"CASE WHEN jsonb_typeof(c.traits -> {name}) = 'array' THEN c.traits -> {name} END"
    holds = f"({have}) ? {asked.value(row.value)}"
    return f"NOT ({holds})" if row.op == "has not" else holds


def _date(row: Row, one: Field, asked: _Asked, now: datetime) -> str:
    said = _trait(one, asked, "string", "")
    have = f"CASE WHEN {said} ~ '^\\d{{4}}-\\d{{2}}-\\d{{2}}' THEN left({said}, 10) END"
    if row.op in ("in next", "in last"):
        span, today = parse_duration(row.value, one.name), now.date()
        low, high = (today, today + span) if row.op == "in next" else (today - span, today)
        return f"({have}) BETWEEN {asked.value(low.isoformat())} AND {asked.value(high.isoformat())}"
    return f"({have}) {_COMPARE[row.op]} {asked.value(row.value[:10])}"
