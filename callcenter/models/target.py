"""What agents and teams are to reach, and what is worth how many points. Written by targets."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from callcenter.domain.quality import Measure, TargetPeriod, TargetScope
from callcenter.models.columns import counted_id, document, word


class WorkTarget(SQLModel, table=True):
    """A figure to be reached in each day, week or month, from `set_at` until `ended_at`.

    `subject` is a team's name, or an agent's id where the scope is one agent. `value` is in the measure's unit:
    a count, or for quality a score from 0 to 100.
    """

    __tablename__ = "target"
    __table_args__ = (
        Index(
            "uq_target_in_force",
            "scope",
            "subject",
            "measure",
            "period",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: int | None = counted_id()
    scope: TargetScope = word()
    subject: str
    measure: Measure = word()
    period: TargetPeriod = word()
    value: int
    set_at: datetime
    set_by: UUID = Field(foreign_key="app_user.id")
    ended_at: datetime | None = None


class PointsScheme(SQLModel, table=True):
    """How many points each measure is worth, from `set_at` on; the newest row counts."""

    __tablename__ = "points_scheme"

    id: int | None = counted_id()
    points: dict[str, int] = document()
    set_at: datetime
    set_by: UUID = Field(foreign_key="app_user.id")
