"""Jobs may run twice, at once, or die half way: a customer is called once or it is known that they were not."""

import threading
from datetime import timedelta

import pytest
from sqlmodel import select

from callcenter import moves, outbox, pipeline, talk
from callcenter.calls.policy import AS_A_RULE, EMPTY_LOOKS, MAX_CALL, RETRY_PLACING, RING_TIMEOUT
from callcenter.dialing.waiting import lock_waiting
from callcenter.domain.enums import AttemptState, CallResult, OutboxKind, Presence, WorkState
from callcenter.domain.ports import CallWish, Placed
from callcenter.models import Agent, AgentLeg, Incident, Reservation
from callcenter.telephony.bucket import KEY_PREFIX, CallBucket
from tests.jobs.conftest import Floor
from workers import jobs, ticks

RINGING_PERHAPS = {AttemptState.PLACED, AttemptState.INITIATED, AttemptState.RINGING}


def test_an_offer_made_twice_is_one_offer(floor: Floor) -> None:
    floor.bank.agent_is_available()
    floor.has_waiting_task()
    for _ in range(2):
        done = floor.runs(jobs.offer_call_task, OutboxKind.OFFER_CALL_TASK)
    assert done.done_at == floor.now
    assert len(floor.bank.session.exec(select(Reservation)).all()) == 1


