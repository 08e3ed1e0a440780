"""Worlds with a hidden truth for what the product says of effects and scripts; vectorised, seeds given.

The decisions are the product's own functions; only the customers are made up.
"""

import math
from dataclasses import dataclass

import numpy as np

from callcenter.learning.evidence import log_case_split_evidence
from callcenter.learning.rules import ArmCounts, VariantCounts, effect_of_rule
from callcenter.learning.script_choice import Prior, allocate, prior_from, probabilities_best

FIRINGS_A_DAY = 30
DAYS = 180
HOLDOUT = 0.2
DECIDED = 20.0
"""Evidence at which the product says that calling helps or harms."""
SCRIPTS = (0.10, 0.12, 0.20)
OUTCOMES_A_DAY = 20
SCRIPT_DAYS = 60
SCRIPT_LAG = 3


@dataclass(frozen=True)
class Watched:
    """Many worlds watched after every outcome. Shares in [0, 1].

    `helps`: the product ever says that calling helps; `decided`: that it does anything; `median_day`: when it is
    said first, where it is; `z_test`, `z_test_helps`: a z-test looked at every day ever says anything, or
    that calling helps.
    """

    helps: float
    decided: float
    median_day: float | None
    z_test: float
    z_test_helps: float


def watch(base: float, treated: float, worlds: int, seed: int, days: int = DAYS) -> Watched:
    """Watch rules whose customers convert with `base` held out and `treated` assigned."""
    rng = np.random.default_rng(seed)
    helps, decided, z_test, first_days = [], [], [], []
    for _ in range(worlds):
        is_treated = rng.random(FIRINGS_A_DAY * days) >= HOLDOUT
        converted = rng.random(len(is_treated)) < np.where(is_treated, treated, base)
        s = np.cumsum(is_treated & converted)
        f = np.cumsum(~is_treated & converted)
        passed = log_case_split_evidence(s, f, HOLDOUT) >= math.log(DECIDED)
        says_helps = passed & (s * HOLDOUT > f * (1 - HOLDOUT))
        helps.append(bool(says_helps.any()))
        decided.append(bool(passed.any()))
        if helps[-1]:
            first_days.append(float(says_helps.argmax()) / FIRINGS_A_DAY)
        z_test.append(_z_test_says(np.cumsum(is_treated), s, f))
    median = float(np.median(first_days)) if first_days else None
    return Watched(
        float(np.mean(helps)), float(np.mean(decided)), median, *map(float, np.mean(z_test, axis=0))
    )


def _z_test_says(assigned: np.ndarray, s: np.ndarray, f: np.ndarray) -> tuple[bool, bool]:
    """Whether the usual test of two shares at 5 %, repeated every day, ever says anything, or "it helps"."""
    days = np.arange(FIRINGS_A_DAY - 1, len(s), FIRINGS_A_DAY)
    n1, n0 = np.maximum(assigned[days], 1), np.maximum(days + 1 - assigned[days], 1)
    pooled = (s[days] + f[days]) / (n1 + n0)
    error = np.sqrt(np.maximum(pooled * (1 - pooled) * (1 / n1 + 1 / n0), 1e-12))
    z = (s[days] / n1 - f[days] / n0) / error
    return bool((np.abs(z) > 1.959964).any()), bool((z > 1.959964).any())


@dataclass(frozen=True)
class Biased:
    """Worlds in which who answers converts more anyway. Shares in [0, 1], differences in shares.

    `covered`: the page's interval holds the true effect; `gap_covered`: the interval of reached against not
    reached, by the textbook, does. `gap`: that gap on average, `truth` the true effect.
    """

    covered: float
    gap_covered: float
    gap: float
    truth: float


def biased_by_answering(worlds: int, seed: int, effect: float = 0.02, firings: int = 4_000) -> Biased:
    """Let half answer; without a call they convert with .20, the others with .06; a talk adds a little."""
    rng = np.random.default_rng(seed)
    covered, gap_covered, gaps = [], [], []
    for _ in range(worlds):
        held_out = rng.random(firings) < HOLDOUT
        answers = rng.random(firings) < 0.5
        talked = answers & ~held_out
        # The true effect of being assigned: half of them answer, and each talk adds twice `effect`.
        converted = rng.random(firings) < np.where(answers, 0.20, 0.06) + talked * 2 * effect
        counts = ArmCounts(
            fired=firings,
            held_out=int(held_out.sum()),
            assigned=int((~held_out).sum()),
            called=int((~held_out).sum()),
            reached=int(talked.sum()),
            converted_assigned=int((converted & ~held_out).sum()),
            converted_held_out=int((converted & held_out).sum()),
        )
        difference = effect_of_rule(counts, HOLDOUT).difference
        assert difference is not None
        covered.append(difference.low <= effect <= difference.high)
        missed = ~answers & ~held_out
        p1, p0 = converted[talked].mean(), converted[missed].mean()
        half = 1.959964 * math.sqrt(p1 * (1 - p1) / talked.sum() + p0 * (1 - p0) / missed.sum())
        gaps.append(p1 - p0)
        gap_covered.append(abs(p1 - p0 - effect) <= half)
    return Biased(float(np.mean(covered)), float(np.mean(gap_covered)), float(np.mean(gaps)), effect)


@dataclass(frozen=True)
class Shared:
    """Customers shared out among scripts by what came of them, beside an even split. Shares in [0, 1]."""

    gain: float
    """Conversions more than under an even split, over the sixty days."""
    best_found: float
    """Worlds in which the best script is held the likeliest best at the end."""


def share_out(worlds: int, seed: int) -> Shared:
    """Share 20 customers a day out among three scripts for sixty days; outcomes are known three days later."""
    rng = np.random.default_rng(seed)
    truth = np.array(SCRIPTS)
    names = [str(place) for place in range(len(SCRIPTS))]
    conversions, found = 0, 0
    for _ in range(worlds):
        n, won = np.zeros((SCRIPT_DAYS, 3), dtype=int), np.zeros((SCRIPT_DAYS, 3), dtype=int)
        for day in range(SCRIPT_DAYS):
            known = slice(0, max(0, day - SCRIPT_LAG))
            counts = [
                VariantCounts(int(a), int(b))
                for a, b in zip(n[known].sum(axis=0), won[known].sum(axis=0), strict=True)
            ]
            made = allocate(dict(zip(names, counts, strict=True)), prior_from([], counts))
            n[day] = rng.multinomial(OUTCOMES_A_DAY, [made.shares[name] for name in names])
            won[day] = rng.binomial(n[day], truth)
        conversions += int(won.sum())
        at_end = [VariantCounts(int(a), int(b)) for a, b in zip(n.sum(axis=0), won.sum(axis=0), strict=True)]
        found += int(np.argmax(probabilities_best(at_end, Prior()))) == int(np.argmax(truth))
    evenly = worlds * SCRIPT_DAYS * OUTCOMES_A_DAY * float(truth.mean())
    return Shared(conversions / evenly - 1, found / worlds)
