"""People and their devices. Written by intake."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from callcenter.models.columns import document, listing


def _kept_apart() -> Any:
    return Field(
        default_factory=list, sa_type=JSONB, nullable=False, sa_column_kwargs={"server_default": "[]"}
    )


class Customer(SQLModel, table=True):
    """A person; one with no `external_id` is known by a device only.

    `tags` are the bank's, which each `identify` may replace; `agent_tags` those that agents gave, by code;
    `segments` and `survey_group` are worked out here, and nobody else writes them.
    """

    __tablename__ = "customer"
    __table_args__ = (
        Index(
            "ix_customer_segments",
            "segments",
            postgresql_using="gin",
            postgresql_where=text("segments <> '[]'::jsonb"),
        ),
    )

    id: UUID = Field(primary_key=True)
    external_id: str | None = Field(default=None, unique=True)
    name: str | None = None
    gender: str | None = None
    number: str | None = Field(default=None, index=True)
    time_zone: str | None = None
    language: str = "en"
    city: str | None = None
    traits: dict[str, Any] = document()
    tags: list[str] = listing()
    agent_tags: list[str] = _kept_apart()
    segments: list[str] = _kept_apart()
    survey_group: str | None = None
    frozen_at: datetime | None = None
    erased_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


class Device(SQLModel, table=True):
    """Whom a source's anonymous id belongs to now."""

    __tablename__ = "device"

    source_id: UUID = Field(primary_key=True, foreign_key="event_source.id")
    anonymous_id: str = Field(primary_key=True)
    customer_id: UUID = Field(foreign_key="customer.id", index=True)
    since: datetime
