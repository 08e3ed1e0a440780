"""When a step's traffic or loss has risen against the same hour of earlier weeks; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt

BEGINS_AT = 4.0
"""Standard deviations above what is usual at which a rise begins: by chance about once in 30,000 looks."""
ENDS_AT = 2.0
"""Under which a rise is over; between the two it stays what it was, so that it does not flicker."""
LEAST_RISE = 1.25
"""A rise by less than a quarter is no news however sure it is."""
LEAST_PEOPLE = 20
"""People now, and in all earlier weeks together, under which nothing is told."""
LEAST_WEEKS = 2


class SurgeKind(StrEnum):
    """What has risen: how many enter a step, or the share that stops there."""

    TRAFFIC = "traffic"
    LOSS = "loss"


@dataclass(frozen=True, slots=True)
class StepHour:
    """How many entered a step in an hour, and stopped there."""

    entered: int
    lost: int


@dataclass(frozen=True, slots=True)
class Rise:
    """How far `count` (of `of` for a loss, of nothing for traffic) is above what is usual.

    `usual` is people an hour for traffic, a share from 0 to 1 for a loss; `deviations` says how sure it is.
    """

    kind: SurgeKind
    count: int
    of: int
    usual: float
    deviations: float

    @property
    def times(self) -> float:
        """How many times the usual."""
        here = self.count if self.kind is SurgeKind.TRAFFIC else self.count / self.of
        return here / self.usual if self.usual else float("inf")

    @property
    def begins(self) -> bool:
        """Whether it is a surge that was none before."""
        return self.deviations >= BEGINS_AT and self.times >= LEAST_RISE

    @property
    def goes_on(self) -> bool:
        """Whether a surge that has begun is still one."""
        return self.deviations >= ENDS_AT and self.times > 1


def rises(now: StepHour, earlier: Sequence[StepHour]) -> list[Rise]:
    """Lay an hour of a step beside the same hour of earlier weeks; nothing where too few people were there.

    Traffic: counts vary like Poisson's, or as much as they did between the weeks if that is more; the mean of
    k weeks adds a k-th of the variance. Loss: two shares with their pooled variance (the usual z for the
    difference of two proportions).
    """
    weeks = [one for one in earlier if one.entered]
    entered, lost = sum(one.entered for one in weeks), sum(one.lost for one in weeks)
    if len(weeks) < LEAST_WEEKS or now.entered < LEAST_PEOPLE or entered < LEAST_PEOPLE:
        return []
    return [_traffic(now, weeks, entered / len(weeks)), *_loss(now, entered, lost)]


def _traffic(now: StepHour, weeks: Sequence[StepHour], mean: float) -> Rise:
    between = sum((one.entered - mean) ** 2 for one in weeks) / (len(weeks) - 1)
    deviation = sqrt(max(mean, between) * (1 + 1 / len(weeks)))
    return Rise(SurgeKind.TRAFFIC, now.entered, now.entered, mean, (now.entered - mean) / deviation)


def _loss(now: StepHour, entered: int, lost: int) -> list[Rise]:
    pooled = (now.lost + lost) / (now.entered + entered)
    variance = pooled * (1 - pooled) * (1 / now.entered + 1 / entered)
    if variance <= 0 or not lost:
        return []
    difference = now.lost / now.entered - lost / entered
    return [Rise(SurgeKind.LOSS, now.lost, now.entered, lost / entered, difference / sqrt(variance))]
