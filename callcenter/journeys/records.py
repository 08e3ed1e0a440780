"""Visits between their rows and the values that rules work on: loaded, and written back, set by set."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import Session

from callcenter.db import cursor_of
from callcenter.domain.enums import VisitEnd
from callcenter.domain.ids import derived_id
from callcenter.domain.journey import Looked, Mark, Sighting, VisitRecord, VisitState
from callcenter.models import Visit

VisitKey = tuple[UUID, str, str]
"""Whose course through which journey: customer, journey, journey key."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_COLUMNS = """
v.id, v.customer_id, v.journey, v.journey_key, v.visit_seq, v.step, v.opened_at, v.entered_at,
v.last_activity_at, v.errors, v.last_error, v.last_error_reason, v.last_error_at, v.marks::text, v.facts::text,
v.facts_at::text, v.closed_at, v."end", v.lateness_seconds, v.wake_at, v.looked::text, v.fired::text
"""
_OPEN = f"""
SELECT {_COLUMNS} FROM visit v
JOIN unnest(%(customers)b::uuid[], %(journeys)b::text[], %(keys)b::text[]) AS k (customer_id, journey, journey_key)
  USING (customer_id, journey, journey_key)
WHERE v.closed_at IS NULL ORDER BY v.id FOR NO KEY UPDATE OF v
"""  # noqa: S608 - our own words
_LAST_SEQ = """
SELECT v.customer_id, v.journey, v.journey_key, max(v.visit_seq) FROM visit v
JOIN unnest(%(customers)b::uuid[], %(journeys)b::text[], %(keys)b::text[]) AS k (customer_id, journey, journey_key)
  USING (customer_id, journey, journey_key)
GROUP BY 1, 2, 3
"""
_DUE = f"""
SELECT {_COLUMNS} FROM visit v WHERE v.wake_at <= %(now)s
ORDER BY v.wake_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
"""  # noqa: S608 - our own words
_ON_STEP = f"""
SELECT {_COLUMNS} FROM visit v WHERE v.journey = %(journey)s AND v.step = %(step)s AND v.closed_at IS NULL
ORDER BY v.id FOR NO KEY UPDATE
"""  # noqa: S608 - our own words
_OPEN_OF = f"""
SELECT {_COLUMNS} FROM visit v WHERE v.customer_id = %(customer)s AND v.closed_at IS NULL
ORDER BY v.id FOR NO KEY UPDATE
"""  # noqa: S608 - our own words
_ARRAYS = """
%(id)b::uuid[], %(entered_at)b::timestamptz[], %(last_activity_at)b::timestamptz[], %(errors)b::int[],
%(last_error)b::text[], %(last_error_reason)b::text[], %(last_error_at)b::timestamptz[],
%(marks)b::text[]::jsonb[], %(facts)b::text[]::jsonb[], %(facts_at)b::text[]::jsonb[],
%(closed_at)b::timestamptz[], %(end)b::text[], %(wake_at)b::timestamptz[],
%(looked)b::text[]::jsonb[], %(fired)b::text[]::jsonb[]
"""
_CHANGED = (
    "entered_at, last_activity_at, errors, last_error, last_error_reason, last_error_at, marks, facts, facts_at,"
    ' closed_at, "end", wake_at, looked, fired'
)
_UPDATE = f"""
UPDATE visit SET ({_CHANGED}) = ROW({", ".join("n." + one.strip() for one in _CHANGED.split(","))})
FROM unnest({_ARRAYS}) AS n (id, {_CHANGED}) WHERE visit.id = n.id
"""  # noqa: S608 - our own words
_INSERT = f"""
INSERT INTO visit (id, {_CHANGED}, customer_id, journey, journey_key, visit_seq, step, opened_at, lateness_seconds)
SELECT * FROM unnest({_ARRAYS}, %(customer_id)b::uuid[], %(journey)b::text[], %(journey_key)b::text[],
                     %(visit_seq)b::int[], %(step)b::text[], %(opened_at)b::timestamptz[],
                     %(lateness_seconds)b::float8[])
