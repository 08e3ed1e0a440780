"""Reads of journeys and visits."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from callcenter.domain.journey import JourneyDefinition
from callcenter.journeys.policy import read_journey
from callcenter.models import Journey, JourneyEvent, Visit

_cache: dict[str, tuple[datetime, JourneyDefinition]] = {}


def journeys_loaded(session: Session) -> Mapping[str, JourneyDefinition]:
    """Return all journeys by id, parsed once per version."""
    found: dict[str, JourneyDefinition] = {}
    for row in session.exec(select(Journey).order_by(col(Journey.id))):
        kept = _cache.get(row.id)
        if kept is None or kept[0] != row.loaded_at or kept[1].id != row.id:
            kept = (row.loaded_at, read_journey(row.definition))
            _cache[row.id] = kept
        found[row.id] = kept[1]
    return found


def visits_due(session: Session, now: datetime, limit: int) -> Sequence[Visit]:
    """Claim visits whose clock has run out; those another process holds are left to it."""
    return session.exec(
        select(Visit)
        .where(col(Visit.wake_at) <= now)
        .order_by(col(Visit.wake_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def visits_open_on(session: Session, journey: str, step: str) -> Sequence[Visit]:
    """Lock the open visits on a step, in key order."""
    return session.exec(
        select(Visit)
        .where(Visit.journey == journey)
        .where(Visit.step == step)
        .where(col(Visit.closed_at).is_(None))
        .order_by(col(Visit.id))
        .with_for_update()
    ).all()


def visit_of(session: Session, visit_id: UUID) -> Visit:
    """Return one visit, as the database has it now."""
    return session.exec(
        select(Visit).where(Visit.id == visit_id).execution_options(populate_existing=True)
    ).one()


def funnel_counts(
    session: Session, journey: str, since: datetime | None = None, until: datetime | None = None
) -> dict[str, int]:
    """Count, per step, the distinct (customer, journey key) that entered it."""
    entered = (
        select(JourneyEvent.step, JourneyEvent.customer_id, JourneyEvent.journey_key)
        .where(JourneyEvent.journey == journey)
        .where(JourneyEvent.role == "enter")
    )
    if since is not None:
        entered = entered.where(JourneyEvent.event_time >= since)
    if until is not None:
        entered = entered.where(JourneyEvent.event_time < until)
    people = entered.distinct().subquery()
    rows = session.execute(select(people.c.step, func.count()).group_by(people.c.step))
    return {row[0]: row[1] for row in rows}
