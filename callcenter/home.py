"""The home directory: the one place where a running product writes, and the checks before it does.

callcenter-home   marker with the format number; without it the directory is not ours
postgres/ valkey/ the embedded servers' data        secrets/  made once for a demo
run/              pid files, locks                   log/      the embedded servers' logs
"""

import errno
import fcntl
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from callcenter.config import GENERATED_SECRETS, Settings
from callcenter.errors import ConfigError

FORMAT = 1
MARKER = "callcenter-home"
POSTGRES_MAJOR = 18
"""Major version of the embedded PostgreSQL; its data directory fits no other."""


def open_home(settings: Settings) -> Settings:
    """Check the home directory and create what is missing in it.

    Out: the settings with the demo's own secrets filled in. Raises ConfigError, before anything is written,
    when the directory belongs to something else, is of another format, cannot be written or has no room left.
    """
    home = settings.home
    _refuse_foreign(home)
    _refuse_other_postgres(home)
    try:
        # Root's servers run under an ordinary account, which has to get to its own directories below.
        home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
        _refuse_full(home, settings.min_free_mb)
        _write_once(home / MARKER, f"{FORMAT}\n", mode=0o644)
        for name in ("run", "log"):
            (home / name).mkdir(exist_ok=True)
        return _with_secrets(settings) if settings.environment == "demo" else settings
    except OSError as error:
        raise ConfigError(
            f"CALLCENTER_HOME cannot be written: {home}: {error.strerror}; choose another directory"
        ) from error


def _refuse_foreign(home: Path) -> None:
    marker = home / MARKER
    try:
        if not home.exists():
            return
        if not home.is_dir():
            raise ConfigError(f"CALLCENTER_HOME is not a directory: {home}")
        if not marker.exists():
            if any(not entry.name.startswith(MARKER) for entry in home.iterdir()):
                raise ConfigError(
                    f"CALLCENTER_HOME holds files that are not ours: {home}; choose an empty or new directory"
                )
            return
        found = marker.read_text(encoding="utf-8", errors="replace").strip()
    except OSError as error:
        raise ConfigError(f"CALLCENTER_HOME cannot be read: {home}: {error.strerror}") from error
    if found != str(FORMAT):
        raise ConfigError(
            f"{home} has data format {found[:20]!r} and this version reads {FORMAT}; "
            "use the version that wrote it, or another CALLCENTER_HOME"
        )


def _refuse_other_postgres(home: Path) -> None:
    try:
        found = (home / "postgres" / "PG_VERSION").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return
    if found != str(POSTGRES_MAJOR):
        raise ConfigError(
            f"{home / 'postgres'} was written by PostgreSQL {found} and this version runs {POSTGRES_MAJOR}; "
            "dump it with the old version and load it into a new CALLCENTER_HOME"
        )


def _refuse_full(home: Path, min_free_mb: int) -> None:
    free_mb = shutil.disk_usage(home).free // 1_000_000
    if free_mb < min_free_mb:
        raise ConfigError(
            f"only {free_mb} MB are free for CALLCENTER_HOME ({home}) and {min_free_mb} MB are needed; "
            "make room, or lower MIN_FREE_MB"
        )


def _with_secrets(settings: Settings) -> Settings:
    folder = settings.home / "secrets"
    folder.mkdir(mode=0o700, exist_ok=True)
    for name in GENERATED_SECRETS:
        _write_once(folder / name, secrets.token_hex(32), mode=0o600)
    secret_key, simulator_token, number_key = (
        (folder / name).read_text(encoding="ascii") for name in GENERATED_SECRETS
    )
    token = settings.twilio_auth_token
    if settings.carrier == "simulator":
        token = token or simulator_token
    return replace(
        settings,
        secret_key=settings.secret_key or secret_key,
        number_key=settings.number_key or number_key,
        twilio_auth_token=token,
    )


def _write_once(path: Path, text: str, mode: int) -> None:
    """Create a file whole or not at all; of two at once the first wins."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if not path.exists():
            draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)


def refuse_taken_port(host: str, port: int, name: str = "PORT") -> None:
    """Raises ConfigError when something listens there already, or the port is not ours to open."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen(1)
    except OSError as error:
        reason = "is in use" if error.errno == errno.EADDRINUSE else "cannot be opened"
        raise ConfigError(
            f"{name} {port} {reason} ({error.strerror}); "
            f"stop what uses it, or choose another: {name}={port + 1}"
        ) from error


@contextmanager
def only_one_up(home: Path) -> Iterator[None]:
    """Hold the home for one `callcenter up`. The kernel gives it back when the process ends, however it ends.

    Raises ConfigError that names the running one.
    """
    path = home / "run" / "up.lock"
    with path.open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(_already_running(home)) from error
        pid_file = home / "run" / "up.pid"
        pid_file.write_text(f"{os.getpid()}\n", encoding="ascii")
        try:
            yield
        finally:
            pid_file.unlink(missing_ok=True)


def refuse_second_up(home: Path) -> None:
    """The same refusal without touching the home, so that it comes before every other one."""
    try:
        with (home / "run" / "up.lock").open("r", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ConfigError(_already_running(home)) from error
    except OSError:
        return


def _already_running(home: Path) -> str:
    try:
        process = f" (process {int((home / 'run' / 'up.pid').read_text(encoding='ascii'))})"
    except (OSError, ValueError):
        process = ""
    return f"already running with CALLCENTER_HOME={home}{process}; stop it first, or choose another home"
