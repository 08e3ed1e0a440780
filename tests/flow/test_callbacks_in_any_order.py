"""A call's callbacks in every order, lost, repeated: attempt, task and agent end in the same state."""

from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callcenter import pipeline
from callcenter.calls.rules import News
from callcenter.domain.enums import AttemptState, CallResult, TaskState, WorkState
from callcenter.domain.ports import CarrierEvent, Placed
from callcenter.models import Agent, CallTask, ContactAttempt
from tests.factories import Bank

RULE = "id-photo-trouble"
UNANSWERED = (CallResult.BUSY, CallResult.NO_ANSWER, CallResult.FAILED, CallResult.CANCELED)
TOLD = (AttemptState.INITIATED, AttemptState.RINGING, AttemptState.ANSWERED, AttemptState.ENDED)


@pytest.fixture
def placing(bank: Bank) -> UUID:
    """An attempt whose request is on its way to the carrier."""
    bank.agent_line_is_up()
    return bank.is_placing(RULE)


def _hears(bank: Bank, attempt_id: UUID, told: AttemptState, result: CallResult) -> None:
    is_end = told is AttemptState.ENDED
    event = CarrierEvent("CA1", f"{attempt_id}{told}", told, result if is_end else None)
    pipeline.note_call_progress(bank.session, attempt_id, event, bank.clock.now)


def _end_of(
    bank: Bank, attempt_id: UUID, course: list[AttemptState | str], result: CallResult
) -> tuple[object, ...]:
    """Play a course, let the reconciler look once, note where all ended, and undo it."""
    with bank.session.begin_nested() as sandbox:
        for step in course:
            if step == "placed":
                pipeline.note_placement(bank.session, attempt_id, Placed("CA1"), bank.clock.now)
            elif step == "picked up":
                pipeline.answer_call(bank.session, bank.house, attempt_id, "CA1", bank.clock.now)
            else:
                _hears(bank, attempt_id, AttemptState(step), result)
        looked = News("CA1", AttemptState.ENDED, result)
        pipeline.note_look(bank.session, attempt_id, looked, bank.clock.now)
        attempt = bank.session.get_one(ContactAttempt, attempt_id)
        task = bank.session.get_one(CallTask, attempt.call_task_id)
        agent = bank.session.get_one(Agent, bank.agent_id)
        found = (attempt.state, attempt.result, attempt.carrier_ref, task.state, agent.work_state)
        sandbox.rollback()
    bank.session.expire_all()
    return found


def _expected(result: CallResult) -> tuple[object, ...]:
    return (AttemptState.ENDED, result, "CA1", TaskState.WRAPPING, WorkState.WRAPPING)


def test_every_order_of_the_four_callbacks_and_of_the_requests_answer_ends_the_same(
    bank: Bank, placing: UUID
) -> None:
    for order in permutations([*TOLD, "placed"]):
        assert _end_of(bank, placing, list(order), CallResult.BUSY) == _expected(CallResult.BUSY), order


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([*TOLD, "placed"]), max_size=9), st.sampled_from(UNANSWERED))
def test_whatever_is_lost_or_repeated_the_call_ends_the_same(
    bank: Bank, placing: UUID, course: list[AttemptState | str], result: CallResult
) -> None:
    assert _end_of(bank, placing, course, result) == _expected(result)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from([*TOLD[:3], "placed"]), max_size=6),
    st.lists(st.sampled_from([*TOLD, "placed", "picked up"]), max_size=5),
)
def test_a_call_that_met_its_agent_ends_completed_whatever_is_lost_or_repeated(
    bank: Bank, placing: UUID, before: list[AttemptState | str], after: list[AttemptState | str]
) -> None:
    course = [*before, "picked up", *after]
    assert _end_of(bank, placing, course, CallResult.COMPLETED) == _expected(CallResult.COMPLETED)
