"""Where events come from: sources, their write keys, what they sent amiss. Written by intake."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from callcenter.domain.enums import QuarantineState
from callcenter.models.columns import counted_id, word


class EventSource(SQLModel, table=True):
    """A system that sends events: how late it may be, how often it may ask, whether it is switched on."""

    __tablename__ = "event_source"

    id: UUID = Field(primary_key=True)
    name: str = Field(unique=True)
    lateness_seconds: float = 5.0
    requests_per_second: int | None = None
    is_enabled: bool = True
    created_at: datetime


class WriteKey(SQLModel, table=True):
    """A key a source sends events with; only its hash and its last four letters are kept.

    A rotated key works until `ends_at`, so that no sender is cut off in the middle.
    """

    __tablename__ = "write_key"

    id: int | None = counted_id()
    source_id: UUID = Field(foreign_key="event_source.id", index=True)
    key_hash: str = Field(unique=True)
    hint: str = ""
    created_at: datetime
    created_by: UUID | None = Field(default=None, foreign_key="app_user.id")
    ends_at: datetime | None = None


class QuarantinedEvent(SQLModel, table=True):
    """An event that was not accepted, with the reason, until somebody drives it in again or dismisses it.

    `body` is the event as it was sent, None when it cannot be kept as JSON; `raw` is its beginning as text.
    """

    __tablename__ = "quarantined_event"
    __table_args__ = (Index("ix_quarantined_event_source_state", "source_id", "state", "received_at"),)

    id: int | None = counted_id()
    source_id: UUID = Field(foreign_key="event_source.id")
    received_at: datetime = Field(index=True)
    position: int
    code: str
    message: str
    raw: Any = Field(default=None, sa_type=JSONB)
    body: Any = Field(default=None, sa_type=JSONB, nullable=True)
    state: QuarantineState = word(default=QuarantineState.OPEN)
    state_at: datetime | None = None
    state_by: UUID | None = Field(default=None, foreign_key="app_user.id")


class ImportRun(SQLModel, table=True):
    """How far the import of one file has come, so that it can go on after a stop."""

    __tablename__ = "import_run"

    digest: str = Field(primary_key=True)
    source_id: UUID = Field(foreign_key="event_source.id")
    file_name: str
    started_at: datetime
    lines_done: int = 0
    stored: int = 0
    ended_at: datetime | None = None
