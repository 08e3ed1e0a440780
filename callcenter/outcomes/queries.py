"""Reads of dispositions and callbacks."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.models import Callback, DispositionKind


def disposition_kinds(session: Session) -> Sequence[DispositionKind]:
    """List the dispositions agents choose from, in their order."""
    return session.exec(
        select(DispositionKind).where(DispositionKind.is_active).order_by(col(DispositionKind.position))
    ).all()


def personal_agent(session: Session, call_task_id: UUID) -> UUID | None:
    """Return the agent who promised this call task's callback in person; None when anyone may call."""
    return session.exec(
        select(Callback.agent_id)
        .where(Callback.call_task_id == call_task_id)
        .where(col(Callback.closed_at).is_(None))
    ).first()
