import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from callcenter.config import Settings
from callcenter.embedded import Servers, servers
from callcenter.errors import ConfigError
from callcenter.home import open_home
from tests.servers import plain_url
from tests.servers import test_settings as settings_in

pytestmark = pytest.mark.slow


@pytest.fixture
def home() -> Iterator[Path]:
    """A home whose path is far too long for a socket, and which root's servers can get through to."""
    with tempfile.TemporaryDirectory(prefix="callcenter-tests-") as folder:
        Path(folder).chmod(0o711 if os.geteuid() == 0 else 0o700)
        yield Path(folder) / ("long" * 30) / "home with a space"


def write(running: Servers, word: str) -> None:
    with psycopg.connect(plain_url(running.database_url), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS words (word text)")
        connection.execute("INSERT INTO words VALUES (%s)", (word,))
    with redis.Redis.from_url(running.redis_url) as client:
        client.rpush("words", word)


def read(running: Servers) -> tuple[list[str], list[str]]:
    with psycopg.connect(plain_url(running.database_url)) as connection:
        rows = [word for (word,) in connection.execute("SELECT word FROM words")]
    with redis.Redis.from_url(running.redis_url, decode_responses=True) as client:
        listed = client.lrange("words", 0, -1)
    assert isinstance(listed, list)
    return rows, listed


def pid_of(home: Path, name: str) -> int:
    return int((home / "run" / f"{name}.pid").read_text())


def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


def answers(running: Servers) -> bool:
    try:
        read(running)
    except (psycopg.Error, redis.RedisError):
        return False
    return True


def gone(*pids: int) -> bool:
    return not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids)


def test_named_servers_are_used_and_nothing_is_started(home: Path) -> None:
    settings = settings_in(home, DATABASE_URL="postgresql://db/x", REDIS_URL="redis://doorbell")
    with servers(settings) as running:
        assert running == Servers(settings)
        assert (running.database_url, running.redis_url) == ("postgresql+psycopg://db/x", "redis://doorbell")
        assert not running.keep_alive()
    assert not home.exists()


def test_a_second_start_goes_on_with_the_data(home: Path) -> None:
    with servers(settings_in(home)) as running:
        write(running, "kept")
        with psycopg.connect(plain_url(running.database_url)) as connection:
            shown = connection.execute(
                "SELECT current_setting('TimeZone'), current_setting('server_encoding'),"
                " current_setting('fsync'), current_setting('synchronous_commit'),"
                " current_setting('max_connections'), current_database()"
            ).fetchone()
        assert shown == ("UTC", "UTF8", "on", "on", "200", "callcenter")
        pids = [pid_of(home, name) for name in ("postgres", "valkey", "keeper")]
        socket_dir = Path(running.redis_url.removeprefix("unix://")).parent
    assert gone(*pids)
    assert not socket_dir.exists()
    with servers(settings_in(home)) as running:
        assert read(running) == (["kept"], ["kept"])


def test_a_second_user_shares_the_servers_and_leaves_them_running(home: Path) -> None:
    with servers(settings_in(home), durable=False) as first:
        write(first, "shared")
        postgres = pid_of(home, "postgres")
        with servers(settings_in(home)) as second:
            assert second.database_url == first.database_url
        assert pid_of(home, "postgres") == postgres
        assert read(first) == (["shared"], ["shared"])


def test_the_first_user_may_leave_before_the_second(home: Path) -> None:
    first = servers(settings_in(home), durable=False)
    write(first.__enter__(), "stays")
    with servers(settings_in(home)) as second:
        first.__exit__(None, None, None)
        assert read(second) == (["stays"], ["stays"])
    assert not (home / "run" / "servers.json").exists()


