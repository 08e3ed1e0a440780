"""How customers are shared out among a script's variants, and which one a customer draws; pure, no I/O, no clock.

One variant gets everybody, two get half each: with two, moving the shares gains little and blurs the
comparison. Three and more are shared out by Thompson sampling (W. R. Thompson, Biometrika 25 (1933) 285-294)
with Beta posteriors, once a day, from outcomes whose window is over: the share of a variant is the
probability that it converts best. Nobody's share falls below a floor, so that every variant keeps being
tried and the logged propensities stay large enough to weight by.

The probabilities are computed by numerical integration (no random numbers), so the same counts give the same
shares, on every machine and for the whole day.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaincinv

from callcenter.learning.rules import VariantCounts, VariantDraw

FLOOR = 0.10
"""The least share of a variant; of more than five variants, half of an even share."""
HEAVIEST_PRIOR = 20.0
"""Pseudo-customers a prior counts for at most: a few days of outcomes outweigh it."""
LIGHTEST_PRIOR = 2.0
FEWEST_PAST = 3
"""Past variants a prior's spread is read from at least; of fewer, only their mean is used."""
FEWEST_PAST_CUSTOMERS = 20
"""Customers a past variant must have had to count among them."""
_QUANTILES = 120


class AllocationMethod(StrEnum):
    """How shares came about; the code is stable, the words belong to the screens."""

    ONLY_ONE = "only_one"
    EVEN = "even"
    THOMPSON = "thompson"


@dataclass(frozen=True, slots=True)
class Prior:
    """A Beta prior of a variant's conversion: `a` converted and `b` other pseudo-customers, both above 0."""

    a: float = 1.0
    b: float = 1.0

    def __post_init__(self) -> None:
        if not (self.a > 0 and self.b > 0):
            raise ValueError("both parts of a prior must be above 0")

    @property
    def weight(self) -> float:
        """The pseudo-customers it counts for."""
        return self.a + self.b


@dataclass(frozen=True, slots=True)
class Allocation:
    """The shares of one day, adding up to 1, by variant; and the probability that each is best.

    `best` is empty where nothing was weighed (one variant, or two).
    """

    method: AllocationMethod
    shares: Mapping[str, float]
    prior: Prior
    best: Mapping[str, float]


def allocate(counts: Mapping[str, VariantCounts], prior: Prior = Prior(), floor: float = FLOOR) -> Allocation:
    """Share customers out among variants by their matured outcomes; see the module for how.

    `counts`: of every variant on offer, customers whose window is over and how many converted; zeros for one
    that nobody has heard yet. Raises ValueError for no variants or a floor outside [0, 1/2].
    """
    if not counts:
        raise ValueError("there must be a variant to draw")
    if not 0 <= floor <= 0.5:
        raise ValueError("the floor must lie in [0, 1/2]")
    names = sorted(counts)
    method = method_for(len(names))
    if method is not AllocationMethod.THOMPSON:
        return Allocation(method, even_shares(names), prior, MappingProxyType({}))
    best = probabilities_best([counts[name] for name in names], prior)
    shares = _with_floor(best, min(floor, 0.5 / len(names)))
    return Allocation(
        method,
        MappingProxyType(dict(zip(names, map(float, shares), strict=True))),
        prior,
        MappingProxyType(dict(zip(names, map(float, best), strict=True))),
    )


def method_for(variants: int) -> AllocationMethod:
    """Return how so many variants are shared out."""
    few = {1: AllocationMethod.ONLY_ONE, 2: AllocationMethod.EVEN}
    return few.get(variants, AllocationMethod.THOMPSON)


def even_shares(variants: Sequence[str]) -> Mapping[str, float]:
    """The same share for each variant: what holds before the first allocation."""
    return MappingProxyType({name: 1 / len(variants) for name in sorted(variants)})


def probabilities_best(counts: Sequence[VariantCounts], prior: Prior = Prior()) -> npt.NDArray[np.float64]:
    """Return, for each variant, the probability that its conversion is the highest; they add up to 1.

    `P(k best) = integral of f_k(x) * product over j != k of F_j(x) dx` with the Beta posteriors
    `Beta(a + converted, b + n - converted)`, summed by the trapezoid rule in `F_k` over the quantiles of all
    posteriors together, so that narrow ones are met as closely as wide ones. The error is below 0.0001.
    """
    a = np.array([prior.a + one.converted for one in counts], dtype=np.float64)
    b = np.array([prior.b + one.n - one.converted for one in counts], dtype=np.float64)
    levels = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    inner = betaincinv(a[:, None], b[:, None], levels[None, :]).ravel()
    grid = np.concatenate(([0.0], np.unique(inner), [1.0]))
    below = betainc(a[:, None], b[:, None], grid[None, :])
    steps = np.diff(below, axis=1)
    won = np.empty(len(counts))
    for k in range(len(counts)):
        others = np.prod(np.delete(below, k, axis=0), axis=0)
        won[k] = float(np.sum(steps[k] * (others[1:] + others[:-1]) / 2))
    return np.asarray(won / won.sum(), dtype=np.float64)


