"""The compliance pages: what needs a decision, changes, packs, decisions, the audit trail, what if."""

from dataclasses import dataclass, field
from datetime import datetime

from callcenter.web.pages.frame import Frame
from callcenter.web.pages.studio import Choice

Tabs = tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """One entry of a select."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class GateNeed:
    """Something that needs a person. `tone`: urgent or watch. `kind` picks the icon and, for clock, the act."""

    id: str
    kind: str
    tone: str
    title: str
    text: str
    href: str | None = None
    link: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """A reason with how often it barred, as a share of the most frequent one."""

    label: str
    many: int
    share: float
    href: str


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """A campaign with its pause and its own hours; `hours` are two times, or none."""

    key: str
    title: str
    paused_at: datetime | None = None
    hours: tuple[str, str] | None = None
    changed_at: datetime | None = None
    changed_by: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change of packs or ledgers; `what` is a finished sentence, `state` a code."""

    id: int
    href: str
    kind: str
    what: str
    why: str
    state: str
    asked_at: datetime
    asked_by: str
    is_own: bool = False
    decided_at: datetime | None = None
    decided_by: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """What needs a decision now, what the gate said in the last hour, campaigns, and what was decided lately."""

    frame: Frame
    tabs: Tabs
    needs: tuple[GateNeed, ...] = ()
    asked: int = 0
    allowed: int = 0
    reasons: tuple[Share, ...] = ()
    campaigns: tuple[CampaignRow, ...] = ()
    decided: tuple[ChangeRow, ...] = ()
    kept_at: datetime | None = None
    kept_head: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """How two versions of a pack differ in one figure. `way`: changed, added or removed."""

    way: str
    figure: str
    about: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class ChangePage:
    """One change: what it would do, by whom it is asked, and the forms of whoever may decide.

    `why_not` says why the viewer cannot approve it; `stale` that nobody can any more.
    """

    frame: Frame
    tabs: Tabs
    change: ChangeRow
    facts: tuple[tuple[str, str], ...] = ()
    differences: tuple[Difference, ...] | None = None
    against: str | None = None
    text: str | None = None
    why_not: str | None = None
    stale: str | None = None


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure of a pack. `about`: for which calls, empty for all. `counts`: it is the strictest."""

    name: str
    says: str
    about: str
    source: str
    note: str
    label: str = ""
    counts: bool = True


@dataclass(frozen=True, slots=True)
class PackRow:
    """One pack of the list. `in_force` is a version's label, None while none has begun."""

    key: str
    title: str
    href: str
    regions: str
    in_force: str | None
    upcoming: str | None = None
    is_home: bool = False
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of the chosen pack. `state`: in_force, upcoming or past."""

    label: str
    href: str
    valid_from: str
    state: str
    approved: str | None = None
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class PacksPage:
    """All packs, and the figures of one version of the chosen one. `problem`: they cannot be read at all."""

    frame: Frame
    tabs: Tabs
    packs: tuple[PackRow, ...] = ()
    chosen: PackRow | None = None
    versions: tuple[VersionRow, ...] = ()
    figures: tuple[FigureRow, ...] = ()
    differences: tuple[Difference, ...] = ()
    against: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ProposalPage:
    """A new pack version being written: as typed, what is wrong on which line, what it would change."""

    frame: Frame
    tabs: Tabs
    pack: str
    text: str
    why: str = ""
    problem: str | None = None
    line: int | None = None
    shown_line: str = ""
    label: str | None = None
    against: str | None = None
    differences: tuple[Difference, ...] | None = None
    why_problem: str | None = None


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One answer of the gate. `reasons` are finished words."""

    id: int
    href: str
    asked_at: datetime
    for_at: datetime
    point: str
    customer: str
    campaign: str
    purpose: str
    may_call: bool
    reasons: tuple[str, ...]
    next_allowed_at: datetime | None
    policy_version: str
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class DecisionsPage:
    """The gate's answers, sieved; `asked` is what stands in the form. `read` is one of them with its facts."""

    frame: Frame
    tabs: Tabs
    asked: dict[str, str]
    reasons: tuple[Option, ...]
    points: tuple[Option, ...]
    rows: tuple[DecisionRow, ...] = ()
    read: DecisionRow | None = None
    helps: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    person_href: str | None = None
    older_href: str | None = None
    newest_href: str | None = None
    csv_href: str = ""
    close_href: str = ""
    most_rows: int = 0
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class TrailRow:
    """One act of the audit trail: finished words, about what, its further particulars."""

    at: datetime
    by: str
    words: str
    subject: str
    detail: str
    href: str | None = None


@dataclass(frozen=True, slots=True)
class TrailPage:
    """The audit trail, sieved."""

    frame: Frame
    tabs: Tabs
    asked: dict[str, str]
    families: tuple[Option, ...]
    people: tuple[Option, ...]
    rows: tuple[TrailRow, ...] = ()
    older_href: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ZoneTime:
    """What time it is in a zone the customer may be in, and whether calling hours are open there."""

    zone: str
    local: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """The gate's answer to a call nobody places, and all it rests on."""

    may_call: bool
    headline: str
    reasons: tuple[tuple[str, str], ...]
    zones: tuple[ZoneTime, ...]
    regions: str
    number_kind: str
    packs: tuple[str, ...]
    figures: tuple[FigureRow, ...]
    next_at: str | None = None


@dataclass(frozen=True, slots=True)
class WhatIfPage:
    """The what-if form as typed, and the answer. Nothing is stored and nobody is called."""

    frame: Frame
    tabs: Tabs
    asked: dict[str, str] = field(default_factory=dict)
    purposes: tuple[Option, ...] = ()
    campaigns: tuple[Option, ...] = ()
    answer: Answer | None = None
    problem: str | None = None