"""  # noqa: S608 - our own words


def open_visits(session: Session, keys: Collection[VisitKey]) -> dict[VisitKey, VisitRecord]:
    """Load and lock, in key order, the open visits of these courses."""
    if not keys:
        return {}
    found = cursor_of(session).execute(_OPEN, _key_arrays(keys))
    return {(one.customer_id, one.journey, one.journey_key): one for one in map(_record, found)}


def open_visits_of(session: Session, customer_id: UUID) -> list[VisitRecord]:
    """Load and lock, in key order, every open visit of a customer."""
    return [_record(row) for row in cursor_of(session).execute(_OPEN_OF, {"customer": customer_id})]


def last_seqs(session: Session, keys: Collection[VisitKey]) -> dict[VisitKey, int]:
    """Return the highest sequence number used in each of these courses that has visits."""
    if not keys:
        return {}
    found = cursor_of(session).execute(_LAST_SEQ, _key_arrays(keys))
    return {(customer, journey, key): seq for customer, journey, key, seq in found}


def visits_due(session: Session, now: datetime, limit: int) -> list[VisitRecord]:
    """Claim visits whose clock has run out; those another process holds are left to it."""
    return [_record(row) for row in cursor_of(session).execute(_DUE, {"now": now, "limit": limit})]


def visits_open_on(session: Session, journey: str, step: str) -> list[VisitRecord]:
    """Lock the open visits on a step, in key order."""
    return [_record(row) for row in cursor_of(session).execute(_ON_STEP, {"journey": journey, "step": step})]


def new_visit(key: VisitKey, state: VisitState, lateness: timedelta) -> VisitRecord:
    """Return the record of a visit that has just been opened."""
    visit_id = derived_id("visit", *key, state.visit_seq)
    return VisitRecord(visit_id, *key, state, lateness, is_new=True)


def write_visits(session: Session, visits: Sequence[VisitRecord]) -> None:
    """Write visits back: those known first, so that of each course one at a time is open."""
    known = [one for one in visits if not one.is_new]
    fresh = [one for one in visits if one.is_new]
    if known:
        cursor_of(session).execute(_UPDATE, _arrays(known))
    if fresh:
        course = {
            "customer_id": [one.customer_id for one in fresh],
            "journey": [one.journey for one in fresh],
            "journey_key": [one.journey_key for one in fresh],
            "visit_seq": [one.state.visit_seq for one in fresh],
            "step": [one.state.step for one in fresh],
            "opened_at": [one.state.opened_at for one in fresh],
            "lateness_seconds": [one.lateness.total_seconds() for one in fresh],
        }
        cursor_of(session).execute(_INSERT, {**_arrays(fresh), **course})
    for one in fresh:
        one.is_new = False


def state_of(visit: Visit) -> VisitState:
    """Return a visit's row as the frozen value the rules work on."""
    return VisitState(
        visit_seq=visit.visit_seq,
        step=visit.step,
        opened_at=visit.opened_at,
        entered_at=visit.entered_at,
        last_activity_at=visit.last_activity_at,
        marks=_marks(visit.marks),
        facts=visit.facts,
        facts_at={name: _moment(at) for name, at in visit.facts_at.items()},
        errors=visit.errors,
        last_error=visit.last_error,
        last_error_reason=visit.last_error_reason,
        last_error_at=visit.last_error_at,
        closed_at=visit.closed_at,
        end=visit.end,
    )


def _key_arrays(keys: Collection[VisitKey]) -> dict[str, Any]:
    return {
        "customers": [key[0] for key in keys],
        "journeys": [key[1] for key in keys],
        "keys": [key[2] for key in keys],
    }


def _record(row: Sequence[Any]) -> VisitRecord:
    looked: Mapping[str, Sequence[int]] = orjson.loads(row[20])
    return VisitRecord(
        id=row[0],
        customer_id=row[1],
        journey=row[2],
        journey_key=row[3],
        state=VisitState(
            visit_seq=row[4],
            step=row[5],
            opened_at=row[6],
            entered_at=row[7],
            last_activity_at=row[8],
            errors=row[9],
            last_error=row[10],
            last_error_reason=row[11],
            last_error_at=row[12],
            marks=_marks(orjson.loads(row[13])),
            facts=orjson.loads(row[14]),
            facts_at={name: _moment(at) for name, at in orjson.loads(row[15]).items()},
            closed_at=row[16],
            end=VisitEnd(row[17]) if row[17] else None,
        ),
        lateness=timedelta(seconds=row[18]),
        wake_at=row[19],
        looked={
            group: Looked(_moment(at), timedelta(microseconds=after)) for group, (at, after) in looked.items()
        },
        fired=orjson.loads(row[21]),
    )


def _arrays(visits: Iterable[VisitRecord]) -> dict[str, list[Any]]:
    states = [one.state for one in visits]
    return {
        "id": [one.id for one in visits],
        "entered_at": [one.entered_at for one in states],
        "last_activity_at": [one.last_activity_at for one in states],
        "errors": [one.errors for one in states],
        "last_error": [one.last_error for one in states],
        "last_error_reason": [one.last_error_reason for one in states],
        "last_error_at": [one.last_error_at for one in states],
        "marks": [_json({key: _written(mark) for key, mark in one.marks.items()}) for one in states],
        "facts": [_json(one.facts) for one in states],
        "facts_at": [_json({name: _microseconds(at) for name, at in one.facts_at.items()}) for one in states],
        "closed_at": [one.closed_at for one in states],
        "end": [one.end.value if one.end else None for one in states],
        "wake_at": [one.wake_at for one in visits],
        "looked": [
            _json(
                {
                    group: [_microseconds(at), after // _MICROSECOND]
                    for group, (at, after) in one.looked.items()
                }
            )
            for one in visits
        ],
        "fired": [_json(one.fired) for one in visits],
    }


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _microseconds(at: datetime) -> int:
    span = at - _EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def _marks(written: Mapping[str, Any]) -> dict[str, Mark]:
    """Marks as they are kept: count, first time, and each sighting as its time, with what it said if anything."""
    return {
        key: Mark(
            count,
            _moment(first),
            tuple(
                Sighting(_moment(one), {}) if isinstance(one, int) else Sighting(_moment(one[0]), one[1])
                for one in seen
            ),
        )
        for key, (count, first, seen) in written.items()
    }


def _written(mark: Mark) -> list[Any]:
    seen = [
        [_microseconds(one.at), one.properties] if one.properties else _microseconds(one.at)
        for one in mark.sightings
    ]
    return [mark.count, _microseconds(mark.first_at), seen]
