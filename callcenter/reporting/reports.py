"""Attempts of a period by hour, day, agent, team, rule, campaign, disposition or purpose: counts with their bases.

Occupancy comes from the agents' past states, so it is told of hours, days, agents and teams alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum

from sqlalchemy import text
from sqlmodel import Session


class ReportBy(StrEnum):
    """What the rows of a report are."""

    HOUR = "hour"
    DAY = "day"
    AGENT = "agent"
    TEAM = "team"
    RULE = "rule"
    CAMPAIGN = "campaign"
    DISPOSITION = "disposition"
    PURPOSE = "purpose"


BY_TIME = (ReportBy.HOUR, ReportBy.DAY)
_LOCAL = {ReportBy.HOUR: "HH24:00", ReportBy.DAY: "YYYY-MM-DD"}
_GROUPS: Mapping[ReportBy, str] = {
    **{by: f"to_char(a.claimed_at AT TIME ZONE :zone, '{shape}')" for by, shape in _LOCAL.items()},
    ReportBy.AGENT: "coalesce(a.agent_id::text, '')",
    ReportBy.TEAM: "coalesce(g.team, '')",
    ReportBy.RULE: "f.rule_key",
    ReportBy.CAMPAIGN: "a.campaign",
    ReportBy.DISPOSITION: "coalesce(d.counts_as, '')",
    ReportBy.PURPOSE: "a.purpose",
}
_BUSY: Mapping[ReportBy, str] = {
    **{by: f"to_char(b.at AT TIME ZONE :zone, '{shape}')" for by, shape in _LOCAL.items()},
    ReportBy.AGENT: "s.agent_id::text",
    ReportBy.TEAM: "g.team",
}
_COUNTED = """
WITH tried AS (
    SELECT {group} AS key, a.firing_id, a.claimed_at, a.bridged_at, a.result, a.talk_seconds, d.wrap_up_seconds,
           coalesce(k.reached, a.bridged_at IS NOT NULL) AS reached, coalesce(k.right_party, false) AS right_party,
           row_number() OVER (PARTITION BY a.firing_id, coalesce(k.right_party, false) ORDER BY a.claimed_at) AS nth
      FROM contact_attempt a
      JOIN trigger_firing f ON f.id = a.firing_id
      LEFT JOIN agent g ON g.id = a.agent_id
      LEFT JOIN disposition d ON d.attempt_id = a.id
      LEFT JOIN disposition_kind k ON k.code = d.counts_as
     WHERE a.claimed_at >= :since AND a.claimed_at < :until AND a.placing_at IS NOT NULL
       AND (a.result IS NULL OR a.result NOT IN ('not_placed', 'rejected'))
)
SELECT t.key, count(*) AS attempts,
       count(*) FILTER (WHERE t.reached) AS reached,
       count(*) FILTER (WHERE t.right_party) AS right_party,
       count(*) FILTER (WHERE t.right_party AND t.nth = 1 AND o.converted_at >= t.claimed_at) AS verified,
       count(t.bridged_at) AS talks, coalesce(sum(t.talk_seconds), 0) AS talk_seconds,
       count(t.wrap_up_seconds) AS wrap_ups, coalesce(sum(t.wrap_up_seconds), 0) AS wrap_up_seconds
  FROM tried t LEFT JOIN outcome o ON o.firing_id = t.firing_id
 GROUP BY t.key
