"""Draws that stick, evidence that may be peeked at, and effects that agree with it."""

import hashlib
import math
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.learning.evidence import (
    EARLIEST_CONVERTERS,
    case_split_evidence,
    difference_at_risk_ratio,
    firings_needed,
    firings_needed_when_watched,
    log_case_split_evidence,
    risk_ratio_interval,
    treated_share_interval,
)
from callcenter.learning.rules import (
    ArmCounts,
    EffectVerdict,
    RuleEffect,
    VariantCounts,
    VariantVerdict,
    compare_variants,
    draw_holdout,
    effect_of_rule,
)
from callcenter.learning.script_choice import choice_unit

MAY = datetime(2026, 5, 11, 9, 30, tzinfo=UTC)
converters = st.integers(min_value=0, max_value=3000)
shares = st.sampled_from([0.02, 0.05, 0.1, 0.2, 0.5])


def counts(
    assigned: int, converted: int, held_out: int, converted_held_out: int, reached: int = 0
) -> ArmCounts:
    return ArmCounts(
        fired=assigned + held_out,
        held_out=held_out,
        assigned=assigned,
        called=assigned,
        reached=reached,
        converted_assigned=converted,
        converted_held_out=converted_held_out,
    )


def exact_evidence(s: int, f: int, holdout_share: Fraction) -> Fraction:
    """B(a+s, b+f) / B(a, b) as a product of rising factors, in exact fractions."""
    a, b = 20 * (1 - holdout_share), 20 * holdout_share
    mixture = Fraction(1)
    for i in range(s):
        mixture *= a + i
    for j in range(f):
        mixture *= b + j
    for k in range(s + f):
        mixture /= 20 + k
    return mixture / ((1 - holdout_share) ** s * holdout_share**f)


# --- the draws


def test_a_draw_is_the_hash_of_salt_rule_customer_and_quarter() -> None:
    digest = hashlib.sha256(b"pepper|loan-dwell|c-42|2026Q2").digest()
    draw = draw_holdout("pepper", "loan-dwell", "c-42", MAY, 0.2)
    assert draw.unit == pytest.approx(int.from_bytes(digest[:8]) / 2**64, abs=1e-15)
    assert draw.held_out == (draw.unit < 0.2)
    assert draw.share == 0.2


def test_a_hundred_thousand_customers_are_held_out_at_the_share_and_stay_so() -> None:
    draws = [draw_holdout("pepper", "r", f"c{i}", MAY, 0.2) for i in range(100_000)]
    held = sum(draw.held_out for draw in draws)
    assert abs(held - 20_000) < 4 * math.sqrt(100_000 * 0.2 * 0.8)
    later = datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC)
    assert all(draw_holdout("pepper", "r", f"c{i}", later, 0.2) == draws[i] for i in range(2_000))


def test_a_new_quarter_in_utc_draws_again() -> None:
    last = datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC)
    first = last + timedelta(seconds=1)
    units = [
        (draw_holdout("p", "r", str(i), last, 0.2), draw_holdout("p", "r", str(i), first, 0.2))
        for i in range(2_000)
    ]
    assert all(before.unit != after.unit for before, after in units)
    both = sum(before.held_out and after.held_out for before, after in units)
    assert 40 <= both <= 125  # 4 % when the quarters are independent
    shanghai = timezone(timedelta(hours=8))
    assert draw_holdout("p", "r", "1", datetime(2026, 7, 1, 7, 59, 59, tzinfo=shanghai), 0.2) == units[1][0]
    assert draw_holdout("p", "r", "1", datetime(2027, 5, 1, tzinfo=UTC), 0.2).unit != units[1][0].unit


def test_rules_and_salts_draw_independently() -> None:
    for other in [("p", "r2"), ("q", "r")]:
        both = sum(
            draw_holdout("p", "r", str(i), MAY, 0.5).held_out
            and draw_holdout(*other, str(i), MAY, 0.5).held_out
            for i in range(4_000)
        )
        assert abs(both - 1_000) < 110


def test_lowering_the_share_only_frees_customers() -> None:
    for i in range(1_000):
        small, large = (draw_holdout("p", "r", str(i), MAY, share) for share in (0.05, 0.2))
        assert large.held_out or not small.held_out


