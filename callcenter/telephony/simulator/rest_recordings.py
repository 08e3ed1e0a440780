"""Recordings of the Twilio face: of the account, a call or a conference; their sound; the application."""

from collections.abc import Callable

from werkzeug.wrappers import Request, Response

from .exchange import Exchange
from .recordings import media_url, wav_of
from .records import CallStatus, Recording, RecordingOrder
from .rest_calls import CallResource, Window
from .rest_conferences import ConferenceResource
from .rest_forms import channels_of, recording_callback, url_of
from .rest_shapes import (
    RestError,
    application_json,
    deleted_response,
    json_response,
    page_response,
    recording_json,
)
from .twiml import method_of
from .world import World

CURRENT = "Twilio.CURRENT"
STATUSES = ("paused", "in-progress", "stopped")


class RecordingResource:
    """`place` in a URL is `Calls` or `Conferences`, `owner` its sid; the account's own list has neither."""

    def __init__(
        self, world: World, exchange: Exchange, calls: CallResource, rooms: ConferenceResource
    ) -> None:
        self._world = world
        self._recorder = exchange.recorder
        self._calls = calls
        self._rooms = rooms
        self._account = world.settings.account_sid

    def list(self, request: Request) -> Response:
        asked = request.args
        return self._listed(
            request,
            "",
            lambda each: (
                asked.get("CallSid", each.call_sid) == each.call_sid
                and asked.get("ConferenceSid", each.conference_sid) == each.conference_sid
            ),
        )

    def list_of(self, request: Request, place: str, owner: str) -> Response:
        sid = self._owner(place, owner)
        return self._listed(
            request, f"/{place}/{sid}", lambda each: sid in (each.call_sid, each.conference_sid)
        )

    def create(self, request: Request, place: str, owner: str) -> Response:
        """Start recording a call that is talking."""
        if place != "Calls":
            raise RestError(405, 20004, "Method not allowed")
        form = request.form
        order = RecordingOrder("StartCallRecordingAPI", channels_of(form, 1), recording_callback(form))
        with self._world.books.lock:
            call = self._calls.find(owner)
            if call.status is not CallStatus.IN_PROGRESS:
                raise RestError(400, 21220, "Requested resource is not eligible for recording")
            made = self._recorder.start(order, call=call)
            return json_response(self._shown(made, f"/Calls/{call.sid}"), 201)

    def fetch(self, _request: Request, sid: str) -> Response:
        with self._world.books.lock:
            return json_response(self._shown(self._find(sid), ""))

    def fetch_of(self, _request: Request, place: str, owner: str, sid: str) -> Response:
        with self._world.books.lock:
            found = self._find_of(place, owner, sid)
            return json_response(self._shown(found, f"/{place}/{self._owner(place, owner)}"))

    def update_of(self, request: Request, place: str, owner: str, sid: str) -> Response:
        """Pause, resume or stop; `Twilio.CURRENT` names the one that runs."""
        status, behaviour = request.form.get("Status"), request.form.get("PauseBehavior") or "silence"
        if status not in STATUSES:
            raise RestError(400, 20001, f"Status must be one of {', '.join(STATUSES)}")
        if behaviour not in ("skip", "silence"):
            raise RestError(400, 20001, "PauseBehavior must be skip or silence")
        with self._world.books.lock:
            found = self._find_of(place, owner, sid)
            if not found.is_running:
                raise RestError(400, 21220, "The recording has stopped")
            if status == "paused":
                self._recorder.pause(found, skip=behaviour == "skip")
            elif status == "in-progress":
                self._recorder.resume(found)
            else:
                self._recorder.stop(found)
            shown = self._shown(found, f"/{place}/{self._owner(place, owner)}")
            return json_response(shown | ({"status": "stopped"} if status == "stopped" else {}))

    def delete(self, _request: Request, sid: str) -> Response:
        with self._world.books.lock:
            self._recorder.delete(self._find(sid))
        return deleted_response()

    def delete_of(self, _request: Request, place: str, owner: str, sid: str) -> Response:
        with self._world.books.lock:
            self._recorder.delete(self._find_of(place, owner, sid))
        return deleted_response()

    def media(self, request: Request, sid: str) -> Response:
        """The sound as WAV, whole, once the recording is completed."""
        with self._world.books.lock:
            found = self._find(sid)
            if found.status != "completed":
                raise RestError(404, 20404, f"Recording {sid} is not ready: {found.status}")
            seconds, channels = self._recorder.duration_s(found), found.order.channels
        asked = request.args.get("RequestedChannels", "")
        body = wav_of(seconds, int(asked) if asked in ("1", "2") else channels)
        return Response(body, content_type="audio/x-wav")

    def _listed(self, request: Request, place: str, is_meant: Callable[[Recording], bool]) -> Response:
        created = Window(request, "DateCreated")
        with self._world.books.lock:
            found = [
                each
                for each in reversed(self._world.books.recordings.values())
                if is_meant(each) and created.holds(each.created_at)
            ]
            return page_response(
                request,
                "recordings",
                found,
                lambda each: each.sid,
                lambda each: self._shown(each, place),
            )

    def _owner(self, place: str, owner: str) -> str:
        return self._calls.find(owner).sid if place == "Calls" else self._rooms.find(owner).sid

    def _find(self, sid: str) -> Recording:
        found = self._world.books.recordings.get(sid)
        if found is None:
            raise RestError(404, 20404, f"The requested resource Recordings/{sid} was not found")
        return found

    def _find_of(self, place: str, owner: str, sid: str) -> Recording:
        owner_sid = self._owner(place, owner)
        if sid == CURRENT:
            running = self._recorder.running(owner_sid)
            if not running:
                raise RestError(404, 20404, "No recording is running")
            return running[0]
        found = self._find(sid)
        if owner_sid not in (found.call_sid, found.conference_sid):
            raise RestError(404, 20404, f"The requested resource Recordings/{sid} was not found")
        return found

    def _shown(self, recording: Recording, place: str) -> dict[str, object]:
        seconds = self._recorder.duration_s(recording)
        return recording_json(recording, self._account, seconds, place, media_url(self._world, recording))


class ApplicationResource:
    """The one TwiML application of the account."""

    def __init__(self, world: World) -> None:
        self._world = world

    def fetch(self, _request: Request, sid: str) -> Response:
        self._check(sid)
        return self._shown()

    def list(self, request: Request) -> Response:
        name = self._world.application.friendly_name
        found = [self._world.application] if request.args.get("FriendlyName", name) == name else []
        account = self._world.settings.account_sid
        return page_response(
            request,
            "applications",
            found,
            lambda each: each.sid,
            lambda each: application_json(each, account),
        )

    def update(self, request: Request, sid: str) -> Response:
        """Say where a softphone's own calls are answered."""
        self._check(sid)
        form, application = request.form, self._world.application
        with self._world.books.lock:
            application.voice_url = url_of(form, "VoiceUrl", 21205) or application.voice_url
            application.voice_fallback_url = (
                url_of(form, "VoiceFallbackUrl") or application.voice_fallback_url
            )
            application.status_callback = url_of(form, "StatusCallback") or application.status_callback
            application.friendly_name = form.get("FriendlyName") or application.friendly_name
            if "VoiceMethod" in form:
                application.voice_method = method_of(form["VoiceMethod"])
            application.updated_at = self._world.books.now()
        return self._shown()

    def _check(self, sid: str) -> None:
        if sid != self._world.application.sid:
            raise RestError(404, 20404, f"The requested resource Applications/{sid} was not found")

    def _shown(self) -> Response:
        return json_response(application_json(self._world.application, self._world.settings.account_sid))
