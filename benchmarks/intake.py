"""How fast events come in, beside the limit of the same server, with 10, 200 and 1,000 live rules.

A running instance as `make run` starts it, with the crowd of `_crowd`: 100,000 open visits. Told from one run:

- limit: COPY of the same rows, event and receipt, into the same tables with their indexes, as many rows a
  transaction as a request has events: what PostgreSQL alone would take;
- direct: `take_events` and its commit, one after the other in one process;
- http: four senders, 100 events a request; single: four senders, one event a request;
- wake-up to firing with 10 rules, while 5,000 events/s come in over HTTP (or nine tenths of what this machine
  takes, if that is less).

INTAKE_SECONDS sets how long each measurement takes (8), INTAKE_EVENTS how many events are sent over HTTP
for the growth of memory (200,000; 5,000,000 for the long run).
"""

import gc
import json
import os
import platform
import random
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import psutil
import psycopg
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from benchmarks._crowd import JOURNEY, WATCHED_RULE, Crowd, rules
from benchmarks._senders import Job, Sent, send
from callcenter import pipeline
from callcenter.db import make_engine, read_scope, session_scope
from callcenter.intake import service as intake
from callcenter.intake.rules import read_batch
from callcenter.intake.storing import EVENT_COLUMNS
from callcenter.journeys import service as journeys
from callcenter.journeys.queries import journeys_loaded
from callcenter.triggers import service as triggers
from tests.system import System, running_system

CUSTOMERS = 100_000
BATCH = 100
RULES = (10, 200, 1_000)
SUSTAINED_EPS = 5_000.0
WRITE_KEY = "crowd-write-key"
SECONDS = float(os.environ.get("INTAKE_SECONDS", "8"))
EVENTS = int(os.environ.get("INTAKE_EVENTS", "200000"))


