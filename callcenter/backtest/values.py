"""What a back-test works on and what it finds."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from callcenter.domain.draws import in_canary
from callcenter.domain.events import EventValue
from callcenter.journeys.rules import Place
from callcenter.triggers.policy import RuleSpec

LOOK_AHEAD = timedelta(hours=24)
"""How long after the end of the clock events are still read, to see who came back."""

Attributes = Callable[[str], Mapping[str, Any]]
"""What conditions may know of a customer, by the customer's id."""
OnProgress = Callable[[int], None]
"""Told how many events have been read."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored event of the journey: whose, where it belongs, and how late its source may be."""

    customer_id: str
    place: Place
    event: EventValue
    lateness: timedelta


@dataclass(slots=True)
class Firing:
    """One call the rule would have asked for; `came_back_at` is when the customer went on by themselves.

    `customer` is the bank's own id of the customer where there is one, else ours.
    """

    customer_id: str
    journey_key: str
    visit_seq: int
    anchor_at: datetime
    due_at: datetime
    fired_at: datetime
    came_back_at: datetime | None = None
    customer: str = ""

    @property
    def visit(self) -> tuple[str, str, int]:
        """Which visit it is of, among those of the journey."""
        return self.customer_id, self.journey_key, self.visit_seq


_ORDER = attrgetter("fired_at", "anchor_at", "customer_id", "journey_key", "visit_seq")
"""As they fire; those of one moment by when their clocks began, then by whose they are."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How many events of a journey came in up to the end asked for; when the first and the very last did."""

    events: int
    first_at: datetime | None
    last_at: datetime | None

    def clock_ends_at(self, until: datetime | None) -> datetime | None:
        """Return where the clock ends: with the last event, or at `until` if that is earlier."""
        return min(until, self.last_at) if until and self.last_at else self.last_at


@dataclass
class BackTest:
    """What a rule would have done: every firing in its order, and when its clock ended."""

    extent: Extent
    clock_ended_at: datetime | None = None
    firings: list[Firing] = field(default_factory=list)

    def came_back(self, within: timedelta) -> tuple[int, int]:
        """Count who came back within a span, up to LOOK_AHEAD, of the firing, and of how many we can know."""
        last = self.extent.last_at
        known = [one for one in self.firings if last and one.fired_at + within <= last]
        back = sum(
            one.came_back_at is not None and one.came_back_at <= one.fired_at + within for one in known
        )
        return back, len(known)


def sorted_since(firings: Iterable[Firing], since: datetime | None) -> list[Firing]:
    """Return the firings from a moment on, in their order."""
    return sorted((one for one in firings if since is None or one.fired_at >= since), key=_ORDER)


@dataclass(frozen=True, slots=True)
class CanaryTrial:
    """A version that is tried beside a rule: on this share of the customers, for visits opened from then on."""

    spec: RuleSpec
    version: int
    share: float
    since: datetime

    def covers(self, customer_id: str, opened_at: datetime) -> bool:
        """Whether a customer's visit falls under the version that is tried, as it does live."""
        return opened_at >= self.since and in_canary(self.spec.key, self.version, customer_id, self.share)
