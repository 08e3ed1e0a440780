"""Agents and the offers made to them. Written by routing."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from callcenter.domain.enums import NotReadyReason, Presence, ReservationEnd, WorkState
from callcenter.models.columns import counted_id, document, word


class Agent(SQLModel, table=True):
    """An agent's two states: what they want (presence) and what they do (work state); and what they bring.

    `skills` holds a level of 1 to 5 by the skill's key, `skill_points` their sum. `address` is the telephone they
    talk on: a number in E.164 form, or `client:` and a softphone's name. `presence_by` is the supervisor who set
    the presence, with their `presence_note`; None when it is the agent's own or the product's doing.
    """

    __tablename__ = "agent"

    id: UUID = Field(primary_key=True, foreign_key="app_user.id")
    team: str
    languages: str = "en,zh"
    skills: dict[str, int] = document()
    skill_points: int = 0
    address: str
    presence: Presence = word(default=Presence.SIGNED_OFF)
    not_ready_reason: NotReadyReason | None = word(default=None, nullable=True)
    presence_at: datetime
    presence_by: UUID | None = Field(default=None, foreign_key="app_user.id")
    presence_note: str = Field(default="", sa_column_kwargs={"server_default": ""})
    signed_on_at: datetime | None = None
    seen_at: datetime | None = None
    work_state: WorkState = word(default=WorkState.IDLE)
    work_state_at: datetime
    wrap_up_until: datetime | None = None
    wrap_up_extensions: int = 0
    last_wrap_up_seconds: int | None = None
    call_task_id: UUID | None = None


class Reservation(SQLModel, table=True):
    """One offer of one call task to one agent, with a lease that runs out.

    `why` holds why this agent and why this call task, as codes with values (`routing.rules.why_offered`).
    """

    __tablename__ = "reservation"
    __table_args__ = (
        Index(
            "uq_reservation_open_task", "call_task_id", unique=True, postgresql_where=text("ended_at IS NULL")
        ),
        Index(
            "uq_reservation_open_agent", "agent_id", unique=True, postgresql_where=text("ended_at IS NULL")
        ),
        Index(
            "ix_reservation_gone",
            "agent_id",
            "ended_at",
            postgresql_where=text("\"end\" IN ('withdrawn', 'barred')"),
        ),
        Index("ix_reservation_lease", "expires_at", postgresql_where=text("ended_at IS NULL")),
    )

    id: UUID = Field(primary_key=True)
    call_task_id: UUID = Field(foreign_key="call_task.id", index=True)
    agent_id: UUID = Field(foreign_key="agent.id")
    offered_at: datetime
    seen_at: datetime | None = None
    expires_at: datetime
    ended_at: datetime | None = None
    end: ReservationEnd | None = word(default=None, nullable=True)
    skip_reason: str | None = None
    why: dict[str, Any] = document()


class AgentState(SQLModel, table=True):
    """An agent's two states from a moment on. The database adds a row whenever routing changes either."""

    __tablename__ = "agent_state"
    __table_args__ = (Index("ix_agent_state_agent", "agent_id", "at"),)

    id: int | None = counted_id()
    agent_id: UUID = Field(foreign_key="agent.id")
    at: datetime = Field(index=True)
    presence: Presence = word()
    work_state: WorkState = word()


class Team(SQLModel, table=True):
    """A team of agents and what is set for it. `transfers_need_approval`: of call tasks its agents hand over."""

    __tablename__ = "team"

    name: str = Field(primary_key=True)
    transfers_need_approval: bool = False
    created_at: datetime


class Skill(SQLModel, table=True):
    """What agents can do, at a level of 1 to 5; rules ask for it by its key. One that is off is given to nobody."""

    __tablename__ = "skill"

    key: str = Field(primary_key=True)
    name: str
    name_zh: str
    is_active: bool = True
    created_at: datetime
