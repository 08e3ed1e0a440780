"""One dial of one number, and what the carrier told us about it. Written by calls."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from callcenter.domain.enums import (
    AnsweredBy,
    AttemptState,
    CallResult,
    DialingMode,
    Purpose,
    SupervisorMode,
)
from callcenter.domain.ports import RecordingState
from callcenter.models.columns import counted_id, document, word

_LIVE = text("state <> 'ended'")


class ContactAttempt(SQLModel, table=True):
    """One dial of one number. At most one lives per call task, per customer and per number.

    An automatic dial has no agent until the customer picks up. What we want of the room (`..._wanted`) and
    what the carrier says it is (`is_held`, `room_agent_id`) are kept apart: a job settles the difference.
    """

    __tablename__ = "contact_attempt"
    __table_args__ = (
        Index("uq_contact_attempt_live_task", "call_task_id", unique=True, postgresql_where=_LIVE),
        Index("uq_contact_attempt_live_number", "to_number", unique=True, postgresql_where=_LIVE),
        Index("uq_contact_attempt_ref", "carrier_ref", unique=True),
        Index("ix_contact_attempt_live", "state", postgresql_where=_LIVE),
        Index("ix_contact_attempt_agent_at", "agent_id", "claimed_at"),
        Index("ix_contact_attempt_customer_at", "customer_id", "claimed_at"),
        Index("ix_contact_attempt_number_at", "to_number", "claimed_at"),
        Index(
            "ix_contact_attempt_answered",
            "campaign",
            "answered_at",
            postgresql_where=text("answered_at IS NOT NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    call_task_id: UUID = Field(foreign_key="call_task.id")
    customer_id: UUID = Field(foreign_key="customer.id")
    agent_id: UUID | None = Field(default=None, foreign_key="agent.id")
    firing_id: UUID = Field(foreign_key="trigger_firing.id", index=True)
    to_number: str
    caller_id: str
    state: AttemptState = word(default=AttemptState.CLAIMED)
    result: CallResult | None = word(default=None, nullable=True)
    result_detail: str | None = None
    carrier_ref: str | None = None
    claimed_at: datetime = Field(index=True)
    placing_at: datetime | None = None
    placed_at: datetime | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    bridged_at: datetime | None = None
    ended_at: datetime | None = None
    last_news_at: datetime
    cancel_asked_at: datetime | None = None
    empty_looks: int = 0
    requests: int = 0
    talk_seconds: int | None = None
    script_id: str | None = None
    script_version: str | None = None
    script_variant: str | None = None
    script_propensity: float | None = None
    campaign: str
    purpose: Purpose = word(default=Purpose.SERVICE)
    mode: DialingMode = word(default=DialingMode.PREVIEW)
    answered_by: AnsweredBy | None = word(default=None, nullable=True)
    room_agent_id: UUID | None = None
    hold_wanted: bool = False
    is_held: bool = False
    pause_wanted: bool = False
    is_paused: bool = False
    agent_lost_at: datetime | None = None
    recording_ref: str | None = None
    recording_state: RecordingState | None = word(default=None, nullable=True)
    recording_seconds: int | None = None


class AgentLeg(SQLModel, table=True):
    """The call that keeps an agent in their room, from the first call task to sign-off.

    `room_ref` and `room_seq` tell the newest word of the carrier on the room; older words change nothing.
    """

    __tablename__ = "agent_leg"

    agent_id: UUID = Field(primary_key=True, foreign_key="agent.id")
    address: str
    state: AttemptState = word(default=AttemptState.ENDED)
    carrier_ref: str | None = Field(default=None, index=True)
    asked_at: datetime
    last_news_at: datetime
    mute_wanted: bool = False
    is_muted: bool = False
    room_ref: str | None = None
    room_seq: int = -1


class Watch(SQLModel, table=True):
    """A supervisor's part in an agent's calls: who listened to whom, when, and how, as the carrier says."""

    __tablename__ = "watch"
    __table_args__ = (
        Index(
            "uq_watch_live_supervisor",
            "supervisor_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_watch_agent", "agent_id", "asked_at"),
    )

    id: UUID = Field(primary_key=True)
    supervisor_id: UUID = Field(foreign_key="app_user.id")
    agent_id: UUID = Field(foreign_key="agent.id")
    address: str
    mode_wanted: SupervisorMode = word(default=SupervisorMode.MONITOR)
    mode: SupervisorMode | None = word(default=None, nullable=True)
    state: AttemptState = word(default=AttemptState.CLAIMED)
    carrier_ref: str | None = Field(default=None, index=True)
    asked_at: datetime
    joined_at: datetime | None = None
    end_asked_at: datetime | None = None
    ended_at: datetime | None = None


class CarrierInbox(SQLModel, table=True):
    """Every signed callback of the carrier, once. `subject_id`: the attempt, or the agent whose room it is of."""

    __tablename__ = "carrier_inbox"

    key: str = Field(primary_key=True)
    subject_id: UUID = Field(index=True)
    received_at: datetime
    what: str
    raw: dict[str, Any] = document()


class Incident(SQLModel, table=True):
    """Something that must never happen and did: a second call for one attempt, news of a call never placed."""

    __tablename__ = "incident"

    id: int | None = counted_id()
    at: datetime
    kind: str
    attempt_id: UUID | None = Field(default=None, index=True)
    customer_id: UUID | None = Field(default=None, index=True)
    detail: dict[str, Any] = document()
    resolved_at: datetime | None = None


class CarrierDay(SQLModel, table=True):
    """One day of the carrier's list laid beside our attempts, both ways."""

    __tablename__ = "carrier_day"

    day_on: date = Field(primary_key=True)
    checked_at: datetime
    carrier_calls: int
    attempts: int
    unknown_to_us: int
    unknown_to_carrier: int
