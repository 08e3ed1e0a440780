"""The ledgers' pages: looking somebody up, what stands for and against them, lists, budgets."""

from dataclasses import dataclass
from datetime import datetime

from callcenter.web.pages.compliance import Option, Tabs
from callcenter.web.pages.frame import Frame


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry of the suppression ledger. `state`: in_force, lifted or ended; `waits`: its lift is asked for."""

    id: int
    kind: str
    scope: str
    about: str
    source: str
    reason: str
    created_at: datetime
    by: str
    state: str
    expires_at: datetime | None = None
    lifted: str | None = None
    waits: bool = False


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """One entry of the consent ledger in words."""

    id: int
    act: str
    purpose: str
    text_version: str
    proof: str
    source: str
    at: datetime
    by: str
    stands: bool
    expires_at: datetime | None = None
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListRow:
    """An imported list. `limited` says which calls it bars; `is_stale`: older than a pack allows."""

    id: int
    key: str
    source: str
    limited: str
    as_of: datetime
    imported_at: datetime
    imported_by: str
    accepted: int
    refused: int
    in_force: bool
    is_stale: bool = False
    waits: bool = False


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """One limit on how often. `used` None: it has no count. `free_at` None: it is free now."""

    label: str
    window: str
    used: int | None = None
    calls: int | None = None
    free_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PersonLink:
    """Somebody who has a number."""

    href: str
    name: str
    bank_id: str


@dataclass(frozen=True, slots=True)
class LedgersPage:
    """Look somebody up; the imported lists. `problem`: nobody was found, or the number is none."""

    frame: Frame
    tabs: Tabs
    asked: str = ""
    lists: tuple[ListRow, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class PersonPage:
    """What stands for and against a person, or a number alone (`number` is then sent again with each act)."""

    frame: Frame
    tabs: Tabs
    name: str
    masked_number: str
    entries: tuple[EntryRow, ...]
    kinds: tuple[Option, ...]
    purposes: tuple[Option, ...]
    campaigns: tuple[Option, ...]
    href: str | None = None
    bank_id: str = ""
    customer_id: str | None = None
    number: str | None = None
    time_zone: str = ""
    consents: tuple[ConsentRow, ...] = ()
    on_lists: tuple[ListRow, ...] = ()
    people: tuple[PersonLink, ...] = ()
    budgets: tuple[BudgetRow, ...] = ()
    budget_tabs: Tabs = ()
    decisions_href: str | None = None
    is_frozen: bool = False
    done: str | None = None
