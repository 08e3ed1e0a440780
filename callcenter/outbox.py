"""Do this next: written in the transaction of the fact that caused it, so it cannot be forgotten.

The queue only carries the id. A message is done when its job says so in the job's own transaction; one
that was handed to the queue and never came back is handed over again.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlmodel import Session

from callcenter.db import cursor_of, id_array_of
from callcenter.domain.enums import OutboxKind
from callcenter.models import OutboxMessage

CHANNEL = "callcenter_outbox"
LEASE = timedelta(seconds=20)
LONGEST_LEASE = 6 * LEASE
MAX_FAILURES = 12
"""After so many failures a message is left for a person to look at."""

# Plain statements: every call and every job sends several of them.
_HAND_OVER = """
WITH told AS (
    INSERT INTO outbox_message (kind, subject_id, created_at, due_at, tries, failures)
    SELECT %(kind)s, subject, %(now)s, %(due_at)s, 0, 0 FROM unnest(%(subjects)s::uuid[]) AS subject
    RETURNING 1
)
SELECT pg_notify(%(channel)s, '') FROM told LIMIT 1
"""
_UNDER_WAY = """
SELECT 1 FROM outbox_message
 WHERE kind = %(kind)s AND subject_id = %(subject)s AND done_at IS NULL AND failed_at IS NULL
 LIMIT 1
"""
_TAKE_DUE = """
UPDATE outbox_message AS taken
   SET tries = taken.tries + 1,
       due_at = %(now)s + least(%(lease)s::interval * (taken.tries + 1), %(longest)s::interval)
  FROM (SELECT id FROM outbox_message
         WHERE done_at IS NULL AND failed_at IS NULL AND due_at <= %(now)s
         ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED) AS due
 WHERE taken.id = due.id
RETURNING taken.id, taken.kind, taken.subject_id, taken.tries
"""
_PUT_OFF = "UPDATE outbox_message SET due_at = %(until)s WHERE id = %(id)s AND done_at IS NULL"
_MARK_ALL_DONE = """
UPDATE outbox_message SET done_at = %(now)s WHERE subject_id = ANY(%(subjects)s::uuid[]) AND done_at IS NULL
"""
_MARK_DONE = "UPDATE outbox_message SET done_at = %(now)s WHERE id = %(id)s AND done_at IS NULL"


class DueMessage(NamedTuple):
    """A leased message: what is to be done to which subject, handed over for the `tries`-th time."""

    id: int
    kind: OutboxKind
    subject_id: UUID
    tries: int


def hand_over(
    session: Session, kind: OutboxKind, subject_id: UUID, now: datetime, due_at: datetime | None = None
) -> None:
    """Say what must happen next to this subject, at once or from `due_at` on."""
    hand_over_all(session, kind, [subject_id], now, due_at)


def hand_over_all(
    session: Session,
    kind: OutboxKind,
    subject_ids: Collection[UUID],
    now: datetime,
    due_at: datetime | None = None,
) -> None:
    """Say what must happen next to each of these subjects, at once or from `due_at` on."""
    told = {
        "kind": kind.value,
        "subjects": id_array_of(subject_ids),
        "now": now,
        "due_at": due_at or now,
        "channel": CHANNEL,
    }
    cursor_of(session).execute(_HAND_OVER, told)


def hand_over_once(session: Session, kind: OutboxKind, subject_id: UUID, now: datetime) -> None:
    """Hand over unless the same is under way already."""
    asked = {"kind": kind.value, "subject": subject_id}
    if cursor_of(session).execute(_UNDER_WAY, asked).fetchone() is None:
        hand_over(session, kind, subject_id, now)


def take_due(session: Session, now: datetime, limit: int = 200) -> list[DueMessage]:
    """Lease what is due: it comes up again after the lease unless it is done by then; later with each try."""
    asked = {"now": now, "limit": limit, "lease": LEASE, "longest": LONGEST_LEASE}
    taken = cursor_of(session).execute(_TAKE_DUE, asked).fetchall()
    return sorted(DueMessage(row[0], OutboxKind(row[1]), row[2], row[3]) for row in taken)


def put_off(session: Session, message_id: int, until: datetime) -> None:
    """Bring an open message up again at another time: its work cannot be done yet."""
    cursor_of(session).execute(_PUT_OFF, {"id": message_id, "until": until})


def mark_done(session: Session, message_id: int, now: datetime) -> bool:
    """Say that a message's work is part of this transaction; False when another run did it already."""
    return cursor_of(session).execute(_MARK_DONE, {"id": message_id, "now": now}).rowcount > 0


def mark_all_done(session: Session, subject_ids: Collection[UUID], now: datetime) -> None:
    """Say that whatever was to happen to these subjects has happened in this transaction."""
    told = {"subjects": id_array_of(subject_ids), "now": now}
    cursor_of(session).execute(_MARK_ALL_DONE, told)


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
