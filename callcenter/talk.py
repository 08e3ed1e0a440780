"""While people are on the line: rooms, hold, mute, transfer, an agent whose line drops, supervisors who listen.

Verbs as in the pipeline, and beside it for its length: each takes a session, ids or frozen values and `now`,
and commits nothing. What a room shall be is written down here; a job settles it with the carrier, and what the
carrier then says is what the screens show.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from callcenter import moves, outbox
from callcenter.accounts import service as accounts
from callcenter.calls import legs, rooms, watches
from callcenter.calls import queries as call_queries
from callcenter.calls import service as calls
from callcenter.calls.policy import AGENT_BACK_WITHIN
from callcenter.calltasks import queries as task_queries
from callcenter.dialing import queries as dialing
from callcenter.domain.enums import (
    LEG_UP,
    AnsweredBy,
    AttemptState,
    NotReadyReason,
    OutboxKind,
    Presence,
    SupervisorMode,
    WorkState,
)
from callcenter.domain.needs import EVERYTHING
from callcenter.domain.ports import (
    Answer,
    HangUp,
    JoinRoom,
    MachineHeard,
    RecordingEvent,
    RoomChange,
    RoomEvent,
    RoomRole,
)
from callcenter.errors import Conflict, Forbidden, NotFound
from callcenter.models import Agent, AgentLeg, CallTask, ContactAttempt, Customer, User, Watch
from callcenter.moves import room_of
from callcenter.routing import hands
from callcenter.routing import service as routing
from callcenter.routing.rules import may_be_offered

# -- the agent's own line -----------------------------------------------------------------------------------


def begin_connecting(session: Session, agent_id: UUID, now: datetime) -> str | None:
    """Take the permission to call an agent into their room; returns the address, None when they are in it."""
    agent = routing.lock_agent(session, agent_id)
    return agent.address if legs.begin(session, agent_id, agent.address, now) else None


def note_agent_leg(session: Session, agent_id: UUID, ref: str, state: AttemptState, now: datetime) -> None:
    """Take in what the carrier says of the call that keeps an agent in their room."""
    attempt = _lock_agent_and_call(session, agent_id)
    was_up = rooms.is_leg_up(session, agent_id)
    if legs.note(session, agent_id, ref, state, now):
        if state in LEG_UP:
            _agent_is_back(session, attempt, now)
        elif state is AttemptState.ENDED:
            _agent_is_lost(session, agent_id, attempt, now, was_up=was_up)
    outbox.ring(session, outbox.agent_channel(agent_id), outbox.FLOOR)


def note_leg_refused(session: Session, agent_id: UUID, now: datetime) -> None:
    """Note that the carrier did not take the call to an agent."""
    routing.lock_agent(session, agent_id)
    legs.give_up(session, agent_id, now)
    outbox.ring(session, outbox.agent_channel(agent_id))


def note_room_event(session: Session, agent_id: UUID, event: RoomEvent, now: datetime) -> bool:
    """Take in, once, what the carrier says happened in an agent's room; False when it was here before."""
    if session.get(Agent, agent_id) is None or not calls.keep_in_inbox(session, agent_id, event, now):
        return False
    attempt_id = call_queries.attempt_of_ref(session, event.ref)
    if attempt_id is not None:
        attempt = moves.lock_call(session, attempt_id)
        rooms.note_customer_in_room(attempt, agent_id, event)
        if event.change is RoomChange.JOINED and rooms.wishes_of(attempt, _leg_of(session, attempt)):
            outbox.hand_over_once(session, OutboxKind.SETTLE_CALL, attempt.id, now)
    else:
        own = _lock_agent_and_call(session, agent_id)
        watch = watches.watch_of_ref(session, agent_id, event.ref)
        if watch is not None:
            watches.note_in_room(watch, event, now)
            _settle_watch(session, watch, now)
        else:
            change = rooms.note_leg_in_room(session, agent_id, event)
            if change is RoomChange.JOINED:
                _agent_is_back(session, own, now)
            elif change is RoomChange.LEFT:
                _agent_is_lost(session, agent_id, own, now, was_up=True)
    outbox.ring(session, outbox.agent_channel(agent_id), outbox.FLOOR)
    return True


def ask_for_line(session: Session, agent_id: UUID, now: datetime) -> None:
    """Call an available agent who has no line into their room: their telephone has only just become one."""
    agent = routing.lock_agent(session, agent_id)
    if agent.presence == Presence.AVAILABLE and legs.needs_connecting(session, agent_id):
        outbox.hand_over_once(session, OutboxKind.CONNECT_AGENT, agent_id, now)


def _leg_of(session: Session, attempt: ContactAttempt) -> AgentLeg | None:
    return session.get(AgentLeg, attempt.agent_id, populate_existing=True) if attempt.agent_id else None


