"""Reads of agents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_
from sqlmodel import Session, col, select

from callcenter.db import cursor_of
from callcenter.domain.enums import Presence, WorkState
from callcenter.domain.needs import Able
from callcenter.models import Agent, Reservation, Skill, Team
from callcenter.routing.policy import NOTED_FOR, SILENT_BROWSER
from callcenter.routing.rules import Candidate

_NOTED = """
SELECT FROM agent g
 WHERE g.id = %s AND g.seen_at > %s
   AND NOT EXISTS (SELECT FROM reservation r
                    WHERE r.agent_id = g.id AND r.ended_at IS NULL AND r.seen_at IS NULL)
"""
_SIGNED_IN = """
WITH served AS (SELECT g.team, g.skills, g.presence <> 'signed_off' AS is_in
                  FROM agent g JOIN app_user u ON u.id = g.id AND u.is_active)
SELECT 'team', team, count(*) FILTER (WHERE is_in) FROM served GROUP BY team
UNION ALL
SELECT 'skill', k.key, count(*) FROM served CROSS JOIN LATERAL jsonb_object_keys(skills) AS k (key)
 WHERE is_in GROUP BY k.key
"""


def able_of(agent: Agent) -> Able:
    """Return what an agent brings."""
    return Able(frozenset(agent.languages.split(",")), agent.skills, agent.team)


def candidate_of(agent: Agent) -> Candidate:
    """Return a free agent as the routing rule knows them."""
    return Candidate(agent.id, able_of(agent), agent.work_state_at)


def agents_free(session: Session, now: datetime) -> Sequence[Agent]:
    """List agents a call task could be offered to, longest idle first."""
    return session.exec(
        select(Agent)
        .where(Agent.presence == Presence.AVAILABLE)
        .where(Agent.work_state == WorkState.IDLE)
        .where(col(Agent.seen_at) > now - SILENT_BROWSER)
        .order_by(col(Agent.work_state_at))
    ).all()


def agents_available(session: Session) -> Sequence[UUID]:
    """List the agents a call task could be offered to, whether or not their console is open."""
    return session.exec(
        select(Agent.id).where(Agent.presence == Presence.AVAILABLE).where(Agent.work_state == WorkState.IDLE)
    ).all()


@dataclass(frozen=True, slots=True)
class SignedIn:
    """How many agents are signed in, by team, those with nobody in too, and by the skill they have."""

    of_team: Mapping[str, int]
    of_skill: Mapping[str, int]


def signed_in(session: Session) -> SignedIn:
    """Count who is signed in, of those who may sign in; counted by the database, for a floor has thousands."""
    found: dict[str, dict[str, int]] = {"team": {}, "skill": {}}
    for kind, key, many in cursor_of(session).execute(_SIGNED_IN):
        found[kind][key] = many
    return SignedIn(found["team"], found["skill"])


def signed_on(session: Session, now: datetime) -> list[Able]:
    """Return what those bring who are signed on with an open console, busy or not."""
    found = session.exec(
        select(Agent)
        .where(Agent.presence != Presence.SIGNED_OFF)
        .where(col(Agent.seen_at) > now - SILENT_BROWSER)
    )
    return [able_of(one) for one in found]


def teams(session: Session) -> Sequence[Team]:
    """List the teams by name."""
    return session.exec(select(Team).order_by(col(Team.name))).all()


def skills(session: Session) -> Sequence[Skill]:
    """List the skills by name, those that are off last."""
    return session.exec(select(Skill).order_by(col(Skill.is_active).desc(), col(Skill.name))).all()


def is_anybody_skilled(session: Session) -> bool:
    """Whether any agent has been given a skill."""
    return session.exec(select(Agent.id).where(Agent.skill_points > 0).limit(1)).first() is not None


def agents_idle(session: Session, now: datetime) -> Sequence[UUID]:
    """List agents a call task could be offered to, longest idle first."""
    return session.exec(
        select(Agent.id)
        .where(Agent.presence == Presence.AVAILABLE)
        .where(Agent.work_state == WorkState.IDLE)
        .where(col(Agent.seen_at) > now - SILENT_BROWSER)
        .order_by(col(Agent.work_state_at))
    ).all()


def reservations_expired(session: Session, now: datetime, limit: int = 100) -> Sequence[Reservation]:
    """List offers whose lease has run out (unlocked; lock customer, task and agent before acting)."""
    return session.exec(
        select(Reservation)
        .where(col(Reservation.ended_at).is_(None))
        .where(Reservation.expires_at <= now)
        .order_by(col(Reservation.expires_at))
        .limit(limit)
    ).all()


def has_been_noted(session: Session, agent_id: UUID, now: datetime) -> bool:
    """Whether an agent's console was noted as open a moment ago and no offer waits to be seen: nothing to note."""
    return cursor_of(session).execute(_NOTED, (agent_id, now - NOTED_FOR)).fetchone() is not None


def agents_away(session: Session, now: datetime, limit: int = 100) -> Sequence[UUID]:
    """List agents who count as available or in an overdue wrap-up, and whose console nobody has open."""
    silent = or_(col(Agent.seen_at).is_(None), col(Agent.seen_at) <= now - SILENT_BROWSER)
    idle = and_(col(Agent.presence) == Presence.AVAILABLE, col(Agent.work_state) == WorkState.IDLE)
    overdue = and_(col(Agent.work_state) == WorkState.WRAPPING, col(Agent.wrap_up_until) <= now)
    return session.exec(select(Agent.id).where(silent).where(or_(idle, overdue)).limit(limit)).all()
