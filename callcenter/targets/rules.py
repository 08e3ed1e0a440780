"""How far somebody is from a target, and what their work is worth in points. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from callcenter.domain.quality import Measure, TargetPeriod, TargetScope

POINTS_AT_FIRST: Mapping[Measure, int] = {
    Measure.ATTEMPTS: 0,
    Measure.RIGHT_PARTY: 2,
    Measure.VERIFIED: 20,
    Measure.QUALITY: 50,
    Measure.KEPT_CALLBACKS: 3,
}
"""Where nobody has set others. An attempt alone is worth nothing: dialing is not the aim."""
MOST_POINTS = 1_000
MOST_VALUE = 100_000
MOST_SCORE = 100


@dataclass(frozen=True, slots=True)
class Figures:
    """What somebody has done in a period.

    `right_party` are contacts that the telephone confirms, `verified` conversions seen in journey events.
    `scores` is the sum of `reviews` scores from 0 to 100. Of `due_callbacks`, `kept_callbacks` were made in time.
    """

    attempts: int = 0
    right_party: int = 0
    verified: int = 0
    scores: int = 0
    reviews: int = 0
    kept_callbacks: int = 0
    due_callbacks: int = 0

    def value(self, measure: Measure) -> float | None:
        """Return a measure's figure: a count, or the average score; None without a review."""
        if measure is Measure.QUALITY:
            return self.scores / self.reviews if self.reviews else None
        return float(getattr(self, measure.value))

    def base(self, measure: Measure) -> int | None:
        """Return of how many it is: attempts, contacts, reviews or callbacks due; None for attempts."""
        bases = {
            Measure.RIGHT_PARTY: self.attempts,
            Measure.VERIFIED: self.right_party,
            Measure.QUALITY: self.reviews,
            Measure.KEPT_CALLBACKS: self.due_callbacks,
        }
        return bases.get(measure)

    def __add__(self, other: "Figures") -> "Figures":
        """Both together."""
        return Figures(*(getattr(self, name) + getattr(other, name) for name in Figures.__slots__))


def together(rows: Iterable[Figures]) -> Figures:
    """All together."""
    total = Figures()
    for one in rows:
        total = total + one
    return total


def points_of(figures: Figures, points: Mapping[Measure, int]) -> int:
    """Return what somebody's work is worth, rounded.

    Each count times its points, and for quality its points times the average score over 100: what counts is how
    calls were handled, not how many of them somebody chose to review.
    """
    total = 0.0
    for measure, worth in points.items():
        value = figures.value(measure)
        if value is not None:
            total += worth * (value / MOST_SCORE if measure is Measure.QUALITY else value)
    return int(total + 0.5)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far somebody is: `share` of the target, 0 to 1 and more; None where there is no target or no figure."""

    measure: Measure
    value: float | None
    target: int | None
    base: int | None

    @property
    def share(self) -> float | None:
        """The figure over the target."""
        if self.target is None or self.value is None:
            return None
        return self.value / self.target

    @property
    def is_reached(self) -> bool:
        """Whether the target is reached."""
        return self.share is not None and self.share >= 1


def progress_of(figures: Figures, targets: Mapping[Measure, int]) -> tuple[Progress, ...]:
    """Return how far somebody is with each measure, in their order."""
    return tuple(Progress(one, figures.value(one), targets.get(one), figures.base(one)) for one in Measure)


def median_of(rows: Sequence[Figures], measure: Measure) -> float | None:
    """Return the median of a measure among those who worked; None where nobody did."""
    values = [one.value(measure) for one in rows if one.attempts]
    known = [one for one in values if one is not None]
    return float(median(known)) if known else None


@dataclass(frozen=True, slots=True)
class TargetSet:
    """A target in force."""

    scope: TargetScope
    subject: str
    measure: Measure
    value: int


def targets_for(rows: Sequence[TargetSet], *, team: str, agent: str | None) -> dict[Measure, int]:
    """Return what counts for an agent, their own target before each member's; or for a team together."""
    if agent is None:
        return {
            one.measure: one.value for one in rows if one.scope is TargetScope.TEAM and one.subject == team
        }
    each = {one.measure: one.value for one in rows if one.scope is TargetScope.MEMBER and one.subject == team}
    own = {one.measure: one.value for one in rows if one.scope is TargetScope.AGENT and one.subject == agent}
    return each | own


def days_of(period: TargetPeriod, day: date) -> tuple[date, date]:
    """Return the first and the last day of the day, week (from Monday) or month a day lies in."""
    if period is TargetPeriod.DAY:
        return day, day
    if period is TargetPeriod.WEEK:
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def problem_of(measure: Measure, value: int) -> str | None:
    """Say what is wrong with a target; None when nothing is."""
    most = MOST_SCORE if measure is Measure.QUALITY else MOST_VALUE
    if 1 <= value <= most:
        return None
    return (
        "A score to reach is a whole number from 1 to 100."
        if measure is Measure.QUALITY
        else "A target is a whole number from 1 to 100,000."
    )