class Bench:
    """One running instance and the crowd that is sent to it."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.engine: Engine = make_engine(system.database_url)
        self.seed = 1
        now = datetime.now(UTC)
        with session_scope(self.engine) as session:
            known = journeys_loaded(session).values()
            self.journey = journeys.load_journey(session, JOURNEY, known, now)
            self.source = intake.add_source(session, "crowd", WRITE_KEY, 1.0, now)
            triggers.adopt_rule(session, WATCHED_RULE, self.journey, now)
        self.crowd = Crowd.of(CUSTOMERS, self.seed)

    def populate(self) -> None:
        """Open a visit of every customer."""
        arrivals = self.crowd.arrivals()
        while chunk := list(islice(arrivals, 2_500)):
            self._take(chunk)
        with self.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE")

    def adopt(self, count: int) -> None:
        """Have so many live rules."""
        with session_scope(self.engine) as session:
            for rule in rules(count):
                triggers.adopt_rule(session, rule, self.journey, datetime.now(UTC))

    def _take(self, raw: list[Any]) -> None:
        now = datetime.now(UTC)
        batch = read_batch(raw, {}, now)
        with session_scope(self.engine) as session:
            pipeline.take_events(session, self.source, batch, now)

    def direct(self) -> float:
        """Events/s of `take_events` with its commit; reading the raw events is not part of it."""
        now = datetime.now(UTC)
        batches = [read_batch(self.crowd.batch(BATCH), {}, now) for _ in range(int(12_000 * SECONDS / BATCH))]
        gc.collect()
        gc.freeze()
        taken, begun = 0, time.monotonic()
        for batch in batches:
            with session_scope(self.engine) as session:
                taken += pipeline.take_events(session, self.source, batch, datetime.now(UTC)).accepted
            if time.monotonic() - begun > SECONDS:
                break
        gc.unfreeze()
        return taken / (time.monotonic() - begun)

    def limit(self) -> float:
        """Rows/s of COPY into the same tables, BATCH rows a transaction; the rows are made before."""
        events, receipts = [], []
        for stored in self._stored_rows():
            rows = [(uuid.uuid4(), *row[1:]) for row in stored]
            events.append("".join(map(_copied, rows)).encode())
            receipts.append("".join(f"{row[0]}\t{row[12]}\n" for row in rows).encode())
        with psycopg.connect(self.system.database_url, options="-c timezone=UTC") as connection:
            done, begun = 0, time.monotonic()
            cursor = connection.cursor()
            for event, receipt in zip(events, receipts, strict=True):
                with cursor.copy("COPY event_receipt (id, received_at) FROM STDIN") as copy:
                    copy.write(receipt)
                with cursor.copy(f"COPY journey_event ({EVENT_COLUMNS}) FROM STDIN") as copy:
                    copy.write(event)
                connection.commit()
                done += BATCH
                if time.monotonic() - begun > SECONDS:
                    break
            return done / (time.monotonic() - begun)

    def _stored_rows(self) -> Iterator[Sequence[Any]]:
        """What the product has stored of the crowd, as often as needed."""
        with psycopg.connect(self.system.database_url, options="-c timezone=UTC") as connection:
            statement = f"SELECT {EVENT_COLUMNS} FROM journey_event WHERE source_id = %s LIMIT 20000"
            rows = connection.execute(statement.encode(), (self.source.id,)).fetchall()
        chance = random.Random(self.seed)
        for _ in range(int(60_000 * SECONDS / BATCH)):
            yield [rows[chance.randrange(len(rows))] for _ in range(BATCH)]

    def http(self, batch: int, seconds: float = SECONDS, **more: Any) -> Sent:
        """Send over HTTP with four senders."""
        self.seed += 1
        job = Job(self.system.port, WRITE_KEY, 4, batch, seconds, CUSTOMERS, self.seed, **more)
        sent = send(job)
        assert set(sent.statuses) == {"200"}, sent
        return sent

    def web_memory(self) -> float:
        """Resident memory of the web processes, in MB."""
        web = psutil.Process(self.system.pid("web"))
        return sum(one.memory_info().rss for one in (web, *web.children(recursive=True))) / 1e6

    def firing_delays(self) -> list[float]:
        """Seconds from wake-up to firing of the rule that is timed."""
        late = "extract(epoch FROM fired_at - wake_at)::float8"
        statement = f"SELECT {late} FROM trigger_firing WHERE rule_key = 'watched'"
        with read_scope(self.engine) as session:
            return [row[0] for row in session.connection().exec_driver_sql(statement)]


def _copied(row: Sequence[Any]) -> str:
    return "\t".join(map(_field, row)) + "\n"


def _field(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, dict):
        value = orjson.dumps(value).decode()
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def measure(folder: Path) -> dict[str, Any]:
    """Run it all once."""
    with running_system(folder) as system:
        bench = Bench(system)
        bench.populate()
        found: list[dict[str, float]] = []
        for count in RULES:
            bench.adopt(count)
            bench.http(BATCH, 2.0)  # every process compiles the rules once
            row = {"rules": count, "limit": bench.limit(), "direct": bench.direct()}
            for name, batch in (("http", BATCH), ("single", 1)):
                sent = bench.http(batch)
                row[name] = sent.events / sent.seconds
            found.append(row)
            if count == RULES[0]:
                pace = min(SUSTAINED_EPS, 0.9 * row["http"])
                sustained = bench.http(BATCH, 30.0, events_per_s=pace, watched_per_s=20.0)
                time.sleep(8)
                delays = bench.firing_delays()
        before = bench.web_memory()
        grown = bench.http(BATCH, max(5.0, EVENTS / found[0]["http"]), expected_eps=found[0]["http"])
        after = bench.web_memory()
        bench.engine.dispose()
    return _result(found, sustained, pace, delays, (before, after, grown.events))


def _result(
    found: Sequence[dict[str, float]],
    sent: Sent,
    pace: float,
    delays: Sequence[float],
    memory: tuple[float, float, int],
) -> dict[str, Any]:
    first, last = found[0], found[-1]
    return {
        "copy_limit_eps": round(first["limit"]),
        "direct_eps": round(first["direct"]),
        "http_eps": round(first["http"]),
        "http_single_eps": round(first["single"]),
        "direct_of_limit": round(first["direct"] / first["limit"], 3),
        "http_of_limit": round(first["http"] / first["limit"], 3),
        "rules_cost_1000_vs_10": round(first["direct"] / last["direct"], 3),
        "sustained_offered_eps": round(pace),
        "sustained_stored_eps": round(sent.events / sent.seconds),
        "wakeup_to_firing_p50_s": round(float(np.percentile(delays, 50)), 3),
        "wakeup_to_firing_p99_s": round(float(np.percentile(delays, 99)), 3),
        "firings_timed": len(delays),
        "web_rss_before_mb": round(memory[0], 1),
        "web_rss_after_mb": round(memory[1], 1),
        "events_between": memory[2],
        "by_rules": [{name: round(value) for name, value in row.items()} for row in found],
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]},
    }


def run(home: Path) -> None:
    """Measure, print a table and write `home/bench/intake.json`."""
    with tempfile.TemporaryDirectory(prefix="cc-", ignore_cleanup_errors=True) as folder:
        result = measure(Path(folder))
    table = Table(title="events/s with 100,000 open visits; goals: direct >= 0.5, http >= 0.35 of the limit")
    for heading in ("live rules", "limit (COPY)", "direct", "of limit", "http", "of limit", "single"):
        table.add_column(heading, justify="right")
    for row in result["by_rules"]:
        shares = [f"{row[name] / row['limit']:.2f}" for name in ("direct", "http")]
        figures = [
            row["rules"],
            row["limit"],
            row["direct"],
            shares[0],
            row["http"],
            shares[1],
            row["single"],
        ]
        table.add_row(*(one if isinstance(one, str) else f"{one:,}" for one in figures))
    console = Console()
    console.print(table)
    for name, value in result.items():
        if name not in ("by_rules", "machine"):
            console.print(f"{name}: {value}")
    target = home / "bench" / "intake.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
