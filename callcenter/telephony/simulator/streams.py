"""Server-sent events without a thread per listener: one thread watches all their sockets.

A request handler hands its connection over (`Wanted`) and is gone; from then on whoever has something to
tell writes a few bytes, and the watcher notices who left.
"""

import json
import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

LOOK_S = 0.2
HEARTBEAT_S = 15.0
HEAD = b"retry: 500\n\n"


class Stream:
    """One listener. `tell` may be called from any thread and never blocks."""

    def __init__(self, connection: socket.socket, on_lost: Callable[["Stream"], None]) -> None:
        connection.setblocking(False)
        self.connection = connection
        self.is_open = True
        self._on_lost = on_lost
        self._lock = threading.Lock()
        self.write(HEAD)

    def tell(self, event: str, facts: dict[str, Any]) -> None:
        self.write(f"event: {event}\ndata: {json.dumps(facts)}\n\n".encode())

    def write(self, data: bytes) -> None:
        """A listener that does not read its few bytes is taken for gone."""
        with self._lock:
            if not self.is_open:
                return
            try:
                self.connection.sendall(data)
            except OSError:
                self.is_open = False

    def lose(self) -> None:
        """Close it and say so, once."""
        with self._lock:
            was_known, self.is_open = self.connection.fileno() != -1, False
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            self.connection.close()
        if was_known:
            self._on_lost(self)


class Wanted(Exception):
    """Raised instead of an answer: keep the connection as a stream and give it to `attach`."""

    def __init__(self, attach: Callable[[socket.socket], Stream], headers: dict[str, str]) -> None:
        super().__init__("a stream is wanted")
        self.attach = attach
        self.headers = headers


class Streams:
    """Watches every stream; `on_tick` runs about once a second in the watcher's thread."""

    def __init__(self, on_tick: Callable[[], None], on_error: Callable[[BaseException], None]) -> None:
        self._on_tick = on_tick
        self._on_error = on_error
        self._new: list[Stream] = []
        self._lock = threading.Lock()
        self._stopped = False
        self._thread = threading.Thread(target=self._watch, name="streams", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped = True

    def add(self, stream: Stream) -> None:
        with self._lock:
            self._new.append(stream)

    def _watch(self) -> None:
        watched: set[Stream] = set()
        next_beat, next_tick = time.monotonic() + HEARTBEAT_S, time.monotonic()
        with selectors.DefaultSelector() as selector:
            while not self._stopped:
                self._take_new(selector, watched)
                for key, _ in selector.select(LOOK_S):
                    _look(key.data)
                if time.monotonic() >= next_beat:
                    next_beat += HEARTBEAT_S
                    for stream in watched:
                        stream.write(b": still here\n\n")
                for stream in [each for each in watched if not each.is_open]:
                    watched.discard(stream)
                    with suppress(KeyError, ValueError):
                        selector.unregister(stream.connection)
                    self._guarded(stream.lose)
                if time.monotonic() >= next_tick:
                    next_tick = time.monotonic() + 1
                    self._guarded(self._on_tick)

    def _take_new(self, selector: selectors.BaseSelector, watched: set[Stream]) -> None:
        with self._lock:
            new, self._new = self._new, []
        for stream in new:
            watched.add(stream)
            if stream.is_open:
                selector.register(stream.connection, selectors.EVENT_READ, stream)

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:  # one broken listener must not end the watch
            self._on_error(error)


def _look(stream: Stream) -> None:
    """A listener sends nothing: something to read means that it hung up."""
    try:
        if not stream.connection.recv(4_096):
            stream.is_open = False
    except BlockingIOError:
        return
    except OSError:
        stream.is_open = False