def test_nobody_is_held_out_at_zero_and_everybody_at_one() -> None:
    assert not any(draw_holdout("p", "r", str(i), MAY, 0.0).held_out for i in range(500))
    assert all(draw_holdout("p", "r", str(i), MAY, 1.0).held_out for i in range(500))


def test_a_draw_refuses_what_would_make_it_ambiguous() -> None:
    with pytest.raises(ValueError, match="time zone"):
        draw_holdout("p", "r", "1", MAY.replace(tzinfo=None), 0.2)
    with pytest.raises(ValueError, match="share"):
        draw_holdout("p", "r", "1", MAY, 1.2)
    with pytest.raises(ValueError, match="cannot hold"):
        draw_holdout("p", "r|1", "1", MAY, 0.2)


def test_the_variant_does_not_depend_on_the_holdout() -> None:
    both = sum(
        draw_holdout("p", "r", str(i), MAY, 0.5).held_out and choice_unit("p", "r", str(i), ["a", "b"]) < 0.5
        for i in range(4_000)
    )
    assert abs(both - 1_000) < 110


# --- the evidence


@pytest.mark.slow
def test_a_global_hold_out_holds_the_same_customers_out_of_every_rule_and_is_part_of_each_share() -> None:
    drawn = {
        rule: [draw_holdout("pepper", rule, f"c{i}", MAY, share, 0.02) for i in range(100_000)]
        for rule, share in (("r", 0.2), ("q", 0.2), ("none", 0.0))
    }
    of_all = [one.held_out for one in drawn["none"]]
    assert sum(of_all) / 100_000 == pytest.approx(0.02, abs=0.0014)
    for rule in ("r", "q"):
        held = [one.held_out for one in drawn[rule]]
        assert sum(held) / 100_000 == pytest.approx(0.2, abs=0.004)
        assert all(mine for mine, everywhere in zip(held, of_all, strict=True) if everywhere)
    assert drawn["none"][0].share == 0.02 and drawn["r"][0].share == 0.2
    rest = [i for i in range(100_000) if not of_all[i]]
    both = sum(drawn["r"][i].held_out and drawn["q"][i].held_out for i in rest) / len(rest)
    assert both == pytest.approx((0.18 / 0.98) ** 2, abs=0.003), (
        "apart from these the rules draw independently"
    )
    units = np.sort([one.unit for one in drawn["r"]])
    assert np.abs(units - (np.arange(100_000) + 0.5) / 100_000).max() < 0.006, "the unit stays uniform"


@pytest.mark.parametrize("holdout_share", [Fraction(1, 5), Fraction(1, 10), Fraction(1, 2), Fraction(1, 20)])
@pytest.mark.parametrize(("s", "f"), [(0, 0), (1, 0), (0, 1), (3, 2), (30, 0), (0, 7), (40, 20), (160, 40)])
def test_the_evidence_equals_the_exact_fraction(s: int, f: int, holdout_share: Fraction) -> None:
    exact = float(exact_evidence(s, f, holdout_share))
    assert case_split_evidence(s, f, float(holdout_share)) == pytest.approx(exact, rel=1e-9)


def test_the_evidence_by_hand() -> None:
    # two held-out converters, h = 20 %: (4/20)(5/21) / (1/5)^2 = 25/21
    assert case_split_evidence(0, 2, 0.2) == pytest.approx(25 / 21)
    # one of each: (16/20)(4/21) / (4/5 * 1/5) = 20/21
    assert case_split_evidence(1, 1, 0.2) == pytest.approx(20 / 21)


@given(converters, converters)
@settings(max_examples=25, deadline=None)
def test_at_one_half_the_arms_may_change_places(s: int, f: int) -> None:
    one, other = (float(log_case_split_evidence(*pair, 0.5)) for pair in ((s, f), (f, s)))
    assert one == pytest.approx(other, abs=1e-8)


@given(converters, converters, shares)
@settings(max_examples=25, deadline=None)
def test_the_evidence_is_a_fair_bet_on_the_next_converter(s: int, f: int, h: float) -> None:
    now, treated_next, held_next = (
        float(log_case_split_evidence(*pair, h)) for pair in ((s, f), (s + 1, f), (s, f + 1))
    )
    assert (1 - h) * math.exp(treated_next - now) + h * math.exp(held_next - now) == pytest.approx(
        1, rel=1e-7
    )


