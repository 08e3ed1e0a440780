"""What the product asks of a telephone carrier, free of any carrier's words (see docs/carriers.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from callcenter.domain.enums import AnsweredBy, AttemptState, CallResult, SupervisorMode


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
    is_ours: bool = True
    """False for a leg that is no dial of a customer: an agent's, a supervisor's."""


@dataclass(frozen=True, slots=True)
class CarrierEvent:
    """How far one call has come, from a status callback. `key` is the same for a callback told twice."""

    ref: str
    key: str
    state: AttemptState
    result: CallResult | None = None
    occurred_at: datetime | None = None
    talk_seconds: int | None = None
    answered_by: AnsweredBy | None = None
    raw: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MachineHeard:
    """What answering-machine detection heard on one call, after so many milliseconds."""

    ref: str
    key: str
    answered_by: AnsweredBy
    after_ms: int | None = None
    raw: Mapping[str, str] = field(default_factory=dict)


class RoomChange(StrEnum):
    """What happened in a room."""

    STARTED = "started"
    ENDED = "ended"
    JOINED = "joined"
    LEFT = "left"
    CHANGED = "changed"
    """A leg was muted, held, or made to coach, or the reverse."""


@dataclass(frozen=True, slots=True)
class RoomEvent:
    """One thing that happened in a room; the flags tell how the leg `ref` is now, as the carrier says."""

    room: str
    key: str
    change: RoomChange
    ref: str | None = None
    muted: bool | None = None
    held: bool | None = None
    coaching: bool | None = None
    reason: str | None = None
    sequence: int | None = None
    room_ref: str | None = None
    """The carrier's name for this life of the room: `sequence` counts within it."""
    occurred_at: datetime | None = None
    raw: Mapping[str, str] = field(default_factory=dict)


class RecordingState(StrEnum):
    """Where a recording is."""

    RUNNING = "running"
    READY = "ready"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class RecordingEvent:
    """What the carrier says of a recording; `ref` names it, `call_ref` the call when the carrier says."""

    ref: str
    key: str
    state: RecordingState
    call_ref: str | None = None
    room_ref: str | None = None
    seconds: int | None = None
    raw: Mapping[str, str] = field(default_factory=dict)


CallbackNews = CarrierEvent | MachineHeard | RoomEvent | RecordingEvent


class RoomRole(StrEnum):
    """As what a leg enters a room."""

    AGENT = "agent"
    CUSTOMER = "customer"
    SUPERVISOR = "supervisor"
    """Enters unheard; `set_mode` decides what is heard of them afterwards."""


class RecordPolicy(StrEnum):
    """Whether a customer's call is recorded: the call, not the room, which outlives many customers."""

    OFF = "off"
    ON = "on"


class AmdPolicy(StrEnum):
    """Whether the carrier listens for answering machines while the two already talk."""

    OFF = "off"
    LISTEN = "listen"


@dataclass(frozen=True, slots=True)
class JoinRoom:
    """Answer: put the caller into this room. `agent_id` is whose room it is; events of it name them."""

    room: str
    agent_id: UUID
    role: RoomRole = RoomRole.CUSTOMER


@dataclass(frozen=True, slots=True)
class HangUp:
    """Answer: end the call at once."""


@dataclass(frozen=True, slots=True)
class SayAndHangUp:
    """Answer: say one sentence, then end the call."""

    message: str
    language: str


@dataclass(frozen=True, slots=True)
class SayAndWait:
    """Answer: say one sentence to somebody on hold, then keep still until taken off hold."""

    message: str
    language: str


Answer = JoinRoom | HangUp | SayAndHangUp | SayAndWait


class RoomAnswer(StrEnum):
    """What became of a wish about a room."""

    DONE = "done"
    GONE = "gone"
    """The leg or the room is not there any more: nothing to do, and no fault."""
    NOT_ASKED = "not_asked"
    """The carrier could not be asked, or we cannot tell; ask again."""


