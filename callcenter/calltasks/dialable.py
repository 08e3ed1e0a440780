"""Which waiting call tasks may be dialed before they have an agent, and what they ask of one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Text, cast, func
from sqlmodel import Session, col, select

from callcenter.calltasks.policy import AGENT_GUARANTEED_FOR
from callcenter.calltasks.queries import urgency
from callcenter.domain.enums import CallResult, Requirement, TaskState
from callcenter.domain.needs import Need
from callcenter.models import CallTask, ContactAttempt


@dataclass(frozen=True, slots=True)
class Dialable:
    """A pending call task that may be dialed ahead of an agent; what it asks, and what of that is given up."""

    id: UUID
    need: Need
    relaxed: frozenset[Requirement]


def tasks_to_dial(session: Session, journey: str, now: datetime, limit: int) -> list[Dialable]:
    """List a journey's pending tasks that may be dialed ahead of an agent, the most urgent first.

    At most `limit` of those that ask the same: many that wait for a rare skill hide nobody else. A callback
    promised in person is the agent's who promised it. A customer who lately picked up and reached nobody is called
    only with an agent waiting.
    """
    abandoned = (
        select(ContactAttempt.customer_id)
        .where(ContactAttempt.customer_id == CallTask.customer_id)
        .where(ContactAttempt.claimed_at > now - AGENT_GUARANTEED_FOR)
        .where(ContactAttempt.result == CallResult.ABANDONED)
    )
    order = (urgency(now).desc(), col(CallTask.created_at), col(CallTask.id))
    asked: list[Any] = [
        col(CallTask.language),
        col(CallTask.skill),
        col(CallTask.skill_level),
        col(CallTask.team),
        col(CallTask.relaxed),
    ]
    place = func.row_number().over(partition_by=[*asked[:-1], cast(asked[-1], Text)], order_by=order)
    rank = func.row_number().over(order_by=order)
    waiting = (
        sa.select(col(CallTask.id), *asked, place.label("place"), rank.label("rank"))
        .where(col(CallTask.state) == TaskState.PENDING)
        .where(col(CallTask.journey) == journey)
        .where(col(CallTask.not_before_at) <= now)
        .where(col(CallTask.agent_id).is_(None))
        .where(col(CallTask.held_for).is_(None))
        .where(~abandoned.exists())
    ).subquery()
    rows = session.execute(sa.select(waiting).where(waiting.c.place <= limit).order_by(waiting.c.rank))
    return [
        Dialable(
            row.id,
            Need(row.language, row.skill, row.skill_level, row.team),
            frozenset(Requirement(one) for one in row.relaxed),
        )
        for row in rows
    ]
