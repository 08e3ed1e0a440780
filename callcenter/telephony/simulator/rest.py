"""The Twilio face: routes, authentication, faults. What a resource does: `rest_calls`, `rest_conferences`."""

import hmac
import time
from collections.abc import Callable
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from .exchange import Exchange
from .rest_calls import CallResource
from .rest_conferences import ConferenceResource
from .rest_shapes import RestError, error_response
from .world import World

PREFIX = "/2010-04-01/"
ACCOUNT = "/2010-04-01/Accounts/<account>"


class AnswerCut(Exception):
    """The connection is to be cut without an answer; the request has been carried out."""


class TwilioFace:
    def __init__(self, world: World, exchange: Exchange) -> None:
        self._world = world
        calls, rooms = CallResource(world, exchange), ConferenceResource(world, exchange)
        room, person = f"{ACCOUNT}/Conferences/<sid>", f"{ACCOUNT}/Conferences/<sid>/Participants/<who>.json"
        self._routes = Map(
            [
                _rule(f"{ACCOUNT}/Calls.json", "POST", calls.create),
                _rule(f"{ACCOUNT}/Calls.json", "GET", calls.list),
                _rule(f"{ACCOUNT}/Calls/<sid>.json", "GET", calls.fetch),
                _rule(f"{ACCOUNT}/Calls/<sid>.json", "POST", calls.update),
                _rule(f"{ACCOUNT}/Conferences.json", "GET", rooms.list),
                _rule(f"{room}.json", "GET", rooms.fetch),
                _rule(f"{room}.json", "POST", rooms.update),
                _rule(f"{room}/Participants.json", "GET", rooms.list_participants),
                _rule(person, "GET", rooms.fetch_participant),
                _rule(person, "POST", rooms.update_participant),
                _rule(person, "DELETE", rooms.remove_participant),
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
        given, settings = request.authorization, self._world.settings
        if (
            given is None
            or given.type != "basic"
            or not hmac.compare_digest((given.username or "").encode(), settings.account_sid.encode())
            or not hmac.compare_digest((given.password or "").encode(), settings.auth_token.encode())
        ):
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


def _rule(path: str, method: str, handler: Callable[..., Any]) -> Rule:
    return Rule(path, methods=[method], endpoint=handler)
