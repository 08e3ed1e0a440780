"""Surges of steps: looked for each minute, kept while they last, told on the floor and in the studio.

Verbs as in the pipeline, and beside it.
"""

from datetime import datetime

from sqlmodel import Session, col, select

from callcenter import outbox
from callcenter.db import cursor_of
from callcenter.domain.journey import JourneyDefinition
from callcenter.domain.surges import Rise
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import StepSurge
from callcenter.reporting.surges import profile_of, rises_now

_LOCK = "SELECT pg_try_advisory_xact_lock(5302)"


def note_surges(session: Session, now: datetime) -> int:
    """Lay every step's hour beside earlier weeks; return how many surges began or ended. One process at a time
    looks, the others leave it to that one."""
    locked = cursor_of(session).execute(_LOCK).fetchone()
    if not locked or not locked[0]:
        return 0
    known = {
        (row.journey, row.step, row.kind): row
        for row in session.exec(select(StepSurge).where(col(StepSurge.ended_at).is_(None)))
    }
    moved = 0
    for journey in journeys_loaded(session).values():
        for step, found in rises_now(session, journey, now).items():
            for rise in found:
                row = known.pop((journey.id, step, rise.kind), None)
                moved += _note(session, journey, step, rise, row, now)
    for row in known.values():  # too few people by now, or the step is no more
        row.ended_at = now
        moved += 1
    if moved:
        outbox.ring(session, outbox.FLOOR)
        outbox.ring(session, outbox.STUDIO)
    session.flush()
    return moved


def _note(
    session: Session, journey: JourneyDefinition, step: str, rise: Rise, row: StepSurge | None, now: datetime
) -> bool:
    """Begin a surge, write down how it goes on, or end it; True when it began or ended."""
    if row is None:
        if not rise.begins:
            return False
        session.add(
            StepSurge(
                journey=journey.id,
                step=step,
                kind=rise.kind,
                began_at=now,
                seen_at=now,
                count=rise.count,
                of=rise.of,
                usual=rise.usual,
                profile=profile_of(session, journey, step, rise.kind, now),
            )
        )
        return True
    row.count, row.of, row.usual, row.seen_at = rise.count, rise.of, rise.usual, now
    if rise.goes_on:
        return False
    row.ended_at = now
    return True
