"""Several firings of one customer are one call, across journeys: who leads, who is told of, what outlives what."""

from datetime import timedelta
from itertools import count, permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from callcenter import merging, partners, pipeline
from callcenter.commands.sample import read_sample
from callcenter.domain.enums import (
    AttemptState,
    CallResult,
    CancelReason,
    FiringFate,
    Purpose,
    SuppressReason,
    TaskState,
)
from callcenter.journeys import service as journeys
from callcenter.journeys.queries import journeys_loaded
from callcenter.learning.queries import counts_per_rule
from callcenter.learning.script_queries import matured_counts
from callcenter.models import CallTask, Outcome, TriggerFiring
from callcenter.outcomes.rules import WrapUp
from callcenter.partners import Partner, Wanted
from callcenter.triggers import queries as trigger_queries
from tests.factories import Bank, user_in_arm
from tests.flow.moments import Said, adopts, calls, drops_rules, tracks

TASK, HELD_OUT, SUPPRESSED = FiringFate.TASK, FiringFate.HELD_OUT, FiringFate.SUPPRESSED
MERGED = SuppressReason.MERGED
LOAN = {"rule": "photo", "step": "id_photo", "preset": "trouble", "times": 1, "priority": 50, "holdout": 0}
SALARY = {
    "rule": "pay", "journey": "account", "step": "salary", "preset": "moment", "event": "salary_received",
    "priority": 30, "holdout": 0, "moment": "salary", "goal": "arranged",
}  # fmt: skip
MOVED = {
    "rule": "out", "journey": "account", "step": "moved", "preset": "moment", "event": "balance_moved",
    "priority": 80, "holdout": 0, "moment": "large_out", "goal": "arranged",
}  # fmt: skip
STARTS = ("photo", "pay", "out")


@pytest.fixture
def two(bank: Bank) -> Bank:
    """A bank with a loan and an account journey, three rules, and nothing else that fires."""
    drops_rules(bank)
    others = journeys_loaded(bank.session).values()
    journeys.load_journey(bank.session, read_sample("account.yaml"), others, bank.clock.now)
    adopts(bank, LOAN, SALARY, MOVED)
    bank.knows("u")
    return bank


def happens(bank: Bank, what: str, user: str = "u") -> None:
    """Let one of the three rules fire, and be decided."""
    if what == "photo":
        bank.sends(user, "id_photo_front")
        bank.sends(user, "photo_rejected", reason="glare", attempt=1)
    elif what == "pay":
        tracks(bank, user, "salary_received", product="pay-1")
    else:
        tracks(bank, user, "balance_moved", product="m-1", direction="out", amount=300_000)
    bank.ticks()


def ends(bank: Bank, what: str, user: str = "u") -> None:
    """Let the reason of one of the three go: its customer goes on."""
    bank.clock.go_on(seconds=1)
    if what == "photo":
        bank.sends(user, "face_scan")
    elif what == "pay":
        tracks(bank, user, "standing_order_set", product="pay-1")
    else:
        tracks(bank, user, "advice_booked", product="m-1")


def firing(bank: Bank, rule: str) -> TriggerFiring:
    bank.session.expire_all()
    return bank.session.exec(select(TriggerFiring).where(TriggerFiring.rule_key == rule)).one()


def open_tasks(bank: Bank) -> list[CallTask]:
    bank.session.expire_all()
    return [one for one in bank.tasks() if one.state not in (TaskState.COMPLETED, TaskState.CANCELED)]


def told(bank: Bank, task: CallTask) -> set[str]:
    """The rules whose reasons, beside the task's own, the agent is told of and that stand."""
    rules = trigger_queries.current_rules(bank.session, journeys_loaded(bank.session))
    return {one.firing.rule_key for one in merging.reasons_folded(bank.session, rules, task.id) if one.stands}


# -- one task, whatever the order ---------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations(STARTS)))
def test_whatever_the_order_there_is_one_task_led_by_the_highest(two: Bank, order: tuple[str, ...]) -> None:
    for what in order:
        happens(two, what)
    (task,) = two.tasks()
    assert task.rule_key == order[0] and told(two, task) == set(order[1:])
    lead = task.lead_firing_id or task.firing_id
    assert two.session.get_one(TriggerFiring, lead).rule_key == "out"
    assert (task.priority, task.script_id, task.folded_firings) == (80, "large_out", 2)
    fates = {one.rule_key: (one.fate, one.suppress_reason) for one in two.firings()}
    assert fates == {what: (TASK, None) if what == order[0] else (SUPPRESSED, MERGED) for what in STARTS}
    watched = two.session.exec(select(Outcome)).all()
    assert len(watched) == 3, "what was folded in is watched too"


