"""What a script's variants do, each against the others, although their shares move; pure, no I/O, no clock.

Two variants with half each are compared by the case split (`rules.py: compare_variants`). Three and more, or
shares that moved, by its like for moving probabilities (`moving_shares.py`). With K variants each is told at
`alpha / K`, so that by the union bound all K statements hold together with `1 - alpha`, at every look.

Plain shares of converted are biased when shares move (X. Nie, X. Tian, J. Taylor, J. Zou, "Why adaptively
collected data have negative bias", AISTATS 2018), so the share told is weighted by 1 / p (J. Hajek's ratio);
with even shares it is the plain one.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from callcenter.learning.compliers import Arm
from callcenter.learning.evidence import (
    EARLIEST_CONVERTERS,
    Interval,
    Share,
    difference_at_risk_ratio,
    plan_split,
)
from callcenter.learning.moving_shares import ArmsAtP, mixed_evidence, ratio_sequence
from callcenter.learning.rules import (
    SAMPLE_RATIO_ALARM,
    VariantCounts,
    VariantVerdict,
    compare_variants,
)
from callcenter.learning.strata import Stratum, stratified_effect

SMALLEST_EFFECT = 0.02
"""The smallest difference of conversion worth knowing, as in the plan of a rule's effect."""


class StandingVerdict(StrEnum):
    """What may be said of a variant against the others; the code is stable, the words belong to the screens."""

    BETTER = "better"
    WORSE = "worse"
    NOT_KNOWN = "not_known"
    TOO_EARLY = "too_early"
    SAMPLE_RATIO_FAILS = "sample_ratio_fails"
    ALONE = "alone"


@dataclass(frozen=True, slots=True)
class DrawnCell:
    """Customers who drew one variant under the same shares and were called by the same agent; window over.

    `shares` are those of the draw, by variant. `agent` is "" for those whom no agent called.
    """

    variant: str
    agent: str
    shares: Mapping[str, float]
    n: int
    converted: int


@dataclass(frozen=True, slots=True)
class Standing:
    """One variant. `converted_share` is weighted by 1 / p; everything from `evidence` on is against the others.

    `difference` and `risk_ratio` hold at every look, for all variants together. `within_agents`: the
    Mantel-Haenszel difference within agents and days of the same shares, its interval for one look at the end.
    `needs_more`: further customers of the script after which the verdict falls with 80 % power.
    """

    variant: str
    n: int
    converted: int
    converted_share: float | None
    verdict: StandingVerdict
    evidence: float | None = None
    difference: Interval | None = None
    risk_ratio: Interval | None = None
    within_agents: Interval | None = None
    needs_more: int | None = None


def standings(
    cells: Sequence[DrawnCell], variants: Sequence[str], today: Mapping[str, float], alpha: float = 0.05
) -> tuple[Standing, ...]:
    """Say of each variant on offer how it stands against the others, in the order of their names.

    `today` are the shares in force, for the plan. The split is checked first: where one variant was drawn
    otherwise than its probabilities say, nothing is compared. Raises ValueError for a cell of a variant that
    has no share.
    """
    names = sorted(variants)
    known = [cell for cell in cells if cell.variant in names and cell.n]
    if any(not cell.shares.get(cell.variant) for cell in known):
        raise ValueError("a variant was drawn that had no share")
    if len(names) == 1:
        return (_alone(known, names[0]),)
    looked = {name: _split_of(known, name) for name in names}
    limit = SAMPLE_RATIO_ALARM * len(names)
    broken = any(mixed_evidence(split, drawn=True) >= limit for split in looked.values())
    is_even = len(names) == 2 and all(
        abs(share - 0.5) < 1e-9 for cell in known for share in cell.shares.values()
    )
    told = []
    for name in names:
        if broken:
            told.append(_uncompared(known, name, StandingVerdict.SAMPLE_RATIO_FAILS))
        elif is_even:
            told.append(_against_the_other(known, name, alpha))
        else:
            told.append(_against_the_others(known, name, looked[name], today, alpha / len(names)))
    return tuple(told)


@dataclass(frozen=True, slots=True)
class BestVariant:
    """A variant that is decided to convert better than each of the others.

    `against`: the other that comes closest; `evidence` and `difference` (in shares) are against that one, and hold
    at every look, for all variants together.
    """

    variant: str
    against: str
    converted: Share
    converted_of_other: Share
    evidence: float
    difference: Interval


