"""The simulator's books: every call, room and number plan it knows, in memory, behind one lock.

Nothing here decides anything; `exchange` and `rooms` write, the REST and control faces read.
Every change of a call gives it the next sequence number, so a client can follow changes by polling.
"""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from .outcomes import Fate, NumberPlan
from .timers import Timer
from .twiml import Step


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


@dataclass(slots=True)
class Document:
    """The TwiML a call is running. A new document replaces the object, so late answers find it stale."""

    url: str | None
    method: str = "POST"
    steps: list[Step] = field(default_factory=list)
    dialing: Step | None = None
    is_fallback: bool = False


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
    room: str | None = None
    joined_room_at: datetime | None = None
    company_since: datetime | None = None
    first_company_at: datetime | None = None
    talked_s: float = 0.0
    callbacks_fired: int = 0
    documents_fetched: int = 0
    document: Document | None = None
    timers: dict[str, Timer] = field(default_factory=dict)

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    def duration_s(self, now: datetime) -> float:
        """Seconds from the answer to the end (or to `now` while it lasts); 0 when never answered."""
        if self.answered_at is None:
            return 0.0
        return max(0.0, ((self.ended_at or now) - self.answered_at).total_seconds())

    def talking_s(self, now: datetime) -> float:
        """Seconds spent in a room with somebody who could speak."""
        running = (now - self.company_since).total_seconds() if self.company_since else 0.0
        return self.talked_s + running


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
    callback_url: str | None = None
    callback_method: str = "POST"
    callback_events: frozenset[str] = frozenset()
    callbacks_fired: int = 0
    reason_ended: str | None = None
    ended_by_call: str | None = None


def wall_clock() -> datetime:
    """The real time, UTC."""
    return datetime.now(UTC)


class Books:
    """All state. Hold `lock` while reading or writing more than one value."""

    def __init__(self, kept_calls: int, clock: Callable[[], datetime] = wall_clock) -> None:
        self.lock = threading.RLock()
        self.now = clock
        self.calls: dict[str, Call] = {}
        self.conferences: dict[str, Conference] = {}
        self.number_plans: dict[str, NumberPlan] = {}
        self.seq = 0
        self._kept_calls = kept_calls
        self._by_change: OrderedDict[str, Call] = OrderedDict()
        self._live_rooms: dict[str, Conference] = {}
        self._calls_made = 0

    def open_call(self, order: CallOrder, queue_ms: int) -> Call:
        """Write a new queued call. Sids are never seeded: a restarted simulator must not reuse one."""
        now = self.now()
        self._calls_made += 1
        call = Call(f"CA{uuid.uuid4().hex}", order, now, now, self._calls_made, queue_ms)
        self.calls[call.sid] = call
        self.touch(call)
        self._forget_oldest()
        return call

    def touch(self, call: Call) -> None:
        """Note that this call changed just now."""
        self.seq += 1
        call.seq = self.seq
        call.updated_at = self.now()
        self._by_change[call.sid] = call
        self._by_change.move_to_end(call.sid)

    def calls_changed_after(self, seq: int) -> list[Call]:
        """Calls changed since `seq`, oldest change first."""
        changed: list[Call] = []
        for call in reversed(self._by_change.values()):
            if call.seq <= seq:
                break
            changed.append(call)
        changed.reverse()
        return changed

    def calls_newest_first(self) -> Iterator[Call]:
        return reversed(self.calls.values())

    def open_room(self, name: str) -> Conference:
        """The live conference of that name, or a new one."""
        if name not in self._live_rooms:
            now = self.now()
            room = Conference(f"CF{uuid.uuid4().hex}", name, now, now)
            self.conferences[room.sid] = room
            self._live_rooms[name] = room
        return self._live_rooms[name]

    def close_room(self, room: Conference) -> None:
        self._live_rooms.pop(room.name, None)

    def find_room(self, sid_or_name: str) -> Conference | None:
        """By sid, or by name while it lives."""
        return self.conferences.get(sid_or_name) or self._live_rooms.get(sid_or_name)

    def _forget_oldest(self) -> None:
        if len(self.calls) <= self._kept_calls:
            return
        oldest = next(iter(self.calls.values()))
        if not oldest.is_live:
            del self.calls[oldest.sid]
            del self._by_change[oldest.sid]
