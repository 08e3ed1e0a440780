"""What an analysis is asked and what it answers: frozen values and the arithmetic of sampling; no I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID


class Model(StrEnum):
    """Which of the ten analyses."""

    FUNNEL = "funnel"
    RETENTION = "retention"
    DISTRIBUTION = "distribution"
    INTERVAL = "interval"
    PATH = "path"
    ATTRIBUTION = "attribution"
    VALUE = "value"
    SESSION = "session"
    ATTRIBUTE = "attribute"
    EVENT = "event"


class Split(StrEnum):
    """By what people are told apart."""

    NONE = "none"
    DEVICE = "device"
    APP_VERSION = "app_version"
    CHANNEL = "channel"
    TAG = "tag"
    SEGMENT = "segment"
    SURVEY = "survey"
    RULE = "rule"
    SCRIPT = "script"
    HOUR = "hour"


OVERLAPPING = frozenset({Split.TAG, Split.SEGMENT, Split.RULE, Split.SCRIPT})
"""One person may be in several groups of these, so that groups do not add up."""


class Kind(StrEnum):
    """What a figure is, which says how it is written."""

    COUNT = "count"
    SHARE = "share"
    SECONDS = "seconds"
    AMOUNT = "amount"
    RATIO = "ratio"


MEASURES: Mapping[Model, tuple[str, ...]] = {
    Model.DISTRIBUTION: ("events", "errors", "steps", "days"),
    Model.ATTRIBUTION: ("rule", "script", "campaign"),
    Model.VALUE: ("30", "90"),
    Model.EVENT: ("all", "errors"),
}
"""What a model can measure; the first unless another is asked for."""
LEAST_DAYS: Mapping[Model, int] = {Model.RETENTION: 7, Model.ATTRIBUTION: 7, Model.VALUE: 28}
"""Days under which a model has nothing to say."""
MOST_GROUPS = 8
BUDGET = 200_000
"""How many events one look may read; of more, a share of the customers is counted and multiplied up."""
_CUSTOMERS = 1 << 128


@dataclass(frozen=True, slots=True)
class Sample:
    """One in `times` customers: those whose id is below a bound. Ids are hashes, so that is a fair draw, and the
    same customers are drawn each time."""

    times: int = 1

    @property
    def most(self) -> UUID:
        """The largest id that counts."""
        return UUID(int=_CUSTOMERS // self.times - 1)


EVERYBODY = Sample()


def sample_for(events: int, budget: int = BUDGET) -> Sample:
    """Return the largest share of customers (1, 1/2, 1/4, ...) whose events are within the budget."""
    times = 1
    while events / times > budget:
        times *= 2
    return Sample(times)


@dataclass(frozen=True, slots=True)
class Question:
    """An analysis as it is asked: from `start` up to, not including, `end`; both aware.

    `steps` are the journey's in their order, `goal` the last that counts. `only` keeps one group of the split.
    `step`, `until`: where a path or an interval begins and ends. `zone` names the viewer's time zone.
    """

    model: Model
    journey: str
    steps: tuple[str, ...]
    goal: str
    start: datetime
    end: datetime
    zone: str
    split: Split = Split.NONE
    only: str | None = None
    measure: str = ""
    step: str = ""
    until: str = ""
    sample: Sample = field(default_factory=Sample)


@dataclass(frozen=True, slots=True)
class Figure:
    """One column: `part` of `whole` where it is a share; `whole` "total" is everybody in the group."""

    code: str
    kind: Kind
    part: str = ""
    whole: str = ""


Figures = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One row. `label` is what it counts in the model's own code; None for all of the group together.

    `usual` is the compared figure in the same hours of earlier weeks; None where too few were there.
    """

    group: str
    label: str | None
    total: int
    figures: Figures
    usual: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What an analysis found. Counts are multiplied up by the sample; `groups` were found, the largest are told.

    `complete_since`: from then on nothing of the window is left out; None where all of it is counted. `beside`
    earlier spans are laid beside, of `asked_beside`: a span is left out where events of it lie in the archive.
    """

    question: Question
    figures: tuple[Figure, ...]
    lines: tuple[Line, ...]
    compared: str | None
    groups: int = 1
    complete_since: datetime | None = None
    beside: int = 0
    asked_beside: int = 0

    @property
    def total(self) -> int:
        """Everybody in the groups told, once each group."""
        return sum({line.group: line.total for line in self.lines}.values())


SCALED = frozenset({Kind.COUNT, Kind.AMOUNT})
ENOUGH = 20
"""People of a group in earlier weeks under which a usual figure would be chance."""


def shares_of(figures: Sequence[Figure], counted: Mapping[str, float | None]) -> dict[str, float | None]:
    """Add the shares to what was counted; a share of nobody is None."""
    told = dict(counted)
    for one in figures:
        if one.part:
            part, whole = counted.get(one.part), counted.get(one.whole)
            told[one.code] = part / whole if part is not None and whole else None
    return told


def scaled(
    figures: Sequence[Figure], counted: Mapping[str, float | None], times: int
) -> dict[str, float | None]:
    """Multiply counts and amounts up to everybody; shares, times and ratios stay."""
    kinds = {one.code: one.kind for one in figures} | {"total": Kind.COUNT}
    return {
        code: value * times if value is not None and kinds.get(code, Kind.COUNT) in SCALED else value
        for code, value in counted.items()
    }


def label_weeks_later(label: str | None, weeks: int) -> str | None:
    """Return the label a line of an earlier week is laid beside: a day moves on, everything else stays."""
    if label is None:
        return None
    try:
        return (date.fromisoformat(label) + timedelta(weeks=weeks)).isoformat()
    except ValueError:
        return label
