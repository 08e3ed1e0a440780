# ruff: noqa: S608 - statements are put together from constants; what is asked are parameters
"""Run an analysis: choose the sample, count, add shares and what is usual; and name the people behind a number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlmodel import Session

from callcenter.reporting.analyses.asked import (
    BUDGET,
    ENOUGH,
    Figure,
    Finding,
    Line,
    Model,
    Question,
    label_weeks_later,
    sample_for,
    scaled,
    shares_of,
)
from callcenter.reporting.analyses.kept import complete_since, whole_spans
from callcenter.reporting.analyses.people import events_expected, parameters
from callcenter.reporting.analyses.recipes import LATER_DAYS, RECIPES, Recipe
from callcenter.reporting.funnel import Span, earlier_spans

SHOWN_PEOPLE = 200
_NEWEST = text("""
SELECT received_at, extract(epoch FROM received_at - event_time)::float8 AS lag
  FROM journey_event WHERE received_at <= :now AND NOT historical ORDER BY received_at DESC LIMIT 100
""")


@dataclass(frozen=True, slots=True)
class Freshness:
    """When the newest event came in (None: none has), and how long after it happened events came lately,
    in seconds at the median."""

    newest_at: datetime | None
    lag_seconds: float | None


@dataclass(frozen=True, slots=True)
class Behind:
    """Which number the people are behind: a row of a group; `part` keeps the marked part of it."""

    group: str
    label: str | None
    part: bool = False


@dataclass(frozen=True, slots=True)
class PersonBehind:
    """A customer with the journey key they are counted by."""

    customer_id: UUID
    journey_key: str


def sampled(session: Session, asked: Question, spans: int = 1, budget: int = BUDGET) -> Question:
    """Return the question with the share of customers whose events may be read; `spans` are looked at alike."""
    expected = events_expected(session, asked.journey, asked.start, asked.end)
    return replace(asked, sample=sample_for(expected, budget // spans))


def analyse(session: Session, asked: Question, *, beside: int = 0, budget: int = BUDGET) -> Finding:
    """Answer a question; `beside` is how many days the window has, to lay the same hours of earlier weeks beside
    it, 0 for not. Everything stored by now counts: nothing is worked out ahead."""
    recipe = RECIPES[asked.model]
    every = earlier_spans(Span(asked.start, asked.end), beside) if beside and recipe.compared else []
    spans = whole_spans(session, every)
    asked = sampled(session, asked, 1 + len(spans), budget)
    rows = _counted(session, recipe, asked)
    usual = _usual(session, recipe, asked, spans)
    times = asked.sample.times
    lines = []
    for group, label, figures in _with_sums(asked.model, rows):
        told = shares_of(recipe.figures, scaled(recipe.figures, figures, times))
        if asked.model is Model.RETENTION:
            told = _still_to_come(told, label, asked)
        total = int(told.get("total") or 0)
        lines.append(Line(group, label, total, told, usual.get((group, label))))
    groups = int(rows[0].groups) if rows else 0
    compared = recipe.compared if spans else None
    since = complete_since(session, asked.start, asked.end)
    return Finding(asked, recipe.figures, tuple(lines), compared, groups, since, len(spans), len(every))


def spans_beside(session: Session, asked: Question, days: int) -> list[Span]:
    """Return the earlier spans a window of so many days is laid beside."""
    return whole_spans(session, earlier_spans(Span(asked.start, asked.end), days))


def _statement(recipe: Recipe, asked: Question) -> str:
    counts = ", ".join(f"{sql} AS {code}" for code, sql in recipe.counts.items())
    both = "" if not recipe.has_all else ", (grp)"
    return f"""{recipe.member(asked)}
