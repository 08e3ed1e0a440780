"""Visits for call tasks that somebody asked for: the customer's own where there is one, else one without events."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from callcenter.db import cursor_of
from callcenter.domain.journey import VisitRecord, VisitState
from callcenter.domain.partners import BY_HAND
from callcenter.journeys.records import new_visit, open_visits_of, write_visits
from callcenter.models import Visit

_CLOSE = """
UPDATE visit v SET closed_at = %(now)s, "end" = 'exit'
 WHERE v.closed_at IS NULL AND v.journey_key LIKE %(keys)s AND NOT EXISTS
       (SELECT FROM call_task t WHERE t.visit_id = v.id AND t.closed_at IS NULL)
"""


def open_on(session: Session, customer_id: UUID, journey: str, step: str | None) -> VisitRecord | None:
    """Return the locked customer's open visit of a journey that is on this step, on any step when None is given."""
    for one in open_visits_of(session, customer_id):
        is_theirs = one.journey == journey and not one.journey_key.startswith(BY_HAND)
        if is_theirs and step in (None, one.state.step):
            return one
    return None


def begin_without_events(
    session: Session, customer_id: UUID, journey: str, step: str, now: datetime
) -> VisitRecord:
    """Open a visit of its own for a locked customer: nothing moves it, no rule looks at it, no funnel counts it."""
    mine = select(func.count()).select_from(Visit).where(Visit.customer_id == customer_id)
    many = session.exec(mine.where(col(Visit.journey_key).startswith(f"{BY_HAND}-"))).one()
    state = VisitState(1, step, entered_at=now, last_activity_at=now, opened_at=now)
    visit = new_visit((customer_id, journey, f"{BY_HAND}-{many + 1}"), state, timedelta(0))
    write_visits(session, [visit])
    return visit


def close_finished(session: Session, now: datetime) -> int:
    """Close the visits without events whose call task has ended; return how many."""
    return cursor_of(session).execute(_CLOSE, {"now": now, "keys": f"{BY_HAND}-%"}).rowcount
