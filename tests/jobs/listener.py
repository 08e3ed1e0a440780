"""A system of the bank that listens for webhooks, on loopback, and answers as a test says."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson


@dataclass
class Heard:
    """One request as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        """What the body says."""
        read: dict[str, Any] = orjson.loads(self.body)
        return read


@dataclass
class Listener:
    """What was heard, and what is answered: a function from the number of requests before to a status."""

    url: str = ""
    heard: list[Heard] = field(default_factory=list)
    answers: Callable[[int], int] = lambda _: 200
    body: bytes = b"thanks"
    location: str | None = None
    pause: Callable[[], object] = lambda: None


@contextmanager
def listening() -> Iterator[Listener]:
    """A listener on a free port of loopback."""
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            listener.heard.append(Heard(dict(self.headers), body))
            status = listener.answers(len(listener.heard) - 1)
            listener.pause()
            try:
                self.send_response(status)
                if listener.location:
                    self.send_header("Location", listener.location)
                self.end_headers()
                self.wfile.write(listener.body)
            except OSError:  # the asker has gone
                pass

        def log_message(self, *_: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    listener.url = f"http://127.0.0.1:{server.server_port}/hooks?from=callcenter"
    try:
        yield listener
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
