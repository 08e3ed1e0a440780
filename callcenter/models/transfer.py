"""Call tasks that agents hand over. Written by calltasks."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from callcenter.domain.enums import TransferReason, TransferState
from callcenter.models.columns import document, word


class TaskTransfer(SQLModel, table=True):
    """One call task on its way from an agent to a colleague (`to_agent_id`) or a team (`to_team`), and its end.

    Until `expires_at` it waits, for the supervisor's word or for somebody to dial; `before` is what of the call
    task it changed. `answer` is what the supervisor said. The agent has read its end once `noted_at` is set.
    """

    __tablename__ = "task_transfer"
    __table_args__ = (
        Index(
            "uq_task_transfer_open", "call_task_id", unique=True, postgresql_where=text("ended_at IS NULL")
        ),
        Index("ix_task_transfer_told", "from_agent_id", postgresql_where=text("noted_at IS NULL")),
    )

    id: UUID = Field(primary_key=True)
    call_task_id: UUID = Field(foreign_key="call_task.id", index=True)
    from_agent_id: UUID = Field(foreign_key="agent.id")
    to_agent_id: UUID | None = Field(default=None, foreign_key="agent.id")
    to_team: str | None = None
    reason: TransferReason = word()
    note: str = ""
    state: TransferState = word(default=TransferState.ASKED)
    asked_at: datetime
    expires_at: datetime
    decided_at: datetime | None = None
    decided_by: UUID | None = Field(default=None, foreign_key="app_user.id")
    answer: str = ""
    taken_by: UUID | None = Field(default=None, foreign_key="agent.id")
    ended_at: datetime | None = None
    noted_at: datetime | None = None
    attempts: int = 0
    before: dict[str, Any] = document()
