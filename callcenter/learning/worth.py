"""What a call on a rule's firing is worth: shrunk effect times value, by agent minute. Pure; no I/O, no clock.

`worth = effect * value / minutes`, money per agent minute. Minutes are those of a call task that was dialed, so
the effect must be that of one too: the difference of conversion shares (assigned minus held out) over the share
of the assigned who were dialed, for only a dial can make a difference (A. Wald, Annals of Mathematical Statistics
11 (1940) 284-300). Without that a rule whose call tasks wait and die undialed would look the worse for it, and
wait the more. A rule's own effect rests on few conversions; taken as it is, the luckiest rule would rank first.
So it is shrunk towards the mean of all rules (empirical Bayes):

    shrunk_r = (tau2 * d_r + s2_r * mean) / (tau2 + s2_r)

`d_r` is the rule's effect, `s2_r` its sampling variance, `tau2` the variance between rules by the moment
estimator of DerSimonian and Laird ("Meta-analysis in clinical trials", Controlled Clinical Trials 7, 1986) and
`mean` the precision-weighted mean; the shrinkage is that of Efron and Morris ("Data analysis using Stein's
estimator and its generalizations", JASA 70, 1975). Rules without a comparison of their own get the mean.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

POINTS_A_DOUBLING = 30.0
"""How many points of priority, each a minute of waiting, it adds that a call is worth twice the usual one."""
MOST_POINTS = 120.0
"""What a call task is worth moves it by at most so many points either way, four doublings, so that none waits
for another more than four hours longer than it would."""
OF_THE_GAP = 0.49
"""Of the distance to the next priority that a person has set, what a call is worth may use less than half: of two
call tasks of one age the one that was set higher comes first, whatever they are worth."""
OWN_MINUTES_WEIGHT = 20
"""The minutes of a rule's own call tasks count as much as those of all rules once there are so many."""
USUAL_MINUTES = 5.0
"""Agent minutes per call task as long as nobody has called."""
LEAST_FACTOR, MOST_FACTOR = 0.25, 4.0
"""How far a model may move one customer's chance from that of the rule."""
LEAST_RATE = 0.005


@dataclass(frozen=True, slots=True)
class RuleCounts:
    """One rule: both arms with their converters, its agent minutes with the call tasks they were spent on.

    `has_fair_split` is False where the arms are not as they were drawn: then the comparison does not count.
    `dialed` are those of the assigned who were dialed; None stands for all of them.
    """

    key: str
    assigned: int
    held_out: int
    converted_assigned: int
    converted_held_out: int
    minutes: float = 0.0
    tasks: int = 0
    has_fair_split: bool = True
    dialed: int | None = None

    @property
    def share_dialed(self) -> float:
        """Of the assigned, in [0, 1]."""
        dialed = self.assigned if self.dialed is None else self.dialed
        return min(dialed, self.assigned) / self.assigned if self.assigned else 0.0


@dataclass(frozen=True, slots=True)
class OwnEffect:
    """A rule's own effect, by how much a dial changes the share that converts, and its standard error."""

    difference: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Pool:
    """All rules together: their mean effect and the variance of true effects between them."""

    mean: float
    between: float


@dataclass(frozen=True, slots=True)
class Worth:
    """What a call on one rule's firing is worth. `own` is None where the rule has no comparison.

    `effect` is that of one dialed call task, in shares of conversion. `base_rate` is the share of its assigned
    customers who convert, `minutes` agent minutes per call task, `per_minute` money per agent minute.
    """

    key: str
    assigned: int
    held_out: int
    own: OwnEffect | None
    effect: float
    base_rate: float
    value: float
    minutes: float
    per_minute: float


def own_effect(counts: RuleCounts) -> OwnEffect | None:
    """Return a rule's own effect; None without both arms, without a dial, or with a split that is not as drawn.

    The variance is that of A. Agresti and B. Caffo (The American Statistician 54, 2000): one conversion and one
    failure are added to each arm, so that an arm without conversions is not told as certainty. The share dialed
    is known so much better than the difference that its own error is left out.
    """
    dialed = counts.share_dialed
    if not dialed or not counts.held_out or not counts.has_fair_split:
        return None
    shares = (
        counts.converted_assigned / counts.assigned,
        counts.converted_held_out / counts.held_out,
    )
    variance = 0.0
    for converted, of in (
        (counts.converted_assigned, counts.assigned),
        (counts.converted_held_out, counts.held_out),
    ):
        share = (converted + 1) / (of + 2)
        variance += share * (1 - share) / (of + 2)
    return OwnEffect((shares[0] - shares[1]) / dialed, math.sqrt(variance) / dialed)


