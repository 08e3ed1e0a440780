"""Offers: what an agent may grant on the call before them, and the catalog in the studio."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from callcenter.web.pages.frame import Frame, Money
from callcenter.web.pages.rules import Option


@dataclass(frozen=True, slots=True)
class OfferRow:
    """One offer on the console: what to say, what it is worth, and whether it may be granted now.

    `why_not` is a code per reason, empty where it may; `until` is when the last of them is gone, None where
    waiting does not help. `grant_id` is set once it is granted on this call.
    """

    code: str
    name: str
    words: str
    value: Money
    why_not: tuple[str, ...] = ()
    until: datetime | None = None
    grant_id: str | None = None
    granted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OfferDesk:
    """The offers meant for this call. `may_grant`: somebody was spoken with, and the wrap-up is not saved."""

    rows: tuple[OfferRow, ...] = ()
    may_grant: bool = False

    @property
    def granted(self) -> int:
        """How many are granted on this call."""
        return sum(one.grant_id is not None for one in self.rows)


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """One offer of the catalog. `state`: live, not_begun, over or ended. `given` counts grants that stand."""

    code: str
    name: str
    href: str
    state: str
    value: Money
    cost: Money
    cost_of_all: Money
    given: int
    meant_for: str
    limits: str
    valid_from: datetime
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CatalogPage:
    """What agents may grant, and what was granted of it."""

    frame: Frame
    offers: tuple[CatalogRow, ...] = ()


@dataclass(frozen=True, slots=True)
class OfferChange:
    """One act on an offer: what was done, when, by whom, and which fields changed."""

    act: str
    at: datetime
    by: str | None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OfferFormPage:
    """The form of an offer: new where `code` is None. `problems` holds a sentence by field name."""

    frame: Frame
    code: str | None
    values: Mapping[str, str]
    ticked: Mapping[str, tuple[str, ...]]
    journeys: tuple[Option, ...]
    steps: tuple[Option, ...]
    rules: tuple[Option, ...]
    zones: tuple[str, ...] = ()
    version: int = 0
    is_ended: bool = False
    given: int = 0
    problems: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[OfferChange, ...] = ()