@pytest.mark.parametrize("order", list(permutations(STARTS)))
@pytest.mark.parametrize("gone", list(permutations(STARTS)))
def test_the_customer_is_to_be_called_as_long_as_one_reason_stands(
    two: Bank, order: tuple[str, ...], gone: tuple[str, ...]
) -> None:
    for what in order:
        happens(two, what)
    left = set(STARTS)
    for what in gone:
        ends(two, what)
        two.ticks()
        left.discard(what)
        found = open_tasks(two)
        assert len(found) == (1 if left else 0)
        if found:
            (task,) = found
            assert {task.rule_key, *told(two, task)} == left
            lead = two.session.get_one(TriggerFiring, task.lead_firing_id or task.firing_id)
            assert lead.rule_key in left
    assert all(one.fate is not None for one in two.firings())
    converted = two.session.exec(select(Outcome)).all()
    assert all(one.converted_at is not None for one in converted) and len(converted) == 3


def test_what_was_folded_in_is_let_go_in_the_transaction_in_which_its_task_dies(two: Bank) -> None:
    happens(two, "photo")
    happens(two, "pay")
    ends(two, "photo")
    kept = firing(two, "pay")
    assert (kept.fate, kept.suppress_reason, kept.tries) == (None, None, 0), "to be decided, whatever crashes"
    two.ticks()
    (task,) = open_tasks(two)
    assert (task.firing_id, task.journey, task.script_id) == (kept.id, "account", "salary_received")
    assert firing(two, "photo").fate == TASK


def test_a_lead_that_goes_gives_the_own_script_back_and_a_paused_rule_does_not_lead(two: Bank) -> None:
    happens(two, "photo")
    (task,) = two.tasks()
    own = task.script_id
    happens(two, "out")
    assert task.script_id == "large_out" and own != task.script_id
    ends(two, "out")
    two.session.refresh(task)
    assert (task.lead_firing_id, task.script_id, task.state) == (None, own, TaskState.PENDING)


# -- purposes -----------------------------------------------------------------------------------------------


def consents(bank: Bank, user: str = "u") -> None:
    said = {"purpose": "marketing", "source": "app", "text_version": "v1", "proof": "box-1"}
    tracks(bank, user, "Consent Given", **said)


def test_help_leads_an_offer_and_is_not_kept_waiting_by_its_hours(two: Bank) -> None:
    adopts(two, {**MOVED, "purpose": "marketing"})
    consents(two)
    happens(two, "out")
    (task,) = two.tasks()
    assert task.purpose == Purpose.MARKETING
    task.not_before_at = two.clock.now + timedelta(hours=3)
    two.session.commit()
    happens(two, "photo")
    two.session.refresh(task)
    assert (task.purpose, task.not_before_at) == (Purpose.SERVICE, two.clock.now)
    assert two.session.get_one(TriggerFiring, task.lead_firing_id).rule_key == "photo"
    ends(two, "photo")
    two.session.refresh(task)
    assert (task.purpose, task.lead_firing_id) == (Purpose.MARKETING, None), (
        "the gate is asked for an offer again"
    )


def test_an_offer_never_leads_help_whatever_its_priority(two: Bank) -> None:
    adopts(two, {**MOVED, "purpose": "marketing", "priority": 99})
    consents(two)
    happens(two, "photo")
    happens(two, "out")
    (task,) = two.tasks()
    assert (task.lead_firing_id, task.purpose, told(two, task)) == (None, Purpose.SERVICE, {"out"})


# -- the call -----------------------------------------------------------------------------------------------


def test_a_conversation_answers_all_that_was_folded_in_before_its_end(two: Bank) -> None:
    happens(two, "photo")
    happens(two, "pay")
    (task,) = two.tasks()
    calls(two, task, Said("will_finish"))
    two.session.refresh(task)
    assert task.state == TaskState.COMPLETED
    assert firing(two, "pay").suppress_reason == MERGED
    two.ticks()
    assert open_tasks(two) == []


def dials(bank: Bank, task: CallTask, ref: str = "CA1") -> UUID:
    bank.agent_is_available()
    bank.offers(task)
    dialing = bank.dials(task)
    assert isinstance(dialing, pipeline.Dialing)
    bank.hears(dialing.attempt_id, AttemptState.RINGING, ref=ref)
    return dialing.attempt_id


