"""Callbacks after they were promised: moved, given to somebody, taken notice of. Rows are locked before."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.models import Callback


def lock_callback(session: Session, callback_id: UUID) -> Callback:
    """Return a callback as the database has it now, locked until the commit; its call task is locked before."""
    return session.exec(
        select(Callback)
        .where(Callback.id == callback_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def move(row: Callback, due_at: datetime) -> None:
    """Promise the call at another time."""
    row.due_at = due_at


def give_to(row: Callback, agent_id: UUID | None) -> None:
    """Make it one agent's to keep, or anybody's."""
    row.agent_id = agent_id


def promise_again(session: Session, call_task_id: UUID, closed_at: datetime) -> UUID | None:
    """Open the callback again that was closed by a dial that came to nothing; returns who promised it in person."""
    row = session.exec(
        select(Callback)
        .where(Callback.call_task_id == call_task_id)
        .where(col(Callback.closed_at) == closed_at)
        .with_for_update()
    ).one_or_none()
    if row is None:
        return None
    row.closed_at = None
    return row.agent_id


def note_lost(row: Callback, now: datetime) -> None:
    """Note that a person has read that it could not be kept."""
    row.noted_at = row.noted_at or now
