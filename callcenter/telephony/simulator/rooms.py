"""Conferences: who is in, when they start and end, who can talk with whom, and what a held leg hears.

A room begins with its first entry, starts when two are in and one of them has startConferenceOnEnter, and
ends when the last leaves, when somebody with endConferenceOnExit leaves, or by the API. Only the first
participant's status callback counts. Call every method under the books' lock.
"""

from collections.abc import Callable
from dataclasses import dataclass

from .background import ANNOUNCEMENT, Backgrounds
from .callbacks import announce_room, left_params
from .recordings import Recorder
from .records import Call, Conference, EndedBy, Params, Participant, RecordingOrder
from .twiml import RoomEntry
from .world import World

ALERT_COACH_GONE, ALERT_LABEL_TAKEN, ALERT_ROOM_FULL = 13240, 16026, 16020
HUNG_UP, VIA_API, ADD_FAILED = "participant_hung_up", "participant_updated_via_api", "participant_add_failed"


@dataclass(frozen=True, slots=True)
class Changes:
    """One update of a participant; None leaves a value as it is."""

    muted: bool | None = None
    hold: bool | None = None
    hold_url: str | None = None
    hold_method: str = "POST"
    coaching: bool | None = None
    call_sid_to_coach: str | None = None
    end_on_exit: bool | None = None
    beep_on_exit: bool | None = None


