"""How customers are dialed: the mode of each campaign, the one switch, what pacing decided. Written by dialing."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from callcenter.domain.enums import DialingMode
from callcenter.models.columns import counted_id, document, listing, word


class Campaign(SQLModel, table=True):
    """How the call tasks of one journey are dialed. A journey without a row is dialed in preview.

    `lines_per_agent` is the ratio of power dialing; `drops_machines` ends calls that answering-machine
    detection takes for a machine before an agent is on them. `hours` are the campaign's own calling hours in the
    customer's zone, ["09:00", "18:00"]; empty: those of the policy packs alone.
    """

    __tablename__ = "campaign"

    key: str = Field(primary_key=True)
    mode: DialingMode = word(default=DialingMode.PREVIEW)
    lines_per_agent: float = 1.0
    drops_machines: bool = False
    paused_at: datetime | None = None
    hours: list[str] = listing()
    changed_at: datetime
    changed_by: UUID | None = Field(default=None, foreign_key="app_user.id")


class DialingSwitch(SQLModel, table=True):
    """The one row that allows automatic dialing at all; the database refuses automatic attempts without it."""

    __tablename__ = "dialing_switch"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: int = Field(default=1, primary_key=True)
    automatic_allowed: bool = False
    changed_at: datetime
    changed_by: UUID | None = Field(default=None, foreign_key="app_user.id")


class PacingDecision(SQLModel, table=True):
    """What a pacing tick decided for one campaign, with the figures its sentence names."""

    __tablename__ = "pacing_decision"
    __table_args__ = (Index("ix_pacing_decision_campaign", "campaign", "at"),)

    id: int | None = counted_id()
    at: datetime = Field(index=True)
    campaign: str
    mode: DialingMode = word()
    dialed: int
    canceled: int = 0
    reason: str
    figures: dict[str, Any] = document()
    sentence: str
