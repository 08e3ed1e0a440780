"""Evidence on one variant against the others from draws with known, moving probabilities; pure, no I/O.

If a variant makes no difference, a customer who converts had drawn it with exactly the probability `p` of their
draw, whatever the base rate or the day. So the likelihood ratio of "it multiplies conversion by `r` against the
others",

    L(r) = product over converters of  (p r if they drew it, else 1 - p) / (p r + 1 - p),

has expectation 1 under "no difference" whichever way past outcomes moved the shares, because `p` was fixed
before the draw. Averaged over a fixed prior of `ln r` it is an e-process, and by Ville's inequality it ever
reaches `1 / alpha` with probability at most `alpha`, however often one looks. That the probabilities may depend
on the past is what such martingales allow: A. Ramdas, P. Gruenwald, V. Vovk, G. Shafer, "Game-theoretic
statistics and safe anytime-valid inference", Statistical Science 38 (2023) 576-601; for logged propensities of
bandits I. Waudby-Smith, L. Wu, A. Ramdas, N. Karampatziakis, P. Mineiro, "Anytime-valid off-policy inference for
contextual bandits", ACM/IMS Journal of Data Science 1 (2024). With all `p` alike it is the case split of
`evidence.py` with another prior.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from callcenter.learning.evidence import Interval

PRIOR_SPREAD = 0.46
"""Standard deviation of `ln r` in the mixing prior: as wide as the Beta(10, 10) of two variants."""
_GRID = np.linspace(-4 * PRIOR_SPREAD, 4 * PRIOR_SPREAD, 401)
_WEIGHTS = np.exp(-0.5 * (_GRID / PRIOR_SPREAD) ** 2)
_LOG_WEIGHTS = np.log(_WEIGHTS / _WEIGHTS.sum())


@dataclass(frozen=True, slots=True)
class ArmsAtP:
    """Customers drawn while a variant had probability `p`: those who drew it and those who drew another."""

    p: float
    n: int
    converted: int
    others: int
    others_converted: int


def mixed_evidence(split: Sequence[ArmsAtP], *, drawn: bool = False) -> float:
    """How many times better "the variant matters" explains the converters than "it does not".

    With `drawn` all customers are counted instead of the converters: evidence against the split itself.
    """
    log_mix = _log_mixture(split, drawn=drawn)
    return math.exp(min(log_mix, 700.0))


def ratio_sequence(split: Sequence[ArmsAtP], alpha: float) -> Interval:
    """Conversion over that of the others: the ratio that explains most, in a confidence sequence.

    All ratios `r` that the mixture does not beat by `1 / alpha`; 1 lies outside exactly when the evidence
    reaches `1 / alpha`. Ends are 0 and infinite where one side has no converter.
    """
    ours = sum(one.converted for one in split)
    theirs = sum(one.others_converted for one in split)
    if not ours and not theirs:
        return Interval(0.0, 1.0, math.inf)
    best = _best_log_ratio(split) if ours and theirs else (math.inf if ours else -math.inf)
    wanted = _log_mixture(split) + math.log(alpha)

    def excess(log_ratio: float) -> float:
        return wanted - _log_likelihood(split, log_ratio)

    low = 0.0 if not ours else math.exp(_crossing(excess, min(best, 30.0), -1.0))
    high = math.inf if not theirs else math.exp(_crossing(excess, max(best, -30.0), 1.0))
    point = 0.0 if best == -math.inf else math.inf if best == math.inf else math.exp(best)
    return Interval(low, point, high)


def _log_mixture(split: Sequence[ArmsAtP], *, drawn: bool = False) -> float:
    total = _LOG_WEIGHTS.copy()
    for one in split:
        ours, theirs = (one.n, one.others) if drawn else (one.converted, one.others_converted)
        total += ours * _GRID - (ours + theirs) * np.log(one.p * np.exp(_GRID) + 1 - one.p)
    return float(np.logaddexp.reduce(total))


def _log_likelihood(split: Sequence[ArmsAtP], log_ratio: float) -> float:
    """`ln L(r)`, which is concave in `ln r`."""
    ratio = math.exp(min(log_ratio, 700.0))
    return sum(
        one.converted * log_ratio
        - (one.converted + one.others_converted) * math.log(one.p * ratio + 1 - one.p)
        for one in split
    )


def _best_log_ratio(split: Sequence[ArmsAtP]) -> float:
    """Where the likelihood is highest; converters on both sides make it finite."""

    def slope(log_ratio: float) -> float:
        ratio = math.exp(log_ratio)
        return sum(
            one.converted
            - (one.converted + one.others_converted) * one.p * ratio / (one.p * ratio + 1 - one.p)
            for one in split
        )

    from scipy.optimize import brentq

    return float(brentq(slope, -60.0, 60.0, xtol=1e-12))


def _crossing(excess: Callable[[float], float], inside: float, direction: float) -> float:
    """Where a convex function that is not above zero at `inside` crosses zero on one side of it."""
    step = 0.25
    while excess(inside + direction * step) < 0 and step < 700:
        step *= 2
    ends = sorted((inside, inside + direction * step))
    from scipy.optimize import brentq

    return float(brentq(excess, ends[0], ends[1], xtol=1e-12))
