"""One effect from several strata, agents or weeks, each compared with itself; pure, no I/O.

The Mantel-Haenszel estimates: every stratum weighs `n1 n0 / (n1 + n0)`. They hold when strata are many and
small as well as when they are few and large.

- risk difference: variance of T. Sato, "On the variance estimator for the Mantel-Haenszel risk
  difference", Biometrics 45 (1989) 1323-1324;
- risk ratio: variance of its logarithm by S. Greenland and J. Robins, Biometrics 41 (1985) 55-68.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from callcenter.learning.compliers import Arm
from callcenter.learning.evidence import Interval, case_split_evidence


@dataclass(frozen=True, slots=True)
class Stratum:
    """One stratum's two arms, either of which may be empty."""

    label: str
    assigned: Arm
    held_out: Arm

    @property
    def is_split(self) -> bool:
        """Whether it has customers in both arms, without which it tells nothing."""
        return bool(self.assigned.n and self.held_out.n)


@dataclass(frozen=True, slots=True)
class StratifiedEffect:
    """Treated minus held out, and over it, within strata. `left_out`: customers of one-armed strata.

    None where no stratum has both arms. `broken_splits`: strata whose own split is not as designed.
    """

    strata: int
    left_out: int
    difference: Interval | None
    risk_ratio: Interval | None
    broken_splits: tuple[str, ...] = ()


def stratified_effect(
    strata: Sequence[Stratum], alpha: float = 0.05, designed_share: float | None = None, alarm: float = 1000.0
) -> StratifiedEffect:
    """Mantel-Haenszel difference and ratio of conversion with intervals for one look at the end.

    With `designed_share`, the designed share held out, the split of each stratum is checked as well. The
    alarm is multiplied by the number of strata, so that all of them together rarely alarm by chance.
    """
    split = [one for one in strata if one.is_split]
    left_out = sum(one.assigned.n + one.held_out.n for one in strata if not one.is_split)
    broken = tuple(
        one.label
        for one in strata
        if designed_share is not None
        and case_split_evidence(one.assigned.n, one.held_out.n, designed_share) >= alarm * len(strata)
    )
    if not split:
        return StratifiedEffect(len(strata), left_out, None, None, broken)
    z = NormalDist().inv_cdf(1 - alpha / 2)
    return StratifiedEffect(len(strata), left_out, _difference(split, z), _ratio(split, z), broken)


def _difference(strata: Sequence[Stratum], z: float) -> Interval:
    weights = weighted = p = q = 0.0
    for one in strata:
        n1, x1, n0, x0 = one.assigned.n, one.assigned.converted, one.held_out.n, one.held_out.converted
        n = n1 + n0
        weights += n1 * n0 / n
        weighted += (x1 * n0 - x0 * n1) / n
        p += (n1**2 * x0 - n0**2 * x1 + n1 * n0 * (n0 - n1) / 2) / n**2
        q += (x1 * (n0 - x0) + x0 * (n1 - x1)) / (2 * n)
    point = weighted / weights
    error = math.sqrt(max(0.0, point * p + q)) / weights
    return Interval(max(-1.0, point - z * error), point, min(1.0, point + z * error))


def _ratio(strata: Sequence[Stratum], z: float) -> Interval:
    treated = base = spread = 0.0
    for one in strata:
        n1, x1, n0, x0 = one.assigned.n, one.assigned.converted, one.held_out.n, one.held_out.converted
        n = n1 + n0
        treated += x1 * n0 / n
        base += x0 * n1 / n
        spread += (n1 * n0 * (x1 + x0) - x1 * x0 * n) / n**2
    if not treated or not base:
        point = 1.0 if treated == base else (math.inf if treated else 0.0)
        return Interval(0.0, point, math.inf)
    log_point, error = math.log(treated / base), math.sqrt(spread / (treated * base))
    return Interval(math.exp(log_point - z * error), treated / base, math.exp(log_point + z * error))
