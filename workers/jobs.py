"""Jobs: each does one outbox message, may run twice, and marks it done in its own transaction."""

from uuid import UUID

import structlog

from callcenter import outbox, pipeline
from callcenter.calls.policy import MAX_CALL, RING_TIMEOUT
from callcenter.domain.enums import AttemptState
from callcenter.domain.ports import Placed, Unknown
from callcenter.models import AgentLeg, ContactAttempt
from callcenter.runtime import Runtime, get_runtime

log = structlog.get_logger()


def offer_call_task(message_id: int, subject_id: str) -> None:
    """Offer a pending call task to a free agent. Safe to run twice: only a pending row is claimed."""
    runtime = get_runtime()
    with runtime.unit_of_work() as session:
        if outbox.mark_done(session, message_id, runtime.clock()):
            offer = pipeline.offer_call_task(session, runtime.house, UUID(subject_id), runtime.clock())
            log.info("call_task.offered", call_task=subject_id, offer=type(offer).__name__)


def offer_to_agent(message_id: int, subject_id: str) -> None:
    """Offer a free agent the next call task. Safe to run twice: only an idle agent is claimed."""
    runtime = get_runtime()
    with runtime.unit_of_work() as session:
        if outbox.mark_done(session, message_id, runtime.clock()):
            pipeline.offer_to_agent(session, runtime.house, UUID(subject_id), runtime.clock())


def place_attempt(message_id: int, subject_id: str) -> None:
    """Ask the carrier for one call, once, whatever happens to this process meanwhile.

    The permission to ask is committed before the request; a second run finds it taken and leaves. What
    became of a request cut off by a crash is the reconciler's to find out.
    """
    runtime = get_runtime()
    attempt_id = UUID(subject_id)
    with runtime.unit_of_work() as session:
        outbox.mark_done(session, message_id, runtime.clock())
        number = pipeline.begin_placing(session, attempt_id, runtime.clock())
        attempt = session.get(ContactAttempt, attempt_id)
    if number is None or attempt is None:
        return
    _connect(runtime, attempt.agent_id)
    try:
        placement = runtime.carrier.place(attempt_id, number, RING_TIMEOUT, MAX_CALL)
    except Exception as error:  # whatever went wrong, the request may have been sent
        log.exception("attempt.placement_failed", attempt=subject_id)
        placement = Unknown(type(error).__name__)
    with runtime.unit_of_work() as session:
        pipeline.note_placement(session, attempt_id, placement, runtime.clock())
    log.info("attempt.placed", attempt=subject_id, placement=type(placement).__name__)


def connect_agent(message_id: int, subject_id: str) -> None:
    """Call an agent into their room, unless they are there."""
    runtime = get_runtime()
    with runtime.unit_of_work() as session:
        outbox.mark_done(session, message_id, runtime.clock())
    _connect(runtime, UUID(subject_id))


def _connect(runtime: Runtime, agent_id: UUID) -> None:
    with runtime.unit_of_work() as session:
        address = pipeline.begin_connecting(session, agent_id, runtime.clock())
    if address is None:
        return
    placement = runtime.carrier.place_agent(agent_id, address)
    if isinstance(placement, Placed):
        with runtime.unit_of_work() as session:
            pipeline.note_agent_leg(session, agent_id, placement.ref, AttemptState.PLACED, runtime.clock())
    log.info("agent_leg.placed", agent=str(agent_id), placement=type(placement).__name__)


def release_agent(message_id: int, subject_id: str) -> None:
    """End the call that kept a signed-off agent in their room."""
    runtime = get_runtime()
    with runtime.reading() as session:
        leg = session.get(AgentLeg, UUID(subject_id))
    if leg is not None and leg.carrier_ref and leg.state != AttemptState.ENDED:
        runtime.carrier.hang_up(leg.carrier_ref)
    with runtime.unit_of_work() as session:
        outbox.mark_done(session, message_id, runtime.clock())


def hang_up_attempt(message_id: int, subject_id: str) -> None:
    """Ask the carrier to end a call; asked again after the lease while the carrier cannot be reached."""
    runtime = get_runtime()
    with runtime.reading() as session:
        attempt = session.get(ContactAttempt, UUID(subject_id))
        ref = attempt.carrier_ref if attempt else None
        over = attempt is None or attempt.state == AttemptState.ENDED
    if ref is not None and not over and not runtime.carrier.hang_up(ref):
        raise ConnectionError("the carrier could not be asked to end a call")
    with runtime.unit_of_work() as session:
        # Without a ref the call is not known to exist: the answer gate ends it should it ever be picked up.
        outbox.mark_done(session, message_id, runtime.clock())
