"""The events themselves, partitioned by time. Written by intake."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index, String, Uuid
from sqlmodel import Field, SQLModel

from callcenter.models.columns import document

_EVENT_ID: "Column[UUID]" = Column("id", Uuid, nullable=False)


class JourneyEvent(SQLModel, table=True):
    """One accepted event, in the partition of the week it came in; old weeks go to Parquet files.

    `id` is derived from its source and message id. No key is on it, for a key of a partitioned table must
    hold the time: the `EventReceipt` with the same id keeps an event from being stored twice.
    """

    __tablename__ = "journey_event"
    __table_args__ = (
        Index("ix_journey_event_customer_time", "customer_id", "event_time"),
        Index("ix_journey_event_journey_time", "journey", "event_time"),
        Index("ix_journey_event_received", "received_at"),
        {"postgresql_partition_by": "RANGE (received_at)"},
    )
    __mapper_args__: ClassVar[dict[str, Any]] = {"primary_key": [_EVENT_ID]}

    id: UUID = Field(sa_column=_EVENT_ID)
    source_id: UUID
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
    position: int = 0
    historical: bool = False
    clamped: bool = False
    properties: dict[str, Any] = document()


class EventReceipt(SQLModel, table=True):
    """That an event came in: it is stored once, however often it is sent. Kept as long as the event."""

    __tablename__ = "event_receipt"

    id: UUID = Field(primary_key=True)
    received_at: datetime


class EventArchive(SQLModel, table=True):
    """A week of events that was moved to a Parquet file and dropped from the database."""

    __tablename__ = "event_archive"

    partition: str = Field(primary_key=True)
    since: datetime
    until: datetime
    path: str
    events: int = Field(sa_type=BigInteger)
    archived_at: datetime
