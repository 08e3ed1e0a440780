"""How many calls a second the product starts, how soon a callback is committed, and 1,000 live calls at once.

A running instance as `make run` starts it, the simulator as its carrier, the calls-per-second bucket opened to
100. A thousand synthetic agents sit in their rooms (rows; nobody polls for them), a thousand customers are in
trouble, and the campaign is dialed automatically: every call goes the whole path, from the pacing tick over gate,
claim, outbox, queue and worker to the carrier, and its answer and callbacks back. Told from one run:

- attempts a second through the whole path, from the first claim to the last placement, while the calls placed
  before ring, are answered and enter their rooms;
- three limits beside it: calls a second when the bare Twilio SDK asks the same simulator, from as many threads as
  there are workers; attempts a second if only the database's bare commits counted, one row each, from as many
  connections as there are web and worker processes; and if only the processors counted, all cores busy with what
  the processes used for an attempt;
- callback to committed: 50 signed callbacks a second, timed from the request to the answer after the commit;
- how many calls were up at once, by our rows and by the simulator, and memory of web and workers before, with
  these calls, and after the callbacks.

CALLS_CUSTOMERS sets how many (1,000).
"""

import json
import os
import platform
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import psycopg
import requests
from rich.console import Console
from rich.table import Table
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from benchmarks._seats import agent, person, store
from callcenter.domain.enums import AttemptState, DialingMode, Presence, Role
from callcenter.models import AgentLeg, Campaign
from callcenter.telephony.twilio_http import TwilioWire
from tests.system import CustomerApp, Person, System, person_to_call, running_system

CUSTOMERS = int(os.environ.get("CALLS_CUSTOMERS", "1000"))
WORKERS = 2
WEB_PROCESSES = 2
CALLBACKS_PER_S, CALLBACK_SECONDS = 50, 30
_OTHERS = "+4420710"
"""What the numbers that only the bare SDK calls begin with."""
TOKEN, SID = "calls-benchmark-token", "AC00000000000000000000000000000510"


def _limit(system: System) -> float:
    """Calls/s of the bare SDK, from as many threads as there are workers."""
    numbers = iter(range(10**6))
    lock = threading.Lock()

    def ask(until: float) -> int:
        http = TwilioWire(f"http://127.0.0.1:{system.sim_port}", 10)
        client, made = Client(SID, TOKEN, http_client=http), 0
        while time.monotonic() < until:
            with lock:
                number = next(numbers)
            client.calls.create(
                to=f"{_OTHERS}{number:05d}",
                from_="+15005550006",
                url=f"{system.base_url}/none",
                status_callback=f"{system.base_url}/none",
            )
            made += 1
        return made

    began = time.monotonic()
    with ThreadPoolExecutor(WORKERS) as pool:
        made = sum(pool.map(ask, [began + 6.0] * WORKERS))
    return made / (time.monotonic() - began)


def _seat_agents(system: System, how_many: int) -> None:
    """Agents who are available with their line up, as rows: what the pacing tick and the answer look at."""
    at = datetime.now(UTC)
    people = [person(f"bench-{number}", Role.AGENT, at) for number in range(how_many)]
    seats = [agent(one.id, "Bench", Presence.AVAILABLE, at) for one in people]
    legs = [
        AgentLeg(
            agent_id=seat.id,
            address=seat.address,
            state=AttemptState.ANSWERED,
            carrier_ref=f"CAbench{number:027d}",
            asked_at=at,
            last_news_at=at + timedelta(hours=1),
        )
        for number, seat in enumerate(seats)
    ]
    store(system.database_url, people, seats, legs)


def _crowd(system: System) -> list[Person]:
    app = CustomerApp(system)
    people = [person_to_call("id-photo-trouble") for _ in range(CUSTOMERS)]
    with ThreadPoolExecutor(8) as pool:
        plan = {"outcome": "human", "ring_s": 1.0, "talk_s": None, "patience_s": 3_000}
        list(pool.map(lambda one: system.set_number(one.number, **plan), people))
    for place in range(0, CUSTOMERS, 50):
        app.deliver(*(event for one in people[place : place + 50] for event in app.gets_stuck(one)))
    return people


