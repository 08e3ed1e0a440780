"""Conferences of the Twilio face: fetch, list, end; their participants: dial in, fetch, list, update, remove."""

from dataclasses import replace
from typing import Any

from werkzeug.wrappers import Request, Response

from .exchange import Exchange
from .records import Conference, Participant, RecordingOrder
from .rest_calls import Placing, Window
from .rest_forms import Form, flag, listed, participant_order, recording_callback, seconds, url_of
from .rest_shapes import (
    RestError,
    conference_json,
    deleted_response,
    json_response,
    page_response,
    participant_json,
)
from .rooms import VIA_API, Changes
from .twiml import RoomEntry, method_of
from .world import World

MAX_LABEL = 128


class ConferenceResource:
    def __init__(self, world: World, exchange: Exchange, placing: Placing) -> None:
        self._world = world
        self._exchange = exchange
        self._placing = placing
        self._account = world.settings.account_sid

    def fetch(self, _request: Request, sid: str) -> Response:
        with self._world.books.lock:
            return json_response(conference_json(self.find(sid), self._account))

    def list(self, request: Request) -> Response:
        asked, books = request.args, self._world.books
        created, updated = Window(request, "DateCreated"), Window(request, "DateUpdated")
        with books.lock:
            rooms = [
                room
                for room in reversed(books.conferences.values())
                if asked.get("FriendlyName", room.name) == room.name
                and asked.get("Status", room.status) == room.status
                and created.holds(room.created_at)
                and updated.holds(room.updated_at)
            ]
            return page_response(
                request,
                "conferences",
                rooms,
                lambda room: room.sid,
                lambda room: conference_json(room, self._account),
            )

    def update(self, request: Request, sid: str) -> Response:
        form = request.form
        announce_url = url_of(form, "AnnounceUrl")
        if form.get("Status") not in (None, "", "completed"):
            raise RestError(400, 20001, "Status must be completed")
        with self._world.books.lock:
            room = self.find(sid)
            if form.get("Status") == "completed":
                self._exchange.rooms.end(room)
            elif announce_url:
                for person in room.participants.values():
                    method = method_of(form.get("AnnounceMethod"))
                    self._exchange.rooms.say_to(room, person, announce_url, method)
            return json_response(conference_json(room, self._account))

    def create_participant(self, request: Request, sid: str) -> Response:
        """Dial somebody straight into a room, which the first such request may name into being."""
        order = participant_order(request, self._placing.ignored)
        with self._world.books.lock:
            known = self._world.books.find_room(sid)
            if known is None and sid.startswith("CF") and len(sid) == 34:
                raise RestError(404, 20404, f"The requested resource Conferences/{sid} was not found")
            name = known.name if known is not None and known.is_live else sid
            entry = _entry(request.form, name)
            self._check_entry(known, entry)
            call = self._placing.place(replace(order, room=entry))
            room = self._world.books.open_room(name)
            person = room.expected.get(call.sid) or room.participants[call.sid]
            if (
                request.form.get("ConferenceRecord") in ("true", "record-from-start")
                and room.status == "init"
            ):
                told = recording_callback(request.form, "ConferenceRecording")
                room.recording_order = room.recording_order or RecordingOrder("Conference", callback=told)
            shown = self._shown(person, room) | {"status": "queued", "queue_time": str(call.queue_ms)}
        self._placing.let_callback_win(call)
        return json_response(shown, 201)

    def list_participants(self, request: Request, sid: str) -> Response:
        asked = {name: flag(request.args, name) for name in ("Muted", "Hold", "Coaching")}
        with self._world.books.lock:
            room = self.find(sid)
            people = [
                person
                for person in [*room.participants.values(), *room.expected.values()]
                if asked["Muted"] in (None, person.muted)
                and asked["Hold"] in (None, person.hold)
                and asked["Coaching"] in (None, person.coaching)
            ]
            return page_response(
                request,
                "participants",
                people,
                lambda person: person.call_sid,
                lambda person: self._shown(person, room),
            )

    def fetch_participant(self, _request: Request, sid: str, who: str) -> Response:
        with self._world.books.lock:
            room, person = self._find_person(sid, who)
            return json_response(self._shown(person, room))

    def update_participant(self, request: Request, sid: str, who: str) -> Response:
        form = request.form
        announce_url = url_of(form, "AnnounceUrl")
        with self._world.books.lock:
            room, person = self._find_person(sid, who)
            if person.call_sid in room.expected:
                raise RestError(400, 20001, "The participant has not joined yet")
            self._exchange.rooms.update(room, person, self._changes(form, room, person))
            if announce_url:
                method = method_of(form.get("AnnounceMethod"))
                self._exchange.rooms.say_to(room, person, announce_url, method)
            return json_response(self._shown(person, room))

    def remove_participant(self, _request: Request, sid: str, who: str) -> Response:
        """The leg leaves the room and runs on after its `<Dial>`, which as a rule ends it."""
        with self._world.books.lock:
            _, person = self._find_person(sid, who)
            call = self._world.books.calls[person.call_sid]
            self._exchange.rooms.leave(call, VIA_API, kicked=True, resume=True)
        return deleted_response()

    def find(self, sid: str) -> Conference:
        room = self._world.books.find_room(sid)
        if room is None:
            raise RestError(404, 20404, f"The requested resource Conferences/{sid} was not found")
        return room

    def _changes(self, form: Form, room: Conference, person: Participant) -> Changes:
        coaching, coached_sid = flag(form, "Coaching"), form.get("CallSidToCoach") or None
        if coached_sid is not None:
            coached = room.participants.get(coached_sid)
            if coached is None:
                raise RestError(400, 13240, "CallSidToCoach is not in this conference")
            if coached.hold:
                raise RestError(400, 16027, "The coached participant is on hold")
        elif coaching and person.call_sid_to_coach is None:
            raise RestError(400, 20001, "CallSidToCoach is required to coach")
        return Changes(
            muted=flag(form, "Muted"),
            hold=flag(form, "Hold"),
            hold_url=url_of(form, "HoldUrl"),
            hold_method=method_of(form.get("HoldMethod")),
            coaching=coaching,
            call_sid_to_coach=coached_sid,
            end_on_exit=flag(form, "EndConferenceOnExit"),
            beep_on_exit=flag(form, "BeepOnExit"),
        )

    def _check_entry(self, room: Conference | None, entry: RoomEntry) -> None:
        if room is None or not room.is_live:
            return
        if entry.label and entry.label in room.labels():
            raise RestError(400, 16026, "Participant label is already in use in this conference")
        if len(room.participants) + len(room.expected) >= room.max_participants:
            raise RestError(400, 16020, "The conference is full")
        if entry.coach and entry.coach not in room.participants:
            raise RestError(400, 13240, "CallSidToCoach is not in this conference")
        if entry.coach and room.participants[entry.coach].hold:
            raise RestError(400, 16027, "The coached participant is on hold")

    def _find_person(self, sid: str, who: str) -> tuple[Conference, Participant]:
        """By call sid or by label."""
        room = self.find(sid)
        for person in [*room.participants.values(), *room.expected.values()]:
            if who in (person.call_sid, person.label):
                return room, person
        raise RestError(404, 20404, f"The requested resource Participants/{who} was not found")

    def _shown(self, person: Participant, room: Conference) -> dict[str, Any]:
        call = self._world.books.calls[person.call_sid]
        return participant_json(person, room, self._account, call.status)