def best_variant(
    cells: Sequence[DrawnCell], variants: Sequence[str], alpha: float = 0.05
) -> BestVariant | None:
    """The variant that beats every other one on offer; None while none does, or where the split fails.

    Each pair is compared among the customers who drew one of the two: of these, who drew the first did so with
    `p1 / (p1 + p2)`. A variant is named best only if its evidence against every other reaches `K / alpha` for K
    variants. One that is not better than some other then passes with at most `alpha / K`, for that pair alone must
    be wrong, and any of the K with at most `alpha`, however often one looks.
    Raises ValueError for a cell of a variant that has no share.
    """
    names = sorted(variants)
    known = [cell for cell in cells if cell.variant in names and cell.n]
    if any(not cell.shares.get(cell.variant) for cell in known):
        raise ValueError("a variant was drawn that had no share")
    shares = {name: _weighted_share(known, name) for name in names}
    if len(names) < 2 or any(share is None for share in shares.values()):
        return None
    best = max(names, key=lambda name: shares[name] or 0.0)
    found = None
    for other in names:
        if other == best:
            continue
        pair = _of_pair(known, best, other, alpha / len(names))
        if pair is None:
            return None
        found = pair if found is None or pair.evidence < found.evidence else found
    limit = SAMPLE_RATIO_ALARM * len(names)
    broken = any(mixed_evidence(_split_of(known, name), drawn=True) >= limit for name in names)
    return None if broken else found


def _of_pair(cells: Sequence[DrawnCell], name: str, other: str, alpha: float) -> BestVariant | None:
    """Compare two variants among the customers who drew one of them; None while the first is not decided better."""
    drew = []
    for cell in cells:
        p, q = cell.shares.get(name, 0.0), cell.shares.get(other, 0.0)
        # One who could draw nothing else tells nothing: their rule has its agents say this one.
        if cell.variant in (name, other) and max(p, q) < 1:
            pair = {name: p / (p + q), other: q / (p + q)}
            drew.append(DrawnCell(cell.variant, cell.agent, pair, cell.n, cell.converted))
    split = _split_of(drew, name)
    evidence = mixed_evidence(split)
    if evidence < 1 / alpha:
        return None
    ours = _counts(drew, lambda cell: cell.variant == name)
    theirs = _counts(drew, lambda cell: cell.variant == other)
    difference = _difference(ratio_sequence(split, alpha), ours, theirs, alpha)
    if difference.point <= 0:
        return None
    converted, of_other = (Share(one.converted, one.n) for one in (ours, theirs))
    return BestVariant(name, other, converted, of_other, evidence, difference)


