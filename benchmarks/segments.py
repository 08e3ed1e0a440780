"""How long does it take to work out who is in a segment at a bank's size, and to say so on the customers?

SEGMENTS_CUSTOMERS (1 M) customers with SEGMENTS_EVENTS (3 M) events of twelve weeks, and a segment of each form. Of
each: the bare count of its members in the database, the limit; the first working out, when all of them are new; the
changes written to the customers, portion by portion; and what every later tick does while nothing has changed.
"""

import os
import platform
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, text
from sqlmodel import select

from benchmarks._own_servers import keep, on_a_fresh_database
from benchmarks.studio import _CHUNK, _CUSTOMERS, _EVENTS, EACH, NOW, SINCE
from callcenter import segmenting
from callcenter.accounts.service import add_user
from callcenter.commands.sample import read_sample
from callcenter.db import cursor_of, session_scope
from callcenter.domain.enums import Role
from callcenter.intake.partitions import keep_partitions
from callcenter.intake.service import add_source
from callcenter.journeys.service import load_journey
from callcenter.models import Segment, User
from callcenter.segmenting import known_here
from callcenter.segments.finding import members_of
from callcenter.segments.policy import CHANGED_AT_ONCE
from callcenter.segments.rules import read_segment

CUSTOMERS = int(os.environ.get("SEGMENTS_CUSTOMERS", "1000000"))
EVENTS = int(os.environ.get("SEGMENTS_EVENTS", "3000000"))
MOST_CHANGED = 100_000
"""So many changes of a segment are written and timed; the others at once."""
GOAL_TICK_S = 5.0
SEGMENTS: tuple[tuple[str, list[dict[str, Any]]], ...] = (
    ("did", [{"form": "did", "event": "profile", "days": 28, "times": 1}]),
    ("did-not", [
        {"form": "did", "event": "id_photo_front", "days": 84, "times": 1},
        {"form": "did_not", "event": "profile", "days": 84},
    ]),
    ("first", [{"form": "first", "event": "sign_in", "days": 14}]),
    ("long-quiet", [{"form": "last", "event": "sign_in", "days": 30}]),
    ("worth", [{
        "form": "worth", "event": "loan_withdrawn", "days": 84, "recent_days": 60, "times": 1, "amount": "amount",
        "least": 2_000,
    }]),
    ("vip", [{"form": "tag", "op": "has", "value": "vip"}]),
)  # fmt: skip


def fill(engine: Engine) -> dict[str, Any]:
    """Make the customers and what they did."""
    began = time.perf_counter()
    with session_scope(engine) as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        load_journey(session, read_sample("loan.yaml"), [], SINCE)
        source = add_source(session, "bench", "key", 1.0, SINCE)
        add_user(session, "strategist", "The strategist", Role.STRATEGIST, "a-long-password", SINCE)
        keep_partitions(session, SINCE, NOW + timedelta(weeks=1))
        told = {"people": CUSTOMERS, "since": SINCE, "now": NOW, "source": source.id}
        session.execute(text(_CUSTOMERS), {"people": CUSTOMERS, "since": SINCE})
    applications = round(EVENTS / EACH)
    for first in range(1, applications + 1, _CHUNK):
        with session_scope(engine) as session:
            session.execute(text("SET LOCAL statement_timeout = 0"))
            session.execute(
                text(_EVENTS), told | {"first": first, "last": min(applications, first + _CHUNK - 1)}
            )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE"))
        counts = {
            name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()
            for name in ("customer", "journey_event")
        }
    return {**counts, "fill_s": round(time.perf_counter() - began)}


def _adds(engine: Engine, key: str, rows: list[dict[str, Any]]) -> None:
    with session_scope(engine) as session:
        raw = {"segment": key, "title": {"en": key}, "rows": rows}
        read_segment(raw, known_here(session))
        by = session.exec(select(User.id)).one()
        session.add(
            Segment(
                key=key, title={"en": key}, definition=raw, created_at=SINCE, created_by=by, changed_at=SINCE
            )
        )


def _bare(engine: Engine, key: str) -> float:
    """Only count the members, nothing compared with what the customers say."""
    with session_scope(engine) as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        known = known_here(session)
        spec = read_segment(session.get_one(Segment, key).definition, known)
        condition, values = members_of(spec, known, NOW)
        began = time.perf_counter()
        cursor_of(session).execute(
            f"SELECT count(*) FROM customer c WHERE {condition}".encode(), values
        ).fetchone()
        return time.perf_counter() - began


def _works_out(engine: Engine, key: str, at: float) -> tuple[segmenting.Found, float]:
    began = time.perf_counter()
    with session_scope(engine) as session:
        found = segmenting.work_out(session, key, NOW + timedelta(seconds=at), time.monotonic)
    assert found is not None, f"{key} was given up"
    return found, time.perf_counter() - began


def _changes(engine: Engine, found: segmenting.Found) -> float:
    """Write the changes as the tick does; customers a second."""
    joined = found.changes.joined
    began = time.perf_counter()
    for start in range(0, min(len(joined), MOST_CHANGED), CHANGED_AT_ONCE):
        with session_scope(engine) as session:
            portion = joined[start : start + CHANGED_AT_ONCE]
            segmenting.change_members(session, found.key, portion, is_member=True)
    took = time.perf_counter() - began
    if rest := joined[MOST_CHANGED:]:
        with session_scope(engine) as session:
            session.execute(text("SET LOCAL statement_timeout = 0"))
            segmenting.change_members(session, found.key, rest, is_member=True)
    return min(len(joined), MOST_CHANGED) / took if joined else 0.0


def measure(engine: Engine) -> dict[str, Any]:
    """Fill once, then work out each segment: bare, anew, and again with nothing changed."""
    made = fill(engine)
    print(made, flush=True)
    told = []
    for key, rows in SEGMENTS:
        _adds(engine, key, rows)
        bare = min(_bare(engine, key) for _ in range(2))
        found, first = _works_out(engine, key, 1)
        rate = _changes(engine, found)
        again, later = _works_out(engine, key, 2)
        told.append(
            {
                "segment": key,
                "members": found.changes.size,
                "bare_s": round(bare, 2),
                "first_s": round(first, 2),
                "changed_per_s": round(rate),
                "later_s": round(later, 2),
                "changed_later": len(again.changes.joined) + len(again.changes.left),
            }
        )
        print(told[-1], flush=True)
    slowest = max(one["later_s"] for one in told)
    return {
        **made,
        "segments": told,
        "slowest_later_s": slowest,
        "all_later_s": round(sum(one["later_s"] for one in told), 2),
        "meets_goal": slowest <= GOAL_TICK_S,
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]},
    }


def run(home: Path) -> None:
    """Measure, print a table and write `home/bench/segments.json`."""
    result = on_a_fresh_database(measure)
    names = ("segment", "members", "bare_s", "first_s", "changed_per_s", "later_s")
    table = Table(
        *names, title=f"segments of {result['customer']:,} customers, {result['journey_event']:,} events"
    )
    for one in result["segments"]:
        table.add_row(*(f"{one[name]:,}" if isinstance(one[name], int) else str(one[name]) for name in names))
    Console().print(table)
    Console().print({name: value for name, value in result.items() if name != "segments"})
    keep(home, "segments", result)