@dataclass(frozen=True, slots=True)
class SoftphoneCredentials:
    """What a browser softphone signs on with: a token, the name it is called by, and until when."""

    token: str
    identity: str
    expires_at: datetime


class Capability(StrEnum):
    """What a carrier can do beyond placing and ending calls."""

    AMD_ASYNC = "amd_async"
    COACH = "coach"
    FIND_BY_NUMBER = "find_by_number"
    HOLD = "hold"
    RECORDING = "recording"
    SOFTPHONE = "softphone"


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """A carrier's HTTP request, without any web framework's type: raw target, form, headers."""

    target: str
    form: Sequence[tuple[str, str]]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CallWish:
    """One call to a customer: to whom (E.164), how long it may ring and last, and what is done on it."""

    attempt_id: UUID
    to: str
    ring_timeout: timedelta
    max_duration: timedelta
    amd: AmdPolicy = AmdPolicy.OFF
    record: RecordPolicy = RecordPolicy.OFF


class Carrier(Protocol):
    """A telephone carrier. No method retries; no carrier's type leaks out."""

    def place(self, wish: CallWish) -> Placement:
        """Ask once for a call. Must be called at most once per attempt id."""

    def place_agent(self, agent_id: UUID, address: str) -> Placement:
        """Ask once for the call that brings an agent's telephone or softphone into their room."""

    def place_supervisor(self, watch_id: UUID, address: str) -> Placement:
        """Ask once for the call that brings a supervisor, unheard, into an agent's room."""

    def hang_up(self, ref: str) -> bool:
        """End or cancel the call; already ended is success. False when the carrier could not be asked."""

    def move(self, ref: str, attempt_id: UUID) -> RoomAnswer:
        """Have a call in progress ask again where to go: it leaves its room, and `answer` decides anew."""

    def hold(self, room: str, ref: str, language: str) -> RoomAnswer:
        """Put a leg on hold; it hears the waiting message in this language."""

    def unhold(self, room: str, ref: str) -> RoomAnswer:
        """Take a leg off hold."""

    def mute(self, room: str, ref: str, muted: bool) -> RoomAnswer:
        """Silence a leg to all others, or let it be heard again."""

    def set_mode(self, room: str, ref: str, mode: SupervisorMode, agent_ref: str) -> RoomAnswer:
        """Change how a supervisor's leg takes part, in one step: at no moment does the customer hear a whisper."""

    def remove(self, room: str, ref: str) -> RoomAnswer:
        """Put a leg out of a room."""

    def end_room(self, room: str) -> RoomAnswer:
        """End a room and every leg in it."""

    def pause_recording(self, ref: str, paused: bool) -> RoomAnswer:
        """Pause the recording of a customer's call, or go on: nobody records a card number."""

    def recording(self, ref: str) -> bytes | None:
        """Fetch a recording's sound (WAV); None when it is not to be had."""

    def lookup(self, ref: str) -> CallSnapshot | None:
        """Ask what became of a call; None when the carrier could not be asked."""

    def find(self, to: str, since: datetime) -> Sequence[CallSnapshot] | None:
        """List calls to this number since then; None when the carrier could not be asked."""

    def calls_between(self, start: datetime, end: datetime) -> Sequence[CallSnapshot] | None:
        """List every call created in [start, end); None when the carrier could not be asked."""

    def identify(self, ref: str) -> UUID | None:
        """Say for which attempt a call was placed, from the carrier's own records; None when it cannot tell."""

    def softphone_credentials(self, agent_id: UUID, ttl: timedelta, now: datetime) -> SoftphoneCredentials:
        """Let an agent's browser be their telephone for `ttl`. Raises ConfigError without an API key."""

    def verify(self, request: CallbackRequest) -> bool:
        """Whether the request was signed by the carrier."""

    def parse(self, request: CallbackRequest) -> Sequence[CallbackNews]:
        """Read a callback; nothing when it carries nothing we know."""

    def answer(self, decision: Answer) -> str:
        """Put a decision into the carrier's own markup."""

    def capabilities(self) -> frozenset[Capability]:
        """Say what this carrier can do."""
