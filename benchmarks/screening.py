"""How fast does the compliance gate decide, and what does it add to a claim?

50,000 customers in nine countries, each with up to three attempts in the last month, some in the ledgers, a list
of a million numbers beside them (SCREENING_CUSTOMERS and SCREENING_LIST make it smaller). Decisions are asked in
batches of 500, as the facts of a bulk are loaded in one trip. The limits beside: the bare queries with nothing
done to their rows, and the rule alone with its facts at hand. A claim is one customer locked and one number held,
asked about and the answer stored, next to the same transaction without the gate.
"""

import os
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from benchmarks._own_servers import on_a_fresh_database
from callcenter.compliance import queries
from callcenter.compliance.number_key import fingerprint_of
from callcenter.compliance.numbers import hash_number
from callcenter.compliance.policies import Gate, look
from callcenter.compliance.queries import ProposedCall
from callcenter.compliance.rules import screen_customer
from callcenter.compliance.service import hold_number, screen
from callcenter.db import cursor_of, session_scope
from callcenter.domain.enums import Purpose, ScreeningPoint
from callcenter.domain.ids import derived_id
from callcenter.models import Customer

CUSTOMERS = int(os.environ.get("SCREENING_CUSTOMERS", "50000"))
LISTED = int(os.environ.get("SCREENING_LIST", "1000000"))
BATCH, CLAIMS = 500, 2_000
NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
GATE = Gate(("cn-bank",), b"a key of the benchmark, 32 bytes")
KEY_NAME = fingerprint_of(GATE.number_key)
GOAL_PER_S, GOAL_CLAIM_MS = 5_000, 10.0
COUNTRIES = (
    ("+86138{:08d}", "Asia/Shanghai"), ("+86139{:08d}", None), ("+1305{:07d}", "America/New_York"),
    ("+1212{:07d}", None), ("+44770{:07d}", None), ("+49151{:08d}", "Europe/Berlin"), ("+336{:08d}", None),
    ("+3932{:08d}", None), ("+6591{:06d}", "Asia/Singapore"),
)  # fmt: skip


