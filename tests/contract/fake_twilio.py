"""Twilio, played below the SDK: every request is kept as it would go over the wire, and answered from a plan."""

import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter

from callcenter.telephony.twilio import TwilioAccount, TwilioCarrier

ACCOUNT_SID = "AC" + "0a" * 16
AUTH_TOKEN = "a-token-for-tests"
CALLER = "+15005550006"
PUBLIC = "https://calls.bank.example"
CALL, AGENT_CALL, ROOM_SID = "CA" + "1" * 32, "CA" + "2" * 32, "CF" + "3" * 32
RECORDING = "RE" + "4" * 32
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt "


@dataclass(frozen=True)
class Sent:
    """One request as it left: `form` and `query` in order, names repeated where they were."""

    method: str
    url: str
    form: list[tuple[str, str]]
    query: list[tuple[str, str]]

    @property
    def path(self) -> str:
        """Below the account."""
        return urlsplit(self.url).path.partition(f"/Accounts/{ACCOUNT_SID}")[2]

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Reply:
    """What is answered: a status with JSON or bytes, or an exception instead of an answer."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    error: Exception | None = None


def refusal(code: int, status: int = 400, **headers: str) -> Reply:
    """An error in Twilio's shape."""
    body = {"code": code, "message": "no", "more_info": "", "status": status}
    return Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


class FakeTwilio(BaseAdapter):
    """Answers by `plan` while it lasts (one entry each request), then as a Twilio without trouble would."""

    def __init__(self, *plan: Reply) -> None:
        super().__init__()
        self.plan = list(plan)
        self.sent: list[Sent] = []

    def send(self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any) -> requests.Response:
        """Keep the request, answer it."""
        assert request.url and request.method
        body = request.body.decode() if isinstance(request.body, bytes) else request.body or ""
        query = urlsplit(request.url).query
        self.sent.append(Sent(request.method, request.url, parse_qsl(body, True), parse_qsl(query, True)))
        reply = self.plan.pop(0) if self.plan else _usual(self.sent[-1])
        if reply.error is not None:
            raise reply.error
        response = requests.Response()
        response.status_code, response.url, response.request = reply.status, request.url, request
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        response.raw = urllib3.HTTPResponse(io.BytesIO(content), preload_content=False)
        response.headers.update(reply.headers)
        return response

    def close(self) -> None:
        """Nothing is open."""

    @property
    def lines(self) -> list[str]:
        """Method and path of every request."""
        return [each.line for each in self.sent]


def _usual(sent: Sent) -> Reply:
    for pattern, reply in _USUAL:
        if re.fullmatch(pattern, sent.line):
            return reply(sent)
    raise AssertionError(f"nobody asks Twilio for {sent.line}")


def _call(**more: Any) -> dict[str, Any]:
    call = {
        "sid": CALL,
        "status": "in-progress",
        "to": "+12025550123",
        "from": CALLER,
        "direction": "outbound-api",
        "date_created": "Sun, 25 Mar 2018 09:53:19 +0000",
        "duration": None,
        "queue_time": "0",
    }
    return call | more


call_json = _call


def events(*addresses: str) -> dict[str, Any]:
    """Call Events: the requests made about a call, each with one of our addresses among its parameters."""
    requests_made = [{"method": "POST", "url": "", "parameters": {"url": each}} for each in addresses]
    return {"events": [{"request": each, "response": {}} for each in requests_made]}


_USUAL: list[tuple[str, Callable[[Sent], Reply]]] = [
    (r"POST /Calls\.json", lambda _: Reply(201, _call(status="queued"))),
    (r"GET /Calls\.json", lambda _: Reply(200, {"calls": [_call()], "next_page_uri": None})),
    (r"(GET|POST) /Calls/CA\w{32}\.json", lambda _: Reply(200, _call())),
    (r"GET /Calls/CA\w{32}/Events\.json", lambda _: Reply(200, events())),
    (r"GET /Conferences\.json", lambda _: Reply(200, {"conferences": [{"sid": ROOM_SID}]})),
    (r"POST /Conferences/CF\w{32}\.json", lambda _: Reply(200, {"sid": ROOM_SID})),
    (r"POST /Conferences/CF\w{32}/Participants/CA\w{32}\.json", lambda _: Reply(200, {"call_sid": CALL})),
    (r"DELETE /Conferences/CF\w{32}/Participants/CA\w{32}\.json", lambda _: Reply(204, b"")),
    (r"POST /Calls/CA\w{32}/Recordings/Twilio\.CURRENT\.json", lambda _: Reply(200, {"sid": RECORDING})),
    (r"GET /Recordings/RE\w{32}\.wav", lambda _: Reply(200, WAV)),
]


def carrier_on(fake: FakeTwilio, **account: Any) -> TwilioCarrier:
    """The adapter as it speaks to the real Twilio, with its network replaced."""
    fields: dict[str, Any] = {
        "account_sid": ACCOUNT_SID,
        "auth_token": AUTH_TOKEN,
        "caller_id": CALLER,
        "public_base_url": PUBLIC,
    }
    carrier = TwilioCarrier(TwilioAccount(**(fields | account)))
    carrier._wire.session.mount("https://", fake)
    return carrier
