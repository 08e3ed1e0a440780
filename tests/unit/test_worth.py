"""What calls are worth: shrinkage against published figures, points that fade, and a person who counts for more."""

import math

import pytest

from callcenter.calltasks.policy import RAISED_POINTS, WORTH_POINTS_A_HALVING
from callcenter.learning.worth import (
    MOST_POINTS,
    POINTS_A_DOUBLING,
    OwnEffect,
    Pool,
    RuleCounts,
    chance_factor,
    own_effect,
    points_now,
    points_of,
    pool,
    reach_of,
    shrunk,
    usual_worth,
    worth_of_rules,
)

# Eight schools: A. Gelman et al., Bayesian Data Analysis, table 5.2: effects and standard errors.
SCHOOLS = [
    OwnEffect(d, s)
    for d, s in zip((28, 8, -3, 7, -1, 1, 18, 12), (15, 10, 16, 11, 9, 11, 10, 18), strict=True)
]
# Trials of different truth, so that the spread between them is above zero; see the test.
TRIALS = [OwnEffect(d, s) for d, s in ((0.30, 0.05), (0.02, 0.04), (0.15, 0.06), (-0.05, 0.05))]


def test_the_pooled_mean_of_the_eight_schools_is_the_published_one() -> None:
    everything = pool(SCHOOLS)
    assert everything is not None
    assert everything.between == 0.0, "their moment estimate is zero: all schools are drawn to the mean"
    assert everything.mean == pytest.approx(7.7, abs=0.05)
    assert [shrunk(one, everything) for one in SCHOOLS] == pytest.approx([everything.mean] * 8)


def test_the_spread_between_rules_is_that_of_the_formula_worked_by_hand() -> None:
    weights = [1 / one.deviation**2 for one in TRIALS]
    mean = sum(w * one.difference for w, one in zip(weights, TRIALS, strict=True)) / sum(weights)
    q = sum(w * (one.difference - mean) ** 2 for w, one in zip(weights, TRIALS, strict=True))
    expected = (q - 3) / (sum(weights) - sum(w**2 for w in weights) / sum(weights))
    everything = pool(TRIALS)
    assert everything is not None and everything.between == pytest.approx(expected)
    assert expected > 0.01


def test_the_less_is_known_the_further_an_effect_is_drawn_to_the_mean() -> None:
    everything = Pool(mean=0.04, between=0.0004)
    sure, unsure = OwnEffect(0.10, 0.005), OwnEffect(0.10, 0.05)
    assert shrunk(sure, everything) == pytest.approx((0.0004 * 0.10 + 0.000025 * 0.04) / 0.000425)
    assert 0.04 < shrunk(unsure, everything) < shrunk(sure, everything) < 0.10
    assert shrunk(None, everything) == 0.04


def test_a_lucky_small_rule_does_not_rank_before_a_proven_one() -> None:
    lucky = RuleCounts("lucky", 16, 4, 6, 0)
    proven = RuleCounts("proven", 8_000, 2_000, 1_280, 200)
    dull = [RuleCounts(f"dull{n}", 4_000, 1_000, 440, 100) for n in range(4)]
    worth = worth_of_rules(
        [lucky, proven, *dull], dict.fromkeys(("lucky", "proven", *(d.key for d in dull)), 1.0)
    )
    own = own_effect(lucky)
    assert own is not None and own.difference == pytest.approx(0.375)
    assert worth["lucky"].effect < worth["proven"].effect
    assert worth["dull0"].effect < worth["lucky"].effect


def test_a_split_that_is_not_as_drawn_and_a_missing_arm_give_no_effect_of_their_own() -> None:
    assert own_effect(RuleCounts("a", 100, 0, 10, 0)) is None
    assert own_effect(RuleCounts("a", 0, 100, 0, 10)) is None
    assert own_effect(RuleCounts("a", 100, 100, 10, 10, has_fair_split=False)) is None
    assert worth_of_rules([RuleCounts("a", 100, 0, 10, 0)], {"a": 1.0}) == {}
    both = worth_of_rules(
        [RuleCounts("a", 100, 0, 10, 0), RuleCounts("b", 80, 20, 20, 2)], {"a": 5.0, "b": 1.0}
    )
    assert both["a"].effect == both["b"].effect, "the pooled mean"
    assert both["a"].per_minute == pytest.approx(5 * both["b"].per_minute)


