# ruff: noqa: E501 - the statements that make the data are read best unbroken
"""How quickly does the studio answer over a large bank's events, and how much of that is the database?

STUDIO_EVENTS journey events (10,000,000) of about one customer in fifty of them over twelve weeks, a fiftieth as
many firings (200,000), a quarter of those with an outcome and their calls, all made in PostgreSQL. Every page of the
studio is asked for STUDIO_ROUNDS times (3) as a signed-in strategist, the application in this process; told is the
median of the server's time with, as the limit beside it, what its statements alone took. Beside the pages: all that
is learned by night, step by step; the tick that looks for surges; and what the same window takes read whole into
polars, which the analyses could have used.
"""

import json
import os
import platform
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
from flask.testing import FlaskClient
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, event, text
from sqlmodel import select

from callcenter import nightly, surging
from callcenter.accounts.service import add_user
from callcenter.app import create_app
from callcenter.commands.migrate import migrate
from callcenter.commands.sample import read_sample
from callcenter.db import cursor_of, read_scope, session_scope
from callcenter.domain.enums import Role
from callcenter.embedded import servers
from callcenter.intake.partitions import keep_partitions
from callcenter.intake.service import add_source
from callcenter.journeys.service import load_journey
from callcenter.models import LearningStep, User
from callcenter.outcomes.service import load_dispositions
from callcenter.reporting.analyses.asked import Model
from callcenter.routing.service import add_agent
from callcenter.runtime import Runtime
from callcenter.triggers.service import adopt_rule
from tests.servers import test_settings

EVENTS = int(os.environ.get("STUDIO_EVENTS", "10000000"))
ROUNDS = int(os.environ.get("STUDIO_ROUNDS", "3"))
FIRINGS = EVENTS // 50
EACH = 6.47
"""Events of one application as they are made below, on average; checked against what came out."""
NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
SINCE = NOW - timedelta(weeks=12)
GOAL_S, NIGHT_GOAL_S = 2.0, 300.0
COUNTED = ("journey_event", "trigger_firing", "outcome", "contact_attempt", "customer", "banded_visit")
BANDED = "id-photo-dwell"
"""The rule whose waits are tried: each of its visits drew one."""

