"""`callcenter up`: check, start the servers, migrate, load the sample set-up, start every process, stay.

A refusal comes before anything is started and is one line (exit code 2). Ctrl-C or SIGTERM stops what was
started, the last first, and keeps the data; a second Ctrl-C stops it at once. After `kill -9` of this process
the kernel sends the processes their stop signal (`launch.py`), and the keeper stops the servers.
"""

import http.client
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

import click
import psutil
import structlog

from callcenter.config import Settings, load_settings
from callcenter.embedded import Servers, servers
from callcenter.errors import CallCenterError
from callcenter.home import only_one_up, open_home, refuse_second_up, refuse_taken_port
from callcenter.processes import ProcessSpec, Supervisor, end_leftover

ROOT = Path(__file__).parents[2]
"""The checkout: `wsgi.py` is found from here."""
OURS = frozenset({"DATABASE_URL", "REDIS_URL", "SECRET_KEY"})
"""What only the product's own processes may know; the simulator and the synthetic customers stand outside."""
SYNTHETIC = "demo"
"""The synthetic customers and agents."""
PAST_STOPS_SECONDS = 5.0
TICK_SECONDS = 0.2
READY_SECONDS = 90.0

SampleSignIn = tuple[str, str, str]
"""Role, login, password of one sample account."""


class NotReady(CallCenterError):
    """The product was started and did not answer in time."""

    code = "not_ready"


class StopRequested(BaseException):
    """Someone asked us to stop while we were starting."""


WEB_CONNECTIONS = 4000
"""Open pages one web process can serve; each keeps a stream. The system's limit of open files must allow it."""


def web_and_workers(settings: Settings) -> tuple[ProcessSpec, ...]:
    """The processes of the product, in the order of their start."""
    python = sys.executable
    gunicorn = (
        *(python, "-m", "gunicorn", "wsgi:app", "-k", "gevent", "-w", str(settings.web_workers)),
        *("--bind", f"{settings.host}:{settings.port}", "--no-control-socket", "--graceful-timeout", "8"),
        *("--worker-connections", str(WEB_CONNECTIONS)),
    )
    specs = [ProcessSpec(name="web", argv=gunicorn, cwd=ROOT)]
    specs += [
        ProcessSpec(name=f"worker-{number}", argv=(python, "-m", "workers.main"), cwd=ROOT)
        for number in range(1, settings.worker_count + 1)
    ]
    specs.append(ProcessSpec(name="errands", argv=(python, "-m", "workers.main", "errands"), cwd=ROOT))
    specs.append(ProcessSpec(name="scheduler", argv=(python, "-m", "workers.scheduler"), cwd=ROOT))
    if settings.carrier == "simulator":
        specs.append(_simulator(settings))
    if settings.demo:
        addresses = {
            "CALLCENTER_URL": f"http://{settings.host}:{settings.port}",
            "CARRIER_SIM_URL": settings.carrier_base_url or f"http://127.0.0.1:{settings.carrier_sim_port}",
        }
        argv = (python, "-m", "callcenter.demo")
        specs.append(ProcessSpec(name=SYNTHETIC, argv=argv, cwd=ROOT, environ=addresses, withheld=OURS))
    return tuple(specs)


def _simulator(settings: Settings) -> ProcessSpec:
    where = ("--port", str(settings.carrier_sim_port), "--cps", str(settings.calls_per_second))
    argv = (sys.executable, "-m", "callcenter.telephony.simulator", *where)
    log = settings.home / "log" / "carrier-sim.log"  # every step of every call: too much for the terminal
    return ProcessSpec(name="carrier-sim", argv=argv, cwd=ROOT, withheld=OURS, log_file=log)


def _migrate(settings: Settings) -> None:
    from callcenter.commands.migrate import migrate

    assert settings.database_url is not None
    migrate(settings.database_url)


def _load_sample(settings: Settings) -> list[SampleSignIn]:
    from callcenter.commands.sample import load_sample

    return load_sample(settings)


def _live_past(settings: Settings, stopping: threading.Event) -> None:
    from callcenter.commands.past import live_past
    from callcenter.runtime import Runtime

    runtime = Runtime(settings)
    try:
        live_past(runtime, stopping)
    finally:
        runtime.engine.dispose()


@dataclass(frozen=True)
class Plan:
    """What `up` does between the servers' start and the end; tests put their own in."""

    migrate: Callable[[Settings], None] = _migrate
    load_sample: Callable[[Settings], Sequence[SampleSignIn]] = _load_sample
    processes: Callable[[Settings], Sequence[ProcessSpec]] = web_and_workers
    ready_seconds: float = READY_SECONDS
    live_past: Callable[[Settings, threading.Event], None] = _live_past