def test_the_evidence_grows_as_converters_lean_to_one_side() -> None:
    treated = np.arange(80, 101)
    logs = log_case_split_evidence(treated, 100 - treated, 0.2)
    assert np.all(np.diff(logs) > 0)
    logs_down = log_case_split_evidence(np.arange(0, 80), 100 - np.arange(0, 80), 0.2)
    assert np.all(np.diff(logs_down) < 0)


def test_large_counts_neither_overflow_nor_lose_their_digits() -> None:
    assert case_split_evidence(10**7, 10**6, 0.2) > 1e300
    # at the designed split E shrinks like 1/sqrt(n): a hundredfold count divides it by ten
    ratio = case_split_evidence(8 * 10**6, 2 * 10**6, 0.2) / case_split_evidence(8 * 10**8, 2 * 10**8, 0.2)
    assert ratio == pytest.approx(10, rel=1e-3)


def test_evidence_refuses_nonsense() -> None:
    with pytest.raises(ValueError, match="negative"):
        case_split_evidence(-1, 2, 0.2)
    with pytest.raises(ValueError, match="strictly"):
        case_split_evidence(1, 2, 1.0)
    with pytest.raises(ValueError, match="alpha"):
        treated_share_interval(1, 2, 0.2, alpha=0)
    with pytest.raises(ValueError, match="negative"):
        treated_share_interval(1, -2, 0.2)


def test_where_calling_changes_nothing_peeking_at_every_outcome_rarely_alarms() -> None:
    rng = np.random.default_rng(7)
    treated = np.cumsum(rng.random((1_500, 250)) < 0.8, axis=1, dtype=np.int64)
    held = np.arange(1, 251) - treated
    alarmed = (log_case_split_evidence(treated, held, 0.2) >= math.log(20)).any(axis=1)
    assert alarmed.mean() <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 1_500)


def test_where_calling_helps_the_evidence_says_so() -> None:
    rng = np.random.default_rng(8)
    # .10 -> .20 at h = 20 %: treated share of converters .8*.2 / (.8*.2 + .2*.1) = 8/9
    treated = np.cumsum(rng.random((500, 400)) < 8 / 9, axis=1, dtype=np.int64)
    alarmed = (log_case_split_evidence(treated, np.arange(1, 401) - treated, 0.2) >= math.log(20)).any(axis=1)
    assert alarmed.mean() > 0.95


# --- the intervals


@given(converters, converters, shares, st.sampled_from([0.01, 0.05, 0.2]))
@settings(max_examples=60, deadline=None)
def test_the_interval_holds_the_observed_share_and_leaves_the_design_with_the_evidence(
    s: int, f: int, h: float, alpha: float
) -> None:
    low, high = treated_share_interval(s, f, h, alpha)
    assert 0 <= low < high <= 1
    if s + f:
        assert low <= s / (s + f) <= high
    low_ratio, high_ratio = risk_ratio_interval(s, f, h, alpha)
    passes = case_split_evidence(s, f, h) >= 1 / alpha
    assert passes == (not low_ratio <= 1 <= high_ratio) == (not low <= 1 - h <= high)


def test_the_ends_of_the_interval_are_where_the_martingale_reaches_twenty() -> None:
    for s, f in [(80, 20), (3, 0), (0, 4), (900, 12)]:
        for end in treated_share_interval(s, f, 0.2):
            if 0 < end < 1:
                mixture = float(
                    exact_evidence(s, f, Fraction(1, 5)) * Fraction(4, 5) ** s * Fraction(1, 5) ** f
                )
                assert mixture / (end**s * (1 - end) ** f) == pytest.approx(20, rel=1e-6)


def test_one_converter_tells_almost_nothing() -> None:
    # E(pi) = .8 / pi reaches 20 at pi = .04, hence a risk ratio of .04/.96 * .2/.8
    assert treated_share_interval(1, 0, 0.2) == pytest.approx((0.04, 1))
    assert risk_ratio_interval(1, 0, 0.2) == pytest.approx((1 / 96, math.inf))
    assert treated_share_interval(0, 0, 0.2) == (0, 1)


