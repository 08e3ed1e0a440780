"""Jobs: each does one outbox message, may run twice, and marks it done in its own transaction."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from uuid import UUID

import structlog

from callcenter import dialer, list_acts, nightly, outbox, partner_acts, partner_lists, pipeline, talk
from callcenter.backtest import asked
from callcenter.calls.policy import MAX_CALL, RING_TIMEOUT
from callcenter.calls.queries import dial_due, stray_refs
from callcenter.calls.rules import News
from callcenter.config import archive_folder
from callcenter.domain.enums import AttemptState, OutboxKind, SupervisorMode
from callcenter.domain.ports import CallWish, Placed, Rejected, RoomAnswer, Unknown
from callcenter.learning.learned import STEP_LEASE
from callcenter.models import AgentLeg, ContactAttempt, Watch
from callcenter.moves import room_of
from callcenter.runtime import Runtime, get_runtime
from callcenter.webhooks.policy import WORK_SECONDS
from callcenter.webhooks.sending import send
from workers.lines import agent_is_there

log = structlog.get_logger()
Job = Callable[[int, str], None]
WAITED_HERE = timedelta(milliseconds=200)
"""A dial whose turn comes within it is not put off: to hand it over once more would take as long."""


def noted(job: Job) -> Job:
    """Keep with its message that a job failed, and why; the message comes up again after its lease."""

    @wraps(job)
    def run(message_id: int, subject_id: str) -> None:
        try:
            job(message_id, subject_id)
        except Exception as error:
            runtime = get_runtime()
            with runtime.unit_of_work() as session:
                outbox.note_failure(session, message_id, type(error).__name__, runtime.clock())
            raise

    return run


@noted
def offer_call_task(message_id: int, subject_id: str) -> None:
    """Offer a pending call task to a free agent. Safe to run twice: only a pending row is claimed."""
    runtime = get_runtime()
    with runtime.unit_of_work() as session:
        if outbox.mark_done(session, message_id, runtime.clock()):
            offer = pipeline.offer_call_task(session, runtime.house, UUID(subject_id), runtime.clock())
            log.info("call_task.offered", call_task=subject_id, offer=type(offer).__name__)


@noted
def offer_to_agent(message_id: int, subject_id: str) -> None:
    """Offer a free agent the next call task. Safe to run twice: only an idle agent is claimed."""
    runtime = get_runtime()
    with runtime.unit_of_work() as session:
        if outbox.mark_done(session, message_id, runtime.clock()):
            pipeline.offer_to_agent(session, runtime.house, UUID(subject_id), runtime.clock())


@noted
def place_attempt(message_id: int, subject_id: str) -> None:
    """Ask the carrier for one call, once, whatever happens to this process meanwhile.

    The permission to ask is committed before the request; a second run finds it taken and leaves. What
    became of a request cut off by a crash is the reconciler's to find out.
    """
    runtime = get_runtime()
    attempt_id = UUID(subject_id)
    with runtime.reading() as session:
        due = dial_due(session, attempt_id)
    if due is None:
        with runtime.unit_of_work() as session:
            outbox.mark_done(session, message_id, runtime.clock())
        return
    if due.agent_to_connect is not None:
        _connect(runtime, due.agent_to_connect)
    if wait := _wait_for_slot(runtime):
        with runtime.unit_of_work() as session:
            outbox.put_off(session, message_id, runtime.clock() + wait)
        return
    with runtime.unit_of_work() as session:
        outbox.mark_done(session, message_id, runtime.clock())
        number = pipeline.begin_placing(session, attempt_id, runtime.clock())
    if number is None:
        return
    try:
        placement = runtime.carrier.place(
            CallWish(
                attempt_id,
                number,
                RING_TIMEOUT,
                MAX_CALL,
                amd=runtime.amd_policy,
                record=runtime.record_policy,
            )
        )
    except Exception as error:  # whatever went wrong, the request may have been sent
        log.exception("attempt.placement_failed", attempt=subject_id)
        placement = Unknown(type(error).__name__)
    with runtime.unit_of_work() as session:
        pipeline.note_placement(session, attempt_id, placement, runtime.clock())
    if isinstance(placement, Placed):
        runtime.note_queue_delay(placement.queue_delay)
    log.info("attempt.placed", attempt=subject_id, placement=type(placement).__name__)


def _wait_for_slot(runtime: Runtime) -> timedelta:
    """Take one of the calls per second; a short wait is waited here, a longer one returned."""
    wait = runtime.take_call_slot()
    end = runtime.clock() + WAITED_HERE
    while wait and runtime.clock() + wait < end:
        time.sleep(wait.total_seconds())
        wait = runtime.take_call_slot()
    return wait


@noted
def connect_agent(message_id: int, subject_id: str) -> None:
    """Call an agent into their room, unless they are there."""
    runtime = get_runtime()
    with runtime.unit_of_work() as session:
        outbox.mark_done(session, message_id, runtime.clock())
    _connect(runtime, UUID(subject_id))


def _connect(runtime: Runtime, agent_id: UUID) -> None:
    """Ask for an agent's leg where none is up; a leg we do not hear of is asked for again at the next dial."""
    with runtime.unit_of_work() as session:
        address = talk.begin_connecting(session, agent_id, runtime.clock())
    if address is None:
        return
    placement = runtime.carrier.place_agent(agent_id, address)
    if isinstance(placement, Placed):
        with runtime.unit_of_work() as session:
            talk.note_agent_leg(session, agent_id, placement.ref, AttemptState.PLACED, runtime.clock())
    elif isinstance(placement, Rejected):
        with runtime.unit_of_work() as session:
            talk.note_leg_refused(session, agent_id, runtime.clock())
    log.info("agent_leg.placed", agent=str(agent_id), placement=type(placement).__name__)


