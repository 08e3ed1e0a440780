"""Child processes: started to end with us, watched, restarted with a growing pause, stopped in reverse."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

LAUNCH = Path(__file__).with_name("launch.py")
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 60.0
"""A child that ran this long has proved itself: its next restart is prompt again."""


LOG_BYTES = 10_000_000


@dataclass(frozen=True, kw_only=True)
class ProcessSpec:
    """One process to run: what, with which additions to the environment, and how it is asked to stop."""

    name: str
    argv: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict)
    withheld: frozenset[str] = frozenset()
    """Variables of ours it does not get."""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0
    account: tuple[int, int] | None = None
    """uid and gid to run under; None keeps ours."""
    cwd: Path | None = None
    log_file: Path | None = None
    """Where its standard error goes; None tells it with the rest. Put aside when it has grown past 10 MB."""


class Child:
    """One running process, its pid file and its restarts."""

    def __init__(
        self, spec: ProcessSpec, *, run_dir: Path, environ: Mapping[str, str], output: IO[bytes] | int
    ) -> None:
        self.spec = spec
        self.pid_file = run_dir / f"{spec.name}.pid"
        self.process: subprocess.Popen[bytes] | None = None
        self.restart_at: float | None = None
        self.deaths = 0
        shared = {name: value for name, value in environ.items() if name not in spec.withheld}
        self._environ = {**shared, **spec.environ}
        self._output = output
        self._pause = FIRST_PAUSE
        self._started_at = 0.0

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches only us and we keep the order."""
        account = "-" if self.spec.account is None else "{}:{}".format(*self.spec.account)
        launch = (sys.executable, "-I", "-S", str(LAUNCH))
        terms = (str(os.getpid()), str(int(self.spec.stop_signal)), account)
        errors = self._errors() if self.spec.log_file else None
        self.process = subprocess.Popen(  # noqa: S603 - our own command lines, no shell
            (*launch, *terms, *self.spec.argv),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=errors or subprocess.STDOUT,
            env=self._environ,
            cwd=self.spec.cwd,
            start_new_session=True,
        )
        if errors is not None:
            errors.close()  # the child has its own
        self.pid_file.write_text(f"{self.process.pid}\n", encoding="ascii")
        self.restart_at = None
        self._started_at = time.monotonic()

    def _errors(self) -> IO[bytes]:
        path = self.spec.log_file
        assert path is not None
        if path.exists() and path.stat().st_size > LOG_BYTES:
            path.replace(path.with_suffix(".old"))
        return path.open("ab")

    def has_died(self) -> bool:
        return self.process is not None and self.restart_at is None and self.process.poll() is not None

    def plan_restart(self) -> tuple[str, float]:
        """After a death: what happened, in words, and the pause in seconds before the next start."""
        process = self._process()
        self.deaths += 1
        if time.monotonic() - self._started_at >= STEADY_SECONDS:
            self._pause = FIRST_PAUSE
        pause, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE)
        self.restart_at = time.monotonic() + pause
        self._signal_group(signal.SIGTERM)
        return _how_it_ended(process.returncode), pause

    def restart_if_due(self) -> bool:
        if self.restart_at is None or time.monotonic() < self.restart_at:
            return False
        self._signal_group(signal.SIGKILL)  # what it left behind may still hold its port
        self.start()
        return True

    def wait(self, seconds: float) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired when it takes longer."""
        return self._process().wait(timeout=seconds)

    def stop(self, in_a_hurry: Callable[[], bool] = lambda: False) -> bool:
        """Ask it to stop, then kill it and whatever it started. True when it went by itself."""
        self.restart_at = None
        if self.process is None:
            return True
        process, deadline = self.process, time.monotonic() + self.spec.stop_seconds
        if process.poll() is None:
            with suppress(ProcessLookupError):
                process.send_signal(self.spec.stop_signal)
        while process.poll() is None and time.monotonic() < deadline and not in_a_hurry():
            time.sleep(0.02)
        went = process.poll() is not None
        self._signal_group(signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
        self.pid_file.unlink(missing_ok=True)
        return went

    def _process(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            raise RuntimeError(f"{self.spec.name} was never started")
        return self.process

    def _signal_group(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process().pid, number)


class Supervisor:
    """A list of children whose output is told line by line under their names."""

    def __init__(self, *, run_dir: Path, environ: Mapping[str, str], say: Callable[[str, str], None]) -> None:
        self.children: list[Child] = []
        self._run_dir = run_dir
        self._environ = environ
        self._say = say

    def start(self, specs: Sequence[ProcessSpec]) -> None:
        """Start them in the order given."""
        for spec in specs:
            child = Child(spec, run_dir=self._run_dir, environ=self._environ, output=subprocess.PIPE)
            self.children.append(child)
            child.start()
            self._read(child)

    def tick(self) -> None:
        """Note who died and start again whose pause is over. Call a few times a second."""
        for child in self.children:
            if child.has_died():
                how, pause = child.plan_restart()
                self._say(child.spec.name, f"{how}; starting it again in {pause:g} s")
            elif child.restart_if_due():
                self._say(child.spec.name, "started again")
                self._read(child)

    def stop(self, in_a_hurry: Callable[[], bool] = lambda: False) -> None:
        """Stop all, the last started first; `in_a_hurry` cuts the patience short."""
        for child in reversed(self.children):
            if not child.stop(in_a_hurry):
                self._say(
                    child.spec.name, f"did not stop within {child.spec.stop_seconds:g} s and was killed"
                )
        self.children.clear()

    def _read(self, child: Child) -> None:
        pipe = child.process.stdout if child.process is not None else None
        if pipe is not None:
            threading.Thread(target=self._tell, args=(child.spec.name, pipe), daemon=True).start()

    def _tell(self, name: str, pipe: IO[bytes]) -> None:
        with suppress(ValueError, OSError):  # closed under us while stopping
            for line in pipe:
                self._say(name, line.decode("utf-8", "replace").rstrip())


def end_leftover(pid_file: Path, belongs: Callable[[psutil.Process], bool], number: signal.Signals) -> bool:
    """End a process an earlier start left behind, if its pid file still names one of ours.

    `belongs` guards against a number that was given to another process meanwhile. True when one was ended.
    """
    try:
        process = psutil.Process(int(pid_file.read_text(encoding="ascii")))
        if not belongs(process):
            return False
        process.send_signal(number)
        try:
            process.wait(timeout=10)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)
    except (OSError, ValueError, psutil.Error):
        return False
    else:
        return True


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