def test_worth_is_effect_times_value_by_the_rules_own_minutes_once_they_are_known() -> None:
    quick = RuleCounts("quick", 800, 200, 160, 20, minutes=2_000.0, tasks=1_000)
    slow = RuleCounts("slow", 800, 200, 160, 20, minutes=8_000.0, tasks=1_000)
    worth = worth_of_rules([quick, slow], {"quick": 100.0, "slow": 100.0})
    assert worth["quick"].minutes == pytest.approx((2_000 + 20 * 5) / 1_020)
    assert worth["slow"].minutes == pytest.approx((8_000 + 20 * 5) / 1_020)
    assert worth["quick"].per_minute == pytest.approx(worth["quick"].effect * 100 / worth["quick"].minutes)


def test_a_rule_whose_call_tasks_often_die_undialed_is_not_taken_to_bring_less_a_call() -> None:
    """Of `waits` half the assigned are dialed, so half the difference shows; a call brings the same."""
    swift = RuleCounts("swift", 8_000, 2_000, 1_600, 200, 32_000.0, 8_000, dialed=8_000)
    waits = RuleCounts("waits", 8_000, 2_000, 1_200, 200, 16_000.0, 4_000, dialed=4_000)
    worth = worth_of_rules([swift, waits], {"swift": 100.0, "waits": 100.0})
    assert worth["waits"].own and worth["swift"].own
    assert worth["waits"].own.difference == pytest.approx(worth["swift"].own.difference)
    assert worth["waits"].per_minute == pytest.approx(worth["swift"].per_minute, rel=0.01)
    assert worth["waits"].own.deviation > worth["swift"].own.deviation, "and less is known of it"
    assert own_effect(RuleCounts("nobody", 80, 20, 8, 2, dialed=0)) is None
    assert own_effect(RuleCounts("more", 80, 20, 8, 2, dialed=90)) == own_effect(
        RuleCounts("all", 80, 20, 8, 2)
    )


def test_points_count_doublings_and_fade_by_halvings() -> None:
    assert points_of(2.0, 2.0) == 0
    assert points_of(4.0, 2.0) == pytest.approx(POINTS_A_DOUBLING)
    assert points_of(1.0, None) == 0, "nothing to compare with"
    assert points_of(-0.1, 2.0) == points_of(0, 2.0) == -2 * MOST_POINTS
    assert points_now(36.0, 60, 60) == pytest.approx(36.0 - POINTS_A_DOUBLING)
    assert points_now(36.0, -5, 60) == 36.0
    assert points_now(MOST_POINTS + 20.0, 0, 60) == MOST_POINTS
    assert points_now(36.0, 10_000, 60) == -MOST_POINTS
    assert points_now(36.0, 0, 60, reach=4.9) == 4.9
    assert points_of(2 * math.pi, 2.0) > points_of(math.e, 2.0)


def test_worth_decides_inside_a_band_of_one_set_priority_and_never_across_bands() -> None:
    assert reach_of({"a": 50, "b": 50}) == {"a": MOST_POINTS, "b": MOST_POINTS}
    reach = reach_of({"a": 50, "b": 60, "c": 60, "d": 100})
    assert reach["b"] == reach["c"] == reach["a"] == pytest.approx(4.9)
    assert reach["d"] == pytest.approx(19.6)
    assert 50 + reach["a"] < 60 - reach["b"] and 60 + reach["b"] < 100 - reach["d"]
    assert reach_of({}) == {}


def test_usual_is_the_median_of_what_brings_something() -> None:
    worth = worth_of_rules([RuleCounts("a", 8_000, 2_000, 1_600, 200)], {"a": 10.0})
    assert usual_worth(list(worth.values())) == worth["a"].per_minute
    harms = worth_of_rules([RuleCounts("a", 8_000, 2_000, 800, 400)], {"a": 10.0})
    assert usual_worth(list(harms.values())) is None


def test_what_a_person_puts_first_counts_for_more_than_all_a_model_can_say() -> None:
    assert RAISED_POINTS > 2 * MOST_POINTS
    assert WORTH_POINTS_A_HALVING == POINTS_A_DOUBLING, "queue and page agree"


def test_a_model_moves_a_customers_chance_within_bounds() -> None:
    assert chance_factor(None, 0.2) == 1.0
    assert chance_factor(0.3, 0.2) == pytest.approx(1.5)
    assert (chance_factor(0.9, 0.1), chance_factor(0.001, 0.1)) == (4.0, 0.25)
