"""What agents have promised and asked for: callbacks, follow-ups, raised hands; read only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlmodel import Session, col, func, select

from callcenter.models import Agent, Callback, CallTask, Customer, FollowUp, User

Promise = tuple[Callback, CallTask, Customer]
_OWN_SHOWN, _ANYONES_SHOWN, _LOST_SHOWN = 30, 10, 10
_FOLLOW_UPS_SHOWN, _DONE_SHOWN = 30, 10


def callbacks_before(session: Session, agent_id: UUID) -> list[Promise]:
    """List an agent's callbacks and anyone's by time: those to be kept, and those lost that nobody has noted."""
    promises = (
        select(Callback, CallTask, Customer)
        .join(CallTask, col(CallTask.id) == Callback.call_task_id)
        .join(Customer, col(Customer.id) == Callback.customer_id)
        .order_by(col(Callback.due_at), col(Callback.id))
    )
    is_open = col(Callback.closed_at).is_(None)
    is_lost = col(Callback.lost_because).is_not(None) & col(Callback.noted_at).is_(None)
    mine, anyones = Callback.agent_id == agent_id, col(Callback.agent_id).is_(None)
    found: list[Promise] = []
    for whose, shown in ((mine, _OWN_SHOWN), (anyones, _ANYONES_SHOWN)):
        found += session.exec(promises.where(is_open).where(whose).limit(shown)).all()
        found += session.exec(promises.where(is_lost).where(whose).limit(_LOST_SHOWN)).all()
    return sorted(found, key=lambda one: (one[0].due_at, one[0].id))


FollowUpFound = tuple[FollowUp, Customer, User]


def _follow_ups() -> Any:
    return (
        select(FollowUp, Customer, User)
        .join(Customer, col(Customer.id) == FollowUp.customer_id)
        .join(User, col(User.id) == FollowUp.owner_id)
    )


def follow_ups_of(session: Session, agent_id: UUID) -> Sequence[FollowUpFound]:
    """List an agent's open follow-ups, the first due first."""
    mine = _follow_ups().where(FollowUp.owner_id == agent_id).where(col(FollowUp.closed_at).is_(None))
    rows: Sequence[FollowUpFound] = session.exec(
        mine.order_by(col(FollowUp.due_on), col(FollowUp.created_at)).limit(_FOLLOW_UPS_SHOWN)
    ).all()
    return rows


def follow_ups_open(session: Session, agent_id: UUID) -> int:
    """Count an agent's open follow-ups."""
    return session.exec(
        select(func.count())
        .select_from(FollowUp)
        .where(FollowUp.owner_id == agent_id)
        .where(col(FollowUp.closed_at).is_(None))
    ).one()


def follow_ups_done(session: Session, agent_id: UUID, since: datetime) -> Sequence[FollowUpFound]:
    """List an agent's follow-ups closed since a moment, the latest first."""
    mine = _follow_ups().where(FollowUp.owner_id == agent_id).where(col(FollowUp.closed_at) >= since)
    rows: Sequence[FollowUpFound] = session.exec(
        mine.order_by(col(FollowUp.closed_at).desc()).limit(_DONE_SHOWN)
    ).all()
    return rows


def follow_ups_about(session: Session, customer_id: UUID) -> Sequence[FollowUpFound]:
    """List the open follow-ups of a customer, whoever sees to them."""
    about = _follow_ups().where(FollowUp.customer_id == customer_id).where(col(FollowUp.closed_at).is_(None))
    rows: Sequence[FollowUpFound] = session.exec(
        about.order_by(col(FollowUp.due_on), col(FollowUp.created_at)).limit(_DONE_SHOWN)
    ).all()
    return rows


def owners_in_team(session: Session, agent: Agent) -> Sequence[Row[tuple[UUID, str]]]:
    """List who of an agent's team may see to a follow-up, the agent first."""
    return session.execute(
        select(User.id, User.name)
        .join(Agent, col(Agent.id) == User.id)
        .where(User.is_active)
        .where(Agent.team == agent.team)
        .order_by(col(User.id) != agent.id, User.name)
    ).all()


@dataclass(frozen=True, slots=True)
class HandUp:
    """An agent who asks for help; `seen_by` names the supervisor who has taken notice."""

    id: UUID
    agent_id: UUID
    agent: str
    asked_at: datetime
    acknowledged_at: datetime | None
    seen_by: str | None


_HANDS = text("""
SELECT h.id, h.agent_id, u.name AS agent, h.asked_at, h.acknowledged_at, s.name AS seen_by
  FROM help_request h
  JOIN app_user u ON u.id = h.agent_id
  LEFT JOIN app_user s ON s.id = h.acknowledged_by
 WHERE h.ended_at IS NULL
 ORDER BY h.asked_at, h.id
""")


def hands_up(session: Session) -> list[HandUp]:
    """List the agents who ask for help now, the longest waiting first."""
    return [HandUp(**row._asdict()) for row in session.execute(_HANDS)]