def test_what_fires_in_the_wrap_up_was_not_spoken_about_and_is_decided_again(two: Bank) -> None:
    happens(two, "photo")
    (task,) = two.tasks()
    attempt_id = dials(two, task)
    two.picks_up(attempt_id)
    two.clock.go_on(seconds=30)
    two.hears(attempt_id, AttemptState.ENDED, CallResult.COMPLETED)
    two.clock.go_on(seconds=5)
    happens(two, "pay")
    assert firing(two, "pay").merged_into == task.id
    pipeline.close_call(two.session, two.house, task.id, WrapUp("will_finish"), two.agent_id, two.clock.now)
    two.session.commit()
    two.ticks()
    assert [one.rule_key for one in open_tasks(two)] == ["pay"]


def test_a_call_that_rings_goes_on_for_the_reason_that_still_stands(two: Bank) -> None:
    happens(two, "photo")
    happens(two, "pay")
    (task,) = two.tasks()
    attempt_id = dials(two, task)
    ends(two, "photo")
    (attempt,) = two.attempts()
    assert attempt.cancel_asked_at is None
    ends(two, "pay")
    two.session.refresh(attempt)
    assert attempt.cancel_asked_at is not None, "now nobody need be called"
    assert attempt_id == attempt.id


def test_after_a_call_nobody_answered_what_still_stands_gets_a_task_once_the_own_reason_is_gone(
    two: Bank,
) -> None:
    happens(two, "photo")
    happens(two, "pay")
    (task,) = two.tasks()
    attempt_id = dials(two, task)
    ends(two, "photo")
    two.hears(attempt_id, AttemptState.ENDED, CallResult.NO_ANSWER)
    pipeline.close_call(two.session, two.house, task.id, WrapUp("no_answer"), two.agent_id, two.clock.now)
    two.session.commit()
    two.clock.go_on(hours=2, seconds=1)
    two.offers(task)
    two.ticks()
    two.session.refresh(task)
    assert (task.state, task.cancel_reason) == (TaskState.CANCELED, CancelReason.ADVANCED)
    assert [one.rule_key for one in open_tasks(two)] == ["pay"]


def test_a_promised_call_is_kept_at_its_time_read_from_its_own_script_and_led_by_what_it_was_promised_for(
    two: Bank,
) -> None:
    happens(two, "photo")
    (task,) = two.tasks()
    drawn = task.script_id
    attempt_id = dials(two, task)
    two.picks_up(attempt_id)
    two.hears(attempt_id, AttemptState.ENDED, CallResult.COMPLETED)
    at = two.clock.now + timedelta(hours=4)
    wrap_up = WrapUp("callback", callback_at=at)
    pipeline.close_call(two.session, two.house, task.id, wrap_up, two.agent_id, two.clock.now)
    two.session.commit()
    assert task.script_id == "loan_callback"
    two.clock.go_on(minutes=5)
    happens(two, "out")
    two.session.refresh(task)
    assert (task.not_before_at, task.lead_firing_id, task.script_id) == (at, None, "loan_callback")
    assert told(two, task) == {"out"}
    judged = matured_counts(two.session, two.clock.now + timedelta(days=60))
    assert {one.script_id for one in judged} == {drawn}, "variants are judged by the script drawn at first"


# -- who is held out ----------------------------------------------------------------------------------------


def test_who_is_held_out_is_folded_in_like_the_others_but_nobody_is_told(two: Bank) -> None:
    adopts(two, {**MOVED, "holdout": 0.5})
    user = user_in_arm("out", held_out=True, share=0.5)
    two.knows(user)
    happens(two, "photo", user)
    happens(two, "out", user)
    (task,) = two.tasks()
    folded = firing(two, "out")
    assert (folded.suppress_reason, folded.merged_into) == (MERGED, task.id)
    assert told(two, task) == set() and (task.lead_firing_id, task.priority) == (None, 50)
    assert "out" not in counts_per_rule(two.session), "in neither arm"
    ends(two, "photo", user)
    two.ticks()
    assert (firing(two, "out").fate, open_tasks(two)) == (HELD_OUT, []), "drawn as any firing is"
    assert counts_per_rule(two.session)["out"].arms.held_out == 1


