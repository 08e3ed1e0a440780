"""Who is held out, what calling changed, which of two variants does more. Counts in, verdict out; no I/O."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from callcenter.learning.evidence import (
    Interval,
    MeasuredSplit,
    Share,
    case_split_evidence,
    measure_split,
    plan_split,
)

ALL_RULES = "*"
"""Stands for every rule in the draw of the global hold-out; no rule can be called so."""
SAMPLE_RATIO_ALARM = 1000.0
"""Evidence against the designed split at which no effect is shown: a false alarm in 1 of 1,000 rules."""


class EffectVerdict(StrEnum):
    """What may be said of a rule's effect; the code is stable, the words belong to the screens."""

    HELPS = "helps"
    HARMS = "harms"
    NOT_KNOWN = "not_known"
    NO_HOLDOUT = "no_holdout"
    SAMPLE_RATIO_FAILS = "sample_ratio_fails"
    TOO_EARLY = "too_early"


class VariantVerdict(StrEnum):
    """What may be said of two script variants."""

    A_BETTER = "a_better"
    B_BETTER = "b_better"
    NOT_KNOWN = "not_known"
    SAMPLE_RATIO_FAILS = "sample_ratio_fails"
    TOO_EARLY = "too_early"


@dataclass(frozen=True, slots=True)
class HoldoutDraw:
    """A hold-out draw as logged: held out where `unit < share`."""

    held_out: bool
    unit: float
    share: float


@dataclass(frozen=True, slots=True)
class VariantDraw:
    """The drawn script variant and the probability with which it was drawn."""

    variant: str
    propensity: float


@dataclass(frozen=True, slots=True)
class ArmCounts:
    """What one rule did under one hold-out share, in firings whose conversion window is over.

    Each customer counts once per quarter, by the first firing: the draw is sticky, so a later firing of
    the same customer follows the same arm and is no independent evidence. `fired` also holds firings that
    reached neither arm. `assigned` were meant to be called; of them `called` were dialed and `reached`
    spoke with an agent. Raises ValueError for counts that cannot be.
    """

    fired: int
    held_out: int
    assigned: int
    called: int
    reached: int
    converted_assigned: int
    converted_held_out: int

    def __post_init__(self) -> None:
        parts_fit = 0 <= self.reached <= self.called <= self.assigned and self.held_out >= 0
        converters_fit = (
            0 <= self.converted_assigned <= self.assigned and 0 <= self.converted_held_out <= self.held_out
        )
        if not (parts_fit and converters_fit and self.assigned + self.held_out <= self.fired):
            raise ValueError(f"counts do not fit together: {self}")


@dataclass(frozen=True, slots=True)
class RuleEffect:
    """What calling on a rule's firings changed. Effects are None where none may be shown.

    `difference`: converted share of assigned minus held out, whether or not anybody answered.
    `effect_on_reached`: that difference for one customer who was spoken with.
    `incremental_conversions`: conversions among the assigned that calling added.
    `needs_firings`, `needs_more_firings`: firings in both arms that show `planned_effect` with 80 % power
    by the textbook, in a single look at the end; `weeks` at the stated pace. The verdict may be watched
    every day and pays for it: `watched_needs_firings` and `watched_weeks` say when it falls with 80 %
    power, at low conversion about twice as late. None where there is nothing to plan with.
    """

    verdict: EffectVerdict
    converted_of_assigned: Share
    converted_of_held_out: Share
    contact_rate: Share
    sample_ratio_evidence: float | None
    evidence: float | None = None
    difference: Interval | None = None
    risk_ratio: Interval | None = None
    incremental_conversions: Interval | None = None
    effect_on_reached: Interval | None = None
    planned_effect: float | None = None
    needs_firings: int | None = None
    needs_more_firings: int | None = None
    weeks: float | None = None
    watched_needs_firings: int | None = None
    watched_needs_more_firings: int | None = None
    watched_weeks: float | None = None


@dataclass(frozen=True, slots=True)
class VariantCounts:
    """Customers who drew a script variant (each once, window over) and how many of them converted."""

    n: int
    converted: int

    def __post_init__(self) -> None:
        if not 0 <= self.converted <= self.n:
            raise ValueError(f"counts do not fit together: {self}")


