"""Evidence from a random split that may be looked at every day; pure, no I/O, no clock.

The case split: every firing is held out with a known probability `h`, so if calling changes nothing,
each customer who converts had been treated with probability `pi0 = 1 - h`, whatever the base rate, the
season or the number who did not convert. Only converters are counted, which keeps the test exact for
small counts. The evidence is the Beta-binomial mixture martingale for such counts, a two-cell case of
the multinomial tests of M. Lindon and A. Malek, "Anytime-Valid Inference for Multinomial Count Data"
(NeurIPS 2022): average the likelihood over a Beta prior and divide by the likelihood under `pi`. Under
`pi` this ratio is a martingale that starts at 1, so by Ville's inequality it ever reaches `1 / alpha`
with probability at most `alpha`, no matter when or how often one looks.
"""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import betaln, expit, log_expit

PRIOR_WEIGHT = 20.0
"""Pseudo-converters of the mixing Beta prior, which is centred on the designed split."""

EARLIEST_CONVERTERS = 10
"""Below this many converters in both arms together the shares swing with every single one."""

Counts = int | npt.NDArray[np.number[Any]]


@dataclass(frozen=True, slots=True)
class Share:
    """A count with its denominator, so that no screen can show one without the other."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        """Between 0 and 1; None where the denominator is 0."""
        return self.count / self.of if self.of else None


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate between the ends of its confidence sequence; ends may be infinite for a risk ratio."""

    low: float
    point: float
    high: float

    def scaled(self, factor: float, limit: float = math.inf) -> "Interval":
        """Every number times a factor that is not negative, kept within plus and minus `limit`."""
        low, point, high = (min(limit, max(-limit, x * factor)) for x in (self.low, self.point, self.high))
        return Interval(low, point, high)


@dataclass(frozen=True, slots=True)
class MeasuredSplit:
    """What two arms of a random split tell: treated minus held out, and treated over held out."""

    evidence: float
    difference: Interval
    risk_ratio: Interval
    is_decided: bool
    is_early: bool


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """The effect planned for and the firings it needs: in one look at the end, and when watched.

    All None where there is nothing to plan with yet.
    """

    effect: float | None = None
    firings: int | None = None
    firings_watched: int | None = None


def log_case_split_evidence(
    treated_converters: Counts, heldout_converters: Counts, holdout_share: float
) -> npt.NDArray[np.float64]:
    """Natural logarithm of the case-split evidence; counts may be whole arrays.

    `log E = ln B(a+s, b+f) - ln B(a, b) - s ln pi0 - f ln(1-pi0)` with `pi0 = 1 - h`,
    `a = 20 pi0`, `b = 20 (1 - pi0)`. Raises ValueError for a share outside (0, 1) or negative counts.
    """
    _check_share(holdout_share)
    treated, held = np.asarray(treated_converters), np.asarray(heldout_converters)
    if np.any(treated < 0) or np.any(held < 0):
        raise ValueError("counts cannot be negative")
    null = treated * math.log1p(-holdout_share) + held * math.log(holdout_share)
    return np.asarray(_log_mixture(treated, held, holdout_share) - null, dtype=np.float64)


def case_split_evidence(treated_converters: int, heldout_converters: int, holdout_share: float) -> float:
    """How many times better "the treatment matters" explains the converters than "it does not".

    1 with no converters; at or above `1 / alpha` the claim "no effect" may be given up at any time with
    a false alarm in at most `alpha` of all worlds. Two-sided: the side is where the converters lean.
    Computed in logarithms; values beyond the largest float are returned as the largest float.
    """
    log_evidence = float(log_case_split_evidence(treated_converters, heldout_converters, holdout_share))
    return math.exp(log_evidence) if log_evidence < math.log(sys.float_info.max) else sys.float_info.max


def treated_share_interval(
    treated_converters: int, heldout_converters: int, holdout_share: float, alpha: float = 0.05
) -> tuple[float, float]:
    """Confidence sequence (low, high) for the treated share of converters, valid at every look at once.

    All shares `pi` whose martingale, with the same prior, is below `1 / alpha`. It holds the observed
    share always (the mixture never beats the best fit) and `1 - h` exactly while the evidence is below
    `1 / alpha`. (0, 1) with no converters.
    """
    low, high = _log_odds_interval(treated_converters, heldout_converters, holdout_share, alpha)
    return float(expit(low)), float(expit(high))


def risk_ratio_interval(
    treated_converters: int, heldout_converters: int, holdout_share: float, alpha: float = 0.05
) -> tuple[float, float]:
    """Confidence sequence (low, high) for conversion if treated over conversion if held out.

    `RR = pi / (1 - pi) * h / (1 - h)` over the interval of `treated_share_interval`; 1 is "no effect".
    `low` is 0 while nobody treated converted, `high` is infinite while nobody held out did.
    """
    low, high = _log_odds_interval(treated_converters, heldout_converters, holdout_share, alpha)
    designed = math.log1p(-holdout_share) - math.log(holdout_share)
    return float(np.exp(low - designed)), float(np.exp(high - designed))


