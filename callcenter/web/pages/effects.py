"""Whether calling brings customers back: rules beside their hold-out, one of them in full."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from callcenter.web.pages.frame import Frame, Money
from callcenter.web.pages.studio import Choice


@dataclass(frozen=True, slots=True)
class EffectRow:
    """The effect of calling under one rule: intention to treat against its hold-out.

    Counts are of the window, everything that is judged is of all the time. `people` leads from a count (by its
    `Part`) to its customers. `verdict`: helps, harms, not_known, no_holdout or sample_ratio; with the last two the
    figures stay hidden. `difference`, `low`, `high` are percentage points, the interval from the same
    test as the verdict. `evidence` is the e-value; 20 decides. `holds_together` says whether the verdict
    holds although so many rules are looked at, None without a verdict.
    """

    key: str
    label: str
    version: int
    fired: int
    held_out: int | None
    called: int
    reached: int
    verdict: str
    href: str
    converted: int = 0
    treated: int = 0
    held_converted: int = 0
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    cost_each: Money | None = None
    evidence: float | None = None
    needs_firings: int | None = None
    needs_weeks: int | None = None
    note: str | None = None
    is_chosen: bool = False
    holds_together: bool | None = None
    offers_granted: int = 0
    offers_cost: Money | None = None
    people: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_shown(self) -> bool:
        """False where the comparison is not sound, so that no figure is shown."""
        return self.verdict not in {"no_holdout", "sample_ratio"} and self.difference is not None


@dataclass(frozen=True, slots=True)
class VariantEffect:
    """A script variant against the first, in percentage points; `is_known` fills the square."""

    label: str
    difference: float
    low: float
    high: float
    visits: int
    is_known: bool


@dataclass(frozen=True, slots=True)
class EffectDetail:
    """The chosen rule: shares of 100, sample ratio, evidence by week, script variants.

    `there_assigned`, `there_held_out`: (still there when called, or when they would have been; of how many).
    """

    label: str
    version: int
    treated_share: float | None = None
    held_share: float | None = None
    low: float | None = None
    high: float | None = None
    verdict: str = "not_known"
    held_out_share: float | None = None
    held_out_set: float | None = None
    ratio_in_order: bool = True
    evidence: tuple[float, ...] = ()
    decided_week: int | None = None
    variants: tuple[VariantEffect, ...] = ()
    variants_title: str = ""
    there_assigned: tuple[int, int] | None = None
    there_held_out: tuple[int, int] | None = None
    people_href: str | None = None


@dataclass(frozen=True, slots=True)
class EffectTotals:
    """The headline: conversions because of calls, their cost, hold-out, calls not needed."""

    because_we_called: int | None
    rules_with_verdict: int
    tagged_by_agents: int
    cost_each: Money | None
    agent_minutes_each: float | None
    held_out: int
    firings: int
    calls_avoided: int
    offers_granted: int = 0
    is_time_in_cost: bool = False


@dataclass(frozen=True, slots=True)
class Together:
    """All rules at once: `treated` customers whom rules may call beside `held_out` whom none does.

    `share` of all customers are so held out; `difference` and its interval are percentage points, None where
    nothing may be shown.
    """

    share: float
    verdict: str
    converted: int
    treated: int
    held_converted: int
    held_out: int
    difference: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class EffectWindow:
    """Of which firings the counts are. `label` is finished text; `since_on`, `until_on` are what the form holds.

    `kept` is what the form sends along. `is_whole`: nothing is left out, so that all figures are of one window.
    """

    label: str
    choices: tuple[Choice, ...] = ()
    is_whole: bool = True
    since_on: str = ""
    until_on: str = ""
    kept: tuple[tuple[str, str], ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class EffectsPage:
    """Does calling bring them back? One row per rule; `views` switches to scripts and branches.

    `csv_href` keeps the window.
    """

    frame: Frame
    window: EffectWindow
    totals: EffectTotals
    rows: tuple[EffectRow, ...] = ()
    detail: EffectDetail | None = None
    together: Together | None = None
    views: tuple[Choice, ...] = ()
    csv_href: str = "/studio/effects.csv"

    @property
    def scale(self) -> float:
        """The outer tick of the shared axis in percentage points: 10, 20 or 30; 1.42 times it is drawn."""
        reach = [abs(x) for r in self.rows if r.is_shown for x in (r.low, r.high) if x is not None]
        return min(30.0, max(10.0, 10.0 * -(-max(reach, default=0.0) // 14.2)))
