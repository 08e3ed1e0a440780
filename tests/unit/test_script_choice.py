"""Shares of script variants: who gets how many, what a customer draws, and that it pays."""

import numpy as np
import pytest

from callcenter.learning.rules import VariantCounts, VariantDraw
from callcenter.learning.script_choice import (
    AllocationMethod,
    Prior,
    allocate,
    choice_unit,
    draw_by_shares,
    even_shares,
    keep_or_draw,
    prior_from,
    probabilities_best,
)

TRUTH = (0.10, 0.12, 0.20)
DAYS, PER_DAY, LAG = 60, 20, 3


def test_one_variant_gets_everybody_and_two_get_half_whatever_happened() -> None:
    alone = allocate({"A": VariantCounts(0, 0)})
    assert (alone.method, dict(alone.shares)) == (AllocationMethod.ONLY_ONE, {"A": 1.0})
    two = allocate({"B": VariantCounts(900, 800), "A": VariantCounts(900, 1)})
    assert (two.method, dict(two.shares)) == (AllocationMethod.EVEN, {"A": 0.5, "B": 0.5})


def test_three_begin_even_and_move_to_the_better_above_a_floor() -> None:
    begin = allocate({name: VariantCounts(0, 0) for name in "ABC"})
    assert begin.method is AllocationMethod.THOMPSON
    assert list(begin.shares.values()) == pytest.approx([1 / 3] * 3, abs=1e-3)
    late = allocate({"A": VariantCounts(400, 40), "B": VariantCounts(400, 48), "C": VariantCounts(400, 80)})
    assert late.best["C"] > 0.99
    assert dict(late.shares) == pytest.approx({"A": 0.1, "B": 0.1, "C": 0.8}, abs=1e-6)
    assert late == allocate(
        {"C": VariantCounts(400, 80), "B": VariantCounts(400, 48), "A": VariantCounts(400, 40)}
    )


@pytest.mark.parametrize("k", [3, 4, 5, 6, 8])
def test_shares_add_up_and_nobody_is_below_the_floor(k: int) -> None:
    counts = {chr(65 + i): VariantCounts(100 + 37 * i, 5 + 9 * i) for i in range(k)}
    shares = allocate(counts).shares
    assert sum(shares.values()) == pytest.approx(1)
    assert min(shares.values()) >= min(0.1, 0.5 / k) - 1e-12


def test_the_probability_of_being_best_is_that_of_a_million_draws() -> None:
    counts = [VariantCounts(40, 6), VariantCounts(300, 30), VariantCounts(5, 1), VariantCounts(2_000, 260)]
    drawn = np.random.default_rng(7).beta(
        [[1 + one.converted] for one in counts],
        [[1 + one.n - one.converted] for one in counts],
        size=(4, 1_000_000),
    )
    simulated = np.bincount(drawn.argmax(axis=0), minlength=4) / 1_000_000
    assert probabilities_best(counts) == pytest.approx(simulated, abs=2e-3)


def test_two_posteriors_are_compared_as_the_exact_sum_says() -> None:
    """Beta(2, 3) beats Beta(3, 2) with probability 17/70: the finite sum of J. Cook, "Exact calculation of beta
    inequalities" (2005), done by hand."""
    weaker, stronger = VariantCounts(3, 1), VariantCounts(3, 2)
    assert probabilities_best([weaker, stronger])[0] == pytest.approx(17 / 70, abs=1e-4)


def test_a_prior_has_the_mean_of_past_variants_and_at_most_twenty_customers() -> None:
    alike = prior_from([VariantCounts(500, 50), VariantCounts(480, 49), VariantCounts(510, 50)])
    assert alike.weight == pytest.approx(20) and alike.a / alike.weight == pytest.approx(0.1, abs=2e-3)
    apart = prior_from([VariantCounts(500, 20), VariantCounts(500, 250), VariantCounts(500, 480)])
    assert 2 <= apart.weight < 4 and apart.a / apart.weight == pytest.approx(0.5, abs=1e-9)
    assert prior_from([]) == Prior(1, 1)
    light = prior_from([], own=[VariantCounts(98, 9)])
    assert light.weight == pytest.approx(2) and light.a == pytest.approx(0.2)


