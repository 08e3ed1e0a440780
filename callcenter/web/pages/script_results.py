"""What came of a script, and what calls about a step showed."""

from dataclasses import dataclass
from datetime import date

from callcenter.web.pages.frame import Frame, ShareRow


@dataclass(frozen=True, slots=True)
class SeenAfter:
    """Calls that took a branch or met an objection; of `of`, whose window is over, `went_on` converted afterwards.

    `low` and `high` are the ends of the share's interval, from 0 to 1; None where `of` is 0.
    """

    calls: int
    of: int
    went_on: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class VariantRow:
    """A variant against the others, in percentage points; `note` is its author's.

    `verdict`: better, worse, not_known, too_early, sample_ratio_fails or alone. `share_today` and
    `converted_share` lie between 0 and 1. `within_...`: the difference within agents.
    """

    name: str
    note: str
    share_today: float
    n: int
    converted: int
    converted_share: float | None
    verdict: str
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    within: float | None = None
    within_low: float | None = None
    within_high: float | None = None
    evidence: float | None = None
    best: float | None = None
    needs_more: int | None = None

    @property
    def is_known(self) -> bool:
        """Whether the verdict has fallen."""
        return self.verdict in ("better", "worse")

    @property
    def tone(self) -> str:
        """The colour of a verdict that has fallen."""
        return {"better": "good", "worse": "bad"}.get(self.verdict, "open")


@dataclass(frozen=True, slots=True)
class ScriptResults:
    """A script's variants, of all its languages together; `waiting` customers are still within their window.

    `method`: only_one, even or thompson. `allocated_on` is None before the first night; the prior is that night's.
    """

    version: int
    customers: int
    waiting: int
    method: str
    rows: tuple[VariantRow, ...]
    csv_href: str
    allocated_on: date | None = None
    prior_mean: float | None = None
    prior_weight: float | None = None

    @property
    def scale(self) -> float:
        """The outer end of the rows' axis in percentage points: 10, 20 or 30."""
        reach = [abs(x) for row in self.rows for x in (row.low, row.high) if x is not None]
        return min(30.0, max(10.0, 10.0 * -(-max(reach, default=0.0) // 10)))


@dataclass(frozen=True, slots=True)
class BranchSeen:
    """A branch after which `went_on` of `calls` customers converted; ends of the interval from 0 to 1."""

    script: str
    label: str
    calls: int
    went_on: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Helps:
    """What calls about a place showed. `place` is the error or the step in words."""

    place: str
    calls: int
    causes: tuple[ShareRow, ...] = ()
    branches: tuple[BranchSeen, ...] = ()


@dataclass(frozen=True, slots=True)
class HelpsRow:
    """A row of the studio's table: journey and step in words, and what calls about them showed."""

    journey: str
    step: str
    is_whole_step: bool
    helps: Helps


@dataclass(frozen=True, slots=True)
class WhatHelpsPage:
    """What usually helps, step by step; `made_on` is None before the first night."""

    frame: Frame
    days: int
    fewest_calls: int
    fewest_of_branch: int
    rows: tuple[HelpsRow, ...] = ()
    made_on: date | None = None
