"""Which way an agent went through a script. Written by scripting."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from callcenter.models.columns import counted_id


class ScriptStep(SQLModel, table=True):
    """One step of the path through a script: the node shown, the branch taken or the objection opened."""

    __tablename__ = "script_step"

    id: int | None = counted_id()
    call_task_id: UUID = Field(foreign_key="call_task.id", index=True)
    agent_id: UUID = Field(foreign_key="agent.id")
    at: datetime
    node: str | None = None
    branch: str | None = None
    objection: str | None = None
