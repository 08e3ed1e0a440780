"""Targets and points in the viewer's words: the floor's table, its files, and an agent's own progress."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from statistics import median
from urllib.parse import urlencode
from uuid import UUID

from flask_babel import gettext
from sqlmodel import Session, col, select

from callcenter.domain.quality import Measure, TargetPeriod, TargetScope
from callcenter.models import Agent, User
from callcenter.targets.queries import figures_between, is_in_use, points_now, targets_at
from callcenter.targets.rules import (
    Figures,
    days_of,
    median_of,
    points_of,
    progress_of,
    targets_for,
    together,
)
from callcenter.web.edge import zone
from callcenter.web.floor_frame import part_frame
from callcenter.web.formats import day as day_words
from callcenter.web.pages import targets as page
from callcenter.web.pages.compliance import Option
from callcenter.web.pages.own import OwnPoints, OwnTarget
from callcenter.web.pages.studio import Choice
from callcenter.web.quality_files import Cell
from callcenter.web.quality_words import MEASURES, PERIODS

EARLIEST, LATEST = date(2000, 1, 1), date(2999, 12, 31)


def report_parts(here: str) -> tuple[Choice, ...]:
    """The switch between what was done and what was to be reached."""
    return (
        Choice(gettext("Figures"), "/floor/reports", here == "figures"),
        Choice(gettext("Targets and points"), "/floor/targets", here == "targets"),
    )


def bounds_of(first: date, last: date) -> tuple[datetime, datetime]:
    """The days as moments, in the viewer's zone."""
    start = datetime.combine(first, time(), zone())
    return start, datetime.combine(last + timedelta(days=1), time(), zone())


def targets_page(
    session: Session,
    period: TargetPeriod,
    on: date,
    now: datetime,
    values: Mapping[str, str],
    error: str | None = None,
) -> page.TargetsPage:
    """Return the table of the day, week or month that a day lies in, with the forms."""
    head, tabs = part_frame("reports")
    first, last = days_of(period, on)
    points = points_now(session)
    agents = _agents(session)
    return page.TargetsPage(
        frame=head,
        tabs=tabs,
        parts=report_parts("targets"),
        periods=tuple(
            Choice(str(text), f"/floor/targets?{_query(one, on)}", one is period)
            for one, text in PERIODS.items()
        ),
        period=period.value,
        title=_title(first, last),
        earlier_href=f"/floor/targets?{_query(period, first - timedelta(days=1))}",
        later_href=f"/floor/targets?{_query(period, last + timedelta(days=1))}",
        query=_query(period, on),
        heads=tuple(str(one) for one in MEASURES.values()),
        rows=tuple(_rows(session, agents, period, first, last, now)),
        subjects=_subjects(agents),
        measures=tuple(Option(one.value, str(text)) for one, text in MEASURES.items()),
        period_choices=tuple(Option(one.value, str(text)) for one, text in PERIODS.items()),
        points={one.value: points[one] for one in Measure},
        formula=formula_of(points),
        values=values,
        error=error,
    )


def _query(period: TargetPeriod, on: date) -> str:
    return urlencode({"period": period.value, "on": min(max(on, EARLIEST), LATEST).isoformat()})


def _title(first: date, last: date) -> str:
    if first == last:
        return day_words(first)
    return gettext("%(first)s to %(last)s", first=day_words(first), last=day_words(last))


def _agents(session: Session) -> list[tuple[UUID, str, str]]:
    """Agents who may work, by team and name: (id, team, name)."""
    rows = session.exec(
        select(Agent.id, Agent.team, User.name)
        .join(User, col(User.id) == col(Agent.id))
        .where(col(User.is_active))
        .order_by(Agent.team, User.name, col(Agent.id))
    )
    return [(key, team, name) for key, team, name in rows]


def _subjects(agents: Sequence[tuple[UUID, str, str]]) -> tuple[Option, ...]:
    teams = sorted({team for _, team, _ in agents})
    each = [Option(f"member:{team}", gettext("Each agent of %(team)s", team=team)) for team in teams]
    whole = [Option(f"team:{team}", gettext("%(team)s together", team=team)) for team in teams]
    return (*each, *whole, *(Option(f"agent:{key}", name) for key, _, name in agents))


