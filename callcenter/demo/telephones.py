"""The customers' telephones: tells the carrier simulator how each number behaves, and follows the calls.

All I/O happens in one thread; the world only exchanges values with it and is never held up.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import requests

from callcenter.demo.people import TelephoneManner

POLL_S = 1.0
LONGEST_PAUSE_S = 15.0
TIMEOUT_S = (2.0, 5.0)
WAITING_LIMIT = 5_000
CALLS_LIMIT = 5_000
TELLS_PER_ROUND = 100
NEVER_SERVED = (400, 404, 422)


@dataclass(frozen=True)
class CallNews:
    """What is now known about one call to a customer. `talked_s` is in the carrier's own seconds."""

    sid: str
    phone: str
    ringing: bool
    talking: bool
    ended: bool
    talked_s: float


class Telephones(Protocol):
    """What the world needs of the telephones. `speed` is how many of the carrier's seconds pass in one."""

    speed: float

    def announce(self, phone: str, manner: TelephoneManner) -> None:
        """Let the number behave like this from now on; never blocks."""

    def news(self) -> list[CallNews]:
        """Return what happened to calls since the last asking."""

    def take_carrier_restart(self) -> bool:
        """Tell, once, that the carrier may have forgotten the numbers."""


def parse_calls(body: object, speed: float = 1.0) -> tuple[int, list[CallNews]]:
    """Read an answer of `/_sim/calls`: its sequence number and the calls. ValueError if it is none.

    The feed tells talk in real seconds; a carrier running at `speed` has simulated that many more.
    """
    if not isinstance(body, dict) or not isinstance(body.get("seq"), int):
        raise ValueError("not an answer of the calls feed")
    calls = body.get("calls")
    if not isinstance(calls, list):
        raise ValueError("the calls feed has no calls")
    return int(body["seq"]), [_parse_call(call, speed) for call in calls if isinstance(call, dict)]


def _parse_call(call: Mapping[str, Any], speed: float) -> CallNews:
    ended = call.get("ended_at") is not None
    talked = call.get("talked_s")
    return CallNews(
        sid=str(call.get("sid")),
        phone=str(call.get("to")),
        ringing=call.get("ringing_at") is not None and call.get("answered_at") is None and not ended,
        talking=call.get("joined_room_at") is not None and not ended,
        ended=ended,
        talked_s=talked * speed if isinstance(talked, int | float) else 0.0,
    )


class SimulatedTelephones:
    """A client of the simulator's control API. A simulator that is away is asked again, ever less often."""

    def __init__(self, base_url: str, after: int = 0) -> None:
        self._base_url = base_url.rstrip("/")
        self._http = requests.Session()
        self._untold: OrderedDict[str, TelephoneManner] = OrderedDict()
        self._news: deque[CallNews] = deque(maxlen=CALLS_LIMIT)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._restarted = False
        self._thread = threading.Thread(target=self._run, name="telephones", daemon=True)
        self.after = after
        self.speed = 1.0
        self.reachable = True

    def start(self) -> None:
        """Begin to follow the calls."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following, without waiting for a request under way."""
        self._stopping.set()

    def announce(self, phone: str, manner: TelephoneManner) -> None:
        """Queue the number's manner; of too many waiting the oldest is given up, and behaves as it may."""
        with self._lock:
            self._untold[phone] = manner
            self._untold.move_to_end(phone)
            if len(self._untold) > WAITING_LIMIT:
                self._untold.popitem(last=False)

    def news(self) -> list[CallNews]:
        """Return the calls that changed, oldest first."""
        with self._lock:
            news = list(self._news)
            self._news.clear()
        return news

    def take_carrier_restart(self) -> bool:
        """Tell, once, that the simulator was away or began counting anew."""
        with self._lock:
            restarted, self._restarted = self._restarted, False
        return restarted

    def _run(self) -> None:
        pause = POLL_S
        while not self._stopping.wait(pause):
            if self.exchange():
                pause = POLL_S
            else:
                pause = min(LONGEST_PAUSE_S, pause * 2)

    def exchange(self) -> bool:
        """Tell the simulator about waiting numbers and fetch the calls; False if it did not serve us."""
        try:
            self._tell()
            self._ask_speed()
            self._fetch()
        except (requests.RequestException, ValueError):
            # away, restarting, 429, 503 or not speaking our language: the next round asks again
            self.reachable = False
            return False
        if not self.reachable:
            self.reachable = True
            self.mark_restart()
        return True

    def _tell(self) -> None:
        with self._lock:
            batch = list(self._untold.items())[:TELLS_PER_ROUND]
        for phone, manner in batch:
            if self._stopping.is_set():
                return
            body = {"outcome": manner.outcome, "ring_s": manner.ring_s, "talk_s": manner.talk_s}
            response = self._http.put(f"{self._base_url}/_sim/numbers/{phone}", json=body, timeout=TIMEOUT_S)
            if (
                response.status_code not in NEVER_SERVED
            ):  # asking again would not help, and holds up the others
                response.raise_for_status()
            with self._lock:
                if self._untold.get(phone) == manner:
                    del self._untold[phone]

    def _ask_speed(self) -> None:
        """Learn how fast the carrier's time runs; one that does not say runs at ours."""
        response = self._http.get(f"{self._base_url}/_sim/clock", timeout=TIMEOUT_S)
        body = response.json() if response.ok else {}
        speed = body.get("speed", 1.0) if isinstance(body, dict) else 1.0
        self.speed = float(speed) if isinstance(speed, int | float) and speed > 0 else 1.0

    def _fetch(self) -> None:
        response = self._http.get(
            f"{self._base_url}/_sim/calls", params={"after": self.after}, timeout=TIMEOUT_S
        )
        response.raise_for_status()
        seq, calls = parse_calls(response.json(), self.speed)
        if seq < self.after:  # a new simulator: what it counts is not what the old one counted
            self.after = 0
            self.mark_restart()
            return
        self.after = seq
        self.keep(calls)

    def keep(self, calls: Iterable[CallNews]) -> None:
        """Put news where `news` finds them."""
        with self._lock:
            self._news.extend(calls)

    def mark_restart(self) -> None:
        """Let the world announce every number again."""
        with self._lock:
            self._restarted = True
