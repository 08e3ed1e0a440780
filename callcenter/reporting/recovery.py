"""Do they come back by themselves? How long customers stay quiet on a step before their next event."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import text
from sqlmodel import Session

from callcenter.reporting.funnel import Span
from callcenter.reporting.survival import survival_at

NEWEST_EVENTS = 20_000
"""Of how many events, counted from the newest, the curves are drawn: enough, and soon found."""
QUIET_MINUTES = 1
"""A shorter pause is reading, not stopping."""
MINUTES = 60
ENOUGH = 20
"""Pauses under which no curve is drawn."""

_PAUSES = text("""
WITH newest AS (
    SELECT customer_id, journey_key, step, role, event_time, id FROM journey_event
     WHERE journey = :journey AND event_time >= :start AND event_time < :end
     ORDER BY event_time DESC LIMIT :newest
), pauses AS (
    SELECT customer_id, step, event_time AS at, lead(event_time) OVER person AS next_at,
           lead(role) OVER person AS next_role
      FROM newest WINDOW person AS (PARTITION BY customer_id, journey_key ORDER BY event_time, id)
), quiet AS (
    SELECT customer_id, step, at, CASE WHEN next_role <> 'exit' THEN next_at END AS back_at
      FROM pauses
     WHERE step IS NOT NULL AND coalesce(next_at, :end) - at >= make_interval(mins => :quiet)
), seen AS (
    SELECT q.step, extract(epoch FROM q.back_at - q.at) / 60 AS back,
           extract(epoch FROM coalesce(c.at, :end) - q.at) / 60 AS watched
      FROM quiet q
      LEFT JOIN LATERAL (
           SELECT min(a.claimed_at) AS at FROM contact_attempt a
            WHERE a.customer_id = q.customer_id AND a.claimed_at > q.at
              AND a.claimed_at < q.at + make_interval(mins => :minutes)) c ON true
)
SELECT step, least(ceil(least(back, watched)), :minutes + 1)::int AS minute,
       coalesce(back <= watched, false) AS is_back, count(*) AS pauses
  FROM seen GROUP BY 1, 2, 3
""")


@dataclass(frozen=True, slots=True)
class Pauses:
    """Pauses that ended or were last watched in the same minute since the last activity."""

    minute: int
    is_back: bool
    count: int


@dataclass(frozen=True, slots=True)
class Recovery:
    """Share back by each minute since the last activity, as (minute, share, low, high), of `pauses`."""

    points: tuple[tuple[int, float, float, float], ...]
    pauses: int

    @property
    def back_in_an_hour(self) -> float:
        """Share back after 60 minutes."""
        return self.points[-1][1]


def recovery_by_step(session: Session, journey: str, span: Span) -> Mapping[str, Recovery]:
    """Return a curve for each step with enough pauses; a customer is watched until somebody dials them."""
    bounds = {
        "journey": journey,
        "start": span.start,
        "end": span.end,
        "newest": NEWEST_EVENTS,
        "quiet": QUIET_MINUTES,
        "minutes": MINUTES,
    }
    found: dict[str, list[Pauses]] = {}
    for row in session.execute(_PAUSES, bounds):
        found.setdefault(row.step, []).append(Pauses(row.minute, row.is_back, row.pauses))
    curves = {step: recovery_of(pauses) for step, pauses in found.items()}
    return {step: curve for step, curve in curves.items() if curve.pauses >= ENOUGH}


def recovery_of(pauses: Iterable[Pauses]) -> Recovery:
    """Draw the Kaplan-Meier curve of coming back, minute by minute, with its 95 % band.

    Whoever was dialed, or is quiet still, is watched up to then and says nothing of later minutes.
    """
    rows: Sequence[Pauses] = list(pauses)
    if not rows:
        return Recovery(tuple((minute, 0.0, 0.0, 0.0) for minute in range(MINUTES + 1)), 0)
    back, watched = (
        np.repeat([row.minute for row in rows], [row.count * (row.is_back is came) for row in rows])
        for came in (True, False)
    )
    away = survival_at(range(MINUTES + 1), back, watched)
    points = zip(range(MINUTES + 1), 1 - away.share, 1 - away.high, 1 - away.low, strict=True)
    told = tuple((minute, float(share), float(low), float(high)) for minute, share, low, high in points)
    return Recovery(told, len(back) + len(watched))


def recovery_of_step(session: Session, journey: str, step: str, span: Span) -> Recovery | None:
    """Return the curve of one step; None where too few pauses are known."""
    return recovery_by_step(session, journey, span).get(step)
