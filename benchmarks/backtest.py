"""How fast is a back-test? An absence rule over 2.63 million events, by columns and by the plain loop.

The log is BPI Challenge 2012 (doi 10.4121/uuid:3926db30-f712-4394-aebc-75976070e91f), every completed event of it,
sixteen times with other customers; all of it belongs to the journey, the bank's own work as activity on its first
step. Where the log is not at hand (`bpi2012/events.csv.gz` in CALLCENTER_SHARED_DATA) a made-up one of the same
shape takes its place, and the results say so. All reading is in the times: once from PostgreSQL, and once, after
its weeks were archived, from Parquet. The bare limit is polars reading the same columns of the same files.
"""

import os
import platform
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import orjson
import polars as pl
import yaml
from rich.console import Console
from rich.table import Table
from sqlmodel import Session

from callcenter.backtest.run import Tried, run_back_test
from callcenter.backtest.store import StoredEvents
from callcenter.backtest.values import BackTest
from callcenter.commands.migrate import migrate
from callcenter.db import cursor_of, make_engine, read_scope, session_scope
from callcenter.domain.journey import JourneyDefinition
from callcenter.embedded import servers
from callcenter.intake.archive import archive_old_weeks, archived_weeks, scan_weeks
from callcenter.intake.partitions import keep_partitions
from callcenter.intake.storing import EVENT_COLUMNS
from callcenter.journeys.policy import read_journey
from callcenter.triggers.policy import read_rule
from tests.servers import test_settings

ROOT = Path(__file__).parents[1]
LOG = (
    Path(os.environ.get("CALLCENTER_SHARED_DATA", ROOT.parent / "shared" / "data")) / "bpi2012/events.csv.gz"
)
EXAMPLE = ROOT / "examples" / "bpi2012"
COPIES = 16
ROUNDS = 3
GOAL_EVENTS_PER_S = 1_000_000
SOURCE = "00000000-0000-0000-0000-0000000000be"
_ADD_SOURCE = """
INSERT INTO event_source (id, name, lateness_seconds, is_enabled, created_at) VALUES (%s, 'bench', 0, true, %s)
"""


def log() -> pl.DataFrame:
    """The log's completed events: case, key, at, amount, in the order of the file."""
    raw = pl.read_csv(LOG, infer_schema_length=0).filter(pl.col("lifecycle:transition") == "COMPLETE")
    names = yaml.safe_load((EXAMPLE / "mapping.yaml").read_text())["events"]
    return raw.select(
        pl.col("case"),
        pl.col("concept:name").replace(names).alias("key"),
        pl.col("time:timestamp").str.to_datetime(time_unit="us", time_zone="UTC").alias("at"),
        pl.col("case:AMOUNT_REQ").cast(pl.Float64).cast(pl.Int64).alias("amount"),
    )


def made_up_log() -> pl.DataFrame:
    """As many cases and events as the log has, over the same months, with offers silent about as often."""
    random, begin = Random(2012), datetime(2011, 10, 1, tzinfo=UTC)
    rows: list[tuple[str, str, datetime, int]] = []
    for case in range(13_087):
        at, amount = begin + timedelta(seconds=random.randrange(150 * 86_400)), random.randrange(500, 50_000)
        names = ["application_submitted", "application_partly_submitted"]
        if random.random() < 0.38:
            names += ["application_pre_accepted", "application_accepted", "offer_selected", "offer_created"]
            names += [
                "offer_sent",
                random.choice(["offer_returned", "offer_canceled", "application_declined"]),
            ]
        names += ["W_calls"] * max(0, round(random.gauss(8.7, 4)))
        for name in names:
            at += timedelta(days=random.expovariate(1 / 6) if name.startswith("offer_re") else 0)
            at += timedelta(milliseconds=random.randrange(1, 90_000_000))
            rows.append((str(case), name, at, amount))
    return pl.DataFrame(rows, ["case", "key", "at", "amount"], orient="row")


