"""Start the carrier simulator as the separate process it is, and a tiny product for it to call back."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.wrappers import Request, Response

ACCOUNT_SID = "AC00000000000000000000000000000510"
AUTH_TOKEN = "a-token-for-tests"
CALLER = "+15005550006"
API_KEY_SID = "SK00000000000000000000000000000510"
API_KEY_SECRET = "carrier-sim-secret-for-loopback-only"
APPLICATION_SID = "AP00000000000000000000000000000510"


class RedirectingHttpClient(TwilioHttpClient):
    """The SDK's own client, with the host replaced and nothing else."""

    def __init__(self, base_url: str, timeout: float = 5) -> None:
        super().__init__(timeout=timeout)
        self._base = urlsplit(base_url)
        self.bodies: list[tuple[str, str, int, str]] = []

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        parts = urlsplit(url)
        assert (parts.hostname or "").endswith("twilio.com")
        local = urlunsplit((self._base.scheme, self._base.netloc, parts.path, parts.query, ""))
        response = super().request(method, local, *args, **kwargs)
        self.bodies.append((method, parts.path, response.status_code, response.text))
        return response

    def close(self) -> None:
        self.session.close()


@dataclass
class Simulator:
    process: subprocess.Popen[str]
    base_url: str
    http: RedirectingHttpClient
    twilio: Client

    def control(self, method: str, path: str, body: Any = None, **kwargs: Any) -> requests.Response:
        return requests.request(method, f"{self.base_url}/_sim/{path}", json=body, timeout=5, **kwargs)

    def call(self, sid: str) -> dict[str, Any]:
        calls: list[dict[str, Any]] = self.control("GET", "calls").json()["calls"]
        return next(call for call in calls if call["sid"] == sid)

    def set_number(self, address: str, **plan: Any) -> None:
        assert self.control("PUT", f"numbers/{address}", plan).ok

    def alerts(self, sid: str) -> list[int]:
        lines = self.control("GET", "log?event=alert.raised").json()["lines"]
        return [line["code"] for line in lines if line["call"] == sid]

    def settle(self) -> None:
        """Take faults away, end every live call and let the last webhook out: the next test starts clean."""
        self.control("DELETE", "faults")
        self.control("DELETE", "campaigns")
        for call in self.control("GET", "calls").json()["calls"]:
            if call["status"] in ("queued", "ringing", "in-progress"):
                with suppress(TwilioRestException):  # it may end by itself meanwhile
                    self.twilio.calls(call["sid"]).update(status="completed")
        wait_for(lambda: self.control("GET", "health").json()["busy_webhook_lanes"] == 0)

    def stop(self) -> int:
        self.http.close()
        self.process.terminate()
        try:
            return self.process.wait(timeout=5)
        finally:
            assert self.process.stdout is not None
            self.process.stdout.close()


def start_simulator(
    *,
    speed: float = 50,
    cps: float = 1000,
    seed: int = 1,
    arguments: tuple[str, ...] = (),
    log: Any = subprocess.DEVNULL,
    timeout: float = 5,
) -> Simulator:
    """A running simulator on a free port. Ring and talk times are divided by `speed`."""
    command = [sys.executable, "-m", "callcenter.telephony.simulator", "--port", "0", "--seed", str(seed)]
    command += ["--speed", str(speed), "--cps", str(cps), *arguments]
    environment = os.environ | {"TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_AUTH_TOKEN": AUTH_TOKEN}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
    assert process.stdout is not None
    ready = process.stdout.readline().split()
    assert ready[:3] == ["carrier-sim", "ready", "on"], f"the simulator did not start: {ready}"
    http = RedirectingHttpClient(ready[3], timeout)
    return Simulator(process, ready[3], http, Client(ACCOUNT_SID, AUTH_TOKEN, http_client=http))


@dataclass(frozen=True)
class Received:
    path: str
    url: str
    params: dict[str, str]
    headers: dict[str, str]


@dataclass
class Product:
    """Answers TwiML by path, keeps every webhook it gets. `answers`: path to body or (status, body)."""

    answers: dict[str, str | tuple[int, str]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    statuses: dict[str, list[int]] = field(default_factory=dict)
    _server: BaseWSGIServer | None = None
    _thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.port}"

    def start(self) -> "Product":
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        assert self._server is not None and self._thread is not None
        self._server.shutdown()
        self._thread.join(timeout=5)

    def at(self, path: str) -> list[dict[str, str]]:
        return [each.params for each in self.received if each.path == path]

    def _answer(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        headers = dict(request.headers.items())
        self.received.append(Received(request.path, request.url, dict(request.form), headers))
        planned = self.statuses.get(request.path)
        answer = self.answers.get(request.path, "")
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        status = planned.pop(0) if planned else status
        kind = self.types.get(request.path, "text/xml")
        return Response(body, status=status, content_type=kind)(environ, start_response)


def wait_for(what: Callable[[], Any], seconds: float = 5) -> Any:
    """The first true value of `what()`, looked at every 10 ms."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError("it did not happen in time")
