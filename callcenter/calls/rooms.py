"""What is in an agent's room: what we want of it, what the carrier says it is, and the difference to settle."""

from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session

from callcenter.calls.rules import is_older
from callcenter.domain.enums import LEG_UP, AttemptState
from callcenter.domain.ports import RoomChange, RoomEvent
from callcenter.models import AgentLeg, ContactAttempt


def is_leg_up(session: Session, agent_id: UUID) -> bool:
    """Whether the agent is in their room, as far as the carrier has said."""
    leg = session.get(AgentLeg, agent_id, populate_existing=True)
    return leg is not None and AttemptState(leg.state) in LEG_UP


def note_leg_in_room(session: Session, agent_id: UUID, event: RoomEvent) -> RoomChange | None:
    """Take in what the carrier says of an agent's own leg in their room; None when it tells nothing new."""
    leg = session.get(AgentLeg, agent_id, populate_existing=True)
    if leg is None or event.ref != leg.carrier_ref:
        return None
    if is_older(leg.room_ref, leg.room_seq, event.room_ref, event.sequence):
        return None
    leg.room_ref, leg.room_seq = event.room_ref, event.sequence if event.sequence is not None else -1
    if event.muted is not None:
        leg.is_muted = event.muted
    session.flush()
    return event.change


def note_customer_in_room(attempt: ContactAttempt, agent_id: UUID, event: RoomEvent) -> None:
    """Take in what the carrier says of the customer's leg: whose room it is in, and whether it is on hold."""
    if event.change is RoomChange.JOINED and agent_id == attempt.agent_id:
        attempt.room_agent_id = agent_id  # an entry into a room they have left since is old news
    if event.change is RoomChange.LEFT and attempt.room_agent_id == agent_id:
        attempt.room_agent_id = None
        attempt.is_held = False
    elif event.held is not None and attempt.room_agent_id == agent_id:
        attempt.is_held = event.held


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to be done in the rooms of one call, each None when nothing is: the carrier's refs and the wish."""

    ref: str
    is_moved: bool
    hold: bool | None
    pause: bool | None
    leg_ref: str | None
    mute: bool | None


def wishes_of(attempt: ContactAttempt, leg: AgentLeg | None) -> Wishes | None:
    """Lay what we want beside what the carrier says; None when they agree, the call is over or has no agent."""
    if attempt.state != AttemptState.BRIDGED or attempt.carrier_ref is None or attempt.agent_id is None:
        return None
    is_moved = attempt.room_agent_id is not None and attempt.room_agent_id != attempt.agent_id
    is_up = leg is not None and AttemptState(leg.state) in LEG_UP
    hold = attempt.hold_wanted or attempt.agent_lost_at is not None
    wishes = Wishes(
        ref=attempt.carrier_ref,
        is_moved=is_moved,
        hold=hold if hold != attempt.is_held and not is_moved else None,
        pause=attempt.pause_wanted if attempt.pause_wanted != attempt.is_paused else None,
        leg_ref=leg.carrier_ref if leg and is_up else None,
        mute=leg.mute_wanted if leg and is_up and leg.mute_wanted != leg.is_muted else None,
    )
    is_anything = wishes.is_moved or (wishes.hold, wishes.pause, wishes.mute) != (None, None, None)
    return wishes if is_anything else None


def note_settled(
    session: Session, attempt: ContactAttempt, *, hold: bool | None, pause: bool | None, mute: bool | None
) -> None:
    """Write down what the carrier did of our wishes; its own word in a later event counts more."""
    if hold is not None and attempt.state != AttemptState.ENDED:
        attempt.is_held = hold
    if pause is not None:
        attempt.is_paused = pause
    leg = session.get(AgentLeg, attempt.agent_id) if attempt.agent_id else None
    if mute is not None and leg is not None:
        leg.is_muted = mute
    session.flush()