def test_commands_at_once_do_not_break_each_other(home: Path) -> None:
    program = (
        "import sys, tests.setup.test_embedded as t, pathlib\n"
        "with t.servers(t.settings_in(pathlib.Path(sys.argv[1])), durable=False) as running:\n"
        "    t.write(running, sys.argv[2])\n"
    )
    open_home(settings_in(home))
    with servers(settings_in(home), durable=False) as running:
        write(running, "0")
    commands = [subprocess.Popen([sys.executable, "-c", program, str(home), word]) for word in "1234"]
    assert [command.wait(60) for command in commands] == [0, 0, 0, 0]
    with servers(settings_in(home), durable=False) as running:
        assert sorted(read(running)[0]) == ["0", "1", "2", "3", "4"]


def test_a_server_that_cannot_start_is_one_line_that_says_why(home: Path) -> None:
    settings = settings_in(home)
    with servers(settings, durable=False):
        pass
    (home / "postgres" / "global" / "pg_control").unlink()
    with (
        pytest.raises(ConfigError, match="postgres did not start") as refused,
        servers(settings, durable=False),
    ):
        pass
    assert "\n" not in refused.value.message


@pytest.mark.faults
@pytest.mark.parametrize("name", ["postgres", "valkey"])
def test_a_killed_server_comes_back_at_the_same_address_with_its_data(home: Path, name: str) -> None:
    with servers(settings_in(home)) as running:
        write(running, "kept")
        time.sleep(1.2)  # Valkey promises what is older than a second
        killed = pid_of(home, name)
        os.kill(killed, signal.SIGKILL)
        until(lambda: pid_of(home, name) != killed and answers(running))
        assert read(running) == (["kept"], ["kept"])


@pytest.mark.faults
def test_a_killed_keeper_takes_its_servers_along_and_the_next_goes_on(home: Path) -> None:
    with servers(settings_in(home)) as running:
        write(running, "kept")
        servers_of_old = [pid_of(home, name) for name in ("postgres", "valkey")]
        os.kill(pid_of(home, "keeper"), signal.SIGKILL)
        if sys.platform == "linux":
            until(lambda: gone(*servers_of_old))
        assert running.keep_alive()
        assert not running.keep_alive()
        assert read(running) == (["kept"], ["kept"])


@pytest.mark.faults
def test_everything_killed_at_once_leaves_a_state_from_which_the_next_start_goes_on(home: Path) -> None:
    user = start_user(settings_in(home), "kept")
    pids = [user.pid, *(pid_of(home, name) for name in ("keeper", "postgres", "valkey"))]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    user.communicate()
    with servers(settings_in(home)) as running:
        assert read(running)[0] == ["kept"]


@pytest.mark.faults
def test_servers_stop_when_their_only_user_is_killed(home: Path) -> None:
    user = start_user(settings_in(home), "kept")
    pids = [pid_of(home, name) for name in ("keeper", "postgres", "valkey")]
    user.kill()
    user.communicate()
    until(lambda: gone(*pids))
    with servers(settings_in(home)) as running:
        assert read(running) == (["kept"], ["kept"])


@pytest.mark.faults
def test_a_pid_file_whose_number_went_to_another_process_does_not_bar_the_start(home: Path) -> None:
    with servers(settings_in(home)) as running:
        write(running, "kept")
    other = subprocess.Popen(["/bin/sleep", "60"])
    try:
        lines = [str(other.pid), str(home / "postgres"), "1700000000", "5432", "/tmp", "", "1 1", "ready"]
        (home / "postgres" / "postmaster.pid").write_text("\n".join(lines) + "\n")
        (home / "run" / "postgres.pid").write_text(f"{other.pid}\n")
        with servers(settings_in(home)) as running:
            assert read(running) == (["kept"], ["kept"])
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def start_user(settings: Settings, word: str) -> "subprocess.Popen[str]":
    """A process that uses the servers, has written a word, and stays."""
    program = (
        "import sys, time, tests.setup.test_embedded as t, pathlib\n"
        "with t.servers(t.settings_in(pathlib.Path(sys.argv[1]))) as running:\n"
        "    t.write(running, sys.argv[2]); time.sleep(1.2)\n"
        "    print('written', flush=True); time.sleep(600)\n"
    )
    argv = [sys.executable, "-c", program, str(settings.home), word]
    user = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert user.stdout is not None
    assert user.stdout.readline() == "written\n"
    return user