"""
_OCCUPIED = """
WITH said AS (
    SELECT agent_id, at, id, presence, work_state FROM agent_state WHERE at >= :since AND at < :until
    UNION ALL
    SELECT g.id, s.at, s.id, s.presence, s.work_state
      FROM agent g CROSS JOIN LATERAL (
           SELECT * FROM agent_state b WHERE b.agent_id = g.id AND b.at < :since
            ORDER BY b.at DESC, b.id DESC LIMIT 1) s
), spans AS (
    SELECT agent_id, at AS since, presence, work_state,
           coalesce(lead(at) OVER (PARTITION BY agent_id ORDER BY at, id), :now) AS until
      FROM said
), parts AS (
    SELECT {group} AS key, s.work_state <> 'idle' AS is_busy,
           extract(epoch FROM least(s.until, b.at + CAST(:step AS interval), :until, :now)
                              - greatest(s.since, b.at)) AS seconds
      FROM spans s
     CROSS JOIN LATERAL generate_series(
           CAST(:since AS timestamptz) + floor(extract(epoch FROM greatest(s.since, :since) - :since)
                                               / extract(epoch FROM CAST(:step AS interval)))
                                         * CAST(:step AS interval),
           least(s.until, :until, :now) - interval '1 microsecond', CAST(:step AS interval)) AS b (at)
      JOIN agent g ON g.id = s.agent_id
     WHERE s.work_state <> 'idle' OR s.presence = 'available'
)
SELECT key, coalesce(sum(seconds) FILTER (WHERE is_busy AND seconds > 0), 0) AS busy,
       coalesce(sum(seconds) FILTER (WHERE seconds > 0), 0) AS available
  FROM parts GROUP BY key
"""


@dataclass(frozen=True, slots=True)
class ReportCounts:
    """What was done: attempts the carrier did not refuse; of them reached; of them right party; conversions seen.

    `talk_seconds` of so many `talks`, `wrap_up_seconds` of so many `wrap_ups`; agents were `busy_seconds` of the
    `available_seconds` they were signed on and not away.
    """

    attempts: int = 0
    reached: int = 0
    right_party: int = 0
    verified: int = 0
    talks: int = 0
    talk_seconds: int = 0
    wrap_ups: int = 0
    wrap_up_seconds: int = 0
    busy_seconds: int = 0
    available_seconds: int = 0

    def share(self, part: str, whole: str) -> float | None:
        """A part of a whole; None without a base."""
        base = getattr(self, whole)
        return getattr(self, part) / base if base else None

    def __add__(self, other: "ReportCounts") -> "ReportCounts":
        """Both together."""
        names = [field.name for field in fields(self)]
        return ReportCounts(*(getattr(self, name) + getattr(other, name) for name in names))


@dataclass(frozen=True, slots=True)
class Period:
    """From when until when, in which zone hours and days are meant, and the moment it is asked."""

    since: datetime
    until: datetime
    zone: str
    now: datetime


def report(session: Session, by: ReportBy, period: Period) -> dict[str, ReportCounts]:
    """Return a report's rows by key ("" for attempts without one), in two queries at most."""
    asked = {"since": period.since, "until": period.until, "zone": period.zone}
    asked_counts = asked if by in BY_TIME else {"since": period.since, "until": period.until}
    found = {
        row.key: ReportCounts(*(int(getattr(row, field.name)) for field in fields(ReportCounts)[:8]))
        for row in session.execute(text(_COUNTED.format(group=_GROUPS[by])), asked_counts)
    }
    if by in _BUSY:
        for key, spent in _occupied(session, by, period).items():
            found[key] = found.get(key, ReportCounts()) + spent
    return found


def _occupied(session: Session, by: ReportBy, period: Period) -> dict[str, ReportCounts]:
    whole = f"{int((period.until - period.since).total_seconds())} seconds"
    asked: dict[str, object] = {
        "since": period.since,
        "until": period.until,
        "now": period.now,
        "step": "1 hour" if by in BY_TIME else whole,
    }
    if by in BY_TIME:
        asked["zone"] = period.zone
    rows = session.execute(text(_OCCUPIED.format(group=_BUSY[by])), asked)
    return {
        row.key: ReportCounts(busy_seconds=int(row.busy), available_seconds=int(row.available))
        for row in rows
    }


def occupied(session: Session, period: Period) -> ReportCounts:
    """Return how long all agents were busy in a period, and available at all."""
    if period.until <= period.since:
        return ReportCounts()
    return total_of(list(_occupied(session, ReportBy.TEAM, period).values()))


def total_of(rows: Sequence[ReportCounts]) -> ReportCounts:
    """All rows together."""
    total = ReportCounts()
    for one in rows:
        total = total + one
    return total