def test_a_stricter_alpha_and_fewer_converters_widen_the_interval() -> None:
    low, high = treated_share_interval(80, 20, 0.2)
    strict_low, strict_high = treated_share_interval(80, 20, 0.2, alpha=0.01)
    more_low, more_high = treated_share_interval(800, 200, 0.2)
    assert strict_low < low < more_low < more_high < high < strict_high


def test_the_difference_of_the_observed_risk_ratio_is_the_observed_difference() -> None:
    observed = (120 / 800) / (20 / 200)
    assert difference_at_risk_ratio(observed, 140, 800, 200) == pytest.approx(0.15 - 0.10)
    assert difference_at_risk_ratio(1.0, 140, 800, 200) == 0
    assert difference_at_risk_ratio(math.inf, 120, 800, 200) == pytest.approx(0.15)
    assert difference_at_risk_ratio(0.0, 20, 800, 200) == pytest.approx(-0.10)


# --- the effect of a rule


@st.composite
def arm_counts(draw: st.DrawFn) -> tuple[ArmCounts, float]:
    h = draw(st.sampled_from([0.1, 0.2, 0.5]))
    firings = draw(st.integers(min_value=1, max_value=6000))
    held_out = min(firings, max(0, round(firings * h) + draw(st.integers(min_value=-25, max_value=25))))
    assigned = firings - held_out
    rates = st.floats(min_value=0, max_value=1)
    return counts(assigned, round(assigned * draw(rates)), held_out, round(held_out * draw(rates))), h


@given(arm_counts())
@settings(max_examples=60, deadline=None)
def test_zero_leaves_the_difference_exactly_when_the_evidence_reaches_twenty(
    case: tuple[ArmCounts, float],
) -> None:
    effect = effect_of_rule(*case)
    if effect.difference is None or effect.evidence is None or effect.risk_ratio is None:
        assert effect.verdict in (
            EffectVerdict.NO_HOLDOUT,
            EffectVerdict.SAMPLE_RATIO_FAILS,
            EffectVerdict.TOO_EARLY,
        )
        return
    difference = effect.difference
    assert -1 <= difference.low <= difference.point <= difference.high <= 1
    assert effect.risk_ratio.low <= effect.risk_ratio.point <= effect.risk_ratio.high
    leaves_zero = difference.low > 0 or difference.high < 0
    assert leaves_zero == (effect.evidence >= 20)
    assert leaves_zero == (effect.verdict in (EffectVerdict.HELPS, EffectVerdict.HARMS))
    if leaves_zero:
        assert (difference.point > 0) == (effect.verdict is EffectVerdict.HELPS)


def test_a_rule_that_helps_is_told_with_all_its_numbers() -> None:
    effect = effect_of_rule(counts(1600, 256, 400, 36, reached=800), 0.2)
    assert effect.verdict is EffectVerdict.HELPS
    assert (effect.converted_of_assigned.count, effect.converted_of_assigned.of) == (256, 1600)
    assert (effect.converted_of_held_out.value, effect.contact_rate.value) == (0.09, 0.5)
    assert effect.difference is not None and effect.difference.point == pytest.approx(0.07)
    assert effect.evidence == pytest.approx(case_split_evidence(256, 36, 0.2))
    assert effect.risk_ratio is not None and effect.risk_ratio.point == pytest.approx(16 / 9)
    assert effect.incremental_conversions is not None and effect.effect_on_reached is not None
    assert effect.incremental_conversions.point == pytest.approx(112)
    assert effect.incremental_conversions.low == pytest.approx(1600 * effect.difference.low)
    assert effect.effect_on_reached.point == pytest.approx(0.14)
    assert effect.needs_more_firings == 0


def test_a_rule_that_harms_is_told_as_plainly() -> None:
    effect = effect_of_rule(counts(1600, 80, 400, 48), 0.2)
    assert effect.verdict is EffectVerdict.HARMS
    assert effect.difference is not None and effect.difference.high < 0
    assert effect.effect_on_reached is None  # nobody was reached, so there is no contact rate to divide by


def test_a_broken_split_shows_no_effect() -> None:
    effect = effect_of_rule(counts(1600, 256, 250, 10), 0.2)
    assert effect.verdict is EffectVerdict.SAMPLE_RATIO_FAILS
    assert effect.sample_ratio_evidence is not None and effect.sample_ratio_evidence >= 1000
    assert shown_effects(effect) == [None] * 5
    assert effect_of_rule(counts(1600, 256, 360, 10), 0.2).verdict is EffectVerdict.HELPS


