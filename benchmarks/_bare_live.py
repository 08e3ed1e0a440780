"""The limit for the live benchmark: streams and states of the same size by a bare server, without the product.

`gunicorn benchmarks._bare_live:app -k gevent`: /live/NAME rings when NAME is published, /state/BYTES answers so
many bytes. The one subscription a process and the slots of 0.2 s for floors are the product's, so that what
differs is what the product does: sign-in, database, rendering.
"""

import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

import redis

PREFIX = "bare-live-"
_doorbell = redis.Redis.from_url(os.environ.get("REDIS_URL", "redis://127.0.0.1"))
_waiting: dict[str, list[threading.Event]] = {}


def _listen() -> None:
    ear = _doorbell.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
    ear.psubscribe(f"{PREFIX}*")
    for message in ear.listen():
        for one in _waiting.get(message["channel"].decode().removeprefix(PREFIX), ()):
            one.set()


def _rings(name: str) -> Iterable[bytes]:
    from callcenter.web.hub import until_slot

    rung = threading.Event()
    _waiting.setdefault(name, []).append(rung)
    yield b"event: changed\ndata: start\n\n"
    while True:
        if rung.wait(15):
            if name == "floor":
                threading.Event().wait(until_slot(0.2))
            rung.clear()
            yield b"event: changed\ndata: now\n\n"
        else:
            yield b": alive\n\n"


def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """The WSGI application."""
    if not any(one.name == "ear" for one in threading.enumerate()):
        threading.Thread(target=_listen, name="ear", daemon=True).start()
    _, what, name = environ["PATH_INFO"].split("/")
    if what == "live":
        start("200 OK", [("Content-Type", "text/event-stream")])
        return _rings(name)
    body = b"x" * int(name)
    start("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(body)))])
    return [body]
