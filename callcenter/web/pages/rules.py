"""One rule in the studio: its versions, a draft's form, a review, a new rule, and why it fired or not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from callcenter.web.pages.back_tests import BackTestPart
from callcenter.web.pages.bands import TriedBand
from callcenter.web.pages.frame import Frame
from callcenter.web.pages.trials import Trial

if TYPE_CHECKING:
    from callcenter.web.pages.curves import RecoveryCurve


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a list; `label` is finished text, `group` the heading it stands under, if any."""

    value: str
    label: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of a rule. `changes` are its differences to version `against` in words, none if that is None.

    `state` is a rule state, `by` who is to be named for it, `note` what its author said of it.
    """

    number: int
    state: str
    at: datetime
    href: str
    by: str | None = None
    note: str = ""
    changes: tuple[str, ...] = ()
    against: int | None = None
    was_published: bool = False


@dataclass(frozen=True, slots=True)
class ActRow:
    """Something a person did with the rule, as a finished sentence without the name."""

    at: datetime
    text: str
    by: str


@dataclass(frozen=True, slots=True)
class DraftRow:
    """A draft or a version in review, on the list of rules."""

    label: str
    number: int
    state: str
    at: datetime
    href: str
    by: str | None
    journey: str
    waits_for_viewer: bool = False


@dataclass(frozen=True, slots=True)
class RulePage:
    """A rule: its current version (or its last, or its first draft), all versions, and who did what.

    `may` are the codes of the acts the viewer may do with `shown`; `problem` says what no longer fits.
    `trial` is the version on trial beside it, `back_to` the version that going back would publish again, `band` the
    waits that are tried where it is live.
    """

    frame: Frame
    key: str
    label: str
    journey: str
    step: str
    shown: VersionRow
    words: str
    yaml: str
    may: frozenset[str]
    versions: tuple[VersionRow, ...] = ()
    acts: tuple[ActRow, ...] = ()
    problem: str | None = None
    trial: Trial | None = None
    back_to: int | None = None
    proposed: int = 0
    band: TriedBand | None = None


@dataclass(frozen=True, slots=True)
class VersionPage:
    """One version to read or to review. `why_not` says why the viewer may not publish it, if that is so.

    `days` are the spans it may be tried for; `trial` says how it stands where it is or was tried.
    """

    frame: Frame
    key: str
    label: str
    journey: str
    shown: VersionRow
    words: str
    yaml: str
    may: frozenset[str]
    why_not: str | None = None
    open_visits: int = 0
    acts: tuple[ActRow, ...] = ()
    problem: str | None = None
    trial: Trial | None = None
    days: tuple[int, ...] = ()
    back_test: BackTestPart | None = None


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """One comparison as form fields; `value` is what was typed. `ops` are those that fit the field."""

    field: str
    op: str
    value: str
    ops: tuple[Option, ...] = ()
    hint: str = ""
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ConditionRows:
    """Comparisons joined by `all` or `any`. `name` is conditions or where; None of it shown where not `is_flat`."""

    name: str
    joined: str
    rows: tuple[ConditionRow, ...]
    fields: tuple[Option, ...]
    is_flat: bool = True


@dataclass(frozen=True, slots=True)
class DraftForm:
    """What the form of a draft holds: typed texts by the entry's name, lists, conditions, the rest as YAML.

    `problems` are by the entry's name; `seen` is the mark of what was edited.
    """

    values: Mapping[str, str]
    lists: Mapping[str, tuple[str, ...]]
    conditions: ConditionRows
    where: ConditionRows
    more: str
    note: str
    seen: str
    problems: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DraftPage:
    """A draft in the hands of its author.

    `words` is None while the form does not make a rule. `changes` are the differences to version `against`.
    `newer` are the differences to what was saved in another place, None while there is no such conflict.
    """

    frame: Frame
    key: str
    label: str
    number: int
    journey: str
    saved_at: datetime
    form: DraftForm
    presets: tuple[Option, ...]
    steps: tuple[Option, ...]
    goals: tuple[Option, ...]
    events: tuple[Option, ...]
    words: str | None = None
    yaml: str | None = None
    changes: tuple[str, ...] = ()
    against: int | None = None
    newer: tuple[str, ...] | None = None
    now_seen: str = ""
    overtaken_by: int | None = None
    purposes: tuple[Option, ...] = ()
    curve: "RecoveryCurve | None" = None
    skills: tuple[Option, ...] = ()
    levels: tuple[Option, ...] = ()
    teams: tuple[Option, ...] = ()
    back_test: BackTestPart | None = None


@dataclass(frozen=True, slots=True)
class NewRulePage:
    """What a new rule needs before it has a form: its name, title and place."""

    frame: Frame
    places: tuple[Option, ...]
    values: Mapping[str, str]
    problems: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WhyLine:
    """A line of a trace. `way`: for, against, waits or note; `depth` is how far it is set in."""

    way: str
    text: str
    depth: int = 0


@dataclass(frozen=True, slots=True)
class WhyVisit:
    """One visit on the step to choose from."""

    label: str
    href: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class WhyPage:
    """Why a rule fired for a customer, or why not. Without an answer only the question is shown.

    `words` is the rule as a sentence.
    """

    frame: Frame
    rule: str
    customer: str
    rules: tuple[Option, ...]
    headline: str | None = None
    words: str = ""
    lines: tuple[WhyLine, ...] = ()
    visits: tuple[WhyVisit, ...] = ()
    problem: str | None = None
