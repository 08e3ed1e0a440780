"""What the database says of itself is not taken for anything the senders did, under whatever name it says so.

Every state is raised inside PostgreSQL, once behind a plain cursor and once behind SQLAlchemy.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from callcenter.db import cursor_of, make_engine, read_scope, session_scope, speaks_of_the_database
from callcenter.embedded import Servers
from callcenter.intake.rules import EventBatch
from callcenter.models import EventSource
from callcenter.web.collector_groups import TogetherStore
from tests.web.collector import Collector, collector_on, track

STATES = {
    "08006": "connection failure",
    "08P01": "protocol violation",
    "0A000": "a cached plan of an older schema",
    "25006": "read-only transaction",
    "25P03": "idle in transaction for too long",
    "25P04": "transaction for too long",
    "26000": "prepared statement is gone",
    "28000": "not admitted",
    "3D000": "no such database",
    "40001": "serialization failure",
    "40P01": "deadlock",
    "42P01": "a table that is not there yet",
    "42703": "a column that is not there yet",
    "42501": "not allowed, as on a disk that has become read-only",
    "53000": "insufficient resources",
    "53100": "disk full",
    "53200": "out of memory",
    "53300": "too many connections",
    "53400": "configuration limit exceeded",
    "55000": "not in the state needed",
    "55006": "object in use",
    "55P03": "lock not available",
    "57014": "canceled, as by a statement's time-out",
    "57P01": "shut down by the administrator",
    "57P02": "crashed",
    "57P03": "cannot connect now",
    "58000": "system error",
    "58030": "input or output error",
    "72000": "snapshot too old",
    "XX000": "internal error, as a file that may not grow",
    "XX001": "data corrupted",
}
FAULTS = {
    "21000": "a row twice",
    "22003": "number out of range",
    "22021": "not a character",
    "22P02": "not a value of its type",
    "23502": "empty",
    "23505": "there already",
    "23514": "against a check",
    "54000": "too long for an index",
    "54001": "too deep",
}
"""What an event may bring about by what it says."""
RAISE = "DO $$ BEGIN RAISE EXCEPTION 'trouble' USING ERRCODE = '{}'; END $$"
TROUBLE = """
CREATE TABLE trouble (code text);
CREATE FUNCTION make_trouble() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wanted text := (SELECT code FROM trouble);
BEGIN
    IF wanted IS NOT NULL THEN RAISE EXCEPTION 'trouble' USING ERRCODE = wanted; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER trouble BEFORE INSERT ON event_receipt FOR EACH ROW EXECUTE FUNCTION make_trouble();
CREATE TRIGGER trouble BEFORE INSERT ON quarantined_event FOR EACH ROW
    WHEN (NEW.code <> 'poison') EXECUTE FUNCTION make_trouble();
