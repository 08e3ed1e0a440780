"""What the house learns at night: the runs with their steps, what rules are worth, models of who converts.

Written by learning.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from callcenter.models.columns import counted_id, document


class LearningRun(SQLModel, table=True):
    """One time that everything was learned anew: by night, or because somebody asked (`asked_by`)."""

    __tablename__ = "learning_run"
    __table_args__ = (
        Index("uq_learning_run_open", text("(true)"), unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: UUID = Field(primary_key=True)
    asked_at: datetime = Field(index=True)
    asked_by: UUID | None = Field(default=None, foreign_key="app_user.id")
    ended_at: datetime | None = None


class LearningStep(SQLModel, table=True):
    """One step of a run. `started_at` is its latest start; `summary` or `error` says how it ended."""

    __tablename__ = "learning_step"

    run_id: UUID = Field(primary_key=True, foreign_key="learning_run.id")
    name: str = Field(primary_key=True)
    position: int
    starts: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    summary: str | None = None
    error: str | None = None


class PropensityModel(SQLModel, table=True):
    """A model of who converts once called, as numbers, and how it was judged. Versions are never changed.

    `is_used` says that it ranks; `why_not` why it does not. `digest` is the hash of `parameters`.
    """

    __tablename__ = "propensity_model"

    id: int | None = counted_id()
    trained_at: datetime = Field(index=True)
    is_used: bool = False
    why_not: str | None = None
    parameters: dict[str, Any] = document()
    digest: str = ""
    card: dict[str, Any] = document()


class RuleWorth(SQLModel, table=True):
    """What a call on a rule's firing brings, as learned last: one row per rule.

    `effect` is the difference of conversion shares shrunk towards all rules, `own_effect` and
    `own_deviation` (standard error) the rule's own, None without a comparison. `minutes` are agent minutes
    per call task, `per_minute` money per agent minute, `fades_minutes` how soon half of it is gone,
    `usual` the worth that adds nothing to a priority, `reach` by how many points it may be moved either way.
    """

    __tablename__ = "rule_worth"

    rule_key: str = Field(primary_key=True)
    learned_at: datetime
    assigned: int
    held_out: int
    own_effect: float | None = None
    own_deviation: float | None = None
    effect: float
    base_rate: float
    value: float
    minutes: float
    per_minute: float
    fades_minutes: float
    usual: float | None = None
    reach: float = 0.0


class GhostTask(SQLModel, table=True):
    """The call task that a held-out firing would have become, looked at when it would have been called.

    `was_there` says that its reason still stood then; None while its time has not come.
    """

    __tablename__ = "ghost_task"
    __table_args__ = (Index("ix_ghost_task_due", "look_at", postgresql_where=text("looked_at IS NULL")),)

    firing_id: UUID = Field(primary_key=True, foreign_key="trigger_firing.id", ondelete="CASCADE")
    rule_key: str
    look_at: datetime
    looked_at: datetime | None = None
    was_there: bool | None = None
