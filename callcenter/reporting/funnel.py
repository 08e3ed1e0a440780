"""Where customers stop: a journey's steps between two times, beside the same hours of earlier weeks.

Everything is counted in journey events, so imported history shows as well as what comes in live. The unit
is one customer with one journey key (one application), counted once per step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from callcenter.reporting.analyses.asked import EVERYBODY, Sample

STILL_THERE = timedelta(minutes=5)
"""Who did something on the journey so lately has not stopped."""
NEWEST_ENTRIES = 20_000
"""Of how many entries, counted from the newest, the median time is taken: enough, and soon found."""
ENOUGH = 20
"""Entries in earlier weeks under which a usual loss would be chance."""

_PEOPLE = """
WITH step AS (
    SELECT id, place FROM unnest(CAST(:steps AS text[])) WITH ORDINALITY AS s(id, place)
), span AS (
    SELECT n, f, u FROM unnest(CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]))
           WITH ORDINALITY AS w(f, u, n)
), people AS (
    SELECT w.n, e.customer_id, e.journey_key, max(s.place) AS furthest,
           bit_or(1::bigint << (s.place::int - 1)) AS entered
      FROM span w
      JOIN journey_event e ON e.journey = :journey AND e.event_time >= w.f AND e.event_time < w.u
           AND e.role = 'enter' AND e.customer_id <= :below AND e.received_at >= w.f - interval '1 hour'
      JOIN step s ON s.id = e.step
     GROUP BY w.n, e.customer_id, e.journey_key
), busy AS (
    SELECT DISTINCT w.n, e.customer_id, e.journey_key
      FROM span w
      JOIN journey_event e ON e.journey = :journey AND e.event_time >= greatest(w.f, w.u - :still)
           AND e.event_time < w.u AND e.customer_id <= :below AND e.received_at >= w.f - interval '1 hour'
)
"""
_FUNNEL = text(
    _PEOPLE
    + """
SELECT p.n, p.entered, p.furthest, count(*) AS people, count(*) FILTER (WHERE b.n IS NULL) AS gone
  FROM people p
  LEFT JOIN busy b ON b.n = p.n AND b.customer_id = p.customer_id AND b.journey_key = p.journey_key
 GROUP BY p.n, p.entered, p.furthest
"""
)
_SAW_LAST = text(
    _PEOPLE  # noqa: S608 - constants only
    + """
, gone AS (
    SELECT p.customer_id, p.journey_key FROM people p
      LEFT JOIN busy b ON b.customer_id = p.customer_id AND b.journey_key = p.journey_key
     WHERE p.furthest = :place AND b.n IS NULL
), seen AS (
    SELECT DISTINCT ON (e.customer_id, e.journey_key) e.customer_id, e.journey_key, e.name,
           coalesce(e.properties ->> 'reason', e.properties ->> 'code') AS reason
      FROM span w
      JOIN journey_event e ON e.journey = :journey AND e.event_time >= w.f AND e.event_time < w.u
           AND e.role = 'error' AND e.step = :step AND e.customer_id <= :below
           AND e.received_at >= w.f - interval '1 hour'
     ORDER BY e.customer_id, e.journey_key, e.event_time DESC, e.id DESC
)
SELECT s.name, s.reason, count(*) AS people
  FROM gone g LEFT JOIN seen s USING (customer_id, journey_key)
 GROUP BY s.name, s.reason ORDER BY count(*) DESC, s.name, s.reason
"""
)
_MEDIANS = text("""
WITH newest AS (
    SELECT customer_id, journey_key, step, event_time FROM journey_event
     WHERE journey = :journey AND role = 'enter' AND event_time >= :start AND event_time < :end
     ORDER BY event_time DESC LIMIT :newest
), firsts AS (
    SELECT customer_id, journey_key, s.place, min(event_time) AS at
      FROM newest
      JOIN unnest(CAST(:steps AS text[])) WITH ORDINALITY AS s(id, place) ON s.id = step
     GROUP BY customer_id, journey_key, s.place
), passed AS (
    SELECT place, at, lead(at) OVER (PARTITION BY customer_id, journey_key ORDER BY place) AS next_at
      FROM firsts
)
SELECT place, percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM next_at - at)) AS seconds
  FROM passed WHERE next_at > at GROUP BY place
