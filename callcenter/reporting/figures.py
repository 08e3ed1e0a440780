"""Today's figures of the floor: attempts, reach, conversions, speed to call; abandonment over 30 days.

Counts and their denominators, never a bare rate. Occupancy is not among them: reports tell it from the agents'
past states.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import TextClause, text
from sqlmodel import Session

ABANDONMENT_DAYS = 30
ABANDONMENT_BUDGET = 0.03
"""Share of live answers that may meet no agent, over 30 days (safe harbour of 16 CFR 310.4(b)(4)(i))."""

_DAY = """
WITH tried AS (
    SELECT a.firing_id, a.claimed_at,
           floor(extract(epoch FROM a.claimed_at - :day) / 3600)::int AS hour,
           coalesce(k.reached, a.bridged_at IS NOT NULL) AS reached,
           coalesce(k.right_party, false) AS right_party,
           row_number() OVER (PARTITION BY a.firing_id, coalesce(k.right_party, false)
                              ORDER BY a.claimed_at) AS nth
      FROM contact_attempt a
      LEFT JOIN disposition d ON d.attempt_id = a.id
      LEFT JOIN disposition_kind k ON k.code = d.counts_as
     WHERE a.claimed_at >= :day AND a.claimed_at <= :now AND a.placing_at IS NOT NULL{of}
       AND (a.result IS NULL OR a.result NOT IN ('not_placed', 'rejected'))
)
SELECT t.hour, count(*) AS attempts,
       count(*) FILTER (WHERE t.reached) AS reached,
       count(*) FILTER (WHERE t.right_party) AS right_party,
       count(*) FILTER (WHERE t.right_party AND t.nth = 1 AND o.converted_at >= t.claimed_at) AS verified
  FROM tried t LEFT JOIN outcome o ON o.firing_id = t.firing_id
 GROUP BY t.hour ORDER BY t.hour
"""

_SPEED = """
WITH rung AS (
    SELECT floor(extract(epoch FROM a.ringing_at - :day) / 3600)::int AS hour, t.promise_seconds,
           greatest(0, extract(epoch FROM a.ringing_at - greatest(f.fired_at, gate.allowed_at))) AS waited
      FROM contact_attempt a
      JOIN trigger_firing f ON f.id = a.firing_id
      JOIN call_task t ON t.id = a.call_task_id
      LEFT JOIN LATERAL (
           SELECT max(s.next_allowed_at) AS allowed_at FROM screening_decision s
            WHERE s.customer_id = a.customer_id AND s.asked_at < a.ringing_at
              AND (s.firing_id = f.id OR s.call_task_id = t.id)) gate ON true
     WHERE a.claimed_at >= :day AND a.claimed_at <= :now AND a.ringing_at IS NOT NULL{of}
       AND NOT EXISTS (SELECT 1 FROM contact_attempt b
                        WHERE b.firing_id = a.firing_id AND b.ringing_at < a.ringing_at)
)
SELECT hour, count(*) AS rings, count(*) FILTER (WHERE waited > promise_seconds) AS late,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY waited) AS p50,
       percentile_cont(0.9) WITHIN GROUP (ORDER BY waited) AS p90,
       min(promise_seconds) AS least_promise, max(promise_seconds) AS most_promise
  FROM rung GROUP BY GROUPING SETS ((), (hour)) ORDER BY hour NULLS FIRST
"""

_ABANDONED = """
SELECT count(*) FILTER (WHERE result = 'abandoned') AS abandoned, count(*) AS live_answers,
       max(ended_at) FILTER (WHERE result = 'abandoned') AS last_at
  FROM contact_attempt a
 WHERE claimed_at >= :since AND claimed_at <= :now AND answered_at IS NOT NULL{of}
   AND result IS DISTINCT FROM 'machine'
"""


@dataclass(frozen=True, slots=True)
class HourCounts:
    """Counts of one hour of the day, or of the whole day.

    `attempts` the carrier was asked for and did not refuse; of them `reached` spoke with an agent (the
    disposition says so, or nobody has tagged the attempt and it was bridged); of them `right_party`;
    `verified` are firings with a right-party contact whose goal was then seen in journey events.
    """

    attempts: int = 0
    reached: int = 0
    right_party: int = 0
    verified: int = 0


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds to the first ring of a firing, from its firing or, where the gate had it wait, from then on.

    `late` rang after the promise of their rule; `promise_seconds` is None where promises differ.
    `p90_by_hour` holds the hours with a ring, oldest first.
    """

    rings: int = 0
    late: int = 0
    p50: float | None = None
    p90: float | None = None
    promise_seconds: int | None = None
    p90_by_hour: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Abandonment:
    """Customers who answered in the last 30 days, and those of them who met no agent."""

    abandoned: int
    live_answers: int
    last_at: datetime | None = None

    @property
    def rate(self) -> float | None:
        """Share of live answers; None without one."""
        return self.abandoned / self.live_answers if self.live_answers else None


@dataclass(frozen=True, slots=True)
class FloorDay:
    """Everything the strip shows of a day, and the hours it is made of (0 is the day's first hour)."""

    total: HourCounts
    by_hour: Mapping[int, HourCounts]
    speed: Speed
    abandonment: Abandonment


def floor_day(session: Session, day_from: datetime, now: datetime, campaign: str | None = None) -> FloorDay:
    """Return the figures from `day_from` (the viewer's midnight) until `now`, in three queries; of one campaign
    only where one is given."""
    bounds: dict[str, Any] = {"day": day_from, "now": now} | ({"campaign": campaign} if campaign else {})
    hours = {
        row.hour: HourCounts(row.attempts, row.reached, row.right_party, row.verified)
        for row in session.execute(_of(_DAY, campaign), bounds)
    }
    total = HourCounts(
        *(
            sum(getattr(hour, name) for hour in hours.values())
            for name in ("attempts", "reached", "right_party", "verified")
        )
    )
    since = now - timedelta(days=ABANDONMENT_DAYS)
    lost = session.execute(_of(_ABANDONED, campaign), {**bounds, "since": since}).one()
    abandonment = Abandonment(lost.abandoned, lost.live_answers, lost.last_at)
    return FloorDay(total, hours, _speed(session, bounds, campaign), abandonment)


def _of(statement: str, campaign: str | None) -> TextClause:
    return text(statement.replace("{of}", " AND a.campaign = :campaign" if campaign else ""))


def _speed(session: Session, bounds: Mapping[str, Any], campaign: str | None) -> Speed:
    whole, *hours = session.execute(_of(_SPEED, campaign), bounds).all()
    if not whole.rings:
        return Speed()
    same = whole.least_promise == whole.most_promise
    return Speed(
        rings=whole.rings,
        late=whole.late,
        p50=float(whole.p50),
        p90=float(whole.p90),
        promise_seconds=whole.least_promise if same else None,
        p90_by_hour=tuple(float(row.p90) for row in hours),
    )
