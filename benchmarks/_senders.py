"""Senders for the intake benchmark: a process of their own, so that they and the measuring do not wait in turn.

Run as a program: reads a JSON job from standard input, sends, and writes what it saw as JSON.
"""

import base64
import http.client
import json
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from benchmarks._crowd import Crowd

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Job:
    """What to send: to whom, with how many senders, how large the requests are, and for how long.

    `events_per_s` is the pace of all senders together, 0 for as fast as they are answered; `watched_per_s` so
    many customers a second enter the step whose rule is timed.
    """

    port: int
    write_key: str
    senders: int
    batch: int
    seconds: float
    customers: int
    seed: int
    events_per_s: float = 0.0
    watched_per_s: float = 0.0
    expected_eps: float = 12_000.0


@dataclass(slots=True)
class Sent:
    """What was acknowledged, in how many seconds, and how requests went."""

    events: int = 0
    seconds: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    behind_s: float = 0.0


def send(job: Job) -> Sent:
    """Run a job in a process of its own."""
    argv = [sys.executable, "-m", "benchmarks._senders"]
    done = subprocess.run(
        argv, input=json.dumps(asdict(job)).encode(), stdout=subprocess.PIPE, cwd=ROOT, check=True
    )
    return Sent(**json.loads(done.stdout))


class _Senders:
    def __init__(self, job: Job) -> None:
        self.job, self.sent, self.lock = job, Sent(), threading.Lock()
        crowd = Crowd.of(job.customers, job.seed)
        pace = job.events_per_s or job.expected_eps
        count = int(pace * job.seconds * 1.1 / job.batch) + job.senders
        self.bodies = [orjson.dumps({"batch": crowd.batch(job.batch)}) for _ in range(count)]
        self.place = 0
        self.begun = 0.0

    def run(self) -> Sent:
        threads = [threading.Thread(target=self._send) for _ in range(self.job.senders)]
        if self.job.watched_per_s:
            threads.append(threading.Thread(target=self._watch))
        self.begun = time.monotonic()
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        self.sent.seconds = time.monotonic() - self.begun
        return self.sent

    def _next(self) -> bytes | None:
        with self.lock:
            place, self.place = self.place, self.place + 1
        if place >= len(self.bodies) or time.monotonic() - self.begun >= self.job.seconds:
            return None
        if self.job.events_per_s:
            due = self.begun + place * self.job.batch / self.job.events_per_s
            wait = due - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            with self.lock:
                self.sent.behind_s = max(self.sent.behind_s, -wait)
        return self.bodies[place]

    def _send(self) -> None:
        post = self._poster()
        while (body := self._next()) is not None:
            accepted, status = post(body)
            with self.lock:
                self.sent.events += accepted
                self.sent.statuses[str(status)] = self.sent.statuses.get(str(status), 0) + 1

    def _watch(self) -> None:
        post, number = self._poster(), 0
        while time.monotonic() - self.begun < self.job.seconds:
            raw = {
                "type": "track",
                "event": "watched_page",
                "userId": f"watched-{self.job.seed}-{number}",
                "messageId": f"watched-{self.job.seed}-{number}",
            }
            post(orjson.dumps({"batch": [raw]}))
            number += 1
            time.sleep(max(0.0, self.begun + number / self.job.watched_per_s - time.monotonic()))

    def _poster(self) -> Any:
        key = base64.b64encode(f"{self.job.write_key}:".encode()).decode()
        headers = {"Authorization": f"Basic {key}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", self.job.port, timeout=60)

        def post(body: bytes) -> tuple[int, int]:
            connection.request("POST", "/v1/batch", body, headers)
            answer = connection.getresponse()
            said = answer.read()
            return (orjson.loads(said)["accepted"] if answer.status == 200 else 0), answer.status

        return post


if __name__ == "__main__":
    print(json.dumps(asdict(_Senders(Job(**json.load(sys.stdin))).run())))
