"""Groups of customers that are worked out, and the tags agents may give. Written by segments."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Field, SQLModel

from callcenter.models.columns import document


class Segment(SQLModel, table=True):
    """A segment's definition, and what was found when it was worked out last. Its customers say they are in it.

    `is_settled`: every customer says what the last count found; `trouble` is a code, when working it out failed.
    """

    __tablename__ = "segment"

    key: str = Field(primary_key=True)
    title: dict[str, str] = document()
    definition: dict[str, Any] = document()
    created_at: datetime
    created_by: UUID = Field(foreign_key="app_user.id")
    changed_at: datetime
    ended_at: datetime | None = None
    tried_at: datetime | None = None
    computed_at: datetime | None = None
    size: int | None = None
    took_ms: int = 0
    is_settled: bool = False
    trouble: str | None = None


class AgentTag(SQLModel, table=True):
    """A tag agents may give a customer."""

    __tablename__ = "agent_tag"

    code: str = Field(primary_key=True)
    label: dict[str, str] = document()
    is_active: bool = True
    created_at: datetime
    created_by: UUID = Field(foreign_key="app_user.id")
