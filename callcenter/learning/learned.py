"""Reads of what the house learned: the runs of the night, what calls are worth, the model of who converts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.models import LearningRun, LearningStep, PropensityModel, RuleWorth

STEP_LEASE = timedelta(minutes=20)
"""A step that began longer ago and has not ended belongs to a process that has died; another takes it over."""
MAX_STARTS = 3
"""A step that took its process down with it so often is given up."""
RUN_LEASE = timedelta(hours=6)
"""A run that is open for so long will not end by itself; the next one takes its place."""


def night_of(hour: int, now: datetime) -> datetime:
    """Return the latest moment up to `now` (aware UTC) at which the clock in UTC showed `hour` sharp."""
    tonight = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return tonight if tonight <= now else tonight - timedelta(days=1)


def runs_lately(session: Session, limit: int) -> Sequence[tuple[LearningRun, Sequence[LearningStep]]]:
    """Return the latest runs, the newest first, each with its steps in order."""
    runs = session.exec(select(LearningRun).order_by(col(LearningRun.asked_at).desc()).limit(limit)).all()
    return [(run, steps_of(session, run.id)) for run in runs]


def steps_of(session: Session, run_id: UUID) -> Sequence[LearningStep]:
    """Return the steps of a run in their order, as the database has them now."""
    return session.exec(
        select(LearningStep)
        .where(LearningStep.run_id == run_id)
        .order_by(col(LearningStep.position))
        .execution_options(populate_existing=True)
    ).all()


def newest_model(session: Session) -> PropensityModel | None:
    """Return what was trained last, whether it ranks or not."""
    return session.exec(select(PropensityModel).order_by(col(PropensityModel.id).desc()).limit(1)).first()


def worth_by_rule(session: Session) -> Sequence[RuleWorth]:
    """Return what was learned of every rule, the most valuable first."""
    return session.exec(select(RuleWorth).order_by(col(RuleWorth.per_minute).desc())).all()
