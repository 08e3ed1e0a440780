"""How fast lists of whom not to call come in and are looked up, beside the limit of the same server.

- import: a CSV of a million numbers, half of them written with brackets and dashes, from file to in force;
  the limit is COPY of the same hashes alone into the same table;
- import again: the next copy of that list, whose numbers take the others' place;
- look-up: one number in ten million, as the gate asks and as people ask; half of them are listed. The limit
  is SELECT 1 over the same connection.

SUPPRESSION_ROWS sets how many numbers are imported (1,000,000); ten times as many are looked up in.
"""

import json
import os
import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psutil
import psycopg
from rich.console import Console
from rich.table import Table
from sqlmodel import Session

from callcenter.commands.migrate import migrate
from callcenter.compliance import queries
from callcenter.compliance.csv_lines import Refusals
from callcenter.compliance.fast_numbers import read_number
from callcenter.compliance.imports import NumberList, import_numbers
from callcenter.compliance.ledger_queries import lists_with
from callcenter.compliance.numbers import hash_number
from callcenter.config import load_settings
from callcenter.db import cursor_of, make_engine, read_scope, session_scope
from callcenter.embedded import servers
from tests.servers import plain_url

ROWS = int(os.environ.get("SUPPRESSION_ROWS", "1000000"))
LOOK_UPS = 5_000
WANTED_S, WANTED_MS = 60.0, 1.0
KEY = b"benchmark of suppression lists"
PLACES = (212, 305, 312, 415, 646, 713)
_FILL = """
INSERT INTO suppression_list_number (number_hash, list_id)
SELECT decode(md5(n::text), 'hex'), %s FROM generate_series(1, %s) AS n ORDER BY 1
"""


