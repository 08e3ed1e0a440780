"""Alerts with who has them, each team's thresholds, links for televisions. Written by alerting."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from callcenter.models.columns import counted_id


class FloorAlert(SQLModel, table=True):
    """Something that needed a person, from when it was first seen until it was over.

    `key` is its kind and subject; one is open at a time. `measure` says how bad it is in units of its kind;
    `acknowledged_measure` how bad it was when somebody took it, and past that by half it is loud again.
    """

    __tablename__ = "floor_alert"
    __table_args__ = (
        Index("uq_floor_alert_open", "key", unique=True, postgresql_where=text("cleared_at IS NULL")),
    )

    id: int | None = counted_id()
    key: str
    kind: str
    subject: str = ""
    tone: str
    measure: int = 1
    since: datetime
    raised_at: datetime = Field(index=True)
    acknowledged_at: datetime | None = None
    acknowledged_by: UUID | None = Field(default=None, foreign_key="app_user.id")
    acknowledged_measure: int | None = None
    note: str = ""
    worsened_at: datetime | None = None
    cleared_at: datetime | None = None


class TeamThreshold(SQLModel, table=True):
    """From when a team's supervisor is told; the row of the team "" counts for teams without one and the queue."""

    __tablename__ = "team_threshold"

    team: str = Field(primary_key=True)
    wrap_up_seconds: int = 180
    not_ready_minutes: int | None = None
    talk_minutes: int | None = None
    overdue_tasks: int = 1
    changed_at: datetime
    changed_by: UUID | None = Field(default=None, foreign_key="app_user.id")


class WallboardLink(SQLModel, table=True):
    """A link that shows the wallboard to whoever has it, until it ends; of its token a hash is kept."""

    __tablename__ = "wallboard_link"

    id: int | None = counted_id()
    name: str
    token_hash: str = Field(unique=True)
    hint: str
    language: str
    theme: str
    time_zone: str
    created_at: datetime
    created_by: UUID | None = Field(default=None, foreign_key="app_user.id")
    expires_at: datetime
    revoked_at: datetime | None = None
    revoked_by: UUID | None = Field(default=None, foreign_key="app_user.id")
