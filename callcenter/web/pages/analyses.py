"""Analyses of the journey events, the people behind their numbers, and one customer's story."""

from dataclasses import dataclass
from datetime import datetime

from callcenter.web.pages.frame import Frame
from callcenter.web.pages.studio import Choice


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its code; `is_number` sets it to the right."""

    code: str
    label: str
    is_number: bool = True


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure in words with its denominator beside it; `value` is the bare figure; `href` leads to the people."""

    code: str
    text: str
    value: float | None = None
    base: str = ""
    href: str | None = None
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row. `link` is, for a path, the place, from and to as JSON. `is_sum` is all of its group together."""

    label: str
    group: str
    cells: tuple[Cell, ...]
    is_sum: bool = False
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a select."""

    value: str
    label: str
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """A select of the form above an analysis."""

    name: str
    label: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """How the table is drawn: kind and columns, as charts.js reads them."""

    kind: str
    figures: str


@dataclass(frozen=True, slots=True)
class AnalysesPage:
    """One of the ten analyses. `hidden` are what the form keeps; `query` asks the same again, for a file.

    `fresh` says how far behind the events it is, `counted` how many people it counts, `left_out` what
    lies in the archive and is not counted, `notes` what its figures
    mean. `beside` is whether earlier weeks are laid beside; None where the model has nothing to lay beside.
    """

    frame: Frame
    title: str
    models: tuple[Choice, ...]
    windows: tuple[Choice, ...]
    fields: tuple[Field, ...]
    hidden: tuple[tuple[str, str], ...]
    beside: bool | None
    query: str
    summary: str
    counted: str
    fresh: str
    notes: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    chart: Chart
    has_groups: bool = False
    group_title: str = ""
    label_title: str = ""
    more_groups: str = ""
    name: str = ""
    left_out: str = ""
    step_href: str | None = None


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A customer behind a number, as much of them as a strategist needs."""

    name: str
    masked_number: str
    place: str
    tags: tuple[str, ...]
    journey_key: str
    href: str


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """The people behind a number. `what` says which number, `count` how many; `back_href` is the page it
    stands on, `back` what that is called."""

    frame: Frame
    what: str
    count: str
    back_href: str
    back: str
    people: tuple[PersonRow, ...] = ()


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One thing that happened: when, what kind (event, firing, call, conversion), in words, with more."""

    at: datetime
    kind: str
    text: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class PersonPage:
    """One customer's story, the latest first."""

    frame: Frame
    name: str
    masked_number: str
    place: str
    tags: tuple[str, ...] = ()
    story: tuple[StoryLine, ...] = ()
