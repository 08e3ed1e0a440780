"""50,000 events through public SDKs while processes are killed: each is stored once, each rule fires as it should.

What should fire is told by a plain reading of the rules (`tests.semantics.oracle`), fed with what is stored and
when it came in. Deadlines lie far behind the last event of their customer, so what was known at each is certain;
a customer whose events came in later than that, because the machine is slow, is left out.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.faults.errands import (
    CUSTOMERS,
    EVENTS,
    FIRST_DEADLINE,
    JOURNEY,
    LAST_DEADLINE,
    RULES,
    Act,
    stories,
)
from tests.faults.killer import WHILE_FIRING, Killer
from tests.semantics.oracle import Event, Fired, Moment, firings
from tests.system import ROOT, System, running_system, wait_for, zone_in_hours

SEED = 20_261_122
SENDERS = 3
LATENESS = 2
SOURCE = "errand-app"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STORED = """
SELECT e.message_id, split_part(e.message_id, '-', 1) AS application, e.event_time, e.received_at,
       e.position, e.historical, c.external_id AS owner
  FROM journey_event e JOIN event_source s ON s.id = e.source_id JOIN customer c ON c.id = e.customer_id
 WHERE s.name = %s ORDER BY e.received_at, e.position
"""
FIRED = """
SELECT f.rule_key, f.journey_key, f.journey_key AS application, f.visit_seq, f.anchor_at, f.due_at,
       f.fired_at, f.fate, c.external_id AS owner
  FROM trigger_firing f JOIN customer c ON c.id = f.customer_id WHERE f.journey = 'loan'
"""
OVERDUE = "SELECT id FROM visit WHERE wake_at < now() LIMIT 1"
UNDECIDED = "SELECT id FROM trigger_firing WHERE fate IS NULL LIMIT 1"
UNDONE = """
SELECT id FROM outbox_message
 WHERE done_at IS NULL AND (due_at <= now() OR tries > 0 OR failed_at IS NOT NULL) LIMIT 1