def pool(effects: Sequence[OwnEffect]) -> Pool | None:
    """Return mean and variance between rules; None when no rule has a comparison."""
    if not effects:
        return None
    weights = [1 / one.deviation**2 for one in effects]
    total = sum(weights)
    mean = sum(w * one.difference for w, one in zip(weights, effects, strict=True)) / total
    spread = sum(w * (one.difference - mean) ** 2 for w, one in zip(weights, effects, strict=True))
    room = total - sum(w * w for w in weights) / total
    between = max(0.0, (spread - (len(effects) - 1)) / room) if room > 0 else 0.0
    again = [1 / (between + one.deviation**2) for one in effects]
    mean = sum(w * one.difference for w, one in zip(again, effects, strict=True)) / sum(again)
    return Pool(mean, between)


def shrunk(own: OwnEffect | None, everything: Pool) -> float:
    """Return a rule's effect drawn towards the mean, the further the less is known of it."""
    if own is None:
        return everything.mean
    noise = own.deviation**2
    return (everything.between * own.difference + noise * everything.mean) / (everything.between + noise)


def worth_of_rules(rules: Sequence[RuleCounts], values: Mapping[str, float]) -> dict[str, Worth]:
    """Return what a call is worth, by rule; nothing where no rule has held anybody out.

    In: the counts of each rule, and what one of its conversions is worth in money.
    """
    own = {one.key: own_effect(one) for one in rules}
    everything = pool([one for one in own.values() if one is not None])
    if everything is None:
        return {}
    tasks = sum(one.tasks for one in rules)
    usual = sum(one.minutes for one in rules) / tasks if tasks else USUAL_MINUTES
    found = {}
    for one in rules:
        effect = shrunk(own[one.key], everything)
        minutes = (one.minutes + OWN_MINUTES_WEIGHT * usual) / (one.tasks + OWN_MINUTES_WEIGHT)
        found[one.key] = Worth(
            key=one.key,
            assigned=one.assigned,
            held_out=one.held_out,
            own=own[one.key],
            effect=effect,
            base_rate=max(LEAST_RATE, (one.converted_assigned + 1) / (one.assigned + 2)),
            value=values[one.key],
            minutes=minutes,
            per_minute=effect * values[one.key] / minutes,
        )
    return found


def usual_worth(rules: Sequence[Worth]) -> float | None:
    """Return the worth that adds nothing: the median of the rules that bring something; None when none does."""
    positive = [one.per_minute for one in rules if one.per_minute > 0]
    return median(positive) if positive else None


def points_of(per_minute: float, usual: float | None) -> float:
    """Return what a worth adds to the priority, before it fades: `POINTS_A_DOUBLING` for each doubling.

    Bounded by twice `MOST_POINTS`, so that one that fades from far above stays above for a while.
    """
    if usual is None:
        return 0.0
    if per_minute <= 0:
        return -2 * MOST_POINTS
    return max(-2 * MOST_POINTS, min(2 * MOST_POINTS, POINTS_A_DOUBLING * math.log2(per_minute / usual)))


def points_now(points: float, age_minutes: float, fades_minutes: float, reach: float = MOST_POINTS) -> float:
    """Return what is left of the points of a moment `age_minutes` ago; the queue's order by the same formula.

    Half the worth is gone after `fades_minutes`; kept within plus and minus `reach`.
    """
    left = points - POINTS_A_DOUBLING * max(0.0, age_minutes) / fades_minutes
    return max(-reach, min(reach, left))


def reach_of(priorities: Mapping[str, int]) -> dict[str, float]:
    """Return by how many points either way worth may move the call tasks of each rule, by the set priorities.

    Rules of one set priority form a tier: inside it worth decides, and never across to the next tier.
    """
    tiers = sorted(set(priorities.values()))
    gaps = dict.fromkeys(tiers, MOST_POINTS)
    for lower, upper in pairwise(tiers):
        room = OF_THE_GAP * (upper - lower)
        gaps[lower], gaps[upper] = min(gaps[lower], room), min(gaps[upper], room)
    return {key: gaps[priority] for key, priority in priorities.items()}


def chance_factor(chance: float | None, base_rate: float) -> float:
    """Return by how much one customer's incremental chance differs from the usual one of the rule.

    A call is taken to multiply the chance by the same factor whoever it is, so the difference it makes grows
    with the chance itself. 1 where no model ranks; within a factor of four either way.
    """
    if chance is None:
        return 1.0
    return max(LEAST_FACTOR, min(MOST_FACTOR, chance / base_rate))
