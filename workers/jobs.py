"""Jobs: each does one outbox message, may run twice, and marks it done in its own transaction."""

from uuid import UUID

import structlog

from callcenter import outbox, pipeline
from callcenter.calls.policy import MAX_CALL, RING_TIMEOUT
from callcenter.domain.enums import AttemptState
from callcenter.domain.ports import Unknown
from callcenter.models import ContactAttempt
from callcenter.runtime import get_runtime

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
    if number is None:
        return
    try:
        placement = runtime.carrier.place(attempt_id, number, RING_TIMEOUT, MAX_CALL)
    except Exception as error:  # whatever went wrong, the request may have been sent
        log.exception("attempt.placement_failed", attempt=subject_id)
        placement = Unknown(type(error).__name__)
    with runtime.unit_of_work() as session:
        pipeline.note_placement(session, attempt_id, placement, runtime.clock())
    log.info("attempt.placed", attempt=subject_id, placement=type(placement).__name__)


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
