"""Hands that agents raise during a call. At most one of an agent's is up; the agent's row is locked first."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col, select

from callcenter.domain.enums import HelpEnd
from callcenter.domain.ids import derived_id
from callcenter.models import HelpRequest


def raised(session: Session, agent_id: UUID) -> HelpRequest | None:
    """Return the hand an agent has up; None when it is down."""
    return session.exec(
        select(HelpRequest)
        .where(HelpRequest.agent_id == agent_id)
        .where(col(HelpRequest.ended_at).is_(None))
        .execution_options(populate_existing=True)
    ).first()


def raise_hand(session: Session, agent_id: UUID, attempt_id: UUID, now: datetime) -> HelpRequest:
    """Ask for help on a call; asked already is fine."""
    row = raised(session, agent_id)
    if row is None:
        row = HelpRequest(
            id=derived_id("help", attempt_id, agent_id, now.isoformat()),
            agent_id=agent_id,
            attempt_id=attempt_id,
            asked_at=now,
        )
        session.add(row)
        session.flush()
    return row


def acknowledge(row: HelpRequest, supervisor_id: UUID, now: datetime) -> bool:
    """Note who looks after it; False when somebody does already, or it has ended."""
    if row.ended_at is not None or row.acknowledged_at is not None:
        return False
    row.acknowledged_at, row.acknowledged_by = now, supervisor_id
    return True


def take_down(row: HelpRequest, end: HelpEnd, now: datetime) -> bool:
    """End it and say how; False when it has ended already."""
    if row.ended_at is not None:
        return False
    row.ended_at, row.end = now, end
    return True


def end_with_call(session: Session, agent_id: UUID, now: datetime) -> None:
    """The agent is not on their call any more: so is their hand."""
    session.execute(
        update(HelpRequest)
        .where(col(HelpRequest.agent_id) == agent_id)
        .where(col(HelpRequest.ended_at).is_(None))
        .values(ended_at=now, end=HelpEnd.CALL_OVER)
    )