def within_agents(cells: Sequence[DrawnCell], name: str, alpha: float = 0.05) -> Interval | None:
    """The variant less the others within agents and equal shares, by Mantel and Haenszel; None without a pair.

    Shares that moved are strata of their own: otherwise a season would be taken for the variant.
    """
    strata: dict[tuple[str, float], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for cell in cells:
        sums = strata[cell.agent, round(cell.shares.get(name, 0.0), 9)]
        side = 0 if cell.variant == name else 2
        sums[side] += cell.n
        sums[side + 1] += cell.converted
    found = [
        Stratum(agent, Arm(n1, 0, x1, 0), Arm(n0, 0, x0, 0))
        for (agent, _), (n1, x1, n0, x0) in strata.items()
    ]
    return stratified_effect(found, alpha).difference


def _against_the_other(cells: Sequence[DrawnCell], name: str, alpha: float) -> Standing:
    """One of two with half each: the case split."""
    ours, theirs = (
        _counts(cells, lambda cell: cell.variant == name),
        _counts(cells, lambda cell: cell.variant != name),
    )
    compared = compare_variants(ours, theirs, alpha)
    verdict = {
        VariantVerdict.A_BETTER: StandingVerdict.BETTER,
        VariantVerdict.B_BETTER: StandingVerdict.WORSE,
        VariantVerdict.NOT_KNOWN: StandingVerdict.NOT_KNOWN,
        VariantVerdict.TOO_EARLY: StandingVerdict.TOO_EARLY,
        VariantVerdict.SAMPLE_RATIO_FAILS: StandingVerdict.SAMPLE_RATIO_FAILS,
    }[compared.verdict]
    decided = verdict in (StandingVerdict.BETTER, StandingVerdict.WORSE)
    shown = compared.difference is not None
    return Standing(
        name,
        ours.n,
        ours.converted,
        _weighted_share(cells, name),
        verdict,
        compared.evidence,
        compared.difference,
        compared.risk_ratio,
        within_agents(cells, name, alpha) if shown else None,
        _needs_more(ours, theirs, 0.5, alpha, decided=decided) if shown else None,
    )


def _against_the_others(
    cells: Sequence[DrawnCell],
    name: str,
    split: Sequence[ArmsAtP],
    today: Mapping[str, float],
    alpha: float,
) -> Standing:
    """One of many, or of shares that moved: the mixed e-process at its part of alpha."""
    ours, theirs = (
        _counts(cells, lambda cell: cell.variant == name),
        _counts(cells, lambda cell: cell.variant != name),
    )
    if not ours.n or not theirs.n:
        return _uncompared(cells, name, StandingVerdict.TOO_EARLY)
    evidence, ratio = mixed_evidence(split), ratio_sequence(split, alpha)
    converters = ours.converted + theirs.converted
    difference = _difference(ratio, ours, theirs, alpha)
    decided = evidence >= 1 / alpha
    if decided:
        verdict = StandingVerdict.BETTER if ratio.point > 1 else StandingVerdict.WORSE
    else:
        early = converters < EARLIEST_CONVERTERS
        verdict = StandingVerdict.TOO_EARLY if early else StandingVerdict.NOT_KNOWN
    return Standing(
        name,
        ours.n,
        ours.converted,
        _weighted_share(cells, name),
        verdict,
        evidence,
        difference,
        ratio,
        within_agents(cells, name),
        _needs_more(ours, theirs, 1 - today.get(name, 0.5), alpha, decided=decided),
    )


def _difference(ratio: Interval, ours: VariantCounts, theirs: VariantCounts, alpha: float) -> Interval:
    """The difference of the shares that an interval of the risk ratio stands for."""
    converters = ours.converted + theirs.converted
    outward = converters - math.log(alpha)
    return Interval(
        difference_at_risk_ratio(ratio.low, outward if ratio.low < 1 else converters, ours.n, theirs.n),
        difference_at_risk_ratio(ratio.point, converters, ours.n, theirs.n),
        difference_at_risk_ratio(ratio.high, outward if ratio.high > 1 else converters, ours.n, theirs.n),
    )


def _uncompared(cells: Sequence[DrawnCell], name: str, verdict: StandingVerdict) -> Standing:
    ours = _counts(cells, lambda cell: cell.variant == name)
    return Standing(name, ours.n, ours.converted, _weighted_share(cells, name), verdict)


def _alone(cells: Sequence[DrawnCell], name: str) -> Standing:
    return _uncompared(cells, name, StandingVerdict.ALONE)


def _needs_more(
    ours: VariantCounts, theirs: VariantCounts, others_share: float, alpha: float, *, decided: bool
) -> int | None:
    """Further customers until the watched verdict falls, as for a rule with the others held out."""
    if not 0 < others_share < 1:
        return None
    plan = plan_split(
        Share(ours.converted, ours.n), Share(theirs.converted, theirs.n), others_share, alpha, SMALLEST_EFFECT
    )
    if plan.firings_watched is None:
        return None
    return 0 if decided else max(0, plan.firings_watched - ours.n - theirs.n)


def _counts(cells: Sequence[DrawnCell], belongs: Callable[[DrawnCell], bool]) -> VariantCounts:
    chosen = [cell for cell in cells if belongs(cell)]
    return VariantCounts(sum(cell.n for cell in chosen), sum(cell.converted for cell in chosen))


def _weighted_share(cells: Sequence[DrawnCell], name: str) -> float | None:
    """Converted of those who drew it, each weighing 1 / p: as if the shares had never moved."""
    weights = [(1 / cell.shares[name], cell) for cell in cells if cell.variant == name]
    total = sum(weight * cell.n for weight, cell in weights)
    return sum(weight * cell.converted for weight, cell in weights) / total if total else None


def _split_of(cells: Sequence[DrawnCell], name: str) -> tuple[ArmsAtP, ...]:
    """The customers by the probability with which they could have drawn a variant, where there was one."""
    sums: dict[float, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for cell in cells:
        p = cell.shares.get(name, 0.0)
        if 0 < p < 1:
            side = 0 if cell.variant == name else 2
            sums[p][side] += cell.n
            sums[p][side + 1] += cell.converted
    return tuple(ArmsAtP(p, *counts) for p, counts in sorted(sums.items()))
