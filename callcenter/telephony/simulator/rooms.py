"""Conferences: who is in, when they start and end, and who can talk with whom.

A room begins with its first entry, starts when two are in and one of them has startConferenceOnEnter, and
ends when the last leaves, when somebody with endConferenceOnExit leaves, or by the API. Only the first
participant's status callback counts. Call every method under the books' lock.
"""

from collections.abc import Callable

from .books import Call, Conference, Participant
from .callbacks import Params, announce_room, left_params
from .twiml import RoomEntry
from .world import World


class Rooms:
    """`on_left(call)` runs when a living call is put out of a room; `on_company(call)` when somebody to talk
    with came or went."""

    def __init__(
        self, world: World, on_left: Callable[[Call], None], on_company: Callable[[Call], None]
    ) -> None:
        self._world = world
        self._on_left = on_left
        self._on_company = on_company

    def join(self, call: Call, entry: RoomEntry) -> None:
        """Put an answered call into the room of that name, made if need be."""
        books = self._world.books
        room, now = books.open_room(entry.name), books.now()
        if not room.participants and not room.callbacks_fired and room.callback_url is None:
            room.callback_url = entry.callback_url
            room.callback_method = entry.callback_method
            room.callback_events = entry.callback_events
        person = Participant(
            call.sid, now, now, entry.label, entry.muted, start_on_enter=entry.start_on_enter
        )
        person.end_on_exit = entry.end_on_exit
        self._coach(person, entry.coach)
        room.participants[call.sid] = person
        call.room, call.joined_room_at = room.name, call.joined_room_at or now
        books.touch(call)
        announce_room(self._world, room, "participant-join", person)
        can_start = any(each.start_on_enter for each in room.participants.values())
        if room.status == "init" and len(room.participants) >= 2 and can_start:
            room.status = "in-progress"
            announce_room(self._world, room, "conference-start")
        room.updated_at = now
        self._settle_company(room)

    def leave(self, call: Call, reason: str, *, kicked: bool = False, resume: bool = False) -> None:
        """Take a call out of its room; nothing happens when it is in none."""
        room = self._room_of(call)
        if room is None:
            return
        person = self._put_out(room, call, reason)
        if person.end_on_exit:
            how = "kicked" if kicked else "left"
            self._finish(room, f"participant-with-end-conference-on-exit-{how}", call.sid)
        elif not room.participants:
            self._finish(room, f"last-participant-{'kicked' if kicked else 'left'}", call.sid)
        else:
            self._settle_company(room)
        if resume:
            self._on_left(call)

    def end(self, room: Conference) -> None:
        """End it by the API; ending an ended room changes nothing."""
        if room.status != "completed":
            self._finish(room, "conference-ended-via-api", None)

    def update(self, room: Conference, person: Participant, changes: dict[str, bool | str | None]) -> None:
        """Apply Muted, Hold, Coaching, CallSidToCoach, EndConferenceOnExit in one go and report each kind."""
        before = (person.muted, person.hold, person.coaching, person.call_sid_to_coach)
        for name, value in changes.items():
            # Twilio silently keeps endConferenceOnExit as it was while the participant is on hold.
            if name == "end_on_exit" and person.hold:
                continue
            setattr(person, name, value)
        if not person.coaching:
            person.call_sid_to_coach = None
        person.updated_at = self._world.books.now()
        if person.muted != before[0]:
            announce_room(
                self._world, room, "participant-mute" if person.muted else "participant-unmute", person
            )
        if person.hold != before[1]:
            announce_room(
                self._world, room, "participant-hold" if person.hold else "participant-unhold", person
            )
        if (person.coaching, person.call_sid_to_coach) != before[2:]:
            announce_room(self._world, room, "participant-modify", person)
        self._settle_company(room)

    def _coach(self, person: Participant, coached_sid: str | None) -> None:
        if not coached_sid:
            return
        coached = self._world.books.calls.get(coached_sid)
        if coached is None or not coached.is_live:
            self._world.journal.alert(13240, "coach names a call that does not live", person.call_sid)
            return
        person.coaching, person.call_sid_to_coach = True, coached_sid

    def _room_of(self, call: Call) -> Conference | None:
        return self._world.books.find_room(call.room) if call.room else None

    def _put_out(self, room: Conference, call: Call, reason: str) -> Participant:
        person = room.participants.pop(call.sid)
        self._settle_call(call, has_company=False)
        call.room = None
        room.updated_at = self._world.books.now()
        self._world.books.touch(call)
        announce_room(self._world, room, "participant-leave", person, left_params(call, reason))
        return person

    def _finish(self, room: Conference, reason: str, by_call: str | None) -> None:
        books = self._world.books
        why = "conference_ended_via_api" if by_call is None else "moderator_ended_conference"
        ejected = [books.calls[sid] for sid in room.participants]
        for call in ejected:
            self._put_out(room, call, why)
        room.status, room.reason_ended, room.ended_by_call = "completed", reason, by_call
        room.updated_at = books.now()
        books.close_room(room)
        extra: Params = [("ReasonConferenceEnded", reason)]
        if by_call:
            extra.append(("CallSidEndingConference", by_call))
        announce_room(self._world, room, "conference-end", None, extra)
        for call in ejected:
            self._on_left(call)

    def _settle_company(self, room: Conference) -> None:
        people = room.participants.values()
        for person in people:
            others = (other for other in people if other is not person and not other.only_listens)
            company = room.status == "in-progress" and any(others)
            self._settle_call(self._world.books.calls[person.call_sid], has_company=company)

    def _settle_call(self, call: Call, *, has_company: bool) -> None:
        now = self._world.books.now()
        if has_company == (call.company_since is not None):
            return
        if has_company:
            call.company_since = now
            call.first_company_at = call.first_company_at or now
        elif call.company_since is not None:
            call.talked_s += (now - call.company_since).total_seconds()
            call.company_since = None
        self._world.books.touch(call)
        self._on_company(call)
