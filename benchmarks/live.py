"""How soon a change is on every screen concerned: 2,000 consoles and 50 floors connected, 50 changes a second.

A running instance as `make run` starts it, two web processes. Agents are rows with a session of their own; their
consoles and the floors are kept as the browser's script keeps them (`_screens.py`): a stream, and the state
asked for at a ring. A change is an agent's presence, made through the pipeline as every process does, so it
concerns one console and every floor. Told from one run:

- change to screen: from before the change's transaction begins to the end of the first state asked for after its
  commit, over all consoles and floors concerned;
- a console's page: one GET /console a second, as an agent who opens it;
- memory of the web processes after all are connected and at the end;
- the limit beside it: the same streams, rings and bytes by a bare server (`_bare_live.py`) with as many processes.

LIVE_CONSOLES (2,000), LIVE_FLOORS (50), LIVE_CHANGES_PER_S (50), LIVE_SECONDS (120; 1,800 for half an hour).
"""

import bisect
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psutil
import redis
import requests
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from rich.console import Console
from rich.table import Table
from sqlmodel import Session

from benchmarks._bare_live import PREFIX
from benchmarks._screens import Screen
from benchmarks._seats import agent, person, store
from callcenter import pipeline
from callcenter.config import Settings, load_settings
from callcenter.domain.enums import NotReadyReason, Presence, Role
from callcenter.keeper import read_state
from callcenter.runtime import Runtime
from tests.system import System, free_port, running_system, wait_for

ROOT = Path(__file__).parents[1]
CONSOLES = int(os.environ.get("LIVE_CONSOLES", "2000"))
FLOORS = int(os.environ.get("LIVE_FLOORS", "50"))
PER_S = float(os.environ.get("LIVE_CHANGES_PER_S", "50"))
SECONDS = float(os.environ.get("LIVE_SECONDS", "120"))
WEB_PROCESSES = 2
SECRET = "live-benchmark-secret-of-more-than-32-characters"
LIMIT_SECONDS = 30.0
_REASONS = (NotReadyReason.BREAK, NotReadyReason.MEETING)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of an agent: when its transaction began and when, committed, it began to ring (CLOCK_MONOTONIC)."""

    who: str
    began: float
    told: float


class _Telling(Runtime):
    """A runtime that remembers, for each thread, when it last began to ring: its work was committed by then."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.told = threading.local()

    @contextmanager
    def unit_of_work(self) -> Iterator[Session]:
        self.told.at = None
        with super().unit_of_work() as session:
            yield session

    def tell(self, *channels: str) -> None:
        self.told.at = self.told.at or time.monotonic()
        super().tell(*channels)


def _people(system: System) -> tuple[list[UUID], list[UUID]]:
    """Agents and supervisors, as rows."""
    at = datetime.now(UTC)
    agents = [person(f"live-agent-{n}", Role.AGENT, at) for n in range(CONSOLES)]
    supervisors = [person(f"live-supervisor-{n}", Role.SUPERVISOR, at) for n in range(FLOORS)]
    seats = [agent(one.id, f"Team {n % 40:02d}", Presence.NOT_READY, at) for n, one in enumerate(agents)]
    ids = [one.id for one in agents], [one.id for one in supervisors]
    store(system.database_url, [*agents, *supervisors], seats)
    return ids


def _cookie_maker() -> Callable[[UUID], str]:
    app = Flask("live")
    app.secret_key = SECRET
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None

    def cookie(user_id: UUID) -> str:
        return str(serializer.dumps({"_user_id": str(user_id), "_fresh": True}))

    return cookie


@contextmanager
def _watching(port: int, screens: Sequence[Screen]) -> Iterator[Callable[[], dict[str, Any]]]:
    """Keep screens open for the length of the block; the call inside ends them and returns what they saw."""
    argv = [sys.executable, "-m", "benchmarks._screens"]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as watcher:
        assert watcher.stdin and watcher.stdout
        watcher.stdin.write(json.dumps({"port": port, "screens": [asdict(one) for one in screens]}) + "\n")
        watcher.stdin.flush()
        assert watcher.stdout.readline() == "ready\n"

        def end() -> dict[str, Any]:
            assert watcher.stdin and watcher.stdout
            watcher.stdin.write("end\n")
            watcher.stdin.flush()
            found: dict[str, Any] = json.loads(watcher.stdout.readline())
            return found

        try:
            yield end
        finally:
            watcher.kill()


