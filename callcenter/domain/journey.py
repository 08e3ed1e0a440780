"""Journeys and visits as frozen values; the pure rules over them are in journeys.rules and triggers.rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from uuid import UUID

from callcenter.domain.enums import VisitEnd


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


class EventRole(StrEnum):
    """What an event means to a journey."""

    ENTER = "enter"
    ACTIVITY = "activity"
    ERROR = "error"
    EXIT = "exit"


@dataclass(frozen=True)
class JourneyDefinition:
    """An ordered list of steps with one goal. `gap` of silence closes a visit; None means never.

    `labels` holds the words, by language, for event names and reasons that people are shown.
    """

    id: str
    title: Mapping[str, str]
    steps: tuple[StepDefinition, ...]
    goal: str
    key_property: str | None = None
    gap: timedelta | None = timedelta(hours=24)
    exits: tuple[str, ...] = ()
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

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


@dataclass(frozen=True, slots=True)
class Mark:
    """How often an event key was seen in a visit, and when first and last."""

    count: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class VisitState:
    """One stay of a customer on one step, as the rules see it."""

    visit_seq: int
    step: str
    entered_at: datetime
    last_activity_at: datetime
    marks: Mapping[str, Mark] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)
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


@dataclass(frozen=True, slots=True)
class StepReached:
    """A customer entered a step of a journey at this time; `position` counts the steps from 0."""

    customer_id: UUID
    journey: str
    journey_key: str
    step: str
    position: int
    at: datetime