def _entry(form: Form, name: str) -> RoomEntry:
    label = form.get("Label") or None
    if label and (len(label) > MAX_LABEL or "/" in label or (label.startswith("CA") and len(label) == 34)):
        raise RestError(400, 20001, "Label is at most 128 characters, without / and not a call's sid")
    coach = form.get("CallSidToCoach") or None
    if flag(form, "Coaching") and coach is None:
        raise RestError(400, 20001, "CallSidToCoach is required to coach")
    if form.get("Beep") not in (None, "", "true", "false", "onEnter", "onExit"):
        raise RestError(400, 20001, "Beep must be true, false, onEnter or onExit")
    return RoomEntry(
        name=name,
        muted=flag(form, "Muted") is True,
        start_on_enter=flag(form, "StartConferenceOnEnter") is not False,
        end_on_exit=flag(form, "EndConferenceOnExit") is True,
        beep=form.get("Beep") or "true",
        label=label,
        coach=coach if flag(form, "Coaching") else None,
        wait_url=form.get("WaitUrl"),
        wait_method=method_of(form.get("WaitMethod")),
        max_participants=seconds(form, "MaxParticipants", 250, 250),
        callback_url=url_of(form, "ConferenceStatusCallback"),
        callback_method=method_of(form.get("ConferenceStatusCallbackMethod")),
        callback_events=listed(form, "ConferenceStatusCallbackEvent"),
    )
