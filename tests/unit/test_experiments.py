"""Judging an experiment: printed figures, an independent calculation, and agreement with the live page."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binom

from callcenter.learning.compliers import Arm, ReachRefusal, effect_on_reached
from callcenter.learning.evidence import Share, case_split_evidence, firings_needed
from callcenter.learning.experiments import (
    Analysis,
    Design,
    ExperimentVerdict,
    effect_of_experiment,
    watch,
)
from callcenter.learning.rules import ArmCounts, effect_of_rule
from callcenter.learning.strata import Stratum, stratified_effect
from callcenter.learning.two_shares import difference_interval, no_difference_p_value, ratio_interval


def arm(converted: int, n: int, reached: int = 0, both: int = 0) -> Arm:
    return Arm(n, reached, converted, both)


@st.composite
def shares(draw: st.DrawFn) -> Share:
    n = draw(st.integers(min_value=1, max_value=3000))
    return Share(draw(st.integers(min_value=0, max_value=n)), n)


# --- two shares


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        (Share(56, 70), Share(48, 80), 0.0528, 0.3382),
        (Share(9, 10), Share(3, 10), 0.1700, 0.8406),
        (Share(6, 7), Share(2, 7), 0.0342, 0.8534),
        (Share(5, 56), Share(0, 29), -0.0326, 0.1933),
        (Share(0, 10), Share(0, 20), -0.1658, 0.2844),
        (Share(0, 10), Share(0, 10), -0.2879, 0.2879),
        (Share(10, 10), Share(0, 20), 0.7156, 1.0),
        (Share(10, 10), Share(0, 10), 0.6636, 1.0),
    ],
)
def test_the_difference_has_the_ends_that_newcombe_printed(
    one: Share, other: Share, low: float, high: float
) -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998), Table II, method 6 (Miettinen and Nurminen)."""
    found = difference_interval(one, other)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        (Share(56, 70), Share(48, 80), 1.07905, 1.67215),
        (Share(9, 10), Share(3, 10), 1.32796, 8.69191),
        (Share(6, 7), Share(2, 7), 1.06369, 11.14777),
        (Share(5, 56), Share(0, 29), 0.7175, math.inf),
        (Share(150, 1000), Share(40, 400), 1.08493, 2.0879),
    ],
)
def test_the_ratio_has_the_ends_of_another_program(one: Share, other: Share, low: float, high: float) -> None:
    """statsmodels 0.14, confint_proportions_2indep(compare="ratio", method="score", correction=True)."""
    found = ratio_interval(one, other)
    assert (round(found.low, 5), round(found.high, 5)) == (low, high)


def brute_score(one: Share, other: Share, delta: float) -> float:
    """The score statistic with the constrained shares found by searching the likelihood, not by a cubic."""

    def against(base: float) -> float:
        return -float(
            binom.logpmf(other.count, other.of, base) + binom.logpmf(one.count, one.of, base + delta)
        )

    bounds = (max(0.0, -delta) + 1e-12, min(1.0, 1 - delta) - 1e-12)
    base = minimize_scalar(against, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
    spread = (base + delta) * (1 - base - delta) / one.of + base * (1 - base) / other.of
    n = one.of + other.of
    return (one.count / one.of - other.count / other.of - delta) / math.sqrt(spread * n / (n - 1))


@pytest.mark.parametrize(
    ("one", "other"),
    [(Share(37, 410), Share(5, 98)), (Share(3, 40), Share(4, 11)), (Share(90, 95), Share(7, 9))],
)
def test_at_its_ends_the_searched_likelihood_gives_the_quantile(one: Share, other: Share) -> None:
    found = difference_interval(one, other, alpha=0.1)
    assert brute_score(one, other, found.low) == pytest.approx(1.644854, abs=1e-4)
    assert brute_score(one, other, found.high) == pytest.approx(-1.644854, abs=1e-4)


@given(shares(), shares(), st.sampled_from([0.01, 0.05, 0.2]))
@settings(max_examples=80, deadline=None)
def test_difference_ratio_and_p_value_never_contradict_each_other(
    one: Share, other: Share, alpha: float
) -> None:
    difference, ratio = difference_interval(one, other, alpha), ratio_interval(one, other, alpha)
    assert -1 <= difference.low <= difference.point <= difference.high <= 1
    assert 0 <= ratio.low <= ratio.point <= ratio.high
    p_value = no_difference_p_value(one, other)
    if abs(p_value - alpha) > 1e-9:
        assert (p_value < alpha) == (not difference.low <= 0 <= difference.high)
        assert (p_value < alpha) == (not ratio.low <= 1 <= ratio.high)


@given(shares(), shares())
@settings(max_examples=60, deadline=None)
def test_changing_places_turns_the_sign_and_the_ratio(one: Share, other: Share) -> None:
    there, back = difference_interval(one, other), difference_interval(other, one)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-7)
    over, under = ratio_interval(one, other), ratio_interval(other, one)
    if under.high not in (0.0, math.inf):
        assert over.low == pytest.approx(1 / under.high, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("p1", "p0"), [(0.1, 0.1), (0.3, 0.15), (0.05, 0.2), (0.6, 0.5)])