def _lock_agent_and_call(session: Session, agent_id: UUID) -> ContactAttempt | None:
    """Lock an agent with the call they are on, in the house's order; None when they are on none."""
    attempt_id = call_queries.live_attempt_id_of_agent(session, agent_id)
    if attempt_id is not None:
        attempt = moves.lock_call(session, attempt_id)
        if attempt.agent_id == agent_id and attempt.state != AttemptState.ENDED:
            return attempt
    routing.lock_agent(session, agent_id)
    return None


def _agent_is_lost(
    session: Session, agent_id: UUID, attempt: ContactAttempt | None, now: datetime, *, was_up: bool
) -> None:
    """Hold the customer of a dropped agent and call the agent back; an idle one takes no call tasks for now."""
    if attempt is not None:
        if attempt.state == AttemptState.BRIDGED and attempt.agent_lost_at is None:
            attempt.agent_lost_at = now
            outbox.hand_over(session, OutboxKind.SETTLE_CALL, attempt.id, now)
            outbox.hand_over(session, OutboxKind.CONNECT_AGENT, agent_id, now)
        return
    agent = routing.lock_agent(session, agent_id)
    if was_up and agent.presence == Presence.AVAILABLE and agent.work_state == WorkState.IDLE:
        routing.set_presence(agent, Presence.NOT_READY, NotReadyReason.AWAY, now)


def _agent_is_back(session: Session, attempt: ContactAttempt | None, now: datetime) -> None:
    if attempt is not None and attempt.agent_lost_at is not None:
        attempt.agent_lost_at = None
        outbox.hand_over(session, OutboxKind.SETTLE_CALL, attempt.id, now)


def agent_was_there(session: Session, attempt_id: UUID, now: datetime) -> None:
    """Correct a wrong belief: the carrier says the agent's line is up, so the customer waits for nobody."""
    attempt = moves.lock_call(session, attempt_id)
    _agent_is_back(session, attempt, now)


def rescue_call(session: Session, attempt_id: UUID, now: datetime) -> str:
    """Give a customer whose agent did not come back another one, or end the call; returns which, in a word."""
    attempt = moves.lock_call(session, attempt_id)
    lost_at = attempt.agent_lost_at
    if lost_at is None or attempt.state == AttemptState.ENDED or now - lost_at < AGENT_BACK_WITHIN:
        return "nothing"
    lost_id = attempt.agent_id
    language = session.get_one(Customer, attempt.customer_id).language
    task = session.get_one(CallTask, attempt.call_task_id)
    need = task_queries.need_of(task, language)
    other = routing.free_agent(session, need, now, EVERYTHING, in_room=True)
    if other is None or lost_id is None:
        calls.note_detail(attempt, "agent_lost")
        moves.end_attempt(session, attempt, now)
        return "ended"
    _hand_to(session, attempt, other, now)
    lost = routing.lock_agent(session, lost_id)
    if lost.presence == Presence.AVAILABLE:
        routing.set_presence(lost, Presence.NOT_READY, NotReadyReason.AWAY, now)
    moves.make_idle(session, lost_id, now)
    accounts.record(session, None, "call.rescued", str(attempt.id), now, by=str(other.id))
    return "handed over"


def _hand_to(session: Session, attempt: ContactAttempt, agent: Agent, now: datetime) -> None:
    """Give a call in progress and its task to a locked free agent; the job moves the customer's line."""
    task = task_queries.lock_task(session, attempt.call_task_id)
    assert task is not None
    if attempt.agent_id is not None:
        hands.end_with_call(session, attempt.agent_id, now)
    attempt.agent_id = task.agent_id = agent.id
    attempt.agent_lost_at, attempt.hold_wanted = None, False
    routing.set_work_state(agent, WorkState.TALKING, now, task.id)
    outbox.hand_over(session, OutboxKind.SETTLE_CALL, attempt.id, now)
    outbox.ring(session, outbox.agent_channel(agent.id), outbox.FLOOR)


# -- what an agent does on a call -----------------------------------------------------------------------------


def _own_call(session: Session, attempt_id: UUID, agent_id: UUID) -> ContactAttempt:
    attempt = moves.lock_call(session, attempt_id)
    if attempt.agent_id != agent_id:
        raise Forbidden("This call is another agent's.")
    if attempt.state != AttemptState.BRIDGED:
        raise Conflict("The customer is not on the line. Wait for the answer, or save the wrap-up.")
    return attempt


def _settle(session: Session, attempt: ContactAttempt, now: datetime) -> None:
    outbox.hand_over(session, OutboxKind.SETTLE_CALL, attempt.id, now)
    assert attempt.agent_id is not None
    outbox.ring(session, outbox.agent_channel(attempt.agent_id), outbox.FLOOR)


