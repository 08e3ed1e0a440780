"""Senders that never stop: many at a time, each sends an event again until it is acknowledged."""

import threading
import time
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import Any

import requests

from callcenter.sample.people import DEMO_WRITE_KEY
from tests.system import System

LONGEST_SECONDS = 15.0
"""A sender that waits longer gives up: the public SDKs do by default."""
PAUSE_SECONDS = 0.05
SENDERS = 8
_streams = count(1)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the collector, or None for a line that broke; after how many seconds."""

    status: int | None
    seconds: float
    retry_after: str | None = None
    body: Any = None

    @property
    def takes_all(self) -> bool:
        """Whether it is an acknowledgement of every event."""
        return self.status == 200 and self.body.get("rejected") == []

    @property
    def says_come_again(self) -> bool:
        """Whether it is the refusal that every SDK understands: nothing was taken, come again then."""
        is_json = isinstance(self.body, dict) and {"code", "message"} <= set(self.body)
        return self.status == 503 and is_json and bool(self.retry_after) and int(self.retry_after or 0) > 0


class Stream:
    """Senders, each with one request under way at any time, on the routes for many events and for one."""

    def __init__(self, system: System) -> None:
        self._url, self._name = system.base_url, f"stream-{next(_streams)}"
        self._numbers, self._stop = count(1), threading.Event()
        self.answers: list[Answer] = []
        self.acknowledged: list[str] = []
        self._threads = [threading.Thread(target=self._run, args=(one,)) for one in range(SENDERS)]

    def __enter__(self) -> "Stream":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; each sender first brings in what it has in hand."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    @property
    def refused(self) -> list[Answer]:
        """The answers that were no acknowledgement."""
        return [one for one in self.answers if one.status != 200]

    @property
    def longest(self) -> float:
        """Seconds of the slowest answer."""
        return max(one.seconds for one in self.answers)

    def _run(self, sender: int) -> None:
        with requests.Session() as http:
            while not self._stop.is_set():
                self._deliver(http, sender)
                time.sleep(PAUSE_SECONDS)

    def _deliver(self, http: requests.Session, sender: int) -> None:
        number = next(self._numbers)
        events = [self._event(number, place) for place in range(3 if sender % 2 else 1)]
        path, body = ("/v1/batch", {"batch": events}) if sender % 2 else ("/v1/t", events[0])
        give_up_at = time.monotonic() + 45
        while time.monotonic() < give_up_at:
            answer = self._post(http, path, body)
            self.answers.append(answer)
            if answer.status == 200:
                self.acknowledged += [event["messageId"] for event in events]
                return
            time.sleep(PAUSE_SECONDS)

    def _post(self, http: requests.Session, path: str, body: Any) -> Answer:
        begun = time.monotonic()
        try:
            answer = http.post(self._url + path, json=body, auth=(DEMO_WRITE_KEY, ""), timeout=60)
        except requests.RequestException:
            return Answer(None, time.monotonic() - begun)
        seconds = time.monotonic() - begun
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        said = answer.json() if is_json else answer.text
        return Answer(answer.status_code, seconds, answer.headers.get("Retry-After"), said)

    def _event(self, number: int, place: int) -> dict[str, Any]:
        user = f"{self._name}-{number}"
        about = {"application_id": user}
        return {
            "type": "track",
            "event": "register" if place == 0 else "sms_code_late",
            "userId": user,
            "messageId": f"{user}-{place}",
            "properties": about,
        }


def assert_nothing_lost(system: System, stream: Stream) -> None:
    """What was acknowledged is stored once; what was refused was told to come again, soon and rightly."""
    wrong = [one for one in stream.answers if not one.says_come_again and not one.takes_all]
    assert not wrong, wrong[:3]
    assert stream.longest < LONGEST_SECONDS, f"an answer took {stream.longest:.1f} s"
    rows = system.rows(
        "SELECT message_id, count(*) AS n FROM journey_event WHERE message_id = ANY(%s) GROUP BY 1",
        stream.acknowledged,
    )
    assert {row["message_id"] for row in rows} == set(stream.acknowledged)
    assert {row["n"] for row in rows} == {1}
    assert len(stream.acknowledged) == len(set(stream.acknowledged)) > 0
    assert system.rows("SELECT code FROM quarantined_event") == [], (
        "the database's trouble is no event's fault"
    )
