"""The queue as a supervisor works on it: sieve, acts on many call tasks, what would happen, what happened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from callcenter.web.pages.compliance import Option
from callcenter.web.pages.frame import Frame
from callcenter.web.pages.studio import Choice


@dataclass(frozen=True, slots=True)
class QueueTask:
    """A waiting call task. `since` is from when it may be called, in the future while it may not."""

    id: str
    customer: str
    rule: str
    since: datetime
    promise_seconds: int
    why: str
    language: str
    priority: int
    agent: str | None = None
    is_reserved: bool = False


@dataclass(frozen=True, slots=True)
class DoneAct:
    """An act on many call tasks of the past: what was done, by whom, to how many of how many."""

    href: str
    title: str
    at: datetime
    by: str
    changed: int
    planned: int
    is_undone: bool = False


@dataclass(frozen=True, slots=True)
class QueuePage:
    """The waiting call tasks that a sieve lets through, and the form of an act on them.

    `choices` are the options by name: rule, journey, why, language, act, agent, team, skill, level. `values` is
    what the forms hold, `error` a finished sentence.
    """

    frame: Frame
    tabs: tuple[Choice, ...]
    choices: Mapping[str, tuple[Option, ...]]
    values: Mapping[str, str]
    matched: int
    held: int
    rows: tuple[QueueTask, ...] = ()
    ticked: frozenset[str] = frozenset()
    done: tuple[DoneAct, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """So many call tasks of one kind: whose they are or will be, or why they are left out."""

    label: str
    many: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class DispatchPage:
    """One act on many call tasks. `state`: planned, stale, partly, done, undone.

    `whose` says who has them now, `to` who will; `refused` and `lost` why some are left out. `undo_until` is set
    while it can be undone. `from_floor`: it was begun on the floor, and leads back there.
    """

    frame: Frame
    tabs: tuple[Choice, ...]
    id: str
    state: str
    title: str
    sieve: tuple[str, ...]
    matched: int
    planned: int
    changed: int
    made_at: datetime
    made_by: str
    is_own: bool
    reason: str = ""
    whose: tuple[Part, ...] = ()
    to: tuple[Part, ...] = ()
    refused: tuple[Part, ...] = ()
    lost: tuple[Part, ...] = ()
    undo_until: datetime | None = None
    examples: tuple[str, ...] = field(default=())
    from_floor: bool = False

    @property
    def restored(self) -> int:
        """How many were put back."""
        return self.changed - sum(part.many for part in self.lost)
