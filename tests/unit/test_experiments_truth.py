"""Simulated experiments whose truth is known and hidden: how often do the intervals hold it?"""

import math

import numpy as np
import pytest

from callcenter.learning.compliers import Arm
from callcenter.learning.evidence import Share
from callcenter.learning.experiments import (
    Design,
    ExperimentEffect,
    ExperimentVerdict,
    effect_of_experiment,
    watch,
)
from callcenter.learning.strata import Stratum, stratified_effect
from callcenter.learning.two_shares import difference_interval

pytestmark = pytest.mark.slow

RUNS = 600
WILLING, ANSWERS, CONVERTS = 0.4, {True: 0.8, False: 0.3}, {True: 0.25, False: 0.05}
REACHED = WILLING * ANSWERS[True] + (1 - WILLING) * ANSWERS[False]


def near(share: float, promised: float = 0.95, runs: int = RUNS) -> bool:
    """Within four binomial standard errors of what is promised."""
    return abs(share - promised) <= 4 * math.sqrt(promised * (1 - promised) / runs)


def experiment(rng: np.random.Generator, n: int, effect: float) -> tuple[Arm, Arm]:
    """The willing answer the telephone and convert anyway; being reached adds `effect` for everybody."""
    willing = rng.random(n) < WILLING
    assigned = rng.random(n) >= 0.2
    reached = assigned & (rng.random(n) < np.where(willing, ANSWERS[True], ANSWERS[False]))
    converted = rng.random(n) < np.where(willing, CONVERTS[True], CONVERTS[False]) + effect * reached
    return tuple(  # type: ignore[return-value]
        Arm(
            int(in_arm.sum()),
            int((in_arm & reached).sum()),
            int((in_arm & converted).sum()),
            int((in_arm & reached & converted).sum()),
        )
        for in_arm in (assigned, ~assigned)
    )


def raw_gap_covers(assigned: Arm, truth: float) -> bool:
    """Whether the interval of reached against not reached, which is never told, holds the truth."""
    reached = Share(assigned.reached_and_converted, assigned.reached)
    rest = Share(assigned.converted - assigned.reached_and_converted, assigned.n - assigned.reached)
    gap = difference_interval(reached, rest)
    return gap.low <= truth <= gap.high


@pytest.mark.parametrize("effect", [0.06, 0.0, -0.04])
def test_by_assignment_the_truth_is_covered_where_reached_against_not_reached_never_is(effect: float) -> None:
    rng = np.random.default_rng(20261127)
    by_assignment = compliers = raw = 0
    for _ in range(RUNS):
        assigned, held = experiment(rng, 4_000, effect)
        found = effect_of_experiment(assigned, held, Design())
        assert found.difference is not None and found.reached is not None
        assert found.reached.effect is not None
        by_assignment += found.difference.low <= effect * REACHED <= found.difference.high
        compliers += found.reached.effect.low <= effect <= found.reached.effect.high
        raw += raw_gap_covers(assigned, effect)
    assert near(by_assignment / RUNS) and near(compliers / RUNS)
    assert raw == 0


def test_two_sided_contact_is_covered_as_well() -> None:
    """One in ten of the held out is called by mistake; the compliers' effect is still the same."""
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(RUNS):
        n, effect = 4_000, 0.1
        willing = rng.random(n) < WILLING
        assigned = rng.random(n) >= 0.3
        answers = rng.random(n) < np.where(willing, ANSWERS[True], ANSWERS[False])
        reached = answers & (assigned | (rng.random(n) < 0.1))
        converted = rng.random(n) < np.where(willing, 0.25, 0.05) + effect * reached
        one, other = (
            Arm(
                int(a.sum()),
                int((a & reached).sum()),
                int((a & converted).sum()),
                int((a & reached & converted).sum()),
            )
            for a in (assigned, ~assigned)
        )
        found = effect_of_experiment(one, other, Design()).reached
        assert found is not None and found.effect is not None
        hits += found.effect.low <= effect <= found.effect.high
    assert near(hits / RUNS)


