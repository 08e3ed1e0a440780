"""An agent's own figures of the day, beside the team's median; read only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlmodel import Session

_LAST = text("""
SELECT a.id, a.claimed_at, a.ringing_at, a.answered_at, a.ended_at, a.result, c.name, t.step, t.journey,
       t.not_before_at, t.state AS task_state, d.counts_as AS kind_code, k.label, b.due_at AS callback_at,
       o.converted_at, o.window_until
  FROM contact_attempt a
  JOIN call_task t ON t.id = a.call_task_id
  JOIN customer c ON c.id = a.customer_id
  LEFT JOIN disposition d ON d.attempt_id = a.id
  LEFT JOIN disposition_kind k ON k.code = d.counts_as
  LEFT JOIN callback b ON b.attempt_id = a.id
  LEFT JOIN outcome o ON o.firing_id = a.firing_id
 WHERE a.agent_id = :agent AND a.ended_at IS NOT NULL AND a.claimed_at >= :since
 ORDER BY a.claimed_at DESC LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One agent's counts since a moment, and the average length of their `wrapped` wrap-ups in seconds."""

    attempts: int = 0
    reached: int = 0
    right_party: int = 0
    verified: int = 0
    wrap_up: float | None = None
    wrapped: int = 0

    def share(self, part: str) -> float | None:
        """Reached of attempts, right party of reached, verified of right party; None without a base."""
        base = {"reached": self.attempts, "right_party": self.reached, "verified": self.right_party}[part]
        return getattr(self, part) / base if base else None


@dataclass(frozen=True, slots=True)
class OwnDay:
    """An agent's day beside the team's: own figures, and every member's for the medians."""

    own: DayFigures
    team: tuple[DayFigures, ...]

    def team_median(self, part: str) -> float | None:
        """The team's median of a figure among those who have one today."""
        working = [one for one in self.team if one.attempts]
        if part in ("attempts", "wrap_up"):
            values = [getattr(one, part) for one in working]
        else:
            values = [one.share(part) for one in working]
        known = [value for value in values if value is not None]
        return float(median(known)) if known else None


def last_attempts(session: Session, agent_id: UUID, since: datetime, limit: int = 6) -> Sequence[Row[Any]]:
    """List an agent's latest ended attempts with what the customer then did, newest first."""
    return session.execute(_LAST, {"agent": agent_id, "since": since, "limit": limit}).all()


_COLLEAGUES = text("""
SELECT g.id, u.name, g.team,
       coalesce(g.presence = 'available' AND g.work_state = 'idle' AND l.state IN ('answered', 'bridged'), false)
         AS is_free
  FROM agent g JOIN app_user u ON u.id = g.id LEFT JOIN agent_leg l ON l.agent_id = g.id
 WHERE g.id <> :agent AND u.is_active AND g.presence <> 'signed_off'
 ORDER BY 4 DESC, u.name
 LIMIT 30
""")


def colleagues_of(session: Session, agent_id: UUID) -> Sequence[Row[Any]]:
    """List the agents signed on beside this one, the free ones first: to whom a call may be handed."""
    return session.execute(_COLLEAGUES, {"agent": agent_id}).all()
