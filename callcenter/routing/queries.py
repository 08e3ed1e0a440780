"""Reads of agents."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_
from sqlmodel import Session, col, select

from callcenter.domain.enums import Presence, WorkState
from callcenter.models import Agent, Reservation
from callcenter.routing.policy import NOTED_FOR, SILENT_BROWSER


def agents_idle(session: Session, now: datetime) -> Sequence[UUID]:
    """List agents a call task could be offered to, longest idle first."""
    return session.exec(
        select(Agent.id)
        .where(Agent.presence == Presence.AVAILABLE)
        .where(Agent.work_state == WorkState.IDLE)
        .where(col(Agent.seen_at) > now - SILENT_BROWSER)
        .order_by(col(Agent.work_state_at))
    ).all()


def reservations_expired(session: Session, now: datetime, limit: int = 100) -> Sequence[Reservation]:
    """List offers whose lease has run out (unlocked; lock customer, task and agent before acting)."""
    return session.exec(
        select(Reservation)
        .where(col(Reservation.ended_at).is_(None))
        .where(Reservation.expires_at <= now)
        .order_by(col(Reservation.expires_at))
        .limit(limit)
    ).all()


def has_been_noted(session: Session, agent_id: UUID, now: datetime) -> bool:
    """Whether an agent's console was noted as open a moment ago and no offer waits to be seen: nothing to note."""
    unseen = (
        select(Reservation.id)
        .where(Reservation.agent_id == agent_id)
        .where(col(Reservation.ended_at).is_(None))
        .where(col(Reservation.seen_at).is_(None))
    )
    noted = (
        select(Agent.id)
        .where(Agent.id == agent_id)
        .where(col(Agent.seen_at) > now - NOTED_FOR)
        .where(~unseen.exists())
    )
    return session.exec(noted).first() is not None


def agents_away(session: Session, now: datetime, limit: int = 100) -> Sequence[UUID]:
    """List agents who count as available or in an overdue wrap-up, and whose console nobody has open."""
    silent = or_(col(Agent.seen_at).is_(None), col(Agent.seen_at) <= now - SILENT_BROWSER)
    idle = and_(col(Agent.presence) == Presence.AVAILABLE, col(Agent.work_state) == WorkState.IDLE)
    overdue = and_(col(Agent.work_state) == WorkState.WRAPPING, col(Agent.wrap_up_until) <= now)
    return session.exec(select(Agent.id).where(silent).where(or_(idle, overdue)).limit(limit)).all()
