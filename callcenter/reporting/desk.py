"""What a console shows beside its call task, read in one trip; read only.

Consoles are many and ask at every change of theirs, most of them with little on their desk: one statement says what
there is, so that lists are only asked for where they have something in them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import namedtuple_row
from sqlmodel import Session

from callcenter.ahead import in_one_trip
from callcenter.db import cursor_of
from callcenter.reporting.agents import DayFigures

_DESK = """
SELECT EXISTS (SELECT FROM reservation r
                WHERE r.agent_id = %(agent)s AND r."end" IN ('withdrawn', 'barred')
                  AND r.ended_at >= %(idle_since)s) AS was_withdrawn,
       EXISTS (SELECT FROM callback b WHERE b.agent_id = %(agent)s
                  AND (b.closed_at IS NULL OR b.lost_because IS NOT NULL AND b.noted_at IS NULL))
       OR EXISTS (SELECT FROM callback b WHERE b.agent_id IS NULL AND b.closed_at IS NULL)
       OR EXISTS (SELECT FROM callback b WHERE b.agent_id IS NULL
                     AND b.lost_because IS NOT NULL AND b.noted_at IS NULL) AS has_callbacks,
       EXISTS (SELECT FROM follow_up f WHERE f.owner_id = %(agent)s AND f.closed_at IS NULL)
       OR EXISTS (SELECT FROM follow_up f WHERE f.owner_id = %(agent)s AND f.closed_at >= %(done_since)s)
         AS has_follow_ups,
       EXISTS (SELECT FROM task_transfer x WHERE x.from_agent_id = %(agent)s AND x.noted_at IS NULL)
         AS has_handed_over,
       EXISTS (SELECT FROM review v WHERE v.agent_id = %(agent)s AND v.at >= %(reviewed_since)s) AS has_reviews,
       EXISTS (SELECT FROM target w WHERE w.ended_at IS NULL) OR EXISTS (SELECT FROM points_scheme)
         AS has_targets,
       EXISTS (SELECT FROM contact_attempt a
                WHERE a.agent_id = %(agent)s AND a.claimed_at >= %(since)s) AS has_attempts,
       EXISTS (SELECT FROM campaign) AS has_campaigns,
       (SELECT count(*) FROM agent g WHERE g.presence = 'available' AND g.work_state = 'idle') AS idle,
       (SELECT count(*) FROM agent g WHERE g.presence = 'available' AND g.work_state = 'idle'
           AND g.work_state_at <= %(idle_since)s) AS place
"""
_WAITING = """
SELECT CASE WHEN state = 'reserved' THEN 'in_preview'
            WHEN not_before_at > %(now)s THEN coalesce(why_no_call->>0, 'waits_by_rule')
            WHEN why_no_call->>0 IN ('nobody_suits', 'transfer_asked', 'handed_over') THEN why_no_call->>0
            ELSE 'no_agent' END AS why,
       count(*) AS n, min(not_before_at) AS first_at,
       min(greatest(created_at, not_before_at)) FILTER (WHERE not_before_at <= %(now)s AND state = 'pending')
         AS oldest
  FROM call_task WHERE state IN ('pending', 'reserved') GROUP BY 1 ORDER BY 2 DESC
"""
_TEAM = """
SELECT CASE WHEN work_state = 'idle' AND presence = 'not_ready' THEN 'not_ready' ELSE work_state END AS code,
       count(*) AS n
  FROM agent WHERE team = %(team)s AND NOT (presence = 'signed_off' AND work_state = 'idle') GROUP BY 1
"""
_FIGURES = """
       count(*) AS attempts,
       count(*) FILTER (WHERE coalesce(k.reached, a.bridged_at IS NOT NULL)) AS reached,
       count(*) FILTER (WHERE k.right_party) AS right_party,
       count(*) FILTER (WHERE k.right_party AND o.converted_at IS NOT NULL) AS verified,
       avg(d.wrap_up_seconds)::float AS wrap_up, count(d.attempt_id) AS wrapped
  FROM contact_attempt a
  LEFT JOIN disposition d ON d.attempt_id = a.id
  LEFT JOIN disposition_kind k ON k.code = d.counts_as
  LEFT JOIN outcome o ON o.firing_id = a.firing_id
 WHERE a.claimed_at >= %(since)s AND coalesce(a.result, '') NOT IN ('not_placed', 'rejected')
"""
_OWN_DAY = "SELECT" + _FIGURES + " AND a.agent_id = %(agent)s"
_TEAM_DAY = (
    "SELECT a.agent_id,"  # noqa: S608 - constants only
    + _FIGURES
    + " AND a.agent_id IN (SELECT id FROM agent WHERE team = %(team)s)"
    " GROUP BY a.agent_id"
)


@dataclass(frozen=True, slots=True)
class Desk:
    """What an agent's console has beside the call task, as of now.

    `waiting` counts waiting call tasks by the reason why they are not being called (`why`, `n`, `first_at`,
    `oldest`), `team` the team's signed-on agents by state (`code`, `n`). `place` counts the idle agents who have
    been so for at least as long, of all `idle` ones. `own` are the agent's figures since the day began.
    """

    was_withdrawn: bool
    has_callbacks: bool
    has_follow_ups: bool
    has_handed_over: bool
    has_reviews: bool
    has_targets: bool
    has_attempts: bool
    has_campaigns: bool
    place: int
    idle: int
    waiting: Sequence[Any]
    team: Sequence[Any]
    own: DayFigures


@dataclass(frozen=True, slots=True)
class Looker:
    """Whose desk is read, and since when what counts: the agent's work state, their day, what is done of their
    follow-ups, and reviews of their calls."""

    agent_id: UUID
    team: str
    idle_since: datetime
    day: datetime
    done_since: datetime
    reviewed_since: datetime


def desk_of(session: Session, who: Looker, now: datetime) -> Desk:
    """Read an agent's desk."""
    asked = {
        "agent": who.agent_id,
        "team": who.team,
        "idle_since": who.idle_since,
        "since": who.day,
        "done_since": who.done_since,
        "reviewed_since": who.reviewed_since,
        "now": now,
    }
    with in_one_trip(session):
        there_is, waiting, team, own = (
            _rows(session).execute(statement, asked) for statement in (_DESK, _WAITING, _TEAM, _OWN_DAY)
        )
    return Desk(
        waiting=waiting.fetchall(),
        team=team.fetchall(),
        own=DayFigures(*own.fetchall()[0]),
        **there_is.fetchall()[0]._asdict(),
    )


def _rows(session: Session) -> Cursor[Any]:
    cursor = cursor_of(session)
    cursor.row_factory = namedtuple_row
    return cursor


def team_day(session: Session, team: str, day: datetime) -> Mapping[UUID, DayFigures]:
    """Return the figures since a moment of every member of a team who has made an attempt."""
    rows = cursor_of(session).execute(_TEAM_DAY, {"team": team, "since": day})
    return {agent_id: DayFigures(*figures) for agent_id, *figures in rows}