@dataclass(frozen=True, slots=True)
class VariantEffect:
    """Variant a against variant b; `difference` and `risk_ratio` are a over b, None where not shown."""

    verdict: VariantVerdict
    converted_of_a: Share
    converted_of_b: Share
    sample_ratio_evidence: float
    evidence: float | None = None
    difference: Interval | None = None
    risk_ratio: Interval | None = None


def draw_holdout(
    salt: str, rule_key: str, customer_id: str, at: datetime, share: float, global_share: float = 0.0
) -> HoldoutDraw:
    """Draw whether a firing is held out; the same answer for a rule and customer all quarter long.

    `unit = sha256(salt|rule|customer|quarter) / 2^64` from the first eight bytes (their upper 53 bits, so
    that it is exact and below 1), held out where `unit < share`. The quarter is the calendar quarter of
    `at` in UTC. Because `unit` does not depend on `share`, lowering the share only frees customers and
    never holds a new one out.

    `global_share` of the customers are held out of every rule alike. They lie lowest: their unit is that of
    `ALL_RULES`, below `global_share`; the rule's own unit fills what is above, so that the unit stays uniform
    and the share held out of the rule is the larger of the two, the global one part of it.
    Raises ValueError for a time without zone, a share outside [0, 1], or a salt or rule key with the separator
    in it.
    """
    if at.tzinfo is None:
        raise ValueError("the time of a draw needs a time zone")
    if not (0 <= share <= 1 and 0 <= global_share <= 1):
        raise ValueError("the hold-out share must lie in [0, 1]")
    at_utc = at.astimezone(UTC)
    quarter = f"{at_utc.year}Q{(at_utc.month + 2) // 3}"
    unit = _unit(salt, rule_key, f"{customer_id}|{quarter}")
    if global_share:
        of_all = _unit(salt, ALL_RULES, f"{customer_id}|{quarter}")
        unit = of_all if of_all < global_share else global_share + (1 - global_share) * unit
        share = max(share, global_share)
    return HoldoutDraw(held_out=unit < share, unit=unit, share=share)


def effect_of_rule(
    counts: ArmCounts,
    holdout_share: float,
    alpha: float = 0.05,
    *,
    smallest_effect: float = 0.02,
    firings_per_week: float | None = None,
    power: float = 0.8,
    usual_rate: float | None = None,
) -> RuleEffect:
    """Say what calling on a rule's firings changed, safe to look at after every single outcome.

    `holdout_share` is the share all counts were drawn with. After the share was changed, start new
    counts; the evidence of the periods may be multiplied. `smallest_effect` is the smallest difference
    worth knowing, in shares (0.02 is two points), planned for with `power`; before the first conversion from
    `usual_rate`, the share that converts elsewhere, None where none is known. Zero more watched firings with
    the verdict "not known" means that the effect is probably smaller than planned for.

    The sample ratio is checked first: where the split itself is not as designed, no effect is shown. See
    `measure_split` for the interval and `plan_split` for the number of firings. The effect on the reached
    is the difference over the contact rate (Wald's ratio: nobody held out is reached, and a call nobody
    answers is taken to change nothing); both it and the incremental conversions, the difference times
    the assigned, inherit the interval of the difference.
    Raises ValueError for a share outside [0, 1).
    """
    treated = Share(counts.converted_assigned, counts.assigned)
    held_out = Share(counts.converted_held_out, counts.held_out)
    contact = Share(counts.reached, counts.assigned)
    split = case_split_evidence(counts.assigned, counts.held_out, holdout_share) if holdout_share else None
    barred = _why_no_effect(counts, split)
    if barred is not None:
        return RuleEffect(barred, treated, held_out, contact, split)
    measured = measure_split(treated, held_out, holdout_share, alpha)
    plan = plan_split(treated, held_out, holdout_share, alpha, smallest_effect, power, usual_rate)
    done = counts.assigned + counts.held_out
    more = _still_to_come(plan.firings, done, measured.is_decided)
    watched_more = _still_to_come(plan.firings_watched, done, measured.is_decided)
    return RuleEffect(
        verdict=_verdict_on_rule(measured),
        converted_of_assigned=treated,
        converted_of_held_out=held_out,
        contact_rate=contact,
        sample_ratio_evidence=split,
        evidence=measured.evidence,
        difference=measured.difference,
        risk_ratio=measured.risk_ratio,
        incremental_conversions=measured.difference.scaled(counts.assigned),
        effect_on_reached=measured.difference.scaled(1 / contact.value, limit=1) if contact.value else None,
        planned_effect=plan.effect,
        needs_firings=plan.firings,
        needs_more_firings=more,
        weeks=_weeks(more, firings_per_week),
        watched_needs_firings=plan.firings_watched,
        watched_needs_more_firings=watched_more,
        watched_weeks=_weeks(watched_more, firings_per_week),
    )


