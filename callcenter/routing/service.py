"""Keep the agents' two states and the offers made to them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, cast, func, literal, update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from callcenter.domain.enums import (
    LEG_UP,
    NotReadyReason,
    Presence,
    Requirement,
    ReservationEnd,
    WorkState,
)
from callcenter.domain.ids import derived_id
from callcenter.domain.needs import Need
from callcenter.errors import Conflict, NotFound
from callcenter.models import Agent, AgentLeg, Reservation, Team
from callcenter.routing.people import add_team
from callcenter.routing.policy import MAX_EXTENSIONS, MORE_TIME, PREVIEW, SILENT_BROWSER, WRAP_UP
from callcenter.routing.queries import candidate_of
from callcenter.routing.rules import choose_agent


def add_agent(session: Session, user_id: UUID, team: str, now: datetime, address: str | None = None) -> Agent:
    """Make a user an agent of a team; one who is an agent already only changes team and telephone.

    A team that is new is made. Without an address the agent talks on the browser softphone.
    """
    if session.get(Team, team) is None:
        add_team(session, team, now)
    agent = session.get(Agent, user_id) or Agent(
        id=user_id, team=team, address="", presence_at=now, work_state_at=now
    )
    agent.team = team
    agent.address = address or agent.address or f"client:agent_{user_id.hex}"
    session.add(agent)
    session.flush()
    return agent


def lock_agent(session: Session, agent_id: UUID) -> Agent:
    """Return an agent as the database has it now, locked until the commit. Raises NotFound."""
    agent = session.exec(
        select(Agent).where(Agent.id == agent_id).with_for_update().execution_options(populate_existing=True)
    ).first()
    if agent is None:
        raise NotFound("There is no such agent.")
    return agent


def set_presence(
    agent: Agent,
    presence: Presence,
    reason: NotReadyReason | None,
    now: datetime,
    by: UUID | None = None,
    note: str = "",
) -> None:
    """Note whether the agent wants call tasks; `by` and `note` are of the supervisor who set it.

    Their work state is not theirs to change.
    """
    if presence is not Presence.NOT_READY:
        reason = None
    agent.presence_by, agent.presence_note = by, note
    if (agent.presence, agent.not_ready_reason) == (presence, reason):
        return
    if agent.presence == Presence.SIGNED_OFF and presence is not Presence.SIGNED_OFF:
        agent.signed_on_at = now
    agent.presence, agent.not_ready_reason, agent.presence_at = presence, reason, now


def set_work_state(agent: Agent, state: WorkState, now: datetime, call_task_id: UUID | None = None) -> None:
    """Note what the agent does now; wrapping starts its lease, idle forgets the call task."""
    if agent.work_state == state and state is not WorkState.IDLE:
        return
    if agent.work_state == WorkState.WRAPPING and state is WorkState.IDLE:
        agent.last_wrap_up_seconds = int((now - agent.work_state_at).total_seconds())
    agent.work_state, agent.work_state_at = state, now
    agent.call_task_id = None if state is WorkState.IDLE else call_task_id or agent.call_task_id
    agent.wrap_up_until = now + WRAP_UP if state is WorkState.WRAPPING else None
    agent.wrap_up_extensions = 0


def ask_more_time(agent: Agent, now: datetime) -> None:
    """Extend a wrap-up; each extension is counted. Raises Conflict when there is none to extend."""
    if agent.work_state != WorkState.WRAPPING or agent.wrap_up_until is None:
        raise Conflict("There is no wrap-up to extend.")
    if agent.wrap_up_extensions >= MAX_EXTENSIONS:
        raise Conflict("No more extensions. Save what you have; the note can be short.")
    agent.wrap_up_until = max(agent.wrap_up_until, now) + MORE_TIME
    agent.wrap_up_extensions += 1


def note_seen(session: Session, agent_id: UUID, now: datetime) -> Reservation | None:
    """Note that the agent's console is being looked at; a fresh offer becomes a preview.

    Returns the open reservation, if any.
    """
    agent = lock_agent(session, agent_id)
    agent.seen_at = now
    reservation = open_reservation(session, agent_id)
    if reservation and reservation.seen_at is None and reservation.expires_at > now:
        reservation.seen_at = now
        reservation.expires_at = now + PREVIEW
        set_work_state(agent, WorkState.PREVIEWING, now)
    session.flush()
    return reservation


def note_all_seen(session: Session, agent_ids: Sequence[UUID], now: datetime) -> list[UUID]:
    """Note that these consoles are looked at; return the agents, in key order, who hold an offer not seen yet.

    Who is worked on this moment is left out: their console is noted with the next beat, and nothing waits.
    """
    free = select(Agent.id).where(col(Agent.id).in_(agent_ids)).order_by(col(Agent.id))
    free = free.with_for_update(key_share=True, skip_locked=True)
    session.execute(update(Agent).where(col(Agent.id).in_(free)).values(seen_at=now))
    return sorted(
        session.exec(
            select(Reservation.agent_id)
            .where(col(Reservation.agent_id).in_(agent_ids))
            .where(col(Reservation.ended_at).is_(None))
            .where(col(Reservation.seen_at).is_(None))
        ).all()
    )


def open_reservation(session: Session, agent_id: UUID) -> Reservation | None:
    """Return the offer an agent holds; None when there is none. Lock the agent before changing it."""
    return session.exec(
        select(Reservation)
        .where(Reservation.agent_id == agent_id)
        .where(col(Reservation.ended_at).is_(None))
        .execution_options(populate_existing=True)
    ).first()


def reservation_of_task(session: Session, call_task_id: UUID) -> Reservation | None:
    """Return the open offer of a locked call task; None when there is none. Lock its agent before changing it."""
    return session.exec(
        select(Reservation)
        .where(Reservation.call_task_id == call_task_id)
        .where(col(Reservation.ended_at).is_(None))
        .execution_options(populate_existing=True)
    ).first()


def free_agent(
    session: Session,
    need: Need,
    now: datetime,
    relaxed: Collection[Requirement] = (),
    only: UUID | None = None,
    *,
    in_room: bool = False,
) -> Agent | None:
    """Claim the free agent with an open console who suits a need best; None when nobody does.

    The order is that of `rules.best_fit`. `only` this agent; `in_room`: only agents whose line is up, for a
    customer who is on the telephone already.
    """
    statement = _free(now, in_room=in_room).where(*_suits(need, relaxed))
    if only is not None:
        statement = statement.where(Agent.id == only)
    return session.exec(statement.order_by(*_best_fit(need, relaxed)).limit(1)).first()


def free_agents(session: Session, now: datetime, limit: int) -> list[Agent]:
    """Claim up to `limit` free agents whose line is up, who has been idle longest first."""
    order = (col(Agent.work_state_at), col(Agent.id))
    return list(session.exec(_free(now, in_room=True).order_by(*order).limit(limit)))


def take_agent_for(agents: list[Agent], need: Need, relaxed: Collection[Requirement] = ()) -> Agent | None:
    """Take the one who suits a need best out of these agents; None when nobody of them does."""
    found = choose_agent(need, [candidate_of(one) for one in agents], relaxed)
    if found is None:
        return None
    agent = next(one for one in agents if one.id == found.agent_id)
    agents.remove(agent)
    return agent


def _suits(need: Need, relaxed: Collection[Requirement]) -> list[Any]:
    """What an agent must meet, as conditions: the statement says what `needs.suits` says."""
    asked, found = need.without(relaxed), []
    if Requirement.LANGUAGE not in relaxed:
        found.append(literal(asked.language) == func.any(_spoken()))
    if asked.skill is not None:
        found.append(_level_in(asked.skill) >= asked.level)
    if asked.team is not None:
        found.append(col(Agent.team) == asked.team)
    return found


def _best_fit(need: Need, relaxed: Collection[Requirement]) -> list[Any]:
    """What agents are ordered by: the statement says what `rules.best_fit` says."""
    order: list[Any] = []
    if Requirement.LANGUAGE in relaxed:
        order.append((literal(need.language) == func.any(_spoken())).desc())
    if need.skill is not None:
        order.append(func.greatest(need.level - _level_in(need.skill), 0))
    if need.team is not None and Requirement.TEAM in relaxed:
        order.append((col(Agent.team) == need.team).desc())
    if need.skill is not None:
        order.append(func.greatest(_level_in(need.skill) - need.level, 0))
        order.append(col(Agent.skill_points) - _level_in(need.skill))
    else:
        order.append(col(Agent.skill_points))
    return [*order, func.cardinality(_spoken()), col(Agent.work_state_at), col(Agent.id)]


def _spoken() -> Any:
    return func.string_to_array(col(Agent.languages), ",")


def _level_in(skill: str) -> Any:
    return func.coalesce(cast(col(Agent.skills).op("->>")(skill), Integer), 0)


def _free(now: datetime, *, in_room: bool) -> SelectOfScalar[Agent]:
    statement = (
        select(Agent)
        .where(Agent.presence == Presence.AVAILABLE)
        .where(Agent.work_state == WorkState.IDLE)
        .where(col(Agent.seen_at) > now - SILENT_BROWSER)
        .with_for_update(skip_locked=True)
    )
    if in_room:
        up = select(AgentLeg.agent_id).where(col(AgentLeg.state).in_(LEG_UP))
        statement = statement.where(col(Agent.id).in_(up))
    return statement


def reserve(
    session: Session, agent: Agent, call_task_id: UUID, offer_no: int, now: datetime, why: dict[str, Any]
) -> Reservation:
    """Offer a call task to a free agent, with a lease, and keep why."""
    reservation = _reservation(agent, call_task_id, offer_no, now, why)
    session.add(reservation)
    set_work_state(agent, WorkState.RESERVED, now, call_task_id)
    session.flush()
    return reservation


def note_dialed(
    session: Session, agent: Agent, call_task_id: UUID, offer_no: int, now: datetime, why: dict[str, Any]
) -> None:
    """Note that a call task was offered to a free agent and dialed in one: they wait while it rings."""
    reservation = _reservation(agent, call_task_id, offer_no, now, why)
    end_reservation(reservation, ReservationEnd.DIALED, now)
    session.add(reservation)
    set_work_state(agent, WorkState.DIALING, now, call_task_id)


def _reservation(
    agent: Agent, call_task_id: UUID, offer_no: int, now: datetime, why: dict[str, Any]
) -> Reservation:
    return Reservation(
        id=derived_id("reservation", call_task_id, offer_no),
        call_task_id=call_task_id,
        agent_id=agent.id,
        offered_at=now,
        expires_at=now + PREVIEW,
        why=why,
    )


def end_reservation(
    reservation: Reservation, end: ReservationEnd, now: datetime, skip_reason: str | None = None
) -> None:
    """Close an offer and say how; a closed one stays as it is."""
    if reservation.ended_at is None:
        reservation.ended_at, reservation.end, reservation.skip_reason = now, end, skip_reason
