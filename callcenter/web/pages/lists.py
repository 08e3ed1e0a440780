"""Lists of customers to call that a supervisor brings in: the form, what would become of it, what has."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from callcenter.web.pages.compliance import Option
from callcenter.web.pages.frame import Frame
from callcenter.web.pages.studio import Choice


@dataclass(frozen=True, slots=True)
class ListRow:
    """A list that was brought in. `state`: working, done, undone."""

    href: str
    name: str
    by: str
    at: datetime
    state: str
    opened: int
    total: int


@dataclass(frozen=True, slots=True)
class ListsPage:
    """The form of a list, with what was typed, and the lists brought in lately."""

    frame: Frame
    tabs: tuple[Choice, ...]
    journeys: tuple[Option, ...]
    steps: tuple[Option, ...]
    purposes: tuple[Option, ...]
    values: Mapping[str, str]
    rows: tuple[ListRow, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """So many rows of one kind: what becomes of them, in finished words."""

    many: int
    label: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class RefusedShown:
    """A row that is refused: its number in the file, and why."""

    number: int
    why: str


@dataclass(frozen=True, slots=True)
class ListPage:
    """One list. `state`: reading, looking (`looked` of its rows), failed (`problem` says why), draft, same (the
    very file was done before), working, done, undone.

    `outcomes` are what would become of its rows, or what has. `same_href` leads to the list that was before.
    """

    frame: Frame
    tabs: tuple[Choice, ...]
    id: str
    name: str
    state: str
    about: str
    by: str
    at: datetime
    is_own: bool
    total: int
    done: int
    would_open: int
    opened: int
    undone: int
    outcomes: tuple[Outcome, ...]
    refused: tuple[RefusedShown, ...]
    refused_total: int
    looked: int = 0
    problem: str = ""
    same_href: str = ""
    undo_until: datetime | None = None
