"""The relay carries what is due to the queue; the queue may forget, be away or choke, and nothing is lost."""

import threading
from pathlib import Path

import pytest
import redis
from sqlmodel import select

from callcenter import outbox
from callcenter.domain.enums import AttemptState, OutboxKind
from callcenter.models import OutboxMessage, Reservation
from callcenter.outbox import LEASE, MAX_FAILURES
from callcenter.runtime import Runtime
from tests.jobs.conftest import Floor
from tests.simulator.sim import wait_for
from tests.web.conftest import CLOSED_PORT, settings_for
from workers.main import CallWorker
from workers.queues import QUEUES, ROUTES, queue_named
from workers.relay import relay_due, run_relay


def _queued(runtime: Runtime) -> list[str]:
    return [job_id for name in QUEUES for job_id in queue_named(runtime, name).job_ids]


def _work(runtime: Runtime) -> None:
    queues = [queue_named(runtime, name) for name in QUEUES]
    CallWorker(queues, connection=runtime.redis).work(burst=True, logging_level="ERROR")


def _deaf(runtime: Runtime, home: Path) -> Runtime:
    """The same runtime whose doorbell is away."""
    away = f"redis://127.0.0.1:{CLOSED_PORT}"
    return Runtime(settings_for(home, runtime.database_url, away), runtime.clock)


def test_every_kind_of_message_has_one_job_and_one_queue() -> None:
    assert set(ROUTES) == set(OutboxKind)
    assert len({route.job for route in ROUTES.values()}) == len(ROUTES)
    assert {route.queue for route in ROUTES.values()} == set(QUEUES)


def test_what_is_due_goes_to_a_worker_and_is_done_once(floor: Floor) -> None:
    floor.bank.agent_is_available()
    floor.has_waiting_task()
    floor.bank.session.commit()
    assert relay_due(floor.runtime) >= 1
    assert relay_due(floor.runtime) == 0, "leased"
    _work(floor.runtime)
    assert _queued(floor.runtime) == []
    assert floor.message(OutboxKind.OFFER_CALL_TASK).done_at == floor.now
    floor.bank.session.commit()
    floor.bank.clock.go_on(minutes=1)
    _work(floor.runtime)
    assert len(floor.bank.session.exec(select(Reservation)).all()) == 1


def test_what_no_worker_finished_is_sent_again_after_its_lease(floor: Floor) -> None:
    floor.has_waiting_task()
    floor.bank.session.commit()
    relay_due(floor.runtime)
    first = _queued(floor.runtime)
    floor.runtime.redis.flushall()  # the doorbell forgets everything
    floor.bank.clock.go_on(seconds=LEASE.total_seconds() - 1)
    assert relay_due(floor.runtime) == 0
    floor.bank.clock.go_on(seconds=1)
    assert relay_due(floor.runtime) == len(first) > 0
    again = _queued(floor.runtime)
    assert set(first).isdisjoint(again), "a new name, so that a job still kept under the old one is no bar"
    _work(floor.runtime)
    assert floor.message(OutboxKind.OFFER_CALL_TASK).done_at is not None


def test_a_doorbell_that_is_away_loses_nothing(floor: Floor, tmp_path: Path) -> None:
    deaf = _deaf(floor.runtime, tmp_path)
    agent = floor.bank.agent_id
    with deaf.unit_of_work() as session:
        outbox.hand_over(session, OutboxKind.OFFER_TO_AGENT, agent, floor.now)
        outbox.ring(session, outbox.FLOOR, outbox.agent_channel(agent))
    message = floor.message(OutboxKind.OFFER_TO_AGENT)
    floor.bank.session.commit()
    with pytest.raises(redis.RedisError):
        relay_due(deaf)
    deaf.engine.dispose()
    floor.bank.clock.go_on(seconds=LEASE.total_seconds())
    assert relay_due(floor.runtime) == 1
    _work(floor.runtime)
    assert floor.message(OutboxKind.OFFER_TO_AGENT).id == message.id
    assert floor.message(OutboxKind.OFFER_TO_AGENT).done_at is not None


def _poison(floor: Floor) -> None:
    """A message whose job fails each time it runs: the carrier cannot be asked to end a call."""
    attempt = floor.has_claimed_attempt()
    attempt.state, attempt.carrier_ref = AttemptState.RINGING, "CA1"
    floor.simulator.control("PUT", "faults", {"rest_500_before": 1})
    for message in floor.bank.session.exec(select(OutboxMessage)):
        message.done_at = floor.now
    floor.bank.session.commit()
    with floor.runtime.unit_of_work() as session:
        outbox.hand_over(session, OutboxKind.HANG_UP_ATTEMPT, attempt.id, floor.now)


def test_a_message_whose_job_always_fails_is_given_up_and_stays_visible(floor: Floor) -> None:
    _poison(floor)
    for failures in range(1, MAX_FAILURES + 1):
        assert relay_due(floor.runtime) == 1
        _work(floor.runtime)
        message = floor.message(OutboxKind.HANG_UP_ATTEMPT)
        assert (message.failures, message.failed_at is not None) == (failures, failures == MAX_FAILURES)
        floor.bank.session.commit()
        floor.bank.clock.go_on(minutes=2)
    assert relay_due(floor.runtime) == 0
    floor.bank.clock.go_on(days=1)
    assert relay_due(floor.runtime) == 0
    assert floor.message(OutboxKind.HANG_UP_ATTEMPT).done_at is None


def test_a_queue_that_forgets_uses_no_try_up(floor: Floor) -> None:
    _poison(floor)
    for _ in range(MAX_FAILURES + 1):
        assert relay_due(floor.runtime) == 1
        floor.runtime.redis.flushall()
        floor.bank.clock.go_on(minutes=2)
    assert floor.message(OutboxKind.HANG_UP_ATTEMPT).failed_at is None


def test_why_a_job_failed_is_written_into_its_message(floor: Floor) -> None:
    _poison(floor)
    relay_due(floor.runtime)
    _work(floor.runtime)
    assert floor.message(OutboxKind.HANG_UP_ATTEMPT).last_error == "ConnectionError"


def test_a_relay_at_rest_hears_of_a_new_message_and_stops_when_told(floor: Floor) -> None:
    stop = threading.Event()
    relay = threading.Thread(target=run_relay, args=(floor.runtime, stop), daemon=True)
    relay.start()
    try:
        with floor.runtime.unit_of_work() as session:
            outbox.hand_over(session, OutboxKind.OFFER_TO_AGENT, floor.bank.agent_id, floor.now)
        wait_for(lambda: _queued(floor.runtime))
    finally:
        stop.set()
        relay.join(5)
    assert not relay.is_alive()
