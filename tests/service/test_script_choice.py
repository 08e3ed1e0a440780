"""Which variant a customer hears, night by night, and what the nights keep."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import col, select

from callcenter import choosing, proposing
from callcenter.best_scripts import best_of_rule
from callcenter.domain.ids import derived_id
from callcenter.learning.help_queries import all_what_helps, what_helps
from callcenter.learning.script_queries import (
    allocation_in_force,
    drawn_cells,
    paths_of_script,
    shares_of,
    standings_of_script,
)
from callcenter.learning.service import draw_script
from callcenter.learning.variants import StandingVerdict
from callcenter.models import CallTask, Outcome, Proposal, ScriptAllocation
from callcenter.scripting.queries import script_of_task
from callcenter.web.proposal_words import gain_words
from scripts_library.facts import sample_facts
from tests.factories import Bank, user_in_arm
from tests.past_calls import GLARE, RULE, Past, past_calls, with_a_third_variant

THIRD = 1 / 3


def test_before_the_first_night_variants_are_even_and_afterwards_the_better_ones_get_more(bank: Bank) -> None:
    catalog = with_a_third_variant(bank.house.catalog)
    people = [derived_id("customer", number) for number in range(300)]
    before = {one: draw_script(bank.session, GLARE, 1, "ABC", one) for one in people}
    assert {(one.propensity, one.allocated_on) for one in before.values()} == {(THIRD, None)}
    past_calls(
        bank,
        Past(150, 15, "A", THIRD),
        Past(150, 18, "B", THIRD),
        Past(150, 60, "C", THIRD),
        Past(80, 80, "A", THIRD, days_ago=1),  # their windows are open
    )
    said = choosing.allocate_scripts(bank.session, bank.clock.now, catalog)
    assert "from 450 customers" in said and "1 by outcomes" in said
    allocation = allocation_in_force(bank.session, GLARE, 1)
    assert allocation and allocation.method == "thompson"
    assert {name: (arm["n"], arm["converted"]) for name, arm in allocation.arms.items()} == {
        "A": (150, 15), "B": (150, 18), "C": (150, 60),
    }  # fmt: skip
    assert shares_of(allocation) == pytest.approx({"A": 0.1, "B": 0.1, "C": 0.8}, abs=0.001)
    after = [draw_script(bank.session, GLARE, 1, "ABC", one) for one in people]
    assert {one.allocated_on for one in after} == {bank.clock.now.date()}
    assert all(one.propensity == pytest.approx(shares_of(allocation)[one.variant]) for one in after)
    assert 0.74 < sum(one.variant == "C" for one in after) / len(after) < 0.86


def _three(*converted: int, script_id: str = GLARE) -> list[Past]:
    """Five hundred customers each of A, B and C, so many of them converted."""
    return [
        Past(500, won, variant, THIRD, script_id=script_id)
        for variant, won in zip("ABC", converted, strict=True)
    ]


def test_that_a_rule_says_its_best_variant_to_everybody_is_proposed_once_all_others_are_beaten(
    bank: Bank,
) -> None:
    catalog = with_a_third_variant(bank.house.catalog)
    past_calls(bank, *_three(50, 60, 72))
    choosing.allocate_scripts(bank.session, bank.clock.now, catalog)
    assert best_of_rule(bank.session, RULE, bank.clock.now) is None, "C may be better by chance"
    past_calls(
        bank,
        *_three(50, 60, 170),
        Past(60, 9, "A", script_id="sign_in"),
        Past(60, 9, "B", script_id="sign_in"),
    )
    assert "1 proposals made" in proposing.propose(bank.session, 0.0, bank.clock.now)
    (made,) = bank.session.exec(select(Proposal))
    assert (made.kind, made.rule_key, made.definition["variant"]) == ("variant", RULE, "C")
    told = made.evidence
    assert (told["variant"], told["against"], told["a"], told["b"]) == ("C", "B", [242, 1_000], [120, 1_000])
    assert told["evidence"] >= 60 and told["difference"][0] > 0
    assert gain_words(made).startswith("C against B: +12.2 points (+")


def test_a_variant_is_not_proposed_while_another_script_of_the_rule_that_has_it_is_undecided(
    bank: Bank,
) -> None:
    catalog = with_a_third_variant(with_a_third_variant(bank.house.catalog), "sign_in")
    past_calls(bank, *_three(100, 120, 340), *_three(100, 110, 105, script_id="sign_in"))
    choosing.allocate_scripts(bank.session, bank.clock.now, catalog)
    assert best_of_rule(bank.session, RULE, bank.clock.now) is None
    assert "0 proposals made" in proposing.propose(bank.session, 0.0, bank.clock.now)


def test_a_second_run_of_the_night_changes_nothing_and_the_next_night_adds_its_own(bank: Bank) -> None:
    first = choosing.allocate_scripts(bank.session, bank.clock.now, bank.house.catalog)
    scripts = {one.id for one in bank.house.catalog.scripts}
    assert f"{len(scripts)} new today" in first
    past_calls(bank, Past(60, 30, "A"), Past(60, 3, "B"))
    assert "0 new today" in choosing.allocate_scripts(bank.session, bank.clock.now, bank.house.catalog)
    kept = allocation_in_force(bank.session, GLARE, 1)
    assert kept and kept.arms["A"]["n"] == 0
    choosing.allocate_scripts(bank.session, bank.clock.go_on(days=1), bank.house.catalog)
    newest = allocation_in_force(bank.session, GLARE, 1)
    assert newest and (newest.arms["A"]["n"], newest.method) == (60, "even")
    assert shares_of(newest) == {"A": 0.5, "B": 0.5}
    assert (
        len(bank.session.exec(select(ScriptAllocation).where(ScriptAllocation.script_id == GLARE)).all()) == 2
    )


def test_the_prior_comes_from_other_scripts_of_the_journey_and_older_words(bank: Bank) -> None:
    past_calls(
        bank,
        *(
            Past(100, 20, variant, script_id=script, version="1.2")
            for script in ("sign_in", "register")
            for variant in "AB"
        ),
        Past(100, 22, "A", version="0.2"),
    )
    choosing.allocate_scripts(bank.session, bank.clock.now, bank.house.catalog)
    kept = allocation_in_force(bank.session, GLARE, 1)
    assert kept and kept.past_variants == 5
    assert kept.prior_a / (kept.prior_a + kept.prior_b) == pytest.approx(102 / 500)
    assert kept.prior_a + kept.prior_b == pytest.approx(20)
    assert kept.arms["A"]["n"] == 0  # who heard the older words does not count for the new ones


def test_a_customer_keeps_their_variant_for_every_rule_and_call_while_the_shares_move(bank: Bank) -> None:
    user = user_in_arm(RULE, held_out=False)
    customer = bank.knows(user)
    bank.sends(user, "id_photo_front")
    for attempt in (1, 2):
        bank.sends(user, "photo_rejected", reason="glare", attempt=attempt)
    bank.ticks()
    (task,) = bank.tasks()
    assert (task.script_id, task.script_propensity, task.script_allocated_on) == (GLARE, 0.5, None)
    other = "B" if task.script_variant == "A" else "A"
    past_calls(
        bank,
        Past(200, 100, other, THIRD),
        Past(200, 2, str(task.script_variant), THIRD),
        Past(200, 2, "C", THIRD),
    )
    choosing.allocate_scripts(bank.session, bank.clock.now, with_a_third_variant(bank.house.catalog))
    again = draw_script(bank.session, GLARE, 1, "ABC", customer.id)
    assert (again.variant, again.propensity, again.allocated_on) == (task.script_variant, 0.5, None)
    gone = draw_script(bank.session, GLARE, 1, [other, "C"], customer.id)
    assert gone.variant in (other, "C") and gone.propensity == 0.5


def test_a_call_task_opened_after_the_night_keeps_the_day_of_its_shares(bank: Bank) -> None:
    choosing.allocate_scripts(bank.session, bank.clock.now, bank.house.catalog)
    user = user_in_arm(RULE, held_out=False)
    bank.knows(user)
    bank.sends(user, "id_photo_front")
    for attempt in (1, 2):
        bank.sends(user, "photo_rejected", reason="glare", attempt=attempt)
    bank.ticks()
    (task,) = bank.tasks()
    assert (task.script_propensity, task.script_allocated_on) == (0.5, bank.clock.now.date())


def test_new_words_begin_even_until_their_first_night(bank: Bank) -> None:
    past_calls(bank, Past(100, 5, "A", THIRD), Past(100, 5, "B", THIRD), Past(100, 60, "C", THIRD))
    choosing.allocate_scripts(bank.session, bank.clock.now, with_a_third_variant(bank.house.catalog))
    old = draw_script(bank.session, GLARE, 1, "ABC", derived_id("customer", "new one"))
    new = draw_script(bank.session, GLARE, 2, "ABC", derived_id("customer", "new one"))
    assert old.propensity != pytest.approx(THIRD) and old.allocated_on
    assert (new.propensity, new.allocated_on) == (pytest.approx(THIRD), None)


def test_each_customer_counts_once_by_the_first_call_and_with_the_shares_of_that_day(bank: Bank) -> None:
    catalog = with_a_third_variant(bank.house.catalog)
    past_calls(bank, Past(60, 6, "A", THIRD), Past(60, 6, "B", THIRD), Past(60, 30, "C", THIRD))
    day = bank.clock.now.date()
    choosing.allocate_scripts(bank.session, bank.clock.now, catalog)
    kept = allocation_in_force(bank.session, GLARE, 1)
    assert kept
    shares = shares_of(kept)
    bank.clock.go_on(days=20)
    another = bank.another_agent("zhao")
    past_calls(bank, Past(30, 15, "C", shares["C"], day, agent_id=another), Past(5, 0, "A", shares["A"], day))
    cells = drawn_cells(bank.session, GLARE, 1, bank.clock.now)
    assert sum(cell.n for cell in cells) == 215
    (late,) = (cell for cell in cells if cell.agent == str(another))
    assert (late.variant, late.n, late.converted, dict(late.shares)) == ("C", 30, 15, pytest.approx(shares))
    assert {tuple(cell.shares.values()) for cell in cells if cell.agent != str(another) and cell.n > 5} == {
        (THIRD,) * 3
    }
    told = {one.variant: one for one in standings_of_script(bank.session, GLARE, 1, "ABC", bank.clock.now)}
    assert told["C"].verdict is StandingVerdict.BETTER and told["C"].within_agents
    past_calls(bank, Past(60, 60, "C", THIRD, days_ago=5, again_from=0))  # called again: no new evidence
    assert drawn_cells(bank.session, GLARE, 1, bank.clock.now) == cells


def test_branches_and_objections_are_counted_once_a_call_and_only_what_followed_counts(bank: Bank) -> None:
    light = (("where_from", "1-tilt"),)
    past_calls(
        bank,
        Past(20, 12, path=(*light, *light)),
        Past(4, 4, path=light, days_ago=1),  # window open: taken, but not yet counted as gone on or not
        Past(10, 1, "B", objection="rate"),
    )
    converted = select(Outcome).join(CallTask, col(CallTask.firing_id) == col(Outcome.firing_id))
    early = bank.session.exec(
        converted.where(CallTask.script_variant == "B", col(Outcome.converted_at).is_not(None))
    ).one()
    early.converted_at = early.window_from + timedelta(minutes=1)  # before the objection was heard
    bank.session.commit()
    counts = {
        (one.node, one.branch, one.objection): one
        for one in paths_of_script(bank.session, GLARE, 1, bank.clock.now)
    }
    taken = counts["where_from", "1-tilt", None]
    assert (taken.calls, taken.matured, taken.converted) == (24, 20, 12)
    heard = counts[None, None, "rate"]
    assert (heard.calls, heard.matured, heard.converted) == (10, 9, 0)


def test_what_helps_is_kept_for_step_error_and_reason_with_enough_calls(bank: Bank) -> None:
    script = bank.house.catalog.get(GLARE, "en")
    helping = next(
        (node, branch)
        for id_, node, branch in sorted(choosing.helping_branches(bank.house.catalog))
        if id_ == GLARE
    )
    works = next(
        (node.id, f"{one.digit}-{one.goto}")
        for node in script.nodes
        for one in node.branches
        if one.goto == "it_works"
    )
    past_calls(
        bank,
        Past(24, 15, path=(helping, works), causes=("technical",)),
        Past(10, 2, causes=("technical", "usability")),
        Past(6, 0, causes=("usability",), reason="blurred"),
        Past(50, 0, reached=False),
    )
    choosing.note_what_helps(bank.session, bank.clock.now, bank.house.catalog)
    kept = {one.error: one for one in all_what_helps(bank.session)}
    assert {error: one.calls for error, one in kept.items()} == {
        "": 40,
        "photo_rejected": 40,
        "photo_rejected:glare": 34,
    }
    assert kept[""].causes == [{"cause": "technical", "count": 34}, {"cause": "usability", "count": 16}]
    (branch,) = kept["photo_rejected:glare"].branches
    assert (branch["script_id"], branch["node"], branch["branch"]) == (GLARE, *helping)
    assert (branch["calls"], branch["went_on"]) == (24, 15) and branch["low"] < 15 / 24 < branch["high"]
    place = ("loan", "id_photo")
    found = what_helps(bank.session, *place, ["photo_rejected:glare", "photo_rejected", ""])
    assert found and found.error == "photo_rejected:glare"
    found = what_helps(bank.session, *place, ["photo_rejected:blurred", "photo_rejected", ""])
    assert found and found.error == "photo_rejected"
    assert what_helps(bank.session, "loan", "register", [""]) is None


def test_what_helps_forgets_what_is_too_long_ago(bank: Bank) -> None:
    past_calls(bank, Past(40, 20, causes=("technical",), days_ago=80))
    assert choosing.note_what_helps(bank.session, bank.clock.now).startswith("3 ")
    assert choosing.note_what_helps(bank.session, bank.clock.go_on(days=20)).startswith("0 ")
    assert all_what_helps(bank.session) == []


def test_a_call_about_a_variant_the_library_lost_is_still_shown(bank: Bank) -> None:
    past_calls(bank, Past(1, 0, "C", THIRD))
    (task,) = bank.tasks()
    shown = script_of_task(bank.house.catalog, task, "en", sample_facts("en"))
    assert shown and shown.variant == "A"
    third = replace(bank.house, catalog=with_a_third_variant(bank.house.catalog))
    shown = script_of_task(third.catalog, task, "en", sample_facts("en"))
    assert shown and shown.variant == "C" and shown.reason.endswith("Now.")
