"""Journeys and visits as frozen values; the pure rules over them are in journeys.rules and triggers.rules."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from callcenter.domain.enums import VisitEnd


class PropertyType(StrEnum):
    """What kind of value an event property holds."""

    NUMBER = "number"
    TEXT = "text"


class TraitType(StrEnum):
    """What kind of value a trait of a customer holds; a date is a text such as 2026-12-01."""

    NUMBER = "number"
    TEXT = "text"
    DATE = "date"


CALENDAR_RULE = "calendar_rule"
"""By this property an event of the calendar says which rule it was made for."""
USUAL_PROPERTIES: Mapping[str, PropertyType] = {
    "device": PropertyType.TEXT,
    "app_version": PropertyType.TEXT,
    "channel": PropertyType.TEXT,
    "credit_limit": PropertyType.NUMBER,
    "amount": PropertyType.NUMBER,
    "bank": PropertyType.TEXT,
    "product": PropertyType.TEXT,
    "reason": PropertyType.TEXT,
    "due_on": PropertyType.TEXT,
    CALENDAR_RULE: PropertyType.TEXT,
}
"""Event properties a visit remembers where its journey does not say which, so that rules can speak of them."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A step that stands for a score beyond a threshold, with hysteresis.

    An event with the property at or beyond `enter_at` opens the visit; one that has come back beyond
    `leave_at` closes it; between the two nothing changes. `falling` turns both round: low is beyond.
    """

    property: str
    enter_at: float
    leave_at: float
    falling: bool = False

    def enters(self, value: float) -> bool:
        """Whether a value is beyond the threshold."""
        return value <= self.enter_at if self.falling else value >= self.enter_at

    def leaves(self, value: float) -> bool:
        """Whether a value has come back far enough."""
        return value > self.leave_at if self.falling else value < self.leave_at


@dataclass(frozen=True, slots=True)
class StepDefinition:
    """One step: the event keys that enter it, that are activity on it, and that are errors on it.

    A `milestone` is set by the bank, not reached by the customer: it is counted, and says nothing of where
    the customer is, so it neither opens nor closes a visit.
    """

    id: str
    title: Mapping[str, str]
    enter: tuple[str, ...]
    events: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    milestone: bool = False
    crossing: Crossing | None = None


class EventRole(StrEnum):
    """What an event means to a journey."""

    ENTER = "enter"
    ACTIVITY = "activity"
    ERROR = "error"
    EXIT = "exit"


@dataclass(frozen=True)
class JourneyDefinition:
    """An ordered list of steps with one goal. `gap` of silence closes a visit; None means never.

    `labels` holds the words, by language, for event names and reasons that people are shown; `properties`
    says which event properties a visit remembers, and of what type; `traits` of what type the traits of
    customers are that its rules may speak of.
    """

    id: str
    title: Mapping[str, str]
    steps: tuple[StepDefinition, ...]
    goal: str
    key_property: str | None = None
    gap: timedelta | None = timedelta(hours=24)
    exits: tuple[str, ...] = ()
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    properties: Mapping[str, PropertyType] = field(default_factory=lambda: USUAL_PROPERTIES)
    traits: Mapping[str, TraitType] = field(default_factory=dict)

    @cached_property
    def order(self) -> Mapping[str, int]:
        """Each step's position, from 0."""
        return {step.id: position for position, step in enumerate(self.steps)}

    @cached_property
    def roles(self) -> Mapping[str, tuple[EventRole, str | None]]:
        """What each event key means: its role and the step it belongs to."""
        roles: dict[str, tuple[EventRole, str | None]] = dict.fromkeys(self.exits, (EventRole.EXIT, None))
        for step in self.steps:
            roles.update(dict.fromkeys(step.enter, (EventRole.ENTER, step.id)))
            roles.update(dict.fromkeys(step.events, (EventRole.ACTIVITY, step.id)))
            roles.update(dict.fromkeys(step.errors, (EventRole.ERROR, step.id)))
        return roles

    def step(self, step_id: str) -> StepDefinition:
        """Return the step with this id; KeyError when there is none."""
        return self.steps[self.order[step_id]]


OF_THE_VISIT = frozenset({"device", "app_version", "channel"})
"""Properties that say where a customer is rather than what happened: the visit remembers them, not each event."""
KEPT_SIGHTINGS = 16
"""How many of an event's sightings a visit remembers one by one; the count goes on."""


class Sighting(NamedTuple):
    """One event of a visit: when it happened, and those of its properties that the journey remembers."""

    at: datetime
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mark:
    """How often an event key was seen in a visit, when first, and the latest sightings in order of time."""

    count: int
    first_at: datetime
    sightings: tuple[Sighting, ...]

    @property
    def last_at(self) -> datetime:
        """When it was seen last."""
        return self.sightings[-1].at


