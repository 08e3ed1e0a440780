"""A call task handed over: taken, declined, left unanswered, overtaken; it is never lost and never with two."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import col, select

from callcenter import dispatching, pipeline, transferring
from callcenter.calltasks.policy import ANSWER_WAITS, APPROVAL_WAITS
from callcenter.domain.dispatching import DispatchAct, Wanted
from callcenter.domain.enums import (
    AttemptState,
    CallResult,
    CancelReason,
    HeldFor,
    Presence,
    ReservationEnd,
    Role,
    TaskState,
    TransferReason,
    TransferState,
    WorkState,
)
from callcenter.domain.handing_over import TransferWish
from callcenter.errors import BadInput, Conflict, Forbidden
from callcenter.models import Agent, AuditEntry, Callback, CallTask, Reservation, TaskTransfer, User
from callcenter.outcomes.rules import WrapUp
from callcenter.routing import people
from tests.factories import Bank
from tests.service.test_routing import agent_with, task_waiting


@pytest.fixture
def previewed(bank: Bank) -> CallTask:
    """A call task before the agent."""
    bank.agent_is_available()
    task = task_waiting(bank)
    bank.offers(task)
    return task


def _supervisor(bank: Bank) -> UUID:
    return bank.another_user("boss", Role.SUPERVISOR, "Ma Lin")


def _asks(bank: Bank, **to: object) -> TransferWish:
    return TransferWish(TransferReason.SKILL, **to)  # type: ignore[arg-type]


def _passes_on(bank: Bank, task: CallTask, **to: object) -> TaskTransfer:
    wish = _asks(bank, **to)
    row = transferring.pass_on_preview(bank.session, task.id, bank.agent_id, wish, bank.clock.now)
    bank.session.commit()
    return row


def _with_approval(bank: Bank) -> None:
    people.set_team(bank.session, "Loan desk A", transfers_need_approval=True)
    bank.session.commit()


def _settles(bank: Bank, **span: float) -> list[TransferState]:
    bank.clock.go_on(**span)
    found = transferring.transfers_to_settle(bank.session, bank.clock.now)
    ends = [transferring.settle_transfer(bank.session, one, bank.clock.now) for one in found]
    bank.session.commit()
    return [one for one in ends if one is not None]


def _acts(bank: Bank) -> list[str]:
    rows = bank.session.exec(select(AuditEntry).order_by(col(AuditEntry.id)))
    return [one.act for one in rows if one.act.startswith("transfer.")]


def test_a_colleague_gets_it_alone_and_has_taken_it_once_they_dial(bank: Bank, previewed: CallTask) -> None:
    colleague = agent_with(bank, "colleague")
    agent_with(bank, "idle")
    row = _passes_on(bank, previewed, to_agent_id=colleague)
    giver = bank.session.get_one(Agent, bank.agent_id, populate_existing=True)
    assert giver.work_state == WorkState.IDLE
    offers = bank.session.exec(select(Reservation).order_by(col(Reservation.offered_at))).all()
    assert [one.end for one in offers] == [ReservationEnd.PASSED_ON]
    offer = bank.offers(previewed)
    assert isinstance(offer, pipeline.Reserved) and offer.agent_id == colleague
    assert _settles(bank) == [], "they are looking at it"
    pipeline.place_call(bank.session, bank.house, previewed.id, colleague, bank.clock.now)
    assert _settles(bank) == [TransferState.TAKEN]
    assert (row.taken_by, previewed.held_for, row.ended_at) == (colleague, None, bank.clock.now)
    assert _acts(bank) == ["transfer.sent", "transfer.ended"]


def test_what_nobody_takes_comes_back_and_says_so(bank: Bank, previewed: CallTask) -> None:
    colleague = agent_with(bank, "colleague")
    row = _passes_on(bank, previewed, to_agent_id=colleague)
    pipeline.set_presence(bank.session, colleague, Presence.NOT_READY, None, bank.clock.now)
    assert isinstance(bank.offers(previewed), pipeline.NotOffered)
    assert _settles(bank, seconds=ANSWER_WAITS.total_seconds() - 1) == []
    assert _settles(bank, seconds=1) == [TransferState.UNANSWERED]
    assert (previewed.state, previewed.agent_id, previewed.held_for) == (
        TaskState.PENDING,
        bank.agent_id,
        None,
    )
    bank.agent_is_available()
    offer = bank.offers(previewed)
    assert isinstance(offer, pipeline.Reserved) and offer.agent_id == bank.agent_id
    assert row.noted_at is None, "it stays before the agent until they have read it"
    transferring.note_transfer(bank.session, row.id, bank.agent_id, bank.clock.now)
    assert row.noted_at == bank.clock.now


@pytest.mark.parametrize("end", ["skipped", "expired", "signed off"])
def test_a_colleague_who_will_not_gives_it_back_and_nobody_else_is_offered_it_meanwhile(
    bank: Bank, previewed: CallTask, end: str
) -> None:
    colleague = agent_with(bank, "colleague")
    agent_with(bank, "idle")
    _passes_on(bank, previewed, to_agent_id=colleague)
    if end == "signed off":
        pipeline.sign_off(bank.session, colleague, bank.clock.now)
    else:
        bank.offers(previewed)
    if end == "skipped":
        pipeline.skip_call_task(bank.session, previewed.id, colleague, "other", bank.clock.now)
    if end == "expired":
        bank.clock.go_on(seconds=31)
        assert pipeline.expire_offer(bank.session, previewed.id, bank.clock.now)
    bank.session.commit()
    bank.clock.go_on(seconds=61)
    assert isinstance(bank.offers(previewed), pipeline.NotOffered), "it is still between the two"
    became = TransferState.TURNED_DOWN if end == "skipped" else TransferState.UNANSWERED
    assert _settles(bank) == [became]
    assert previewed.agent_id == bank.agent_id


def test_a_team_gets_it_whatever_the_rule_asked_and_only_that_team(bank: Bank, previewed: CallTask) -> None:
    agent_with(bank, "same desk", {"loans": 5})
    other = agent_with(bank, "other desk", team="Loan desk B")
    previewed.skill, previewed.skill_level = "loans", 5
    row = _passes_on(bank, previewed, to_team="Loan desk B")
    assert previewed.held_for == HeldFor.TEAM
    assert pipeline.agents_to_offer(bank.session, bank.clock.now) == [other]
    offer = bank.offers(previewed)
    assert isinstance(offer, pipeline.Reserved) and offer.agent_id == other
    pipeline.place_call(bank.session, bank.house, previewed.id, other, bank.clock.now)
    assert _settles(bank) == [TransferState.TAKEN] and row.taken_by == other
    assert (previewed.team, previewed.skill) == (None, "loans"), "the rule's own need is asked again"


def test_with_approval_it_waits_for_the_supervisors_word(bank: Bank, previewed: CallTask) -> None:
    _with_approval(bank)
    colleague, boss = agent_with(bank, "colleague"), _supervisor(bank)
    row = _passes_on(bank, previewed, to_agent_id=colleague)
    assert (row.state, previewed.held_for) == (TransferState.ASKED, HeldFor.APPROVAL)
    assert isinstance(bank.offers(previewed), pipeline.NotOffered)
    assert pipeline.agents_to_offer(bank.session, bank.clock.now) == []
    transferring.approve_transfer(bank.session, row.id, boss, bank.clock.now)
    bank.session.commit()
    with pytest.raises(Conflict):
        transferring.approve_transfer(bank.session, row.id, boss, bank.clock.now)
    offer = bank.offers(previewed)
    assert isinstance(offer, pipeline.Reserved) and offer.agent_id == colleague
    assert _acts(bank) == ["transfer.asked", "transfer.approved"]


def test_a_supervisor_says_no_with_a_word(bank: Bank, previewed: CallTask) -> None:
    _with_approval(bank)
    colleague, boss = agent_with(bank, "colleague"), _supervisor(bank)
    row = _passes_on(bank, previewed, to_agent_id=colleague)
    with pytest.raises(BadInput):
        transferring.decline_transfer(bank.session, row.id, boss, "  ", bank.clock.now)
    transferring.decline_transfer(bank.session, row.id, boss, "You can do this one.", bank.clock.now)
    bank.session.commit()
    assert (row.state, row.answer, row.decided_by) == (TransferState.DECLINED, "You can do this one.", boss)
    assert (previewed.agent_id, previewed.held_for) == (bank.agent_id, None)
    with pytest.raises(Conflict):
        transferring.approve_transfer(bank.session, row.id, boss, bank.clock.now)


def test_no_word_in_time_brings_it_back(bank: Bank, previewed: CallTask) -> None:
    _with_approval(bank)
    _passes_on(bank, previewed, to_agent_id=agent_with(bank, "colleague"))
    assert _settles(bank, seconds=APPROVAL_WAITS.total_seconds() - 1) == []
    assert _settles(bank, seconds=1) == [TransferState.UNDECIDED]
    assert previewed.agent_id == bank.agent_id and previewed.expires_at > bank.clock.now


def test_the_reason_dies_meanwhile(bank: Bank, previewed: CallTask) -> None:
    _with_approval(bank)
    boss = _supervisor(bank)
    row = _passes_on(bank, previewed, to_agent_id=agent_with(bank, "colleague"))
    from callcenter import moves

    moves.cancel_task(bank.session, previewed, CancelReason.ADVANCED, bank.clock.now)
    bank.session.commit()
    with pytest.raises(Conflict):
        transferring.approve_transfer(bank.session, row.id, boss, bank.clock.now)
    assert _settles(bank) == [TransferState.OVERTAKEN] and previewed.state == TaskState.CANCELED


def test_a_supervisor_gives_it_to_somebody_else_meanwhile(bank: Bank, previewed: CallTask) -> None:
    third = agent_with(bank, "third")
    _passes_on(bank, previewed, to_agent_id=agent_with(bank, "colleague"))
    wanted = Wanted(DispatchAct.ASSIGN_AGENT, agent_id=third)
    plan = dispatching.plan_dispatch(bank.session, bank.house, wanted, bank.agent_id, bank.clock.now)
    dispatching.dispatch_batch(bank.session, bank.house, plan.id, bank.agent_id, bank.clock.now)
    bank.session.commit()
    assert _settles(bank) == [TransferState.OVERTAKEN]
    offer = bank.offers(previewed)
    assert isinstance(offer, pipeline.Reserved) and offer.agent_id == third


def test_the_giver_takes_it_back_and_only_they(bank: Bank, previewed: CallTask) -> None:
    colleague = agent_with(bank, "colleague")
    row = _passes_on(bank, previewed, to_agent_id=colleague)
    with pytest.raises(Forbidden):
        transferring.take_back(bank.session, row.id, colleague, bank.clock.now)
    transferring.take_back(bank.session, row.id, bank.agent_id, bank.clock.now)
    bank.session.commit()
    assert (row.state, previewed.agent_id) == (TransferState.TAKEN_BACK, bank.agent_id)
    with pytest.raises(Conflict):
        transferring.take_back(bank.session, row.id, bank.agent_id, bank.clock.now)


def test_a_giver_who_has_left_leaves_it_to_anybody(bank: Bank, previewed: CallTask) -> None:
    colleague = agent_with(bank, "colleague")
    _passes_on(bank, previewed, to_agent_id=colleague)
    pipeline.set_presence(bank.session, colleague, Presence.NOT_READY, None, bank.clock.now)
    pipeline.sign_off(bank.session, bank.agent_id, bank.clock.now)
    assert _settles(bank, seconds=ANSWER_WAITS.total_seconds()) == [TransferState.UNANSWERED]
    assert (previewed.agent_id, previewed.state) == (None, TaskState.PENDING)


def _after_a_call(bank: Bank, task: CallTask) -> None:
    bank.agent_line_is_up()
    dialing = bank.dials(task)
    bank.picks_up(dialing.attempt_id)
    bank.hears(dialing.attempt_id, AttemptState.ENDED, CallResult.COMPLETED)


def test_after_a_call_the_wrap_up_is_saved_and_a_colleague_goes_on(bank: Bank, previewed: CallTask) -> None:
    colleague = agent_with(bank, "colleague")
    _after_a_call(bank, previewed)
    row = transferring.pass_on_after_call(
        bank.session, bank.house, previewed.id, WrapUp("not_interested"), bank.agent_id,
        _asks(bank, to_agent_id=colleague), bank.clock.now,
    )  # fmt: skip
    bank.session.commit()
    assert (previewed.state, previewed.agent_id, row.attempts) == (TaskState.PENDING, colleague, 1)
    put_off = bank.offers(previewed)
    assert isinstance(put_off, pipeline.NotOffered) and put_off.why == "minimum_gap"
    gap = (previewed.not_before_at - bank.clock.now).total_seconds()
    assert gap > ANSWER_WAITS.total_seconds()
    assert _settles(bank, seconds=gap) == [], "the colleague's time begins when the customer may be called"
    bank.session.get_one(Agent, colleague).seen_at = bank.clock.now
    bank.session.commit()
    offer = bank.offers(previewed)
    assert isinstance(offer, pipeline.Reserved) and offer.agent_id == colleague


def test_who_wants_no_more_calls_is_not_handed_over(bank: Bank, previewed: CallTask) -> None:
    wish = _asks(bank, to_agent_id=agent_with(bank, "colleague"))
    _after_a_call(bank, previewed)
    with pytest.raises(Conflict):
        transferring.pass_on_after_call(
            bank.session, bank.house, previewed.id, WrapUp("do_not_call"), bank.agent_id, wish, bank.clock.now
        )
    bank.session.rollback()


def test_an_own_callback_goes_to_a_colleague_who_keeps_it_at_its_time(
    bank: Bank, previewed: CallTask
) -> None:
    colleague = agent_with(bank, "colleague")
    _after_a_call(bank, previewed)
    at = bank.clock.now + timedelta(hours=2)
    pipeline.close_call(
        bank.session,
        bank.house,
        previewed.id,
        WrapUp("callback", callback_at=at),
        bank.agent_id,
        bank.clock.now,
    )
    bank.session.commit()
    promise = bank.session.exec(select(Callback)).one()
    wish = _asks(bank, to_agent_id=colleague)
    with pytest.raises(Forbidden):
        transferring.pass_on_callback(bank.session, promise.id, colleague, wish, bank.clock.now)
    transferring.pass_on_callback(bank.session, promise.id, bank.agent_id, wish, bank.clock.now)
    bank.session.commit()
    assert (promise.agent_id, previewed.not_before_at) == (colleague, at)
    assert _settles(bank, hours=2) == [], "it is due only now"
    assert _settles(bank, seconds=ANSWER_WAITS.total_seconds()) == [TransferState.UNANSWERED]
    assert (promise.agent_id, previewed.agent_id) == (bank.agent_id, bank.agent_id)


@pytest.mark.parametrize("to", ["self", "own team", "nobody", "unknown team", "left"])
def test_it_goes_to_somebody_who_is_there(bank: Bank, previewed: CallTask, to: str) -> None:
    left = agent_with(bank, "left")
    bank.session.get_one(User, left).is_active = False
    bank.session.commit()
    whom: dict[str, object] = {
        "self": {"to_agent_id": bank.agent_id},
        "own team": {"to_team": "Loan desk A"},
        "nobody": {},
        "unknown team": {"to_team": "Moon desk"},
        "left": {"to_agent_id": left},
    }
    with pytest.raises(BadInput):
        transferring.pass_on_preview(
            bank.session,
            previewed.id,
            bank.agent_id,
            _asks(bank, **whom[to]),
            bank.clock.now,  # type: ignore[arg-type]
        )
    bank.session.rollback()


def test_a_call_task_is_handed_over_once_at_a_time(bank: Bank, previewed: CallTask) -> None:
    colleague = agent_with(bank, "colleague")
    _passes_on(bank, previewed, to_agent_id=colleague)
    bank.offers(previewed)
    with pytest.raises(Conflict):
        transferring.pass_on_preview(
            bank.session, previewed.id, colleague, _asks(bank, to_agent_id=bank.agent_id), bank.clock.now
        )
    bank.session.rollback()
