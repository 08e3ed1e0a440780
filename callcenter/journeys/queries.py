"""Reads of journeys and visits."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from callcenter.ahead import Asked
from callcenter.db import cursor_of
from callcenter.domain.journey import JourneyDefinition
from callcenter.journeys.policy import read_journey
from callcenter.models import Journey, JourneyEvent, Visit

_STAMP = """
SELECT count(*)::text || '/' || coalesce(sum(hashtextextended(ctid::text || xmin::text, 0)), 0)::text
       || '/' || pg_postmaster_start_time()::text
FROM journey
"""
"""Changes whenever a journey's row does: every version of a row has another place or another transaction."""
_loaded: dict[str, Mapping[str, JourneyDefinition]] = {}


def ask_for_journeys(session: Session) -> Asked:
    """Ask whether a journey has changed; the answer is for `journeys_loaded`."""
    return cursor_of(session).execute(_STAMP)


def journeys_loaded(session: Session, asked: Asked | None = None) -> Mapping[str, JourneyDefinition]:
    """Return all journeys by id: the same mapping for as long as none of them changes."""
    (stamp,) = (asked or ask_for_journeys(session)).fetchone() or ("",)
    if stamp not in _loaded:
        if len(_loaded) > 8:
            _loaded.clear()
        rows = session.exec(
            select(Journey).order_by(col(Journey.id)).execution_options(populate_existing=True)
        )
        _loaded[stamp] = {row.id: read_journey(row.definition) for row in rows}
    return _loaded[stamp]


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
