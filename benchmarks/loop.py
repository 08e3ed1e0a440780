"""From the moment a customer is worth a call to the call task on an agent's screen.

A running instance of its own, one agent whose console is open, and 60 customers who get stuck over about a
minute: half of them on a rule that fires at the event, half on one that fires half a minute later. The agent's
browser is played over HTTP as the page does it: it listens to `/live/console` and, when it is rung, fetches
`/console/state`. Told are the parts of the way, and the limit below which no software on this machine gets.
"""

import json
import os
import platform
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import requests
from rich.console import Console
from rich.table import Table

from tests.faults.console import AgentConsole
from tests.system import CustomerApp, Person, System, person_to_call, running_system, wait_for

CUSTOMERS = 60
SPAN_SECONDS = 60.0
TIMED_AFTER_SECONDS = 31.0
"""Rule `bind-card-trouble`: 30 s, and 1 s for events that come late."""
ROUND_TRIPS = 200
GOAL_P95_SECONDS = 2.0
PATIENCE_SECONDS = 60.0

_WAY = """
SELECT t.id::text AS call_task_id, f.rule_key, f.wake_at, f.fired_at, t.created_at, r.offered_at,
       (SELECT max(e.received_at) FROM journey_event e
         WHERE e.customer_id = f.customer_id AND e.received_at <= f.fired_at) AS heard_at
  FROM trigger_firing f JOIN call_task t ON t.firing_id = f.id
  JOIN LATERAL (SELECT min(offered_at) AS offered_at FROM reservation WHERE call_task_id = t.id) r ON true
"""


@dataclass
class Screen:
    """An agent's open console: when each call task was first on it, in the order of their coming."""

    console: AgentConsole
    base_url: str
    seen_at: dict[str, datetime] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Listen for rings and look, until told to stop; a stream that ends is opened again."""
        while not self._stop.is_set():
            with suppress(requests.RequestException):
                self._listen()

    def _listen(self) -> None:
        address = f"{self.base_url}/live/console"
        with self.console.http.get(address, stream=True, timeout=(5, 20)) as stream:
            for line in stream.iter_lines(chunk_size=1):
                if self._stop.is_set():
                    return
                if line == b"event: changed":
                    self._look()

    def _look(self) -> None:
        shown = self.console.look()
        if shown.phase == "previewing" and shown.call_task_id:
            self.seen_at.setdefault(shown.call_task_id, datetime.now(UTC))

    @contextmanager
    def open(self) -> Iterator[None]:
        """Watch for the length of the block."""
        watching = threading.Thread(target=self.watch, daemon=True)
        watching.start()
        try:
            yield
        finally:
            self._stop.set()
            watching.join(30)


@dataclass(frozen=True)
class Coming:
    """A customer and when, in seconds from the start, they get stuck."""

    at: float
    person: Person
    is_timed: bool


def comings() -> list[Coming]:
    """Customers evenly spaced by the moment they become worth a call, the two kinds in turn."""
    found = []
    for place in range(CUSTOMERS):
        worth_at = TIMED_AFTER_SECONDS + place * SPAN_SECONDS / CUSTOMERS
        is_timed = place % 2 == 1
        rule = "bind-card-trouble" if is_timed else "id-photo-trouble"
        at = worth_at - TIMED_AFTER_SECONDS if is_timed else worth_at
        found.append(Coming(at, person_to_call(rule), is_timed))
    return sorted(found, key=lambda coming: coming.at)


def send(app: CustomerApp, plan: Sequence[Coming]) -> None:
    """Let the customers come in their time."""
    began = time.monotonic()
    for coming in plan:
        time.sleep(max(0.0, began + coming.at - time.monotonic()))
        if coming.is_timed:
            app.deliver(
                app.identifies(coming.person),
                app.opens(coming.person, "bind_card"),
                app.does(coming.person, "card_refused"),
            )
        else:
            app.deliver(*app.gets_stuck(coming.person))


def free_the_agent(system: System, app: CustomerApp, screen: Screen, plan: Sequence[Coming]) -> None:
    """Let each customer whose call task is on the screen close their application: the agent is free again."""
    people = {coming.person.user: coming.person for coming in plan}
    done: set[str] = set()
    deadline = time.monotonic() + TIMED_AFTER_SECONDS + SPAN_SECONDS + PATIENCE_SECONDS
    while len(done) < len(plan) and time.monotonic() < deadline:
        for call_task_id in [one for one in tuple(screen.seen_at) if one not in done]:
            user = system.row(
                "SELECT c.external_id FROM call_task t JOIN customer c ON c.id = t.customer_id WHERE t.id = %s",
                call_task_id,
            )["external_id"]
            app.deliver(app.does(people[user], "application_closed"))
            done.add(call_task_id)
        time.sleep(0.02)


def ways(system: System, seen_at: Mapping[str, datetime]) -> dict[str, list[float]]:
    """The parts of each call task's way in seconds, keyed by part; only tasks that were seen."""
    parts: dict[str, list[float]] = {name: [] for name in PARTS}
    for row in system.rows(_WAY):
        if row["call_task_id"] not in seen_at:
            continue
        is_timed = row["rule_key"] == "bind-card-trouble"
        begin = row["wake_at"] if is_timed else row["heard_at"]
        seen = seen_at[row["call_task_id"]]
        moments = (begin, row["fired_at"], row["created_at"], row["offered_at"], seen)
        spans = [(b - a).total_seconds() for a, b in pairwise(moments)]
        whole = (seen - begin).total_seconds()
        for name, seconds in zip(PARTS, (*spans, whole, whole if is_timed else None), strict=True):
            if seconds is not None:
                parts[name].append(seconds)
    return parts