def test_without_a_holdout_no_effect_is_claimed() -> None:
    for effect in (effect_of_rule(counts(1600, 256, 0, 0), 0.0), effect_of_rule(counts(4, 2, 0, 0), 0.2)):
        assert effect.verdict is EffectVerdict.NO_HOLDOUT
        assert shown_effects(effect) == [None] * 5
    assert effect_of_rule(counts(0, 0, 2, 1), 0.2).verdict is EffectVerdict.TOO_EARLY


def shown_effects(effect: RuleEffect) -> list[object]:
    return [
        effect.evidence,
        effect.difference,
        effect.risk_ratio,
        effect.incremental_conversions,
        effect.effect_on_reached,
    ]


def test_few_converters_are_too_early_and_many_without_a_decision_are_not_known() -> None:
    assert effect_of_rule(counts(80, EARLIEST_CONVERTERS - 2, 20, 1), 0.2).verdict is EffectVerdict.TOO_EARLY
    assert effect_of_rule(counts(80, EARLIEST_CONVERTERS - 1, 20, 1), 0.2).verdict is EffectVerdict.NOT_KNOWN


def test_no_conversions_at_all_is_not_told_as_certainty() -> None:
    effect = effect_of_rule(counts(800, 0, 200, 0), 0.2)
    assert effect.evidence == 1
    assert effect.difference is not None
    assert effect.difference.low == pytest.approx(-math.log(20) / 200)
    assert effect.difference.high == pytest.approx(math.log(20) / 800)
    assert effect.needs_more_firings is None


def test_evidence_that_only_an_uneven_draw_made_does_not_count() -> None:
    # the converters lean to the treated by design, yet the held-out share is the higher one
    effect = effect_of_rule(counts(95, 63, 5, 4), 0.2)
    assert effect.verdict is EffectVerdict.NOT_KNOWN
    assert effect.difference is not None and effect.difference.point < 0 < effect.difference.high
    assert effect.evidence is not None and effect.evidence <= 1 < case_split_evidence(63, 4, 0.2)


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        counts(10, 11, 5, 0)
    with pytest.raises(ValueError, match="do not fit"):
        ArmCounts(10, 5, 6, 6, 1, 0, 0)
    with pytest.raises(ValueError, match="do not fit"):
        VariantCounts(3, 4)


# --- how long to wait


@pytest.mark.parametrize(
    ("rates", "needed"),
    [
        ((0.02, 0.04), (8485, 4683, 2865, 2276)),
        ((0.05, 0.08), (8961, 4856, 2874, 2112)),
        ((0.10, 0.15), (6073, 3270, 1913, 1366)),
        ((0.10, 0.12), (37501, 19962, 11420, 7676)),
    ],
)
def test_the_sample_size_table_is_reproduced(rates: tuple[float, float], needed: tuple[int, ...]) -> None:
    assert tuple(firings_needed(*rates, h) for h in (0.05, 0.1, 0.2, 0.5)) == needed


def test_the_wait_is_told_in_firings_and_weeks() -> None:
    effect = effect_of_rule(counts(80, 12, 20, 2), 0.2, firings_per_week=200)
    assert effect.planned_effect == pytest.approx(0.05)  # observed .15 against .10, above the stated .02
    assert effect.needs_firings == 1913
    assert effect.needs_more_firings == 1813
    assert effect.weeks == pytest.approx(1813 / 200)
    assert effect.watched_needs_firings == firings_needed_when_watched(0.10, 0.15, 0.2)
    assert effect.watched_needs_more_firings == effect.watched_needs_firings - 100
    assert effect.watched_weeks == pytest.approx(effect.watched_needs_more_firings / 200)
    assert effect_of_rule(counts(80, 12, 20, 2), 0.2).weeks is None


