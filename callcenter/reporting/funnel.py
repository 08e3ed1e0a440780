"""Where customers stop: a journey's steps between two times, beside the same hours of earlier weeks.

Everything is counted in journey events, so imported history shows as well as what comes in live. The unit
is one customer with one journey key (one application), counted once per step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session

STILL_THERE = timedelta(minutes=5)
"""Who did something on the journey so lately has not stopped."""
ENOUGH = 20
"""Entries in earlier weeks under which a usual loss would be chance."""

_STEPS = """
WITH step AS (
    SELECT id, place FROM unnest(CAST(:steps AS text[])) WITH ORDINALITY AS s(id, place)
), span AS (
    SELECT n, f, u FROM unnest(CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]))
           WITH ORDINALITY AS w(f, u, n)
), enters AS (
    SELECT w.n, e.customer_id, e.journey_key, s.place, min(e.event_time) AS at
      FROM span w
      JOIN journey_event e ON e.journey = :journey AND e.event_time >= w.f AND e.event_time < w.u
           AND e.role = 'enter'
      JOIN step s ON s.id = e.step
     GROUP BY w.n, e.customer_id, e.journey_key, s.place
), placed AS (
    SELECT n, customer_id, journey_key, place, at,
           max(place) OVER (PARTITION BY n, customer_id, journey_key) AS furthest,
           lead(at) OVER (PARTITION BY n, customer_id, journey_key ORDER BY place) AS next_at
      FROM enters
), busy AS (
    SELECT DISTINCT w.n, e.customer_id, e.journey_key
      FROM span w
      JOIN journey_event e ON e.journey = :journey AND e.event_time >= greatest(w.f, w.u - :still)
           AND e.event_time < w.u
)
"""
_FUNNEL = text(
    _STEPS
    + """
SELECT p.n, p.place, count(*) AS entered,
       count(*) FILTER (WHERE p.place = p.furthest AND b.n IS NULL) AS lost,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM p.next_at - p.at))
           FILTER (WHERE p.next_at > p.at) AS median_seconds
  FROM placed p
  LEFT JOIN busy b ON b.n = p.n AND b.customer_id = p.customer_id AND b.journey_key = p.journey_key
 GROUP BY p.n, p.place
"""
)
_SAW_LAST = text(
    _STEPS  # noqa: S608 - constants only
    + """
, gone AS (
    SELECT p.customer_id, p.journey_key FROM placed p
      LEFT JOIN busy b ON b.customer_id = p.customer_id AND b.journey_key = p.journey_key
     WHERE p.place = p.furthest AND p.place = :place AND b.n IS NULL
), seen AS (
    SELECT DISTINCT ON (e.customer_id, e.journey_key) e.customer_id, e.journey_key, e.name,
           coalesce(e.properties ->> 'reason', e.properties ->> 'code') AS reason
      FROM span w
      JOIN journey_event e ON e.journey = :journey AND e.event_time >= w.f AND e.event_time < w.u
           AND e.role = 'error' AND e.step = :step
     ORDER BY e.customer_id, e.journey_key, e.event_time DESC, e.id DESC
)
SELECT s.name, s.reason, count(*) AS people
  FROM gone g LEFT JOIN seen s USING (customer_id, journey_key)
 GROUP BY s.name, s.reason ORDER BY count(*) DESC, s.name, s.reason
"""
)
_ERRORS = text("""
SELECT DISTINCT ON (step) step, name, reason, errors, sum(errors) OVER (PARTITION BY step) AS all_errors
  FROM (SELECT e.step, e.name, coalesce(e.properties ->> 'reason', e.properties ->> 'code') AS reason,
               count(*) AS errors
          FROM journey_event e
         WHERE e.journey = :journey AND e.event_time >= :start AND e.event_time < :end AND e.role = 'error'
         GROUP BY 1, 2, 3) found
 ORDER BY step, errors DESC, name, reason
""")


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` up to, not including, `end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class ErrorShare:
    """An error event and its reason; `count` of `of`. No name: none was seen."""

    name: str | None
    reason: str | None
    count: int
    of: int


@dataclass(frozen=True, slots=True)
class StepCounts:
    """How many entered a step in the span, and stopped there: got no further and did nothing for 5 minutes.

    `median_seconds` is the time until a later step. `usual_loss` is the share lost in the same hours of
    earlier weeks, None where too few entered then. `top_error` is the most frequent one.
    """

    step: str
    entered: int = 0
    lost: int = 0
    median_seconds: float | None = None
    usual_loss: float | None = None
    top_error: ErrorShare | None = None


def earlier_spans(span: Span, days: int) -> list[Span]:
    """Return the spans to compare with: four weeks back by the week, or one earlier span of over a week."""
    if days > 7:
        return [Span(span.start - timedelta(days=days), span.end - timedelta(days=days))]
    return [Span(span.start - timedelta(weeks=n), span.end - timedelta(weeks=n)) for n in range(1, 5)]


def step_counts(
    session: Session, journey: str, steps: Sequence[str], span: Span, earlier: Sequence[Span] = ()
) -> list[StepCounts]:
    """Count a journey's steps, in their order, in two queries."""
    rows = session.execute(_FUNNEL, _bounds(journey, steps, [span, *earlier])).all()
    now = {steps[row.place - 1]: row for row in rows if row.n == 1}
    entered: dict[str, int] = {}
    lost: dict[str, int] = {}
    for row in rows:
        if row.n > 1:
            step = steps[row.place - 1]
            entered[step] = entered.get(step, 0) + row.entered
            lost[step] = lost.get(step, 0) + row.lost
    errors = _top_errors(session, journey, span)
    return [
        StepCounts(
            step=step,
            entered=now[step].entered if step in now else 0,
            lost=now[step].lost if step in now else 0,
            median_seconds=now[step].median_seconds if step in now else None,
            usual_loss=lost[step] / entered[step] if entered.get(step, 0) >= ENOUGH else None,
            top_error=errors.get(step),
        )
        for step in steps
    ]


def _top_errors(session: Session, journey: str, span: Span) -> dict[str, ErrorShare]:
    found = session.execute(_ERRORS, {"journey": journey, "start": span.start, "end": span.end})
    return {row.step: ErrorShare(row.name, row.reason, row.errors, int(row.all_errors)) for row in found}


def saw_last(session: Session, journey: str, steps: Sequence[str], step: str, span: Span) -> list[ErrorShare]:
    """List the last error on a step of those who stopped there, most frequent first; no error is one too."""
    bounds = _bounds(journey, steps, [span]) | {"step": step, "place": list(steps).index(step) + 1}
    rows = session.execute(_SAW_LAST, bounds).all()
    gone = sum(row.people for row in rows)
    return [ErrorShare(row.name, row.reason, row.people, gone) for row in rows]


def _bounds(journey: str, steps: Sequence[str], spans: Sequence[Span]) -> dict[str, object]:
    return {
        "journey": journey,
        "steps": list(steps),
        "starts": [span.start for span in spans],
        "ends": [span.end for span in spans],
        "still": STILL_THERE,
    }