def test_the_difference_is_covered_as_often_as_promised_in_every_possible_sample(
    p1: float, p0: float
) -> None:
    covered = 0.0
    for x1 in range(61):
        for x0 in range(16):
            chance = binom.pmf(x1, 60, p1) * binom.pmf(x0, 15, p0)
            if chance > 1e-7:
                found = difference_interval(Share(x1, 60), Share(x0, 15))
                covered += chance * (found.low <= p1 - p0 <= found.high)
    assert 0.935 <= covered <= 0.985


def test_two_shares_refuse_nonsense() -> None:
    with pytest.raises(ValueError, match="member"):
        difference_interval(Share(0, 0), Share(1, 2))
    with pytest.raises(ValueError, match="alpha"):
        ratio_interval(Share(1, 2), Share(1, 2), alpha=1.0)


# --- the reached


VITAMIN_A = Arm(12_094, 9_675, 12_048, 9_663), Arm(11_588, 0, 11_514, 0)
"""A. Sommer and S. Zeger, Statistics in Medicine 10 (1991): children alive, vitamin A assigned and taken."""


def test_the_effect_on_compliers_is_that_of_the_textbook() -> None:
    """G. Imbens and D. Rubin, Causal Inference (2015), chapter 23: 0.0032, standard error 0.0012."""
    found = effect_on_reached(*VITAMIN_A)
    assert found.effect is not None and found.standard_error is not None
    assert round(found.net_contact, 3) == 0.800
    assert (round(found.effect.point, 4), round(found.standard_error, 4)) == (0.0032, 0.0012)
    assert (round(found.effect.low, 4), round(found.effect.high, 4)) == (0.0010, 0.0055)


def test_the_interval_of_compliers_by_rows_agrees_with_the_counts() -> None:
    assigned, held = Arm(400, 150, 80, 55), Arm(120, 12, 15, 4)
    found = effect_on_reached(assigned, held)
    assert found.effect is not None

    def rows(one: Arm) -> tuple[np.ndarray, np.ndarray]:
        both = one.reached_and_converted
        cells = [
            (1, 1, both),
            (1, 0, one.reached - both),
            (0, 1, one.converted - both),
            (0, 0, one.n - one.reached - one.converted + both),
        ]
        d, y = (np.repeat([c[i] for c in cells], [c[2] for c in cells]).astype(float) for i in (0, 1))
        return d, y

    (d1, y1), (d0, y0) = rows(assigned), rows(held)
    for end in (found.effect.low, found.effect.high):
        u1, u0 = y1 - end * d1, y0 - end * d0
        z = (u1.mean() - u0.mean()) / math.sqrt(u1.var() / len(u1) + u0.var() / len(u0))
        assert abs(z) == pytest.approx(1.959964, abs=1e-5)


def test_too_few_reached_get_no_effect() -> None:
    held = Arm(200, 0, 20, 0)
    assert effect_on_reached(Arm(800, 0, 90, 0), held).refusal is ReachRefusal.NOBODY_REACHED
    assert effect_on_reached(Arm(800, 29, 90, 9), held).refusal is ReachRefusal.TOO_FEW_REACHED
    assert effect_on_reached(Arm(800, 30, 90, 9), held).refusal is None
    reached_anyway = Arm(200, 90, 20, 12)
    weak = effect_on_reached(Arm(800, 400, 90, 60), reached_anyway)
    assert weak.refusal is ReachRefusal.WEAK_CONTACT and weak.effect is None


