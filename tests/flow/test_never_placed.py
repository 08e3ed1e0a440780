"""A call the carrier never placed rang nowhere: it uses up none of a customer's attempts and breaks no promise."""

from datetime import timedelta

from sqlmodel import select

from callcenter import dialer, pipeline
from callcenter.calltasks.policy import RETRY_UNCALLED_AFTER
from callcenter.calltasks.queries import tasks_expired
from callcenter.domain.enums import AttemptState, CallResult, CancelReason, DialingMode, TaskState
from callcenter.domain.ports import NotProcessed, Placed, RefusalClass, Rejected
from callcenter.models import Callback, CallTask, ContactAttempt
from callcenter.outcomes.rules import WrapUp
from tests.factories import Bank

RULE = "id-photo-trouble"


def _is_not_placed(bank: Bank, attempt: ContactAttempt) -> None:
    """Let the carrier turn every request for a call away."""
    while attempt.state != AttemptState.ENDED:
        pipeline.note_placement(bank.session, attempt.id, NotProcessed(timedelta(seconds=2)), bank.clock.now)
        pipeline.begin_placing(bank.session, attempt.id, bank.clock.now)
    bank.session.commit()
    assert attempt.result == CallResult.NOT_PLACED


def _tags(bank: Bank, task: CallTask, wrap_up: WrapUp) -> pipeline.Closed:
    closed = pipeline.close_call(bank.session, bank.house, task.id, wrap_up, bank.agent_id, bank.clock.now)
    bank.session.commit()
    return closed


def _is_dialed_again(bank: Bank, task: CallTask) -> ContactAttempt:
    """Let the agent be offered the task when it is due, and dial."""
    bank.clock.now = task.not_before_at
    bank.agent_is_available()
    assert bank.offers(task) == pipeline.Reserved(bank.agent_id)
    dialing = bank.dials(task)
    assert isinstance(dialing, pipeline.Dialing)
    return bank.session.get_one(ContactAttempt, dialing.attempt_id)


def test_tries_that_rang_nowhere_are_not_counted_and_soon_made_again(bank: Bank) -> None:
    attempt = bank.session.get_one(ContactAttempt, bank.is_placing(RULE))
    (task,) = bank.tasks()
    expires_at = task.expires_at
    for _ in range(3):
        _is_not_placed(bank, attempt)
        closed = _tags(bank, task, WrapUp("no_answer"))
        assert closed.again_at == task.not_before_at == bank.clock.now + RETRY_UNCALLED_AFTER
        assert (task.state, task.agent_id, task.expires_at) == (TaskState.PENDING, None, expires_at)
        attempt = _is_dialed_again(bank, task)
    pipeline.note_placement(bank.session, attempt.id, Placed("CA-1"), bank.clock.now)
    bank.hears(attempt.id, AttemptState.ENDED, CallResult.NO_ANSWER, ref="CA-1")
    closed = _tags(bank, task, WrapUp("no_answer"))
    assert closed.again_at == bank.clock.now + bank.house.retry_after
    attempt = _is_dialed_again(bank, task)
    pipeline.note_placement(bank.session, attempt.id, Placed("CA-2"), bank.clock.now)
    bank.hears(attempt.id, AttemptState.ENDED, CallResult.NO_ANSWER, ref="CA-2")
    assert _tags(bank, task, WrapUp("no_answer")).again_at is None
    assert task.state == TaskState.COMPLETED, "twice is enough for a telephone that rang"


def test_a_task_dies_of_a_carrier_that_stays_away(bank: Bank) -> None:
    attempt = bank.session.get_one(ContactAttempt, bank.is_placing(RULE))
    (task,) = bank.tasks()
    _is_not_placed(bank, attempt)
    _tags(bank, task, WrapUp("no_answer"))
    bank.clock.now = task.expires_at + timedelta(seconds=1)
    for one in tasks_expired(bank.session, bank.clock.now, 10):
        pipeline.expire_task(bank.session, one, bank.clock.now)
    assert (task.state, task.cancel_reason) == (TaskState.CANCELED, CancelReason.EXPIRED)


def test_a_promise_stands_when_its_call_was_never_placed(bank: Bank) -> None:
    attempt = bank.session.get_one(ContactAttempt, bank.is_placing(RULE))
    (task,) = bank.tasks()
    pipeline.note_placement(bank.session, attempt.id, Placed("CA-1"), bank.clock.now)
    bank.hears(attempt.id, AttemptState.ENDED, CallResult.COMPLETED, ref="CA-1")
    at = bank.clock.now + timedelta(hours=3)
    _tags(bank, task, WrapUp("callback", callback_at=at))
    for _ in range(3):
        attempt = _is_dialed_again(bank, task)
        callback = bank.session.exec(select(Callback)).one()
        assert callback.closed_at == attempt.claimed_at
        _is_not_placed(bank, attempt)
        _tags(bank, task, WrapUp("no_answer"))
        assert bank.session.exec(select(Callback.closed_at, Callback.due_at)).one() == (None, at)
        assert (task.why_no_call, task.facts["callback"]) == (["callback"], True)
        assert task.agent_id == bank.agent_id, "who promised it in person is asked first"


def test_a_call_that_the_carrier_refuses_for_good_counts(bank: Bank) -> None:
    attempt = bank.session.get_one(ContactAttempt, bank.is_placing(RULE))
    (task,) = bank.tasks()
    pipeline.note_placement(
        bank.session, attempt.id, Rejected(RefusalClass.INVALID_DESTINATION, "21211"), bank.clock.now
    )
    bank.session.commit()
    closed = _tags(bank, task, WrapUp("no_answer"))
    assert closed.again_at == bank.clock.now + bank.house.retry_after
    attempt = _is_dialed_again(bank, task)
    pipeline.note_placement(
        bank.session, attempt.id, Rejected(RefusalClass.INVALID_DESTINATION, "21211"), bank.clock.now
    )
    bank.session.commit()
    assert _tags(bank, task, WrapUp("no_answer")).again_at is None


def test_an_automatic_call_without_an_agent_is_put_back_once(bank: Bank) -> None:
    attempt = bank.session.get_one(ContactAttempt, bank.is_placing(RULE))
    (task,) = bank.tasks()
    attempt.agent_id, attempt.mode, task.agent_id = None, DialingMode.PREDICTIVE, None
    bank.session.commit()
    _is_not_placed(bank, attempt)
    for _ in range(2):
        dialer.close_unattended(bank.session, bank.house, attempt.id, bank.clock.now)
        bank.session.commit()
    assert task.state == TaskState.PENDING
    assert task.not_before_at == bank.clock.now + RETRY_UNCALLED_AFTER
