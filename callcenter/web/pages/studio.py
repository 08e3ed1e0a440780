"""The strategy studio: journeys, rules, effects, scripts."""

from dataclasses import dataclass
from datetime import date, datetime

from callcenter.web.pages.frame import Frame, Money, ShareRow
from callcenter.web.pages.rules import DraftRow
from callcenter.web.pages.script_results import ScriptResults, SeenAfter


@dataclass(frozen=True, slots=True)
class Choice:
    """One segment of a switch between views; `label` is finished text."""

    label: str
    href: str
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """A step of the funnel. `lost` is None for the goal. `usual_loss` is from earlier weeks.

    `median_seconds` is the time to pass; `back_share` came back within an hour by themselves.
    """

    key: str
    label: str
    entered: int
    lost: int | None
    href: str
    usual_loss: float | None = None
    median_seconds: int | None = None
    back_share: float | None = None
    top_error: str | None = None
    is_chosen: bool = False

    @property
    def loss(self) -> float | None:
        """Share of those who entered that stopped here, from 0 to 1."""
        return None if self.lost is None or self.entered == 0 else self.lost / self.entered


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Share back by a minute since the last activity, with its 95 % band; all from 0 to 1."""

    minute: float
    share: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """The chosen drop: how many stopped, what they saw last, whether they come back alone."""

    step: str
    lost: int
    entered: int
    usual_loss: float | None = None
    curve: tuple[CurvePoint, ...] = ()
    curve_minute: float | None = None
    curve_visits: int = 0
    saw_last: tuple[ShareRow, ...] = ()
    went_next: tuple[ShareRow, ...] = ()
    rule_href: str | None = None
    people_href: str | None = None
    path_href: str | None = None
    voice_href: str | None = None


@dataclass(frozen=True, slots=True)
class SurgeNote:
    """A sudden rise: what, how far and who; where to look and where to make a rule of it."""

    title: str
    text: str
    href: str
    rule_href: str


@dataclass(frozen=True, slots=True)
class JourneysPage:
    """The map and funnel of one journey between two dates, both included."""

    frame: Frame
    journey: str
    from_on: date
    to_on: date
    window_days: int
    journeys: tuple[Choice, ...] = ()
    windows: tuple[Choice, ...] = ()
    steps: tuple[FunnelStep, ...] = ()
    drop: Drop | None = None
    surges: tuple[SurgeNote, ...] = ()
    analysis_href: str | None = None
    csv_href: str | None = None
    counted: str = ""


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule as its readers know it. `words` is the rule as a sentence.

    `state`: live or paused. `may_switch` says the viewer may pause or resume it. `verdict` is a
    verdict code as in `EffectRow`; `difference` is its effect in percentage points.
    """

    key: str
    label: str
    version: int
    words: str
    journey: str
    state: str
    since: datetime
    since_by: str | None = None
    fired: int = 0
    called: int = 0
    held_out: int = 0
    verdict: str | None = None
    difference: float | None = None
    may_switch: bool = False


@dataclass(frozen=True, slots=True)
class RulesPage:
    """All rules, and what is underway to become one; counts are of the last `window_days` days."""

    frame: Frame
    window_days: int
    rules: tuple[RuleRow, ...] = ()
    drafts: tuple[DraftRow, ...] = ()


@dataclass(frozen=True, slots=True)
class EffectRow:
    """The effect of calling under one rule: intention to treat against its hold-out.

    `verdict`: helps, harms, not_known, no_holdout or sample_ratio; with the last two the figures
    stay hidden. `difference`, `low`, `high` are percentage points, the interval from the same
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
class EffectsPage:
    """Does calling bring them back? One row per rule; `views` switches to scripts and branches."""

    frame: Frame
    weeks: int
    to_on: date
    totals: EffectTotals
    rows: tuple[EffectRow, ...] = ()
    detail: EffectDetail | None = None
    together: Together | None = None
    views: tuple[Choice, ...] = ()

    @property
    def scale(self) -> float:
        """The outer tick of the shared axis in percentage points: 10, 20 or 30; 1.42 times it is drawn."""
        reach = [abs(x) for r in self.rows if r.is_shown for x in (r.low, r.high) if x is not None]
        return min(30.0, max(10.0, 10.0 * -(-max(reach, default=0.0) // 14.2)))


@dataclass(frozen=True, slots=True)
class ScriptRow:
    """A script of the library. `used_by` are labels of rules; `updated_on` is of this version."""

    id: str
    label: str
    step: str
    journey: str
    language: str
    version: int
    href: str
    variants: tuple[str, ...] = ()
    used_by: tuple[str, ...] = ()
    updated_on: date | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class ReadBranch:
    """An answer in the read view; `leads_to` is the label of the next part, None at an end."""

    digit: int
    label: str
    hint: str
    leads_to: str | None = None
    seen: SeenAfter | None = None


@dataclass(frozen=True, slots=True)
class ReadPart:
    """One part of a script to read. Placeholders are shown as they stand in the file."""

    key: str
    label: str
    say: tuple[str, ...]
    branches: tuple[ReadBranch, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadScript:
    """A whole script to read. `variant` is None where there is only one; `heard` is what was seen per objection."""

    row: ScriptRow
    variant: str | None
    parts: tuple[ReadPart, ...]
    objections: tuple[tuple[str, str], ...] = ()
    required_notices: tuple[str, ...] = ()
    versions: tuple[Choice, ...] = ()
    heard: tuple[SeenAfter | None, ...] = ()
    results: ScriptResults | None = None


@dataclass(frozen=True, slots=True)
class ScriptsPage:
    """The library, and the script chosen to read, if any."""

    frame: Frame
    scripts: tuple[ScriptRow, ...] = ()
    chosen: ReadScript | None = None