def run(home: Path) -> None:
    """Measure, print a table and write `home/bench/suppression.json`."""
    with tempfile.TemporaryDirectory(prefix="cc-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711 if os.geteuid() == 0 else 0o700)
        settings = load_settings({"CALLCENTER_HOME": f"{folder}/home", "MIN_FREE_MB": "50", "DEMO": "0"})
        with servers(settings) as running:
            migrate(running.database_url)
            rows = measure(Path(folder), running.database_url)
    console = Console()
    console.print(table_of(rows))
    result = {**figures_of(rows), "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 2)}
    for name, value in result.items():
        console.print(f"{name}: {value}")
    target = home / "bench" / "suppression.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def measure(folder: Path, database_url: str) -> list[dict[str, Any]]:
    """Import, import again, and look up."""
    engine = make_engine(database_url)
    numbers = write_list(folder / "list.csv")
    first, again = (timed_import(folder / "list.csv", engine, day) for day in (2, 1))
    limit = copy_alone(database_url, numbers)
    rows = [
        {"what": what, "rows": ROWS, "limit_s": limit, **seconds}
        for what, seconds in (("import", first), ("import again", again))
    ]
    rows += look_ups(engine, database_url, numbers)
    engine.dispose()
    return rows


def write_list(path: Path) -> list[str]:
    """Write a list and return some of its numbers as they stand there."""
    chance = random.Random(1)
    some = []
    with path.open("w") as file:
        file.write("number\n")
        for place in range(ROWS):
            local = f"{chance.choice(PLACES)}", chance.randrange(200, 990), chance.randrange(10_000)
            text = f"+86138{chance.randrange(10**8):08d}" if place % 2 else "+1 ({}) {}-{:04d}".format(*local)
            file.write(text + "\n")
            some.append(text)
    return some


def timed_import(path: Path, engine: Any, days_ago: int) -> dict[str, float]:
    """Import the list as of some days ago."""
    now, process = datetime.now(UTC), psutil.Process()
    wanted = NumberList(path=path, key="dnc", source="benchmark", as_of=now - timedelta(days=days_ago))
    begun, cpu = time.monotonic(), sum(process.cpu_times()[:2])
    done = import_numbers(wanted, KEY, Refusals(), partial(session_scope, engine), lambda: now)
    seconds = time.monotonic() - begun
    assert done.read == ROWS == done.accepted + done.duplicates
    return {
        "seconds": seconds,
        "rows_per_s": ROWS / seconds,
        "python_cpu_s": sum(process.cpu_times()[:2]) - cpu,
        "memory_mb": process.memory_info().rss / 1e6,
    }


def copy_alone(database_url: str, numbers: list[str]) -> float:
    """Seconds PostgreSQL takes for the hashes alone; they are made before."""
    hashes = {hash_number(KEY, read_number(text) or "") for text in numbers}
    lines = "".join(f"\\\\x{one.hex()}\t1\n" for one in hashes).encode()
    with psycopg.connect(plain_url(database_url)) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE alone (LIKE suppression_list_number INCLUDING ALL)")
        begun = time.monotonic()
        with cursor.copy("COPY alone (number_hash, list_id) FROM STDIN") as copy:
            for start in range(0, len(lines), 1 << 16):
                copy.write(lines[start : start + (1 << 16)])
        connection.commit()
        seconds = time.monotonic() - begun
        cursor.execute("DROP TABLE alone")
    return seconds


def look_ups(engine: Any, database_url: str, numbers: list[str]) -> list[dict[str, Any]]:
    """Milliseconds of one look-up in ten times as many numbers."""
    with psycopg.connect(plain_url(database_url), autocommit=True) as connection:
        row = connection.execute("SELECT id FROM suppression_list WHERE in_force").fetchone()
        assert row is not None
        connection.execute(_FILL.encode(), (row[0], 9 * ROWS))
        connection.execute("VACUUM ANALYZE suppression_list_number")
    chance = random.Random(2)
    wanted = [read_number(chance.choice(numbers)) or "" for _ in range(LOOK_UPS // 2)]
    wanted += [f"+86139{chance.randrange(10**8):08d}" for _ in range(LOOK_UPS // 2)]
    chance.shuffle(wanted)
    with read_scope(engine) as session:
        alone = timed(lambda _number: cursor_of(session).execute("SELECT 1").fetchall(), wanted)
        as_gate = timed(partial(_as_gate, session), wanted)
        as_people = timed(lambda number: lists_with(session, KEY, number), wanted)
    limits = {"limit_p50_ms": alone[0], "limit_p99_ms": alone[1]}
    return [
        {"what": what, "rows": 10 * ROWS, "p50_ms": p50, "p99_ms": p99, **limits}
        for what, (p50, p99) in (("look-up by the gate", as_gate), ("look-up by people", as_people))
    ]


def _as_gate(session: Session, number: str) -> int:
    asked = {"people": [UUID(int=0)], "hashes": [hash_number(KEY, number)], "now": datetime.now(UTC)}
    return len(queries._ask(session, queries._SUPPRESSED, **asked).fetchall())


def timed(ask: Callable[[str], object], numbers: list[str]) -> tuple[float, float]:
    """p50 and p99 of asking about each number, in ms."""
    for number in numbers[:200]:
        ask(number)
    took = []
    for number in numbers:
        begun = time.perf_counter()
        ask(number)
        took.append((time.perf_counter() - begun) * 1_000)
    return float(np.percentile(took, 50)), float(np.percentile(took, 99))


def figures_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The results by name: what was measured, then the figure."""
    return {
        f"{row['what'].replace(' ', '_').replace('-', '_')}_{name}": round(value, 3)
        for row in rows
        for name, value in row.items()
        if isinstance(value, int | float)
    }


def table_of(rows: list[dict[str, Any]]) -> Table:
    """The results as a table."""
    title = (
        f"{ROWS:,} numbers, wanted in {WANTED_S:.0f} s a million; p50, p99 of a look-up in ten times that,"
    )
    table = Table(title=f"{title} wanted in {WANTED_MS:g} ms")
    for heading in ("", "took", "limit", "ratio"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for row in rows:
        if "seconds" in row:
            took, alone = f"{row['seconds']:.1f} s", f"COPY {row['limit_s']:.1f} s"
            ratio = row["seconds"] / row["limit_s"]
        else:
            took = f"{row['p50_ms']:.2f}, {row['p99_ms']:.2f} ms"
            alone = f"SELECT 1 {row['limit_p50_ms']:.2f}, {row['limit_p99_ms']:.2f}"
            ratio = row["p50_ms"] / row["limit_p50_ms"]
        table.add_row(row["what"], took, alone, f"{ratio:.1f}")
    return table