def _change_for(
    seconds: float, agents: Sequence[UUID], change: Callable[[UUID, int], Change]
) -> list[Change]:
    """Make changes at the pace wanted, each agent in turn."""
    chance = random.Random(7)
    order = chance.sample(list(agents), len(agents))
    began, made = time.monotonic(), []
    with ThreadPoolExecutor(8) as pool:
        for place in range(int(seconds * PER_S)):
            time.sleep(max(0.0, began + place / PER_S - time.monotonic()))
            made.append(pool.submit(change, order[place % len(order)], place))
        return [one.result() for one in made]


def change_to_screen(
    changes: Sequence[Change], fetched: Sequence[Sequence[Any]]
) -> dict[str, np.ndarray[Any, Any]]:
    """Return, for consoles and for floors, the seconds from each change to each screen concerned.

    A screen has a change with the first state it asked for after the commit. Infinite where it never did.
    """
    by_screen: dict[str, list[tuple[float, float]]] = {}
    for who, began, ended, _ in fetched:
        by_screen.setdefault(who, []).append((began, ended))
    for found in by_screen.values():
        found.sort()
    floors = [one for one in by_screen if one.startswith("floor-")]

    def until(who: str, change: Change) -> float:
        found = by_screen.get(who, [])
        place = bisect.bisect_left(found, (change.told, 0.0))
        return found[place][1] - change.began if place < len(found) else float("inf")

    return {
        "console": np.array([until(one.who, one) for one in changes]),
        "floor": np.array([until(floor, one) for one in changes for floor in floors]),
    }


def _memory(pids: Sequence[int]) -> float:
    """Resident memory of processes and their children, in MB."""
    total = 0
    for pid in pids:
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += one.memory_info().rss
    return total / 1e6


class _Opener:
    """An agent who opens the console once a second."""

    def __init__(self, url: str, cookies: Sequence[str]) -> None:
        self.url, self.cookies, self.seconds, self.ended = url, cookies, list[float](), threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        place = 0
        while not self.ended.wait(1.0):
            began = time.monotonic()
            cookie = {"callcenter": self.cookies[place % len(self.cookies)]}
            assert requests.get(f"{self.url}/console", cookies=cookie, timeout=30).status_code == 200
            self.seconds.append(time.monotonic() - began)
            place += 1

    def __enter__(self) -> "_Opener":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()


def _limit(redis_url: str, sizes: Mapping[str, int]) -> dict[str, float]:
    """The same streams, rings and bytes by a bare server. In: the bytes of a console's and a floor's state."""
    port, doorbell = free_port(), redis.Redis.from_url(redis_url)
    gunicorn = ("-m", "gunicorn", "benchmarks._bare_live:app", "-k", "gevent", "-w", str(WEB_PROCESSES))
    argv = [sys.executable, *gunicorn, "--bind", f"127.0.0.1:{port}", "--worker-connections", "4000", "--log-level",
            "error", "--no-control-socket"]  # fmt: skip
    names = [UUID(int=number) for number in range(CONSOLES)]
    screens = [Screen(one.hex, "-", f"/live/{one.hex}", f"/state/{sizes['console']}") for one in names]
    screens += [Screen(f"floor-{n}", "-", "/live/floor", f"/state/{sizes['floor']}") for n in range(FLOORS)]

    def change(one: UUID, _: int) -> Change:
        began = time.monotonic()
        with doorbell.pipeline(transaction=False) as both:
            both.publish(PREFIX + one.hex, "x")
            both.publish(f"{PREFIX}floor", "x")
            both.execute()
        return Change(one.hex, began, began)

    with subprocess.Popen(argv, cwd=ROOT, env={**os.environ, "REDIS_URL": redis_url}) as server:
        try:
            url = f"http://127.0.0.1:{port}/state/1"
            wait_for(lambda: _answers(url), 30, "the bare server")
            with _watching(port, screens) as end:
                changes = _change_for(min(LIMIT_SECONDS, SECONDS), names, change)
                time.sleep(1.0)
                seen = end()
        finally:
            server.terminate()
    return {kind: _p95(found) for kind, found in change_to_screen(changes, seen["fetched"]).items()}


