"""The gate of proposals against simulated banks whose truth is known."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from callcenter.domain.draws import read_band
from callcenter.learning.bands import waits_of
from callcenter.learning.evidence import Interval, Share
from callcenter.learning.proposing import (
    BandLooks,
    CanaryCounts,
    CanaryVerdict,
    WaitVerdict,
    candidates_of,
    judge_canary,
    judge_waits,
    looks_of_band,
    milestones,
    proposed_holdout,
    proposed_variant,
    proposed_wait,
    proposes_pause,
)
from callcenter.learning.rules import EffectVerdict, RuleEffect, VariantVerdict
from callcenter.learning.waits import WaitLog, compare_waits

MINUTES = {"150s": 2.5, "5m": 5.0, "450s": 7.5}
_BAND = read_band({"share": 0.5, "waits": ["150s", "450s"]}, timedelta(minutes=5))
assert _BAND is not None
BAND = waits_of(_BAND)
HELD_OUT = 0.2


def simulate(
    visits: int, seed: int, *, lift: dict[float, float], back_by: dict[float, float], spent: float = 6.0
) -> WaitLog:
    """A bank of visits: some come back by themselves before their wait runs out; a call lifts the others.

    `lift` is the chance that a call adds to converting, `back_by` the share back by then, both by wait in seconds.
    """
    chance = np.random.default_rng(seed)
    waits, probability = np.array(BAND).T
    drawn = chance.choice(len(waits), size=visits, p=probability)
    errors = chance.poisson(0.6, visits).astype(float)
    held_out = chance.random(visits) < HELD_OUT
    comes_back = chance.random(visits) < np.array([back_by[one] for one in waits])[drawn]
    called = ~comes_back & ~held_out
    base = 0.08 + 0.02 * np.minimum(errors, 3)
    p = np.where(comes_back, 0.5, base + called * np.array([lift[one] for one in waits])[drawn])
    minutes = np.where(called, chance.gamma(2.0, spent / 2, visits), 0.0)
    features = np.column_stack([errors, chance.normal(size=visits)])
    return WaitLog(
        waits[drawn],
        probability[drawn],
        (chance.random(visits) < p).astype(float),
        minutes,
        held_out,
        features,
    )


SAME = dict.fromkeys((150.0, 300.0, 450.0), 0.06)
BACK = dict.fromkeys((150.0, 300.0, 450.0), 0.2)


def test_on_noise_the_gate_refuses_in_at_least_95_of_100_worlds_though_it_looks_every_day() -> None:
    passed = 0
    looks = [one for one in milestones(0.25 * 0.8) if one <= 6_000]  # between them nothing new is looked at
    for seed in range(100):
        log = simulate(6_000, seed, lift=SAME, back_by=BACK)
        passed += any(proposed_wait(judge_waits(log.first(one), 300.0, BAND, HELD_OUT)) for one in looks)
    assert passed <= 5


def test_a_shorter_wait_that_yields_more_an_hour_is_found_and_the_longer_one_is_not_proposed() -> None:
    lift = {150.0: 0.22, 300.0: 0.08, 450.0: 0.05}
    found = 0
    for seed in range(20):
        judged = judge_waits(simulate(9_000, seed, lift=lift, back_by=BACK), 300.0, BAND, HELD_OUT)
        best = proposed_wait(judged)
        found += best is not None and best.wait == 150.0
        assert best is None or best.wait == 150.0
    assert found >= 19


def test_a_shorter_wait_that_only_calls_those_who_would_have_come_back_is_not_proposed() -> None:
    """More conversions follow its calls, and none because of them: each costs the same minutes."""
    lift = {150.0: 0.0, 300.0: 0.08, 450.0: 0.08}
    for seed in range(10):
        log = simulate(9_000, seed, lift=lift, back_by={150.0: 0.0, 300.0: 0.2, 450.0: 0.25})
        best = proposed_wait(judge_waits(log, 300.0, BAND, HELD_OUT))
        assert best is None or best.wait != 150.0


def truth(
    wait: float, lift: dict[float, float], back_by: dict[float, float], spent: float
) -> tuple[float, float]:
    """Conversions and minutes of a called customer's visit under a wait."""
    base = 0.08 + 0.02 * float(np.mean(np.minimum(np.random.default_rng(1).poisson(0.6, 400_000), 3)))
    back = back_by[wait]
    return back * 0.5 + (1 - back) * (base + lift[wait]), (1 - back) * spent


def test_all_three_estimators_recover_the_true_gain() -> None:
    lift, back_by = {150.0: 0.15, 300.0: 0.08, 450.0: 0.05}, {150.0: 0.1, 300.0: 0.25, 450.0: 0.35}
    (c1, m1), (c0, m0) = truth(150.0, lift, back_by, 6), truth(300.0, lift, back_by, 6)
    found = []
    covered = 0
    for seed in range(40):
        log = simulate(8_000, seed, lift=lift, back_by=back_by)
        one = compare_waits(log, 150.0, 300.0, 0.05, 200)
        assert one.ips and one.self_normalised and one.doubly_robust
        found.append(
            [
                (way.conversions.point, way.minutes.point)
                for way in (one.ips, one.self_normalised, one.doubly_robust)
            ]
        )
        covered += one.doubly_robust.conversions.low <= c1 - c0 <= one.doubly_robust.conversions.high
    means = np.mean(found, axis=0)
    assert means[:, 0] == pytest.approx([c1 - c0] * 3, abs=0.006)
    assert means[:, 1] == pytest.approx([m1 - m0] * 3, abs=0.1)
    assert covered >= 35


