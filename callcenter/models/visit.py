"""Journeys and the visits of customers on their steps. Written by journeys."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from callcenter.domain.enums import VisitEnd
from callcenter.models.columns import document, listing, word


class Journey(SQLModel, table=True):
    """A journey's definition as it was loaded from its file."""

    __tablename__ = "journey"

    id: str = Field(primary_key=True)
    definition: dict[str, Any] = document()
    loaded_at: datetime


class Visit(SQLModel, table=True):
    """One stay of a customer on one step, with its clock: `wake_at` is when a rule wants to look.

    `opened_at` is when we heard of it. `marks` holds, per event key, how often it came, when first, and its
    latest sightings with what they said; `facts` the latest value of each property, `facts_at` from when.
    """

    __tablename__ = "visit"
    __table_args__ = (
        UniqueConstraint("customer_id", "journey", "journey_key", "visit_seq"),
        Index(
            "uq_visit_open",
            "customer_id",
            "journey",
            "journey_key",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_visit_wake", "wake_at", postgresql_where=text("wake_at IS NOT NULL")),
    )

    id: UUID = Field(primary_key=True)
    customer_id: UUID = Field(foreign_key="customer.id")
    journey: str
    journey_key: str = ""
    visit_seq: int
    step: str
    opened_at: datetime
    entered_at: datetime
    last_activity_at: datetime
    errors: int = 0
    last_error: str | None = None
    last_error_reason: str | None = None
    last_error_at: datetime | None = None
    marks: dict[str, Any] = document()
    facts: dict[str, Any] = document()
    facts_at: dict[str, Any] = document()
    closed_at: datetime | None = None
    end: VisitEnd | None = word(default=None, nullable=True)
    lateness_seconds: float = 5.0
    wake_at: datetime | None = None
    looked: dict[str, Any] = document()
    fired: list[str] = listing()
