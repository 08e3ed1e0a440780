"""The hour of each step beside the same hour of earlier weeks, and the surges that are open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from callcenter.domain.journey import JourneyDefinition
from callcenter.domain.surges import Rise, StepHour, SurgeKind, rises
from callcenter.models import StepSurge
from callcenter.reporting.analyses.asked import Model, Question, Split
from callcenter.reporting.analyses.run import analyse
from callcenter.reporting.funnel import Span, losses

WEEKS = 4
_PROFILED = (Split.DEVICE, Split.APP_VERSION, Split.CHANNEL)


@dataclass(frozen=True, slots=True)
class SurgeNow:
    """An open surge of a step; `profile` names who they are, most first."""

    journey: str
    step: str
    kind: SurgeKind
    began_at: datetime
    count: int
    of: int
    usual: float
    profile: Sequence[Mapping[str, Any]] = ()


def surges_open(session: Session) -> list[SurgeNow]:
    """List the surges that are not over, the oldest first."""
    rows = session.exec(
        select(StepSurge).where(col(StepSurge.ended_at).is_(None)).order_by(col(StepSurge.began_at))
    )
    return [
        SurgeNow(
            one.journey,
            one.step,
            SurgeKind(one.kind),
            one.began_at,
            one.count,
            one.of,
            one.usual,
            one.profile,
        )
        for one in rows
    ]


def rises_now(session: Session, journey: JourneyDefinition, now: datetime) -> dict[str, list[Rise]]:
    """Return, for each step but the goal, how the hour up to `now` lies to the same hour of four earlier weeks."""
    hour = Span(now - timedelta(hours=1), now)
    spans = [
        hour,
        *(Span(hour.start - timedelta(weeks=n), now - timedelta(weeks=n)) for n in range(1, WEEKS + 1)),
    ]
    steps = list(journey.order)
    counted = losses(session, journey.id, steps, spans)
    hours = [[StepHour(*one) for one in each] for each in counted]
    return {
        step: rises(hours[0][place], [week[place] for week in hours[1:]])
        for place, step in enumerate(steps)
        if step != journey.goal
    }


def profile_of(
    session: Session, journey: JourneyDefinition, step: str, kind: SurgeKind, now: datetime
) -> list[dict[str, Any]]:
    """Say who the people of a surge are: of each property the value most of them have, and how many of how many."""
    part = "lost" if kind is SurgeKind.LOSS else "entered"
    told: list[dict[str, Any]] = []
    for split in _PROFILED:
        steps, start = tuple(journey.order), now - timedelta(hours=1)
        asked = Question(Model.FUNNEL, journey.id, steps, journey.goal, start, now, "UTC", split)
        lines = [one for one in analyse(session, asked).lines if one.label == step and one.group]
        of = sum(int(one.figures[part] or 0) for one in lines)
        if lines and of:
            most = max(lines, key=lambda one: (one.figures[part] or 0, one.group))
            told.append(
                {
                    "property": split.value,
                    "value": most.group,
                    "count": int(most.figures[part] or 0),
                    "of": of,
                }
            )
    return told
