"""A version's back-tests, beside each other."""

from dataclasses import dataclass
from datetime import datetime

Told = tuple[str, str]
"""A figure and what stands below it, both finished text."""


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure: of the latest back-test, and of the one before it (empty without one)."""

    label: str
    latest: Told
    before: Told = ("", "")
    is_key: bool = False


@dataclass(frozen=True, slots=True)
class HourBar:
    """Firings of one hour of the day in all the days; `share` is of the fullest hour, from 0 to 1."""

    hour: int
    fired: int
    share: float


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A customer it would have fired for, to be looked at."""

    fired_at: datetime
    href: str


@dataclass(frozen=True, slots=True)
class LoadBar:
    """One hour of the day: agents at work now, those the rule adds, those on duty; `short` of them are missing.

    `words` says it in full.
    """

    hour: int
    busy: float
    added: float
    on_duty: float
    short: int
    words: str


@dataclass(frozen=True, slots=True)
class LoadPart:
    """Can the agents carry it? `note` says what it rests on, or why it is not known; `top` is the tallest bar."""

    headline: str
    note: str
    bars: tuple[LoadBar, ...] = ()
    rows: tuple[tuple[str, str, str, str], ...] = ()
    most_short: int = 0

    @property
    def top(self) -> float:
        """The tallest of all in agents, at least one."""
        return max([1.0, *(max(one.busy + max(one.added, 0.0), one.on_duty) for one in self.bars)])


@dataclass(frozen=True, slots=True)
class BackTestPart:
    """The part of a version's page. `state`: none, running, done or failed; `note` says why, where it failed.

    `latest` and `before` name the waits that are compared.
    """

    url: str
    state: str
    days: int
    note: str = ""
    headline: str = ""
    latest: str = ""
    before: str = ""
    asked_at: datetime | None = None
    rows: tuple[FigureRow, ...] = ()
    hours: tuple[HourBar, ...] = ()
    load: LoadPart | None = None
    samples: tuple[SampleRow, ...] = ()