def hold_customer(session: Session, attempt_id: UUID, agent_id: UUID, now: datetime, *, on: bool) -> None:
    """Put the customer on hold, with a message, or take them back."""
    attempt = _own_call(session, attempt_id, agent_id)
    attempt.hold_wanted = on
    _settle(session, attempt, now)


def mute_agent(session: Session, attempt_id: UUID, agent_id: UUID, now: datetime, *, on: bool) -> None:
    """Silence the agent's own telephone in the room, or let it be heard again."""
    attempt = _own_call(session, attempt_id, agent_id)
    leg = _leg_of(session, attempt)
    if leg is None or AttemptState(leg.state) not in LEG_UP:
        raise Conflict("Your line is not connected.")
    leg.mute_wanted = on
    _settle(session, attempt, now)


def pause_recording(session: Session, attempt_id: UUID, agent_id: UUID, now: datetime, *, on: bool) -> None:
    """Pause the recording while something is said that must not be kept, or go on."""
    attempt = _own_call(session, attempt_id, agent_id)
    attempt.pause_wanted = on
    _settle(session, attempt, now)


def report_machine(session: Session, attempt_id: UUID, agent_id: UUID, now: datetime) -> None:
    """Note that a machine picked up, as the agent hears, and drop the call."""
    attempt = _own_call(session, attempt_id, agent_id)
    calls.note_machine(attempt, AnsweredBy.MACHINE)
    moves.end_attempt(session, attempt, now)


def note_machine_heard(session: Session, attempt_id: UUID, heard: MachineHeard, now: datetime) -> None:
    """Keep what answering-machine detection heard; unknown counts as a human.

    The agent is told. A machine is dropped by itself only before an agent is on the call, and only where the
    campaign wants it.
    """
    if not calls.keep_in_inbox(session, attempt_id, heard, now):
        return
    attempt = moves.lock_call(session, attempt_id)
    if not calls.note_machine(attempt, heard.answered_by):
        return
    is_machine = heard.answered_by in (AnsweredBy.MACHINE, AnsweredBy.FAX)
    if is_machine and attempt.agent_id is None and dialing.drops_machines(session, attempt.campaign):
        moves.end_attempt(session, attempt, now)
    if attempt.agent_id is not None:
        outbox.ring(session, outbox.agent_channel(attempt.agent_id))


def note_recording(session: Session, attempt_id: UUID, event: RecordingEvent, now: datetime) -> None:
    """Keep where the recording of a call is, once."""
    if session.get(ContactAttempt, attempt_id) is None:
        raise NotFound("There is no such attempt.")
    if calls.keep_in_inbox(session, attempt_id, event, now):
        calls.note_recording(moves.lock_call(session, attempt_id), event)


def transfer_call(
    session: Session, attempt_id: UUID, agent_id: UUID, to_agent_id: UUID, now: datetime
) -> None:
    """Hand a call in progress, with its call task, to a free colleague; the customer moves to their room.

    The colleague tags the call; the agent who handed it over is free. Raises Conflict when the colleague is not
    free or their line is not up.
    """
    known = session.get(ContactAttempt, attempt_id)
    if known is None:
        raise NotFound("There is no such call.")
    task_queries.lock_task(session, known.call_task_id)
    if to_agent_id == agent_id:
        raise Conflict("You are on this call already.")
    for one in sorted((agent_id, to_agent_id)):
        routing.lock_agent(session, one)
    attempt = _own_call(session, attempt_id, agent_id)
    colleague = routing.lock_agent(session, to_agent_id)
    is_free = may_be_offered(Presence(colleague.presence), WorkState(colleague.work_state))
    if not is_free or not rooms.is_leg_up(session, to_agent_id):
        raise Conflict(
            "This colleague is not free by now. Choose another one, or hold the customer and wait."
        )
    _hand_to(session, attempt, colleague, now)
    moves.make_idle(session, agent_id, now)
    accounts.record(session, agent_id, "call.transferred", str(attempt_id), now, to=str(to_agent_id))


# -- settling with the carrier --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToSettle:
    """What a job must ask the carrier for one call: wishes, the room they concern, and the message's language."""

    wishes: rooms.Wishes
    room: str
    language: str
    waits_for_agent: bool


def call_to_settle(session: Session, attempt_id: UUID) -> ToSettle | None:
    """Read what is to be settled for a call; None when nothing is."""
    attempt = session.get(ContactAttempt, attempt_id)
    if attempt is None or attempt.agent_id is None:
        return None
    wishes = rooms.wishes_of(attempt, _leg_of(session, attempt))
    if wishes is None:
        return None
    room = room_of(attempt.room_agent_id or attempt.agent_id)
    language = session.get_one(Customer, attempt.customer_id).language
    return ToSettle(wishes, room, language, attempt.agent_lost_at is not None and not attempt.hold_wanted)


