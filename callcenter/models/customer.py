"""People and their devices. Written by intake."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Field, SQLModel

from callcenter.models.columns import document, listing


class Customer(SQLModel, table=True):
    """A person; one with no `external_id` is known by a device only."""

    __tablename__ = "customer"

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
