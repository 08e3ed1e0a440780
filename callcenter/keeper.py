"""The keeper: one process per home that runs the embedded servers for as long as anyone uses them.

    python -m callcenter.keeper HOME [--fast]

Users hold a shared lock on `run/users.lock` (see `callcenter.embedded`). The kernel drops it when a user
ends, also by `kill -9`, so there is no count that could go wrong. As soon as the keeper gets that lock for
itself nobody is left: it stops both servers and goes. A server that dies meanwhile is started again at the
same address. If the keeper itself is killed, the servers get their stop signal from the kernel
(`launch.py`), and the next keeper takes up the same data and address.
"""

import fcntl
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from callcenter import embedded_servers as parts
from callcenter.errors import ConfigError
from callcenter.processes import Child, end_leftover

READY_SECONDS = 60.0
MOST_DEATHS = 5
"""A server that died this often before it answered will not; the pauses give a crash time to clear."""
TICK_SECONDS = 0.2
SOCKET_DIR_PREFIX = "callcenter-"
LONGEST_TEMPDIR = 60
"""Socket addresses may have 104 bytes on some systems; our directory and file names need about 40."""


@dataclass(frozen=True)
class State:
    """What `run/servers.json` tells users; `status` is starting, ready, stopping or failed (`message`)."""

    status: str
    socket_dir: str = ""
    message: str = ""

    @property
    def database_url(self) -> str:
        return parts.database_url(self.socket_dir)

    @property
    def redis_url(self) -> str:
        return parts.redis_url(self.socket_dir)


def read_state(home: Path) -> State | None:
    """What the last keeper of this home said; None when it said nothing readable."""
    try:
        return State(**json.loads((home / "run" / "servers.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_state(home: Path, state: State) -> None:
    """Say it in one piece: readers see the old word or the new one."""
    draft = home / "run" / f"servers.json.{os.getpid()}"
    draft.write_text(json.dumps(asdict(state)), encoding="utf-8")
    draft.rename(home / "run" / "servers.json")


class Keeper:
    """Starts both servers, watches them, stops them."""

    def __init__(self, home: Path, fast: bool) -> None:
        account = parts.server_account(home / "postgres")
        self.place = parts.Place(home, _socket_dir(home, account), account, fast)
        self.children: list[Child] = []

    def start(self) -> None:
        """Both servers answer and the database exists when this returns. Raises ConfigError if not."""
        home, run_dir = self.place.home, self.place.home / "run"
        for name, number in (("postgres", signal.SIGINT), ("valkey", signal.SIGTERM)):
            end_leftover(run_dir / f"{name}.pid", parts.IsServer(name, home / name), number)
        parts.prepare_data(self.place)
        for spec in (parts.postgres(self.place), parts.valkey(self.place)):
            log = parts.open_log(home, spec.name)
            child = Child(spec, run_dir=run_dir, environ=parts.clean_environ(), output=log)
            self.children.append(child)
            child.start()
        self._wait_until_ready()

    def tick(self) -> None:
        """Start again what died. Call a few times a second."""
        for child in self.children:
            if child.has_died():
                how, pause = child.plan_restart()
                sys.stderr.write(f"{child.spec.name} {how}; starting it again in {pause:g} s\n")
            else:
                child.restart_if_due()

    def stop(self) -> None:
        for child in reversed(self.children):
            child.stop()
        shutil.rmtree(self.place.socket_dir, ignore_errors=True)

    def _wait_until_ready(self) -> None:
        waiting: dict[str, Callable[[parts.Place], bool]] = {
            "postgres": parts.postgres_answers,
            "valkey": parts.valkey_answers,
        }
        deadline = time.monotonic() + READY_SECONDS
        while waiting:
            for name, answers in tuple(waiting.items()):
                if answers(self.place):
                    del waiting[name]
                elif time.monotonic() > deadline or any(c.deaths >= MOST_DEATHS for c in self.children):
                    cause = parts.last_line(self.place.home, name)
                    log = self.place.home / "log" / f"{name}.log"
                    raise ConfigError(f"{name} did not start: {cause}; see {log}")
            self.tick()
            time.sleep(0.02)


def _socket_dir(home: Path, account: tuple[int, int] | None) -> Path:
    """The last keeper's directory if it still is ours alone, so that running users find us; else a new one.

    Below the temporary directory, not the home: a socket's path must be short, a home's need not be.
    """
    last = read_state(home)
    if last is not None:
        path = Path(last.socket_dir)
        with suppress(OSError):
            found = path.lstat()
            owner = account[0] if account else os.geteuid()
            is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == owner and not found.st_mode & 0o077
            if is_ours and path.is_absolute() and path.name.startswith(SOCKET_DIR_PREFIX):
                return path
    base = tempfile.gettempdir()
    if len(base) > LONGEST_TEMPDIR:
        base = "/tmp"  # noqa: S108 - mkdtemp makes a private directory there
    made = Path(tempfile.mkdtemp(prefix=SOCKET_DIR_PREFIX, dir=base))
    if account:
        os.chown(made, *account)
    return made


class _Asked:
    """Whether someone asked us by signal to stop."""

    def __init__(self) -> None:
        self.to_stop = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.to_stop = True


def run(home: Path, fast: bool) -> int:
    """Keep the servers until nobody uses them. Returns the exit code."""
    with ExitStack() as locks:
        users = locks.enter_context((home / "run" / "users.lock").open("a", encoding="ascii"))
        alive = locks.enter_context((home / "run" / "keeper.lock").open("a", encoding="ascii"))
        if not _lock_alone(alive):
            return 0  # another keeper is at work
        asked = _Asked()
        pid_file = home / "run" / "keeper.pid"
        pid_file.write_text(f"{os.getpid()}\n", encoding="ascii")
        try:
            _keep(Keeper(home, fast), until=lambda: asked.to_stop or _is_free(users))
        except (ConfigError, OSError, subprocess.SubprocessError) as error:
            write_state(home, State("failed", message=str(error)))
            return 1
        finally:
            pid_file.unlink(missing_ok=True)
        (home / "run" / "servers.json").unlink(missing_ok=True)
        return 0


def _keep(keeper: Keeper, until: Callable[[], bool]) -> None:
    home, socket_dir = keeper.place.home, str(keeper.place.socket_dir)
    try:
        keeper.start()
        write_state(home, State("ready", socket_dir))
        while not until():
            time.sleep(TICK_SECONDS)
            keeper.tick()
        write_state(home, State("stopping", socket_dir))
    finally:
        keeper.stop()


def _lock_alone(lock: IO[str]) -> bool:
    """Take the lock for ourselves; tries for a second, because whoever looks at a lock holds it briefly."""
    for _ in range(100):
        if _is_free(lock):
            return True
        time.sleep(0.01)
    return False


def _is_free(lock: IO[str]) -> bool:
    """Take the lock for ourselves if nobody holds it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), fast="--fast" in sys.argv[2:]))