def journey_of(events: pl.DataFrame) -> JourneyDefinition:
    """The example's journey, with every other event of the log as activity on its first step."""
    raw = yaml.safe_load((EXAMPLE / "journey.yaml").read_text())
    known = read_journey(raw).roles
    raw["steps"][0]["events"] += sorted(set(events["key"].unique()) - set(known))
    return read_journey(raw)


def copy_in(session: Session, events: pl.DataFrame, journey: JourneyDefinition) -> int:
    """Store the log sixteen times over, each time with other customers; return how many events that is."""
    keep_partitions(session, _first(events), _last(events))
    cursor = cursor_of(session)
    cursor.execute(_ADD_SOURCE, [SOURCE, _first(events)])
    roles = pl.DataFrame(
        [(key, role.value, step) for key, (role, step) in journey.roles.items()],
        ["key", "role", "step"],
        orient="row",
    )
    placed = events.join(roles, on="key", maintain_order="left").with_row_index("line")
    # Ids as random as real ones: the case's own hash, and the copy's.
    case, line = pl.col("case").hash(1), pl.col("line").hash(2)
    at = pl.col("at").dt.strftime("%Y-%m-%d %H:%M:%S%.6f+00")
    for copy_number in range(COPIES):
        rows = placed.select(
            id=_uuid(line, copy_number),
            source_id=pl.lit(SOURCE),
            message_id=pl.format("{}-0123456789abcdef", pl.col("line").cast(pl.String).str.zfill(10)),
            customer_id=_uuid(case, copy_number),
            kind=pl.lit("track"),
            name="key",
            journey=pl.lit(journey.id),
            journey_key="case",
            step="step",
            role="role",
            key=pl.col("key").alias("event_key"),
            event_time=at,
            received_at=at,
            position=pl.lit(0),
            historical=pl.lit("t"),
            clamped=pl.lit("f"),
            properties=pl.concat_str(
                pl.lit('{"amount": '), "amount", pl.lit(', "application": "'), "case", pl.lit('"}')
            ),
        )
        with cursor.copy(f"COPY journey_event ({EVENT_COLUMNS}) FROM STDIN (FORMAT csv)".encode()) as copy:
            copy.write(rows.write_csv(include_header=False, quote_style="non_numeric").encode())
    cursor.execute("ANALYZE journey_event")
    return placed.height * COPIES


def _uuid(number: pl.Expr, copy_number: int) -> pl.Expr:
    digits = pl.concat_str(number.cast(pl.String).str.zfill(20), pl.lit(f"{copy_number:012d}"))
    parts = [digits.str.slice(*part) for part in ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))]
    return pl.concat_str(parts, separator="-")


def _first(events: pl.DataFrame) -> datetime:
    found = events["at"].min()
    assert isinstance(found, datetime)
    return found


def _last(events: pl.DataFrame) -> datetime:
    found = events["at"].max()
    assert isinstance(found, datetime)
    return found