def has_fair_split(counts: ArmCounts, holdout_share: float) -> bool:
    """Whether both arms have somebody and are as they were drawn; only then is their comparison an effect."""
    if not 0 < holdout_share < 1:
        return False
    split = case_split_evidence(counts.assigned, counts.held_out, holdout_share)
    return _why_no_effect(counts, split) is None


def compare_variants(a: VariantCounts, b: VariantCounts, alpha: float = 0.05) -> VariantEffect:
    """Compare two script variants that were drawn with equal chance; safe to look at every day.

    The same case split with one half: if the scripts do not differ, each customer who converts had heard
    either with probability 1/2. The sample ratio is checked first, as for a rule.
    """
    share_a, share_b = Share(a.converted, a.n), Share(b.converted, b.n)
    sample_ratio = case_split_evidence(a.n, b.n, 0.5)
    if sample_ratio >= SAMPLE_RATIO_ALARM:
        return VariantEffect(VariantVerdict.SAMPLE_RATIO_FAILS, share_a, share_b, sample_ratio)
    if not a.n or not b.n:
        return VariantEffect(VariantVerdict.TOO_EARLY, share_a, share_b, sample_ratio)
    measured = measure_split(share_a, share_b, 0.5, alpha)
    if measured.is_decided:
        verdict = VariantVerdict.A_BETTER if measured.difference.point > 0 else VariantVerdict.B_BETTER
    elif measured.is_early:
        verdict = VariantVerdict.TOO_EARLY
    else:
        verdict = VariantVerdict.NOT_KNOWN
    return VariantEffect(
        verdict, share_a, share_b, sample_ratio, measured.evidence, measured.difference, measured.risk_ratio
    )


def _why_no_effect(counts: ArmCounts, sample_ratio_evidence: float | None) -> EffectVerdict | None:
    """The verdict that forbids an effect; None where one may be shown."""
    if sample_ratio_evidence is None:
        return EffectVerdict.NO_HOLDOUT
    if sample_ratio_evidence >= SAMPLE_RATIO_ALARM:
        return EffectVerdict.SAMPLE_RATIO_FAILS
    if not counts.held_out:
        return EffectVerdict.NO_HOLDOUT
    return None if counts.assigned else EffectVerdict.TOO_EARLY


def _still_to_come(needed: int | None, done: int, is_decided: bool) -> int | None:
    if needed is None:
        return None
    return 0 if is_decided else max(0, needed - done)


def _weeks(firings: int | None, firings_per_week: float | None) -> float | None:
    return firings / firings_per_week if firings is not None and firings_per_week else None


def _verdict_on_rule(measured: MeasuredSplit) -> EffectVerdict:
    if measured.is_decided:
        return EffectVerdict.HELPS if measured.difference.point > 0 else EffectVerdict.HARMS
    return EffectVerdict.TOO_EARLY if measured.is_early else EffectVerdict.NOT_KNOWN


def _unit(salt: str, rule_key: str, rest: str) -> float:
    """A number in [0, 1) from sha256 of `salt|rule|rest`; the separator keeps different keys different."""
    if "|" in salt or "|" in rule_key:
        raise ValueError("a salt or rule key cannot hold '|'")
    digest = hashlib.sha256(f"{salt}|{rule_key}|{rest}".encode()).digest()
    return (int.from_bytes(digest[:8]) >> 11) / (1 << 53)