def _rows(
    session: Session,
    agents: Sequence[tuple[UUID, str, str]],
    period: TargetPeriod,
    first: date,
    last: date,
    now: datetime,
) -> Iterator[page.TargetRow]:
    """Each team together, then its agents by name: nobody is ranked."""
    since, until = bounds_of(first, last)
    had = figures_between(session, since, until, now)
    wanted = targets_at(session, period, min(now, until))
    points = points_now(session)
    for team in sorted({team for _, team, _ in agents}):
        members = [(key, name) for key, at, name in agents if at == team]
        own = {key: had.get(key, Figures()) for key, _ in members}
        yield page.TargetRow(
            label=gettext("%(team)s together", team=team),
            progress=progress_of(together(own.values()), targets_for(wanted, team=team, agent=None)),
            points=sum(points_of(one, points) for one in own.values()),
            is_team=True,
        )
        for key, name in members:
            targets = targets_for(wanted, team=team, agent=str(key))
            yield page.TargetRow(name, progress_of(own[key], targets), points_of(own[key], points))


def formula_of(points: Mapping[Measure, int]) -> str:
    """Say in words how points are counted; what is worth nothing is left out."""
    texts = {
        Measure.ATTEMPTS: gettext("attempts × %(n)s", n=points[Measure.ATTEMPTS]),
        Measure.RIGHT_PARTY: gettext("right-party contacts × %(n)s", n=points[Measure.RIGHT_PARTY]),
        Measure.VERIFIED: gettext("verified conversions × %(n)s", n=points[Measure.VERIFIED]),
        Measure.QUALITY: gettext("average quality score ÷ 100 × %(n)s", n=points[Measure.QUALITY]),
        Measure.KEPT_CALLBACKS: gettext("kept callbacks × %(n)s", n=points[Measure.KEPT_CALLBACKS]),
    }
    told = [text for measure, text in texts.items() if points[measure]]
    return gettext("Points = %(parts)s", parts=" + ".join(told) or "0")


def table_of(shown: page.TargetsPage) -> Iterator[list[Cell]]:
    """Return the table as rows of a file: each figure with its target."""
    head: list[Cell] = [gettext("Team or agent")]
    for one in shown.heads:
        head += [one, gettext("%(measure)s, target", measure=one)]
    yield [*head, gettext("Points")]
    for row in shown.rows:
        cells: list[Cell] = [row.label]
        for progress in row.progress:
            cells += [None if progress.value is None else round(progress.value, 1), progress.target]
        yield [*cells, row.points]


# -- an agent's own ----------------------------------------------------------------------------------------


def own_targets(
    session: Session, agent: Agent, now: datetime
) -> tuple[tuple[OwnTarget, ...], OwnPoints | None]:
    """Return an agent's progress with their targets of day, week and month, and their points of the week.

    Nothing before somebody has set targets or points.
    """
    if not is_in_use(session):
        return (), None
    today = now.astimezone(zone()).date()
    team = list(session.exec(select(Agent.id).where(Agent.team == agent.team)))
    points = points_now(session)
    found: list[OwnTarget] = []
    week: dict[UUID, Figures] = {}
    for period in TargetPeriod:
        wanted = targets_for(targets_at(session, period, now), team=agent.team, agent=str(agent.id))
        if not wanted and period is not TargetPeriod.WEEK:
            continue
        since, until = bounds_of(*days_of(period, today))
        had = figures_between(session, since, until, now, team)
        members = {key: had.get(key, Figures()) for key in team}
        week = members if period is TargetPeriod.WEEK else week
        found += _own(members[agent.id], list(members.values()), wanted, period)
    working = [points_of(one, points) for one in week.values() if one.attempts]
    typical = float(median(working)) if working else None
    return tuple(found), OwnPoints(points_of(week[agent.id], points), typical, formula_of(points))


def _own(
    had: Figures, team: Sequence[Figures], wanted: Mapping[Measure, int], period: TargetPeriod
) -> list[OwnTarget]:
    return [
        OwnTarget(
            label=str(MEASURES[one.measure]),
            period=str(PERIODS[period]),
            value=one.value,
            target=one.target,
            share=one.share,
            base=one.base,
            median=median_of(team, one.measure),
            is_reached=one.is_reached,
        )
        for one in progress_of(had, wanted)
        if one.target is not None
    ]


def subject_of(raw: str) -> tuple[TargetScope, str] | None:
    """Read whose target is meant, as the form sends it; None when it is nobody's."""
    scope, _, subject = raw.partition(":")
    return (TargetScope(scope), subject) if scope in set(TargetScope) and subject else None