def test_the_spread_of_simulated_past_scripts_is_found_again() -> None:
    rng = np.random.default_rng(3)
    rates = rng.beta(1.2, 10.8, size=400)
    past = [VariantCounts(300, int(rng.binomial(300, rate))) for rate in rates]
    found = prior_from(past)
    assert found.weight == pytest.approx(12, rel=0.2) and found.a / found.weight == pytest.approx(
        0.1, abs=0.01
    )


def test_the_logged_propensity_is_how_often_a_variant_is_drawn() -> None:
    shares = {"A": 0.1, "B": 0.25, "C": 0.65}
    drawn = [draw_by_shares(choice_unit("s", "id_photo", str(i), "ABC"), shares) for i in range(20_000)]
    assert all(one.propensity == shares[one.variant] for one in drawn)
    for name, share in shares.items():
        deviation = (20_000 * share * (1 - share)) ** 0.5
        assert abs(sum(one.variant == name for one in drawn) - 20_000 * share) < 3.5 * deviation


def test_draws_for_two_scripts_are_independent() -> None:
    both = [
        (choice_unit("s", "one", str(i), "ABC") < 0.5, choice_unit("s", "two", str(i), "ABC") < 0.5)
        for i in range(10_000)
    ]
    assert abs(sum(a and b for a, b in both) - 2_500) < 3.5 * (10_000 * 0.25 * 0.75) ** 0.5


def test_a_customer_keeps_variant_and_propensity_while_the_shares_move() -> None:
    first = keep_or_draw(None, even_shares("ABC"), "s", "id_photo", "c-1")
    assert first.propensity == pytest.approx(1 / 3)
    for moved in (
        {"A": 0.8, "B": 0.1, "C": 0.1},
        {"A": 0.1, "B": 0.1, "C": 0.8},
        {"A": 0.1, "B": 0.8, "C": 0.1},
    ):
        assert keep_or_draw(first, moved, "s", "id_photo", "c-1") == first


def test_who_heard_a_variant_that_is_gone_draws_anew_from_what_is_left() -> None:
    gone = VariantDraw("D", 0.2)
    drawn = [keep_or_draw(gone, {"A": 0.5, "B": 0.5}, "s", "id_photo", str(i)).variant for i in range(4_000)]
    assert set(drawn) == {"A", "B"} and abs(drawn.count("A") - 2_000) < 120


@pytest.mark.parametrize(
    "unit,shares", [(1.0, {"A": 1.0}), (-0.1, {"A": 1.0}), (0.5, {"A": 0.5}), (0.5, {"A": 1.5, "B": -0.5})]
)
def test_what_cannot_be_drawn_from_is_refused(unit: float, shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"unit|shares"):
        draw_by_shares(unit, shares)


def test_a_name_with_the_separator_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        choice_unit("s", "a|b", "1", "AB")


def _sixty_days(seed: int) -> tuple[int, bool]:
    """Play 60 days of 20 outcomes that are known three days later; conversions, and whether C was found best."""
    rng = np.random.default_rng(seed)
    n, converted = np.zeros((DAYS, 3), int), np.zeros((DAYS, 3), int)
    for day in range(DAYS):
        known = slice(0, max(0, day - LAG + 1))
        counts = {
            name: VariantCounts(int(n[known, k].sum()), int(converted[known, k].sum()))
            for k, name in enumerate("ABC")
        }
        shares = list(allocate(counts, prior_from([], list(counts.values()))).shares.values())
        n[day] = rng.multinomial(PER_DAY, shares)
        converted[day] = rng.binomial(n[day], TRUTH)
    totals = [VariantCounts(int(n[:, k].sum()), int(converted[:, k].sum())) for k in range(3)]
    return int(converted.sum()), int(probabilities_best(totals).argmax()) == 2


def test_sixty_days_bring_a_fifth_more_conversions_than_an_even_split_and_find_the_best() -> None:
    runs = [_sixty_days(seed) for seed in range(25)]
    even = DAYS * PER_DAY * sum(TRUTH) / 3
    assert np.mean([won for won, _ in runs]) >= 1.20 * even
    assert np.mean([found for _, found in runs]) >= 0.95
