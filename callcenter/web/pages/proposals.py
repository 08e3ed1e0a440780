"""Changes that the system proposes: the list, and one in full with its evidence and its canary."""

from dataclasses import dataclass
from datetime import datetime

from callcenter.web.pages.curves import RecoveryCurve
from callcenter.web.pages.frame import Frame
from callcenter.web.pages.trials import Arm, Trial


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """One proposal on the list. `state` is a code, `state_label`, `kind` and `change` finished text.

    `gain` says what it is expected to bring, `because` who or what decided it, where it is decided.
    """

    href: str
    rule: str
    kind: str
    change: str
    gain: str
    state: str
    state_label: str
    at: datetime
    because: str = ""
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    """One way of estimating a gain: conversions a visit in points, minutes a visit, conversions an agent-hour.

    Each as (low, point, high).
    """

    name: str
    conversions: tuple[float, float, float]
    minutes: tuple[float, float, float]
    per_hour: tuple[float, float, float]
    is_the_gate: bool = False


@dataclass(frozen=True, slots=True)
class WaitRow:
    """What came of the visits that drew a wait: of them converted, and agent minutes each."""

    wait: str
    visits: int
    converted: int
    minutes: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """Firings in so many days played back, and agents for the busiest hour: as it is, and as it would be."""

    days: int
    fired_now: int
    fired: int
    agents_now: int
    agents: int


@dataclass(frozen=True, slots=True)
class ProposalDetail:
    """One proposal in full. `may` holds accept, decline, adopt, roll_back; `why_not` why an act is not offered.

    `accepting` says what accepting does. `changes` are the differences to the rule as it is, in words.
    """

    id: str
    row: ProposalRow
    rule_href: str
    words: str
    changes: tuple[str, ...]
    why: str
    accepting: str
    may: frozenset[str]
    days: tuple[int, ...] = ()
    why_not: str | None = None
    estimates: tuple[Estimate, ...] = ()
    waits: tuple[WaitRow, ...] = ()
    arms: tuple[Arm, ...] = ()
    difference: tuple[float, float, float] | None = None
    evidence: float | None = None
    effective_sample: int | None = None
    warning: str | None = None
    load: Load | None = None
    load_problem: str | None = None
    trial: Trial | None = None
    trial_href: str | None = None
    curve: RecoveryCurve | None = None


@dataclass(frozen=True, slots=True)
class ProposalsPage:
    """Every proposal, those that wait for somebody first; the chosen one in full."""

    frame: Frame
    waiting: int
    rows: tuple[ProposalRow, ...] = ()
    detail: ProposalDetail | None = None
