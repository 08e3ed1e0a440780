"""One thing for an agent to do. Written by calltasks."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from callcenter.domain.enums import CancelReason, HeldFor, Purpose, TaskState
from callcenter.models.columns import document, listing, word

_OPEN = text("state NOT IN ('completed', 'canceled')")


class CallTask(SQLModel, table=True):
    """One call task: why (its firing), for whom, until when, and where it is.

    `script_propensity`: the probability with which its variant was drawn, by the shares of `script_allocated_on`
    (None: even shares, before the first allocation); of a later call, as it was at the customer's first draw.
    `owner_until`: until when a pending one is left to `agent_id` alone, where a supervisor has given it to them.
    `worth`: what a call was worth when it was opened, in money per agent minute; `worth_points` what that adds to
    the priority at `moment_at`, half of it gone with each `worth_fades_minutes`, within plus and minus
    `worth_reach`. None where nothing is known. `raised`: how often a supervisor put it before others, less how
    often behind.
    `lead_firing_id`: the firing folded in that the call is led by, where it is not its own; `own_terms` keeps
    purpose, priority and script as the task was opened with, once any of them changes.
    `language`, `skill` at `skill_level` and `team` are asked of its agent, leaving out what `relaxed` names; since
    `unstaffed_at` nobody who is signed on meets them. `held_for`: whom it is kept for while it is handed over.
    """

    __tablename__ = "call_task"
    __table_args__ = (
        Index("uq_call_task_open_journey", "customer_id", "journey", unique=True, postgresql_where=_OPEN),
        Index("ix_call_task_waiting", "not_before_at", postgresql_where=text("state = 'pending'")),
        Index("ix_call_task_open", "state", postgresql_where=_OPEN),
        Index("ix_call_task_script", "script_id", "customer_id", "created_at"),
    )

    id: UUID = Field(primary_key=True)
    firing_id: UUID = Field(foreign_key="trigger_firing.id", unique=True)
    rule_key: str = Field(index=True)
    customer_id: UUID = Field(foreign_key="customer.id")
    visit_id: UUID = Field(foreign_key="visit.id", index=True)
    journey: str
    purpose: Purpose = word(default=Purpose.SERVICE)
    journey_key: str = ""
    step: str
    state: TaskState = word(default=TaskState.PENDING)
    state_at: datetime
    priority: int = 50
    promise_seconds: int = 60
    worth: float | None = None
    worth_points: float | None = None
    worth_fades_minutes: float | None = None
    worth_reach: float | None = None
    moment_at: datetime | None = None
    raised: int = 0
    created_at: datetime = Field(index=True)
    not_before_at: datetime
    expires_at: datetime
    why_no_call: list[str] = listing()
    agent_id: UUID | None = Field(default=None, foreign_key="agent.id")
    owner_until: datetime | None = None
    language: str = "en"
    skill: str | None = None
    skill_level: int = 1
    team: str | None = None
    relaxed: list[str] = listing()
    unstaffed_at: datetime | None = None
    held_for: HeldFor | None = word(default=None, nullable=True)
    cancel_reason: CancelReason | None = word(default=None, nullable=True)
    folded_firings: int = 0
    lead_firing_id: UUID | None = None
    own_terms: dict[str, Any] = document(sa_column_kwargs={"server_default": text("'{}'")})
    attempts: int = 0
    offers: int = 0
    script_id: str | None = None
    script_version: str | None = None
    script_variant: str | None = None
    script_propensity: float | None = None
    script_allocated_on: date | None = None
    script_why: str | None = None
    closed_at: datetime | None = None
    facts: dict[str, Any] = document()