def prior_from(past: Sequence[VariantCounts], own: Sequence[VariantCounts] = ()) -> Prior:
    """Read a prior off past variants of the same journey by the method of moments, at most 20 pseudo-customers.

    J. C. Kleinman, JASA 68 (1973) 46-54, with weights `n`: the pooled mean `m`, and from
    `S = sum n (p - m)^2` the correlation `(S - m(1-m)(k-1)) / (m(1-m) (N - sum n^2 / N - (k-1)))`, which is
    `1 / (1 + a + b)`. No spread beyond chance gives the heaviest prior. `own` are the variants to be shared
    out: they lend their mean, never their spread, where too few past ones are known. With neither, Beta(1, 1).
    """
    known = [one for one in past if one.n >= FEWEST_PAST_CUSTOMERS]
    n = np.array([one.n for one in known], dtype=np.float64)
    converted = np.array([one.converted for one in known], dtype=np.float64)
    total, k = float(n.sum()), len(known)
    if k < FEWEST_PAST:
        return _light_prior([*past, *own])
    mean = float(converted.sum()) / total
    chance = mean * (1 - mean)
    if not chance:
        return _light_prior(past)
    spread = float((n * (converted / n - mean) ** 2).sum())
    room = total - float((n**2).sum()) / total - (k - 1)
    correlation = (spread - chance * (k - 1)) / (chance * room)
    weight = HEAVIEST_PRIOR if correlation <= 0 else 1 / correlation - 1
    weight = min(HEAVIEST_PRIOR, max(LIGHTEST_PRIOR, weight))
    return Prior(mean * weight, (1 - mean) * weight)


def choice_unit(salt: str, script_id: str, customer_id: str, variants: Sequence[str]) -> float:
    """Return the customer's number in [0, 1) for a script and this set of variants, from sha256.

    It depends neither on the day nor on any share; another set of variants gives another number, so that
    who must draw anew, because their variant is gone, draws independently of what they had.
    Raises ValueError for a name with the separator `|` in it.
    """
    if any("|" in part for part in (salt, script_id, *variants)):
        raise ValueError("a salt, script or variant cannot hold '|'")
    text = f"{salt}|{script_id}|{customer_id}|script|{','.join(sorted(variants))}"
    return (int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 11) / (1 << 53)


def draw_by_shares(unit: float, shares: Mapping[str, float]) -> VariantDraw:
    """Draw the variant in whose part of [0, 1) the unit falls, parts in the order of the names.

    `propensity` is its share: what must be logged with the draw. A variant without a share is never drawn.
    Raises ValueError for a unit outside [0, 1) or shares that do not add up to 1.
    """
    if not 0 <= unit < 1:
        raise ValueError("a unit must lie in [0, 1)")
    if any(share < 0 for share in shares.values()) or abs(sum(shares.values()) - 1) > 1e-6:
        raise ValueError("shares must add up to 1")
    offered = [(name, shares[name]) for name in sorted(shares) if shares[name] > 0]
    reached = 0.0
    for name, share in offered[:-1]:
        reached += share
        if unit < reached:
            return VariantDraw(name, share)
    return VariantDraw(*offered[-1])


def keep_or_draw(
    earlier: VariantDraw | None, shares: Mapping[str, float], salt: str, script_id: str, customer_id: str
) -> VariantDraw:
    """Return what the customer drew for this script before, while it is on offer; else draw.

    Shares that have moved since move nobody, and the propensity stays the one that held at the draw.
    """
    if earlier is not None and earlier.variant in shares:
        return earlier
    return draw_by_shares(choice_unit(salt, script_id, customer_id, list(shares)), shares)


def _light_prior(known: Sequence[VariantCounts]) -> Prior:
    """The lightest prior with the pooled mean, pulled towards one half by one customer of each kind."""
    n, converted = sum(one.n for one in known), sum(one.converted for one in known)
    mean = (converted + 1) / (n + 2)
    return Prior(mean * LIGHTEST_PRIOR, (1 - mean) * LIGHTEST_PRIOR)


def _with_floor(best: npt.NDArray[np.float64], floor: float) -> npt.NDArray[np.float64]:
    """Lift what lies below the floor to it and take that from the others in proportion."""
    lifted = np.zeros(len(best), dtype=bool)
    shares = best.copy()
    while True:
        low = ~lifted & (shares < floor)
        if not low.any():
            return shares
        lifted |= low
        shares = np.where(lifted, floor, best * (1 - floor * lifted.sum()) / best[~lifted].sum())
