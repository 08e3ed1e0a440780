"""What agents and teams are to reach, and what it is worth: set by supervisors.

Verbs as in the pipeline, and beside it for its length: each takes a session, ids and `now`, and commits nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, select

from callcenter import outbox
from callcenter.accounts import service as accounts
from callcenter.domain.quality import Measure, TargetPeriod, TargetScope
from callcenter.errors import NotFound
from callcenter.models import Agent
from callcenter.targets import service as targets


def set_targets(
    session: Session,
    scope: TargetScope,
    subject: str,
    period: TargetPeriod,
    values: Mapping[Measure, int | None],
    user_id: UUID,
    now: datetime,
) -> int:
    """Set what somebody is to reach in each period from now on, None for nothing; return how many changed.

    Raises BadInput, and NotFound when there is no such agent or team.
    """
    _check_subject(session, scope, subject)
    changed = [
        measure
        for measure, value in values.items()
        if targets.set_target(session, scope, subject, measure, period, value, user_id, now)
    ]
    if changed:
        told = {measure.value: values[measure] for measure in changed}
        accounts.record(
            session, user_id, "target.set", f"{scope} {subject}", now, period=period.value, values=told
        )
        outbox.ring(session, outbox.FLOOR)
    return len(changed)


def _check_subject(session: Session, scope: TargetScope, subject: str) -> None:
    statement = select(Agent.id)
    if scope is TargetScope.AGENT:
        try:
            statement = statement.where(Agent.id == UUID(subject))
        except ValueError:
            raise NotFound("There is no such agent.") from None
    else:
        statement = statement.where(Agent.team == subject)
    if session.exec(statement.limit(1)).first() is None:
        raise NotFound("There is no such agent or team. Reload the page.")


def set_points(session: Session, points: Mapping[Measure, int], user_id: UUID, now: datetime) -> None:
    """Set what each measure is worth from now on. Raises BadInput."""
    targets.set_points(session, points, user_id, now)
    told = {measure.value: one for measure, one in points.items()}
    accounts.record(session, user_id, "points.set", "points", now, points=told)
