"""What the agent said of a call and what the customer then did. Written by outcomes."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Computed, Index, String, text
from sqlmodel import Field, SQLModel

from callcenter.domain.enums import CancelReason, Cause, FollowUpKind
from callcenter.models.columns import counted_id, document, listing, word


class DispositionKind(SQLModel, table=True):
    """A disposition an agent can choose; logic reads its flags, never its name."""

    __tablename__ = "disposition_kind"

    code: str = Field(primary_key=True)
    position: int
    label: dict[str, str] = document()
    icon: str = ""
    reached: bool = False
    right_party: bool = False
    converted: bool = False
    callback: bool = False
    do_not_call: bool = False
    refused: bool = False
    retryable: bool = False
    is_active: bool = True


class Disposition(SQLModel, table=True):
    """What an agent said of one attempt.

    `kind_code` is what they said and stays. Where a supervisor found it wrong, `corrected_code` says what it
    was; `counts_as` is which of the two counts.
    """

    __tablename__ = "disposition"

    attempt_id: UUID = Field(primary_key=True, foreign_key="contact_attempt.id")
    kind_code: str = Field(foreign_key="disposition_kind.code")
    agent_id: UUID = Field(foreign_key="agent.id")
    at: datetime = Field(index=True)
    causes: list[Cause] = listing()
    note: str = ""
    wrap_up_seconds: int = 0
    corrected_code: str | None = Field(default=None, foreign_key="disposition_kind.code")
    counts_as: str | None = Field(
        default=None,
        sa_column=Column(String, Computed("coalesce(corrected_code, kind_code)", persisted=True)),
    )


class DispositionCheck(SQLModel, table=True):
    """What a supervisor found of a tag: that it stands, or what it should have been, and why.

    `said_code` is what counted before, `found_code` what counts since: the same where the tag was upheld.
    `evidence` names what spoke against the tag.
    """

    __tablename__ = "disposition_check"

    id: int | None = counted_id()
    attempt_id: UUID = Field(foreign_key="disposition.attempt_id", index=True)
    agent_id: UUID = Field(foreign_key="agent.id")
    said_code: str = Field(foreign_key="disposition_kind.code")
    found_code: str = Field(foreign_key="disposition_kind.code")
    evidence: list[str] = listing()
    reason: str
    checked_at: datetime = Field(index=True)
    checked_by: UUID = Field(foreign_key="app_user.id")


class ProductSuggestion(SQLModel, table=True):
    """What the customer or the agent wished the product did."""

    __tablename__ = "product_suggestion"

    attempt_id: UUID = Field(primary_key=True, foreign_key="contact_attempt.id")
    journey: str
    step: str
    text: str
    at: datetime


class Callback(SQLModel, table=True):
    """A promised call at a time the customer chose; without an attempt when another system promised it.

    `lost_because` says why its call task died before the promise was kept; `noted_at` when a person took notice.
    """

    __tablename__ = "callback"
    __table_args__ = (
        Index("ix_callback_open", "due_at", postgresql_where=text("closed_at IS NULL")),
        Index(
            "ix_callback_lost",
            "agent_id",
            postgresql_where=text("lost_because IS NOT NULL AND noted_at IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    attempt_id: UUID | None = Field(default=None, foreign_key="contact_attempt.id")
    call_task_id: UUID = Field(foreign_key="call_task.id", index=True)
    customer_id: UUID = Field(foreign_key="customer.id")
    agent_id: UUID | None = Field(default=None, foreign_key="agent.id", index=True)
    due_at: datetime
    said: str = ""
    created_at: datetime
    closed_at: datetime | None = None
    lost_because: CancelReason | None = word(default=None, nullable=True)
    noted_at: datetime | None = None


class FollowUp(SQLModel, table=True):
    """A business opportunity met on a call: what somebody has promised to do about it, and by when."""

    __tablename__ = "follow_up"
    __table_args__ = (
        Index("ix_follow_up_open", "owner_id", "due_on", postgresql_where=text("closed_at IS NULL")),
        Index("ix_follow_up_closed", "owner_id", "closed_at", postgresql_where=text("closed_at IS NOT NULL")),
    )

    id: UUID = Field(primary_key=True)
    attempt_id: UUID = Field(foreign_key="contact_attempt.id", index=True)
    customer_id: UUID = Field(foreign_key="customer.id", index=True)
    kind: FollowUpKind = word()
    text: str
    owner_id: UUID = Field(foreign_key="agent.id")
    due_on: date
    created_by: UUID = Field(foreign_key="agent.id")
    created_at: datetime
    changed_at: datetime
    closed_at: datetime | None = None
    closed_by: UUID | None = Field(default=None, foreign_key="app_user.id")


class Outcome(SQLModel, table=True):
    """What the customer did after a firing, seen in journey events: the conversion, if there was one in time."""

    __tablename__ = "outcome"
    __table_args__ = (
        Index(
            "ix_outcome_open",
            "customer_id",
            "journey",
            "journey_key",
            postgresql_where=text("converted_at IS NULL"),
        ),
        Index("ix_outcome_converted", "converted_at", postgresql_where=text("converted_at IS NOT NULL")),
    )

    firing_id: UUID = Field(primary_key=True, foreign_key="trigger_firing.id")
    customer_id: UUID
    journey: str
    journey_key: str = ""
    goal_position: int
    window_from: datetime
    window_until: datetime = Field(index=True)
    converted_at: datetime | None = None
    converted_step: str | None = None
    facts: dict[str, Any] = document()
