"""Conferences of the Twilio face: fetch, list, end; their participants: fetch, list, update, remove."""

from werkzeug.wrappers import Request, Response

from .books import Conference, Participant
from .exchange import Exchange
from .rest_shapes import RestError, conference_json, json_response, page_response, participant_json
from .world import World

FLAGS = {
    "Muted": "muted",
    "Hold": "hold",
    "Coaching": "coaching",
    "EndConferenceOnExit": "end_on_exit",
}


class ConferenceResource:
    def __init__(self, world: World, exchange: Exchange) -> None:
        self._world = world
        self._exchange = exchange
        self._account = world.settings.account_sid

    def fetch(self, _request: Request, sid: str) -> Response:
        with self._world.books.lock:
            return json_response(conference_json(self._find(sid), self._account))

    def list(self, request: Request) -> Response:
        asked, books = request.args, self._world.books
        with books.lock:
            rooms = [
                room
                for room in reversed(books.conferences.values())
                if asked.get("FriendlyName", room.name) == room.name
                and asked.get("Status", room.status) == room.status
            ]
            return page_response(
                request,
                "conferences",
                rooms,
                lambda room: room.sid,
                lambda room: conference_json(room, self._account),
            )

    def update(self, request: Request, sid: str) -> Response:
        with self._world.books.lock:
            room = self._find(sid)
            if request.form.get("Status") == "completed":
                self._exchange.rooms.end(room)
            return json_response(conference_json(room, self._account))

    def list_participants(self, request: Request, sid: str) -> Response:
        with self._world.books.lock:
            room, asked = self._find(sid), request.args
            people = [
                person
                for person in room.participants.values()
                if all(
                    asked.get(name, "").lower() in ("", _text(getattr(person, FLAGS[name])))
                    for name in ("Muted", "Hold", "Coaching")
                )
            ]
            return page_response(
                request,
                "participants",
                people,
                lambda person: person.call_sid,
                lambda person: participant_json(person, room, self._account),
            )

    def fetch_participant(self, _request: Request, sid: str, who: str) -> Response:
        with self._world.books.lock:
            room, person = self._find_person(sid, who)
            return json_response(participant_json(person, room, self._account))

    def update_participant(self, request: Request, sid: str, who: str) -> Response:
        form = request.form
        with self._world.books.lock:
            room, person = self._find_person(sid, who)
            changes: dict[str, bool | str | None] = {
                FLAGS[name]: form[name].lower() == "true" for name in FLAGS if name in form
            }
            if "CallSidToCoach" in form:
                coached = room.participants.get(form["CallSidToCoach"])
                if coached is None:
                    raise RestError(400, 13240, "CallSidToCoach is not in this conference")
                if coached.hold:
                    raise RestError(400, 16027, "The coached participant is on hold")
                changes["call_sid_to_coach"] = coached.call_sid
            self._exchange.rooms.update(room, person, changes)
            return json_response(participant_json(person, room, self._account))

    def remove_participant(self, _request: Request, sid: str, who: str) -> Response:
        """The leg leaves the room and runs on after its `<Dial>`, which as a rule ends it."""
        with self._world.books.lock:
            _, person = self._find_person(sid, who)
            call = self._world.books.calls[person.call_sid]
            self._exchange.rooms.leave(call, "participant_updated_via_api", kicked=True, resume=True)
        response = json_response(None, 204)
        response.set_data(b"")
        return response

    def _find(self, sid: str) -> Conference:
        room = self._world.books.find_room(sid)
        if room is None:
            raise RestError(404, 20404, f"The requested resource Conferences/{sid} was not found")
        return room

    def _find_person(self, sid: str, who: str) -> tuple[Conference, Participant]:
        """By call sid or by label."""
        room = self._find(sid)
        for person in room.participants.values():
            if who in (person.call_sid, person.label):
                return room, person
        raise RestError(404, 20404, f"The requested resource Participants/{who} was not found")


def _text(flag: bool) -> str:
    return "true" if flag else "false"
