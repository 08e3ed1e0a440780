"""Reads of why customers stopped, as agents understood it, and of the wishes and suggestions that came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.db import cursor_of
from callcenter.domain.enums import Cause, SuggestionState
from callcenter.models import Suggestion, User

_CAUSES = f"""
SELECT t.step, floor(extract(epoch FROM (%(until)s::timestamptz - d.at)) / %(seconds)s)::int AS ago,
       count(*), count(*) FILTER (WHERE d.causes <> '[]'),
       {", ".join(f"count(*) FILTER (WHERE d.causes ? '{one.value}')" for one in Cause)}
  FROM disposition d
  JOIN disposition_kind k ON k.code = d.kind_code AND k.reached
  JOIN contact_attempt a ON a.id = d.attempt_id
  JOIN call_task t ON t.id = a.call_task_id
 WHERE d.at >= %(since)s AND d.at < %(until)s AND t.journey = %(journey)s
 GROUP BY 1, 2
"""  # noqa: S608 - our own words
_NOTES = """
SELECT d.at, d.note, d.causes, c.name
  FROM disposition d
  JOIN contact_attempt a ON a.id = d.attempt_id
  JOIN call_task t ON t.id = a.call_task_id
  JOIN customer c ON c.id = a.customer_id
 WHERE d.at >= %(since)s AND d.at < %(until)s AND t.journey = %(journey)s AND t.step = %(step)s AND d.note <> ''
   AND (%(cause)s::text IS NULL OR d.causes ? %(cause)s)
 ORDER BY d.at DESC, d.attempt_id LIMIT %(limit)s
"""
_NOTES_COUNT = """
SELECT t.step, count(*) FROM disposition d
  JOIN contact_attempt a ON a.id = d.attempt_id JOIN call_task t ON t.id = a.call_task_id
 WHERE d.at >= %(since)s AND d.at < %(until)s AND t.journey = %(journey)s AND d.note <> '' GROUP BY 1
"""
_WISHES = """
SELECT p.attempt_id, p.journey, p.step, p.text, p.at, c.id, c.name, d.note <> '', d.note, d.causes, l.suggestion_id,
       coalesce(v.errors, 0)
  FROM product_suggestion p
  JOIN contact_attempt a ON a.id = p.attempt_id
  JOIN customer c ON c.id = a.customer_id
  JOIN call_task t ON t.id = a.call_task_id
  JOIN visit v ON v.id = t.visit_id
  LEFT JOIN disposition d ON d.attempt_id = p.attempt_id
  LEFT JOIN suggestion_link l ON l.attempt_id = p.attempt_id
 WHERE p.text <> '' AND {}
 ORDER BY p.at DESC, p.attempt_id LIMIT %(limit)s
"""
_FIRINGS = """
SELECT f.journey, f.step, count(*) FROM trigger_firing f
 WHERE f.fired_at >= %(since)s
   AND (f.journey, f.step) IN (SELECT * FROM unnest(%(journeys)s::text[], %(steps)s::text[]))
 GROUP BY 1, 2
"""
_ERRORS = """
SELECT e.journey, e.step, count(*) FROM journey_event e
 WHERE e.event_time >= %(since)s AND e.journey = ANY(%(journeys)s::text[]) AND e.role = 'error'
   AND (e.journey, e.step) IN (SELECT * FROM unnest(%(journeys)s::text[], %(steps)s::text[]))
 GROUP BY 1, 2
"""
_MOST_WISHES = 2_000
_SUMMARY = """
SELECT l.suggestion_id, count(*), count(DISTINCT a.customer_id), count(*) FILTER (WHERE d.note <> ''),
       coalesce((SELECT sum(v.errors) FROM visit v WHERE v.id = ANY(array_agg(DISTINCT t.visit_id))), 0),
       min(p.at), max(p.at), array_agg(DISTINCT p.journey || '/' || p.step)
  FROM suggestion_link l
  JOIN product_suggestion p ON p.attempt_id = l.attempt_id
  JOIN contact_attempt a ON a.id = l.attempt_id
  JOIN call_task t ON t.id = a.call_task_id
  LEFT JOIN disposition d ON d.attempt_id = l.attempt_id
 GROUP BY 1
