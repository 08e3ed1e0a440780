"""Reads of what calls about a step or an error showed, and of the table the nights keep it in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session, col, select

from callcenter.learning.associations import BranchCount
from callcenter.models import WhatHelps

_CALLS = text("""
WITH spoken AS (
    SELECT DISTINCT ON (t.id) t.id, t.journey, t.step, t.facts->>'error' AS error,
           t.facts->>'error_reason' AS reason, d.causes
      FROM disposition d
      JOIN disposition_kind k ON k.code = d.kind_code AND k.reached
      JOIN contact_attempt a ON a.id = d.attempt_id
      JOIN call_task t ON t.id = a.call_task_id
     WHERE d.at >= :since AND d.at < :now
     ORDER BY t.id, d.at DESC
)
SELECT journey, step, coalesce(error, '') AS error, coalesce(reason, '') AS reason, count(*) AS calls,
       count(*) FILTER (WHERE jsonb_array_length(causes) > 0) AS with_cause,
       count(*) FILTER (WHERE causes ? 'technical') AS technical,
       count(*) FILTER (WHERE causes ? 'usability') AS usability,
       count(*) FILTER (WHERE causes ? 'product') AS product, count(*) FILTER (WHERE causes ? 'price') AS price,
       count(*) FILTER (WHERE causes ? 'trust') AS trust, count(*) FILTER (WHERE causes ? 'need') AS need
  FROM spoken GROUP BY 1, 2, 3, 4
""")
_BRANCHES = text("""
WITH taken AS (
    SELECT s.call_task_id, s.node, s.branch, min(s.at) AS at
      FROM script_step s
     WHERE s.branch IS NOT NULL AND s.objection IS NULL AND s.at >= :since AND s.at < :now
     GROUP BY 1, 2, 3
)
SELECT t.journey, t.step, coalesce(t.facts->>'error', '') AS error,
       coalesce(t.facts->>'error_reason', '') AS reason, t.script_id, x.node, x.branch,
       count(*) AS calls, count(*) FILTER (WHERE o.converted_at > x.at) AS went_on
  FROM taken x
  JOIN call_task t ON t.id = x.call_task_id
  JOIN outcome o ON o.firing_id = t.firing_id
 WHERE o.window_until <= :now AND (o.converted_at IS NULL OR o.converted_at > x.at)
   AND t.script_id IS NOT NULL AND x.node IS NOT NULL
 GROUP BY 1, 2, 3, 4, 5, 6, 7
""")
CAUSES = ("technical", "usability", "product", "price", "trust", "need")


@dataclass(frozen=True, slots=True)
class CallsAbout:
    """Calls that spoke with somebody about a step and an error with its reason ("" where there was none)."""

    journey: str
    step: str
    error: str
    reason: str
    calls: int
    with_cause: int
    causes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class BranchAbout:
    """A branch taken in calls about a step and an error with its reason; window over."""

    journey: str
    step: str
    error: str
    reason: str
    count: BranchCount


def calls_about(session: Session, since: datetime, now: datetime) -> Sequence[CallsAbout]:
    """Count calls tagged since `since` that spoke with somebody, and the causes their agents found."""
    return [
        CallsAbout(
            row.journey,
            row.step,
            row.error,
            row.reason,
            row.calls,
            row.with_cause,
            {cause: getattr(row, cause) for cause in CAUSES},
        )
        for row in session.execute(_CALLS, {"since": since, "now": now})
    ]


def branches_about(session: Session, since: datetime, now: datetime) -> Sequence[BranchAbout]:
    """Count branches taken since `since` by calls whose window is over, and the customers who then went on."""
    return [
        BranchAbout(
            row.journey,
            row.step,
            row.error,
            row.reason,
            BranchCount(row.script_id, row.node, row.branch, row.calls, row.went_on),
        )
        for row in session.execute(_BRANCHES, {"since": since, "now": now})
    ]


def what_helps(session: Session, journey: str, step: str, errors: Sequence[str]) -> WhatHelps | None:
    """Return what is known for the first of these errors that something is known of."""
    found = session.exec(
        select(WhatHelps).where(
            WhatHelps.journey == journey, WhatHelps.step == step, col(WhatHelps.error).in_(errors)
        )
    ).all()
    return min(found, key=lambda one: errors.index(one.error), default=None)


def all_what_helps(session: Session) -> Sequence[WhatHelps]:
    """Return everything that is known, most calls first."""
    order = (col(WhatHelps.journey), col(WhatHelps.calls).desc(), col(WhatHelps.step), col(WhatHelps.error))
    return session.exec(select(WhatHelps).order_by(*order)).all()