@noted
def release_agent(message_id: int, subject_id: str) -> None:
    """End the call that kept a signed-off agent in their room."""
    runtime = get_runtime()
    with runtime.reading() as session:
        leg = session.get(AgentLeg, UUID(subject_id))
    if leg is not None and leg.carrier_ref and leg.state != AttemptState.ENDED:
        _end(runtime, leg.carrier_ref)
    with runtime.unit_of_work() as session:
        outbox.mark_done(session, message_id, runtime.clock())


@noted
def settle_call(message_id: int, subject_id: str) -> None:
    """Make the rooms of a call what they shall be: moved, held, muted, paused. May run twice."""
    runtime = get_runtime()
    attempt_id = UUID(subject_id)
    with runtime.reading() as session:
        found = talk.call_to_settle(session, attempt_id)
    if found is not None:
        _settle(runtime, attempt_id, found)
    with runtime.unit_of_work() as session:
        outbox.mark_done(session, message_id, runtime.clock())


def _settle(runtime: Runtime, attempt_id: UUID, found: talk.ToSettle) -> None:
    carrier, wishes, room = runtime.carrier, found.wishes, found.room
    if found.waits_for_agent and wishes.hold and agent_is_there(runtime, attempt_id):
        return
    answers, paused = [], None
    if wishes.is_moved:
        answers.append(carrier.move(wishes.ref, attempt_id))
    if wishes.hold is not None:
        held = (
            carrier.hold(room, wishes.ref, found.language)
            if wishes.hold
            else carrier.unhold(room, wishes.ref)
        )
        answers.append(held)
    if wishes.pause is not None:
        paused = carrier.pause_recording(wishes.ref, wishes.pause)
        answers.append(paused)
    if wishes.mute is not None and wishes.leg_ref is not None:
        answers.append(carrier.mute(room, wishes.leg_ref, wishes.mute))
    if RoomAnswer.NOT_ASKED in answers:
        raise ConnectionError("the carrier could not be asked to change a room")
    with runtime.unit_of_work() as session:
        # Nothing was being recorded yet: the wish stays, and is put again with the next one.
        pause = wishes.pause if paused is RoomAnswer.DONE else None
        talk.note_settled(
            session, attempt_id, runtime.clock(), hold=wishes.hold, pause=pause, mute=wishes.mute
        )
    log.info("call.settled", attempt=str(attempt_id), answers=[answer.value for answer in answers])


