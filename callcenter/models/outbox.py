"""What must happen next, written with the fact that caused it. Written by outbox."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import SQLModel

from callcenter.domain.enums import OutboxKind
from callcenter.models.columns import counted_id, word


class OutboxMessage(SQLModel, table=True):
    """One thing to do. It is done when its job says so, not when the queue has taken it."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        Index(
            "ix_outbox_message_due", "due_at", postgresql_where=text("done_at IS NULL AND failed_at IS NULL")
        ),
        Index("ix_outbox_message_subject", "subject_id"),
    )

    id: int | None = counted_id()
    kind: OutboxKind = word()
    subject_id: UUID
    created_at: datetime
    due_at: datetime
    tries: int = 0
    failures: int = 0
    done_at: datetime | None = None
    failed_at: datetime | None = None
    last_error: str | None = None
