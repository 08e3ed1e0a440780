"""Which job does which outbox kind, and on which queue."""

from collections.abc import Mapping
from dataclasses import dataclass

from rq import Queue

from callcenter.domain.enums import OutboxKind
from callcenter.learning.learned import STEP_LEASE
from callcenter.runtime import Runtime

CALLS = "calls"
OFFERS = "offers"
ERRANDS = "errands"
CALLS_FIRST = (CALLS, OFFERS)
"""In the order in which a worker empties them: a call being placed comes before a new offer."""
QUEUES = (*CALLS_FIRST, ERRANDS)
"""Errands, slow by other systems or by their size, have workers of their own: no call waits for them."""


@dataclass(frozen=True, slots=True)
class Route:
    """The one job of an outbox kind, by its import path, its queue, and after how many seconds it is cut off."""

    job: str
    queue: str
    seconds: int = 60


ROUTES: Mapping[OutboxKind, Route] = {
    OutboxKind.OFFER_CALL_TASK: Route("workers.jobs.offer_call_task", OFFERS),
    OutboxKind.OFFER_TO_AGENT: Route("workers.jobs.offer_to_agent", OFFERS),
    OutboxKind.PLACE_ATTEMPT: Route("workers.jobs.place_attempt", CALLS),
    OutboxKind.HANG_UP_ATTEMPT: Route("workers.jobs.hang_up_attempt", CALLS),
    OutboxKind.HANG_UP_STRAYS: Route("workers.jobs.hang_up_strays", CALLS),
    OutboxKind.SETTLE_CALL: Route("workers.jobs.settle_call", CALLS),
    OutboxKind.CLOSE_UNATTENDED: Route("workers.jobs.close_unattended", OFFERS),
    OutboxKind.CONNECT_AGENT: Route("workers.jobs.connect_agent", CALLS),
    OutboxKind.RELEASE_AGENT: Route("workers.jobs.release_agent", CALLS),
    OutboxKind.PLACE_WATCH: Route("workers.jobs.place_watch", CALLS),
    OutboxKind.SETTLE_WATCH: Route("workers.jobs.settle_watch", CALLS),
    OutboxKind.DELIVER_WEBHOOKS: Route("workers.jobs.deliver_webhooks", ERRANDS),
    OutboxKind.LOOK_AT_LIST: Route("workers.jobs.look_at_list", ERRANDS),
    OutboxKind.WORK_LIST: Route("workers.jobs.work_list", ERRANDS),
    OutboxKind.LEARN: Route("workers.jobs.learn", ERRANDS, seconds=int(STEP_LEASE.total_seconds())),
    OutboxKind.BACK_TEST: Route("workers.jobs.back_test", ERRANDS, seconds=900),
}


def queue_named(runtime: Runtime, name: str) -> Queue:
    """Return an RQ queue on the runtime's doorbell."""
    return Queue(name, connection=runtime.redis)
