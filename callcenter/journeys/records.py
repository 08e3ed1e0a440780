"""Visits between their rows and the values that rules work on: loaded, and written back, set by set."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import Session

from callcenter.db import (
    array_of,
    cursor_of,
    document_array_of,
    id_array_of,
    moment_array_of,
    number_array_of,
    plain_array_of,
)
from callcenter.domain.enums import VisitEnd
from callcenter.domain.ids import derived_id
from callcenter.domain.journey import Looked, Marks, VisitRecord, VisitState, microseconds, moment
from callcenter.models import Visit

VisitKey = tuple[UUID, str, str]
"""Whose course through which journey: customer, journey, journey key."""

_MICROSECOND = timedelta(microseconds=1)
_COLUMNS = """
v.id, v.customer_id, v.journey, v.journey_key, v.visit_seq, v.step, v.opened_at, v.entered_at,
v.last_activity_at, v.errors, v.last_error, v.last_error_reason, v.last_error_at, v.closed_at, v."end",
v.lateness_seconds, v.wake_at,
'[' || concat_ws(',', v.marks, v.facts, v.facts_at, v.looked, v.fired) || ']'
"""
"""The documents come as one: they are read in one go."""
_OPEN = f"""
SELECT {_COLUMNS} FROM visit v
JOIN unnest(%(customers)s::uuid[], %(journeys)s::text[], %(keys)s::text[]) AS k (customer_id, journey, journey_key)
  USING (customer_id, journey, journey_key)
WHERE v.closed_at IS NULL ORDER BY v.id FOR NO KEY UPDATE OF v
"""  # noqa: S608 - our own words
_LAST_SEQ = """
SELECT v.customer_id, v.journey, v.journey_key, max(v.visit_seq) FROM visit v
JOIN unnest(%(customers)s::uuid[], %(journeys)s::text[], %(keys)s::text[]) AS k (customer_id, journey, journey_key)
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
%(id)s::uuid[], %(entered_at)s::timestamptz[], %(last_activity_at)s::timestamptz[], %(errors)s::int[],
%(last_error)s::text[], %(last_error_reason)s::text[], %(last_error_at)s::timestamptz[],
%(marks)s::jsonb[], %(facts)s::jsonb[], %(facts_at)s::jsonb[], %(closed_at)s::timestamptz[], %(end)s::text[],
%(wake_at)s::timestamptz[], %(looked)s::jsonb[], %(fired)s::jsonb[]
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
SELECT * FROM unnest({_ARRAYS}, %(customer_id)s::uuid[], %(journey)s::text[], %(journey_key)s::text[],
                     %(visit_seq)s::int[], %(step)s::text[], %(opened_at)s::timestamptz[],
                     %(lateness_seconds)s::float8[])
