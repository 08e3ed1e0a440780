"""Effects told by script and by branch, beside those by rule."""

from dataclasses import dataclass
from datetime import date

from callcenter.web.pages.frame import Frame
from callcenter.web.pages.studio import Choice


@dataclass(frozen=True, slots=True)
class ScriptEffectRow:
    """A script's variant against its others, in percentage points; the figures are None while nothing is known.

    `verdict` is a standing's code; `converted_share` is weighted as if the shares had never moved.
    """

    script: str
    variant: str
    href: str
    share_today: float
    customers: int
    converted: int
    verdict: str
    converted_share: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    evidence: float | None = None
    needs_more: int | None = None

    @property
    def is_known(self) -> bool:
        """Whether there is a verdict either way."""
        return self.verdict in {"better", "worse"}


@dataclass(frozen=True, slots=True)
class BranchRow:
    """What was seen after a branch or an objection: `went_on` of `of` whose time is over, with the interval."""

    script: str
    label: str
    href: str
    is_objection: bool
    calls: int
    of: int
    went_on: int
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class EffectsByPage:
    """Effects by script or by branch. `views` is the switch; `by` is scripts or branches."""

    frame: Frame
    by: str
    to_on: date
    csv_href: str
    views: tuple[Choice, ...] = ()
    scripts: tuple[ScriptEffectRow, ...] = ()
    branches: tuple[BranchRow, ...] = ()

    @property
    def scale(self) -> float:
        """The outer tick of the shared axis in percentage points: 10, 20 or 30; 1.42 times it is drawn."""
        reach = [abs(end) for row in self.scripts for end in (row.low, row.high) if end is not None]
        return min(30.0, max(10.0, 10.0 * -(-max(reach, default=0.0) // 14.2)))