"""
Row = dict[str, Any]
Story = dict[tuple[str, str], list[Fired]]
"""The firings of each course: whose, and of which application."""


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    """An instance of its own: so many kills make `up` slow to start processes again."""
    with (
        tempfile.TemporaryDirectory(prefix="cc-", ignore_cleanup_errors=True) as folder,
        running_system(Path(folder)) as running,
    ):
        yield running


def callcenter(system: System, *words: str) -> str:
    """Run the `callcenter` command beside the instance; return what it says."""
    ran = subprocess.run(
        [sys.executable, "-m", "callcenter.cli", *words],
        cwd=ROOT,
        env={**os.environ, **system.environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def set_up(system: System) -> str:
    """Load the journey, its rules and a source by the command line; return the source's write key."""
    for name, content in (("journey", JOURNEY), ("rules", list(RULES))):
        (system.home.parent / f"{name}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    with ThreadPoolExecutor() as pool:
        source = pool.submit(callcenter, system, "sources", "add", SOURCE, "--lateness", str(LATENESS))
        callcenter(system, "journeys", "load", str(system.home.parent / "journey.yaml"))
        callcenter(system, "rules", "adopt", str(system.home.parent / "rules.yaml"))
        return source.result().split()[-1]


def send_all(system: System, key: str, zone: str) -> list[dict[str, Any]]:
    """Let the senders send all stories; return what each says of it."""

    def run(number: int) -> dict[str, Any]:
        wanted = {"host": system.base_url, "key": key, "seed": SEED, "zone": zone}
        ran = subprocess.run(
            [
                sys.executable,
                "-m",
                "tests.faults.sender",
                json.dumps({**wanted, "number": number, "of": SENDERS}),
            ],
            cwd=ROOT,
            env={**os.environ, "NO_PROXY": "127.0.0.1"},
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr[-2000:]
        said: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
        return said

    with ThreadPoolExecutor(SENDERS) as pool:
        return list(pool.map(run, range(SENDERS)))


# -- what should have fired --------------------------------------------------------------------------------


def seconds(at: datetime) -> Any:
    """A time in the oracle's unit, which may have decimals as long as they are exact."""
    return Decimal((at - EPOCH) // timedelta(microseconds=1)).scaleb(-6)


def told_by_the_oracle(rows: Sequence[Row], acts: Mapping[str, Act], end: datetime) -> Story:
    """What should have fired for one customer, and for their device while nobody knew whose it is.

    `rows` are what is stored of them, as it came in: each request was stored at once.
    """
    requests: dict[datetime, list[Event]] = defaultdict(list)
    for row in rows:
        act = acts[row["message_id"]]
        event = Event(seconds(row["event_time"]), act.message_id, act.user or "", act.application, act.name)
        requests[row["received_at"]].append(replace(event, amount=act.amount, device=act.device or ""))
    course = [Moment(seconds(at), tuple(events)) for at, events in requests.items()]
    return firings(JOURNEY, RULES, LATENESS, [*course, Moment(seconds(end))])


def as_stored(fired: Sequence[Row], device: str | None) -> Story:
    """What has fired for one customer, as the oracle tells it."""
    story: Story = defaultdict(list)
    for row in fired:
        one = Fired(row["rule_key"], row["visit_seq"], seconds(row["anchor_at"]), seconds(row["due_at"]))
        story[row["owner"] or f"device {device}", row["journey_key"]].append(one)
    return {course: sorted(found) for course, found in story.items()}


def by_application(rows: Sequence[Row]) -> Mapping[str, list[Row]]:
    """Rows by their customer: an application has one."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["application"]].append(row)
    return found


def differences(
    rows_of: Mapping[str, Sequence[Row]],
    fired: Sequence[Row],
    told: Sequence[Sequence[Act]],
    certain: Set[str],
) -> list[Any]:
    """The customers for whom something else is stored than the oracle tells."""
    last = max(row["received_at"] for rows in rows_of.values() for row in rows)
    end, fired_of = last + timedelta(seconds=2 * LAST_DEADLINE), by_application(fired)
    wrong: list[Any] = []
    for story in told:
        application, acts = story[0].application, {act.message_id: act for act in story}
        if application not in certain:
            continue
        should = told_by_the_oracle(rows_of[application], acts, end)
        found = as_stored(fired_of.get(application, []), story[0].device)
        if found != should:
            wrong.append((application, found, should))
    return wrong


# -- the test ----------------------------------------------------------------------------------------------


def is_certain(rows: Sequence[Row]) -> bool:
    """Whether all that one customer did had come in before anybody looked at a deadline of theirs."""
    first, last = min(row["event_time"] for row in rows), max(row["received_at"] for row in rows)
    return bool(last - first < timedelta(seconds=FIRST_DEADLINE))


def wait_until_all_is_done(system: System) -> None:
    """Wait until the last deadline has passed, and then until nothing is overdue, undecided or undone."""
    last = system.row("SELECT max(last_activity_at) AS at FROM visit")["at"]
    ends = last + timedelta(seconds=LAST_DEADLINE + LATENESS + 1)
    time.sleep(max(0.0, (ends - datetime.now(UTC)).total_seconds()))
    wait_for(system.is_ready, 45, "readiness")
    for statement, why in ((OVERDUE, "clocks"), (UNDECIDED, "firings"), (UNDONE, "messages")):
        deadline = time.monotonic() + 60
        while system.rows(statement):
            assert time.monotonic() < deadline, f"there are still {why} left: {system.last_words()}"
            time.sleep(0.5)


def figures(
    said: Sequence[Row], killer: Killer, stored: Sequence[Row], fired: Sequence[Row], certain: Set[str]
) -> str:
    """What a reader wants to know of the run."""
    seconds = max(one["seconds"] for one in said)
    late = sorted((row["fired_at"] - row["due_at"]).total_seconds() for row in fired)
    lines = (
        f"{sum(one['sent'] for one in said):,} events sent in {seconds:.0f} s ({EVENTS / seconds:,.0f}/s),"
        f" {len(stored):,} stored in {len({row['received_at'] for row in stored}):,} requests",
        f"killed: {dict(killer.kills)}; the SDKs tried again {sum(one['retries'] for one in said)} times",
        f"firings: {dict(Counter(row['rule_key'] for row in fired))}",
        f"fates: {dict(Counter(row['fate'] for row in fired))}",
        f"fired after the deadline, s: median {late[len(late) // 2]:.1f}, last {late[-1]:.1f}",
        f"held against the rules read plainly: {len(certain):,} of {CUSTOMERS:,} customers",
    )
    return "\n" + "\n".join(lines)


@pytest.mark.timeout(400)
def test_fifty_thousand_events_are_stored_once_and_fire_what_they_should_through_kills(
    system: System,
) -> None:
    key, zone = set_up(system), zone_in_hours(datetime.now(UTC))
    told = stories(SEED, zone)
    sent = {act.message_id for story in told for act in story}
    assert len(sent) == EVENTS
    with Killer(system, SEED) as killer:
        said = send_all(system, key, zone)
        killer.victims = WHILE_FIRING
        time.sleep(FIRST_DEADLINE / 2)
    wait_until_all_is_done(system)

    stored, fired = system.rows(STORED, SOURCE), system.rows(FIRED)
    rows_of = by_application(stored)
    certain = {application for application, rows in rows_of.items() if is_certain(rows)}
    print(figures(said, killer, stored, fired, certain))  # noqa: T201 - for who runs it with -s
    assert [one["given_up"] for one in said] == [[]] * SENDERS
    assert len(stored) == EVENTS
    assert {row["message_id"] for row in stored} == sent
    assert system.rows("SELECT code, message FROM quarantined_event") == []
    assert not any(row["historical"] for row in stored)
    users = {story[0].application: story[-1].user for story in told}
    assert [row for row in stored if row["owner"] != users[row["application"]]] == []
    assert len(certain) > 0.9 * CUSTOMERS, "this machine is so slow that events come in after deadlines"
    assert differences(rows_of, fired, told, certain) == []
    assert {row["rule_key"] for row in fired} == {rule["rule"] for rule in RULES}, "every rule was tested"
    assert sum(killer.kills.values()) >= 10
    assert system.rows("SELECT id FROM call_task LIMIT 1"), "those who gave a number can be called"