def _allow(system: System) -> None:
    mode, now = DialingMode.PREDICTIVE, datetime.now(UTC)
    store(system.database_url, [Campaign(key="loan", mode=mode, changed_at=now)])
    with psycopg.connect(system.database_url) as connection:
        connection.execute("UPDATE dialing_switch SET automatic_allowed = true")


def _count(system: System, where: str) -> int:
    return int(system.row(f"SELECT count(*) AS n FROM {where}")["n"])


def _wait_until(system: System, where: str, how_many: int, seconds: float) -> int:
    """Return how many rows there are once there are so many, or after so long; looked at four times a second."""
    end = time.monotonic() + seconds
    while (found := _count(system, where)) < how_many and time.monotonic() < end:
        time.sleep(0.25)
    return found


def _wait_for_quiet(system: System, seconds: float) -> None:
    """Return once the simulator has told all it had to tell: no callback came within two seconds."""
    end, before = time.monotonic() + seconds, -1
    while (kept := _count(system, "carrier_inbox")) != before and time.monotonic() < end:
        before = kept
        time.sleep(2)


def _up_at_simulator(system: System) -> int:
    """Calls to customers that the simulator says are in progress."""
    calls = system.sim("GET", "calls").json()["calls"]
    return sum(call["status"] == "in-progress" and not call["to"].startswith(_OTHERS) for call in calls)


def _commits(system: System) -> int:
    """Transactions committed so far. PostgreSQL counts them with a delay of up to a second."""
    time.sleep(1.1)
    return int(
        system.row("SELECT xact_commit AS n FROM pg_stat_database WHERE datname = current_database()")["n"]
    )


def _processor_seconds(system: System) -> float:
    """Seconds of processor time that the product's processes and their servers have used."""
    total = 0.0
    for name in (
        "web",
        "scheduler",
        "postgres",
        "valkey",
        *(f"worker-{number + 1}" for number in range(WORKERS)),
    ):
        process = psutil.Process(system.pid(name))
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                used = one.cpu_times()
                total += used.user + used.system
    return total


def _bare_commits_per_s(system: System) -> float:
    """Commits/s of one-row inserts and nothing else, from as many connections as there are processes that write."""

    def insert(until: float) -> int:
        made = 0
        with psycopg.connect(system.database_url) as connection:
            while time.monotonic() < until:
                connection.execute("INSERT INTO bench_commit (at) VALUES (now())")
                connection.commit()
                made += 1
        return made

    with psycopg.connect(system.database_url) as connection:
        connection.execute("CREATE TABLE bench_commit (id bigserial PRIMARY KEY, at timestamptz NOT NULL)")
    began, writers = time.monotonic(), WORKERS + WEB_PROCESSES
    with ThreadPoolExecutor(writers) as pool:
        made = sum(pool.map(insert, [began + 4.0] * writers))
    return made / (time.monotonic() - began)


def _memory(system: System) -> float:
    """Resident memory of web and workers, in MB."""
    total = 0
    for name in ("web", *(f"worker-{number}" for number in range(1, WORKERS + 1))):
        process = psutil.Process(system.pid(name))
        total += sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))
    return total / 1e6