class Marks(Mapping[str, Mark]):
    """The marks of a visit by event key, in the form they are stored in; read one by one when asked for.

    Stored is, per key, the count, the first time, and the sightings: each the time, the time alone in a list
    when the event said the same as the one before, or the time and what it said. Times are whole microseconds
    since 1970. Most events touch one mark of a visit, and most looks at a visit ask for none, so that reading
    them all would cost more than everything else.
    """

    __slots__ = ("written",)

    def __init__(self, written: Mapping[str, Sequence[Any]]) -> None:
        self.written = written

    @classmethod
    def of(cls, marks: Mapping[str, Mark]) -> "Marks":
        """Return marks in the form they are stored in."""
        if isinstance(marks, Marks):
            return marks
        return cls({key: _written(mark) for key, mark in marks.items()})

    def __getitem__(self, key: str) -> Mark:
        count, first, seen = self.written[key]
        return Mark(count, moment(first), tuple(Sighting(moment(at), said) for at, said in _told(seen)))

    def __contains__(self, key: object) -> bool:
        return key in self.written

    def __iter__(self) -> Iterator[str]:
        return iter(self.written)

    def __len__(self) -> int:
        return len(self.written)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and self.written == Marks.of(other).written

    def __hash__(self) -> int:
        return hash(frozenset(self.written))

    def __repr__(self) -> str:
        return f"Marks({dict(self)!r})"

    def seen(self, key: str, at: datetime, properties: Mapping[str, Any]) -> "Marks":
        """Return these marks with one more sighting, put in its place by time."""
        time, old = microseconds(at), self.written.get(key)
        if old is None:
            return Marks({**self.written, key: [1, time, [[time, properties] if properties else time]]})
        count, first, seen = old
        told = list(_told(seen))
        told.append((time, properties))
        if time < told[-2][0]:
            told.sort(key=_TIME)
        return Marks({**self.written, key: [count + 1, min(first, time), _short(told[-KEPT_SIGHTINGS:])]})


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(since_1970: int) -> datetime:
    """Return the moment so many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=since_1970)


def microseconds(at: datetime) -> int:
    """Return the microseconds from 1970 to a moment."""
    span = at - _EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


_Told = tuple[int, Mapping[str, Any]]
_TIME = itemgetter(0)


def _told(seen: Sequence[Any]) -> Iterator[_Told]:
    """Read sightings as they are stored: the time of each, and what it said."""
    said: Mapping[str, Any] = {}
    for one in seen:
        if isinstance(one, int):
            said = {}
            yield one, said
        else:
            said = one[1] if len(one) > 1 else said
            yield one[0], said


def _short(told: Iterable[_Told]) -> list[Any]:
    """Write sightings as they are stored; what is said again is not written again."""
    seen: list[Any] = []
    before: Mapping[str, Any] = {}
    for time, said in told:
        if not said:
            seen.append(time)
        elif said == before:
            seen.append([time])
        else:
            seen.append([time, said])
        before = said
    return seen


def _written(mark: Mark) -> list[Any]:
    told = [(microseconds(one.at), one.properties) for one in mark.sightings]
    return [mark.count, microseconds(mark.first_at), _short(told)]


@dataclass(frozen=True, slots=True)
class VisitState:
    """One stay of a customer on one step, as the rules see it.

    `opened_at` is our clock when we heard of it, every other time says when things happened. `facts_at` says
    since when each of the `facts` holds, in microseconds since 1970.
    """

    visit_seq: int
    step: str
    entered_at: datetime
    last_activity_at: datetime
    opened_at: datetime
    marks: Mapping[str, Mark] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    facts_at: Mapping[str, int] = field(default_factory=dict)
    errors: int = 0
    last_error: str | None = None
    last_error_reason: str | None = None
    last_error_at: datetime | None = None
    closed_at: datetime | None = None
    end: VisitEnd | None = None

    @property
    def is_open(self) -> bool:
        """Whether the customer is, as far as we know, still on the step."""
        return self.closed_at is None


class Looked(NamedTuple):
    """How far a group of rules has been looked at: up to this span after this anchor."""

    anchor_at: datetime
    after: timedelta


@dataclass(slots=True)
class VisitRecord:
    """A visit as it is loaded, moved, looked at and written back: whose, its state, and its clock.

    `wake_at` is when somebody must look; `looked` says per group of rules how far that was done, `fired`
    names the rules that need no more looks. `is_new` until it is written.
    """

    id: UUID
    customer_id: UUID
    journey: str
    journey_key: str
    state: VisitState
    lateness: timedelta
    wake_at: datetime | None = None
    looked: dict[str, Looked] = field(default_factory=dict)
    fired: list[str] = field(default_factory=list)
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class StepReached:
    """A customer entered a step of a journey at this time; `position` counts the steps from 0."""

    customer_id: UUID
    journey: str
    journey_key: str
    step: str
    position: int
    at: datetime