_CUSTOMERS = """
INSERT INTO customer (id, external_id, name, number, time_zone, language, traits, tags, created_at, updated_at)
SELECT md5('c' || n)::uuid, 'c' || n, 'Customer ' || n, '+86138' || lpad(n::text, 8, '0'), 'Asia/Shanghai', 'zh', '{}',
       CASE n % 10 WHEN 0 THEN '["vip"]' WHEN 1 THEN '["salary", "young"]' ELSE '[]' END::jsonb, :since, :since
  FROM generate_series(1, :people) AS n
"""
# Each application enters the steps in their order up to its furthest, a minute or so apart; two in five meet an error.
_EVENTS = """
INSERT INTO journey_event (id, source_id, message_id, customer_id, kind, name, journey, journey_key, step, role, key,
                           event_time, received_at, position, historical, clamped, properties)
SELECT md5('e' || a.n || '-' || s.place)::uuid, :source, a.n || '-' || s.place, a.customer_id, 'page', s.name, 'loan',
       'a' || a.n, s.step, s.role, s.name, t.at, t.at + interval '1.2 seconds', 0, false, false,
       jsonb_build_object('device', (ARRAY['Pixel 8', 'iPhone 15', 'Mate 60', 'Redmi 13'])[a.n % 4 + 1],
                          'app_version', '4.' || a.n % 6, 'channel', (ARRAY['app', 'web'])[a.n % 2 + 1])
         || CASE WHEN s.role = 'error' THEN jsonb_build_object('reason', (ARRAY['glare', 'blurred'])[a.n % 2 + 1])
                 WHEN s.step = 'withdrawn' THEN jsonb_build_object('amount', 1000 + a.n % 50 * 100) ELSE '{}' END
  FROM (SELECT n, md5('c' || (hashint8(n) & 2147483647) % :people + 1)::uuid AS customer_id,
               CAST(:since AS timestamptz) + (hashint8(n + 7) & 2147483647) / 2147483648.0
                   * (CAST(:now AS timestamptz) - CAST(:since AS timestamptz)) AS at,
               power((hashint8(n + 13) & 1023) / 1024.0, 0.6) * 9 + 1 AS furthest,
               (hashint8(n + 17) & 255) AS luck
          FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n) a
  JOIN (VALUES (1, 'register', 'register', 'enter'), (2, 'sign_in', 'sign_in', 'enter'),
               (3, 'id_photo', 'id_photo_front', 'enter'), (3, 'id_photo', 'photo_rejected', 'error'),
               (4, 'face_scan', 'face_scan', 'enter'), (5, 'profile', 'profile', 'enter'),
               (6, 'bind_card', 'bind_card', 'enter'), (7, 'credit_granted', 'credit_granted', 'enter'),
               (8, 'withdraw', 'withdraw', 'enter'), (9, 'withdrawn', 'loan_withdrawn', 'enter'))
       AS s(place, step, name, role) ON s.place <= a.furthest AND (s.role = 'enter' OR a.luck < 100)
  CROSS JOIN LATERAL (SELECT a.at + s.place * (20 + a.luck) * interval '1 second'
                             + (s.role = 'error')::int * interval '9 seconds' AS at) t
 WHERE t.at < :now
"""
_FIRINGS = """
WITH made AS (
    SELECT n, md5('c' || n % :people + 1)::uuid AS customer_id,
           CAST(:since AS timestamptz) + n::float8 / :firings * interval '84 days' AS at, r.id AS rule_id, r.rule_key
      FROM generate_series(1, :firings) AS n
      JOIN (SELECT id, rule_key, row_number() OVER (ORDER BY rule_key) - 1 AS place, count(*) OVER () AS many
              FROM trigger_rule WHERE state = 'live') r ON r.place = n % r.many
), visits AS (
    INSERT INTO visit (id, customer_id, journey, journey_key, visit_seq, step, opened_at, entered_at, last_activity_at,
                       errors, marks, facts, facts_at, lateness_seconds, looked, fired, closed_at, "end")
    SELECT md5('v' || n)::uuid, customer_id, 'loan', 'a' || n, n, 'id_photo', at, at, at, 1, '{}', '{}', '{}', 5, '{}',
           '[]', at + interval '1 hour', 'silent' FROM made
)
INSERT INTO trigger_firing (id, rule_id, rule_key, visit_id, customer_id, journey, journey_key, step, visit_seq,
                            anchor_at, due_at, wake_at, fired_at, decided_at, fate, tries, facts, holdout_share)
SELECT md5('f' || n)::uuid, rule_id, rule_key, md5('v' || n)::uuid, customer_id, 'loan', 'a' || n, 'id_photo', n, at, at,
       at, at, at, CASE WHEN n % 5 = 0 THEN 'held_out' ELSE 'task' END, 0, '{}', 0.2 FROM made
"""
_TASKS = """
INSERT INTO call_task (id, firing_id, rule_key, customer_id, visit_id, journey, purpose, journey_key, step, state,
                       state_at, priority, promise_seconds, created_at, not_before_at, expires_at, why_no_call,
                       folded_firings, attempts, offers, script_id, script_version, script_variant, facts, closed_at,
                       language, skill_level, relaxed, raised)
SELECT md5('t' || visit_seq)::uuid, id, rule_key, customer_id, visit_id, 'loan', 'service', journey_key, step, 'completed',
       fired_at, 50, 60, fired_at, fired_at, fired_at + interval '1 hour', '[]', 0, 1, 1, 'id_photo_glare', '1',
       (ARRAY['A', 'B'])[visit_seq % 2 + 1], '{}', fired_at + interval '10 minutes', 'zh', 1, '[]', 0
  FROM trigger_firing WHERE fate = 'task'
"""
_CALLS = """
INSERT INTO contact_attempt (id, call_task_id, customer_id, agent_id, firing_id, to_number, caller_id, state, result,
                             carrier_ref, claimed_at, bridged_at, ended_at, last_news_at, empty_looks, requests,
                             talk_seconds, script_id, script_version, script_variant, campaign, purpose, mode, hold_wanted,
                             is_held, pause_wanted, is_paused)
SELECT md5('x' || f.visit_seq)::uuid, t.id, f.customer_id, :agent, f.id, '+8613800000000', '+15005550006', 'ended',
       CASE WHEN f.visit_seq % 3 > 0 THEN 'completed' ELSE 'no_answer' END, 'CA' || f.visit_seq,
       f.fired_at + interval '1 minute', CASE WHEN f.visit_seq % 3 > 0 THEN f.fired_at + interval '80 seconds' END,
       f.fired_at + interval '4 minutes', f.fired_at + interval '4 minutes', 0, 1, 120, t.script_id, '1',
       t.script_variant, 'loan', 'service', 'preview', false, false, false, false
  FROM trigger_firing f JOIN call_task t ON t.firing_id = f.id
"""
_OUTCOMES = """
INSERT INTO outcome (firing_id, customer_id, journey, journey_key, goal_position, window_from, window_until,
                     converted_at, converted_step, facts)
SELECT id, customer_id, 'loan', journey_key, 8, fired_at, fired_at + interval '7 days',
       CASE WHEN visit_seq % 9 < (CASE fate WHEN 'task' THEN 3 ELSE 2 END) THEN fired_at + interval '2 hours' END,
       'withdrawn', '{}'
  FROM trigger_firing WHERE visit_seq % 4 = 0 OR fate = 'held_out' AND visit_seq % 20 = 5
"""
# What agents said of every call that reached somebody, and the wait that each visit of one rule had drawn.
_SAID = """
INSERT INTO disposition (attempt_id, kind_code, agent_id, at, causes, note, wrap_up_seconds)
SELECT id, (ARRAY['done_on_call', 'will_finish', 'not_interested'])[(hashtext(carrier_ref) & 1023) % 3 + 1], agent_id, ended_at,
       CASE WHEN (hashtext(carrier_ref) & 1023) % 2 = 0 THEN '["technical"]' ELSE '["trust"]' END::jsonb, '', 30
  FROM contact_attempt WHERE result = 'completed'
"""
_BANDED = """
INSERT INTO banded_visit (rule_id, visit_id, rule_key, customer_id, at, until_at, wait_seconds, probability, errors,
                          minutes)
SELECT rule_id, visit_id, rule_key, customer_id, fired_at, fired_at + interval '1 day',
       (ARRAY[120, 180, 240])[drawn % 3 + 1], CASE drawn % 3 WHEN 1 THEN 0.4 ELSE 0.3 END, visit_seq % 3, 1.5
  FROM (SELECT *, (hashint8(visit_seq) & 2147483647) % 30 AS drawn FROM trigger_firing WHERE rule_key = :banded) f
"""