def difference_at_risk_ratio(risk_ratio: float, converters: float, treated: int, held_out: int) -> float:
    """Difference of conversion shares (treated minus held out) that a risk ratio stands for, in [-1, 1].

    Keeps the overall conversion as observed: `n1 p1 + n0 p0 = converters` with `p1 = RR p0` gives
    `p1 - p0 = converters (RR - 1) / (n1 RR + n0)`. It is 0 exactly at RR = 1, rises with RR, and at the
    observed risk ratio it is the observed difference.
    """
    if math.isinf(risk_ratio):
        difference = converters / treated
    else:
        difference = converters * (risk_ratio - 1) / (treated * risk_ratio + held_out)
    return min(1.0, max(-1.0, difference))


def firings_needed(
    base_rate: float, treated_rate: float, holdout_share: float, alpha: float = 0.05, power: float = 0.8
) -> int:
    """Firings in both arms together that show `base_rate -> treated_rate` with the given power.

    The textbook normal formula for two shares and an unequal split, two-sided:
    `n = (z_{1-alpha/2} + z_power)^2 [p0 (1-p0) / h + p1 (1-p1) / (1-h)] / (p1 - p0)^2`, rounded to the
    nearest. It is the figure for one look at the end; see `firings_needed_when_watched`. Raises
    ValueError for equal rates or shares outside their range.
    """
    _check_rates(base_rate, treated_rate, holdout_share)
    z = NormalDist().inv_cdf(1 - alpha / 2) + NormalDist().inv_cdf(power)
    held_out_part = base_rate * (1 - base_rate) / holdout_share
    treated_part = treated_rate * (1 - treated_rate) / (1 - holdout_share)
    return max(1, round(z**2 * (held_out_part + treated_part) / (treated_rate - base_rate) ** 2))


def firings_needed_when_watched(
    base_rate: float, treated_rate: float, holdout_share: float, alpha: float = 0.05, power: float = 0.8
) -> int:
    """Firings in both arms together after which the case-split evidence has reached `1 / alpha`.

    With `n` firings there are `C = n [(1-h) p1 + h p0]` converters, treated with probability
    `pi = (1-h) p1 / [(1-h) p1 + h p0]`. Taken is the smallest `C` whose unlucky count of treated
    converters, `C pi` less `z_power` standard deviations towards the null, still passes. Within half a
    percent of `C`; a little too many, because evidence that passed earlier stays passed. Raises ValueError
    as `firings_needed`.
    """
    _check_rates(base_rate, treated_rate, holdout_share)
    converting = (1 - holdout_share) * treated_rate + holdout_share * base_rate
    pi, null = (1 - holdout_share) * treated_rate / converting, 1 - holdout_share
    number = np.geomspace(1, 1e12, 6000)
    unlucky = math.copysign(NormalDist().inv_cdf(power), null - pi) * np.sqrt(number * pi * (1 - pi))
    treated = np.clip(number * pi + unlucky, 0, number)
    on_its_side = (treated > number * null) == (pi > null)
    passes = on_its_side & (
        log_case_split_evidence(treated, number - treated, holdout_share) >= -math.log(alpha)
    )
    smallest = float(number[passes.argmax()] if passes.any() else number[-1])
    return math.ceil(smallest / converting)


def measure_split(treated: Share, held_out: Share, holdout_share: float, alpha: float) -> MeasuredSplit:
    """Evidence and intervals that agree: zero lies outside exactly when the evidence reaches 1 / alpha.

    The confidence sequence of the treated share of converters gives one for the risk ratio, and
    `difference_at_risk_ratio` carries it over to the difference. Exact is where zero lies. Approximate
    is the width, because the overall conversion is taken as observed. The ends that face away from zero
    count `ln(1 / alpha)` more converters than were seen (the rule of three), so that no conversions at
    all is not told as certainty.

    The test uses the designed split, the shown shares use the actual arm sizes. Should a lucky draw make
    them disagree on the side, the evidence is capped at 1 (lowering it keeps it valid) and the interval
    is widened to hold the shown difference, which then takes in zero as well.
    """
    s, n1, f, n0 = treated.count, treated.of, held_out.count, held_out.of
    evidence = case_split_evidence(s, f, holdout_share)
    leans_to = s * holdout_share - f * (1 - holdout_share)
    if leans_to * (s * n0 - f * n1) <= 0:
        evidence = min(evidence, 1.0)
    observed = s / n1 - f / n0
    observed_ratio = (s * n0) / (f * n1) if f else (math.inf if s else 1.0)
    low_ratio, high_ratio = risk_ratio_interval(s, f, holdout_share, alpha)
    ratio = Interval(min(low_ratio, observed_ratio), observed_ratio, max(high_ratio, observed_ratio))
    outward = s + f - math.log(alpha)
    low = difference_at_risk_ratio(ratio.low, outward if ratio.low < 1 else s + f, n1, n0)
    high = difference_at_risk_ratio(ratio.high, outward if ratio.high > 1 else s + f, n1, n0)
    return MeasuredSplit(
        evidence=evidence,
        difference=Interval(min(low, observed), observed, max(high, observed)),
        risk_ratio=ratio,
        is_decided=evidence >= 1 / alpha,
        is_early=s + f < EARLIEST_CONVERTERS,
    )