def test_the_effect_of_the_rule_that_called_counts_as_without_what_was_folded_in(two: Bank) -> None:
    happens(two, "photo")
    happens(two, "out")
    (task,) = two.tasks()
    calls(two, task, Said("will_finish"))
    ends(two, "out")
    counts = counts_per_rule(two.session)
    assert set(counts) == {"photo"}
    arms = counts["photo"].arms
    assert (arms.assigned, arms.called, arms.reached, arms.converted_assigned) == (1, 1, 1, 0)
    assert firing(two, "out").id in {
        one.firing_id for one in two.session.exec(select(Outcome)) if one.converted_at
    }


# -- calls that somebody asked for --------------------------------------------------------------------------


def asked(bank: Bank, **more: Any) -> CallTask:
    wanted = Wanted(external_id="u", journey="account", step="moved", reason="card at the branch", **more)
    by = Partner(1, "core")
    found = partners.ask_for_call(bank.session, bank.house, by, wanted, bank.clock.now)
    bank.session.commit()
    assert isinstance(found, CallTask)
    return found


def test_a_rule_folds_into_a_call_that_was_asked_for_and_may_lead_it(two: Bank) -> None:
    task = asked(two, priority=40)
    happens(two, "photo")
    assert [one.id for one in two.tasks()] == [task.id]
    two.session.refresh(task)
    assert (task.priority, two.session.get_one(TriggerFiring, task.lead_firing_id).rule_key) == (50, "photo")
    assert (task.facts["asked_for"], task.rule_key) == ("card at the branch", "by-hand")
    partners.end_task(two.session, Partner(1, "core"), task.id, CancelReason.WITHDRAWN, two.clock.now)
    two.session.commit()
    two.ticks()
    assert [one.rule_key for one in open_tasks(two)] == ["photo"], "its own reason stands"


def test_a_call_that_is_asked_for_has_a_task_of_its_own(two: Bank) -> None:
    happens(two, "photo")
    task = asked(two)
    assert task.id in {one.id for one in open_tasks(two)} and len(open_tasks(two)) == 2


# -- anything may happen ------------------------------------------------------------------------------------

_moves = st.lists(
    st.sampled_from([*STARTS, *(f"-{one}" for one in STARTS), "offer", "wait", "expire", "skip"]),
    min_size=3,
    max_size=14,
)
_users = count(1)


@pytest.mark.slow
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(_moves)
def test_no_standing_reason_is_ever_without_its_call_and_no_customer_has_two(
    two: Bank, acts: list[str]
) -> None:
    user = f"p{next(_users)}"
    two.knows(user)
    for act in acts:
        two.clock.go_on(seconds=10)
        _do(two, act, user)
        two.ticks()
        _check(two, user)


def _do(bank: Bank, act: str, user: str) -> None:
    mine = [one for one in open_tasks(bank) if one.customer_id == bank.customer(user).id]
    if act in STARTS:
        happens(bank, act, user)
    elif act[0] == "-":
        ends(bank, act[1:], user)
    elif act == "wait":
        bank.clock.go_on(minutes=20)
    elif act == "offer" and mine:
        bank.agent_is_available()
        bank.offers(mine[0])
    elif act == "expire" and mine and mine[0].state == TaskState.PENDING:
        pipeline.expire_task(bank.session, mine[0], bank.clock.now)
        bank.session.commit()
    elif act == "skip" and mine and mine[0].state == TaskState.RESERVED:
        pipeline.skip_call_task(bank.session, mine[0].id, bank.agent_id, "other", bank.clock.now)
        bank.session.commit()


def _check(bank: Bank, user: str) -> None:
    customer_id = bank.customer(user).id
    mine = [one for one in open_tasks(bank) if one.customer_id == customer_id]
    assert len(mine) <= 1
    rules = trigger_queries.current_rules(bank.session, journeys_loaded(bank.session))
    found = bank.session.exec(select(TriggerFiring).where(TriggerFiring.customer_id == customer_id)).all()
    open_ids = {one.id for one in mine}
    for one in found:
        assert one.fate is not None
        if one.suppress_reason == MERGED:
            task = bank.session.get_one(CallTask, one.merged_into)
            stands = any(
                f.firing.id == one.id and f.stands
                for f in merging.reasons_folded(bank.session, rules, task.id)
            )
            assert task.id in open_ids or not stands, "a reason that stands has its call"
    for task in mine:
        lead = task.lead_firing_id
        assert lead is None or bank.session.get_one(TriggerFiring, lead).merged_into == task.id
