"""Old weeks of events leave the database for files: none is lost, none counts twice, wherever it stops."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from callcenter.backtest.run import Tried, run_back_test
from callcenter.backtest.store import StoredEvents
from callcenter.backtest.values import BackTest
from callcenter.commands.events import events
from callcenter.commands.import_events import load_mapping, run_import
from callcenter.errors import Unavailable
from callcenter.intake import archive
from callcenter.intake.archive import (
    ArchiveDamaged,
    ArchivedWeek,
    archive_old_weeks,
    archived_weeks,
    partitions,
    tend_partitions,
)
from callcenter.intake.storing import EVENT_COLUMNS
from callcenter.journeys.policy import read_journey
from callcenter.models import JourneyEvent
from callcenter.runtime import Runtime
from callcenter.triggers.policy import read_rule
from tests.flow.test_backtest import JOURNEY_FILE, RULE
from tests.servers import plain_url, test_settings

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 18, tzinfo=UTC)
MAPPING = (
    "source: log\njourney: offers.yaml\n"
    "columns: {customer: who, journey_key: key, activity: what, time: at}\n"
    "properties: {note: note}\n"
)
NOTES = ('plain "quoted", and a comma', "back\\slash", "", "two  spaces", "中文", "null", "\\N")
"""Texts that a file of rows could get wrong."""


def log_of(*lines: str) -> str:
    """An event log, each line with a note that is hard to write down."""
    rows = [
        f'{line},"{NOTES[place % len(NOTES)].replace(chr(34), 2 * chr(34))}"'
        for place, line in enumerate(lines)
    ]
    return "\n".join(["who,key,what,at,note", *rows]) + "\n"


WEEKS = (
    *("c1,a1,offered,2026-07-01T08:00:00Z", "c1,a2,offered,2026-07-01T08:10:00Z"),
    *("c1,a2,returned,2026-07-01T08:20:00Z", "c2,a3,asked,2026-07-08T08:20:00Z"),
    *("c2,a3,offered,2026-07-08T08:20:00Z", "c2,a3,looked,2026-07-08T08:20:00Z"),
    *("c2,a3,returned,2026-07-15T08:50:00Z", "c3,a4,offered,2026-07-15T08:30:00Z"),
    *("c9,a9,no step of the journey,2026-07-08T09:00:00Z", "c3,a4,canceled,2026-07-22T08:30:00Z"),
)
"""Four weeks; the courses go across them."""


@pytest.fixture
def runtime(tmp_path: Path, fresh_database: Callable[[str], str], redis_url: str) -> Iterator[Runtime]:
    """A database with a log of four weeks in it."""
    url = fresh_database("archive")
    made = Runtime(test_settings(tmp_path / "home", DATABASE_URL=url, REDIS_URL=redis_url), lambda: NOW)
    takes_in(made, log_of(*WEEKS))
    yield made
    made.engine.dispose()


def takes_in(runtime: Runtime, log: str, name: str = "log.csv") -> None:
    """Import a log."""
    folder = runtime.settings.home.parent
    (folder / "offers.yaml").write_bytes(orjson.dumps(JOURNEY_FILE))
    (folder / "mapping.yaml").write_text(MAPPING)
    (folder / name).write_text(log, encoding="utf-8")
    run_import(runtime, folder / name, folder / "mapping.yaml", load_mapping(folder / "mapping.yaml"))


def folder_of(runtime: Runtime) -> Path:
    """Where the files go."""
    return runtime.settings.home / "archive"


def archives(runtime: Runtime, before: datetime = NOW) -> list[ArchivedWeek]:
    """Archive every week that ended before a moment."""
    return list(archive_old_weeks(runtime.unit_of_work, folder_of(runtime), before, lambda: NOW))


def back_tests(runtime: Runtime, rule: dict[str, Any] = RULE) -> list[BackTest]:
    """Run a rule by columns and by the plain loop, and see that they agree."""
    journey = read_journey(JOURNEY_FILE)
    tried = Tried(read_rule(rule, journey), rule.get("conditions"))
    found = []
    for plain_loop_only in (False, True):
        with runtime.reading() as session:
            stored = StoredEvents(session, journey, folder_of(runtime))
            run = run_back_test(stored, journey, tried, plain_loop_only=plain_loop_only)
            found.append(run.back_test)
    assert found[0] == found[1]
    return found


def rows(runtime: Runtime, query: str) -> list[tuple[Any, ...]]:
    """What the database says."""
    with psycopg.connect(plain_url(runtime.database_url)) as connection:
        return connection.execute(query.encode()).fetchall()


EVERYTHING = """
SELECT id::text, message_id, customer_id::text, name, journey, journey_key, step, role, key, event_time,
       received_at, position, historical, clamped, properties::text FROM journey_event ORDER BY id