_CHUNK = 200_000
"""Applications made in one statement."""


class Watch:
    """Adds up what statements take in the database, and keeps each for a look."""

    def __init__(self, engine: Engine) -> None:
        self.seconds = 0.0
        self.slowest: tuple[float, str] = (0.0, "")
        event.listen(engine, "before_cursor_execute", self._begins)
        event.listen(engine, "after_cursor_execute", self._ends)

    def _begins(self, conn: Any, *_: object) -> None:
        conn.info["began"] = time.perf_counter()

    def _ends(self, conn: Any, _cursor: object, statement: str, *_: object) -> None:
        took = time.perf_counter() - conn.info["began"]
        self.seconds += took
        self.slowest = max(self.slowest, (took, statement))


def fill(engine: Engine) -> dict[str, Any]:
    """Make the bank, its customers and everything that happened to them."""
    began = time.perf_counter()
    with session_scope(engine) as session:
        load_dispositions(session, read_sample("dispositions.yaml"))
        journey = load_journey(session, read_sample("loan.yaml"), [], SINCE)
        for rule in read_sample("rules.yaml"):
            band = {"band": {"share": 0.6, "waits": ["2m", "4m"]}} if rule["rule"] == BANDED else {}
            adopt_rule(session, {**rule, **band}, journey, SINCE)
        source = add_source(session, "bench", "key", 1.0, SINCE)
        add_user(session, "strategist", "The strategist", Role.STRATEGIST, "a-long-password", SINCE)
        agent = add_user(session, "agent", "The agent", Role.AGENT, "a-long-password", SINCE)
        add_agent(session, agent.id, "Loan desk A", SINCE)
        keep_partitions(session, SINCE, NOW + timedelta(weeks=1))
        told = {
            "people": max(1_000, EVENTS // 50), "firings": FIRINGS, "since": SINCE, "now": NOW,
            "source": source.id, "agent": agent.id, "banded": BANDED,
        }  # fmt: skip
        session.execute(text(_CUSTOMERS), told)
    applications = round(EVENTS / EACH)
    for first in range(1, applications + 1, _CHUNK):
        with session_scope(engine) as session:
            session.execute(text("SET LOCAL statement_timeout = 0"))
            bounds = {"first": first, "last": min(applications, first + _CHUNK - 1)}
            session.execute(text(_EVENTS), told | bounds)
    with session_scope(engine) as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        cursor_of(session).execute("ALTER TABLE contact_attempt DISABLE TRIGGER USER")
        for statement in (_FIRINGS, _TASKS, _CALLS, _OUTCOMES, _SAID, _BANDED):
            session.execute(text(statement), told)
        cursor_of(session).execute("ALTER TABLE contact_attempt ENABLE TRIGGER USER")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE"))
        counts = {
            name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in COUNTED
        }
    return {**counts, "fill_s": round(time.perf_counter() - began)}


def pages() -> Iterator[str]:
    """Every page of the studio, the analyses in several windows and splits."""
    yield from ("/studio?days=1", "/studio?days=7", "/studio?days=28", "/studio?days=7&step=id_photo")
    yield from ("/studio/rules", f"/studio/rules/{BANDED}", "/studio/why", "/studio/offers")
    yield from ("/studio/effects", "/studio/effects/scripts", "/studio/effects/branches")
    yield from ("/studio/effects.csv", "/studio/segments", "/studio/proposals", "/studio/learning")
    yield from ("/studio/effects?window=28", "/studio/effects?window=version")
    yield f"/studio/effects/people?rule={BANDED}&part=reached&window=version"
    yield from ("/studio/scripts", "/studio/scripts/id_photo_glare.zh", "/studio/scripts/what-helps")
    yield from ("/studio/voice", "/studio/voice/suggestions", "/studio/voice/surveys")
    for model in Model:
        for days in (7, 28, 90):
            yield f"/studio/analyses?model={model.value}&days={days}"
        for split in ("device", "tag", "rule", "script", "hour"):
            yield f"/studio/analyses?model={model.value}&days=28&split={split}"
    yield "/studio/analyses?model=event&measure=errors&days=28&split=app_version"
    yield "/studio/analyses?model=attribution&measure=campaign&days=28"
    yield "/studio/analyses.xlsx?model=funnel&days=28&split=device"


def _client(runtime: Runtime) -> FlaskClient:
    app = create_app(runtime)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    client = app.test_client()
    with runtime.reading() as session:
        user = session.exec(select(User).where(User.login == "strategist")).one()
    with client.session_transaction() as kept:
        kept["_user_id"], kept["_fresh"] = str(user.id), True
    return client


def _asks(client: FlaskClient, watch: Watch, address: str) -> dict[str, Any]:
    took, bare = [], []
    for _ in range(ROUNDS):
        watch.seconds, watch.slowest = 0.0, (0.0, "")
        began = time.perf_counter()
        answer = client.get(address)
        took.append(time.perf_counter() - began)
        bare.append(watch.seconds)
        assert answer.status_code == 200, (address, answer.status_code)
    counted = re.search(r"one in ([\d,]+) customers", answer.text) if "xlsx" not in address else None
    return {
        "page": address,
        "first_s": round(took[0], 3),
        "median_s": round(statistics.median(took), 3),
        "queries_s": round(statistics.median(bare), 3),
        "one_in": int(counted[1].replace(",", "")) if counted else 1,
    }


def _people(client: FlaskClient) -> list[str]:
    html = client.get("/studio/analyses?model=funnel&days=28").text
    behind = re.findall(r'href="(/studio/analyses/people[^"]*)"', html)[3].replace("&amp;", "&")
    person = re.findall(r'href="(/studio/people/[^"]*)"', client.get(behind).text)[0]
    return [behind, person]


@contextmanager
def _timed(into: dict[str, Any], name: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    into[name] = round(time.perf_counter() - began, 3)


def _by_columns(engine: Engine) -> dict[str, Any]:
    """The other way: the window of 28 days read whole into columns, and its funnel counted there."""
    told: dict[str, Any] = {}
    with read_scope(engine) as session, _timed(told, "extract_28_days_s"):
        cursor, out = cursor_of(session), BytesIO()
        cursor.execute("SET LOCAL statement_timeout = 0")
        with cursor.copy(
            "COPY (SELECT customer_id, journey_key, step, role, event_time FROM journey_event WHERE journey = 'loan'"
            " AND event_time >= %s AND event_time < %s) TO STDOUT (FORMAT csv)",
            (NOW - timedelta(days=28), NOW),
        ) as copy:
            for block in copy:
                out.write(block)
        out.seek(0)
        frame = pl.read_csv(out, has_header=False, new_columns=["customer", "key", "step", "role", "at"])
    told["extract_events"] = frame.height
    told["extract_mb"] = round(frame.estimated_size("mb"))
    with _timed(told, "funnel_of_extract_s"):
        entered = frame.lazy().filter(pl.col("role") == "enter").group_by("customer", "key", "step")
        entered.agg(pl.col("at").min()).group_by("step").len().collect()
    return told


def _night(runtime: Runtime) -> dict[str, Any]:
    """Learn everything that is learned by night, once: what its steps took and said, and its statements' share."""
    with runtime.unit_of_work() as session:
        run_id = nightly.ask_for_run(session, None, NOW)
    steps: dict[str, float] = {}
    watch, began = Watch(runtime.engine), time.perf_counter()
    last = began
    for name in nightly.carry_out(runtime.unit_of_work, runtime.house, run_id, runtime.clock):
        steps[name], last = round(time.perf_counter() - last, 1), time.perf_counter()
    took = time.perf_counter() - began
    with runtime.reading() as session:
        kept = session.exec(select(LearningStep).where(LearningStep.run_id == run_id)).all()
    assert all(one.error is None for one in kept), [one.error for one in kept]
    return {
        "night_s": round(took, 1),
        "night_queries_s": round(watch.seconds, 1),
        "night_steps_s": steps,
        "night_said": {one.name: one.summary for one in kept},
    }


def measure(runtime: Runtime) -> dict[str, Any]:
    """Fill once, then ask for everything: before the night and, what shows what it has learned, after it."""
    made = fill(runtime.engine)
    print(made, flush=True)
    watch = Watch(runtime.engine)
    client = _client(runtime)
    client.get("/studio/scripts")  # reads the library, which every process does once
    asked = []
    for address in [*pages(), *_people(client)]:
        asked.append(_asks(client, watch, address))
        print(asked[-1], flush=True)
    told = _night(runtime)
    print(told, flush=True)
    for address in ("/studio/proposals", "/studio/learning", "/studio/effects/scripts"):
        asked.append({**_asks(client, watch, address), "page": f"{address} (after the night)"})
    slowest = max(asked, key=lambda one: one["median_s"])
    with session_scope(runtime.engine) as session, _timed(told, "surge_tick_s"):
        surging.note_surges(session, NOW)
    return {
        **made,
        "slowest_page_s": slowest["median_s"],
        "slowest_page": slowest["page"],
        "slowest_first_s": max(one["first_s"] for one in asked),
        "slowest_queries_s": max(one["queries_s"] for one in asked),
        "night_over_goal": told["night_s"] > NIGHT_GOAL_S,
        "pages_over_goal": [one["page"] for one in asked if one["median_s"] > GOAL_S],
        **told,
        **_by_columns(runtime.engine),
        "pages": asked,
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]},
    }


def run(home: Path) -> None:
    """Measure, print a table and write `home/bench/studio.json`."""
    with tempfile.TemporaryDirectory(prefix="cc-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711 if os.geteuid() == 0 else 0o700)
        settings = test_settings(Path(folder) / "home")
        with servers(settings, durable=False) as running:
            migrate(running.database_url)
            runtime = Runtime(
                test_settings(
                    Path(folder) / "home", DATABASE_URL=running.database_url, REDIS_URL=running.redis_url,
                    SECRET_KEY="a-secret-of-the-benchmark-of-thirty-two",
                ),
                lambda: NOW,
            )  # fmt: skip
            try:
                result = measure(runtime)
            finally:
                runtime.engine.dispose()
    table = Table(
        "page", "median s", "queries s", "1 in", title=f"the studio over {result['journey_event']:,} events"
    )
    for one in result["pages"]:
        table.add_row(one["page"], f"{one['median_s']:.2f}", f"{one['queries_s']:.2f}", str(one["one_in"]))
    Console().print(table)
    Console().print({name: value for name, value in result.items() if name != "pages"})
    target = home / "bench" / "studio.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
