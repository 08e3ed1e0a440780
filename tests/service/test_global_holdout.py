"""Some customers are called by no rule, unless regulation or decency demands it; counts follow the draw."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter import pipeline
from callcenter.domain.enums import FiringFate
from callcenter.domain.ids import derived_id
from callcenter.errors import BadInput
from callcenter.journeys.queries import journeys_loaded
from callcenter.learning.queries import counts_per_rule
from callcenter.learning.together import counts_of_all_rules
from callcenter.models import Customer, Outcome, TriggerFiring, Visit
from callcenter.triggers import service as triggers
from callcenter.triggers.policy import read_rule
from callcenter.triggers.queries import current_version
from tests.factories import Bank, user_in_arm

RULE = "id-photo-trouble"


def _trouble(bank: Bank, user: str) -> TriggerFiring:
    bank.knows(user)
    bank.sends(user, "id_photo_front")
    for _ in range(2):
        bank.sends(user, "photo_rejected", reason="glare")
    pipeline.fire_due_visits(bank.session, bank.clock.now)
    pipeline.decide_firings(bank.session, bank.house, bank.clock.now)
    bank.session.commit()
    return [one for one in bank.firings() if one.rule_key == RULE][-1]


def _says(bank: Bank, **entries: object) -> None:
    current = current_version(bank.session, RULE)
    assert current is not None
    journey = journeys_loaded(bank.session)[current.journey]
    triggers.adopt_rule(bank.session, {**current.definition, **entries}, journey, bank.clock.now)
    bank.session.commit()


def test_who_is_held_out_of_everything_is_called_by_no_rule(bank: Bank) -> None:
    bank.house = replace(bank.house, global_holdout=1.0)
    _says(bank, holdout=0)
    firing = _trouble(bank, "anybody")
    assert (firing.fate, firing.holdout_share) == (FiringFate.HELD_OUT, 1.0)
    assert bank.tasks() == []


def test_an_exempt_rule_calls_everybody_and_says_why(bank: Bank) -> None:
    bank.house = replace(bank.house, global_holdout=1.0)
    _says(bank, holdout=0, exempt="Fraud warnings are owed to everybody.")
    firing = _trouble(bank, "anybody")
    assert (firing.fate, firing.holdout_share) == (FiringFate.TASK, 0.0)


@pytest.mark.parametrize(
    "entries", [{"exempt": "  ", "holdout": 0}, {"exempt": "x" * 301, "holdout": 0}, {"exempt": "why"}]
)
def test_an_exemption_needs_a_reason_and_no_hold_out_of_its_own(
    bank: Bank, entries: dict[str, object]
) -> None:
    current = current_version(bank.session, RULE)
    assert current is not None
    raw = {name: value for name, value in current.definition.items() if name != "holdout"} | entries
    with pytest.raises(BadInput, match="exempt"):
        read_rule(raw, journeys_loaded(bank.session)[current.journey])


@pytest.mark.parametrize("entry", [{"value": -1}, {"value": "much"}, {"fades": "10s"}, {"fades": "40d"}])
def test_worth_is_an_amount_and_fades_within_bounds(bank: Bank, entry: dict[str, object]) -> None:
    current = current_version(bank.session, RULE)
    assert current is not None
    with pytest.raises(BadInput, match=next(iter(entry))):
        read_rule({**current.definition, **entry}, journeys_loaded(bank.session)[current.journey])


def _copies(bank: Bank, like: TriggerFiring, units: list[tuple[float, float, bool]]) -> None:
    """Firings of customers of their own: (unit, share, converted)."""
    at = like.fired_at
    for number, (unit, share, converted) in enumerate(units):
        who, firing_id = derived_id("who", number, share), derived_id("of", number, share)
        bank.session.add(Customer(id=who, created_at=at, updated_at=at))
        bank.session.flush()
        fate = FiringFate.HELD_OUT if unit < share else FiringFate.TASK
        values = {**like.model_dump(warnings=False), "id": firing_id, "customer_id": who, "fate": fate}
        bank.session.add(TriggerFiring(**{**values, "holdout_unit": unit, "holdout_share": share}))
        bank.session.flush()
        bank.session.add(
            Outcome(
                firing_id=firing_id, customer_id=who, journey="loan", goal_position=3, window_from=at,
                window_until=at, converted_at=at if converted else None,
            )
        )  # fmt: skip
    bank.session.flush()


def test_all_rules_together_are_judged_by_those_whom_none_calls(bank: Bank) -> None:
    firing = _trouble(bank, user_in_arm(RULE, held_out=False))
    assert bank.session.get(Visit, firing.visit_id)
    _copies(
        bank,
        firing,
        [(0.01, 0.2, True), (0.015, 0.2, False), (0.1, 0.2, True), (0.5, 0.2, True), (0.9, 0.2, False)],
    )
    firing.holdout_share = 0.0  # that of an exempt rule counts for neither
    bank.session.flush()
    counts = counts_of_all_rules(bank.session, 0.02, firing.fired_at - timedelta(days=1))
    assert (counts.held_out, counts.converted_held_out) == (2, 1)
    assert (counts.assigned, counts.converted_assigned) == (3, 2), "also those one rule alone holds out"


def test_after_the_share_was_changed_only_what_was_drawn_with_the_new_one_counts(bank: Bank) -> None:
    firing = _trouble(bank, user_in_arm(RULE, held_out=False))
    _copies(bank, firing, [(0.1, 0.2, True), (0.5, 0.2, True), (0.9, 0.2, False)])
    assert counts_per_rule(bank.session)[RULE].arms.fired == 4
    bank.clock.go_on(days=1)
    _says(bank, holdout=0.1)
    newest = _trouble(bank, user_in_arm(RULE, held_out=False, share=0.1, at=bank.clock.now) + "-late")
    found = counts_per_rule(bank.session)[RULE]
    assert newest.holdout_share == 0.1
    assert (found.holdout_share, found.arms.fired) == (0.1, 1)
