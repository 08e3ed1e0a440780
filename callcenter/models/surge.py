"""Sudden rises of a step's traffic or loss. Written by surging."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from callcenter.domain.surges import SurgeKind
from callcenter.models.columns import counted_id, listing, word


class StepSurge(SQLModel, table=True):
    """A rise of a step against the same hour of earlier weeks, from when it was first seen until it was over.

    `count` of `of` people in the hour before `seen_at`; `usual` is people an hour for traffic, a share for a
    loss. `profile` says who they are: property, value, how many, of how many.
    """

    __tablename__ = "step_surge"
    __table_args__ = (
        Index(
            "uq_step_surge_open",
            "journey",
            "step",
            "kind",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: int | None = counted_id()
    journey: str
    step: str
    kind: SurgeKind = word()
    began_at: datetime = Field(index=True)
    seen_at: datetime
    ended_at: datetime | None = None
    count: int
    of: int
    usual: float
    profile: list[dict[str, Any]] = listing()