PARTS = (
    "wake-up to firing",
    "firing to call task",
    "call task to offer",
    "offer to screen",
    "wake-up to screen",
    "wake-up to screen, timed rule",
)


def round_trips(system: System) -> dict[str, list[float]]:
    """What one ring of the database and one bare page cost here, in seconds each."""

    def timed(act: Callable[[], Any]) -> list[float]:
        spans = []
        for _ in range(ROUND_TRIPS):
            began = time.perf_counter()
            act()
            spans.append(time.perf_counter() - began)
        return spans

    url = system.database_url
    with (
        psycopg.connect(url, autocommit=True) as listener,
        psycopg.connect(url, autocommit=True) as speaker,
        requests.Session() as http,
    ):
        listener.execute("LISTEN benchmark")

        def ring() -> None:
            speaker.execute("NOTIFY benchmark")
            assert list(listener.notifies(timeout=5, stop_after=1))
            listener.execute("SELECT 1").fetchone()

        return {
            "limit: PostgreSQL NOTIFY to SELECT": timed(ring),
            "limit: GET /healthz": timed(lambda: http.get(f"{system.base_url}/healthz", timeout=5)),
        }


def measure(folder: Path) -> tuple[dict[str, list[float]], int]:
    """Run it once; return the spans by name and how many customers' call tasks came to the screen."""
    with running_system(folder) as system:
        app, plan = CustomerApp(system), comings()
        closing, hands = CustomerApp(system), AgentConsole(system)
        screen = Screen(AgentConsole(system), system.base_url)
        with screen.open():
            hands.becomes_available()
            sending = threading.Thread(target=send, args=(app, plan), daemon=True)
            sending.start()
            free_the_agent(system, closing, screen, plan)
            sending.join()
        wait_for(lambda: hands.look().phase in ("idle", "gone"), 30, "an idle agent")
        spans = ways(system, screen.seen_at) | round_trips(system)
        hands.close()
        screen.console.close()
    return spans, len(screen.seen_at)


def run(home: Path) -> None:
    """Measure, print a table and write `home/bench/loop.json`."""
    with tempfile.TemporaryDirectory(prefix="cc-", ignore_cleanup_errors=True) as folder:
        spans, seen = measure(Path(folder))
    Console().print(table_of(spans, seen))
    whole = spans["wake-up to screen"]
    result = {
        "customers": CUSTOMERS,
        "on_screen": seen,
        "wakeup_to_screen_p50_s": percentile(whole, 50),
        "wakeup_to_screen_p95_s": percentile(whole, 95),
        "wakeup_to_screen_max_s": percentile(whole, 100),
        "goal_p95_s": GOAL_P95_SECONDS,
        "parts": {
            name: {"n": len(each)} | {f"p{p}_s": percentile(each, p) for p in (50, 95, 100)}
            for name, each in spans.items()
        },
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]},
    }
    target = home / "bench" / "loop.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def percentile(spans: Sequence[float], of: float) -> float | None:
    """A percentile in seconds, to the tenth of a millisecond; None of nothing."""
    return round(float(np.percentile(spans, of)), 4) if spans else None


def table_of(spans: Mapping[str, Sequence[float]], seen: int) -> Table:
    """The spans as a table, a row a part."""
    title = f"{seen} of {CUSTOMERS} call tasks came to the screen; goal: p95 of the whole <= {GOAL_P95_SECONDS:g} s"
    table = Table(title=title)
    table.add_column("part")
    for heading in ("n", "p50", "p95", "max"):
        table.add_column(heading, justify="right")
    for name, each in spans.items():
        figures = [percentile(each, p) for p in (50, 95, 100)]
        table.add_row(
            name,
            str(len(each)),
            *("" if figure is None else f"{figure * 1000:,.1f} ms" for figure in figures),
        )
    return table
