"""Two shares compared in one look at the end: score intervals that agree with the score test; pure, no I/O.

O. Miettinen and M. Nurminen, "Comparative analysis of two rates", Statistics in Medicine 4 (1985) 213-226:
the difference and the ratio of two shares, each by the score statistic with the constrained estimates in
its variance and the factor N / (N - 1). At "no difference" and at "ratio 1" both statistics are the same
number, so the interval of the difference holds 0, the interval of the ratio holds 1 and the p-value lies
above alpha together or not at all. Printed figures: Table II of R. G. Newcombe, Statistics in Medicine 17
(1998) 873-890, method 6. These are for data looked at once; for every day see `evidence.py`.
"""

import math
from collections.abc import Callable
from statistics import NormalDist

from callcenter.learning.evidence import Interval, Share

_FAR = 1e9
"""Stands for an infinite statistic, so that root finding stays in finite numbers."""
_LONGEST = 60.0
"""The natural logarithm of a risk ratio beyond which its interval is open."""


def difference_interval(one: Share, other: Share, alpha: float = 0.05) -> Interval:
    """Score interval of `one - other`, both shares in [0, 1], ends in [-1, 1].

    Raises ValueError for an empty side or an alpha outside (0, 1).
    """
    z = _quantile(one, other, alpha)
    point = one.count / one.of - other.count / other.of

    def end(level: float, outermost: float) -> float:
        if point == outermost:
            return outermost
        return _root(lambda delta: _difference_score(one, other, delta) - level, point, outermost)

    return Interval(end(z, -1.0), point, end(-z, 1.0))


def ratio_interval(one: Share, other: Share, alpha: float = 0.05) -> Interval:
    """Score interval of `one / other`, ends in [0, infinity]; the point is 1 where nobody converted.

    Raises ValueError as `difference_interval`.
    """
    z = _quantile(one, other, alpha)
    if not one.count and not other.count:
        return Interval(0.0, 1.0, math.inf)
    point = (one.count * other.of) / (other.count * one.of) if other.count else math.inf

    inside = math.log(point) if 0 < point < math.inf else None

    def end(level: float, outside: float) -> float:
        def excess(log_ratio: float) -> float:
            return _ratio_score(one, other, math.exp(log_ratio)) - level

        return math.exp(_root(excess, -outside if inside is None else inside, outside))

    low = min(point, end(z, -_LONGEST)) if one.count else 0.0
    high = max(point, end(-z, _LONGEST)) if other.count else math.inf
    return Interval(low, point, high)


def no_difference_p_value(one: Share, other: Share) -> float:
    """Two-sided p-value of the score test of "the shares are equal", for one look at the end."""
    _quantile(one, other, 0.05)
    return 2 * NormalDist().cdf(-abs(_difference_score(one, other, 0.0)))


def _quantile(one: Share, other: Share, alpha: float) -> float:
    if not one.of or not other.of:
        raise ValueError("both sides need at least one member")
    if not 0 < alpha < 1:
        raise ValueError("alpha must lie strictly between 0 and 1")
    return NormalDist().inv_cdf(1 - alpha / 2)


def _root(excess: Callable[[float], float], inside: float, outside: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(excess, inside, outside, xtol=1e-12, rtol=1e-13))


def _difference_score(one: Share, other: Share, delta: float) -> float:
    """The score statistic of `one - other = delta`; falls in delta.

    The constrained share of the other side is the one root in [0, 1] of a cubic, in its trigonometric
    form (Miettinen and Nurminen 1985, appendix I).
    """
    total, converters = one.of + other.of, one.count + other.count
    quadratic = ((one.of + 2 * other.of) * delta - total - converters) / (3 * total)
    linear = ((other.of * delta - total - 2 * other.count) * delta + converters) / total
    constant = other.count * delta * (1 - delta) / total
    q = quadratic**3 - quadratic * linear / 2 + constant / 2
    p = math.copysign(math.sqrt(max(0.0, quadratic**2 - linear / 3)), q)
    cosine = min(1.0, max(-1.0, q / p**3)) if p else 0.0
    base = 2 * p * math.cos((math.pi + math.acos(cosine)) / 3) - quadratic
    base = min(1.0, 1 - delta, max(0.0, -delta, base))
    return _statistic(one.count / one.of - other.count / other.of - delta, one, other, base + delta, base)


def _ratio_score(one: Share, other: Share, ratio: float) -> float:
    """The score statistic of `one = ratio * other`; falls in the ratio (the same source, a quadratic)."""
    total, converters = one.of + other.of, one.count + other.count
    a = total * ratio
    b = -(one.of * ratio + one.count + other.of + other.count * ratio)
    root = math.sqrt(max(0.0, b * b - 4 * a * converters))
    base = min(1.0, 1 / ratio, 2 * converters / (root - b))  # the smaller root, without cancellation
    distance = one.count / one.of - ratio * other.count / other.of
    return _statistic(distance, one, other, ratio * base, base, ratio)


def _statistic(
    distance: float, one: Share, other: Share, share_one: float, share_other: float, ratio: float = 1.0
) -> float:
    variance = share_one * (1 - share_one) / one.of + ratio**2 * share_other * (1 - share_other) / other.of
    variance *= (one.of + other.of) / (one.of + other.of - 1)
    if abs(distance) < 1e-15:
        return 0.0
    return distance / math.sqrt(variance) if variance > 0 else math.copysign(_FAR, distance)
