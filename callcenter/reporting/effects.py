"""Counts around the effect of rules: calls lately, agents' time, calls not needed, the arms week by week."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from callcenter.domain.costs import Spent

# Each customer counts once a quarter, by the first firing: the hold-out draw is sticky for a quarter. Only what was
# drawn with the share of today counts, as in the effect itself.
_COHORT = """
WITH designed AS (
    SELECT DISTINCT ON (rule_key) rule_key, holdout_share
      FROM (SELECT rule_key, holdout_share, max(fired_at) AS last_at FROM trigger_firing
             WHERE fate IN ('task', 'held_out') GROUP BY rule_key, holdout_share) AS shares
     ORDER BY rule_key, last_at DESC
), firsts AS (
    SELECT DISTINCT ON (f.rule_key, f.customer_id, date_trunc('quarter', f.fired_at))
           f.id, f.rule_key, f.fate, f.fired_at, f.holdout_share
      FROM trigger_firing f
     WHERE f.fate IN ('task', 'held_out')
     ORDER BY f.rule_key, f.customer_id, date_trunc('quarter', f.fired_at), f.fired_at
), cohort AS (
    SELECT c.* FROM firsts c
      JOIN designed s ON s.rule_key = c.rule_key AND s.holdout_share IS NOT DISTINCT FROM c.holdout_share
)
"""
_LATELY = text("""
SELECT f.rule_key, count(*) AS fired, count(*) FILTER (WHERE f.fate = 'held_out') AS held_out,
       count(*) FILTER (WHERE t.attempts > 0) AS called
  FROM trigger_firing f LEFT JOIN call_task t ON t.firing_id = f.id
 WHERE f.fired_at >= :since AND f.fired_at <= :now
 GROUP BY f.rule_key
""")
_TIME = text(
    _COHORT  # noqa: S608 - constants only
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
    _COHORT
    + """
SELECT c.rule_key, g.currency, count(*) AS granted, sum(g.cost) AS cost
  FROM cohort c
  JOIN contact_attempt a ON a.firing_id = c.id
  JOIN offer_grant g ON g.attempt_id = a.id AND g.taken_back_at IS NULL
 GROUP BY c.rule_key, g.currency
"""
)
_WEEKS = text(
    _COHORT  # noqa: S608 - constants only
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
_AVOIDED = text("""
WITH counted AS (
    SELECT f.id, f.fate, f.suppress_reason FROM trigger_firing f
     WHERE (CAST(:since AS timestamptz) IS NULL OR f.fired_at >= :since)
       AND (CAST(:until AS timestamptz) IS NULL OR f.fired_at < :until)
       AND (NOT :has_versions OR f.rule_id = ANY(CAST(:versions AS uuid[])))
)
SELECT (SELECT count(*) FROM counted WHERE fate = 'suppressed' AND suppress_reason = 'recovered')
     + (SELECT count(*) FROM counted c JOIN call_task t ON t.firing_id = c.id
         WHERE t.state = 'canceled' AND t.cancel_reason IN ('advanced', 'recovered') AND t.attempts = 0) AS calls
""")
_SWITCHED = text("""
SELECT DISTINCT ON (e.subject) e.subject AS rule_key, e.at, u.name
  FROM audit_entry e LEFT JOIN app_user u ON u.id = e.user_id
 WHERE e.act IN ('rule.paused', 'rule.resumed', 'rule.published')
 ORDER BY e.subject, e.at DESC, e.id DESC
""")
_SCRIPTS = text("""
SELECT a.script_id, c.language, count(*) AS attempts
  FROM contact_attempt a JOIN customer c ON c.id = a.customer_id
 WHERE a.script_id IS NOT NULL GROUP BY a.script_id, c.language
""")
_SCRIPTS_OF_RULE = text("""
SELECT DISTINCT coalesce(own_terms->>'script_id', script_id) AS script_id
  FROM call_task WHERE rule_key = :rule_key AND script_id IS NOT NULL
""")


@dataclass(frozen=True, slots=True)
class Lately:
    """Firings of a rule in a span, whatever became of them; of them held out, and called at least once."""

    fired: int = 0
    held_out: int = 0
    called: int = 0


@dataclass(frozen=True, slots=True)
class WeekCounts:
    """Both arms as they stood at the end of a week, conversions up to then."""

    assigned: int
    held_out: int
    converted_assigned: int
    converted_held_out: int


def firings_lately(session: Session, since: datetime, now: datetime) -> Mapping[str, Lately]:
    """Count firings per rule from `since` until `now`."""
    rows = session.execute(_LATELY, {"since": since, "now": now})
    return {row.rule_key: Lately(row.fired, row.held_out, row.called) for row in rows}


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


def calls_avoided(
    session: Session,
    since: datetime | None = None,
    until: datetime | None = None,
    versions: Sequence[UUID] | None = None,
) -> int:
    """Count calls that were not needed: the customer had come back before anybody dialed.

    Of firings from `since` up to `until` and of the versions with these ids; None is no limit.
    """
    asked = {"since": since, "until": until, "has_versions": versions is not None}
    return int(session.execute(_AVOIDED, {**asked, "versions": list(versions or ())}).scalar_one())


def switched_by(session: Session) -> Mapping[str, tuple[datetime, str | None]]:
    """Return who last published, paused or resumed each rule, and when."""
    return {row.rule_key: (row.at, row.name) for row in session.execute(_SWITCHED)}


def attempts_per_script(session: Session) -> Mapping[tuple[str, str], int]:
    """Count attempts by script and the customer's language."""
    return {(row.script_id, row.language): row.attempts for row in session.execute(_SCRIPTS)}


def scripts_of_rule(session: Session, rule_key: str) -> frozenset[str]:
    """Return the scripts a rule's call tasks were opened with."""
    return frozenset(row.script_id for row in session.execute(_SCRIPTS_OF_RULE, {"rule_key": rule_key}))


_STILL_THERE = text(
    _COHORT
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


def still_there(session: Session, rule_key: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return who had not come back by themselves when called, and when they would have been: (there, of) each.

    Call tasks that ended otherwise before a call count for neither. Two shares that differ much say that the arms
    were not treated alike before the call.
    """
    row = session.execute(_STILL_THERE, {"rule_key": rule_key}).one()
    return (row.called, row.assigned), (row.there, row.looked_at)