SELECT t.grp, t.people AS total, t.groups, m.*
  FROM total t
  LEFT JOIN (SELECT grp AS of_grp, label, min(sort) AS sort, {counts} FROM member
              GROUP BY GROUPING SETS ((grp, label){both})) m ON m.of_grp = t.grp
 ORDER BY t.people DESC, t.grp, m.label IS NULL, m.sort, m.{next(iter(recipe.counts))} DESC, m.label"""


def _prepare(session: Session) -> None:
    """Let a window's events be sorted and grouped in memory and joined by hash: what the planner thinks of parts of
    a statement is far too small, and its loops would go on for many seconds."""
    for setting in ("work_mem = '64MB'", "jit = off", "enable_nestloop = off"):
        session.execute(text(f"SET LOCAL {setting}"))


def _counted(session: Session, recipe: Recipe, asked: Question) -> Sequence[Any]:
    _prepare(session)
    rows = session.execute(text(_statement(recipe, asked)), parameters(asked)).all()
    return [row for row in rows if row.of_grp is not None]


def _with_sums(model: Model, rows: Sequence[Any]) -> list[tuple[str, str | None, dict[str, float | None]]]:
    """Return (group, label, figures) of each row; intervals and paths get what all of their kind come to."""
    told: list[tuple[str, str | None, dict[str, float | None]]] = []
    alls: dict[tuple[str, object], float] = {}
    for row in rows:
        if row.label is not None:
            key = (row.grp, row.sort if model is Model.PATH else None)
            alls[key] = alls.get(key, 0) + (getattr(row, "people", 0) or 0)
    so_far: dict[str, float] = {}
    for row in rows:
        figures = {name: _number(value) for name, value in row._mapping.items() if name not in _NAMES}
        if model in (Model.INTERVAL, Model.PATH):
            key = (row.grp, row.sort if model is Model.PATH else None)
            figures["all"] = alls.get(key, 0)
            if row.label is not None:
                so_far[row.grp] = so_far.get(row.grp, 0) + (figures["people"] or 0)
            figures["so_far"] = so_far.get(row.grp, 0) if row.label is not None else figures["all"]
        told.append((row.grp, row.label, figures))
    return told


_NAMES = frozenset({"grp", "of_grp", "label", "sort", "groups"})


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _still_to_come(
    told: dict[str, float | None], label: str | None, asked: Question
) -> dict[str, float | None]:
    """Leave out days that have not begun: nobody can have been back on them."""
    if label is None:
        return told
    began = datetime.fromisoformat(label)
    last = asked.end.astimezone(ZoneInfo(asked.zone)).replace(tzinfo=None)
    for days in LATER_DAYS:
        if began + timedelta(days=days) > last:
            told[f"day_{days}"] = None
    return told


def _usual(
    session: Session, recipe: Recipe, asked: Question, spans: Sequence[Span]
) -> Mapping[tuple[str, str | None], float]:
    """Return the compared figure of each row, all earlier weeks taken together."""
    if not spans or recipe.compared is None:
        return {}
    figure = next(one for one in recipe.figures if one.code == recipe.compared)
    parts: dict[tuple[str, str | None], float] = {}
    wholes: dict[tuple[str, str | None], float] = {}
    for span in spans:
        weeks = round((asked.start - span.start) / timedelta(weeks=1))
        rows = _counted(session, recipe, replace(asked, start=span.start, end=span.end))
        for group, label, figures in _with_sums(asked.model, rows):
            key = group, label_weeks_later(label, weeks)
            parts[key] = parts.get(key, 0) + (figures.get(figure.part or figure.code) or 0)
            wholes[key] = wholes.get(key, 0) + (figures.get(figure.whole) or 0)
    return _told_usual(figure, parts, wholes, len(spans), asked.sample.times)


def _told_usual(
    figure: Figure,
    parts: Mapping[tuple[str, str | None], float],
    wholes: Mapping[tuple[str, str | None], float],
    spans: int,
    times: int,
) -> dict[tuple[str, str | None], float]:
    if figure.part:
        return {key: part / wholes[key] for key, part in parts.items() if wholes[key] >= ENOUGH}
    return {key: part / spans * times for key, part in parts.items() if part}


def people_behind(session: Session, asked: Question, behind: Behind) -> tuple[list[PersonBehind], int]:
    """List the people behind a number, the latest active first, and how many they are; sampled like the number."""
    recipe = RECIPES[asked.model]
    _prepare(session)
    label = "AND label = :label" if behind.label is not None else ""
    part = "AND part" if behind.part else ""
    statement = f"""{recipe.member(asked)}, mine AS (
    SELECT DISTINCT person FROM member WHERE grp = :grp {label} {part}
)
SELECT e.customer_id, e.journey_key, max(e.at) AS at, count(*) OVER () AS people
  FROM mine m JOIN e USING (person)
 GROUP BY e.customer_id, e.journey_key ORDER BY at DESC, e.customer_id LIMIT {SHOWN_PEOPLE}
"""
    told = parameters(asked) | {"grp": behind.group, "label": behind.label}
    rows = session.execute(text(statement), told).all()
    return [PersonBehind(row.customer_id, row.journey_key) for row in rows], rows[0].people if rows else 0


def freshness(session: Session, now: datetime) -> Freshness:
    """Return how far behind the customers the analyses are: they count whatever is stored."""
    rows = session.execute(_NEWEST, {"now": now}).all()
    if not rows:
        return Freshness(None, None)
    lags = sorted(max(0.0, row.lag) for row in rows)
    return Freshness(rows[0].received_at, lags[len(lags) // 2])