def test_an_arm_refuses_counts_that_cannot_be() -> None:
    for counts in [(10, 11, 1, 1), (10, 5, 5, 6), (10, 8, 8, 5), (10, 1, -1, 0)]:
        with pytest.raises(ValueError, match="fit"):
            Arm(*counts)


# --- strata


UGDP = [Stratum("under 55", arm(8, 106), arm(5, 120)), Stratum("55 and over", arm(22, 98), arm(16, 85))]
"""Deaths in the University Group Diabetes Program, as in Rothman, Greenland and Lash, Modern Epidemiology."""

BREAST_CANCER = [
    Stratum("I", arm(2, 12), arm(5, 55)),
    Stratum("II", arm(9, 22), arm(17, 74)),
    Stratum("III", arm(12, 14), arm(9, 15)),
]
"""S. Newman, Biostatistical Methods in Epidemiology (2001), Table 5.3: low and high receptor level."""


def test_strata_give_the_textbooks_estimates() -> None:
    found = stratified_effect(UGDP)
    assert found.difference is not None and found.risk_ratio is not None
    assert (round(found.difference.point, 3), round(found.risk_ratio.point, 2)) == (0.035, 1.33)
    newman = stratified_effect(BREAST_CANCER).risk_ratio
    assert newman is not None and round(newman.point, 2) == 1.62
    assert (round(newman.low, 2), round(newman.high, 2)) == (1.09, 2.39)


@given(shares(), shares())
@settings(max_examples=40, deadline=None)
def test_one_stratum_is_the_plain_comparison_and_a_one_armed_one_changes_nothing(
    one: Share, other: Share
) -> None:
    whole = [Stratum("all", arm(one.count, one.of), arm(other.count, other.of))]
    found = stratified_effect([*whole, Stratum("alone", arm(3, 9), arm(0, 0))])
    alone = stratified_effect(whole)
    assert found.difference == alone.difference and found.left_out == 9
    assert alone.difference is not None
    assert alone.difference.point == pytest.approx(one.count / one.of - other.count / other.of, abs=1e-12)


def test_satos_error_of_one_large_stratum_is_that_of_two_shares() -> None:
    found = stratified_effect([Stratum("all", arm(800, 4000), arm(150, 1000))]).difference
    assert found is not None
    error = math.sqrt(0.2 * 0.8 / 4000 + 0.15 * 0.85 / 1000)
    assert (found.high - found.low) / 2 == pytest.approx(1.959964 * error, rel=0.01)


def test_strata_see_through_a_mix_that_turns_the_sign() -> None:
    weak = Stratum("weak", arm(90, 900), arm(6, 100))
    strong = Stratum("strong", arm(50, 100), arm(405, 900))
    found = stratified_effect([weak, strong]).difference
    mixed = difference_interval(Share(140, 1000), Share(411, 1000))
    assert found is not None and found.point > 0 > mixed.point


def test_a_stratum_whose_split_is_broken_stops_everything() -> None:
    strata = [Stratum("fine", arm(90, 800), arm(20, 200)), Stratum("odd", arm(60, 500), arm(50, 500))]
    assert stratified_effect(strata, designed_share=0.2).broken_splits == ("odd",)
    # altogether 1,300 against 700 at a design of 35 % is as designed; the strata are not
    found = effect_of_experiment(arm(150, 1300), arm(70, 700), Design(0.35), strata)
    assert found.verdict is ExperimentVerdict.SAMPLE_RATIO_FAILS and found.difference is None
    assert found.stratified is not None and found.stratified.broken_splits == ("fine", "odd")


def test_many_strata_may_alarm_by_chance_no_oftener_than_one() -> None:
    odd, fine = Stratum("odd", arm(1, 400), arm(1, 156)), Stratum("fine", arm(1, 800), arm(1, 200))
    assert 1_000 < case_split_evidence(400, 156, 0.2) < 20_000
    assert stratified_effect([odd], designed_share=0.2).broken_splits == ("odd",)
    assert stratified_effect([odd, *[fine] * 19], designed_share=0.2).broken_splits == ()


