"""Back-tests that people asked for in the studio. Written by backtest."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from callcenter.models.columns import document


class BackTestRun(SQLModel, table=True):
    """One back-test of a version as it was written at that moment, and what it found.

    `zone` names whose days and hours count. `figures` is empty until it has ended; `error` says why there are none.
    """

    __tablename__ = "back_test_run"
    __table_args__ = (Index("ix_back_test_run_version", "rule_key", "version", "asked_at"),)

    id: UUID = Field(primary_key=True)
    rule_key: str
    version: int
    definition: dict[str, Any] = document()
    zone: str
    asked_at: datetime
    asked_by: UUID = Field(foreign_key="app_user.id")
    ended_at: datetime | None = None
    figures: dict[str, Any] = document()
    error: str | None = None