@noted
def close_unattended(message_id: int, subject_id: str) -> None:
    """Close the call task of an automatic call that ended without an agent. May run twice."""
    runtime = get_runtime()
    with runtime.unit_of_work() as session:
        if outbox.mark_done(session, message_id, runtime.clock()):
            dialer.close_unattended(session, runtime.house, UUID(subject_id), runtime.clock())


@noted
def place_watch(message_id: int, subject_id: str) -> None:
    """Call a supervisor into an agent's room, once."""
    runtime = get_runtime()
    watch_id = UUID(subject_id)
    with runtime.unit_of_work() as session:
        outbox.mark_done(session, message_id, runtime.clock())
        address = talk.begin_watching(session, watch_id, runtime.clock())
    if address is None:
        return
    placement = runtime.carrier.place_supervisor(watch_id, address)
    placed = isinstance(placement, Placed)
    state = AttemptState.PLACED if placed else AttemptState.ENDED
    with runtime.unit_of_work() as session:
        ref = placement.ref if isinstance(placement, Placed) else None
        talk.note_watch(session, watch_id, ref, state, runtime.clock())
    log.info("watch.placed", watch=subject_id, placement=type(placement).__name__)


@noted
def settle_watch(message_id: int, subject_id: str) -> None:
    """Make a supervisor's part in a call what they want, or end their line. May run twice."""
    runtime = get_runtime()
    with runtime.reading() as session:
        watch = session.get_one(Watch, UUID(subject_id))
        leg = session.get(AgentLeg, watch.agent_id)
    seen = None
    if watch.carrier_ref and watch.ended_at is None:
        if watch.end_asked_at is not None:
            _end(runtime, watch.carrier_ref)
            seen = runtime.carrier.lookup(watch.carrier_ref)  # the callback about its end may be lost
        elif watch.mode not in (None, watch.mode_wanted) and leg is not None and leg.carrier_ref:
            room = room_of(watch.agent_id)
            mode = SupervisorMode(watch.mode_wanted)
            if (
                runtime.carrier.set_mode(room, watch.carrier_ref, mode, leg.carrier_ref)
                is RoomAnswer.NOT_ASKED
            ):
                raise ConnectionError("the carrier could not be asked to change a supervisor's part")
    with runtime.unit_of_work() as session:
        if seen is not None:
            talk.note_watch(session, watch.id, seen.ref, seen.state, runtime.clock())
        outbox.mark_done(session, message_id, runtime.clock())


@noted
def hang_up_attempt(message_id: int, subject_id: str) -> None:
    """Ask the carrier to end a call; asked again after the lease while the carrier cannot be reached."""
    runtime = get_runtime()
    with runtime.reading() as session:
        attempt = session.get(ContactAttempt, UUID(subject_id))
    seen = None
    if attempt is not None and attempt.carrier_ref and attempt.state != AttemptState.ENDED:
        _end(runtime, attempt.carrier_ref)
        # It may have ended long ago without our hearing of it; the agent shall not wait for the reconciler.
        seen = runtime.carrier.lookup(attempt.carrier_ref)
    with runtime.unit_of_work() as session:
        if seen is not None and seen.state is AttemptState.ENDED:
            news = News(seen.ref, seen.state, seen.result, seen.talk_seconds)
            pipeline.note_look(session, UUID(subject_id), news, runtime.clock())
        # Without a ref the call is not known to exist: the answer gate ends it should it ever be picked up.
        outbox.mark_done(session, message_id, runtime.clock())


@noted
def hang_up_strays(message_id: int, subject_id: str) -> None:
    """End the calls that exist for an attempt and should not; their customer is not called for now."""
    runtime = get_runtime()
    with runtime.unit_of_work() as session:
        pipeline.freeze_after_incident(session, UUID(subject_id), runtime.clock())
    with runtime.reading() as session:
        refs = stray_refs(session, UUID(subject_id))
    for ref in refs:
        _end(runtime, ref)
    with runtime.unit_of_work() as session:
        outbox.mark_done(session, message_id, runtime.clock())


