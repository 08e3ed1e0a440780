"""Targets in force, points, and what agents have done in a period; read only."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, or_, select

from callcenter.domain.quality import Measure, TargetPeriod, TargetScope
from callcenter.models import PointsScheme, WorkTarget
from callcenter.targets.rules import POINTS_AT_FIRST, Figures, TargetSet

SHORTEST_CONTACT_SECONDS = 5
"""A tag of right party counts only where the telephone shows a talk that long."""
EARLY_MINUTES, LATE_MINUTES = 15, 30
"""A callback is kept by a dial from so long before until so long after the time promised."""

_WORK = text("""
WITH tried AS (
    SELECT a.agent_id, a.firing_id, a.claimed_at,
           coalesce(k.right_party, false) AND a.bridged_at IS NOT NULL
             AND coalesce(a.talk_seconds, 0) >= :shortest AS right_party
      FROM contact_attempt a
      LEFT JOIN disposition d ON d.attempt_id = a.id
      LEFT JOIN disposition_kind k ON k.code = d.counts_as
     WHERE a.claimed_at >= :since AND a.claimed_at < :until AND a.placing_at IS NOT NULL
       AND a.agent_id IS NOT NULL AND (:everybody OR a.agent_id = ANY(CAST(:agents AS uuid[])))
       AND (a.result IS NULL OR a.result NOT IN ('not_placed', 'rejected'))
)
SELECT c.agent_id, count(*) AS attempts, count(*) FILTER (WHERE c.right_party) AS right_party,
       count(*) FILTER (WHERE c.right_party AND o.converted_at >= c.claimed_at AND NOT EXISTS (
           SELECT FROM contact_attempt b
             JOIN disposition e ON e.attempt_id = b.id JOIN disposition_kind m ON m.code = e.counts_as
            WHERE b.firing_id = c.firing_id AND b.claimed_at < c.claimed_at AND m.right_party
              AND b.bridged_at IS NOT NULL AND coalesce(b.talk_seconds, 0) >= :shortest)) AS verified
  FROM tried c LEFT JOIN outcome o ON o.firing_id = c.firing_id
 GROUP BY c.agent_id
""")
_SCORES = text("""
SELECT DISTINCT ON (attempt_id) attempt_id, agent_id, score FROM review
 WHERE at >= :since AND at < :until AND (:everybody OR agent_id = ANY(CAST(:agents AS uuid[])))
 ORDER BY attempt_id, seq DESC
""")
_CALLBACKS = text("""
SELECT b.agent_id, count(*) AS due,
       count(*) FILTER (WHERE EXISTS (
           SELECT FROM contact_attempt a
            WHERE a.call_task_id = b.call_task_id AND a.agent_id = b.agent_id
              AND a.claimed_at >= b.due_at - make_interval(mins => :early)
              AND a.claimed_at <= b.due_at + make_interval(mins => :late))) AS kept
  FROM callback b
 WHERE b.agent_id IS NOT NULL AND (:everybody OR b.agent_id = ANY(CAST(:agents AS uuid[])))
   AND b.due_at >= :since AND b.due_at < :until AND b.due_at <= :now
   AND (b.lost_because IS NULL OR b.lost_because = 'expired')
 GROUP BY b.agent_id
""")


def figures_between(
    session: Session,
    since: datetime,
    until: datetime,
    now: datetime,
    agents: Collection[UUID] | None = None,
) -> dict[UUID, Figures]:
    """Return what each agent, or each of `agents`, has done from `since` until `until`, in three queries.

    Attempts count where they were made, reviews where they were written, callbacks where they were due; one that
    died because the customer went on or asked for it counts neither as kept nor as due.
    """
    bounds: dict[str, Any] = {
        "since": since,
        "until": until,
        "everybody": agents is None,
        "agents": list(agents or ()),
    }
    found: dict[UUID, dict[str, int]] = {}
    for row in session.execute(_WORK, {**bounds, "shortest": SHORTEST_CONTACT_SECONDS}):
        found[row.agent_id] = {
            "attempts": row.attempts,
            "right_party": row.right_party,
            "verified": row.verified,
        }
    for row in session.execute(_SCORES, bounds):
        own = found.setdefault(row.agent_id, {})
        own["scores"] = own.get("scores", 0) + row.score
        own["reviews"] = own.get("reviews", 0) + 1
    asked = {**bounds, "now": now, "early": EARLY_MINUTES, "late": LATE_MINUTES}
    for row in session.execute(_CALLBACKS, asked):
        own = found.setdefault(row.agent_id, {})
        own["kept_callbacks"], own["due_callbacks"] = row.kept, row.due
    return {agent: Figures(**own) for agent, own in found.items()}


def targets_at(session: Session, period: TargetPeriod, at: datetime) -> list[TargetSet]:
    """Return the targets that were in force at a moment, for days, weeks or months."""
    rows = session.exec(
        select(WorkTarget)
        .where(WorkTarget.period == period, col(WorkTarget.set_at) <= at)
        .where(or_(col(WorkTarget.ended_at).is_(None), col(WorkTarget.ended_at) > at))
        .order_by(col(WorkTarget.id))
    )
    return [TargetSet(TargetScope(r.scope), r.subject, Measure(r.measure), r.value) for r in rows]


def is_in_use(session: Session) -> bool:
    """Whether anybody has set a target or points: until then nobody is shown any."""
    found = session.exec(select(WorkTarget.id).where(col(WorkTarget.ended_at).is_(None)).limit(1)).first()
    return found is not None or session.exec(select(PointsScheme.id).limit(1)).first() is not None


def points_now(session: Session) -> Mapping[Measure, int]:
    """Return what each measure is worth now."""
    row = session.exec(select(PointsScheme).order_by(col(PointsScheme.id).desc()).limit(1)).first()
    if row is None:
        return POINTS_AT_FIRST
    return {one: int(row.points.get(one.value, 0)) for one in Measure}
