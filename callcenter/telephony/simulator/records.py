"""What the simulator keeps of calls, rooms and recordings. Plain data; who may change what: see `books`."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from .outcomes import Fate
from .timers import Timer
from .twiml import Callback, RoomEntry, Step

Params = list[tuple[str, str]]
KEPT_DELIVERIES = 40


class CallStatus(StrEnum):
    """Twilio's REST statuses; `initiated` exists in callbacks only."""

    QUEUED = "queued"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    BUSY = "busy"
    FAILED = "failed"
    NO_ANSWER = "no-answer"
    CANCELED = "canceled"


LIVE = frozenset({CallStatus.QUEUED, CallStatus.RINGING, CallStatus.IN_PROGRESS})


class EndedBy(StrEnum):
    CUSTOMER = "customer"
    PRODUCT = "product"
    CARRIER = "carrier"


@dataclass(frozen=True, slots=True)
class AmdOrder:
    """Answering-machine detection as asked for; sync when `is_async` is False: the TwiML waits for it."""

    until_end_of_message: bool = False
    is_async: bool = False
    timeout_s: float = 30.0
    callback: Callback | None = None


@dataclass(frozen=True, slots=True)
class RecordingOrder:
    """What is to be recorded how; `channels` 2 for dual, which conferences do not have."""

    source: str
    channels: int = 1
    callback: Callback | None = None


@dataclass(frozen=True, slots=True)
class CallOrder:
    """What a create request asked for; checked, never changed. Times in seconds."""

    to: str
    caller: str
    url: str | None = None
    method: str = "POST"
    fallback_url: str | None = None
    fallback_method: str = "POST"
    twiml: str | None = None
    status_callback: str | None = None
    status_callback_method: str = "POST"
    events: frozenset[str] = frozenset({"completed"})
    timeout_s: int = 60
    time_limit_s: int = 14_400
    amd: AmdOrder | None = None
    recording: RecordingOrder | None = None
    room: RoomEntry | None = None
    """Set for a participant dialed straight into a conference: it joins when it answers."""
    from_softphone: bool = False
    extra: tuple[tuple[str, str], ...] = ()
    """Parameters a softphone passed to `connect`; they come with every request for TwiML."""
    asked: tuple[tuple[str, str], ...] = ()
    """The creating request as it came, for the call's Events."""

    @property
    def direction(self) -> str:
        return "inbound" if self.from_softphone else "outbound-api"


@dataclass(slots=True)
class Document:
    """The TwiML a call is running. A new document replaces the object, so late answers find it stale."""

    url: str | None
    method: str = "POST"
    steps: list[Step] = field(default_factory=list)
    dialing: Step | None = None
    gathering: Step | None = None
    is_fallback: bool = False


@dataclass(slots=True)
class Background:
    """What a leg hears while it waits or is held: `lines` are the verbs of the document the product gave."""

    kind: str
    url: str | None
    lines: list[str] = field(default_factory=list)
    redirects: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook of a call, for its Events."""

    at: datetime
    method: str
    url: str
    what: str
    status: int
    ms: int


@dataclass(slots=True)
class Call:
    sid: str
    order: CallOrder
    created_at: datetime
    updated_at: datetime
    number: int
    queue_ms: int = 0
    status: CallStatus = CallStatus.QUEUED
    seq: int = 0
    fate: Fate | None = None
    dialed_at: datetime | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: EndedBy | None = None
    sip_code: int | None = None
    answered_by: str | None = None
    amd_ms: int | None = None
    room: str | None = None
    joined_room_at: datetime | None = None
    company_since: datetime | None = None
    first_company_at: datetime | None = None
    talked_s: float = 0.0
    says: str = ""
    background: Background | None = None
    callbacks_fired: int = 0
    documents_fetched: int = 0
    document: Document | None = None
    timers: dict[str, Timer] = field(default_factory=dict)
    deliveries: list[Delivery] = field(default_factory=list)

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def client_identity(self) -> str | None:
        """The softphone's identity this call is placed to, if it is."""
        return self.order.to.removeprefix("client:") if self.order.to.startswith("client:") else None

    @property
    def is_agent_leg(self) -> bool:
        """A softphone, or a leg labelled so: whom the fault `agent_leg_drop` strikes."""
        label = self.order.room.label if self.order.room else None
        return self.client_identity is not None or self.order.from_softphone or label == "agent"

    def duration_s(self, now: datetime) -> float:
        """Seconds from the answer to the end (or to `now` while it lasts); 0 when never answered."""
        if self.answered_at is None:
            return 0.0
        return max(0.0, ((self.ended_at or now) - self.answered_at).total_seconds())

    def talking_s(self, now: datetime) -> float:
        """Seconds spent in a room with somebody who could speak."""
        running = (now - self.company_since).total_seconds() if self.company_since else 0.0
        return self.talked_s + max(0.0, running)

    def hears(self) -> dict[str, object] | None:
        """What is played to this leg alone: hold or wait music, an announcement, or its own TwiML."""
        if self.background is not None:
            return {
                "kind": self.background.kind,
                "url": self.background.url,
                "lines": list(self.background.lines),
            }
        return {"kind": "twiml", "url": None, "lines": [self.says]} if self.says else None

    def note_delivery(self, delivery: Delivery) -> None:
        if len(self.deliveries) < KEPT_DELIVERIES:
            self.deliveries.append(delivery)


@dataclass(slots=True)
class Participant:
    call_sid: str
    joined_at: datetime
    updated_at: datetime
    label: str | None = None
    muted: bool = False
    hold: bool = False
    coaching: bool = False
    call_sid_to_coach: str | None = None
    start_on_enter: bool = True
    end_on_exit: bool = False
    beep: str = "true"

    @property
    def only_listens(self) -> bool:
        """A monitor, or a coach the customer cannot hear: nobody to talk with."""
        return self.coaching or (self.muted and not self.start_on_enter)


@dataclass(slots=True)
class Conference:
    sid: str
    name: str
    created_at: datetime
    updated_at: datetime
    status: str = "init"
    participants: dict[str, Participant] = field(default_factory=dict)
    expected: dict[str, Participant] = field(default_factory=dict)
    """Participants the API is dialing in: listed, holding their label, but not in yet."""
    callback_url: str | None = None
    callback_method: str = "POST"
    callback_events: frozenset[str] = frozenset()
    callbacks_fired: int = 0
    max_participants: int = 250
    recording_order: RecordingOrder | None = None
    reason_ended: str | None = None
    ended_by_call: str | None = None

    @property
    def is_live(self) -> bool:
        return self.status != "completed"

    def labels(self) -> set[str]:
        """Labels that are taken."""
        people = [*self.participants.values(), *self.expected.values()]
        return {person.label for person in people if person.label}


@dataclass(slots=True)
class Recording:
    """Of a call or of a conference. `counted_s` is what was recorded before `running_since`."""

    sid: str
    order: RecordingOrder
    created_at: datetime
    updated_at: datetime
    call_sid: str | None
    conference_sid: str | None
    status: str = "in-progress"
    running_since: datetime | None = None
    counted_s: float = 0.0
    ended_at: datetime | None = None
    error_code: int | None = None

    @property
    def is_running(self) -> bool:
        """Still able to be paused, resumed and stopped."""
        return self.status in ("in-progress", "paused")

    def seconds(self, now: datetime) -> float:
        running = (now - self.running_since).total_seconds() if self.running_since else 0.0
        return self.counted_s + max(0.0, running)