@noted
def deliver_webhooks(message_id: int, subject_id: str) -> None:
    """Tell one endpoint what is due, one after the other, for a while; a failure ends its turn.

    Each delivery is claimed, committed, asked, and written down. A process that dies in between leaves a claim
    that runs out: the same event id is told again.
    """
    runtime = get_runtime()
    endpoint_id, began = UUID(subject_id), time.monotonic()
    allows_loopback = runtime.settings.environment == "demo"
    with runtime.unit_of_work() as session:
        outbox.mark_done(
            session, message_id, runtime.clock()
        )  # the tick hands over anew while anything is due
    while time.monotonic() - began < WORK_SECONDS:
        with runtime.unit_of_work() as session:
            one = partner_acts.next_delivery(session, endpoint_id, runtime.clock(), runtime.survey_link)
        if one is None:
            return
        heard = send(one.url, one.headers, one.body, allows_loopback=allows_loopback)
        with runtime.unit_of_work() as session:
            state = partner_acts.note_heard(session, one.delivery_id, heard, runtime.clock())
        log.info(
            "webhook.told",
            delivery=one.delivery_id,
            state=state.value,
            status=heard.status,
            error=heard.error,
        )
        if not heard.is_taken:
            return


@noted
def look_at_list(message_id: int, subject_id: str) -> None:
    """Read a list that a person brought in, or look at its next rows; then it stands in line again.

    Each portion is one transaction with the message for the next: a process that dies loses nothing of what was
    looked at, and nothing is looked at twice.
    """
    runtime = get_runtime()
    list_id = UUID(subject_id)
    with runtime.unit_of_work() as session:
        now = runtime.clock()
        if outbox.mark_done(session, message_id, now) and list_acts.look_on(
            session, runtime.house, list_id, now
        ):
            outbox.hand_over(session, OutboxKind.LOOK_AT_LIST, list_id, now)


@noted
def work_list(message_id: int, subject_id: str) -> None:
    """Work through the next rows of a list of customers to call; then it stands in line again."""
    runtime = get_runtime()
    list_id = UUID(subject_id)
    with runtime.unit_of_work() as session:
        now = runtime.clock()
        if outbox.mark_done(session, message_id, now) and partner_lists.work_list(
            session, runtime.house, list_id, now
        ):
            outbox.hand_over(session, OutboxKind.WORK_LIST, list_id, now)


@noted
def learn(message_id: int, subject_id: str) -> None:
    """Do one step of a learning run; then the run stands in line again, so that other errands get their turn.

    The message is put off for as long as a step may take: should this process die, another goes on from there.
    """
    runtime = get_runtime()
    run_id = UUID(subject_id)
    with runtime.unit_of_work() as session:
        outbox.put_off(session, message_id, runtime.clock() + STEP_LEASE)
    done = nightly.do_next_step(runtime.unit_of_work, runtime.house, run_id, runtime.clock)
    if done == "":
        return  # another process is at it
    with runtime.unit_of_work() as session:
        now = runtime.clock()
        if outbox.mark_done(session, message_id, now) and done is not None:
            outbox.hand_over(session, OutboxKind.LEARN, run_id, now)


@noted
def back_test(message_id: int, subject_id: str) -> None:
    """Play a back-test that somebody asked for. Safe to run twice: the first to end counts."""
    runtime = get_runtime()
    archive = archive_folder(runtime.settings)
    asked.play(
        runtime.reading, runtime.unit_of_work, UUID(subject_id), runtime.house.gate, archive, runtime.clock
    )
    with runtime.unit_of_work() as session:
        outbox.mark_done(session, message_id, runtime.clock())


def _end(runtime: Runtime, ref: str) -> None:
    if not runtime.carrier.hang_up(ref):
        raise ConnectionError("the carrier could not be asked to end a call")
