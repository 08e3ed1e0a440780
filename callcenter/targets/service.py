"""Keep targets and what is worth how many points; what counted before stays with its time."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.domain.quality import Measure, TargetPeriod, TargetScope
from callcenter.errors import BadInput
from callcenter.models import PointsScheme, WorkTarget
from callcenter.targets.rules import MOST_POINTS, problem_of


def set_target(
    session: Session,
    scope: TargetScope,
    subject: str,
    measure: Measure,
    period: TargetPeriod,
    value: int | None,
    user_id: UUID,
    now: datetime,
) -> bool:
    """Set what is to be reached from now on, or with None nothing; False where that is so already.

    Raises BadInput.
    """
    if value is not None and (problem := problem_of(measure, value)):
        raise BadInput(problem, {"value": [problem]})
    now_set = session.exec(
        select(WorkTarget)
        .where(WorkTarget.scope == scope, WorkTarget.subject == subject)
        .where(WorkTarget.measure == measure, WorkTarget.period == period)
        .where(col(WorkTarget.ended_at).is_(None))
        .with_for_update()
    ).first()
    if (now_set.value if now_set else None) == value:
        return False
    if now_set is not None:
        now_set.ended_at = now
        session.flush()
    if value is not None:
        session.add(
            WorkTarget(
                scope=scope,
                subject=subject,
                measure=measure,
                period=period,
                value=value,
                set_at=now,
                set_by=user_id,
            )
        )
        session.flush()
    return True


def set_points(session: Session, points: Mapping[Measure, int], user_id: UUID, now: datetime) -> None:
    """Set what each measure is worth from now on. Raises BadInput."""
    if any(not 0 <= one <= MOST_POINTS for one in points.values()):
        raise BadInput("Points are whole numbers from 0 to 1,000.")
    session.add(
        PointsScheme(points={key.value: one for key, one in points.items()}, set_at=now, set_by=user_id)
    )
    session.flush()