"""


@dataclass(slots=True)
class StepCauses:
    """Calls of one step on which somebody was spoken with, and what they named; one may name several causes.

    `earlier` counts the same over the windows before, taken together.
    """

    step: str
    reached: int = 0
    told: int = 0
    causes: dict[Cause, int] = field(default_factory=lambda: dict.fromkeys(Cause, 0))
    earlier_reached: int = 0
    earlier: dict[Cause, int] = field(default_factory=lambda: dict.fromkeys(Cause, 0))

    def share(self, cause: Cause) -> float | None:
        """The share of calls that named a cause; None without a call."""
        return self.causes[cause] / self.reached if self.reached else None

    def change(self, cause: Cause) -> float | None:
        """By how many points the share differs from that of the windows before; None where either is missing."""
        if not self.reached or not self.earlier_reached:
            return None
        return 100 * (self.causes[cause] / self.reached - self.earlier[cause] / self.earlier_reached)


@dataclass(frozen=True, slots=True)
class Note:
    """What an agent wrote down; `name` is there to be taken out of it."""

    at: datetime
    text: str
    causes: tuple[Cause, ...]
    name: str | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a customer or an agent wished on one call, with what else was known of the call."""

    attempt_id: UUID
    journey: str
    step: str
    text: str
    at: datetime
    customer_id: UUID
    name: str | None
    has_note: bool
    note: str | None
    causes: list[str] | None
    suggestion_id: UUID | None
    errors: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a suggestion rests on: the calls it was said on, by how many people, with how many notes and errors.

    `firings` and `step_errors` are counted on the suggestion's steps, of everybody, over the last days.
    """

    wishes: int = 0
    people: int = 0
    notes: int = 0
    errors: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    places: tuple[tuple[str, str], ...] = ()
    firings: int = 0
    step_errors: int = 0


def causes_by_step(
    session: Session, journey: str, since: datetime, until: datetime, earlier: int
) -> Mapping[str, StepCauses]:
    """Count causes by step over [since, until), and over so many windows of that length before (`earlier`)."""
    span = until - since
    facts = {
        "journey": journey,
        "since": since - earlier * span,
        "until": until,
        "seconds": span.total_seconds(),
    }
    found: dict[str, StepCauses] = {}
    for step, ago, reached, told, *named in cursor_of(session).execute(_CAUSES.encode(), facts):
        one = found.setdefault(step, StepCauses(step))
        counts = dict(zip(Cause, named, strict=True))
        if ago <= 0:
            one.reached += reached
            one.told += told
            one.causes = {cause: one.causes[cause] + count for cause, count in counts.items()}
        else:
            one.earlier_reached += reached
            one.earlier = {cause: one.earlier[cause] + count for cause, count in counts.items()}
    return found


def notes_of_step(
    session: Session,
    journey: str,
    step: str,
    since: datetime,
    until: datetime,
    limit: int,
    cause: Cause | None = None,
) -> list[Note]:
    """List agents' notes about one step, the newest first."""
    facts = {"journey": journey, "step": step, "since": since, "until": until, "limit": limit}
    rows = cursor_of(session).execute(_NOTES, {**facts, "cause": cause.value if cause else None})
    return [Note(at, text, tuple(map(Cause, causes)), name) for at, text, causes, name in rows]


def notes_per_step(session: Session, journey: str, since: datetime, until: datetime) -> Mapping[str, int]:
    """Count agents' notes by step."""
    facts = {"journey": journey, "since": since, "until": until}
    return dict(cursor_of(session).execute(_NOTES_COUNT, facts).fetchall())


def wishes_unlinked(session: Session, limit: int) -> list[Wish]:
    """List the wishes that belong to no suggestion, the newest first."""
    query = _WISHES.format("l.attempt_id IS NULL")
    return [Wish(*row) for row in cursor_of(session).execute(query.encode(), {"limit": limit})]


def wishes_of(session: Session, suggestion_ids: Sequence[UUID]) -> list[Wish]:
    """List the wishes of suggestions, the newest first."""
    query = _WISHES.format("l.suggestion_id = ANY(%(ids)s::uuid[])")
    facts = {"ids": list(suggestion_ids), "limit": _MOST_WISHES}
    return [Wish(*row) for row in cursor_of(session).execute(query.encode(), facts)]


def suggestions_open(
    session: Session, state: SuggestionState | None = None
) -> list[tuple[Suggestion, str | None]]:
    """List suggestions that were not merged into others, with their owners' names, the latest changed first."""
    wanted = (
        select(Suggestion, User.name)
        .join(User, col(User.id) == col(Suggestion.owner_id), isouter=True)
        .where(col(Suggestion.merged_into_id).is_(None))
        .order_by(col(Suggestion.changed_at).desc(), col(Suggestion.id))
    )
    if state is not None:
        wanted = wanted.where(Suggestion.state == state)
    return [(row, name) for row, name in session.exec(wanted)]


def evidence_of_suggestions(session: Session, now: datetime, days: int) -> Mapping[UUID, Evidence]:
    """Return what each suggestion rests on; one without a wish is not in it."""
    cursor = cursor_of(session)
    rows = cursor.execute(_SUMMARY).fetchall()
    places = {
        row[0]: tuple(sorted((one.partition("/")[0], one.partition("/")[2]) for one in row[7]))
        for row in rows
    }
    everywhere = sorted({one for found in places.values() for one in found})
    facts = {
        "since": now - timedelta(days=days),
        "journeys": [journey for journey, _ in everywhere],
        "steps": [step for _, step in everywhere],
    }
    firings, errors = (
        {(journey, step): count for journey, step, count in cursor.execute(query, facts)}
        if everywhere
        else {}
        for query in (_FIRINGS, _ERRORS)
    )
    return {
        row[0]: Evidence(
            wishes=row[1],
            people=row[2],
            notes=row[3],
            errors=row[4],
            first_at=row[5],
            last_at=row[6],
            places=places[row[0]],
            firings=sum(firings.get(one, 0) for one in places[row[0]]),
            step_errors=sum(errors.get(one, 0) for one in places[row[0]]),
        )
        for row in rows
    }
