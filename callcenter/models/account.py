"""Who may sign in, and what they did. Written by accounts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from callcenter.domain.enums import Role
from callcenter.models.columns import counted_id, document, word


class User(SQLModel, table=True):
    """A person who may sign in."""

    __tablename__ = "app_user"

    id: UUID = Field(primary_key=True)
    login: str = Field(unique=True)
    name: str
    role: Role = word()
    password_hash: str
    language: str = "en"
    theme: str = "auto"
    time_zone: str = "UTC"
    is_active: bool = True
    telephone: str | None = None
    created_at: datetime


class AuditEntry(SQLModel, table=True):
    """One act of a person on a person, a call or a rule; only ever added."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_clock", "act", postgresql_where=text("act = 'clock.confirmed'")),)

    id: int | None = counted_id()
    at: datetime = Field(index=True)
    user_id: UUID | None = Field(default=None, foreign_key="app_user.id")
    act: str
    subject: str
    detail: dict[str, Any] = document()
