"""`/_phone`: what the browser softphone talks to. Requests go up by POST, events come down as a stream.

The page is the product's, so it comes from another port: origins on the loopback interface are let in, and
none else. Who somebody is, the signed token says; a session's name is as good as its token and as secret.
"""

import json
import socket
from collections.abc import Callable
from typing import Any

from werkzeug.exceptions import BadRequest, Forbidden, HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from .settings import Settings
from .softphones import PhoneError, Session, Softphones
from .streams import Stream, Streams, Wanted
from .tokens import TokenError, read_token
from .urls import is_loopback_url

PREFIX = "/_phone/"
REFUSED = 401
MAX_DIGITS = 64


class PhoneFace:
    def __init__(self, settings: Settings, phones: Softphones, streams: Streams) -> None:
        self._settings = settings
        self._phones = phones
        self._streams = streams
        session = "/_phone/sessions/<session_id>"
        self._routes = Map(
            [
                _rule("/_phone/sessions", "POST", self.open),
                _rule(f"{session}/events", "GET", self.events),
                _rule(f"{session}/token", "PUT", self.renew),
                _rule(f"{session}/<any(register, unregister):wish>", "POST", self.register),
                _rule(f"{session}/close", "POST", self.close),
                _rule(f"{session}/calls", "POST", self.connect),
                _rule(f"{session}/calls/<call_sid>/<action>", "POST", self.act),
            ]
        )

    def handle(self, request: Request, port: int) -> Response:
        """Answer one request. Raises `Wanted` when the connection is to become an event stream."""
        headers = cors_headers(request)
        try:
            _check_origin(request, port)
            if request.method == "OPTIONS":
                response = Response(status=204)
            else:
                endpoint, values = self._routes.bind_to_environ(request.environ).match()
                response = endpoint(request, **values)
        except Wanted as wanted:
            wanted.headers.update(headers)
            raise
        except TokenError as error:
            response = _json({"code": error.code, "message": error.message}, REFUSED)
        except PhoneError as error:
            response = _json({"code": error.code, "message": error.message}, error.status)
        except HTTPException as error:
            response = _json({"code": 31000, "message": error.description or error.name}, error.code or 500)
        response.headers.update(headers)
        response.headers["Cache-Control"] = "no-store"
        return response

    def open(self, request: Request) -> Response:
        """A token buys a session: where its events are, until when, and who it is."""
        grant = read_token(_text(request, "token"), self._settings)
        session = self._phones.open(grant, allows_busy=_body(request).get("allowIncomingWhileBusy") is True)
        return _json(_session_json(session), 201)

    def events(self, _request: Request, session_id: str) -> Response:
        session = self._phones.find(session_id)

        def attach(connection: socket.socket) -> Stream:
            stream = Stream(connection, lambda lost: self._phones.detached(session, lost))
            self._streams.add(stream)
            self._phones.attach(session, stream)
            return stream

        raise Wanted(attach, {"Content-Type": "text/event-stream", "Cache-Control": "no-store"})

    def renew(self, request: Request, session_id: str) -> Response:
        session = self._phones.find(session_id)
        self._phones.renew(session, read_token(_text(request, "token"), self._settings))
        return _json(_session_json(session))

    def register(self, _request: Request, session_id: str, wish: str) -> Response:
        self._phones.register(self._phones.find(session_id), wanted=wish == "register")
        return Response(status=204)

    def close(self, _request: Request, session_id: str) -> Response:
        self._phones.close(self._phones.find(session_id))
        return Response(status=204)

    def connect(self, request: Request, session_id: str) -> Response:
        params = _body(request).get("params", {})
        if not isinstance(params, dict):
            raise BadRequest("params must be an object")
        given = {str(name): str(value) for name, value in params.items()}
        call = self._phones.connect(self._phones.find(session_id), given)
        return _json({"call_sid": call.sid, "from": call.order.caller}, 201)

    def act(self, request: Request, session_id: str, call_sid: str, action: str) -> Response:
        """409 when the call is not in a state where that means anything."""
        digits = ""
        if action == "digits":
            digits = _text(request, "digits")
            if len(digits) > MAX_DIGITS or set(digits) - set("0123456789*#w"):
                raise PhoneError(31100, "Digits are 0-9, *, # and w")
        done = self._phones.act(self._phones.find(session_id), call_sid, action, digits.replace("w", ""))
        return Response(status=204 if done else 409)


def cors_headers(request: Request) -> dict[str, str]:
    """For a page of this machine: its own origin and no other."""
    origin = request.headers.get("Origin", "")
    if not is_loopback_url(origin):
        return {"Vary": "Origin"}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, POST, PUT, OPTIONS",
        "Access-Control-Allow-Headers": "Content-Type",
        "Access-Control-Max-Age": "600",
        "Vary": "Origin",
    }


def _check_origin(request: Request, port: int) -> None:
    if request.environ.get("HTTP_HOST", "") not in (f"127.0.0.1:{port}", f"localhost:{port}"):
        raise Forbidden("address the simulator as 127.0.0.1 or localhost")
    origin = request.headers.get("Origin")
    if origin is not None and not is_loopback_url(origin):
        raise Forbidden("pages of other machines are refused")


def _session_json(session: Session) -> dict[str, Any]:
    return {
        "session": session.id,
        "identity": session.grant.identity,
        "expires_at": session.grant.expires_at,
        "edge": "loopback",
    }


def _body(request: Request) -> dict[str, Any]:
    try:
        found = json.loads(request.get_data() or b"{}")
    except ValueError as error:
        raise BadRequest("send JSON") from error
    if not isinstance(found, dict):
        raise BadRequest("send a JSON object")
    return found


def _text(request: Request, name: str) -> str:
    found = _body(request).get(name)
    if not isinstance(found, str):
        raise BadRequest(f"{name} must be a string")
    return found


def _json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/json")


def _rule(path: str, method: str, handler: Callable[..., Any]) -> Rule:
    return Rule(path, methods=[method], endpoint=handler)