"""


def by_cursor(session: Session, statement: str) -> None:
    cursor_of(session).execute(statement.encode())


def by_sqlalchemy(session: Session, statement: str) -> None:
    session.execute(text(statement))


Way = Callable[[Session, str], None]
WAYS = (by_cursor, by_sqlalchemy)


@pytest.fixture(scope="module")
def engine(fresh_database: Callable[[str], str]) -> Iterator[Engine]:
    """A database where things are said."""
    made = make_engine(fresh_database("states"))
    yield made
    made.dispose()


@pytest.mark.parametrize("scope", [session_scope, read_scope])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("code", STATES)
def test_a_state_of_the_database_is_an_operational_error(
    engine: Engine, code: str, way: Way, scope: Any
) -> None:
    with pytest.raises(OperationalError) as raised, scope(engine) as session:
        way(session, RAISE.format(code))
    assert getattr(raised.value.orig, "sqlstate", None) == code
    assert "SELECT" not in str(raised.value) and speaks_of_the_database(raised.value)
    with scope(engine) as session:
        by_cursor(session, "SELECT 1")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("code", FAULTS)
def test_a_fault_of_what_was_written_is_none(engine: Engine, code: str, way: Way) -> None:
    with pytest.raises((DBAPIError, psycopg.Error)) as raised, session_scope(engine) as session:
        way(session, RAISE.format(code))
    assert not isinstance(raised.value, OperationalError | psycopg.OperationalError)
    assert not speaks_of_the_database(raised.value)


@pytest.mark.parametrize("way", WAYS)
def test_a_connection_that_is_cut_is_a_state(engine: Engine, way: Way) -> None:
    with pytest.raises(OperationalError), session_scope(engine) as session:
        way(session, "SELECT pg_terminate_backend(pg_backend_pid())")
    with session_scope(engine) as session:
        way(session, "SELECT 1")


def test_a_connection_closed_on_our_side_is_a_state(engine: Engine) -> None:
    with pytest.raises(OperationalError), session_scope(engine) as session:
        cursor = cursor_of(session)
        cursor.connection.close()
        cursor.execute("SELECT 1")


def test_no_free_connection_is_a_state(engine: Engine) -> None:
    with pytest.raises(OperationalError), session_scope(engine):
        raise PoolTimeout("there is none")


# -- what senders are told ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def collector(
    fresh_database: Callable[[str], str], server_pair: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Collector]:
    """A collector whose database makes the trouble that is asked for."""
    url = fresh_database("trouble")
    with collector_on(tmp_path_factory.mktemp("trouble"), url, server_pair.redis_url) as made:
        with made.runtime.unit_of_work() as session:
            by_cursor(session, TROUBLE)
        yield made


def make_trouble(collector: Collector, code: str | None) -> None:
    with collector.runtime.unit_of_work() as session:
        session.execute(text("DELETE FROM trouble"))
        session.execute(text("INSERT INTO trouble VALUES (:code)"), {"code": code})


@pytest.mark.parametrize("refused_too", [False, True], ids=["by cursor", "by SQLAlchemy"])
@pytest.mark.parametrize("code", STATES)
def test_senders_are_told_to_come_again_and_then_everything_is_taken(
    collector: Collector, code: str, refused_too: bool
) -> None:
    """With nothing but an event that is refused, it is the quarantine, written by SQLAlchemy, that cannot be."""
    events = [{"type": "track"}] if refused_too else [track(), track()]
    before = collector.totals()
    make_trouble(collector, code)
    answer = collector.batch(*events)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json and answer.json["code"] == "unavailable" and "trouble" not in answer.json["message"]
    make_trouble(collector, None)
    assert collector.totals() == before, "nothing is half taken, and nothing is called poison"
    assert collector.batch(*events).status_code == 200
    assert sum(collector.totals()) == sum(before) + len(events)


@pytest.mark.parametrize("code", FAULTS)
def test_what_an_event_brings_about_is_kept_as_poison(collector: Collector, code: str) -> None:
    before = collector.totals()
    make_trouble(collector, code)
    answer = collector.batch(track())
    make_trouble(collector, None)
    assert (answer.status_code, answer.json and answer.json["accepted"]) == (200, 0)
    (kept,) = collector.refused(before[1])
    assert kept.code == "poison"


class Away:
    """Units of work on a database that cannot now; the first begins only when others wait behind it."""

    def __init__(self, error: psycopg.Error, waiting: int) -> None:
        self.error, self.count, self.waiting = error, 0, waiting
        self.store = TogetherStore(self)

    @contextmanager
    def __call__(self) -> Iterator[Session]:
        self.count += 1
        while self.count == 1 and len(self.store._waiting) < self.waiting:
            threading.Event().wait(0.01)
        if self.error:
            raise OperationalError(None, None, self.error)
        yield Session()

    def send(self) -> Exception | None:
        """Send one request; return what it was told."""
        source = EventSource(id=uuid4(), name="app", created_at=datetime.now(UTC))
        try:
            self.store.store(source, EventBatch((), ()), datetime.now(UTC))
        except OperationalError as error:
            return error
        return None


@pytest.mark.parametrize(
    ("error", "units"),
    [(psycopg.errors.LockNotAvailable(), 1), (psycopg.errors.DeadlockDetected(), 5)],
    ids=["who waits is told too", "who was in the way is tried alone"],
)
def test_nobody_waits_in_turn_for_a_database_that_cannot_now(error: psycopg.Error, units: int) -> None:
    away = Away(error, waiting=3)
    with ThreadPoolExecutor(4) as pool:
        told = [one.result(10) for one in [pool.submit(away.send) for _ in range(4)]]
    assert all(told)
    assert away.count == units, "the first, those behind it together, and each of them alone"
