"""May a change be proposed, and how does its canary stand? Figures in, answer out; no I/O, no clock, no chance.

A wait is proposed where the lower bound of its gain, in conversions because of the call for an agent's hour, is
above 0. Two things are paid for, so that noise passes in at most `alpha` of all rules:

- **Looking daily.** The log of a candidate is read up to a milestone only: 250, 375, 563, ... of its own visits
  expected (half as many again each time, ten of them). Between milestones every look is the same look, and each
  of the ten spends a tenth of `alpha`.
- **Several candidates.** Each spends its part of that (Bonferroni).

So the bound of one look at one of four candidates is a one-sided one at 0.05 / 40. A candidate lies within half
of the current wait, needs an effective sample of 200 visits on both sides, and is never extrapolated to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from callcenter.learning.evidence import MeasuredSplit, Share, case_split_evidence, measure_split
from callcenter.learning.logged_choices import Refusal
from callcenter.learning.rules import SAMPLE_RATIO_ALARM, EffectVerdict, RuleEffect, VariantVerdict
from callcenter.learning.waits import FEWEST_HELD_OUT, WaitComparison, WaitLog, compare_waits


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """What a proposed wait must pass; shares unless said otherwise."""

    alpha: float = 0.05
    looks: int = 10
    first_look: int = 250
    growth: float = 1.5
    smallest_sample: float = 200.0
    largest_step: float = 0.5


GATE = GatePolicy()
SMALLEST_HOLDOUT = 0.05
"""No hold-out is proposed below this: an effect would never be seen to go away."""


class WaitVerdict(StrEnum):
    """What may be said of another wait."""

    PASSES = "passes"
    NO_GAIN = "no_gain"
    TOO_FEW = "too_few"
    NO_HOLDOUT = "no_holdout"
    NOT_AS_DRAWN = "not_as_drawn"


@dataclass(frozen=True, slots=True)
class JudgedWait:
    """A candidate at its last milestone. `look` counts from 1, 0 before the first; `next_at` is the next one.

    `visits_at_look` and `next_at` count visits of everybody in the band, held out or not.
    """

    wait: float
    verdict: WaitVerdict
    look: int
    visits_at_look: int
    next_at: int | None
    comparison: WaitComparison | None = None

    @property
    def lower_bound(self) -> float:
        """Of the gain an hour; minus infinity where there is none."""
        robust = self.comparison.doubly_robust if self.comparison else None
        return robust.per_hour.low if robust else float("-inf")


def candidates_of(waits: Sequence[float], current: float, policy: GatePolicy = GATE) -> tuple[float, ...]:
    """The waits of a band, in seconds, that one step from the current one may go to."""
    low, high = current * (1 - policy.largest_step), current * (1 + policy.largest_step)
    return tuple(one for one in sorted(set(waits)) if one != current and low <= one <= high)


def milestones(probability: float, policy: GatePolicy = GATE) -> tuple[int, ...]:
    """After how many visits a wait that is drawn with this probability is looked at."""
    return tuple(round(policy.first_look * policy.growth**look / probability) for look in range(policy.looks))


@dataclass(frozen=True, slots=True)
class BandLooks:
    """How often the waits of a band have been looked at, of how many times, and after how many visits next.

    `next_at` counts visits whose window is over, held out or not; None once the last look is done.
    """

    look: int
    looks: int
    next_at: int | None


def looks_of_band(
    visits: int,
    current: float,
    band: Sequence[tuple[float, float]],
    held_out_share: float,
    policy: GatePolicy = GATE,
) -> BandLooks:
    """Tell how far the evidence of a band of (wait in seconds, its probability) is, with so many settled visits.

    Its other waits are drawn alike, so that all of them are looked at together.
    """
    looks = milestones(_drawn_and_called(band, held_out_share, _rarest(band, current), current), policy)
    done = sum(visits >= one for one in looks)
    return BandLooks(done, len(looks), looks[done] if done < len(looks) else None)


def _rarest(band: Sequence[tuple[float, float]], current: float) -> float:
    return min((one for one in band if one[0] != current), key=lambda one: one[1])[0]


def _drawn_and_called(
    band: Sequence[tuple[float, float]], held_out_share: float, wait: float, current: float
) -> float:
    """The share of visits that draw a wait and are called, or draw the current one where that is less."""
    probability = dict(band)
    return min(probability[wait], probability[current]) * max(1 - held_out_share, 1e-9)


def judge_waits(
    log: WaitLog,
    current: float,
    band: Sequence[tuple[float, float]],
    held_out_share: float,
    policy: GatePolicy = GATE,
) -> tuple[JudgedWait, ...]:
    """Judge every candidate of a band of (wait in seconds, its probability), the best first.

    `log` holds the settled visits in the order in which they entered; `held_out_share` is the designed one.
    """
    candidates = candidates_of([wait for wait, _ in band], current, policy)
    judged = [
        _judge(log, wait, current, _drawn_and_called(band, held_out_share, wait, current), candidates, policy)
        for wait in candidates
    ]
    return tuple(sorted(judged, key=lambda one: -one.lower_bound))


def proposed_wait(judged: Sequence[JudgedWait]) -> JudgedWait | None:
    """The candidate to propose: of those that pass the one whose gain is surest; None where none does."""
    passing = [one for one in judged if one.verdict is WaitVerdict.PASSES]
    return max(passing, key=lambda one: one.lower_bound, default=None)


def _judge(
    log: WaitLog,
    wait: float,
    current: float,
    probability: float,
    candidates: Sequence[float],
    policy: GatePolicy,
) -> JudgedWait:
    looks = milestones(probability, policy)
    look = sum(len(log.wait) >= one for one in looks)
    next_at = looks[look] if look < len(looks) else None
    if not look:
        return JudgedWait(wait, WaitVerdict.TOO_FEW, 0, 0, next_at)
    alpha = policy.alpha / (policy.looks * len(candidates))
    comparison = compare_waits(log.first(looks[look - 1]), wait, current, 2 * alpha, policy.smallest_sample)
    return JudgedWait(wait, _verdict(comparison), look, looks[look - 1], next_at, comparison)


def _verdict(comparison: WaitComparison) -> WaitVerdict:
    if Refusal.UNCALIBRATED in comparison.refusals or Refusal.UNSUPPORTED in comparison.refusals:
        return WaitVerdict.NOT_AS_DRAWN
    if comparison.refusals:
        return WaitVerdict.TOO_FEW
    if comparison.held_out < FEWEST_HELD_OUT:
        return WaitVerdict.NO_HOLDOUT
    robust = comparison.doubly_robust
    if robust is None:
        return WaitVerdict.TOO_FEW
    return WaitVerdict.PASSES if robust.per_hour.low > 0 else WaitVerdict.NO_GAIN


def proposes_pause(effect: RuleEffect) -> bool:
    """Whether a rule should be paused: the evidence, good at every look, says that calling harms."""
    return effect.verdict is EffectVerdict.HARMS


def proposed_holdout(effect: RuleEffect, share: float) -> float | None:
    """The hold-out to go to once it is decided that calling helps, one step of at most half; None to stay."""
    if effect.verdict is not EffectVerdict.HELPS or share <= SMALLEST_HOLDOUT:
        return None
    return max(SMALLEST_HOLDOUT, round(share * 0.5, 4))


def proposed_variant(verdict: VariantVerdict, variants: tuple[str, str] = ("A", "B")) -> str | None:
    """The script variant that the evidence prefers; None while it does not."""
    first, second = variants
    return {VariantVerdict.A_BETTER: first, VariantVerdict.B_BETTER: second}.get(verdict)


class CanaryVerdict(StrEnum):
    """How a canary stands beside the current version."""

    BETTER = "better"
    WORSE = "worse"
    NOT_KNOWN = "not_known"
    TOO_EARLY = "too_early"
    SPLIT_FAILS = "split_fails"


@dataclass(frozen=True, slots=True)
class CanaryCounts:
    """Customers who came to the step since it began, each once: on the canary, and beside it; who converted."""

    tried: int
    converted_tried: int
    beside: int
    converted_beside: int


@dataclass(frozen=True, slots=True)
class JudgedCanary:
    """A canary's verdict, safe to look at every minute, with what it rests on; None where there is nothing yet."""

    verdict: CanaryVerdict
    counts: CanaryCounts
    measured: MeasuredSplit | None = None

    @property
    def must_stop(self) -> bool:
        """Whether it ends by itself: it harms, or its customers are not the share that was to be drawn."""
        return self.verdict in (CanaryVerdict.WORSE, CanaryVerdict.SPLIT_FAILS)


def judge_canary(counts: CanaryCounts, share: float, alpha: float = 0.05) -> JudgedCanary:
    """Compare the customers a version is tried on with all others on the step, by the case split.

    If the versions do not differ, each customer who converts was on the canary with probability `share`, so the
    evidence may be looked at as often as one likes (`evidence.py`). Raises ValueError for a share outside (0, 1).
    """
    if case_split_evidence(counts.tried, counts.beside, 1 - share) >= SAMPLE_RATIO_ALARM:
        return JudgedCanary(CanaryVerdict.SPLIT_FAILS, counts)
    if not counts.tried or not counts.beside:
        return JudgedCanary(CanaryVerdict.TOO_EARLY, counts)
    measured = measure_split(
        Share(counts.converted_tried, counts.tried),
        Share(counts.converted_beside, counts.beside),
        1 - share,
        alpha,
    )
    if measured.is_decided:
        verdict = CanaryVerdict.BETTER if measured.difference.point > 0 else CanaryVerdict.WORSE
    else:
        verdict = CanaryVerdict.TOO_EARLY if measured.is_early else CanaryVerdict.NOT_KNOWN
    return JudgedCanary(verdict, counts, measured)