def _answers(url: str) -> bool:
    with suppress(requests.RequestException):
        return requests.get(url, timeout=2).ok
    return False


def _p95(seconds: "np.ndarray[Any, Any]") -> float:
    return round(float(np.percentile(seconds, 95, method="higher")), 3)


def measure(folder: Path) -> dict[str, Any]:
    """Run it all once."""
    with running_system(folder, SECRET_KEY=SECRET, WEB_WORKERS=str(WEB_PROCESSES)) as system:
        state = read_state(system.home)
        assert state is not None
        agents, supervisors = _people(system)
        cookie = _cookie_maker()
        screens = [Screen(one.hex, cookie(one), "/live/console", "/console/state") for one in agents]
        screens += [
            Screen(f"floor-{n}", cookie(one), "/live/floor", "/floor/state")
            for n, one in enumerate(supervisors)
        ]
        rt = _Telling(
            load_settings(
                {**system.environ, "DATABASE_URL": state.database_url, "REDIS_URL": state.redis_url}
            )
        )

        def change(one: UUID, place: int) -> Change:
            began = time.monotonic()
            with rt.unit_of_work() as session:
                reason = _REASONS[place // len(agents) % 2]
                pipeline.set_presence(session, one, Presence.NOT_READY, reason, rt.clock())
            return Change(one.hex, began, rt.told.at)

        web = [system.pid("web")]
        with _watching(system.port, screens) as end:
            _change_for(10.0, agents, change)  # warm
            before = _memory(web)
            with _Opener(system.base_url, [cookie(one) for one in agents[:50]]) as opener:
                changes = _change_for(SECONDS, agents, change)
            time.sleep(2.0)
            after, seen = _memory(web), end()
        until = change_to_screen(changes, seen["fetched"])
        sizes = {
            "console": int(np.median([one[3] for one in seen["fetched"] if not one[0].startswith("floor-")])),
            "floor": int(np.median([one[3] for one in seen["fetched"] if one[0].startswith("floor-")])),
        }
        limit = _limit(state.redis_url, sizes)
        rt.engine.dispose()
    both = np.concatenate(list(until.values()))
    span = changes[-1].told - changes[0].began
    return {
        "change_to_screen_p95_s": _p95(both),
        "change_to_console_p95_s": _p95(until["console"]),
        "change_to_floor_p95_s": _p95(until["floor"]),
        "limit_bare_console_p95_s": limit["console"],
        "limit_bare_floor_p95_s": limit["floor"],
        "console_page_p95_s": _p95(np.array(opener.seconds)),
        "rss_growth_mb": round(after - before, 1),
        "rss_connected_mb": round(before, 1),
        "consoles": CONSOLES,
        "floors": FLOORS,
        "changes_per_s": round(len(changes) / span, 1),
        "within_1_s": round(float((both <= 1.0).mean()), 5),
        "slowest_s": round(float(both[np.isfinite(both)].max()), 3),
        "never_seen": {kind: int(np.isinf(found).sum()) for kind, found in until.items()},
        "streams_renewed": seen["ended"],
        "states_per_s": round(len(seen["fetched"]) / span, 1),
        "state_bytes": sizes,
        "failures": seen["failures"],
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]},
    }


def run(home: Path) -> None:
    """Measure, print a table and write `home/bench/live.json`."""
    with tempfile.TemporaryDirectory(prefix="cc-", ignore_cleanup_errors=True) as folder:
        result = measure(Path(folder))
    table = Table(title=f"{CONSOLES:,} consoles, {FLOORS} floors, {SECONDS:g} s")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in result.items():
        table.add_row(name, str(value))
    Console().print(table)
    target = home / "bench" / "live.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
