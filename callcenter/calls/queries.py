"""Reads of attempts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, func, select

from callcenter.calls.policy import AS_A_RULE, DAY_LISTED_AFTER, QUIET_LEG, QUIET_WATCH, LostCalls
from callcenter.calls.rules import needs_look
from callcenter.domain.enums import LEG_UP, AttemptState, CallResult
from callcenter.domain.ports import CallSnapshot
from callcenter.models import Agent, AgentLeg, CarrierDay, ContactAttempt, Incident, User, Watch


def attempts_to_look_at(
    session: Session, now: datetime, lost: LostCalls = AS_A_RULE, limit: int = 100
) -> list[ContactAttempt]:
    """List attempts that have been quiet too long, oldest news first."""
    rows = session.exec(
        select(ContactAttempt)
        .where(ContactAttempt.state != AttemptState.ENDED)
        .where(ContactAttempt.last_news_at <= now - lost.look_after)
        .order_by(col(ContactAttempt.last_news_at))
        .limit(limit)
    )
    return [a for a in rows if needs_look(AttemptState(a.state), a.last_news_at, a.claimed_at, now, lost)]


@dataclass(frozen=True, slots=True)
class DialDue:
    """A dial the carrier has not been asked for, and its agent if nothing keeps them in their room."""

    agent_to_connect: UUID | None


def dial_due(session: Session, attempt_id: UUID) -> DialDue | None:
    """Return what the job that places an attempt must know; None when it is not to be placed any more."""
    found = session.execute(
        select(ContactAttempt.agent_id, AgentLeg.state)
        .outerjoin(AgentLeg, col(AgentLeg.agent_id) == ContactAttempt.agent_id)
        .where(ContactAttempt.id == attempt_id)
        .where(ContactAttempt.state == AttemptState.CLAIMED)
    ).first()
    if found is None:
        return None
    is_up = found.state in LEG_UP
    return DialDue(None if is_up else found.agent_id)


def stray_refs(session: Session, attempt_id: UUID) -> list[str]:
    """List the carrier's calls for an attempt that should not exist."""
    incidents = session.exec(select(Incident).where(Incident.attempt_id == attempt_id))
    return [str(incident.detail["ref"]) for incident in incidents if incident.detail.get("ref")]


def refs_bound(session: Session, refs: Sequence[str]) -> set[str | None]:
    """Return which of these carrier calls belong to an attempt already."""
    return set(
        session.exec(select(ContactAttempt.carrier_ref).where(col(ContactAttempt.carrier_ref).in_(refs)))
    )


def attempt_of_ref(session: Session, ref: str | None) -> UUID | None:
    """Return the attempt a carrier's call belongs to; None when it is nobody's."""
    if ref is None:
        return None
    return session.exec(select(ContactAttempt.id).where(ContactAttempt.carrier_ref == ref)).first()


def live_attempt_id_of_agent(session: Session, agent_id: UUID) -> UUID | None:
    """Return the attempt an agent is on, unlocked; None when there is none."""
    return session.exec(
        select(ContactAttempt.id)
        .where(ContactAttempt.agent_id == agent_id)
        .where(ContactAttempt.state != AttemptState.ENDED)
        .limit(1)
    ).first()


def calls_tried(session: Session, call_task_id: UUID) -> int:
    """Return for how many attempts of a call task the carrier was not merely away."""
    statement = (
        select(func.count())
        .select_from(ContactAttempt)
        .where(ContactAttempt.call_task_id == call_task_id)
        .where(col(ContactAttempt.result).is_distinct_from(CallResult.NOT_PLACED))
    )
    return session.exec(statement).one()


def live_attempt_id_of_task(session: Session, call_task_id: UUID) -> UUID | None:
    """Return the attempt of a call task that has not ended; None when there is none."""
    return session.exec(
        select(ContactAttempt.id)
        .where(ContactAttempt.call_task_id == call_task_id)
        .where(ContactAttempt.state != AttemptState.ENDED)
    ).first()


def legs_to_look_at(session: Session, now: datetime, limit: int = 50) -> Sequence[AgentLeg]:
    """List legs nothing was heard of for long: one may have ended while we were away."""
    return session.exec(
        select(AgentLeg)
        .where(AgentLeg.state != AttemptState.ENDED)
        .where(col(AgentLeg.carrier_ref).is_not(None))
        .where(AgentLeg.last_news_at <= now - QUIET_LEG)
        .order_by(col(AgentLeg.last_news_at))
        .limit(limit)
    ).all()


def watches_to_look_at(session: Session, now: datetime, limit: int = 50) -> Sequence[Watch]:
    """List supervisors' lines that have been up, or asked for, so long that a lost word about them would show."""
    return session.exec(
        select(Watch)
        .where(col(Watch.ended_at).is_(None))
        .where(Watch.asked_at <= now - QUIET_WATCH)
        .order_by(col(Watch.asked_at))
        .limit(limit)
    ).all()


def attempts_without_agent(session: Session, before: datetime, limit: int = 50) -> Sequence[UUID]:
    """List calls whose customer has waited for a lost agent since before this moment, longest first."""
    return session.exec(
        select(ContactAttempt.id)
        .where(ContactAttempt.state != AttemptState.ENDED)
        .where(col(ContactAttempt.agent_lost_at) <= before)
        .order_by(col(ContactAttempt.agent_lost_at))
        .limit(limit)
    ).all()


def day_to_compare(session: Session, now: datetime) -> date | None:
    """Return the day that has ended and was not compared yet; None when there is none."""
    day = (now - DAY_LISTED_AFTER - timedelta(days=1)).astimezone(UTC).date()
    return day if session.get(CarrierDay, day) is None else None


def calls_unknown_to_us(session: Session, listed: Sequence[CallSnapshot]) -> list[CallSnapshot]:
    """Return the carrier's calls to customers that belong to no attempt of ours."""
    refs = [call.ref for call in listed]
    known: set[str | None] = set()
    for column in (col(ContactAttempt.carrier_ref), col(AgentLeg.carrier_ref), col(Watch.carrier_ref)):
        known |= set(session.scalars(select(column).where(column.in_(refs))))
    # A stray call that is an incident already is not found anew: a person may have resolved it.
    told = col(Incident.detail)["ref"].astext
    known |= set(session.scalars(select(told).where(told.in_(refs))))
    staff = set(session.scalars(select(col(Agent.address)))) | set(
        session.scalars(select(col(User.telephone)))
    )
    return [call for call in listed if call.is_ours and call.ref not in known and call.to not in staff]