class Bench:
    """A database with the log in it, and the rule."""

    def __init__(self, database_url: str, archive: Path) -> None:
        self.engine, self.archive = make_engine(database_url), archive
        self.is_real = LOG.exists()
        events = log() if self.is_real else made_up_log()
        self.journey = journey_of(events)
        raw = yaml.safe_load((EXAMPLE / "offer-silent.yaml").read_text())
        self.rule = Tried(read_rule(raw, self.journey))
        with session_scope(self.engine) as session:
            self.events = copy_in(session, events, self.journey)

    def run(self, *, plain_loop_only: bool = False) -> tuple[float, float, BackTest]:
        """One back-test, reading included: seconds, processor seconds of this process, and what it found."""
        with read_scope(self.engine) as session:
            began, used = time.perf_counter(), time.process_time()
            stored = StoredEvents(session, self.journey, self.archive)
            run = run_back_test(stored, self.journey, self.rule, plain_loop_only=plain_loop_only)
            seconds, used = time.perf_counter() - began, time.process_time() - used
        assert run.back_test.extent.events == self.events
        assert run.by_columns is not plain_loop_only
        return seconds, used, run.back_test

    def best(self, **options: bool) -> tuple[float, float, BackTest]:
        """The quickest of some rounds: what other programs on the machine take is not the back-test's."""
        return min((self.run(**options) for _ in range(ROUNDS)), key=lambda one: one[0])

    def archive_all(self) -> float:
        """Move every week to a file; return the seconds it took."""
        began, now = time.perf_counter(), datetime.now(UTC)
        weeks = archive_old_weeks(lambda: session_scope(self.engine), self.archive, now, lambda: now)
        assert sum(week.events for week in weeks) == self.events
        return time.perf_counter() - began

    def bare(self) -> float:
        """The quickest of some rounds of polars reading the columns a back-test needs, and nothing else."""
        columns = [
            "customer_id",
            "journey_key",
            "step",
            "role",
            "key",
            "event_time",
            "received_at",
            "position",
        ]
        with read_scope(self.engine) as session:
            rows = scan_weeks(self.archive, archived_weeks(session)).select(columns)
        found = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            assert rows.collect().height == self.events
            found.append(time.perf_counter() - began)
        return min(found)


@contextmanager
def bench() -> Iterator[Bench]:
    """A bench on servers of its own."""
    with tempfile.TemporaryDirectory(prefix="cc-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711 if os.geteuid() == 0 else 0o700)
        with servers(test_settings(Path(folder) / "home"), durable=False) as running:
            migrate(running.database_url)
            made = Bench(running.database_url, Path(folder) / "archive")
            try:
                yield made
            finally:
                made.engine.dispose()


def measure() -> dict[str, Any]:
    """Run it; return the results."""
    with bench() as one:
        from_database, _, found = one.best()
        by_loop, _, found_by_loop = one.run(plain_loop_only=True)
        assert found == found_by_loop
        archiving = one.archive_all()
        from_archive, used, found_again = one.best()
        assert found_again.firings == found.firings
        loop_from_archive, *_ = one.run(plain_loop_only=True)
        bare = one.bare()
        events = one.events
    return {
        "log": "BPI Challenge 2012, 16 times"
        if one.is_real
        else "made up, in the shape of BPI Challenge 2012",
        "events": events,
        "fired": len(found.firings),
        "events_per_s": round(events / from_archive),
        "events_per_s_from": "Parquet archive, reading included",
        "events_per_processor_s": round(events / used),
        "goal_events_per_s": GOAL_EVENTS_PER_S,
        "from_postgresql_events_per_s": round(events / from_database),
        "plain_loop_events_per_s": round(events / by_loop),
        "plain_loop_from": "PostgreSQL, reading included",
        "plain_loop_from_archive_events_per_s": round(events / loop_from_archive),
        "ratio": round(by_loop / from_archive, 2),
        "ratio_from_postgresql": round(by_loop / from_database, 2),
        "bare_limit_events_per_s": round(events / bare),
        "archiving_events_per_s": round(events / archiving),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]},
    }


def run(home: Path) -> None:
    """Measure, print a table and write `home/bench/backtest.json`."""
    result = measure()
    table = Table(title=f"An absence rule over {result['events']:,} events ({result['log']})")
    table.add_column("way")
    table.add_column("events/s", justify="right")
    for name, key in (
        ("columns, from the archive (goal: 1,000,000)", "events_per_s"),
        ("the same, a second of one processor", "events_per_processor_s"),
        ("columns, from PostgreSQL", "from_postgresql_events_per_s"),
        ("plain loop, from PostgreSQL", "plain_loop_events_per_s"),
        ("plain loop, from the archive", "plain_loop_from_archive_events_per_s"),
        ("limit: polars reading the same columns", "bare_limit_events_per_s"),
        ("archiving the weeks, read back", "archiving_events_per_s"),
    ):
        table.add_row(name, f"{result[key]:,}")
    Console().print(table)
    target = home / "bench" / "backtest.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(orjson.dumps(result, option=orjson.OPT_INDENT_2) + b"\n")
