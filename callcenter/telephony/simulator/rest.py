"""The Twilio face: routes, authentication, faults. What a resource does: `rest_*`."""

import hmac
import time
from collections.abc import Callable
from typing import Any

from werkzeug.datastructures import Authorization
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from .exchange import Exchange
from .rest_calls import CallResource, Placing
from .rest_conferences import ConferenceResource
from .rest_recordings import ApplicationResource, RecordingResource
from .rest_shapes import AnswerCut, RestError, error_response
from .world import World

PREFIX = "/2010-04-01/"
ACCOUNT = "/2010-04-01/Accounts/<account>"


class TwilioFace:
    def __init__(self, world: World, exchange: Exchange) -> None:
        self._world = world
        placing = Placing(world, exchange)
        calls = CallResource(world, exchange, placing)
        rooms = ConferenceResource(world, exchange, placing)
        recordings = RecordingResource(world, exchange, calls, rooms)
        self._routes = Map(
            [
                *_call_rules(calls),
                *_conference_rules(rooms),
                *_recording_rules(recordings),
                *_application_rules(ApplicationResource(world)),
            ]
        )

    def handle(self, request: Request) -> Response:
        """Answer one request. Raises `AnswerCut` when a fault asks for a cut connection."""
        is_write = request.method != "GET"
        try:
            self._authenticate(request)
            if is_write:
                self._faults_before()
            response = self._dispatch(request)
        except RestError as error:
            response = error_response(error)
        self._world.journal.note("rest.answered", method=request.method, status=response.status_code)
        if is_write and response.status_code < 400:
            return self._faults_after(response)
        return response

    def _authenticate(self, request: Request) -> None:
        """The account with its token, or an API key with its secret."""
        given, settings = request.authorization, self._world.settings
        pairs = (
            (settings.account_sid, settings.auth_token),
            (settings.api_key_sid, settings.api_key_secret),
        )
        if given is None or given.type != "basic" or not any(_is_pair(given, *pair) for pair in pairs):
            raise RestError(401, 20003, "Authenticate")

    def _dispatch(self, request: Request) -> Response:
        try:
            endpoint, values = self._routes.bind_to_environ(request.environ).match()
        except HTTPException as error:
            if error.code == 405:
                raise RestError(405, 20004, "Method not allowed") from error
            raise RestError(404, 20404, "The requested resource was not found") from error
        ids = dict(values)
        if ids.pop("account") != self._world.settings.account_sid:
            raise RestError(404, 20404, "The requested resource was not found")
        response: Response = endpoint(request, **ids)
        return response

    def _faults_before(self) -> None:
        if self._world.faults.strikes("rest_429"):
            raise RestError(429, 20429, "Too Many Requests")
        if self._world.faults.strikes("rest_500_before"):
            raise RestError(500, 20500, "An internal server error has occurred")

    def _faults_after(self, response: Response) -> Response:
        time.sleep(self._world.faults.seconds("hang_after"))
        if self._world.faults.strikes("drop_after"):
            raise AnswerCut
        if self._world.faults.strikes("rest_500_after"):
            return error_response(RestError(500, 20500, "An internal server error has occurred"))
        return response


def _is_pair(given: Authorization, name: str, secret: str) -> bool:
    username, password = (given.username or "").encode(), (given.password or "").encode()
    return hmac.compare_digest(username, name.encode()) and hmac.compare_digest(password, secret.encode())


def _call_rules(calls: CallResource) -> list[Rule]:
    return [
        _rule(f"{ACCOUNT}/Calls.json", "POST", calls.create),
        _rule(f"{ACCOUNT}/Calls.json", "GET", calls.list),
        _rule(f"{ACCOUNT}/Calls/<sid>.json", "GET", calls.fetch),
        _rule(f"{ACCOUNT}/Calls/<sid>.json", "POST", calls.update),
        _rule(f"{ACCOUNT}/Calls/<sid>/Events.json", "GET", calls.events),
    ]


def _conference_rules(rooms: ConferenceResource) -> list[Rule]:
    room = f"{ACCOUNT}/Conferences/<sid>"
    person = f"{room}/Participants/<who>.json"
    return [
        _rule(f"{ACCOUNT}/Conferences.json", "GET", rooms.list),
        _rule(f"{room}.json", "GET", rooms.fetch),
        _rule(f"{room}.json", "POST", rooms.update),
        _rule(f"{room}/Participants.json", "GET", rooms.list_participants),
        _rule(f"{room}/Participants.json", "POST", rooms.create_participant),
        _rule(person, "GET", rooms.fetch_participant),
        _rule(person, "POST", rooms.update_participant),
        _rule(person, "DELETE", rooms.remove_participant),
    ]


def _recording_rules(recordings: RecordingResource) -> list[Rule]:
    own, of = f"{ACCOUNT}/Recordings", f"{ACCOUNT}/<any(Calls, Conferences):place>/<owner>/Recordings"
    return [
        _rule(f"{own}.json", "GET", recordings.list),
        _rule(f"{own}/<sid>.json", "GET", recordings.fetch),
        _rule(f"{own}/<sid>.json", "DELETE", recordings.delete),
        _rule(f"{own}/<sid>.wav", "GET", recordings.media),
        _rule(f"{own}/<sid>", "GET", recordings.media),
        _rule(f"{of}.json", "GET", recordings.list_of),
        _rule(f"{of}.json", "POST", recordings.create),
        _rule(f"{of}/<sid>.json", "GET", recordings.fetch_of),
        _rule(f"{of}/<sid>.json", "POST", recordings.update_of),
        _rule(f"{of}/<sid>.json", "DELETE", recordings.delete_of),
    ]


def _application_rules(applications: ApplicationResource) -> list[Rule]:
    return [
        _rule(f"{ACCOUNT}/Applications.json", "GET", applications.list),
        _rule(f"{ACCOUNT}/Applications/<sid>.json", "GET", applications.fetch),
        _rule(f"{ACCOUNT}/Applications/<sid>.json", "POST", applications.update),
    ]


def _rule(path: str, method: str, handler: Callable[..., Any]) -> Rule:
    return Rule(path, methods=[method], endpoint=handler)
