"""The bench a carrier is tested on: what the suite needs beyond the port. One for each carrier."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol, TypeVar
from uuid import UUID

import pytest

from callcenter.domain.ports import (
    Answer,
    CallbackNews,
    CallbackRequest,
    Capability,
    Carrier,
    CarrierEvent,
    RoomEvent,
)

T = TypeVar("T")
N = TypeVar("N", bound=CallbackNews)


class FarEnd(StrEnum):
    """How the telephone at a number behaves."""

    ANSWERS = "answers"
    """A person picks up and stays on the line until somebody else ends the call."""
    MACHINE = "machine"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    """Rings until the carrier gives up."""
    INVALID = "invalid"
    """No such number: the carrier refuses at once."""


class Trouble(StrEnum):
    """What happens to the next request for a call."""

    TOO_MANY = "too_many"
    """The carrier says "too many requests" and does nothing."""
    FAULT_BEFORE = "fault_before"
    """It answers with a fault of its own and has done nothing."""
    FAULT_AFTER = "fault_after"
    """It answers with a fault of its own and has made the call."""
    CUT_AFTER = "cut_after"
    """It has made the call, and the connection breaks before it says so."""


class Leg(StrEnum):
    """Whose call a callback is about; the subject is the attempt's, the agent's or the watch's id."""

    ATTEMPT = "attempt"
    AGENT = "agent"
    WATCH = "watch"
    ROOM = "room"
    """What happens in an agent's room; the subject is the agent's id."""


class Bench(Protocol):
    """One carrier with everything around it under control. Each promise gets a bench that is at rest."""

    carrier: Carrier
    """The adapter under test. Its callbacks reach the bench, as the product would be reached."""

    def number(self, far_end: FarEnd) -> str:
        """Return a number nobody has called yet, in E.164, whose telephone behaves so."""

    def agent_address(self, agent_id: UUID) -> str:
        """Return the address of an agent's telephone that is picked up at once."""

    def answers(self, leg: Leg, subject: UUID, decision: Answer) -> None:
        """From now on, when this leg asks what to do, answer with `carrier.answer(decision)`."""

    def callbacks(self, leg: Leg, subject: UUID) -> Sequence[CallbackRequest]:
        """Return the callbacks that told something about this leg or room so far, in the order they came.

        Not the questions of what to do.
        """

    def wait_for(self, what: Callable[[], T]) -> T:
        """Let time pass until `what()` is true and return it. Raises AssertionError when it never is."""

    def lets_pass(self) -> None:
        """Let as much time pass as a callback takes that is on its way."""

    def has_trouble(self, trouble: Trouble) -> None:
        """Let this happen to the next request for a call, once."""

    def requests_for_calls(self) -> int:
        """Count the requests for a call that have reached the carrier."""

    def calls_to(self, number: str) -> int:
        """Count the calls the carrier has made to a number, from its own books."""

    def lists_lag(self, lag: bool) -> None:
        """Let the carrier's lists leave out new calls, or show them again."""

    def unreachable(self) -> Carrier:
        """Return the adapter, set to an address where nobody listens."""

    def unheard_of(self) -> str:
        """Return a name of a call, well formed, that the carrier has never given."""

    def rests(self) -> None:
        """End every call and take every trouble away."""


def told(bench: Bench, leg: Leg, subject: UUID, kind: type[N]) -> list[N]:
    """Return what the callbacks of one kind have told of a leg; each must be signed."""
    news: list[N] = []
    for request in bench.callbacks(leg, subject):
        assert bench.carrier.verify(request), f"a genuine callback is not believed: {request.target}"
        news += [each for each in bench.carrier.parse(request) if isinstance(each, kind)]
    return news


def steps(bench: Bench, attempt: UUID) -> list[CarrierEvent]:
    """Return how far a customer's call has come, as told."""
    return told(bench, Leg.ATTEMPT, attempt, CarrierEvent)


def room_news(bench: Bench, agent: UUID) -> list[RoomEvent]:
    """Return what happened in an agent's room, by the carrier's own count where it counts."""
    news = told(bench, Leg.ROOM, agent, RoomEvent)
    return sorted(news, key=lambda event: event.sequence or 0)


def needs(bench: Bench, capability: Capability) -> None:
    """Leave a promise out, visibly, for a carrier that says it cannot do this."""
    if capability not in bench.carrier.capabilities():
        pytest.skip(f"{capability.value} is not among the carrier's capabilities")