def _callbacks(system: System) -> list[float]:
    """Seconds from request to committed answer, at a steady pace, for live calls."""
    calls = system.rows("SELECT id, carrier_ref FROM contact_attempt WHERE state <> 'ended' LIMIT 500")
    validator, seconds, session = RequestValidator(TOKEN), [], requests.Session()
    lock = threading.Lock()

    def tell(place: int) -> None:
        call = calls[place % len(calls)]
        url = f"{system.base_url}/carrier/twilio/attempt/{call['id']}/status"
        form = {
            "CallSid": call["carrier_ref"],
            "CallStatus": "ringing",
            "SequenceNumber": str(1_000 + place),
            "CallbackSource": "call-progress-events",
        }
        began = time.monotonic()
        headers = {"X-Twilio-Signature": validator.compute_signature(url, form)}
        answer = session.post(url, data=form, headers=headers, timeout=20)
        with lock:
            seconds.append(time.monotonic() - began)
        assert answer.status_code == 204, answer.status_code

    began = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        sent = []
        for place in range(CALLBACKS_PER_S * CALLBACK_SECONDS):
            time.sleep(max(0.0, began + place / CALLBACKS_PER_S - time.monotonic()))
            sent.append(pool.submit(tell, place))
        for one in sent:
            one.result()
    return seconds


def measure(folder: Path) -> dict[str, Any]:
    """Run it all once."""
    environ = {
        "CALLS_PER_SECOND": "100",
        "WORKER_COUNT": str(WORKERS),
        "WEB_WORKERS": str(WEB_PROCESSES),
        "TWILIO_ACCOUNT_SID": SID,
        "TWILIO_AUTH_TOKEN": TOKEN,
    }
    with running_system(folder, **environ) as system:
        commits_per_s = _bare_commits_per_s(system)
        _crowd(system)
        assert _wait_until(system, "call_task WHERE state = 'pending'", CUSTOMERS, 300) >= CUSTOMERS
        before = _memory(system)
        commits, used = _commits(system), _processor_seconds(system)
        _allow(system)  # before anybody sits there, or the tasks would be offered one by one
        _seat_agents(system, CUSTOMERS)
        placed = _wait_until(system, "contact_attempt WHERE placed_at IS NOT NULL", CUSTOMERS, 600)
        span = system.row(
            "SELECT extract(epoch FROM max(placed_at) - min(claimed_at))::float8 AS s FROM contact_attempt"
        )["s"]
        live = _wait_until(system, "contact_attempt WHERE state = 'bridged'", CUSTOMERS, 120)
        _wait_for_quiet(system, 60)
        used = (_processor_seconds(system) - used) / placed
        commits_each = (_commits(system) - commits) / placed
        up, during = _up_at_simulator(system), _memory(system)
        seconds = _callbacks(system)
        after = _memory(system)
        twice = system.sim("GET", "invariants").json()["most_calls_to_one_number"]
        # Last: the thousands of calls it asks for wait in the simulator's queue, for which the product would brake.
        limit = _limit(system)
    return {
        "attempts_per_s": round(placed / span, 1),
        "limit_simulator_alone_per_s": round(limit, 1),
        "limit_commits_alone_per_s": round(commits_per_s / commits_each, 1),
        "limit_processors_alone_per_s": round((os.cpu_count() or 1) / used, 1),
        "bare_commits_per_s": round(commits_per_s, 1),
        "commits_per_attempt": round(commits_each, 1),
        "processor_ms_per_attempt": round(1_000 * used, 1),
        "live_calls": live,
        "live_calls_at_simulator": up,
        "most_calls_to_one_number": twice,
        "callback_p50_ms": round(1_000 * float(np.percentile(seconds, 50)), 1),
        "callback_p99_ms": round(1_000 * float(np.percentile(seconds, 99)), 1),
        "rss_before_mb": round(before, 1),
        "rss_with_live_calls_mb": round(during, 1),
        "rss_after_callbacks_mb": round(after, 1),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]},
    }


def run(home: Path) -> None:
    """Measure, print a table and write `home/bench/calls.json`."""
    with tempfile.TemporaryDirectory(prefix="cc-", ignore_cleanup_errors=True) as folder:
        result = measure(Path(folder))
    table = Table(title=f"{CUSTOMERS:,} calls, the whole path")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in result.items():
        if name != "machine":
            table.add_row(name, f"{value:,}")
    Console().print(table)
    target = home / "bench" / "calls.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