class Rooms:
    """`on_left(call)` runs when a living call is put out of a room or never got in; `on_company(call)` when
    somebody to talk with came or went."""

    def __init__(
        self,
        world: World,
        recorder: Recorder,
        on_left: Callable[[Call], None],
        on_company: Callable[[Call], None],
    ) -> None:
        self._world = world
        self._recorder = recorder
        self._on_left = on_left
        self._on_company = on_company
        self._backgrounds = Backgrounds(world)

    def expect(self, call: Call, entry: RoomEntry) -> Conference:
        """The API dials somebody in: the room exists and the label is taken from now on."""
        room = self._open(entry)
        room.expected[call.sid] = self._participant(call, entry)
        call.room = room.name
        return room

    def join(self, call: Call, entry: RoomEntry) -> None:
        """Put an answered call into the room of that name, made if need be; else it runs on after its Dial."""
        books = self._world.books
        room = self._open(entry)
        room.expected.pop(call.sid, None)
        refusal = self._refusal(room, entry)
        if refusal is not None:
            self._world.journal.alert(*refusal, call.sid)
            call.room = None
            self._close_if_empty(room, "last-participant-left", call.sid)
            self._on_left(call)
            return
        person = self._participant(call, entry)
        now = person.joined_at
        room.participants[call.sid] = person
        call.room, call.joined_room_at = room.name, call.joined_room_at or now
        books.touch(call)
        announce_room(self._world, room, "participant-join", person)
        self._start_if_ready(room)
        if room.status == "init":
            self._backgrounds.play(call, room, "wait", entry.wait_url, entry.wait_method)
        room.updated_at = now
        self._settle_company(room)

    def leave(self, call: Call, reason: str, *, kicked: bool = False, resume: bool = False) -> None:
        """Take a call out of its room; nothing happens when it is in none."""
        room = self._room_of(call)
        if room is None:
            return
        if call.sid in room.expected:
            self._give_up(room, call)
            return
        person = self._put_out(room, call, reason)
        how = "kicked" if kicked else "left"
        if person.end_on_exit:
            self._finish(room, f"participant-with-end-conference-on-exit-{how}", call.sid)
        elif not self._close_if_empty(room, f"last-participant-{how}", call.sid):
            self._settle_company(room)
        if resume:
            self._on_left(call)

    def end(self, room: Conference) -> None:
        """End it by the API; ending an ended room changes nothing."""
        if room.is_live:
            self._finish(room, "conference-ended-via-api", None)

    def update(self, room: Conference, person: Participant, changes: Changes) -> None:
        """Apply all of it at once, then report each kind of change: nothing is heard half-way."""
        before = (person.muted, person.hold, person.coaching, person.call_sid_to_coach)
        # Twilio silently keeps endConferenceOnExit as it was while the participant is on hold.
        if changes.end_on_exit is not None and not person.hold:
            person.end_on_exit = changes.end_on_exit
        if changes.beep_on_exit is not None:
            person.beep = "true" if changes.beep_on_exit else "onEnter"
        person.muted = person.muted if changes.muted is None else changes.muted
        person.hold = person.hold if changes.hold is None else changes.hold
        person.coaching = person.coaching if changes.coaching is None else changes.coaching
        person.call_sid_to_coach = changes.call_sid_to_coach or person.call_sid_to_coach
        if not person.coaching:
            person.call_sid_to_coach = None
        person.updated_at = self._world.books.now()
        self._change_hold(room, person, changes)
        if person.muted != before[0]:
            self._tell(room, person, "participant-mute" if person.muted else "participant-unmute")
        if person.hold != before[1]:
            self._tell(room, person, "participant-hold" if person.hold else "participant-unhold")
        if (person.coaching, person.call_sid_to_coach) != before[2:]:
            self._tell(room, person, "participant-modify")
        self._settle_company(room)

    def say_to(self, room: Conference, person: Participant, url: str, method: str) -> None:
        """Announce to one participant what the document at `url` says."""
        call = self._world.books.calls[person.call_sid]
        self._backgrounds.play(call, room, ANNOUNCEMENT, url, method)

    def _tell(self, room: Conference, person: Participant, event: str) -> None:
        announce_room(self._world, room, event, person)

    def _change_hold(self, room: Conference, person: Participant, changes: Changes) -> None:
        call = self._world.books.calls[person.call_sid]
        if changes.hold:
            self._backgrounds.play(call, room, "hold", changes.hold_url, changes.hold_method)
        elif changes.hold is False:
            self._backgrounds.silence(call)

    def _open(self, entry: RoomEntry) -> Conference:
        room = self._world.books.open_room(entry.name)
        is_first = not room.participants and not room.expected and not room.callbacks_fired
        if is_first and room.callback_url is None:
            room.callback_url = entry.callback_url
            room.callback_method = entry.callback_method
            room.callback_events = entry.callback_events
            room.max_participants = entry.max_participants
        if entry.is_recorded and room.recording_order is None and room.status == "init":
            room.recording_order = RecordingOrder("Conference", callback=entry.recording)
        return room

    def _participant(self, call: Call, entry: RoomEntry) -> Participant:
        now = self._world.books.now()
        return Participant(
            call.sid,
            now,
            now,
            entry.label,
            entry.muted,
            coaching=bool(entry.coach),
            call_sid_to_coach=entry.coach or None,
            start_on_enter=entry.start_on_enter,
            end_on_exit=entry.end_on_exit,
            beep=entry.beep,
        )

    def _refusal(self, room: Conference, entry: RoomEntry) -> tuple[int, str] | None:
        if len(room.participants) >= room.max_participants:
            return ALERT_ROOM_FULL, "the conference is full"
        if entry.label and entry.label in room.labels():
            return ALERT_LABEL_TAKEN, "the participant label is in use in this conference"
        if entry.coach:
            coached = self._world.books.calls.get(entry.coach)
            if coached is None or not coached.is_live:
                return ALERT_COACH_GONE, "coach names a call that does not live"
        return None

    def _start_if_ready(self, room: Conference) -> None:
        can_start = any(each.start_on_enter for each in room.participants.values())
        if room.status != "init" or len(room.participants) < 2 or not can_start:
            return
        room.status = "in-progress"
        for sid in room.participants:
            self._backgrounds.silence(self._world.books.calls[sid])
        announce_room(self._world, room, "conference-start")
        if room.recording_order is not None:
            self._recorder.start(room.recording_order, room=room)

    def _room_of(self, call: Call) -> Conference | None:
        return self._world.books.find_room(call.room) if call.room else None

    def _give_up(self, room: Conference, call: Call) -> None:
        """Who was being dialed in will not come."""
        person = room.expected.pop(call.sid)
        call.room = None
        announce_room(self._world, room, "participant-leave", person, left_params(call, ADD_FAILED))
        self._close_if_empty(room, "last-participant-left", call.sid)

    def _put_out(self, room: Conference, call: Call, reason: str) -> Participant:
        person = room.participants.pop(call.sid)
        self._settle_call(call, has_company=False)
        call.room = None
        self._backgrounds.silence(call)
        room.updated_at = self._world.books.now()
        self._world.books.touch(call)
        announce_room(self._world, room, "participant-leave", person, left_params(call, reason))
        return person

    def _close_if_empty(self, room: Conference, reason: str, by_call: str) -> bool:
        if room.participants or room.expected or not room.is_live:
            return False
        self._finish(room, reason, by_call)
        return True

    def _finish(self, room: Conference, reason: str, by_call: str | None) -> None:
        books = self._world.books
        why = "conference_ended_via_api" if by_call is None else "moderator_ended_conference"
        ejected = [books.calls[sid] for sid in room.participants]
        for call in ejected:
            self._put_out(room, call, why)
        awaited = [books.calls[sid] for sid in room.expected]
        room.expected.clear()
        for call in awaited:
            call.room = None
        room.status, room.reason_ended, room.ended_by_call = "completed", reason, by_call
        room.updated_at = books.now()
        books.close_room(room)
        self._recorder.stop_all(room.sid)
        extra: Params = [("ReasonConferenceEnded", reason)]
        if by_call:
            extra.append(("CallSidEndingConference", by_call))
        announce_room(self._world, room, "conference-end", None, extra)
        for call in ejected + awaited:
            self._on_left(call)

    def _settle_company(self, room: Conference) -> None:
        """A held leg talks with nobody, and nobody talks with it."""
        people = room.participants.values()
        speaking = [each for each in people if not each.only_listens and not each.hold]
        for person in people:
            company = room.status == "in-progress" and any(other is not person for other in speaking)
            self._settle_call(
                self._world.books.calls[person.call_sid], has_company=company and not person.hold
            )

    def _settle_call(self, call: Call, *, has_company: bool) -> None:
        now = self._world.books.now()
        if has_company == (call.company_since is not None):
            return
        if has_company:
            call.company_since = now
            call.first_company_at = call.first_company_at or now
        elif call.company_since is not None:
            call.talked_s += max(0.0, (now - call.company_since).total_seconds())
            call.company_since = None
        self._world.books.touch(call)
        self._on_company(call)


def reason_of(by: EndedBy) -> str:
    """How a leg that ended is said to have left its room."""
    return HUNG_UP if by is EndedBy.CUSTOMER else VIA_API
