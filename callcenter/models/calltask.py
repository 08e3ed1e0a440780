"""One thing for an agent to do. Written by calltasks."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from callcenter.domain.enums import CancelReason, HeldFor, Purpose, TaskState
from callcenter.models.columns import document, listing, word

_OPEN = text("state NOT IN ('completed', 'canceled')")


class CallTask(SQLModel, table=True):
    """One call task: why (its firing), for whom, until when, and where it is.

    `owner_until`: until when a pending one is left to `agent_id` alone, where a supervisor has given it to them.
    `language`, `skill` at `skill_level` and `team` are asked of its agent, leaving out what `relaxed` names; since
    `unstaffed_at` nobody who is signed on meets them. `held_for`: whom it is kept for while it is handed over.
    """

    __tablename__ = "call_task"
    __table_args__ = (
        Index("uq_call_task_open_journey", "customer_id", "journey", unique=True, postgresql_where=_OPEN),
        Index("ix_call_task_waiting", "not_before_at", postgresql_where=text("state = 'pending'")),
        Index("ix_call_task_open", "state", postgresql_where=_OPEN),
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
    attempts: int = 0
    offers: int = 0
    script_id: str | None = None
    script_version: str | None = None
    script_variant: str | None = None
    script_propensity: float | None = None
    script_why: str | None = None
    closed_at: datetime | None = None
    facts: dict[str, Any] = document()