def note_settled(
    session: Session,
    attempt_id: UUID,
    now: datetime,
    *,
    hold: bool | None = None,
    pause: bool | None = None,
    mute: bool | None = None,
) -> None:
    """Write down what the carrier did of our wishes; what was wished meanwhile is settled once more."""
    attempt = moves.lock_call(session, attempt_id)
    rooms.note_settled(session, attempt, hold=hold, pause=pause, mute=mute)
    left = rooms.wishes_of(attempt, _leg_of(session, attempt))
    if left is not None and (left.hold is not None and hold is not None):
        outbox.hand_over_once(session, OutboxKind.SETTLE_CALL, attempt_id, now)
    if attempt.agent_id is not None:
        outbox.ring(session, outbox.agent_channel(attempt.agent_id))


# -- supervisors on a call ------------------------------------------------------------------------------------


def begin_watch(
    session: Session, supervisor_id: UUID, agent_id: UUID, mode: SupervisorMode, now: datetime
) -> UUID:
    """Ask for a supervisor's line into an agent's room; they enter unheard. Returns the watch's id."""
    agent, user = session.get(Agent, agent_id), session.get(User, supervisor_id)
    if agent is None or user is None:
        raise NotFound("There is no such agent.")
    if agent.work_state != WorkState.TALKING or not rooms.is_leg_up(session, agent_id):
        raise Conflict("This agent is not on a call with a customer.")
    address = user.telephone or f"client:agent_{supervisor_id.hex}"
    watch = watches.begin(session, supervisor_id, agent_id, address, mode, now)
    outbox.hand_over(session, OutboxKind.PLACE_WATCH, watch.id, now)
    accounts.record(session, supervisor_id, "watch.begun", str(agent_id), now, mode=mode.value)
    outbox.ring(session, outbox.FLOOR)
    return watch.id


def change_watch(
    session: Session, watch_id: UUID, supervisor_id: UUID, mode: SupervisorMode, now: datetime
) -> None:
    """Listen, whisper to the agent or speak to both; it is so when the carrier says so."""
    watch = watches.own_watch(session, watch_id, supervisor_id)
    watch.mode_wanted = mode
    _settle_watch(session, watch, now)
    accounts.record(session, supervisor_id, "watch.changed", str(watch.agent_id), now, mode=mode.value)
    outbox.ring(session, outbox.FLOOR)


def leave_watch(session: Session, watch_id: UUID, supervisor_id: UUID, now: datetime) -> None:
    """Leave an agent's call; left already is fine."""
    watch = watches.lock_watch(session, watch_id)
    if watch is None or watch.supervisor_id != supervisor_id:
        raise Forbidden("This is another supervisor's line.")
    if watch.ended_at is None and watch.end_asked_at is None:
        watch.end_asked_at = now
        outbox.hand_over(session, OutboxKind.SETTLE_WATCH, watch.id, now)
        accounts.record(session, supervisor_id, "watch.left", str(watch.agent_id), now)
    outbox.ring(session, outbox.FLOOR)


def _settle_watch(session: Session, watch: Watch, now: datetime) -> None:
    is_wanted = watch.mode is not None and watch.mode != watch.mode_wanted and watch.ended_at is None
    if is_wanted:
        outbox.hand_over_once(session, OutboxKind.SETTLE_WATCH, watch.id, now)


def begin_watching(session: Session, watch_id: UUID, now: datetime) -> str | None:
    """Take the permission to call a supervisor into a room; returns the address, None when nobody wants it."""
    watch = watches.lock_watch(session, watch_id)
    return watch.address if watch is not None and watches.begin_placing(watch, now) else None


def note_watch(session: Session, watch_id: UUID, ref: str | None, state: AttemptState, now: datetime) -> None:
    """Take in what the carrier says of a supervisor's line."""
    watch = watches.lock_watch(session, watch_id)
    if watch is None:
        return
    watches.note(watch, ref, state, now)
    if watch.end_asked_at is not None and watch.ended_at is None:
        outbox.hand_over_once(session, OutboxKind.SETTLE_WATCH, watch_id, now)
    outbox.ring(session, outbox.FLOOR)


def answer_watch(session: Session, watch_id: UUID, ref: str, now: datetime) -> Answer:
    """Put a supervisor who has picked up into the agent's room, unheard; hang up when they have left."""
    watch = watches.lock_watch(session, watch_id)
    if watch is None or watch.ended_at is not None or watch.end_asked_at is not None:
        return HangUp()
    watches.note(watch, ref, AttemptState.BRIDGED, now)
    return JoinRoom(room_of(watch.agent_id), watch.agent_id, RoomRole.SUPERVISOR)


def answer_agent(session: Session, agent_id: UUID) -> Answer:
    """Put an agent who has picked up into their room."""
    if session.get(Agent, agent_id) is None:
        return HangUp()
    return JoinRoom(room_of(agent_id), agent_id, RoomRole.AGENT)
