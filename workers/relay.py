"""Carries due outbox messages to RQ. Any number may run; a message no job finished comes up again."""

import threading
from contextlib import suppress

import psycopg
import redis
import structlog
from rq import Queue
from rq.queue import EnqueueData
from sqlalchemy.exc import SQLAlchemyError

from callcenter import outbox
from callcenter.domain.enums import OutboxKind
from callcenter.outbox import DueMessage
from callcenter.runtime import Runtime
from workers.queues import QUEUES, ROUTES, queue_named

log = structlog.get_logger()
IDLE_SECONDS = 0.5


def relay_due(runtime: Runtime) -> int:
    """Hand what is due to the queues; return how many messages."""
    with runtime.unit_of_work() as session:
        messages = outbox.take_due(session, runtime.clock())
    for name in QUEUES:
        jobs = [_job(one) for one in messages if ROUTES[one.kind].queue == name]
        if jobs:
            queue_named(runtime, name).enqueue_many(jobs)
    return len(messages)


def _job(message: DueMessage) -> EnqueueData:
    """Return what the queue is to carry for a message: its id and its subject's."""
    name = "call-task" if message.kind is OutboxKind.OFFER_CALL_TASK else message.kind.value
    return Queue.prepare_data(
        ROUTES[message.kind].job,
        (message.id, str(message.subject_id)),
        job_id=f"{name}-{message.subject_id}-{message.id}-{message.tries}",
        result_ttl=0,
        failure_ttl=3600,
        timeout=ROUTES[message.kind].seconds,
    )


def run_relay(runtime: Runtime, stop: threading.Event) -> None:
    """Relay until told to stop: at once when a transaction says so, and every half second anyway."""
    listener: psycopg.Connection | None = None
    while not stop.is_set():
        try:
            if listener is None or listener.closed:
                listener = _listen(runtime)
            while relay_due(runtime):
                pass
            for _ in listener.notifies(timeout=IDLE_SECONDS, stop_after=1):
                pass
        except (SQLAlchemyError, psycopg.Error, redis.RedisError, OSError) as error:
            log.warning("relay.interrupted", error=type(error).__name__)
            if listener is not None:
                with suppress(psycopg.Error):
                    listener.close()
            listener = None
            stop.wait(1.0)
    if listener is not None:
        listener.close()


def _listen(runtime: Runtime) -> psycopg.Connection:
    url = runtime.database_url
    for plain in ("postgresql+psycopg://", "postgres://"):
        url = url.replace(plain, "postgresql://", 1)
    connection = psycopg.connect(url, autocommit=True, connect_timeout=5)
    connection.execute(f"LISTEN {outbox.CHANNEL}")
    return connection
