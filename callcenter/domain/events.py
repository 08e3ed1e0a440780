"""A journey event as the stages see it, after the border has checked it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class EventValue:
    """One accepted event.

    `event_time` is the corrected time at which it happened, `received_at` our clock when it came in, `position`
    its place in the batch it came in: SDKs write whole milliseconds, and a customer does several things in one.
    `step_key` the page or event name that journeys look up. `historical` events are kept and feed no live
    rule.
    """

    message_id: str
    kind: str
    name: str
    step_key: str
    event_time: datetime
    received_at: datetime
    user_id: str | None = None
    anonymous_id: str | None = None
    previous_id: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    traits: Mapping[str, Any] = field(default_factory=dict)
    historical: bool = False
    clamped: bool = False
    position: int = 0

    @property
    def order(self) -> tuple[datetime, datetime, int, str]:
        """Sort key: equal times are ordered by arrival, then by place in the batch, last by message id."""
        return (self.event_time, self.received_at, self.position, self.message_id)


@dataclass(frozen=True, slots=True)
class Rejection:
    """One event of a batch that was not accepted: its place in the batch, a code, and what to do."""

    index: int
    code: str
    message: str
    raw: Any = None


@dataclass(frozen=True, slots=True)
class PlacedEvent:
    """An event together with the customer it belongs to and its place in a journey, if it has one.

    `key` is the page or event name by which the journey knows it.
    """

    event: EventValue
    customer_id: UUID
    journey: str | None = None
    journey_key: str = ""
    step: str | None = None
    role: str | None = None
    key: str | None = None
