"""Where events come from, the events themselves, and those refused. Written by intake."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from callcenter.models.columns import counted_id, document


class EventSource(SQLModel, table=True):
    """A system that sends events with a write key of its own; only the key's hash is kept."""

    __tablename__ = "event_source"

    id: UUID = Field(primary_key=True)
    name: str = Field(unique=True)
    write_key_hash: str = Field(unique=True)
    lateness_seconds: float = 5.0
    is_enabled: bool = True
    created_at: datetime


class JourneyEvent(SQLModel, table=True):
    """One accepted event, kept once per (source, message id)."""

    __tablename__ = "journey_event"
    __table_args__ = (
        UniqueConstraint("source_id", "message_id"),
        Index("ix_journey_event_customer_time", "customer_id", "event_time"),
        Index("ix_journey_event_journey_time", "journey", "event_time"),
    )

    id: int | None = counted_id()
    source_id: UUID = Field(foreign_key="event_source.id")
    message_id: str
    customer_id: UUID
    kind: str
    name: str
    journey: str | None = None
    journey_key: str = ""
    step: str | None = None
    role: str | None = Field(default=None, sa_type=String)
    key: str | None = None
    event_time: datetime
    received_at: datetime
    historical: bool = False
    clamped: bool = False
    properties: dict[str, Any] = document()


class QuarantinedEvent(SQLModel, table=True):
    """An event that was not accepted, with the reason."""

    __tablename__ = "quarantined_event"

    id: int | None = counted_id()
    source_id: UUID = Field(foreign_key="event_source.id")
    received_at: datetime = Field(index=True)
    position: int
    code: str
    message: str
    raw: Any = Field(default=None, sa_type=JSONB)


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