def test_two_workers_with_one_task_and_one_agent_make_one_offer(floor: Floor) -> None:
    floor.has_waiting_task()
    floor.bank.agent_is_available()
    by_task = floor.message(OutboxKind.OFFER_CALL_TASK)
    by_agent = floor.message(OutboxKind.OFFER_TO_AGENT)
    floor.bank.session.commit()
    work = [
        threading.Thread(target=jobs.offer_call_task, args=(by_task.id, str(by_task.subject_id))),
        threading.Thread(target=jobs.offer_to_agent, args=(by_agent.id, str(by_agent.subject_id))),
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join(20)
    assert len(floor.bank.session.exec(select(Reservation)).all()) == 1


def test_a_call_is_asked_for_once_however_often_its_job_runs(floor: Floor) -> None:
    attempt = floor.has_claimed_attempt()
    message = floor.message(OutboxKind.PLACE_ATTEMPT)
    floor.bank.session.commit()
    work = [threading.Thread(target=jobs.place_attempt, args=(message.id, str(attempt.id))) for _ in range(3)]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join(20)
    floor.runs(jobs.place_attempt, OutboxKind.PLACE_ATTEMPT)
    assert floor.calls_to(attempt.to_number) == 1
    after = floor.attempt()
    assert (after.state, bool(after.carrier_ref)) == (AttemptState.PLACED, True)


def test_a_dial_waits_for_a_near_turn_and_is_put_off_for_a_far_one(floor: Floor) -> None:
    floor.has_claimed_attempt()
    bucket = floor.runtime._call_slots = CallBucket(floor.runtime.redis, 10.0, "calls")
    bucket.brake(timedelta(seconds=30))
    message = floor.runs(jobs.place_attempt, OutboxKind.PLACE_ATTEMPT)
    assert message.done_at is None and message.due_at > floor.now + timedelta(seconds=20)
    assert floor.attempt().state == AttemptState.CLAIMED
    floor.runtime.redis.delete(KEY_PREFIX + "calls")
    bucket.take()
    assert floor.runs(jobs.place_attempt, OutboxKind.PLACE_ATTEMPT).done_at is not None
    assert floor.attempt().state == AttemptState.PLACED


def test_a_pacing_tick_leaves_out_a_customer_whom_another_process_holds(floor: Floor) -> None:
    task_id = floor.has_waiting_task()
    (task,) = floor.bank.tasks()
    customer_id = task.customer_id
    floor.bank.session.commit()
    with floor.runtime.unit_of_work() as one, floor.runtime.unit_of_work() as other:
        moves.lock_customer(one, customer_id)
        assert lock_waiting(other, [task_id], floor.now) == []
    with floor.runtime.unit_of_work() as session:
        assert [found.task.id for found in lock_waiting(session, [task_id], floor.now)] == [task_id]


def test_the_first_dial_also_calls_the_agent_into_their_room_once(floor: Floor) -> None:
    agent = floor.bank.session.get_one(Agent, floor.bank.agent_id)
    before = floor.calls_to(agent.address)
    floor.has_claimed_attempt()
    for _ in range(2):
        floor.runs(jobs.place_attempt, OutboxKind.PLACE_ATTEMPT)
    floor.runs(jobs.connect_agent, OutboxKind.CONNECT_AGENT)
    assert floor.calls_to(agent.address) == before + 1
    assert floor.bank.session.get_one(AgentLeg, agent.id).carrier_ref


def test_a_worker_that_died_after_asking_is_found_out_by_the_reconciler(floor: Floor) -> None:
    attempt = floor.has_claimed_attempt()
    with floor.runtime.unit_of_work() as session:
        assert pipeline.begin_placing(session, attempt.id, floor.now)
    asked = floor.runtime.carrier.place(CallWish(attempt.id, attempt.to_number, RING_TIMEOUT, MAX_CALL))
    assert isinstance(asked, Placed)  # and here the process dies
    floor.runs(jobs.place_attempt, OutboxKind.PLACE_ATTEMPT)
    assert floor.attempt().state == AttemptState.PLACING, "the permission is spent: nobody asks again"
    floor.bank.clock.go_on(seconds=29)
    ticks.reconcile(floor.runtime)
    assert floor.attempt().carrier_ref is None, "too early to look"
    floor.bank.clock.go_on(seconds=1)
    ticks.reconcile(floor.runtime)
    after = floor.attempt()
    assert (after.carrier_ref, after.placed_at) == (asked.ref, floor.now)
    assert after.state not in (AttemptState.PLACING, AttemptState.ENDED)
    assert floor.calls_to(attempt.to_number) == 1


def test_a_worker_that_died_before_asking_is_known_after_five_looks_over_ten_minutes(floor: Floor) -> None:
    attempt = floor.has_claimed_attempt()
    with floor.runtime.unit_of_work() as session:
        assert pipeline.begin_placing(session, attempt.id, floor.now)
    began = floor.now
    for look in range(1, EMPTY_LOOKS + 1):
        floor.bank.clock.go_on(seconds=30)
        ticks.reconcile(floor.runtime)
        ticks.reconcile(floor.runtime)  # at once again: too early, no look
        assert (floor.attempt().empty_looks, floor.attempt().state) == (look, AttemptState.PLACING)
    floor.bank.clock.now = began + AS_A_RULE.absent_for - timedelta(seconds=1)
    ticks.reconcile(floor.runtime)
    assert floor.attempt().state == AttemptState.PLACING
    floor.bank.clock.go_on(seconds=31)
    ticks.reconcile(floor.runtime)
    after = floor.attempt()
    assert (after.state, after.result) == (AttemptState.ENDED, CallResult.NOT_PLACED)
    assert after.result_detail == "not_found_at_carrier"
    assert floor.bank.session.get_one(Agent, floor.bank.agent_id).work_state == WorkState.WRAPPING
    assert floor.calls_to(attempt.to_number) == 0


def test_a_call_of_somebody_else_to_the_same_number_is_not_taken_for_ours(floor: Floor) -> None:
    attempt = floor.has_claimed_attempt()
    assert attempt.agent_id is not None
    wish = CallWish(attempt.agent_id, attempt.to_number, RING_TIMEOUT, MAX_CALL)
    foreign = floor.runtime.carrier.place(wish)
    assert isinstance(foreign, Placed)
    floor.runs(jobs.place_attempt, OutboxKind.PLACE_ATTEMPT)
    mine = floor.attempt().carrier_ref
    floor.bank.clock.go_on(seconds=61)
    ticks.reconcile(floor.runtime)
    assert floor.attempt().carrier_ref == mine != foreign.ref
    assert floor.bank.session.exec(select(Incident)).all() == []


def test_an_answer_cut_off_is_unknown_and_then_found(floor: Floor) -> None:
    attempt = floor.has_claimed_attempt()
    with floor.runtime.unit_of_work() as session:
        talk.begin_connecting(session, floor.bank.agent_id, floor.now)
    floor.simulator.control("PUT", "faults", {"drop_after": {"next": 1}})
    floor.runs(jobs.place_attempt, OutboxKind.PLACE_ATTEMPT)
    assert floor.attempt().state == AttemptState.UNKNOWN
    floor.bank.clock.go_on(seconds=30)
    ticks.reconcile(floor.runtime)
    after = floor.attempt()
    assert after.carrier_ref and AttemptState(after.state) in RINGING_PERHAPS
    assert floor.calls_to(attempt.to_number) == 1


def test_a_carrier_too_busy_to_call_is_asked_again_and_then_the_agent_may_tag_it(floor: Floor) -> None:
    attempt = floor.has_claimed_attempt()
    with floor.runtime.unit_of_work() as session:
        talk.begin_connecting(session, floor.bank.agent_id, floor.now)
    floor.simulator.control("PUT", "faults", {"rest_429": 1})
    for asked in range(1, RETRY_PLACING + 1):
        floor.runs(jobs.place_attempt, OutboxKind.PLACE_ATTEMPT)
        after = floor.attempt()
        assert (after.requests, after.state == AttemptState.ENDED) == (asked, asked == RETRY_PLACING)
        floor.bank.clock.go_on(seconds=2)
    assert floor.attempt().result == CallResult.NOT_PLACED
    assert floor.calls_to(attempt.to_number) == 0
    assert floor.bank.session.get_one(Agent, floor.bank.agent_id).work_state == WorkState.WRAPPING


def test_a_call_canceled_before_its_job_ran_is_never_asked_for(floor: Floor) -> None:
    attempt = floor.has_claimed_attempt()
    with floor.runtime.unit_of_work() as session:
        pipeline.end_call(session, attempt.id, floor.bank.agent_id, floor.now)
    floor.runs(jobs.place_attempt, OutboxKind.PLACE_ATTEMPT)
    assert floor.calls_to(attempt.to_number) == 0
    assert floor.attempt().result == CallResult.CANCELED


def test_a_hang_up_is_asked_for_again_until_the_carrier_has_heard_it(floor: Floor) -> None:
    attempt = floor.has_claimed_attempt()
    floor.runs(jobs.place_attempt, OutboxKind.PLACE_ATTEMPT)
    with floor.runtime.unit_of_work() as session:
        pipeline.end_call(session, attempt.id, floor.bank.agent_id, floor.now)
    floor.simulator.control("PUT", "faults", {"rest_500_before": {"next": 1}})
    with pytest.raises(ConnectionError):
        floor.runs(jobs.hang_up_attempt, OutboxKind.HANG_UP_ATTEMPT)
    assert floor.message(OutboxKind.HANG_UP_ATTEMPT).done_at is None
    for _ in range(2):
        done = floor.runs(jobs.hang_up_attempt, OutboxKind.HANG_UP_ATTEMPT)
        assert done.done_at is not None
    ref = floor.attempt().carrier_ref
    assert ref and floor.simulator.call(ref)["status"] in ("canceled", "completed")


def test_signing_off_ends_the_agents_own_call(floor: Floor) -> None:
    floor.bank.agent_is_available()
    floor.runs(jobs.connect_agent, OutboxKind.CONNECT_AGENT)
    leg = floor.bank.session.get_one(AgentLeg, floor.bank.agent_id)
    with floor.runtime.unit_of_work() as session:
        pipeline.set_presence(session, floor.bank.agent_id, Presence.SIGNED_OFF, None, floor.now)
    done = floor.runs(jobs.release_agent, OutboxKind.RELEASE_AGENT)
    assert done.done_at is not None and leg.carrier_ref
    assert floor.simulator.call(leg.carrier_ref)["status"] in ("canceled", "completed")


def test_a_message_done_by_one_run_is_not_done_by_the_next(floor: Floor) -> None:
    floor.has_waiting_task()
    message = floor.message(OutboxKind.OFFER_CALL_TASK)
    assert message.id is not None
    with floor.runtime.unit_of_work() as session:
        assert outbox.mark_done(session, message.id, floor.now)
        assert not outbox.mark_done(session, message.id, floor.now)