def test_where_calling_changes_nothing_one_look_rarely_claims_that_it_does() -> None:
    rng = np.random.default_rng(11)
    claims = [
        effect_of_experiment(*experiment(rng, 1_500, 0.0), Design(0.2)).verdict
        in (ExperimentVerdict.HELPS, ExperimentVerdict.HARMS)
        for _ in range(RUNS)
    ]
    assert np.mean(claims) <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / RUNS)


def test_as_many_customers_as_planned_find_the_effect_with_the_planned_power() -> None:
    rng = np.random.default_rng(12)
    base, treated = 0.10, 0.13
    first = effect_of_experiment(Arm(800, 0, 104, 0), Arm(200, 0, 20, 0), Design(smallest_effect=0.03))
    assert first.needs is not None and first.planned_effect == pytest.approx(0.03)
    found = 0
    for _ in range(RUNS):
        held = rng.binomial(first.needs, 0.2)
        n = first.needs - held
        one = Arm(int(n), 0, int(rng.binomial(n, treated)), 0)
        other = Arm(int(held), 0, int(rng.binomial(held, base)), 0)
        found += effect_of_experiment(one, other, Design()).verdict is ExperimentVerdict.HELPS
    assert near(found / RUNS, 0.8)


def watched_world(rng: np.random.Generator, n: int, rates: tuple[float, float]) -> ExperimentEffect:
    """An experiment whose customers come one after the other."""
    assigned = rng.random(n) >= 0.2
    converted = rng.random(n) < np.where(assigned, *rates)
    treated, held = (np.cumsum(arm & converted, dtype=np.int64) for arm in (assigned, ~assigned))
    one = Arm(int(assigned.sum()), 0, int(treated[-1]), 0)
    other = Arm(n - one.n, 0, int(held[-1]), 0)
    return effect_of_experiment(one, other, Design(0.2), watched=watch(treated, held, 0.2))


def test_looked_at_after_every_customer_it_rarely_claims_too_much() -> None:
    rng = np.random.default_rng(13)
    worlds = [watched_world(rng, 3_000, (0.1, 0.1)) for _ in range(RUNS)]
    ever = [one.watched is not None and one.watched.decided_at is not None for one in worlds]
    assert np.mean(ever) <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / RUNS)
    held = [one.difference is not None and one.difference.low <= 0 <= one.difference.high for one in worlds]
    assert np.mean(held) >= 0.95 - 2 * math.sqrt(0.05 * 0.95 / RUNS)
    helping = [watched_world(rng, 3_000, (0.2, 0.1)).verdict for _ in range(60)]
    assert np.mean([one is ExperimentVerdict.HELPS for one in helping]) > 0.9


@pytest.mark.parametrize("sizes", [(12, 40), (4, 600)])
def test_within_strata_the_truth_is_covered_whatever_their_base_and_split(sizes: tuple[int, int]) -> None:
    strata, size = sizes
    strata *= 10
    rng = np.random.default_rng(14)
    differences = ratios = 0
    for _ in range(RUNS):
        base, split = rng.uniform(0.05, 0.4, strata), rng.uniform(0.1, 0.5, strata)
        held = rng.binomial(size, split)
        plus = [
            Stratum(
                str(i),
                Arm(size - int(h), 0, int(rng.binomial(size - h, b + 0.05)), 0),
                Arm(int(h), 0, int(rng.binomial(h, b)), 0),
            )
            for i, (h, b) in enumerate(zip(held, base, strict=True))
        ]
        times = [
            Stratum(
                one.label, Arm(one.assigned.n, 0, int(rng.binomial(one.assigned.n, 1.5 * b)), 0), one.held_out
            )
            for one, b in zip(plus, base, strict=True)
        ]
        difference, ratio = stratified_effect(plus).difference, stratified_effect(times).risk_ratio
        assert difference is not None and ratio is not None
        differences += difference.low <= 0.05 <= difference.high
        ratios += ratio.low <= 1.5 <= ratio.high
    assert near(differences / RUNS) and near(ratios / RUNS)
