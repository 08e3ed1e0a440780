"""How long does a list of 10,000 customers keep whom? A CSV and an XLSX file, as a supervisor brings them in.

LISTS_ROWS rows; half of the customers are known. Told for each file: what the request takes that brings it in; what
jobs then take to read it and to look at its rows, 500 a portion, and the longest of them; and beside it the bare
read of the same rows: the file by its reader alone, and the customers by one statement.
"""

import csv
import io
import os
import platform
import time
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import openpyxl
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, text

from benchmarks._own_servers import keep, on_a_fresh_database
from callcenter import list_acts
from callcenter.accounts.service import add_user
from callcenter.commands.sample import read_sample
from callcenter.compliance.policies import Gate
from callcenter.db import session_scope
from callcenter.domain.enums import Role
from callcenter.journeys.service import load_journey
from callcenter.moves import House
from callcenter.partner_lists import ListWanted
from callcenter.partners import Partner
from scripts_library.catalog import load_catalog

ROWS = int(os.environ.get("LISTS_ROWS", "10000"))
NOW = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
HEAD = ["external_id", "name", "phone", "time_zone", "language", "city", "tags", "reason", "priority"]
_KNOWN = """
INSERT INTO customer (id, external_id, name, number, time_zone, language, traits, tags, created_at, updated_at)
SELECT md5('c' || n)::uuid, 'c' || n, 'Customer ' || n, '+86138' || lpad(n::text, 8, '0'), 'Asia/Shanghai', 'zh',
       '{}', '[]', :now, :now FROM generate_series(1, :people) AS n
"""


def files() -> dict[str, bytes]:
    """The same list as both kinds of file."""
    rows = [
        [
            f"c{n}",
            f"客户{n}",
            f"+86138{n:08d}",
            "Asia/Shanghai",
            "zh",
            "上海",
            "vip;new",
            "Spring",
            str(n % 100),
        ]
        for n in range(1, ROWS + 1)
    ]
    written = io.StringIO()
    csv.writer(written).writerows([HEAD, *rows])
    book, held = openpyxl.Workbook(write_only=True), io.BytesIO()
    sheet = book.create_sheet()
    for row in [HEAD, *rows]:
        sheet.append(row)
    book.save(held)
    return {"CSV": written.getvalue().encode(), "XLSX": held.getvalue()}


def _bare(engine: Engine, kind: str, body: bytes) -> float:
    began = time.perf_counter()
    if kind == "CSV":
        names = [row[0] for row in csv.reader(io.StringIO(body.decode()))]
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(body), read_only=True).worksheets[0]
        names = [str(row[0]) for row in sheet.iter_rows(values_only=True)]
    with session_scope(engine) as session:
        session.execute(
            text("SELECT * FROM customer WHERE external_id = ANY(:names)"), {"names": names}
        ).all()
    return time.perf_counter() - began


def _looked_at(engine: Engine, house: House, by: Partner, kind: str, body: bytes) -> dict[str, Any]:
    wanted = ListWanted(name=f"spring.{kind.lower()}", journey="loan", step="profile", reason="Spring")
    began = time.perf_counter()
    with session_scope(engine) as session:
        list_id = list_acts.draft_list(session, house, by, wanted, sha256(body).hexdigest(), body, NOW).id
    asked, steps, more = time.perf_counter() - began, [], True
    while more:
        began = time.perf_counter()
        with session_scope(engine) as session:
            more = list_acts.look_on(session, house, list_id, NOW)
        steps.append(time.perf_counter() - began)
    return {
        "file": kind,
        "kb": len(body) // 1024,
        "bare_s": round(_bare(engine, kind, body), 2),
        "request_s": round(asked, 2),
        "read_s": round(steps[0], 2),
        "look_s": round(sum(steps[1:]), 2),
        "longest_portion_s": round(max(steps[1:], default=0.0), 2),
        "all_s": round(asked + sum(steps), 2),
    }


def measure(engine: Engine) -> dict[str, Any]:
    """Bring both files in, one after the other."""
    with session_scope(engine) as session:
        load_journey(session, read_sample("loan.yaml"), [], NOW)
        user = add_user(session, "boss", "The supervisor", Role.SUPERVISOR, "a-long-password", NOW)
        session.execute(text(_KNOWN), {"now": NOW, "people": ROWS // 2})
        by = Partner(None, "Boss", user.id)
    house = House(load_catalog(), Gate(("cn-bank",), b"a key of the benchmark, 32 bytes"), "+15005550006")
    return {
        "rows": ROWS,
        "files": [_looked_at(engine, house, by, kind, body) for kind, body in files().items()],
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]},
    }


def run(home: Path) -> None:
    """Measure, print a table and write `home/bench/lists.json`."""
    result = on_a_fresh_database(measure)
    table = Table(*result["files"][0], title=f"a list of {ROWS:,} customers; seconds")
    for one in result["files"]:
        table.add_row(*map(str, one.values()))
    Console().print(table)
    Console().print(result["machine"])
    keep(home, "lists", result)
