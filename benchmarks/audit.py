"""How quickly the ledgers are sealed, verified and handed out, beside the limit: the rows read and nothing done.

AUDIT_ROWS screening decisions (1,000,000) as the gate stores them, told from one run:

- limit: a bare SELECT of the same rows, all columns, fetched through a cursor and thrown away; and a COPY of them;
- seal: the scheduler's tick until nothing is left;
- verify: the whole chain recomputed, every row read; with the most memory the process held;
- export: the same decisions as a zip of CSV files.
"""

import os
import platform
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, text

from benchmarks._own_servers import keep, on_a_fresh_database
from callcenter import ledgers
from callcenter.db import connection_of, read_scope, session_scope
from callcenter.evidence.export import Wanted, write_export
from callcenter.evidence.verify import verify_chain

ROWS = int(os.environ.get("AUDIT_ROWS", "1000000"))
NOW = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
_FILL = """
INSERT INTO screening_decision (asked_at, for_at, point, customer_id, call_task_id, purpose, campaign, may_call,
                                reasons, next_allowed_at, policy_version, facts)
SELECT :now - interval '400 days' + n * interval '30 seconds',
       :now - interval '400 days' + n * interval '30 seconds',
       (ARRAY['opening', 'claim', 'dial'])[n % 3 + 1], md5((n / 5)::text)::uuid, md5('t' || n / 5)::uuid, 'service',
       'loan', n % 4 > 0, CASE n % 4 WHEN 0 THEN '["outside_calling_hours"]' ELSE '[]' END::jsonb,
       CASE n % 4 WHEN 0 THEN :now END, 'cn-bank@2026-01-01',
       jsonb_build_object('number_kind', 'mobile', 'regions', jsonb_build_array('CN'),
         'time_zones', jsonb_build_array('Asia/Shanghai'), 'is_agent_guaranteed', true, 'suppressions', '[]'::jsonb,
         'consents_until', '[]'::jsonb, 'is_frozen', false, 'person_attempts_at', jsonb_build_array(:now, :now),
         'number_attempts_at', jsonb_build_array(:now, :now), 'talked_at', NULL, 'abandoned_at', NULL,
         'campaign', jsonb_build_array(false, n % 900, n % 20),
         'policy', jsonb_build_object('caps', '[[3, 86400], [7, 604800], [15, 2592000]]'::jsonb,
           'minimum_gap_s', 7200, 'conversation_pause_s', 86400, 'refusal_stop_s', 15552000,
           'needs_consent', false))
  FROM generate_series(1, :rows) AS n
"""


class Memory:
    """The most memory this process was seen to hold, beside what it held before."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self.before = self.peak = self._process.memory_info().rss / 2**20

    def look(self, *_: object) -> None:
        """Look once more."""
        self.peak = max(self.peak, self._process.memory_info().rss / 2**20)


def _limits(engine: Engine) -> tuple[float, float]:
    with read_scope(engine) as session:
        began, count = time.perf_counter(), 0
        with connection_of(session).cursor("bare") as cursor:
            cursor.execute("SELECT * FROM screening_decision ORDER BY id")
            while rows := cursor.fetchmany(5_000):
                count += len(rows)
        assert count == ROWS
        select = time.perf_counter() - began
        began = time.perf_counter()
        statement = "COPY (SELECT * FROM screening_decision ORDER BY id) TO STDOUT"
        with connection_of(session).cursor() as cursor, cursor.copy(statement) as copy:
            for _ in copy:
                pass
    return select, time.perf_counter() - began


def _seal(engine: Engine) -> float:
    began = time.perf_counter()
    while True:
        with session_scope(engine) as session:
            if ledgers.seal_rows(session, NOW) < ledgers.PORTION:
                return time.perf_counter() - began


def measure(engine: Engine) -> dict[str, Any]:
    """Run it all once."""
    with session_scope(engine) as session:
        session.connection().execute(text("SET LOCAL statement_timeout = 0"))
        session.connection().execute(text(_FILL), {"now": NOW, "rows": ROWS})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE screening_decision"))
    sealing = _seal(engine)
    memory = Memory()
    with read_scope(engine) as session:
        began = time.perf_counter()
        report = verify_chain(session, NOW, progress=memory.look)
        verifying = time.perf_counter() - began
    assert report.holds and report.links == ROWS and not report.stale
    with read_scope(engine) as session, tempfile.TemporaryFile() as target:
        began = time.perf_counter()
        wanted = Wanted("csv", since=NOW - timedelta(days=500), until=NOW + timedelta(days=1))
        write_export(session, wanted, target, NOW)
        exporting = time.perf_counter() - began
    bare, copied = _limits(engine)
    return {
        "rows": ROWS,
        "seal_rows_per_s": round(ROWS / sealing),
        "select_rows_per_s": round(ROWS / bare),
        "copy_rows_per_s": round(ROWS / copied),
        "verify_rows_per_s": round(ROWS / verifying),
        "verify_s": round(verifying, 1),
        "verify_of_select": round(bare / verifying, 3),
        "rss_before_verify_mb": round(memory.before, 1),
        "rss_peak_of_verify_mb": round(memory.peak, 1),
        "export_rows_per_s": round(ROWS / exporting),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]},
    }


def run(home: Path) -> None:
    """Measure, print a table and write `home/bench/audit.json`."""
    result = on_a_fresh_database(measure)
    table = Table("figure", "value", title=f"the chain over {ROWS:,} screening decisions")
    for name, value in result.items():
        table.add_row(name, f"{value:,}" if isinstance(value, int | float) else str(value))
    Console().print(table)
    keep(home, "audit", result)
