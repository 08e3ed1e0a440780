"""Whom first: scores are written when a call task opens, fade, and never overrule a person."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import select

from callcenter import prioritizing
from callcenter.calltasks import dispatches
from callcenter.calltasks.queries import tasks_callable, tasks_of_campaign
from callcenter.domain.dispatching import DispatchAct
from callcenter.domain.enums import AttemptState, CallResult, FiringFate, TaskState
from callcenter.domain.ids import derived_id
from callcenter.learning import learned, ranking
from callcenter.learning.propensity import FEATURES, LEFT_OUT, Model, Rates
from callcenter.learning.propensity_training import Trained
from callcenter.learning.worth import points_now
from callcenter.models import (
    CallTask,
    ContactAttempt,
    Customer,
    Outcome,
    RuleWorth,
    TriggerFiring,
    TriggerRule,
    Visit,
)
from tests.factories import Bank, user_in_arm

RULE = "id-photo-trouble"


def _waiting(bank: Bank) -> CallTask:
    user = user_in_arm(RULE, held_out=False, at=bank.clock.now)
    bank.knows(user)
    bank.sends(user, "id_photo_front")
    for _ in range(2):
        bank.sends(user, "photo_rejected", reason="glare")
    bank.ticks()
    return bank.tasks()[-1]


def _like(bank: Bank, task: CallTask, name: str, **what: object) -> UUID:
    """Another waiting call task, of somebody else, that differs as said."""
    firing = bank.session.get_one(TriggerFiring, task.firing_id)
    who, firing_id = derived_id("customer", name), derived_id("firing", name)
    bank.session.add(Customer(id=who, created_at=bank.clock.now, updated_at=bank.clock.now))
    bank.session.flush()
    bank.session.add(
        TriggerFiring(**{**firing.model_dump(warnings=False), "id": firing_id, "customer_id": who})
    )
    bank.session.flush()
    values = {
        **task.model_dump(warnings=False),
        "id": derived_id("task", name),
        "firing_id": firing_id,
        "customer_id": who,
    }
    bank.session.add(CallTask(**{**values, **what}))
    bank.session.flush()
    return derived_id("task", name)


def _learned(bank: Bank, per_minute: float, usual: float) -> None:
    bank.session.add(
        RuleWorth(
            rule_key=RULE, learned_at=bank.clock.now, assigned=800, held_out=200, effect=0.1, base_rate=0.3,
            value=100, minutes=5, per_minute=per_minute, fades_minutes=60, usual=usual, reach=45,
        )
    )  # fmt: skip
    bank.session.commit()


def test_a_call_task_opens_with_what_it_is_worth(bank: Bank) -> None:
    _learned(bank, per_minute=4.0, usual=2.0)
    task = _waiting(bank)
    assert (task.worth, task.worth_points, task.worth_fades_minutes) == (4.0, 30.0, 60.0)
    firing = bank.session.get_one(TriggerFiring, task.firing_id)
    assert task.moment_at == firing.anchor_at


def test_without_anything_learned_a_call_task_opens_without_a_score(bank: Bank) -> None:
    task = _waiting(bank)
    assert (task.worth, task.worth_points) == (None, None)


def test_the_more_a_call_brings_the_earlier_it_comes_and_an_unknown_one_counts_as_usual(bank: Bank) -> None:
    task = _waiting(bank)
    now = bank.clock.now
    fresh = {"worth_fades_minutes": 60.0, "worth_reach": 45.0, "moment_at": now}
    dear = _like(bank, task, "dear", worth_points=20.0, **fresh)
    cheap = _like(bank, task, "cheap", worth_points=-60.0, **fresh)
    old = _like(bank, task, "old", worth_points=20.0, **{**fresh, "moment_at": now - timedelta(hours=1)})
    narrow = _like(bank, task, "narrow", worth_points=20.0, **{**fresh, "worth_reach": 5.0})
    assert (points_now(20.0, 60, 60, 45.0), points_now(-60.0, 0, 60, 45.0)) == (-10.0, -45.0)
    order = tasks_callable(bank.session, now, 10, [bank.agent_id])
    assert list(order) == [dear, narrow, task.id, old, cheap]


def test_waiting_outweighs_worth_in_the_end(bank: Bank) -> None:
    task = _waiting(bank)
    later = bank.clock.go_on(minutes=50)
    dear = _like(
        bank, task, "dear", worth_points=90.0, worth_fades_minutes=60.0, worth_reach=45.0, moment_at=later,
        created_at=later, not_before_at=later,
    )  # fmt: skip
    assert list(tasks_callable(bank.session, later, 10, [bank.agent_id])) == [task.id, dear]


def test_a_call_that_was_promised_is_as_urgent_as_any_though_its_moment_is_long_gone(bank: Bank) -> None:
    task = _waiting(bank)
    now = bank.clock.now
    long_ago = {"worth_fades_minutes": 60.0, "worth_reach": 90.0, "moment_at": now - timedelta(days=1)}
    cold = _like(bank, task, "cold", worth_points=20.0, **long_ago)
    due = now - timedelta(minutes=1)
    promised = _like(bank, task, "promised", worth_points=20.0, **long_ago, created_at=due, not_before_at=due)
    bank.session.get_one(CallTask, promised).agent_id = bank.agent_id
    bank.session.flush()
    order = list(tasks_of_campaign(bank.session, task.journey, now, 10))
    assert order.index(promised) < order.index(cold) and order[-1] == cold
    assert [one for one in order if one != cold] == [promised, task.id]


def test_what_a_supervisor_puts_first_comes_first_whatever_the_model_says_until_it_is_taken_back(
    bank: Bank,
) -> None:
    task = _waiting(bank)
    now = bank.clock.now
    fresh = {"worth_fades_minutes": 60.0, "worth_reach": 45.0, "moment_at": now}
    best = _like(bank, task, "best", worth_points=90.0, **fresh)
    worst = _like(bank, task, "worst", worth_points=-90.0, **fresh)
    row = bank.session.get_one(CallTask, worst)
    was = dispatches.as_it_is(row)
    assert dispatches.change(row, DispatchAct.PRIORITY_UP, None, now)
    bank.session.flush()
    assert list(tasks_callable(bank.session, now, 10, [bank.agent_id])) == [worst, best, task.id]
    dispatches.put_back(row, was, now)
    bank.session.flush()
    assert list(tasks_callable(bank.session, now, 10, [bank.agent_id])) == [best, task.id, worst]
    top = bank.session.get_one(CallTask, best)
    assert dispatches.change(top, DispatchAct.PRIORITY_DOWN, None, now)
    bank.session.flush()
    assert list(tasks_callable(bank.session, now, 10, [bank.agent_id]))[-1] == best


def _model(weight: float) -> Model:
    weights = [0.0] * len(FEATURES)
    weights[FEATURES.index("errors")] = weight
    nothing, ones = (0.0,) * len(FEATURES), (1.0,) * len(FEATURES)
    return Model(Rates(0.3, {}), nothing, ones, tuple(weights), 0.0, 1.0, 0.0)


def test_a_model_that_ranks_moves_the_worth_by_the_customers_chance(bank: Bank) -> None:
    _learned(bank, per_minute=4.0, usual=2.0)
    ranking.keep_model(bank.session, Trained(1_000, 300, model=_model(1.0)), bank.clock.now)
    task = _waiting(bank)
    # Two errors: log odds ln(1 + 2), so a chance of three in four; the rule's is 0.3.
    assert task.worth == pytest.approx(4.0 * 0.75 / 0.3)


@pytest.mark.parametrize("spoilt", [False, True])
def test_a_model_that_was_refused_or_tampered_with_moves_nothing(bank: Bank, spoilt: bool) -> None:
    _learned(bank, per_minute=4.0, usual=2.0)
    why_not = None if spoilt else "not_better"
    row = ranking.keep_model(
        bank.session, Trained(1_000, 300, model=_model(1.0), why_not=why_not), bank.clock.now
    )
    if spoilt:
        row.parameters = {**row.parameters, "intercept": 3.0}
    assert _waiting(bank).worth == 4.0


def test_only_what_lay_before_a_firing_is_known_of_it(bank: Bank) -> None:
    task = _waiting(bank)
    firing = bank.session.get_one(TriggerFiring, task.firing_id)
    outcome = bank.session.exec(select(Outcome)).one()
    outcome.converted_at = firing.fired_at + timedelta(minutes=5)
    later = TriggerFiring(
        **{
            **firing.model_dump(warnings=False),
            "id": derived_id("firing", "later"),
            "visit_seq": 2,
            "fired_at": firing.fired_at + timedelta(hours=1),
        }
    )
    bank.session.add(later)
    bank.session.flush()
    of_later = Outcome(**{**outcome.model_dump(warnings=False), "firing_id": later.id, "converted_at": None})
    bank.session.add(of_later)
    bank.session.flush()
    first, second = sorted(
        ranking.mature_firings(bank.session, bank.clock.now + timedelta(days=30)),
        key=lambda one: one.fired_at,
    )
    assert (first.converted, second.converted) == (True, False)
    known = [(one.facts.firings_before, one.facts.conversions_before) for one in (first, second)]
    assert known == [(0, 0), (1, 1)]
    assert (first.facts.errors, second.facts.visits_before) == (2, 1)
    assert ranking.mature_firings(bank.session, firing.fired_at + timedelta(minutes=30)) == [], (
        "windows are open"
    )


def _dialed(bank: Bank, firing_id: UUID, visit_id: UUID) -> None:
    firing, at = bank.session.get_one(TriggerFiring, firing_id), bank.clock.now
    who, task_id = firing.customer_id, derived_id("task", firing_id)
    bank.session.add(
        CallTask(
            id=task_id, firing_id=firing_id, customer_id=who, visit_id=visit_id, journey="loan", step="id_photo",
            rule_key=RULE, state=TaskState.COMPLETED, state_at=at, created_at=at, not_before_at=at, expires_at=at,
            closed_at=at, attempts=1,
        )
    )  # fmt: skip
    bank.session.flush()
    bank.session.add(
        ContactAttempt(
            id=derived_id("attempt", firing_id), call_task_id=task_id, customer_id=who, agent_id=bank.agent_id,
            firing_id=firing_id, to_number="+8613900000000", campaign="loan", caller_id="+15005550006",
            state=AttemptState.ENDED, result=CallResult.COMPLETED, claimed_at=at, last_news_at=at,
        )
    )  # fmt: skip


def test_the_night_learns_worth_from_what_was_counted(bank: Bank) -> None:
    rule = bank.session.exec(select(TriggerRule).where(TriggerRule.rule_key == RULE)).one()
    bank.sends("someone", "id_photo_front")
    visit = bank.session.exec(select(Visit)).one()
    at = bank.clock.now
    for number in range(250):
        who, firing_id = derived_id("many", number), derived_id("firing", number)
        held_out = number % 5 == 0
        bank.session.add(Customer(id=who, created_at=at, updated_at=at))
        bank.session.flush()
        bank.session.add(
            TriggerFiring(
                id=firing_id, rule_id=rule.id, rule_key=RULE, visit_id=visit.id, customer_id=who, journey="loan",
                step="id_photo", visit_seq=1, anchor_at=at, due_at=at, wake_at=at, fired_at=at, decided_at=at,
                fate=FiringFate.HELD_OUT if held_out else FiringFate.TASK, holdout_share=0.2,
            )
        )  # fmt: skip
        bank.session.flush()
        if not held_out:
            _dialed(bank, firing_id, visit.id)
        converted = number % 10 in (0, 1, 2, 3)
        bank.session.add(
            Outcome(
                firing_id=firing_id, customer_id=who, journey="loan", goal_position=3, window_from=at,
                window_until=at, converted_at=at if converted else None,
            )
        )  # fmt: skip
    bank.session.flush()
    assert prioritizing.learn_worth(bank.session, at) == "1 rules are ranked by what a call brings."
    (row,) = learned.worth_by_rule(bank.session)
    # Of 200 called 75 converted, of 50 held out 25: calling harms, and is worth nothing.
    assert (row.assigned, row.held_out, row.own_effect) == (200, 50, pytest.approx(75 / 200 - 0.5))
    assert row.per_minute == pytest.approx((75 / 200 - 0.5) * 100 / 5) and row.usual is None
    prioritizing.learn_worth(bank.session, at)
    assert len(learned.worth_by_rule(bank.session)) == 1


def test_what_is_left_out_is_on_the_models_card(bank: Bank) -> None:
    row = ranking.keep_model(bank.session, Trained(10, 3, why_not="too_few"), bank.clock.now)
    assert row.card["left_out"] == list(LEFT_OUT) and not row.is_used
