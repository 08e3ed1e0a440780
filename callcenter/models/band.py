"""Visits by which the waits of a rule's band are judged. Written by triggers."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel


class BandedVisit(SQLModel, table=True):
    """A visit that fitted a rule with a band when the band's shortest wait ran out, with the wait it had drawn.

    Until that moment every draw does the same, so these visits are comparable whatever they drew; also those
    that came back by themselves before their wait ran out are among them. `until_at` ends the conversion
    window, which begins at `at` for every wait. What came of it is filled in once, after that.
    """

    __tablename__ = "banded_visit"
    __table_args__ = (
        Index("ix_banded_visit_rule_at", "rule_id", "at"),
        Index("ix_banded_visit_open", "until_at", postgresql_where=text("settled_at IS NULL")),
    )

    rule_id: UUID = Field(primary_key=True, foreign_key="trigger_rule.id")
    visit_id: UUID = Field(primary_key=True, foreign_key="visit.id")
    rule_key: str
    customer_id: UUID = Field(foreign_key="customer.id")
    at: datetime
    until_at: datetime
    wait_seconds: float
    probability: float
    errors: int = 0
    minutes: float = 0.0
    settled_at: datetime | None = None
    converted: bool | None = None
    agent_seconds: int | None = None