def plan_split(
    treated: Share,
    held_out: Share,
    holdout_share: float,
    alpha: float,
    smallest_effect: float,
    power: float = 0.8,
    usual_rate: float | None = None,
) -> SplitPlan:
    """How many firings show what: the stated smallest effect first, the observed one once it is larger.

    Early differences are mostly noise and the largest of them promise too much, so below
    `EARLIEST_CONVERTERS` the plan is for the stated effect. Later a larger observed difference shortens
    the plan; a smaller one never lengthens it, because nobody needs to know it. The base rate is the
    held-out share, or the overall share while no held-out customer has converted; and before anybody has,
    `usual_rate`, what is usual elsewhere, so that the wait is told in advance.
    """
    converters = treated.count + held_out.count
    if not converters and not usual_rate:
        return SplitPlan()
    overall = converters / (treated.of + held_out.of) or usual_rate or 0.0
    base_rate = held_out.count / held_out.of or overall
    observed = treated.count / treated.of - held_out.count / held_out.of
    size = smallest_effect if converters < EARLIEST_CONVERTERS else max(smallest_effect, abs(observed))
    effect = -size if observed < 0 else size
    treated_rate = min(1.0, max(0.0, base_rate + effect))
    if treated_rate == base_rate:
        return SplitPlan()
    return SplitPlan(
        effect=effect,
        firings=firings_needed(base_rate, treated_rate, holdout_share, alpha, power),
        firings_watched=firings_needed_when_watched(base_rate, treated_rate, holdout_share, alpha, power),
    )


def _log_mixture(treated: Counts, held: Counts, holdout_share: float) -> npt.NDArray[np.float64]:
    a, b = PRIOR_WEIGHT * (1 - holdout_share), PRIOR_WEIGHT * holdout_share
    first, second = np.asarray(a + treated, dtype=np.float64), np.asarray(b + held, dtype=np.float64)
    return np.asarray(betaln(first, second) - betaln(a, b), dtype=np.float64)


def _log_odds_interval(s: int, f: int, holdout_share: float, alpha: float) -> tuple[float, float]:
    """Both ends of the confidence sequence as log odds, where roots near 0 and 1 keep their digits."""
    _check_share(holdout_share)
    if not 0 < alpha < 1:
        raise ValueError("alpha must lie strictly between 0 and 1")
    if s < 0 or f < 0:
        raise ValueError("counts cannot be negative")
    room = -math.log(alpha) - float(_log_mixture(s, f, holdout_share))
    if s == 0 or f == 0:  # the likelihood is a plain power, its root is in closed form
        low = -math.log(math.expm1(room / s)) if s else -math.inf
        high = math.log(math.expm1(room / f)) if f else math.inf
        return low, high

    def excess(log_odds: float) -> float:
        return float(-s * log_expit(log_odds) - f * log_expit(-log_odds)) - room

    best = math.log(s) - math.log(f)
    return _root_beside(excess, best, -1.0), _root_beside(excess, best, 1.0)


def _root_beside(excess: Callable[[float], float], inside: float, direction: float) -> float:
    """Where a convex function that is below zero at `inside` crosses zero on one side of it."""
    step = 0.25
    while excess(inside + direction * step) < 0:
        step *= 2
    ends = sorted((inside, inside + direction * step))
    from scipy.optimize import brentq  # a third of a second that only who asks for an interval shall wait

    return float(brentq(excess, ends[0], ends[1], xtol=1e-13, rtol=1e-14))


def _check_share(holdout_share: float) -> None:
    if not 0 < holdout_share < 1:
        raise ValueError("the hold-out share must lie strictly between 0 and 1")


def _check_rates(base_rate: float, treated_rate: float, holdout_share: float) -> None:
    _check_share(holdout_share)
    if not (0 <= base_rate <= 1 and 0 <= treated_rate <= 1) or base_rate == treated_rate:
        raise ValueError("rates must differ and lie in [0, 1]")
