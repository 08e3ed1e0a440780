"""The simulator's books: every call, room, recording and number plan it knows, in memory, behind one lock.

Nothing here decides anything; `exchange`, `rooms` and `recordings` write, the REST and control faces read.
Every change of a call gives it the next sequence number, so a client can follow changes by polling. Only
so many ended calls, rooms and recordings are kept: memory stays flat.
"""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator, MutableMapping
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

from .outcomes import Campaign, NumberPlan
from .records import Call, CallOrder, Conference, Recording, RecordingOrder

Kept = TypeVar("Kept", Call, Conference, Recording)
LOOKED_AT = 64


def wall_clock() -> datetime:
    """The real time, UTC."""
    return datetime.now(UTC)


class Books:
    """All state. Hold `lock` while reading or writing more than one value."""

    def __init__(self, kept_calls: int, clock: Callable[[], datetime] = wall_clock) -> None:
        self.lock = threading.RLock()
        self.now = clock
        self.calls: dict[str, Call] = {}
        self.live: dict[str, Call] = {}
        self.conferences: dict[str, Conference] = {}
        self.recordings: dict[str, Recording] = {}
        self.number_plans: dict[str, NumberPlan] = {}
        self.campaigns: dict[str, Campaign] = {}
        self.seq = 0
        self._kept = kept_calls
        self._by_change: OrderedDict[str, Call] = OrderedDict()
        self._by_number: dict[str, dict[str, Call]] = {}
        self._live_rooms: dict[str, Conference] = {}
        self._calls_made = 0

    def open_call(self, order: CallOrder, queue_ms: int) -> Call:
        """Write a new queued call. Sids are never seeded: a restarted simulator must not reuse one."""
        now = self.now()
        self._calls_made += 1
        call = Call(f"CA{uuid.uuid4().hex}", order, now, now, self._calls_made, queue_ms)
        self.calls[call.sid] = self.live[call.sid] = call
        self._by_number.setdefault(order.to, {})[call.sid] = call
        self.touch(call)
        for gone in _forget(self.calls, self._kept, lambda old: not old.is_live):
            self._by_change.pop(gone.sid, None)
            same_number = self._by_number[gone.order.to]
            del same_number[gone.sid]
            if not same_number:
                del self._by_number[gone.order.to]
        return call

    def close_call(self, call: Call) -> None:
        """It has ended; it stays readable until it is forgotten."""
        self.live.pop(call.sid, None)
        self.touch(call)

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

    def calls_newest_first(self, to: str | None = None) -> Iterator[Call]:
        """All kept calls, or those to one number."""
        return reversed((self.calls if to is None else self._by_number.get(to, {})).values())

    def open_room(self, name: str) -> Conference:
        """The live conference of that name, or a new one."""
        if name not in self._live_rooms:
            now = self.now()
            room = Conference(f"CF{uuid.uuid4().hex}", name, now, now)
            self.conferences[room.sid] = room
            self._live_rooms[name] = room
            _forget(self.conferences, self._kept, lambda old: not old.is_live)
        return self._live_rooms[name]

    def close_room(self, room: Conference) -> None:
        self._live_rooms.pop(room.name, None)

    def live_rooms(self) -> list[Conference]:
        return list(self._live_rooms.values())

    def find_room(self, sid_or_name: str) -> Conference | None:
        """By sid, or by name while it lives."""
        return self.conferences.get(sid_or_name) or self._live_rooms.get(sid_or_name)

    def open_recording(
        self, order: RecordingOrder, call_sid: str | None, conference_sid: str | None
    ) -> Recording:
        """Write a recording that runs from now on."""
        now = self.now()
        made = Recording(f"RE{uuid.uuid4().hex}", order, now, now, call_sid, conference_sid)
        made.running_since = now
        self.recordings[made.sid] = made
        _forget(self.recordings, self._kept, lambda old: not old.is_running)
        return made

    def recordings_of(self, sid: str) -> list[Recording]:
        """Of a call or a conference, newest first."""
        found = self.recordings.values()
        return [each for each in reversed(found) if sid in (each.call_sid, each.conference_sid)]


def _forget(kept: MutableMapping[str, Kept], most: int, is_over: Callable[[Kept], bool]) -> list[Kept]:
    """Drop the oldest that are over. A few that live for hours at the front do not hold up the others."""
    surplus = len(kept) - most
    if surplus <= 0:
        return []
    gone = [old for old in islice(kept.values(), surplus + LOOKED_AT) if is_over(old)][:surplus]
    for old in gone:
        del kept[old.sid]
    return gone