@pytest.mark.parametrize(("base_rate", "treated_rate"), [(0.10, 0.16), (0.10, 0.06)])
def test_the_watched_wait_is_long_enough_for_the_promised_power(
    base_rate: float, treated_rate: float
) -> None:
    h = 0.2
    needed = firings_needed_when_watched(base_rate, treated_rate, h)
    converting = (1 - h) * treated_rate + h * base_rate
    treated = np.cumsum(
        np.random.default_rng(9).random((600, round(needed * converting)))
        < (1 - h) * treated_rate / converting,
        axis=1,
        dtype=np.int64,
    )
    held = np.arange(1, treated.shape[1] + 1) - treated
    power = (log_case_split_evidence(treated, held, h) >= math.log(20)).any(axis=1).mean()
    assert 0.78 <= power <= 0.90
    assert needed > firings_needed(base_rate, treated_rate, h)


def test_a_small_or_early_observed_effect_does_not_change_the_plan() -> None:
    early = effect_of_rule(counts(40, 8, 10, 1), 0.2)
    assert (early.planned_effect, early.needs_firings) == (0.02, 11420)
    small = effect_of_rule(counts(800, 81, 200, 20), 0.2, smallest_effect=0.05)
    assert (small.planned_effect, small.needs_firings) == (0.05, 1913)
    falling = effect_of_rule(counts(800, 79, 200, 20), 0.2, smallest_effect=0.05)
    assert falling.planned_effect == -0.05


def test_equal_rates_cannot_be_planned_for() -> None:
    with pytest.raises(ValueError, match="differ"):
        firings_needed(0.1, 0.1, 0.2)
    with pytest.raises(ValueError, match="differ"):
        firings_needed_when_watched(0.1, 1.1, 0.2)
    everybody = effect_of_rule(counts(80, 80, 20, 20), 0.2)
    assert everybody.needs_firings is None


# --- two scripts


def test_two_variants_are_compared_by_their_converters() -> None:
    effect = compare_variants(VariantCounts(1000, 150), VariantCounts(1010, 95))
    assert effect.verdict is VariantVerdict.A_BETTER
    assert effect.evidence == pytest.approx(float(exact_evidence(150, 95, Fraction(1, 2))))
    assert effect.difference is not None
    assert effect.difference.low > 0
    assert effect.difference.point == pytest.approx(0.15 - 95 / 1010)


@given(st.integers(0, 200), st.integers(0, 200))
@settings(max_examples=25, deadline=None)
def test_the_order_of_two_variants_only_turns_the_sign(s: int, f: int) -> None:
    ahead = compare_variants(VariantCounts(1000, s), VariantCounts(1000, f))
    behind = compare_variants(VariantCounts(1000, f), VariantCounts(1000, s))
    assert ahead.difference is not None and behind.difference is not None
    assert ahead.difference.low == pytest.approx(-behind.difference.high, abs=1e-9)
    assert ahead.difference.high == pytest.approx(-behind.difference.low, abs=1e-9)
    assert (ahead.verdict is VariantVerdict.A_BETTER) == (behind.verdict is VariantVerdict.B_BETTER)


def test_variants_without_a_fair_split_or_enough_converters_get_no_winner() -> None:
    assert compare_variants(VariantCounts(1000, 90), VariantCounts(700, 20)).verdict is (
        VariantVerdict.SAMPLE_RATIO_FAILS
    )
    assert compare_variants(VariantCounts(2, 1), VariantCounts(0, 0)).verdict is VariantVerdict.TOO_EARLY
    assert compare_variants(VariantCounts(50, 3), VariantCounts(50, 2)).verdict is VariantVerdict.TOO_EARLY
    assert (
        compare_variants(VariantCounts(500, 30), VariantCounts(500, 28)).verdict is VariantVerdict.NOT_KNOWN
    )


def test_before_anybody_converts_the_wait_is_told_from_what_is_usual_elsewhere() -> None:
    nobody = ArmCounts(
        fired=50, held_out=10, assigned=40, called=30, reached=20, converted_assigned=0, converted_held_out=0
    )
    told = effect_of_rule(nobody, 0.2, smallest_effect=0.05, firings_per_week=200, usual_rate=0.10)
    assert told.verdict is EffectVerdict.TOO_EARLY
    assert told.needs_firings == firings_needed(0.10, 0.15, 0.2) == 1_913, "the published figure"
    assert told.weeks == pytest.approx((1_913 - 50) / 200)
    assert effect_of_rule(nobody, 0.2).needs_firings is None, "nothing to plan with"
