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
    samples: tuple[SampleRow, ...] = ()
