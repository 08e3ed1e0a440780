"""The simulator's own log: structured lines on a stream, and the last few thousand kept for `/_sim/log`.

No whole telephone number is ever written: `masked` is the only way one gets in.
"""

import json
import re
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any, TextIO
from urllib.parse import urlsplit

KEPT_LINES = 5_000


def masked(address: str) -> str:
    """`+12025550123` as `+12…23`; softphone addresses carry no number and stay."""
    if not re.fullmatch(r"\+?\d+", address):
        return address
    return f"{address[:3]}…{address[-2:]}"


def without_query(url: str) -> str:
    """Where a URL points, without its parameters: those may carry numbers."""
    parts = urlsplit(url)
    path = re.sub(r"(?:\+|%2[bB])\d{7,15}", "…", parts.path)
    return f"{parts.scheme}://{parts.netloc}{path}"


class Journal:
    """Thread-safe. Each line is one JSON object with `n`, `at` and `event` (`noun.verb_past`)."""

    def __init__(self, stream: TextIO | None, clock: Callable[[], datetime]) -> None:
        self._stream = stream
        self._clock = clock
        self._lines: deque[dict[str, Any]] = deque(maxlen=KEPT_LINES)
        self._lock = threading.Lock()
        self._written = 0

    def note(self, event: str, **facts: Any) -> None:
        with self._lock:
            self._written += 1
            line = {
                "n": self._written,
                "at": self._clock().isoformat(timespec="milliseconds"),
                "event": event,
            }
            line.update(facts)
            self._lines.append(line)
            if self._stream is not None:
                self._stream.write(json.dumps(line, ensure_ascii=False) + "\n")
                self._stream.flush()

    def alert(self, code: int, message: str, call_sid: str) -> None:
        """What Twilio would put in its debugger."""
        self.note("alert.raised", code=code, message=message, call=call_sid)

    def note_error(self, error: BaseException) -> None:
        """A fault of the simulator itself; only its kind and place, for the text could carry a number."""
        trace, place = error.__traceback__, ""
        while trace is not None:
            place = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"
            trace = trace.tb_next
        self.note("simulator.failed", error=type(error).__name__, place=place)

    def lines_after(self, number: int, event: str | None = None) -> list[dict[str, Any]]:
        """Kept lines numbered above `number`, oldest first, all or of one event."""
        with self._lock:
            return [line for line in self._lines if line["n"] > number and event in (None, line["event"])]