"""  # noqa: S608 - our own words


class OpenVisits:
    """The open visits of these courses, which are being loaded and locked, in key order."""

    def __init__(self, session: Session, keys: Collection[VisitKey]) -> None:
        self._cursor = cursor_of(session, binary=True).execute(_OPEN, _key_arrays(keys)) if keys else None

    def read(self) -> dict[VisitKey, VisitRecord]:
        """Wait for them and return them by their courses."""
        found = map(_record, self._cursor or ())
        return {(one.customer_id, one.journey, one.journey_key): one for one in found}


def open_visits(session: Session, keys: Collection[VisitKey]) -> dict[VisitKey, VisitRecord]:
    """Load and lock, in key order, the open visits of these courses."""
    return OpenVisits(session, keys).read()


def open_visits_of(session: Session, customer_id: UUID) -> list[VisitRecord]:
    """Load and lock, in key order, every open visit of a customer."""
    return [
        _record(row) for row in cursor_of(session, binary=True).execute(_OPEN_OF, {"customer": customer_id})
    ]


def last_seqs(session: Session, keys: Collection[VisitKey]) -> dict[VisitKey, int]:
    """Return the highest sequence number used in each of these courses that has visits."""
    if not keys:
        return {}
    found = cursor_of(session, binary=True).execute(_LAST_SEQ, _key_arrays(keys))
    return {(customer, journey, key): seq for customer, journey, key, seq in found}


def visits_due(session: Session, now: datetime, limit: int) -> list[VisitRecord]:
    """Claim visits whose clock has run out; those another process holds are left to it."""
    return [
        _record(row) for row in cursor_of(session, binary=True).execute(_DUE, {"now": now, "limit": limit})
    ]


def visits_open_on(session: Session, journey: str, step: str) -> list[VisitRecord]:
    """Lock the open visits on a step, in key order."""
    return [
        _record(row)
        for row in cursor_of(session, binary=True).execute(_ON_STEP, {"journey": journey, "step": step})
    ]


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
            "customer_id": id_array_of(one.customer_id for one in fresh),
            "journey": array_of(one.journey for one in fresh),
            "journey_key": array_of(one.journey_key for one in fresh),
            "visit_seq": number_array_of([one.state.visit_seq for one in fresh]),
            "step": array_of(one.state.step for one in fresh),
            "opened_at": moment_array_of(one.state.opened_at for one in fresh),
            "lateness_seconds": plain_array_of(one.lateness.total_seconds() for one in fresh),
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
        marks=Marks(visit.marks),
        facts=visit.facts,
        facts_at=visit.facts_at,
        errors=visit.errors,
        last_error=visit.last_error,
        last_error_reason=visit.last_error_reason,
        last_error_at=visit.last_error_at,
        closed_at=visit.closed_at,
        end=visit.end,
    )


def _key_arrays(keys: Collection[VisitKey]) -> dict[str, Any]:
    return {
        "customers": id_array_of(key[0] for key in keys),
        "journeys": array_of(key[1] for key in keys),
        "keys": array_of(key[2] for key in keys),
    }


def _record(row: Sequence[Any]) -> VisitRecord:
    marks, facts, facts_at, looked, fired = orjson.loads(row[17])
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
            marks=Marks(marks),
            facts=facts,
            facts_at=facts_at,
            closed_at=row[13],
            end=VisitEnd(row[14]) if row[14] else None,
        ),
        lateness=timedelta(seconds=row[15]),
        wake_at=row[16],
        looked=_looked_read(looked) if looked else {},
        fired=fired,
    )


def _arrays(visits: Sequence[VisitRecord]) -> dict[str, bytes]:
    states = [one.state for one in visits]
    return {
        "id": id_array_of([one.id for one in visits]),
        "entered_at": moment_array_of([one.entered_at for one in states]),
        "last_activity_at": moment_array_of([one.last_activity_at for one in states]),
        "errors": number_array_of([one.errors for one in states]),
        "last_error": array_of([one.last_error for one in states]),
        "last_error_reason": array_of([one.last_error_reason for one in states]),
        "last_error_at": moment_array_of([one.last_error_at for one in states]),
        "marks": document_array_of([orjson.dumps(Marks.of(one.marks).written) for one in states]),
        "facts": document_array_of([orjson.dumps(one.facts) for one in states]),
        "facts_at": document_array_of([orjson.dumps(one.facts_at) for one in states]),
        "closed_at": moment_array_of([one.closed_at for one in states]),
        "end": array_of([one.end for one in states]),
        "wake_at": moment_array_of([one.wake_at for one in visits]),
        "looked": document_array_of([orjson.dumps(_looked_written(one.looked)) for one in visits]),
        "fired": document_array_of([orjson.dumps(one.fired) for one in visits]),
    }


def _looked_written(looked: Mapping[str, Looked]) -> dict[str, list[int]]:
    return {group: [microseconds(at), after // _MICROSECOND] for group, (at, after) in looked.items()}


def _looked_read(written: Mapping[str, Sequence[int]]) -> dict[str, Looked]:
    return {
        group: Looked(moment(at), timedelta(microseconds=after)) for group, (at, after) in written.items()
    }
