"""Rooms at Twilio (conferences), by the name we gave them: hold, mute, whisper, put out, end.

Twilio takes our name only where somebody is added to a room; to change a room it wants its own name for the
room's present life. That costs one request more, so names found are remembered until Twilio does not know
them any more.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

from callcenter.domain.enums import SupervisorMode
from callcenter.domain.ports import RoomAnswer
from callcenter.telephony.refusals import is_gone
from callcenter.telephony.twilio_calls import answer_of
from callcenter.telephony.twilio_http import Failure, Refused, ask
from callcenter.telephony.twilio_line import TwilioAccount, TwilioLine

KEPT_NAMES = 512
_LIVING = ("in-progress", "init")
"""A room is `init` while one leg waits in it; the more frequent state is looked for first."""


class _Names:
    """Twilio's names of rooms, the least recently used forgotten first. Threads may share it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, room: str) -> str | None:
        with self._lock:
            if room in self._kept:
                self._kept.move_to_end(room)
            return self._kept.get(room)

    def keep(self, room: str, sid: str) -> None:
        with self._lock:
            self._kept[room] = sid
            self._kept.move_to_end(room)
            while len(self._kept) > KEPT_NAMES:
                self._kept.popitem(last=False)

    def drop(self, room: str) -> None:
        with self._lock:
            self._kept.pop(room, None)


class TwilioRooms(TwilioLine):
    """The rooms of `domain.ports.Carrier`. `room` is our name, `ref` the call whose leg is meant."""

    def __init__(self, account: TwilioAccount) -> None:
        super().__init__(account)
        self._names = _Names()

    def hold(self, room: str, ref: str, language: str) -> RoomAnswer:
        """Put a leg on hold. What it hears is asked of us by POST, as everything else; Twilio's default is GET."""
        return self._change(room, ref, hold=True, hold_url=self._urls.hold(language), hold_method="POST")

    def unhold(self, room: str, ref: str) -> RoomAnswer:
        """Take a leg off hold."""
        return self._change(room, ref, hold=False)

    def mute(self, room: str, ref: str, muted: bool) -> RoomAnswer:
        """Silence a leg to all others, or let it be heard again."""
        return self._change(room, ref, muted=muted)

    def set_mode(self, room: str, ref: str, mode: SupervisorMode, agent_ref: str) -> RoomAnswer:
        """Change how a supervisor takes part in one request: unmuting first would let the customer hear."""
        changes: dict[SupervisorMode, dict[str, Any]] = {
            SupervisorMode.MONITOR: {"muted": True, "coaching": False},
            SupervisorMode.WHISPER: {"muted": False, "coaching": True, "call_sid_to_coach": agent_ref},
            SupervisorMode.BARGE: {"muted": False, "coaching": False},
        }
        return self._change(room, ref, **changes[mode])

    def remove(self, room: str, ref: str) -> RoomAnswer:
        """Put a leg out of a room; as nothing follows the room in its instructions, its call ends."""
        return self._in_room(room, lambda sid: self._client.conferences(sid).participants(ref).delete())

    def end_room(self, room: str) -> RoomAnswer:
        """End a room and every leg in it. A remembered name will not do: ending a past life of the room
        succeeds at Twilio and changes nothing."""
        self._names.drop(room)
        return self._in_room(room, lambda sid: self._client.conferences(sid).update(status="completed"))

    def _change(self, room: str, ref: str, **changes: Any) -> RoomAnswer:
        return self._in_room(
            room, lambda sid: self._client.conferences(sid).participants(ref).update(**changes)
        )

    def _in_room(self, room: str, act: Callable[[str], object]) -> RoomAnswer:
        """Do something in the room's present life.

        A remembered name may be that of a past life, which Twilio answers with "no such thing", having done
        nothing: then, and only then, the name is looked up anew and the wish put once more.
        """
        remembered = self._names.get(room)
        if remembered:
            done = ask(lambda: act(remembered))
            if not (isinstance(done, Refused) and is_gone(done)):
                return answer_of(done)
            self._names.drop(room)
        sid = self._look_up(room)
        if isinstance(sid, Failure):
            return answer_of(sid)
        if sid is None:
            return RoomAnswer.GONE
        self._names.keep(room, sid)
        return RoomAnswer.GONE if sid == remembered else answer_of(ask(lambda: act(sid)))

    def _look_up(self, room: str) -> str | Failure | None:
        """Twilio's name for the room's present life; None when there is no such room now."""
        for status in _LIVING:
            found = ask(partial(self._client.conferences.list, friendly_name=room, status=status, limit=1))
            if isinstance(found, Failure):
                return found
            if found:
                return str(found[0].sid)
        return None