# --- the whole


def test_watched_the_figures_are_those_of_the_live_page() -> None:
    assigned, held, design = arm(1200, 8000, 3200, 700), arm(200, 2000), Design(0.2)
    course = watch(np.array([600, 1200]), np.array([110, 200]), 0.2)
    found = effect_of_experiment(assigned, held, design, watched=course)
    live = effect_of_rule(ArmCounts(10_000, 2_000, 8_000, 8_000, 3_200, 1_200, 200), 0.2)
    assert found.analysis is Analysis.WATCHED and found.p_value is None
    assert found.verdict.value == live.verdict.value == "helps"
    assert (found.difference, found.risk_ratio, found.evidence) == (
        live.difference,
        live.risk_ratio,
        live.evidence,
    )
    assert found.incremental_conversions == live.incremental_conversions
    assert found.reached is not None and found.reached.effect == live.effect_on_reached
    assert (found.needs, found.needs_more) == (live.watched_needs_firings, 0)


def test_the_course_of_the_evidence_says_when_it_was_enough_first() -> None:
    treated, held = np.array([40, 80, 120, 150, 180]), np.array([5, 8, 9, 40, 60])
    values = [case_split_evidence(int(s), int(f), 0.2) for s, f in zip(treated, held, strict=True)]
    found = watch(treated, held, 0.2)
    assert found.highest == pytest.approx(max(values)) and found.p_value == pytest.approx(1 / max(values))
    assert found.decided_at == next(i for i, value in enumerate(values) if value >= 20)
    assert watch(treated[:0], held[:0], 0.2).p_value == 1
    assert watch(np.array([8]), np.array([2]), 0.2).decided_at is None


def test_looked_at_once_the_verdict_follows_the_score_test() -> None:
    found = effect_of_experiment(arm(150, 1000), arm(40, 400), Design())
    assert found.analysis is Analysis.FIXED and found.verdict is ExperimentVerdict.HELPS
    assert found.p_value == pytest.approx(0.01363, abs=1e-5) and found.evidence is None
    assert found.difference is not None and found.incremental_conversions is not None
    assert found.incremental_conversions.point == pytest.approx(1000 * found.difference.point)
    assert found.sample_ratio_evidence is None
    turned = effect_of_experiment(arm(40, 400), arm(150, 1000), Design())
    assert turned.verdict is ExperimentVerdict.HARMS


def test_little_and_nothing_are_told_apart() -> None:
    early = effect_of_experiment(arm(9, 400), arm(0, 100), Design())
    assert early.verdict is ExperimentVerdict.TOO_EARLY
    open_ = effect_of_experiment(arm(44, 400), arm(10, 100), Design())
    assert open_.verdict is ExperimentVerdict.NOT_KNOWN
    assert open_.needs == firings_needed(0.1, 0.12, 0.2) and open_.needs_more == open_.needs - 500
    useless = effect_of_experiment(arm(8_000, 80_000), arm(2_000, 20_000), Design())
    assert useless.verdict is ExperimentVerdict.NO_WORTHWHILE_GAIN


def test_more_power_needs_more_customers() -> None:
    usual, strict = (effect_of_experiment(arm(44, 400), arm(10, 100), Design(power=p)) for p in (0.8, 0.95))
    assert strict.needs == firings_needed(0.1, 0.12, 0.2, power=0.95) > (usual.needs or 0)


def test_a_broken_split_tells_no_effect() -> None:
    found = effect_of_experiment(arm(150, 1000, 500, 100), arm(40, 400), Design(0.2))
    assert found.verdict is ExperimentVerdict.SAMPLE_RATIO_FAILS
    assert (found.difference, found.reached, found.needs) == (None, None, None)
    assert found.sample_ratio_evidence == pytest.approx(case_split_evidence(1000, 400, 0.2))


def test_an_experiment_needs_both_arms_and_evidence_a_design() -> None:
    with pytest.raises(ValueError, match="both arms"):
        effect_of_experiment(arm(1, 10), arm(0, 0), Design())
    with pytest.raises(ValueError, match="designed"):
        effect_of_experiment(
            arm(1, 10), arm(1, 10), Design(), watched=watch(np.array([1]), np.array([1]), 0.5)
        )
