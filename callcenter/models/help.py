"""Agents who ask for help during a call. Written by routing."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from callcenter.domain.enums import HelpEnd
from callcenter.models.columns import word


class HelpRequest(SQLModel, table=True):
    """A hand raised by an agent on a call: who has taken notice, and how it ended. It ends with the call."""

    __tablename__ = "help_request"
    __table_args__ = (
        Index("uq_help_request_open", "agent_id", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: UUID = Field(primary_key=True)
    agent_id: UUID = Field(foreign_key="agent.id")
    attempt_id: UUID = Field(foreign_key="contact_attempt.id", index=True)
    asked_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: UUID | None = Field(default=None, foreign_key="app_user.id")
    ended_at: datetime | None = None
    end: HelpEnd | None = word(default=None, nullable=True)