""")
_ERRORS = text("""
SELECT DISTINCT ON (step) step, name, reason, errors, sum(errors) OVER (PARTITION BY step) AS all_errors
  FROM (SELECT e.step, e.name, coalesce(e.properties ->> 'reason', e.properties ->> 'code') AS reason,
               count(*) AS errors
          FROM journey_event e
         WHERE e.journey = :journey AND e.event_time >= :start AND e.event_time < :end AND e.role = 'error'
           AND e.customer_id <= :below AND e.received_at >= CAST(:start AS timestamptz) - interval '1 hour'
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
    session: Session,
    journey: str,
    steps: Sequence[str],
    span: Span,
    earlier: Sequence[Span] = (),
    sample: Sample = EVERYBODY,
) -> list[StepCounts]:
    """Count a journey's steps, in their order, in three queries; counts are multiplied up by the sample."""
    # Every person of five weeks is one group; the default would send them through the disk.
    session.execute(text("SET LOCAL work_mem = '64MB'"))
    rows = session.execute(_FUNNEL, _bounds(journey, steps, [span, *earlier], sample)).all()
    here = _tally([row for row in rows if row.n == 1], len(steps))
    before = _tally([row for row in rows if row.n > 1], len(steps))
    medians = _medians(session, journey, steps, span)
    errors = _top_errors(session, journey, span, sample)
    return [
        StepCounts(
            step=step,
            entered=entered * sample.times,
            lost=lost * sample.times,
            median_seconds=medians.get(place),
            usual_loss=usual_lost / usual if usual >= ENOUGH else None,
            top_error=errors.get(step),
        )
        for place, (step, (entered, lost), (usual, usual_lost)) in enumerate(
            zip(steps, here, before, strict=True), 1
        )
    ]


def losses(
    session: Session, journey: str, steps: Sequence[str], spans: Sequence[Span]
) -> list[list[tuple[int, int]]]:
    """Return (entered, lost) of each step in each span, in their orders."""
    rows = session.execute(_FUNNEL, _bounds(journey, steps, spans)).all()
    return [_tally([row for row in rows if row.n == n], len(steps)) for n in range(1, len(spans) + 1)]


def _tally(rows: Sequence[Row[Any]], places: int) -> list[tuple[int, int]]:
    """Turn people, grouped by the set of steps they entered, into (entered, lost) of each step."""
    return [
        (
            sum(row.people for row in rows if row.entered >> place & 1),
            sum(row.gone for row in rows if row.furthest == place + 1),
        )
        for place in range(places)
    ]


def _medians(session: Session, journey: str, steps: Sequence[str], span: Span) -> dict[int, float]:
    bounds = {"journey": journey, "steps": list(steps), "start": span.start, "end": span.end}
    found = session.execute(_MEDIANS, bounds | {"newest": NEWEST_ENTRIES})
    return {row.place: float(row.seconds) for row in found}


def _top_errors(session: Session, journey: str, span: Span, sample: Sample) -> dict[str, ErrorShare]:
    bounds = {"journey": journey, "start": span.start, "end": span.end, "below": sample.most}
    found = session.execute(_ERRORS, bounds)
    return {row.step: ErrorShare(row.name, row.reason, row.errors, int(row.all_errors)) for row in found}


def saw_last(
    session: Session,
    journey: str,
    steps: Sequence[str],
    step: str,
    span: Span,
    sample: Sample = EVERYBODY,
) -> list[ErrorShare]:
    """List the last error on a step of those who stopped there, most frequent first; no error is one too."""
    bounds = _bounds(journey, steps, [span], sample) | {"step": step, "place": list(steps).index(step) + 1}
    rows = session.execute(_SAW_LAST, bounds).all()
    gone = sum(row.people for row in rows)
    return [ErrorShare(row.name, row.reason, row.people * sample.times, gone * sample.times) for row in rows]


def _bounds(
    journey: str, steps: Sequence[str], spans: Sequence[Span], sample: Sample = EVERYBODY
) -> dict[str, object]:
    return {
        "below": sample.most,
        "journey": journey,
        "steps": list(steps),
        "starts": [span.start for span in spans],
        "ends": [span.end for span in spans],
        "still": STILL_THERE,
    }
