import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from callcenter.commands.up import child_environ, web_and_workers
from callcenter.home import open_home
from tests.servers import test_settings as settings_in

pytestmark = pytest.mark.slow

STUB = Path(__file__).with_name("stub_up.py")


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="callcenter-tests-") as folder:
        Path(folder).chmod(0o711 if os.geteuid() == 0 else 0o700)
        yield Path(folder) / "home"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Up:
    """A running `callcenter up` whose processes are stand-ins (see stub_up.py), and what it has said."""

    def __init__(self, home: Path, port: int, **environ: str) -> None:
        self.home = home
        self.lines: list[str] = []
        wanted = {"CALLCENTER_HOME": str(home), "PORT": str(port), "MIN_FREE_MB": "50", **environ}
        self.process = subprocess.Popen(
            [sys.executable, str(STUB)],
            env={**os.environ, **wanted},
            cwd=STUB.parents[2],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout:
            self.lines.extend(line.rstrip() for line in iter(self.process.stdout.readline, ""))

    def said(self, part: str) -> bool:
        return any(part in line for line in tuple(self.lines))

    def pid_of(self, name: str) -> int:
        return int((self.home / "run" / f"{name}.pid").read_text())

    def wait(self) -> int:
        code = self.process.wait(40)
        self.reader.join(10)
        return code


@pytest.fixture
def start(home: Path) -> Iterator[Callable[..., Up]]:
    started: list[Up] = []

    def start_one(**environ: str) -> Up:
        started.append(Up(home, int(environ.pop("PORT", free_port())), **environ))
        return started[-1]

    yield start_one
    for up in started:
        if up.process.poll() is None:
            up.process.terminate()
            up.wait()


def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie"


def test_it_tells_the_address_and_sign_ins_and_stops_in_reverse_order(start: Callable[..., Up]) -> None:
    up = start()
    until(lambda: up.said("Ctrl-C stops everything"))
    assert up.said("Ready: http://127.0.0.1:")
    assert up.said("agent                  ada@example.com              sample-password")
    pids = [up.pid_of(name) for name in ("up", "web", "helper", "postgres", "valkey", "keeper")]
    up.process.send_signal(signal.SIGINT)
    assert up.wait() == 0
    order = [line.split("|")[1].strip() for line in up.lines if "asked to stop" in line]
    assert order == ["helper: asked to stop", "web: asked to stop"]
    assert up.lines[-1].endswith("stopped; the data is kept")
    assert all(is_gone(pid) for pid in pids)
    assert not list((up.home / "run").glob("*.pid"))


@pytest.mark.parametrize("moment", ["migrating", "loading"])
def test_it_can_be_stopped_while_it_starts(start: Callable[..., Up], moment: str) -> None:
    up = start(STUB_SLOW=moment)
    until(lambda: up.said(moment))
    keeper = up.pid_of("keeper")
    up.process.terminate()
    assert up.wait() == 0
    assert is_gone(keeper)


def test_a_second_one_in_the_same_home_is_refused_in_one_line(start: Callable[..., Up]) -> None:
    first = start()
    until(lambda: first.said("Ctrl-C stops everything"))
    second = start()
    assert second.wait() == 2
    assert len(second.lines) == 1
    assert f"process {first.process.pid}" in second.lines[0]
    assert first.process.poll() is None


def test_a_taken_port_is_refused_in_one_line_and_nothing_is_made(
    start: Callable[..., Up], home: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        up = start(PORT=str(taken.getsockname()[1]))
        assert up.wait() == 2
    (line,) = up.lines
    assert "is in use" in line
    assert not home.exists()


@pytest.mark.parametrize("environ", [{"PORT": "80000"}, {"MIN_FREE_MB": "999999999"}, {"DEMO": "maybe"}])
def test_a_refused_setting_is_one_line(start: Callable[..., Up], environ: dict[str, str]) -> None:
    up = start(**environ)
    assert up.wait() == 2
    (line,) = up.lines
    assert line.startswith("callcenter: ")
    assert next(iter(environ)) in line


def test_a_product_that_never_answers_is_stopped_and_said(start: Callable[..., Up]) -> None:
    up = start(STUB_BROKEN="1")
    assert up.wait() == 2
    assert up.said("web         | ended with exit code 7; starting it again in 0.5 s")
    assert up.said("did not become ready within")
    assert not list((up.home / "run").glob("*.pid"))


@pytest.mark.faults
def test_a_killed_process_is_started_again(start: Callable[..., Up]) -> None:
    up = start()
    until(lambda: up.said("Ctrl-C stops everything"))
    killed = up.pid_of("helper")
    os.kill(killed, signal.SIGKILL)
    until(lambda: up.pid_of("helper") != killed)
    assert up.said("helper      | was ended by SIGKILL; starting it again in 0.5 s")


@pytest.mark.faults
def test_a_killed_keeper_is_replaced(start: Callable[..., Up]) -> None:
    up = start()
    until(lambda: up.said("Ctrl-C stops everything"))
    killed = up.pid_of("keeper")
    os.kill(killed, signal.SIGKILL)
    until(lambda: up.said("started a new one"))
    assert up.pid_of("keeper") != killed


@pytest.mark.faults
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start ends what was left behind")
def test_nothing_outlives_a_killed_up_and_the_next_goes_on(start: Callable[..., Up]) -> None:
    up = start()
    until(lambda: up.said("Ctrl-C stops everything"))
    pids = [up.pid_of(name) for name in ("web", "helper", "postgres", "valkey", "keeper")]
    up.process.kill()
    until(lambda: all(is_gone(pid) for pid in pids))
    up.wait()
    again = start()
    until(lambda: again.said("Ctrl-C stops everything"))


def test_the_simulator_takes_another_port_when_its_own_is_taken(start: Callable[..., Up]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        up = start(CARRIER_SIM_PORT=str(port))
        until(lambda: up.said("Ctrl-C stops everything"))
    chosen = int((up.home / "run" / "carrier-sim.port").read_text())
    assert chosen != port
    assert up.said(f"Calls go to the carrier simulator: http://127.0.0.1:{chosen}")


def test_each_part_of_the_product_is_started_once_and_the_demo_only_when_wanted(tmp_path: Path) -> None:
    without = [spec.name for spec in web_and_workers(settings_in(tmp_path))]
    assert without == ["web", "worker-1", "worker-2", "errands", "scheduler", "carrier-sim"]
    assert [spec.name for spec in web_and_workers(settings_in(tmp_path, DEMO="1"))] == [*without, "demo"]


def test_the_simulator_and_the_synthetic_customers_know_no_secret_of_the_product(tmp_path: Path) -> None:
    outside = web_and_workers(settings_in(tmp_path, DEMO="1"))[-2:]
    assert all({"DATABASE_URL", "REDIS_URL", "SECRET_KEY"} <= spec.withheld for spec in outside)


def test_children_get_the_settings_and_no_second_source_for_a_secret(tmp_path: Path) -> None:
    settings = open_home(settings_in(tmp_path))
    environ = child_environ({"SECRET_KEY_FILE": "/else", "PATH": "/bin", "PORT": "1"}, settings)
    assert "SECRET_KEY_FILE" not in environ
    assert (environ["PATH"], environ["PORT"]) == ("/bin", "8000")
    assert environ["SECRET_KEY"] == settings.secret_key
