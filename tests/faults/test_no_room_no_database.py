"""The database is lost, full, busy or closed: senders are told to come again, and nothing acknowledged is lost."""

import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.faults.stream import Stream, assert_nothing_lost
from tests.system import System, running_system, wait_for

WAL_SEGMENT = 16 * 1024 * 1024
"""A file may grow so far while there is no room: the log of changes goes on, tables and indexes cannot."""
BALLAST = """
INSERT INTO event_receipt SELECT gen_random_uuid(), now() FROM generate_series(1, 5000)
"""
OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
)
OTHERS += "pg_backend_pid()"


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    """An instance of its own: its database is not treated well."""
    with (
        tempfile.TemporaryDirectory(prefix="cc-", ignore_cleanup_errors=True) as folder,
        running_system(Path(folder)) as running,
    ):
        yield running


@contextmanager
def administering(system: System) -> Iterator[psycopg.Connection]:
    """A connection that may do everything."""
    options = "-c default_transaction_read_only=off"
    with psycopg.connect(system.database_url, autocommit=True, options=options) as connection:
        yield connection


def refused_for(stream: Stream, seconds: float) -> None:
    """Wait until senders are refused, and go on so for a while."""
    wait_for(lambda: stream.refused, 30, "a refusal")
    time.sleep(seconds)


def all_is_well(system: System, stream: Stream) -> None:
    """Wait until events come in again."""
    wait_for(system.is_ready, 45, "readiness")
    before = len(stream.acknowledged)
    wait_for(lambda: len(stream.acknowledged) > before + 50, 45, "events that come in again")


# -- the database is lost ----------------------------------------------------------------------------------


def test_a_killed_database_costs_a_refusal_and_no_event(system: System) -> None:
    with Stream(system) as stream:
        wait_for(lambda: len(stream.acknowledged) > 50, 20, "events that come in")
        for _ in range(2):
            killed = system.kill("postgres")
            wait_for(lambda pid=killed: system.is_back("postgres", pid), 40, "the database")  # type: ignore[misc]
            all_is_well(system, stream)
    assert stream.refused
    assert_nothing_lost(system, stream)


# -- the database has no room ------------------------------------------------------------------------------


def limit_files(system: System, most_bytes: int) -> None:
    """Let no file of the database grow past so many bytes; its processes of now and all it starts obey.

    This is how a disk without room looks to it, and unlike a small disk it needs no rights.
    """
    server = psutil.Process(system.pid("postgres"))
    for process in (server, *server.children()):
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            as_its_owner(process, lambda pid=process.pid: _limit(pid, most_bytes))  # type: ignore[misc]


def _limit(pid: int, most_bytes: int) -> None:
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most_bytes, hard))


def as_its_owner(process: psutil.Process, act: Callable[[], None]) -> None:
    """Do something to a process in the name of the account it runs under, which need not be ours."""
    uid, gid = process.uids().real, process.gids().real
    if uid == os.geteuid():
        return act()
    child = os.fork()
    if child == 0:
        code = 1
        with suppress(BaseException):
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            act()
            code = 0
        os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0 or not process.is_running()
    return None


def fill_up(system: System) -> psycopg.Error:
    """Write until there is no room; return what the database says then."""
    with administering(system) as connection:
        for _ in range(500):
            try:
                connection.execute(BALLAST)
            except psycopg.Error as error:
                return error
    raise AssertionError("there is always room")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs limits on files of another process")
def test_a_database_without_room_costs_a_refusal_and_no_event(system: System) -> None:
    with Stream(system) as stream:
        wait_for(lambda: len(stream.acknowledged) > 50, 20, "events that come in")
        limit_files(system, WAL_SEGMENT)
        try:
            assert "could not extend file" in str(fill_up(system))
            refused_for(stream, 4)
        finally:
            limit_files(system, resource.RLIM_INFINITY)
        all_is_well(system, stream)
    assert len(stream.refused) > 20
    assert_nothing_lost(system, stream)


# -- the database is closed, busy or cut off ---------------------------------------------------------------


@contextmanager
def cut_off(system: System) -> Iterator[None]:
    """Whoever is connected is thrown out, again and again (57P01)."""
    stop = threading.Event()

    def throw_out() -> None:
        with administering(system) as connection:
            while not stop.wait(0.1):
                connection.execute(OTHERS)

    thread = threading.Thread(target=throw_out)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def read_only(system: System) -> Iterator[None]:
    """Nobody may write, as on a standby or during maintenance (25006)."""
    with administering(system) as connection:
        try:
            connection.execute("ALTER DATABASE callcenter SET default_transaction_read_only = on")
            connection.execute(OTHERS)
            yield
        finally:
            connection.execute("ALTER DATABASE callcenter RESET default_transaction_read_only")
            connection.execute(OTHERS)


@contextmanager
def locked(system: System) -> Iterator[None]:
    """Somebody holds a table for themselves, for longer than anybody waits for it (55P03)."""
    with administering(system) as connection, connection.transaction():
        connection.execute("LOCK TABLE event_receipt IN ACCESS EXCLUSIVE MODE")
        yield


@contextmanager
def crowded(system: System) -> Iterator[None]:
    """Others have taken all connections (53300)."""
    with administering(system) as connection:
        crowd: list[psycopg.Connection] = []
        try:
            for _ in range(3):  # those thrown out may have come back first
                connection.execute(OTHERS.replace(" AND pid", " AND application_name <> 'crowd' AND pid"))
                with suppress(psycopg.OperationalError):
                    while True:
                        crowd.append(psycopg.connect(system.database_url, application_name="crowd"))
            yield
        finally:
            for one in crowd:
                one.close()


@pytest.mark.parametrize("trouble", [cut_off, read_only, locked, crowded])
def test_a_database_that_cannot_now_costs_a_refusal_and_no_event(
    system: System, trouble: Callable[[System], AbstractContextManager[None]]
) -> None:
    with Stream(system) as stream:
        wait_for(lambda: len(stream.acknowledged) > 50, 20, "events that come in")
        with trouble(system):
            refused_for(stream, 3)
        all_is_well(system, stream)
    assert_nothing_lost(system, stream)
