"""Do this next: written in the transaction of the fact that caused it, so it cannot be forgotten.

The queue only carries the id. A message is done when its job says so in the job's own transaction; one
that was handed to the queue and never came back is handed over again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text, update
from sqlmodel import Session, col, select

from callcenter.domain.enums import OutboxKind
from callcenter.models import OutboxMessage

CHANNEL = "callcenter_outbox"
LEASE = timedelta(seconds=20)
MAX_FAILURES = 12
"""After so many failures a message is left for a person to look at."""


def hand_over(
    session: Session, kind: OutboxKind, subject_id: UUID, now: datetime, due_at: datetime | None = None
) -> None:
    """Say what must happen next to this subject, at once or from `due_at` on."""
    session.add(OutboxMessage(kind=kind, subject_id=subject_id, created_at=now, due_at=due_at or now))
    session.flush()
    session.execute(text(f"NOTIFY {CHANNEL}"))


def hand_over_once(session: Session, kind: OutboxKind, subject_id: UUID, now: datetime) -> None:
    """Hand over unless the same is under way already."""
    under_way = session.exec(
        select(OutboxMessage.id)
        .where(OutboxMessage.kind == kind)
        .where(OutboxMessage.subject_id == subject_id)
        .where(col(OutboxMessage.done_at).is_(None))
        .where(col(OutboxMessage.failed_at).is_(None))
        .limit(1)
    ).first()
    if under_way is None:
        hand_over(session, kind, subject_id, now)


def take_due(session: Session, now: datetime, limit: int = 200) -> Sequence[OutboxMessage]:
    """Lease what is due: it comes up again after the lease unless it is done by then."""
    rows = session.exec(
        select(OutboxMessage)
        .where(col(OutboxMessage.done_at).is_(None))
        .where(col(OutboxMessage.failed_at).is_(None))
        .where(OutboxMessage.due_at <= now)
        .order_by(col(OutboxMessage.due_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.tries += 1
        row.due_at = now + LEASE * min(row.tries, 6)
    session.flush()
    return rows


def put_off(session: Session, message_id: int, until: datetime) -> None:
    """Bring an open message up again at another time: its work cannot be done yet."""
    session.execute(
        update(OutboxMessage)
        .where(col(OutboxMessage.id) == message_id)
        .where(col(OutboxMessage.done_at).is_(None))
        .values(due_at=until)
    )


def mark_done(session: Session, message_id: int, now: datetime) -> bool:
    """Say that a message's work is part of this transaction; False when another run did it already."""
    done = session.execute(
        update(OutboxMessage)
        .where(col(OutboxMessage.id) == message_id)
        .where(col(OutboxMessage.done_at).is_(None))
        .values(done_at=now)
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]


def note_failure(session: Session, message_id: int, error: str, now: datetime) -> None:
    """Keep why a job failed; the message comes up again after its lease, and after many failures no more.

    Only a job that ran and failed counts: a queue that is away uses no try up.
    """
    message = session.get(OutboxMessage, message_id, with_for_update=True)
    if message is None or message.done_at is not None:
        return
    message.failures, message.last_error = message.failures + 1, error[:500]
    if message.failures >= MAX_FAILURES:
        message.failed_at = now


def ring(session: Session, *channels: str) -> None:
    """Tell screens on these channels, after the commit, that something of theirs has changed.

    A lost ring costs one polling interval and nothing else.
    """
    session.info.setdefault("rings", set()).update(channels)


def rings_of(session: Session) -> frozenset[str]:
    """Return the channels to ring once this session has committed."""
    return frozenset(session.info.get("rings", ()))


FLOOR = "floor"
STUDIO = "studio"


def agent_channel(agent_id: UUID) -> str:
    """Return the channel of one agent's console."""
    return f"agent-{agent_id.hex}"
