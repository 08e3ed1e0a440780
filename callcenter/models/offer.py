"""What agents may grant on a call, and each grant. Written by offers."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from callcenter.models.columns import document, listing

_STANDING = text("taken_back_at IS NULL")


class Offer(SQLModel, table=True):
    """One offer of the catalog: what it is called, what to say, for which calls, and how often.

    `value` is what it is worth to the customer, `cost` what one costs the bank, both in major units of `currency`.
    `steps` are written journey/step. An empty list of journeys, steps, rules or tags leaves it open. A limit of
    None is none. `time_zone` is where the days of the limits begin. `version` counts the changes.
    """

    __tablename__ = "offer"

    code: str = Field(primary_key=True)
    version: int = 1
    name: dict[str, str] = document()
    words: dict[str, str] = document()
    currency: str
    value: Decimal = Field(max_digits=14, decimal_places=2)
    cost: Decimal = Field(max_digits=14, decimal_places=2)
    journeys: list[str] = listing()
    steps: list[str] = listing()
    rules: list[str] = listing()
    tags: list[str] = listing()
    valid_from: datetime
    valid_until: datetime | None = None
    per_customer: int | None = None
    per_customer_days: int | None = None
    per_agent_day: int | None = None
    per_day: int | None = None
    time_zone: str = "UTC"
    created_at: datetime
    changed_at: datetime
    changed_by: UUID | None = Field(default=None, foreign_key="app_user.id")
    ended_at: datetime | None = None


class OfferGrant(SQLModel, table=True):
    """An offer granted on one attempt, with what it was worth and cost then; one that was taken back stays.

    `day_on` is the day in the offer's zone that the limits of a day count.
    """

    __tablename__ = "offer_grant"
    __table_args__ = (
        Index("uq_offer_grant_attempt", "attempt_id", "offer_code", unique=True, postgresql_where=_STANDING),
        Index("ix_offer_grant_day", "offer_code", "day_on", postgresql_where=_STANDING),
        Index("ix_offer_grant_customer", "customer_id", "offer_code", "granted_at"),
    )

    id: UUID = Field(primary_key=True)
    offer_code: str = Field(foreign_key="offer.code")
    offer_version: int
    attempt_id: UUID = Field(foreign_key="contact_attempt.id", index=True)
    call_task_id: UUID = Field(foreign_key="call_task.id")
    customer_id: UUID = Field(foreign_key="customer.id")
    agent_id: UUID = Field(foreign_key="agent.id")
    currency: str
    value: Decimal = Field(max_digits=14, decimal_places=2)
    cost: Decimal = Field(max_digits=14, decimal_places=2)
    granted_at: datetime = Field(index=True)
    day_on: date
    taken_back_at: datetime | None = None