def fill(session: Session) -> None:
    """Make customers, attempts, ledgers and the list."""
    random, cursor = Random(5), cursor_of(session)
    people = []
    for one in range(CUSTOMERS):
        pattern, zone = COUNTRIES[one % len(COUNTRIES)]
        digits = int(pattern[pattern.index(":0") + 2])
        people.append((derived_id("customer", one), pattern.format(2_000_000 + one)[: 20 + digits], zone))
    with cursor.copy(
        "COPY customer (id, external_id, number, time_zone, language, traits, tags, created_at, updated_at)"
        " FROM STDIN"
    ) as copy:
        for place, (customer_id, number, zone) in enumerate(people):
            copy.write_row((customer_id, f"c{place}", number, zone, "en", "{}", "[]", NOW, NOW))
    _fill_attempts(cursor, random, people)
    with cursor.copy(
        "COPY suppression (kind, scope, customer_id, number_hash, key_fingerprint, source, reason, proof,"
        " created_at) FROM STDIN"
    ) as copy:
        for customer_id, number, _ in random.sample(people, CUSTOMERS // 20):
            hashed = hash_number(GATE.number_key, number)
            copy.write_row(("do_not_call", "global", customer_id, hashed, KEY_NAME, "bench", "", "", NOW))
    cursor.execute(
        "INSERT INTO suppression_list (key, source, key_fingerprint, imported_at, as_of, accepted, refused,"
        " in_force) VALUES ('us-dnc', 'bench', %(key)s, %(now)s, %(now)s, %(count)s, 0, true) RETURNING id",
        {"now": NOW, "count": LISTED, "key": KEY_NAME},
    )
    (list_id,) = cursor.fetchone() or (0,)
    with cursor.copy("COPY suppression_list_number (number_hash, list_id) FROM STDIN") as copy:
        for number in range(LISTED):
            copy.write_row((hash_number(GATE.number_key, f"+1415{number:07d}"), list_id))
    cursor.execute("ANALYZE")


def _fill_attempts(cursor: Any, random: Random, people: list[tuple[Any, str, str | None]]) -> None:
    """Ended attempts hang on one call task: the gate asks for people and numbers only."""
    ids = {name: derived_id("bench", name) for name in ("rule", "visit", "firing", "task")}
    first = people[0][0]
    cursor.execute(
        "INSERT INTO trigger_rule (id, rule_key, version, journey, step, preset, state, state_at, definition,"
        " created_at, note, moves_open_visits) VALUES (%s, 'r', 1, 'loan', 's', 'dwell', 'retired', %s, '{}', %s,"
        " '', false)",
        (ids["rule"], NOW, NOW),
    )
    cursor.execute(
        "INSERT INTO visit (id, customer_id, journey, journey_key, visit_seq, step, opened_at, entered_at,"
        " last_activity_at, errors, marks, facts, facts_at, lateness_seconds, looked, fired)"
        " VALUES (%s, %s, 'loan', '', 1, 's', %s, %s, %s, 0, '{}', '{}', '{}', 1, '{}', '[]')",
        (ids["visit"], first, NOW, NOW, NOW),
    )
    cursor.execute(
        "INSERT INTO trigger_firing (id, rule_id, rule_key, visit_id, customer_id, journey, journey_key, step,"
        " visit_seq, anchor_at, due_at, wake_at, fired_at, tries, facts)"
        " VALUES (%s, %s, 'r', %s, %s, 'loan', '', 's', 1, %s, %s, %s, %s, 0, '{}')",
        (ids["firing"], ids["rule"], ids["visit"], first, NOW, NOW, NOW, NOW),
    )
    cursor.execute(
        "INSERT INTO call_task (id, firing_id, rule_key, customer_id, visit_id, journey, journey_key, step,"
        " purpose, state, state_at, priority, promise_seconds, created_at, not_before_at, expires_at, why_no_call,"
        " folded_firings, attempts, offers, facts, language, skill_level, relaxed, raised) VALUES (%s, %s, 'r', %s,"
        " %s, 'loan', '', 's', 'service', 'completed', %s, 50, 60, %s, %s, %s, '[]', 0, 0, 0, '{}', 'en', 1, '[]',"
        " 0)",
        (ids["task"], ids["firing"], first, ids["visit"], NOW, NOW, NOW, NOW),
    )
    with cursor.copy(
        "COPY contact_attempt (id, call_task_id, customer_id, firing_id, to_number, caller_id, state, result,"
        " claimed_at, last_news_at, empty_looks, requests, campaign, purpose, mode, hold_wanted, is_held,"
        " pause_wanted, is_paused) FROM STDIN"
    ) as copy:
        for place, (customer_id, number, _) in enumerate(people):
            for turn in range(random.randrange(4)):
                at = NOW - timedelta(hours=random.randrange(1, 700))
                row = (
                    derived_id("a", place, turn),
                    ids["task"],
                    customer_id,
                    ids["firing"],
                    number,
                    "+15005550006",
                )
                copy.write_row(
                    (*row, "ended", "no_answer", at, at, 0, 1, "loan", "service", "preview", *["f"] * 4)
                )


def per_second(run: Callable[[list[ProposedCall]], object], batches: list[list[ProposedCall]]) -> float:
    """Decisions a second of this process's own time and what it waits for."""
    began = time.perf_counter()
    for batch in batches:
        run(batch)
    return sum(map(len, batches)) / (time.perf_counter() - began)


def measure(engine: Engine) -> dict[str, Any]:
    """Decide about everybody, in bulk and one by one."""
    with session_scope(engine) as session:
        people = session.exec(select(Customer).order_by(col(Customer.external_id))).all()
        calls = [
            ProposedCall(one, Purpose.MARKETING if place % 3 == 0 else Purpose.SERVICE, "loan")
            for place, one in enumerate(people)
        ]
        batches = [calls[at : at + BATCH] for at in range(0, len(calls), BATCH)]
        look(session, GATE, batches[0], NOW)
        decided = per_second(
            lambda batch: [screen_customer(*known, NOW) for known in look(session, GATE, batch, NOW)], batches
        )
        known = [one for batch in batches for one in look(session, GATE, batch, NOW)]
        began = time.perf_counter()
        verdicts = [screen_customer(*one, NOW) for one in known]
        rule_alone = len(known) / (time.perf_counter() - began)
        hashes = [
            [hash_number(GATE.number_key, one.customer.number or "") for one in batch] for batch in batches
        ]
        began = time.perf_counter()
        for batch, hashed in zip(batches, hashes, strict=True):
            bare_queries(session, batch, hashed)
        bare = len(calls) / (time.perf_counter() - began)
        stored = per_second(
            lambda batch: (screen(session, GATE, batch, ScreeningPoint.CLAIM, NOW), session.flush()),
            batches[: max(1, len(batches) // 5)],
        )
    gated, plain = claims(engine, [one.customer.id for one in calls[:CLAIMS]])
    return {
        "customers": len(calls),
        "list_rows": LISTED,
        "allowed_share": round(sum(one.may_call for one in verdicts) / len(verdicts), 3),
        "decisions_per_s": round(decided),
        "stored_decisions_per_s": round(stored),
        "bare_queries_per_s": round(bare),
        "rule_alone_per_s": round(rule_alone),
        "share_of_bare_queries": round(decided / bare, 2),
        "claim_p50_ms": at_share(gated, 0.5),
        "claim_p99_ms": at_share(gated, 0.99),
        "claim_without_gate_p50_ms": at_share(plain, 0.5),
        "claim_without_gate_p99_ms": at_share(plain, 0.99),
        "added_p99_ms": round(at_share(gated, 0.99) - at_share(plain, 0.99), 2),
    }


def bare_queries(session: Session, batch: list[ProposedCall], hashes: list[bytes]) -> None:
    """Send the gate's own statements and read their rows, nothing else."""
    cursor = cursor_of(session)
    people = [one.customer.id for one in batch]
    numbers = [one.customer.number for one in batch]
    cursor.execute(queries._SUPPRESSED, {"people": people, "hashes": hashes, "now": NOW}).fetchall()
    cursor.execute(queries._CONSENTS, {"people": people, "now": NOW}).fetchall()
    asked = {"since": NOW - queries.LOOK_BACK, "not_rung": queries._NOT_RUNG}
    cursor.execute(queries._ATTEMPTS, {"people": people, "numbers": numbers, **asked}).fetchall()


def claims(engine: Engine, ids: list[Any]) -> tuple[list[float], list[float]]:
    """Milliseconds of a claim's transaction with the gate and without, taken in turn."""
    gated, plain = [], []
    for customer_id in ids:
        for spans, is_gated in ((plain, False), (gated, True)):
            began = time.perf_counter()
            with session_scope(engine) as session:
                customer = session.get_one(Customer, customer_id, with_for_update={"key_share": True})
                if is_gated:
                    hold_number(session, customer.number or "")
                    call = ProposedCall(customer, Purpose.SERVICE, "loan")
                    screen(session, GATE, [call], ScreeningPoint.DIAL, NOW)
            spans.append((time.perf_counter() - began) * 1000)
    return gated, plain


def at_share(spans: list[float], share: float) -> float:
    """The span that so many are below, in milliseconds."""
    return round(sorted(spans)[int(len(spans) * share)], 2)


def _filled(engine: Engine) -> dict[str, Any]:
    with session_scope(engine) as session:
        fill(session)
    return measure(engine)


def run(home: Path) -> None:
    """Measure on servers of its own and print a table."""
    results = on_a_fresh_database(_filled)
    table = Table(title="The compliance gate", show_header=False)
    for name, value in results.items():
        table.add_row(name, f"{value:,}")
    Console().print(table)
    met = results["decisions_per_s"] >= GOAL_PER_S and results["added_p99_ms"] <= GOAL_CLAIM_MS
    goals = f"{GOAL_PER_S:,} decisions/s, at most {GOAL_CLAIM_MS:.0f} ms p99 on a claim"
    print(f"goals ({goals}): {'met' if met else 'missed'}")
    out = home / "bench" / "screening.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(orjson.dumps({**results, "machine": platform.processor()}, option=orjson.OPT_INDENT_2))
