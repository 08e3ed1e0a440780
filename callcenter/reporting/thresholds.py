"""From when each team's supervisor is told, as it is set."""

from collections.abc import Mapping
from datetime import timedelta

from sqlmodel import Session, select

from callcenter.domain.alerts import Thresholds
from callcenter.models import TeamThreshold


def thresholds_set(session: Session) -> Mapping[str, Thresholds]:
    """Return the thresholds of every team that has some, by team; "" are those of everybody else."""
    return {row.team: read_thresholds(row) for row in session.exec(select(TeamThreshold))}


def read_thresholds(row: TeamThreshold) -> Thresholds:
    """Return a row's thresholds."""
    return Thresholds(
        wrap_up=timedelta(seconds=row.wrap_up_seconds),
        not_ready=_minutes(row.not_ready_minutes),
        talk=_minutes(row.talk_minutes),
        overdue_tasks=row.overdue_tasks,
    )


def _minutes(value: int | None) -> timedelta | None:
    return None if value is None else timedelta(minutes=value)