"""


def everything_in_files(runtime: Runtime) -> list[tuple[Any, ...]]:
    """What the files hold, as EVERYTHING tells it."""
    with runtime.reading() as session:
        paths = [folder_of(runtime) / week.path for week in archived_weeks(session)]
    frame = pl.concat([pl.read_parquet(path) for path in paths]).sort("id")

    def uuid_text(digits: str) -> str:
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    columns = (
        *("id", "message_id", "customer_id", "name", "journey", "journey_key", "step", "role", "key"),
        *("event_time", "received_at", "position", "historical", "clamped", "properties"),
    )
    shown = frame.with_columns(pl.col("id", "customer_id").bin.encode("hex")).select(columns)
    return [(uuid_text(row[0]), row[1], uuid_text(row[2]), *row[3:]) for row in shown.iter_rows()]


def test_a_back_test_says_the_same_whether_weeks_lie_in_the_database_in_files_or_in_both(
    runtime: Runtime,
) -> None:
    before = back_tests(runtime)
    assert len(before[0].firings) == 3
    for week in (datetime(2026, 7, 6, tzinfo=UTC), datetime(2026, 7, 20, tzinfo=UTC), NOW):
        assert archives(runtime, week)
        assert back_tests(runtime) == before
    assert rows(runtime, "SELECT count(*) FROM journey_event") == [(0,)]
    quiet = {name: said for name, said in RULE.items() if name != "event"} | {"preset": "gone_quiet"}
    assert len(back_tests(runtime, quiet)[0].firings) == 3


def test_a_file_holds_every_row_as_it_was(runtime: Runtime) -> None:
    before = rows(runtime, EVERYTHING)
    weeks = archives(runtime)
    assert sum(week.events for week in weeks) == len(before) == 10
    assert everything_in_files(runtime) == before
    assert not list(folder_of(runtime).glob("*.part"))


def test_no_column_of_an_event_is_left_behind() -> None:
    assert set(archive.COLUMNS) == {one.strip() for one in EVENT_COLUMNS.split(",")}
    assert set(archive.COLUMNS) == set(JourneyEvent.__table__.columns.keys())  # type: ignore[attr-defined]


def test_only_whole_weeks_older_than_the_retention_go(runtime: Runtime) -> None:
    assert [week.partition for week in archives(runtime, datetime(2026, 7, 13, tzinfo=UTC))] == [
        "journey_event_2026w27",
        "journey_event_2026w28",
    ]
    assert archives(runtime, datetime(2026, 7, 19, 23, 59, tzinfo=UTC)) == []
    left = {one.name for one in partitions_of(runtime)}
    assert {"journey_event_2026w29", "journey_event_2026w30"} <= left
    assert rows(runtime, "SELECT count(*) FROM event_receipt") == [(3,)]


def partitions_of(runtime: Runtime) -> list[archive.Partition]:
    """The weeks in the database."""
    with runtime.reading() as session:
        return partitions(session)


def test_the_tick_makes_the_weeks_to_come_and_archives_the_old_ones(runtime: Runtime) -> None:
    def tend(now: datetime) -> list[str]:
        folder, retention = folder_of(runtime), timedelta(days=120)
        return [
            one.partition for one in tend_partitions(runtime.unit_of_work, folder, retention, lambda: now)
        ]

    assert tend(NOW) == [], "a log that was imported just now is to be seen in the reports"
    assert {"journey_event_2026w47", "journey_event_2026w51"} <= {one.name for one in partitions_of(runtime)}
    later = NOW + timedelta(days=121)
    assert tend(later) == [f"journey_event_2026w{week}" for week in (27, 28, 29, 30)]
    assert tend(later) == []


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("statement", ["INSERT INTO event_archive", "DELETE FROM event_receipt", "COMMIT"])
def test_a_kill_at_any_point_loses_nothing_and_doubles_nothing(runtime: Runtime, statement: str) -> None:
    before, said = rows(runtime, EVERYTHING), back_tests(runtime)

    @contextmanager
    def killed_before_the_commit() -> Iterator[Session]:
        with runtime.unit_of_work() as session:
            yield session
            if rows_of(session) != len(before):
                raise Killed

    with pytest.raises((Killed, psycopg.Error, SQLAlchemyError)), failing_at(runtime, statement):
        list(archive_old_weeks(killed_before_the_commit, folder_of(runtime), NOW, lambda: NOW))
    assert rows(runtime, EVERYTHING) == before
    assert rows(runtime, "SELECT * FROM event_archive") == []
    assert rows(runtime, "SELECT count(*) FROM event_receipt") == [(10,)]
    assert back_tests(runtime) == said
    archives(runtime)
    assert everything_in_files(runtime) == before and back_tests(runtime) == said
    assert len(list(folder_of(runtime).iterdir())) == 4  # what the first try left behind is gone


KILLS_ITSELF = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from callcenter.db import make_engine, session_scope
from callcenter.intake import archive

url, folder, when = sys.argv[1], Path(sys.argv[2]), sys.argv[3]

def write(rows, target):
    archive.write_file(rows, target)
    if when == "written":
        os.kill(os.getpid(), signal.SIGKILL)

with session_scope(make_engine(url)) as session:
    archive.archive_week(session, folder, "journey_event_2026w27", datetime(2026, 11, 18, tzinfo=UTC), write=write)
    assert when == "dropped"
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("when", ["written", "dropped"])
def test_a_process_killed_while_it_archives_leaves_the_week_where_it_was(runtime: Runtime, when: str) -> None:
    before, said, folder = rows(runtime, EVERYTHING), back_tests(runtime), _made(folder_of(runtime))
    arguments = [sys.executable, "-c", KILLS_ITSELF, runtime.database_url, str(folder), when]
    assert subprocess.run(arguments, check=False, timeout=60).returncode == -signal.SIGKILL
    assert list(folder.iterdir()) != []
    assert rows(runtime, EVERYTHING) == before and back_tests(runtime) == said
    archives(runtime)
    assert everything_in_files(runtime) == before and len(list(folder.iterdir())) == 4


def rows_of(session: Session) -> int:
    """How many events a transaction sees."""
    return int(session.connection().exec_driver_sql("SELECT count(*) FROM journey_event").scalar_one())


@contextmanager
def failing_at(runtime: Runtime, statement: str) -> Iterator[None]:
    """Let the database refuse the first statement of a kind."""
    triggers = {
        "INSERT INTO event_archive": "event_archive FOR EACH ROW",
        "DELETE FROM event_receipt": "event_receipt FOR EACH ROW",
    }
    target = triggers.get(statement)
    with psycopg.connect(plain_url(runtime.database_url), autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'cut off'; END $$"
        )
        if target:
            event = "INSERT" if "INSERT" in statement else "DELETE"
            connection.execute(
                f"CREATE TRIGGER cut BEFORE {event} ON {target} EXECUTE FUNCTION cut()".encode()
            )
        try:
            yield
        finally:
            connection.execute("DROP FUNCTION cut() CASCADE")


def test_what_is_imported_again_after_its_week_was_archived_counts_once(runtime: Runtime) -> None:
    said = back_tests(runtime)
    archives(runtime)
    # The digest of the file differs, so it is another import; the rows are the same.
    takes_in(runtime, log_of(*WEEKS) + "c7,a7,offered,2026-07-09T08:00:00Z,new\n", "again.csv")
    again = back_tests(runtime)
    assert [(one.visit, one.fired_at) for one in again[0].firings if one.customer != "c7"] == [
        (one.visit, one.fired_at) for one in said[0].firings
    ]
    assert again[0].extent.events == said[0].extent.events + 1
    weeks = archives(runtime)
    assert sum(week.events for week in weeks) == 11
    assert back_tests(runtime) == again
    archives(runtime)
    assert len(list(folder_of(runtime).iterdir())) == 4  # the files before are gone with the next run


def test_a_file_that_does_not_read_back_keeps_its_week(runtime: Runtime) -> None:
    before = rows(runtime, EVERYTHING)

    def write_amiss(frame: pl.LazyFrame, target: Path) -> None:
        archive.write_file(frame.with_columns(key=pl.lit("x")), target)

    folder = _made(folder_of(runtime))
    with pytest.raises(ArchiveDamaged, match="does not read back"), runtime.unit_of_work() as session:
        archive.archive_week(session, folder, "journey_event_2026w27", NOW, write=write_amiss)
    assert rows(runtime, EVERYTHING) == before and list(folder.iterdir()) == []


def test_a_missing_file_is_named_and_no_back_test_runs_without_it(runtime: Runtime) -> None:
    (week, *_) = archives(runtime)
    week.path.rename(week.path.with_suffix(".elsewhere"))
    with pytest.raises(ArchiveDamaged, match=week.partition):
        back_tests(runtime)


def test_a_back_test_that_runs_is_waited_for(runtime: Runtime) -> None:
    said = back_tests(runtime)
    folder = _made(folder_of(runtime))
    with runtime.reading() as session:
        stored = StoredEvents(session, read_journey(JOURNEY_FILE), folder)
        with pytest.raises(Unavailable, match="does not let go"), runtime.unit_of_work() as archiving:
            archive.archive_week(archiving, folder, "journey_event_2026w27", NOW, drop_tries=2)
        assert stored.extent() == said[0].extent
    assert archives(runtime) and back_tests(runtime) == said


def test_events_come_in_while_a_week_is_archived(runtime: Runtime) -> None:
    """Of another week at once; into the same week after it, and they are found."""
    problems: list[BaseException] = []

    def take_in() -> None:
        try:
            takes_in(runtime, log_of("c8,a8,offered,2026-07-01T10:00:00Z"), "meanwhile.csv")
        except BaseException as error:
            problems.append(error)

    with runtime.unit_of_work() as session:
        archive.archive_week(session, _made(folder_of(runtime)), "journey_event_2026w27", NOW)
        taking = threading.Thread(target=take_in)
        taking.start()
        taking.join(0.3)
        assert taking.is_alive()
    taking.join(20)
    assert problems == []
    assert [one.customer for one in back_tests(runtime)[0].firings].count("c8") == 1


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_the_commands_archive_and_list_the_weeks(runtime: Runtime) -> None:
    environ = {
        "DATABASE_URL": runtime.database_url,
        "REDIS_URL": runtime.redis_url,
        "CALLCENTER_HOME": str(runtime.settings.home),
    }
    done = CliRunner().invoke(events, ["archive", "--keep-days", "0"], env=environ, catch_exceptions=False)
    assert "journey_event_2026w27: 3 events" in done.stdout and "4 weeks archived" in done.stdout
    listed = CliRunner().invoke(events, ["partitions", "--json"], env=environ, catch_exceptions=False)
    said = orjson.loads(listed.stdout)
    assert [one["events"] for one in said if one["in"] == "archive"] == [3, 4, 2, 1]
    assert all(Path(one["path"]).is_file() for one in said if one["in"] == "archive")
    table = CliRunner().invoke(events, ["partitions"], env=environ, catch_exceptions=False)
    assert "journey_event_2026w27" in table.stdout and "any other time" in table.stdout