def test_the_gain_an_hour_covers_the_truth_as_often_as_it_says() -> None:
    lift, back_by = {150.0: 0.15, 300.0: 0.08, 450.0: 0.05}, {150.0: 0.1, 300.0: 0.1, 450.0: 0.1}
    base = truth(300.0, dict.fromkeys(lift, 0.0), back_by, 6)[0]
    (c1, m1), (c0, m0) = truth(150.0, lift, back_by, 6), truth(300.0, lift, back_by, 6)
    true = 60 * ((c1 - base) / m1 - (c0 - base) / m0)
    covered = 0
    for seed in range(100):
        one = compare_waits(simulate(8_000, seed, lift=lift, back_by=back_by), 150.0, 300.0, 0.05, 200)
        assert one.doubly_robust
        covered += one.doubly_robust.per_hour.low <= true <= one.doubly_robust.per_hour.high
    assert 88 <= covered <= 100


def test_under_an_effective_sample_of_200_nothing_is_said() -> None:
    log = simulate(900, 1, lift={150.0: 0.9, 300.0: 0.0, 450.0: 0.0}, back_by=BACK)
    judged = judge_waits(log, 300.0, BAND, HELD_OUT)
    assert {one.verdict for one in judged} == {WaitVerdict.TOO_FEW} and proposed_wait(judged) is None
    first = milestones(0.25 * 0.8)[0]
    assert judged[0].next_at == first == 1250


def test_without_held_out_visits_or_with_wrong_probabilities_nothing_is_proposed() -> None:
    log = simulate(6_000, 3, lift={150.0: 0.4, 300.0: 0.0, 450.0: 0.0}, back_by=BACK)
    everybody = replace(log, is_held_out=np.zeros(len(log.wait), dtype=bool))
    assert {one.verdict for one in judge_waits(everybody, 300.0, BAND, 0.0)} == {WaitVerdict.NO_HOLDOUT}
    wrong = replace(log, probability=np.where(log.wait == 150.0, 0.1, log.probability))
    (of_wrong,) = [one for one in judge_waits(wrong, 300.0, BAND, HELD_OUT) if one.wait == 150.0]
    assert of_wrong.verdict is WaitVerdict.NOT_AS_DRAWN


def test_between_milestones_every_look_is_the_same_look() -> None:
    log = simulate(4_000, 5, lift={150.0: 0.2, 300.0: 0.05, 450.0: 0.05}, back_by=BACK)
    looks = milestones(0.25 * 0.8)
    one, other = (
        judge_waits(log.first(visits), 300.0, BAND, HELD_OUT) for visits in (looks[1], looks[2] - 1)
    )
    assert [(a.wait, a.look, a.lower_bound) for a in one] == [(a.wait, a.look, a.lower_bound) for a in other]


def test_one_step_goes_no_further_than_half() -> None:
    assert candidates_of([100, 150, 300, 450, 460], 300) == (150, 450)


def effect(verdict: EffectVerdict) -> RuleEffect:
    return RuleEffect(verdict, Share(0, 1), Share(0, 1), Share(0, 1), 1.0, difference=Interval(0, 0, 0))


def test_other_proposals_follow_a_verdict_and_nothing_less() -> None:
    assert [one for one in EffectVerdict if proposes_pause(effect(one))] == [EffectVerdict.HARMS]
    helps = effect(EffectVerdict.HELPS)
    assert [proposed_holdout(helps, share) for share in (0.2, 0.1, 0.06, 0.05)] == [0.1, 0.05, 0.05, None]
    assert proposed_holdout(effect(EffectVerdict.NOT_KNOWN), 0.2) is None
    assert [proposed_variant(one) for one in VariantVerdict] == ["A", "B", None, None, None]


def test_a_canary_is_judged_at_every_customer_and_seldom_wrong() -> None:
    stopped = 0
    for seed in range(200):
        chance = np.random.default_rng(seed)
        tried = chance.random(3_000) < 0.2
        came = chance.random(3_000) < 0.15
        n1, s1 = np.cumsum(tried), np.cumsum(tried & came)
        n0, s0 = np.cumsum(~tried), np.cumsum(~tried & came)
        stopped += any(
            judge_canary(CanaryCounts(*map(int, row)), 0.2).must_stop
            for row in list(zip(n1, s1, n0, s0, strict=True))[::100]
        )
    assert stopped <= 10


def test_a_harmful_canary_stops_and_a_wrong_split_is_no_evidence() -> None:
    harmful = judge_canary(CanaryCounts(1_000, 60, 4_000, 600), 0.2)
    assert harmful.verdict is CanaryVerdict.WORSE and harmful.must_stop
    better = judge_canary(CanaryCounts(1_000, 240, 4_000, 600), 0.2)
    assert better.verdict is CanaryVerdict.BETTER and not better.must_stop
    assert judge_canary(CanaryCounts(2_000, 60, 3_000, 600), 0.2).verdict is CanaryVerdict.SPLIT_FAILS
    assert judge_canary(CanaryCounts(0, 0, 3, 1), 0.2).verdict is CanaryVerdict.TOO_EARLY


def test_a_band_says_after_how_many_visits_it_is_looked_at_next() -> None:
    band = ((60.0, 0.25), (120.0, 0.5), (180.0, 0.25))
    looks = milestones(0.25 * 0.8)
    assert looks_of_band(0, 120.0, band, 0.2) == BandLooks(0, 10, 1250) and looks[0] == 1250
    assert looks_of_band(1249, 120.0, band, 0.2).look == 0
    assert looks_of_band(1250, 120.0, band, 0.2) == BandLooks(1, 10, looks[1])
    assert looks_of_band(looks[-1], 120.0, band, 0.2) == BandLooks(10, 10, None)
    often = ((60.0, 0.8), (120.0, 0.2))
    assert looks_of_band(0, 120.0, often, 0.0).next_at == 1250, "the rarer of both waits decides"
