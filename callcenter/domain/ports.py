"""What the product asks of a telephone carrier, free of any carrier's words (see docs/carriers.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from callcenter.domain.enums import AttemptState, CallResult


class RefusalClass(StrEnum):
    """Why a carrier refused, as far as it matters to what we do next."""

    INVALID_DESTINATION = "invalid_destination"
    BLOCKED_DESTINATION = "blocked_destination"
    CALLER_ID = "caller_id"
    CONFIG = "config"
    RATE = "rate"
    CAPACITY = "capacity"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Placed:
    """The carrier took the call; `ref` is its name for it."""

    ref: str
    queue_delay: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Rejected:
    """The carrier refused for good: trying the same again changes nothing."""

    refusal: RefusalClass
    code: str


@dataclass(frozen=True, slots=True)
class NotProcessed:
    """The carrier provably did nothing; the same request may be made again after the delay."""

    retry_after: timedelta


@dataclass(frozen=True, slots=True)
class Unknown:
    """We cannot tell whether the carrier acted. Never dial again on this; the reconciler finds out."""

    reason: str


Placement = Placed | Rejected | NotProcessed | Unknown


@dataclass(frozen=True, slots=True)
class CallSnapshot:
    """What the carrier says of one call now."""

    ref: str
    state: AttemptState
    result: CallResult | None
    to: str
    created_at: datetime | None
    talk_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class CarrierEvent:
    """One thing a carrier told us about a call."""

    ref: str
    key: str
    state: AttemptState
    result: CallResult | None = None
    occurred_at: datetime | None = None
    talk_seconds: int | None = None
    answered_by: str | None = None
    raw: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JoinRoom:
    """Answer: put the caller into this room."""

    room: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """Answer: end the call at once."""


@dataclass(frozen=True, slots=True)
class SayAndHangUp:
    """Answer: say one sentence, then end the call."""

    message: str
    language: str


Answer = JoinRoom | HangUp | SayAndHangUp


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """A carrier's HTTP request, without any web framework's type: raw target, form, headers."""

    target: str
    form: Sequence[tuple[str, str]]
    headers: Mapping[str, str]


class Carrier(Protocol):
    """A telephone carrier. No method retries; no carrier's type leaks out."""

    def place(self, attempt_id: UUID, to: str, ring_timeout: timedelta, max_duration: timedelta) -> Placement:
        """Ask once for a call to `to` (E.164). Must be called at most once per attempt id."""

    def place_agent(self, agent_id: UUID, address: str) -> Placement:
        """Ask once for the call that brings an agent's telephone or softphone into their room."""

    def hang_up(self, ref: str) -> bool:
        """End or cancel the call; already ended is success. False when the carrier could not be asked."""

    def lookup(self, ref: str) -> CallSnapshot | None:
        """Ask what became of a call; None when the carrier could not be asked."""

    def find(self, to: str, since: datetime) -> Sequence[CallSnapshot] | None:
        """List calls to this number since then; None when the carrier could not be asked."""

    def verify(self, request: CallbackRequest) -> bool:
        """Whether the request was signed by the carrier."""

    def parse(self, request: CallbackRequest) -> CarrierEvent | None:
        """Read a status callback; None when it carries nothing we know."""

    def answer(self, decision: Answer) -> str:
        """Put a decision into the carrier's own markup."""
