"""Callbacks that another system promised: they stand beside no attempt."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

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
