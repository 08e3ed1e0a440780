"""What an experiment of one's own tells, by the functions of the live effects page; pure, no I/O.

Counts of two arms in, one answer out. `callcenter/learning/rules.py: effect_of_rule` checks the split,
weighs the evidence and plans; this module adds what an outside experiment needs besides: a fixed-sample
answer where the order of the customers is not known (`two_shares.py`), the effect on the reached with its
own interval (`compliers.py`), strata (`strata.py`), and the evidence as it grew.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from callcenter.learning.compliers import Arm, ReachedEffect, effect_on_reached
from callcenter.learning.evidence import (
    EARLIEST_CONVERTERS,
    Interval,
    log_case_split_evidence,
)
from callcenter.learning.rules import (
    ArmCounts,
    EffectVerdict,
    RuleEffect,
    effect_of_rule,
)
from callcenter.learning.strata import StratifiedEffect, Stratum, stratified_effect
from callcenter.learning.two_shares import difference_interval, no_difference_p_value, ratio_interval

__all__ = [
    "Arm",
    "Design",
    "ExperimentEffect",
    "ExperimentVerdict",
    "Stratum",
    "effect_of_experiment",
    "watch",
]


class ExperimentVerdict(StrEnum):
    """What may be said; the code is stable, the words belong to the screens."""

    HELPS = "helps"
    HARMS = "harms"
    NO_WORTHWHILE_GAIN = "no_worthwhile_gain"
    NOT_KNOWN = "not_known"
    TOO_EARLY = "too_early"
    SAMPLE_RATIO_FAILS = "sample_ratio_fails"


class Analysis(StrEnum):
    """How the figures may be used: looked at every day, or once, at an end that was fixed before."""

    WATCHED = "watched"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class Design:
    """What was decided before the first customer was drawn; shares in (0, 1).

    `holdout_share` is the designed share held out, None where it is not known: then the split cannot be
    checked, and no evidence be weighed, because both need the probability of the draw.
    """

    holdout_share: float | None = None
    alpha: float = 0.05
    smallest_effect: float = 0.02
    power: float = 0.8


@dataclass(frozen=True, slots=True)
class Watched:
    """The evidence after every customer, in their order.

    `p_value`: `min(1, 1 / highest)`, valid whenever it is read. `decided_at`: index into the counts given
    at which the evidence first reached `1 / alpha`; None if it never did.
    """

    highest: float
    p_value: float
    decided_at: int | None


@dataclass(frozen=True, slots=True)
class ExperimentEffect:
    """The answer. Every effect is None where none may be told.

    `difference`: converted share of the assigned minus held out, by assignment (intention to treat).
    `incremental_conversions`: that difference times the assigned. `p_value`: of the score test, fixed
    analysis only; `evidence`: of the case split, watched only. `needs` and `needs_more`: customers in both
    arms that show `planned_effect` with the design's power, in the analysis that was made.
    """

    verdict: ExperimentVerdict
    analysis: Analysis
    assigned: Arm
    held_out: Arm
    sample_ratio_evidence: float | None
    watched: Watched | None = None
    evidence: float | None = None
    p_value: float | None = None
    difference: Interval | None = None
    risk_ratio: Interval | None = None
    incremental_conversions: Interval | None = None
    reached: ReachedEffect | None = None
    stratified: StratifiedEffect | None = None
    planned_effect: float | None = None
    needs: int | None = None
    needs_more: int | None = None


def watch(
    treated_converters: npt.NDArray[np.int64],
    held_out_converters: npt.NDArray[np.int64],
    holdout_share: float,
    alpha: float = 0.05,
) -> Watched:
    """Follow the case-split evidence over running counts of converters, oldest first; see `evidence.py`."""
    if not len(treated_converters):
        return Watched(1.0, 1.0, None)
    logs = log_case_split_evidence(treated_converters, held_out_converters, holdout_share)
    passed = logs >= -math.log(alpha)
    highest = max(0.0, float(logs.max()))
    return Watched(
        highest=math.exp(min(highest, 700.0)),
        p_value=math.exp(-highest),
        decided_at=int(passed.argmax()) if passed.any() else None,
    )


def effect_of_experiment(
    assigned: Arm,
    held_out: Arm,
    design: Design,
    strata: Sequence[Stratum] = (),
    watched: Watched | None = None,
) -> ExperimentEffect:
    """Say what calling changed. With `watched` the answer may be looked at every day, else once.

    The split is checked first where the design is known; where it fails, in all or in one stratum, no
    effect is told. Raises ValueError for an empty arm, and for `watched` without a designed share.
    """
    if not assigned.n or not held_out.n:
        raise ValueError("both arms need at least one customer")
    if watched is not None and design.holdout_share is None:
        raise ValueError("evidence needs the designed share held out")
    by_strata = stratified_effect(strata, design.alpha, design.holdout_share) if strata else None
    rule = _as_rule(assigned, held_out, design)
    analysis = Analysis.FIXED if watched is None else Analysis.WATCHED
    known_split = None if design.holdout_share is None else rule.sample_ratio_evidence
    if rule.verdict is EffectVerdict.SAMPLE_RATIO_FAILS or (by_strata and by_strata.broken_splits):
        fails = ExperimentVerdict.SAMPLE_RATIO_FAILS
        broken = by_strata and StratifiedEffect(
            by_strata.strata, by_strata.left_out, None, None, by_strata.broken_splits
        )
        return ExperimentEffect(fails, analysis, assigned, held_out, known_split, watched, stratified=broken)
    tell = _tell_once if watched is None else _tell_watched
    return tell(rule, assigned, held_out, design, by_strata, known_split, watched)


def _as_rule(assigned: Arm, held_out: Arm, design: Design) -> RuleEffect:
    """The live page's answer; without a design its split is taken as it came, and only the plan is used."""
    share = design.holdout_share
    counts = ArmCounts(
        fired=assigned.n + held_out.n,
        held_out=held_out.n,
        assigned=assigned.n,
        called=assigned.n,
        reached=assigned.reached,
        converted_assigned=assigned.converted,
        converted_held_out=held_out.converted,
    )
    observed = held_out.n / (assigned.n + held_out.n)
    return effect_of_rule(
        counts,
        observed if share is None else share,
        design.alpha,
        smallest_effect=design.smallest_effect,
        power=design.power,
    )


