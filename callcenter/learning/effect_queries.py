"""Counts around the effect of rules: agents' time, offers granted, the arms week by week, calls not needed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import text
from sqlmodel import Session

from callcenter.domain.costs import Spent
from callcenter.learning.cohort import COHORT, IN_WINDOW
from callcenter.learning.windows import ALL_THE_TIME, Window

_TIME = text(
    COHORT  # noqa: S608 - constants only
    + """
SELECT c.rule_key, sum(t.seconds) AS seconds
  FROM cohort c
  JOIN (SELECT a.firing_id, sum(coalesce(a.talk_seconds, 0) + coalesce(d.wrap_up_seconds, 0)) AS seconds
          FROM contact_attempt a LEFT JOIN disposition d ON d.attempt_id = a.id
         GROUP BY a.firing_id) t ON t.firing_id = c.id
 GROUP BY c.rule_key
"""
)
_GRANTED = text(
    COHORT
    + """
SELECT c.rule_key, g.currency, count(*) AS granted, sum(g.cost) AS cost
  FROM cohort c
  JOIN contact_attempt a ON a.firing_id = c.id
  JOIN offer_grant g ON g.attempt_id = a.id AND g.taken_back_at IS NULL
 GROUP BY c.rule_key, g.currency
"""
)
_WEEKS = text(
    COHORT  # noqa: S608 - constants only
    + """
, mine AS (
    SELECT c.fate, c.fired_at, o.converted_at, min(c.fired_at) OVER () AS first_at
      FROM cohort c LEFT JOIN outcome o ON o.firing_id = c.id
     WHERE c.rule_key = :rule_key
)
SELECT fate, floor(extract(epoch FROM fired_at - first_at) / 604800)::int AS fired_week,
       floor(extract(epoch FROM converted_at - first_at) / 604800)::int AS converted_week,
       count(*) AS firings,
       floor(extract(epoch FROM :now - min(first_at)) / 604800)::int AS this_week
  FROM mine GROUP BY 1, 2, 3
"""
)
_AVOIDED = text(f"""
WITH counted AS (SELECT f.id, f.fate, f.suppress_reason FROM trigger_firing f WHERE {IN_WINDOW})
SELECT (SELECT count(*) FROM counted WHERE fate = 'suppressed' AND suppress_reason = 'recovered')
     + (SELECT count(*) FROM counted c JOIN call_task t ON t.firing_id = c.id
         WHERE t.state = 'canceled' AND t.cancel_reason IN ('advanced', 'recovered') AND t.attempts = 0) AS calls
""")  # noqa: S608 - constants only
_STILL_THERE = text(
    COHORT
    + """
SELECT count(*) FILTER (WHERE t.attempts > 0) AS called,
       count(*) FILTER (WHERE t.attempts > 0
             OR (t.state = 'canceled' AND t.cancel_reason IN ('advanced', 'recovered'))) AS assigned,
       count(*) FILTER (WHERE g.was_there) AS there, count(g.looked_at) AS looked_at
  FROM cohort c
  LEFT JOIN call_task t ON t.firing_id = c.id
  LEFT JOIN ghost_task g ON g.firing_id = c.id
 WHERE c.rule_key = :rule_key
"""
)


@dataclass(frozen=True, slots=True)
class WeekCounts:
    """Both arms as they stood at the end of a week, conversions up to then."""

    assigned: int
    held_out: int
    converted_assigned: int
    converted_held_out: int


def agent_seconds(session: Session) -> Mapping[str, int]:
    """Return, per rule, the seconds agents talked and wrapped up on the firings an effect is made of."""
    return {row.rule_key: int(row.seconds) for row in session.execute(_TIME)}


def spent_by_rule(session: Session) -> Mapping[str, Spent]:
    """Return, per rule, agents' time and the offers granted on the firings an effect is made of."""
    seconds = agent_seconds(session)
    granted: dict[str, int] = {}
    costs: dict[str, dict[str, Decimal]] = {}
    for row in session.execute(_GRANTED):
        granted[row.rule_key] = granted.get(row.rule_key, 0) + row.granted
        costs.setdefault(row.rule_key, {})[row.currency] = row.cost
    return {
        key: Spent(seconds.get(key, 0), granted.get(key, 0), costs.get(key, {}))
        for key in {*seconds, *granted}
    }


def counts_by_week(session: Session, rule_key: str, now: datetime) -> list[WeekCounts]:
    """Return a rule's arms at the end of each week since its first firing; the last week may be running."""
    rows = session.execute(_WEEKS, {"rule_key": rule_key, "now": now}).all()
    if not rows:
        return []

    def total(week: int, fate: str, *, converted: bool) -> int:
        return sum(
            row.firings
            for row in rows
            if row.fate == fate
            and row.fired_week <= week
            and (not converted or (row.converted_week is not None and row.converted_week <= week))
        )

    return [
        WeekCounts(
            total(week, "task", converted=False),
            total(week, "held_out", converted=False),
            total(week, "task", converted=True),
            total(week, "held_out", converted=True),
        )
        for week in range(max(row.this_week for row in rows) + 1)
    ]


def calls_avoided(session: Session, window: Window = ALL_THE_TIME) -> int:
    """Count calls that were not needed, of the firings in a window: the customer was back before anybody dialed."""
    return int(session.execute(_AVOIDED, window.parameters).scalar_one())


def still_there(session: Session, rule_key: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return who had not come back by themselves when called, and when they would have been: (there, of) each.

    Call tasks that ended otherwise before a call count for neither. Two shares that differ much say that the arms
    were not treated alike before the call.
    """
    row = session.execute(_STILL_THERE, {"rule_key": rule_key}).one()
    return (row.called, row.assigned), (row.there, row.looked_at)
