"""How many calls a second the product starts, how soon a callback is committed, and 1,000 live calls at once.

A running instance as `make run` starts it, the simulator as its carrier, the calls-per-second bucket opened to
100. A thousand synthetic agents sit in their rooms (rows; nobody polls for them), a thousand customers are in
trouble, and the campaign is dialed automatically: every call goes the whole path, from the pacing tick over gate,
claim, outbox, queue and worker to the carrier, and its answer and callbacks back. Told from one run:

- limit: calls a second when the bare Twilio SDK asks the same simulator, from as many threads as there are workers;
- attempts a second through the whole path;
- callback to committed: 50 signed callbacks a second, timed from the request to the answer after the commit;
- memory of web and workers before, with 1,000 live calls, and a minute of callbacks later.

CALLS_CUSTOMERS sets how many (1,000).
"""

import json
import os
import platform
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
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

from callcenter.domain.ids import derived_id
from callcenter.telephony.twilio_http import TwilioWire
from tests.system import CustomerApp, Person, System, person_to_call, running_system, wait_for

CUSTOMERS = int(os.environ.get("CALLS_CUSTOMERS", "1000"))
WORKERS = 2
CALLBACKS_PER_S, CALLBACK_SECONDS = 50, 30
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
                to=f"+4420710{number:05d}",
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
    now = datetime.now(UTC)
    later = now + timedelta(hours=1)
    people = [derived_id("user", f"bench-{number}") for number in range(how_many)]
    with psycopg.connect(system.database_url) as connection, connection.cursor() as cursor:
        for number, one in enumerate(people):
            cursor.execute(
                "INSERT INTO app_user (id, login, name, role, password_hash, language, theme, time_zone, is_active,"
                " created_at) VALUES (%s, %s, %s, 'agent', '-', 'en', 'auto', 'UTC', true, %s)",
                (one, f"bench-{number}", f"Bench {number}", now),
            )
            cursor.execute(
                "INSERT INTO agent (id, team, languages, address, presence, presence_at, signed_on_at, seen_at,"
                " work_state, work_state_at, wrap_up_extensions)"
                " VALUES (%s, 'Bench', 'en,zh', %s, 'available', %s, %s, %s, 'idle', %s, 0)",
                (one, f"client:agent_{one.hex}", now, now, later, now),
            )
            cursor.execute(
                "INSERT INTO agent_leg (agent_id, address, state, carrier_ref, asked_at, last_news_at, mute_wanted,"
                " is_muted, room_seq) VALUES (%s, %s, 'answered', %s, %s, %s, false, false, -1)",
                (one, f"client:agent_{one.hex}", f"CAbench{number:027d}", now, later),
            )


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
    with psycopg.connect(system.database_url) as connection:
        connection.execute(
            "INSERT INTO campaign (key, mode, lines_per_agent, drops_machines, changed_at)"
            " VALUES ('loan', 'predictive', 1, false, now())"
        )
        connection.execute("UPDATE dialing_switch SET automatic_allowed = true")


def _count(system: System, where: str) -> int:
    return int(system.row(f"SELECT count(*) AS n FROM {where}")["n"])


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
        "TWILIO_ACCOUNT_SID": SID,
        "TWILIO_AUTH_TOKEN": TOKEN,
    }
    with running_system(folder, **environ) as system:
        limit = _limit(system)
        _crowd(system)
        waiting = "call_task WHERE state = 'pending'"
        wait_for(lambda: _count(system, waiting) >= CUSTOMERS, 300, "the call tasks")
        before = _memory(system)
        _allow(system)  # before anybody sits there, or the tasks would be offered one by one
        _seat_agents(system, CUSTOMERS)
        placed = "contact_attempt WHERE placed_at IS NOT NULL"
        wait_for(lambda: _count(system, placed) >= CUSTOMERS, 600, "the calls")
        span = system.row(
            "SELECT extract(epoch FROM max(placed_at) - min(claimed_at))::float8 AS s FROM contact_attempt"
        )["s"]
        bridged = "contact_attempt WHERE state = 'bridged'"
        wait_for(lambda: _count(system, bridged) >= 0.95 * CUSTOMERS, 120, "the conversations")
        live = _count(system, bridged)
        during = _memory(system)
        seconds = _callbacks(system)
        after = _memory(system)
        twice = system.sim("GET", "invariants").json()["most_calls_to_one_number"]
    return {
        "limit_calls_per_s": round(limit, 1),
        "attempts_per_s": round(CUSTOMERS / span, 1),
        "of_limit": round(CUSTOMERS / span / limit, 3),
        "callback_p50_ms": round(1_000 * float(np.percentile(seconds, 50)), 1),
        "callback_p99_ms": round(1_000 * float(np.percentile(seconds, 99)), 1),
        "live_calls": live,
        "most_calls_to_one_number": twice,
        "rss_before_mb": round(before, 1),
        "rss_with_live_calls_mb": round(during, 1),
        "rss_after_callbacks_mb": round(after, 1),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]},
    }


def run(home: Path) -> None:
    """Measure, print a table and write `home/bench/calls.json`."""
    with tempfile.TemporaryDirectory(prefix="cc-", ignore_cleanup_errors=True) as folder:
        result = measure(Path(folder))
    table = Table(title=f"{CUSTOMERS:,} calls, the whole path; limit: the simulator asked by the bare SDK")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in result.items():
        if name != "machine":
            table.add_row(name, f"{value:,}")
    Console().print(table)
    target = home / "bench" / "calls.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
