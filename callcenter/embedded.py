"""A PostgreSQL and a Valkey to work with: the ones you name, or real ones run in the home directory."""

import fcntl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from callcenter import embedded_servers as parts
from callcenter.config import Settings
from callcenter.errors import ConfigError, Unavailable
from callcenter.home import open_home
from callcenter.keeper import READY_SECONDS, State, read_state, write_state

_spawned: list[tuple[Path, "subprocess.Popen[bytes]"]] = []
"""Keepers that are our children, with their homes; kept so that they can be collected when they end."""

STOP_SECONDS = 30.0
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Servers:
    """Servers to use: `settings` are the ones given, with both addresses (and a demo's secrets) filled in.

    `keeper_of` is the home whose embedded servers they are, None for named servers.
    """

    settings: Settings
    keeper_of: Path | None = None
    durable: bool = True

    @property
    def database_url(self) -> str:
        return self.settings.database_url or ""

    @property
    def redis_url(self) -> str:
        return self.settings.redis_url or ""

    def keep_alive(self) -> bool:
        """Start a new keeper at the same addresses if the old one was killed. True when that was needed."""
        if self.keeper_of is None or _keeper_runs(self.keeper_of):
            return False
        _start_keeper(self.keeper_of, self.durable)
        return True


@contextmanager
def servers(settings: Settings, *, durable: bool = True) -> Iterator[Servers]:
    """Lend a database and a doorbell for the length of the block.

    DATABASE_URL and REDIS_URL are used when set. What is missing comes from the embedded servers of
    `settings.home`: those of a running instance, which stay, or fresh ones, which stop after their last user.
    `durable=False` trades safety for speed and is for tests only; the first user decides.
    Raises ConfigError when the servers cannot be started, Unavailable when they do not come or go in time.
    """
    if settings.database_url and settings.redis_url:
        yield Servers(settings)
        return
    settings = open_home(settings)
    home = settings.home
    with (home / "run" / "users.lock").open("a", encoding="ascii") as users:
        _lock_as_user(users)
        try:
            state = _start_keeper(home, durable)
            addressed = replace(
                settings,
                database_url=settings.database_url or state.database_url,
                redis_url=settings.redis_url or state.redis_url,
            )
            yield Servers(addressed, keeper_of=home, durable=durable)
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            _wait_for_the_end(home)


def _lock_as_user(users: IO[str]) -> None:
    """Count ourselves in. Waits while a keeper is stopping: it holds the lock until all is down."""
    deadline = time.monotonic() + STOP_SECONDS
    while True:
        try:
            fcntl.flock(users, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise Unavailable("the embedded servers are still stopping; try again") from error
            time.sleep(POLL_SECONDS)
        else:
            return


def _start_keeper(home: Path, durable: bool) -> State:
    """Make sure that a keeper runs and its servers answer. One starter at a time."""
    deadline = time.monotonic() + READY_SECONDS + 10
    keeper: subprocess.Popen[bytes] | None = None
    with (home / "run" / "start.lock").open("a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        while time.monotonic() < deadline:
            state = read_state(home)
            runs = _keeper_runs(home)
            if runs and state is not None and state.status == "ready" and _answers(home, state):
                return state
            if not runs and keeper is None:
                # What a killed keeper wrote must not pass for the word of the new one.
                write_state(home, replace(state or State("starting"), status="starting"))
                keeper = _spawn_keeper(home, durable)
            elif keeper is not None and keeper.poll() is not None and not _keeper_runs(home):
                raise ConfigError(_why_it_failed(home))
            time.sleep(POLL_SECONDS)
    raise Unavailable(f"the embedded servers did not start in time; see {home / 'log'}")


def _answers(home: Path, state: State) -> bool:
    """Whether both servers answer. A keeper killed this moment still holds its lock and its last word, and servers
    killed with it still listen for as long as their memory takes to be given back; but they answer nothing."""
    place = parts.Place(home, Path(state.socket_dir), None)
    return parts.postgres_answers(place) and parts.valkey_answers(place)


def _spawn_keeper(home: Path, durable: bool) -> "subprocess.Popen[bytes]":
    argv = [sys.executable, "-m", "callcenter.keeper", str(home), *(() if durable else ("--fast",))]
    with (home / "log" / "keeper.log").open("ab") as log:
        keeper = subprocess.Popen(  # noqa: S603 - our own command line, no shell
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    _spawned.append((home, keeper))
    return keeper


def _why_it_failed(home: Path) -> str:
    state = read_state(home)
    if state is not None and state.status == "failed":
        return state.message
    return f"the embedded servers did not start; see {home / 'log' / 'keeper.log'}"


def _keeper_runs(home: Path) -> bool:
    return not _can_share(home / "run" / "keeper.lock")


def _can_share(path: Path) -> bool:
    """Whether nobody holds the lock for himself alone."""
    try:
        with path.open("r", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _wait_for_the_end(home: Path) -> None:
    """If we were the last user, stay until the servers are down; others' use is none of our business."""
    in_use_since: float | None = None
    deadline = time.monotonic() + STOP_SECONDS
    while _keeper_runs(home) and time.monotonic() < deadline:
        if _can_share(home / "run" / "users.lock"):  # the keeper has not taken it (yet): others may use it
            in_use_since = in_use_since or time.monotonic()
            if time.monotonic() - in_use_since > 0.6:  # three looks of the keeper
                return
        else:
            in_use_since = None
        time.sleep(POLL_SECONDS)
    _collect(home)


def _collect(home: Path) -> None:
    """See our own keepers of this home out: they have let go of their locks and are about to end."""
    for entry in [entry for entry in _spawned if entry[0] == home]:
        with suppress(subprocess.TimeoutExpired):
            entry[1].wait(timeout=5)
            _spawned.remove(entry)
