"""Small loopback servers: a collector that can refuse, and a carrier's control API that can go away."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response


@dataclass
class FakeCollector:
    """Accepts batches after first answering with `refusals`: pairs of a status and a Retry-After or None."""

    refusals: deque[tuple[int, str | None]] = field(default_factory=deque)
    messages: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0

    def answer(self, request: Request) -> Response:
        self.asked += 1
        if self.refusals:
            status, retry_after = self.refusals.popleft()
            headers = {"Retry-After": retry_after} if retry_after else {}
            return Response("{}", status=status, headers=headers, mimetype="application/json")
        assert request.path == "/v1/batch"
        assert request.authorization is not None and request.authorization.username == "demo-write-key"
        self.messages.extend(json.loads(request.get_data())["batch"])
        return Response('{"success": true}', mimetype="application/json")


@dataclass
class FakeCarrier:
    """Keeps number manners and serves calls by sequence; answers `refusals` first."""

    refusals: deque[int] = field(default_factory=deque)
    numbers: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[dict[str, Any]] = field(default_factory=list)
    refuses_number: str = ""
    speed: float = 1.0

    def answer(self, request: Request) -> Response:
        if self.refusals:
            return Response("{}", status=self.refusals.popleft())
        if request.method == "PUT":
            number = request.path.removeprefix("/_sim/numbers/")
            if number == self.refuses_number:
                return Response("{}", status=400)
            self.numbers[number] = json.loads(request.get_data())
            return Response("{}", mimetype="application/json")
        if request.path == "/_sim/clock":
            return Response(json.dumps({"speed": self.speed}), mimetype="application/json")
        after = int(request.args["after"])
        seq = max((call["seq"] for call in self.calls), default=0)
        body = {"seq": seq, "calls": [call for call in self.calls if call["seq"] > after]}
        return Response(json.dumps(body), mimetype="application/json")


@contextmanager
def served(answering: FakeCollector | FakeCarrier) -> Iterator[str]:
    """Serve on a free loopback port; yields the base URL."""
    app = Request.application(answering.answer)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
