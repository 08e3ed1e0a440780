"""The strategy studio: journeys, rules, scripts."""

from dataclasses import dataclass
from datetime import date, datetime

from callcenter.web.pages.frame import Frame, ShareRow
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