def _tell_watched(
    rule: RuleEffect,
    assigned: Arm,
    held_out: Arm,
    design: Design,
    by_strata: StratifiedEffect | None,
    split: float | None,
    watched: Watched | None,
) -> ExperimentEffect:
    assert rule.difference is not None
    verdict = ExperimentVerdict(rule.verdict.value)
    if verdict is ExperimentVerdict.NOT_KNOWN and rule.difference.high < design.smallest_effect:
        verdict = ExperimentVerdict.NO_WORTHWHILE_GAIN
    return ExperimentEffect(
        verdict,
        Analysis.WATCHED,
        assigned,
        held_out,
        split,
        watched,
        evidence=rule.evidence,
        difference=rule.difference,
        risk_ratio=rule.risk_ratio,
        incremental_conversions=rule.incremental_conversions,
        reached=effect_on_reached(assigned, held_out, design.alpha, rule.difference),
        stratified=by_strata,
        planned_effect=rule.planned_effect,
        needs=rule.watched_needs_firings,
        needs_more=rule.watched_needs_more_firings,
    )


def _tell_once(
    rule: RuleEffect,
    assigned: Arm,
    held_out: Arm,
    design: Design,
    by_strata: StratifiedEffect | None,
    split: float | None,
    watched: Watched | None,
) -> ExperimentEffect:
    one, other = assigned.conversion, held_out.conversion
    difference = difference_interval(one, other, design.alpha)
    verdict = _verdict_once(difference, one.count + other.count, design.smallest_effect)
    decided = verdict in (ExperimentVerdict.HELPS, ExperimentVerdict.HARMS)
    needs, done = rule.needs_firings, assigned.n + held_out.n
    return ExperimentEffect(
        verdict,
        Analysis.FIXED,
        assigned,
        held_out,
        split,
        watched,
        p_value=no_difference_p_value(one, other),
        difference=difference,
        risk_ratio=ratio_interval(one, other, design.alpha),
        incremental_conversions=difference.scaled(assigned.n),
        reached=effect_on_reached(assigned, held_out, design.alpha),
        stratified=by_strata,
        planned_effect=rule.planned_effect,
        needs=needs,
        needs_more=None if needs is None else 0 if decided else max(0, needs - done),
    )


def _verdict_once(difference: Interval, converters: int, smallest_effect: float) -> ExperimentVerdict:
    if converters < EARLIEST_CONVERTERS:
        return ExperimentVerdict.TOO_EARLY
    if difference.low > 0:
        return ExperimentVerdict.HELPS
    if difference.high < 0:
        return ExperimentVerdict.HARMS
    worthless = difference.high < smallest_effect
    return ExperimentVerdict.NO_WORTHWHILE_GAIN if worthless else ExperimentVerdict.NOT_KNOWN
