"""Targets and points: what agents and teams have reached of what they are to reach."""

from collections.abc import Mapping
from dataclasses import dataclass

from callcenter.targets.rules import Progress
from callcenter.web.pages.compliance import Option
from callcenter.web.pages.frame import Frame
from callcenter.web.pages.studio import Choice


@dataclass(frozen=True, slots=True)
class TargetRow:
    """A team together, or an agent: how far with each measure, and the points."""

    label: str
    progress: tuple[Progress, ...]
    points: int
    is_team: bool = False


@dataclass(frozen=True, slots=True)
class TargetsPage:
    """The table of a period, and the forms. `formula` says in words how points are counted; `query` is a file's."""

    frame: Frame
    tabs: tuple[Choice, ...]
    parts: tuple[Choice, ...]
    periods: tuple[Choice, ...]
    period: str
    title: str
    earlier_href: str
    later_href: str
    query: str
    heads: tuple[str, ...]
    rows: tuple[TargetRow, ...]
    subjects: tuple[Option, ...]
    measures: tuple[Option, ...]
    period_choices: tuple[Option, ...]
    points: Mapping[str, int]
    formula: str
    values: Mapping[str, str]
    error: str | None = None
