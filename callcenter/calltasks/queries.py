"""Reads of call tasks."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import extract, func, or_
from sqlmodel import Session, col, select

from callcenter.calltasks.policy import AGEING_POINTS_PER_MINUTE, AGENT_GUARANTEED_FOR, OWNER_FIRST_FOR
from callcenter.db import array_of, cursor_of, id_array_of
from callcenter.domain.enums import CallResult, TaskState
from callcenter.models import CallTask, ContactAttempt

OPEN_STATES = (TaskState.PENDING, TaskState.RESERVED, TaskState.ASSIGNED, TaskState.WRAPPING)


def lock_task(session: Session, call_task_id: UUID) -> CallTask | None:
    """Return a call task as the database has it now, locked until the commit."""
    return session.exec(
        select(CallTask)
        .where(CallTask.id == call_task_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()


_OPEN_OF_VISITS = """
SELECT id FROM call_task WHERE visit_id = ANY(%(visits)s::uuid[]) AND state = ANY(%(states)s::text[])
"""


def tasks_of_visits(session: Session, visit_ids: Collection[UUID]) -> Sequence[CallTask]:
    """Lock the open call tasks whose reason lies in these visits, in key order."""
    if not visit_ids:
        return []
    asked = {"visits": id_array_of(visit_ids), "states": array_of(OPEN_STATES)}
    found = [row[0] for row in cursor_of(session).execute(_OPEN_OF_VISITS, asked)]
    if not found:
        return []
    return session.exec(
        select(CallTask)
        .where(col(CallTask.id).in_(found))
        .where(col(CallTask.state).in_(OPEN_STATES))
        .order_by(col(CallTask.id))
        .with_for_update()
    ).all()


def open_task_of(session: Session, customer_id: UUID, journey: str) -> CallTask | None:
    """Return the one open call task of a customer in a journey, locked; None when there is none."""
    return session.exec(
        select(CallTask)
        .where(CallTask.customer_id == customer_id)
        .where(CallTask.journey == journey)
        .where(col(CallTask.state).in_(OPEN_STATES))
        .with_for_update()
    ).first()


def owner_now(task: CallTask, now: datetime) -> UUID | None:
    """Return the agent whom alone a pending task may be offered to; None when anybody may have it."""
    return task.agent_id if now - task.not_before_at < OWNER_FIRST_FOR else None


def _urgency(now: datetime) -> Any:
    """Priority plus age, so that nothing waits for ever."""
    waited = extract("epoch", now - func.greatest(col(CallTask.created_at), col(CallTask.not_before_at)))
    return col(CallTask.priority) + waited / 60 * AGEING_POINTS_PER_MINUTE


def tasks_callable(
    session: Session, now: datetime, limit: int, agents: Collection[UUID], not_of: Collection[str] = ()
) -> Sequence[UUID]:
    """List pending tasks that may be offered now to one of these agents, leaving out the journeys `not_of`.

    By priority plus age, so that nothing waits for ever; a personal callback comes before everything.
    """
    anybody = or_(
        col(CallTask.agent_id).is_(None),
        col(CallTask.agent_id).in_(agents),
        col(CallTask.not_before_at) <= now - OWNER_FIRST_FOR,
    )
    return session.exec(
        select(CallTask.id)
        .where(CallTask.state == TaskState.PENDING)
        .where(col(CallTask.not_before_at) <= now)
        .where(anybody)
        .where(or_(col(CallTask.journey).not_in(not_of), col(CallTask.agent_id).is_not(None)))
        .order_by(col(CallTask.agent_id).is_(None), _urgency(now).desc(), col(CallTask.created_at))
        .limit(limit)
    ).all()


def tasks_to_dial(session: Session, journey: str, now: datetime, limit: int) -> Sequence[UUID]:
    """List a journey's pending tasks that may be dialed ahead of an agent, the most urgent first.

    A callback promised in person is the agent's who promised it. A customer who lately picked up and reached
    nobody is called only with an agent waiting.
    """
    abandoned = (
        select(ContactAttempt.customer_id)
        .where(ContactAttempt.customer_id == CallTask.customer_id)
        .where(ContactAttempt.claimed_at > now - AGENT_GUARANTEED_FOR)
        .where(ContactAttempt.result == CallResult.ABANDONED)
    )
    return session.exec(
        select(CallTask.id)
        .where(CallTask.state == TaskState.PENDING)
        .where(CallTask.journey == journey)
        .where(col(CallTask.not_before_at) <= now)
        .where(col(CallTask.agent_id).is_(None))
        .where(~abandoned.exists())
        .order_by(_urgency(now).desc(), col(CallTask.created_at))
        .limit(limit)
    ).all()


def tasks_of_campaign(session: Session, journey: str, now: datetime, limit: int) -> Sequence[UUID]:
    """List a journey's pending tasks that may be called now with an agent waiting, the most urgent first."""
    return session.exec(
        select(CallTask.id)
        .where(CallTask.state == TaskState.PENDING)
        .where(CallTask.journey == journey)
        .where(col(CallTask.not_before_at) <= now)
        .order_by(_urgency(now).desc(), col(CallTask.created_at))
        .limit(limit)
    ).all()


def tasks_expired(session: Session, now: datetime, limit: int) -> Sequence[CallTask]:
    """Claim pending tasks that nobody called in time."""
    return session.exec(
        select(CallTask)
        .where(CallTask.state == TaskState.PENDING)
        .where(col(CallTask.expires_at) <= now)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