class _Past:
    """The demo's past, lived beside everything else; its customers of today come when it is over."""

    def __init__(self, live: Callable[[threading.Event], None]) -> None:
        self._live, self._stopping = live, threading.Event()
        self._thread = threading.Thread(target=self._run, name="past", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._live(self._stopping)
        except Exception:  # a demo without a past is still a demo
            structlog.get_logger().exception("past.failed")

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Have it end after the day it is at."""
        self._stopping.set()
        self._thread.join(PAST_STOPS_SECONDS)


class _Signals:
    """The first request to stop interrupts a start; later ones mean "now"."""

    def __init__(self) -> None:
        self.count = 0
        self.may_interrupt = True
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
        if self.may_interrupt:
            self.may_interrupt = False
            raise StopRequested

    def in_a_hurry(self) -> bool:
        return self.count > 1


class _Told:
    """One readable log: `name | line`, whole lines only, from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __call__(self, name: str, line: str) -> None:
        with self._lock:
            sys.stdout.write(f"{name:<11} | {line}\n")
            sys.stdout.flush()


def run_up(settings: Settings, plan: Plan | None = None) -> None:
    """Run the product until asked to stop.

    Raises ConfigError before anything is started, NotReady when it does not answer in time.
    """
    plan = plan or Plan()
    refuse_second_up(settings.home)
    refuse_taken_port(settings.host, settings.port)
    settings = open_home(settings)
    with only_one_up(settings.home):
        signals, say = _Signals(), _Told()
        try:
            with servers(settings) as running:
                say("up", f"servers ready; data in {settings.home}")
                _run_with_servers(running, plan, signals, say)
        except StopRequested:
            pass
        finally:
            signals.may_interrupt = False
        say("up", "stopped; the data is kept")


def _run_with_servers(
    running: Servers, plan: Plan, signals: _Signals, say: Callable[[str, str], None]
) -> None:
    settings = _with_simulator(running.settings)
    plan.migrate(settings)
    sign_ins = plan.load_sample(settings)
    specs = plan.processes(settings)
    _end_leftovers(settings, specs)
    at_once = [one for one in specs if one.name != SYNTHETIC]
    later = [one for one in specs if one.name == SYNTHETIC]
    with _supervised(settings, signals, say) as supervisor:
        supervisor.start(at_once)
        _wait_until_ready(settings, supervisor, plan.ready_seconds)
        for line in _welcome(settings, sign_ins):
            say("up", line)
        with _lived(plan, settings) as past:
            while True:
                time.sleep(TICK_SECONDS)
                if running.keep_alive():
                    say("up", "the servers' keeper was gone; started a new one")
                if later and past.is_over:
                    supervisor.start(later)
                    later = []
                supervisor.tick()


@contextmanager
def _lived(plan: Plan, settings: Settings) -> Iterator[_Past]:
    """The demo's past under way for the length of the block."""
    past = _Past(lambda stopping: plan.live_past(settings, stopping) if settings.demo else None)
    try:
        yield past
    finally:
        past.stop()


@contextmanager
def _supervised(
    settings: Settings, signals: _Signals, say: Callable[[str, str], None]
) -> Iterator[Supervisor]:
    """Whatever ends the block, the processes are stopped before the servers are given back."""
    supervisor = Supervisor(
        run_dir=settings.home / "run", environ=child_environ(os.environ, settings), say=say
    )
    try:
        yield supervisor
    finally:
        signals.may_interrupt = False
        say("up", "stopping")
        supervisor.stop(signals.in_a_hurry)


def child_environ(environ: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """Our environment with the settings spelled out, so that every process reads the same ones."""
    spelled = settings.as_environ()
    kept = {name: value for name, value in environ.items() if name.removesuffix("_FILE") not in spelled}
    return {**kept, **spelled, "PYTHONUNBUFFERED": "1"}


def _with_simulator(settings: Settings) -> Settings:
    """The settings with the simulator's real address, on a port that is free."""
    if settings.carrier != "simulator":
        return settings
    port = _free_port(settings.carrier_sim_port)
    (settings.home / "run" / "carrier-sim.port").write_text(f"{port}\n", encoding="ascii")
    base_url = settings.carrier_base_url or f"http://127.0.0.1:{port}"
    return replace(settings, carrier_sim_port=port, carrier_base_url=base_url)


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(listener.getsockname()[1])
    return wanted


def _end_leftovers(settings: Settings, specs: Sequence[ProcessSpec]) -> None:
    """End processes of an earlier start that outlived it; known by the home in their environment."""

    def belongs(process: psutil.Process) -> bool:
        return bool(process.environ().get("CALLCENTER_HOME") == str(settings.home))

    for spec in specs:
        end_leftover(settings.home / "run" / f"{spec.name}.pid", belongs, spec.stop_signal)


def _wait_until_ready(settings: Settings, supervisor: Supervisor, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not _is_ready(settings):
        if time.monotonic() > deadline:
            raise NotReady(
                f"the web process did not become ready within {seconds:g} s; the lines above say why"
            )
        supervisor.tick()
        time.sleep(TICK_SECONDS)


def _is_ready(settings: Settings) -> bool:
    connection = http.client.HTTPConnection(settings.host, settings.port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _welcome(settings: Settings, sign_ins: Sequence[SampleSignIn]) -> list[str]:
    lines = ["", f"Ready: {settings.public_base_url}"]
    if sign_ins:
        lines += ["", f"{'sign in as':<22} {'login':<28} password"]
        lines += [f"{role:<22} {login:<28} {password}" for role, login, password in sign_ins]
    if settings.carrier == "simulator":
        lines += ["", f"Calls go to the carrier simulator: {settings.carrier_base_url}"]
    return [*lines, "", "Ctrl-C stops everything and keeps the data."]


@click.command("up")
def up_command() -> None:
    """Start everything and stay until Ctrl-C."""
    run_up(load_settings(os.environ))
