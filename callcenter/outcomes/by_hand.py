"""Callbacks that another system promised, which stand beside no attempt; many closed at once, and opened again."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col

from callcenter.domain.ids import derived_id
from callcenter.models import Callback
from callcenter.outcomes.service import close_callbacks

MAX_SAID = 200


def keep_promise(
    session: Session, call_task_id: UUID, customer_id: UUID, due_at: datetime, said: str, now: datetime
) -> Callback:
    """Keep a promised call; it takes the place of one promised before for the same task."""
    close_callbacks(session, call_task_id, now)
    row = Callback(
        id=derived_id("callback", call_task_id, due_at.isoformat(), now.isoformat()),
        call_task_id=call_task_id,
        customer_id=customer_id,
        due_at=due_at,
        said=said[:MAX_SAID],
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row


def close_callbacks_of(session: Session, call_task_ids: Collection[UUID], now: datetime) -> None:
    """Note that the promised calls of these call tasks are not made any more."""
    session.execute(
        update(Callback)
        .where(col(Callback.call_task_id).in_(call_task_ids))
        .where(col(Callback.closed_at).is_(None))
        .values(closed_at=now)
    )


def open_callbacks_again(session: Session, call_task_ids: Collection[UUID], closed_at: datetime) -> None:
    """Promise the calls again that were closed at that very moment with their call tasks."""
    session.execute(
        update(Callback)
        .where(col(Callback.call_task_id).in_(call_task_ids))
        .where(col(Callback.closed_at) == closed_at)
        .values(closed_at=None)
    )
