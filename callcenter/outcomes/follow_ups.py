"""Business met on calls, to be followed up: kept, changed, closed and opened again."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session, select

from callcenter.domain.ids import derived_id
from callcenter.errors import NotFound
from callcenter.models import ContactAttempt, FollowUp
from callcenter.outcomes.rules import NewFollowUp


def keep_follow_up(
    session: Session, attempt: ContactAttempt, new: NewFollowUp, agent_id: UUID, now: datetime
) -> FollowUp:
    """Keep a follow-up of a call; the same said twice of one call is one."""
    row_id = derived_id(
        "follow-up", attempt.id, new.kind.value, new.text.strip(), new.due_on.isoformat(), new.owner_id
    )
    row = session.get(FollowUp, row_id)
    if row is None:
        row = FollowUp(
            id=row_id,
            attempt_id=attempt.id,
            customer_id=attempt.customer_id,
            kind=new.kind,
            text=new.text.strip(),
            owner_id=new.owner_id,
            due_on=new.due_on,
            created_by=agent_id,
            created_at=now,
            changed_at=now,
        )
        session.add(row)
        session.flush()
    return row


def lock_follow_up(session: Session, follow_up_id: UUID) -> FollowUp:
    """Return a follow-up, locked until the commit. Raises NotFound."""
    row = session.exec(
        select(FollowUp)
        .where(FollowUp.id == follow_up_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        raise NotFound("There is no such follow-up.")
    return row


def change(row: FollowUp, new: NewFollowUp, now: datetime) -> None:
    """Say anew what is to be done, by whom and by when."""
    row.kind, row.text, row.owner_id, row.due_on = new.kind, new.text.strip(), new.owner_id, new.due_on
    row.changed_at = now


def close(row: FollowUp, user_id: UUID, now: datetime) -> bool:
    """Note that it is done; False when it was."""
    if row.closed_at is not None:
        return False
    row.closed_at, row.closed_by, row.changed_at = now, user_id, now
    return True


def open_again(row: FollowUp, now: datetime) -> bool:
    """Note that it is not done after all; False when it is open."""
    if row.closed_at is None:
        return False
    row.closed_at, row.closed_by, row.changed_at = None, None, now
    return True
