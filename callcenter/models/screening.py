"""What the compliance gate decided, and whom it must never let through. Written by compliance."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Field, SQLModel

from callcenter.domain.enums import ScreeningPoint
from callcenter.models.columns import counted_id, document, listing, word


class ScreeningDecision(SQLModel, table=True):
    """One answer of the gate with all its reasons, its facts and the policy version; only ever added."""

    __tablename__ = "screening_decision"

    id: int | None = counted_id()
    asked_at: datetime = Field(index=True)
    point: ScreeningPoint = word()
    customer_id: UUID = Field(index=True)
    firing_id: UUID | None = None
    call_task_id: UUID | None = Field(default=None, index=True)
    may_call: bool
    reasons: list[str] = listing()
    next_allowed_at: datetime | None = None
    policy_version: str
    facts: dict[str, Any] = document()


class DoNotCallEntry(SQLModel, table=True):
    """A person or number that must not be called; only ever added, never edited."""

    __tablename__ = "do_not_call_entry"

    id: int | None = counted_id()
    customer_id: UUID | None = Field(default=None, index=True)
    number: str | None = Field(default=None, index=True)
    source: str
    reason: str = ""
    created_at: datetime
    expires_at: datetime | None = None
