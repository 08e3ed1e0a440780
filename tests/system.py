"""A whole running instance for tests and benchmarks: `callcenter up` as a child, its simulator, its database.

    with running_system(folder) as system:
        app = CustomerApp(system)
        ...

The product is reached only from outside: over HTTP, at the simulator's control page, by reading its rows.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4
from zoneinfo import ZoneInfo

import psutil
import psycopg
import requests
from psycopg.rows import dict_row

from callcenter.domain.ids import derived_id
from callcenter.keeper import read_state
from callcenter.learning.service import draw_arm
from callcenter.processes import LAUNCH
from callcenter.sample.people import DEMO_PASSWORD, DEMO_WRITE_KEY
from tests.servers import plain_url

ROOT = Path(__file__).parents[1]
READY_SECONDS = 120.0
STOP_SECONDS = 60.0
HOLDOUT_SHARE = 0.2
"""As many customers as any sample rule holds out: who is called at this share is called at every smaller one."""
_NUMBERS = {
    "Asia/Shanghai": "+86138{:08d}",
    "Asia/Dubai": "+97150{:07d}",
    "Europe/Zurich": "+4179{:07d}",
    "America/Sao_Paulo": "+55119{:08d}",
    "America/Mexico_City": "+5255{:08d}",
    "America/Vancouver": "+1604555{:04d}",
    "Pacific/Auckland": "+6421{:07d}",
}
"""Where it is day at some hour, and what numbers are there: number and address must both allow the call."""
ZONES = tuple(_NUMBERS)
T = TypeVar("T")


def wait_for(what: Callable[[], T | None], seconds: float = 10.0, why: str = "it") -> T:
    """Return the first true value of `what()`; AssertionError when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < deadline, f"{why} did not happen within {seconds:g} s"
        time.sleep(0.03)


def free_port() -> int:
    """Return a port nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def zone_in_hours(now: datetime) -> str:
    """Return a zone whose local time lies well inside the calling hours, whenever the tests run."""
    return min(_NUMBERS, key=lambda zone: abs(now.astimezone(ZoneInfo(zone)).hour - 13))


def number_in(zone: str, number: int) -> str:
    """Return one of the mobile numbers of a zone, E.164."""
    return _NUMBERS[zone].format(1_000 + number)


@dataclass
class System:
    """One running instance. `environ` is what it was started with."""

    home: Path
    port: int
    sim_port: int
    environ: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None
    http: requests.Session = field(default_factory=requests.Session)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log_file(self) -> Path:
        """What `up` and its processes have said."""
        return self.home.parent / "up.log"

    def start(self) -> None:
        """Start and return once the instance can work. AssertionError with its last words when it does not."""
        # It ends with us, also when we are killed.
        launch = (sys.executable, "-I", "-S", str(LAUNCH), str(os.getpid()), str(int(signal.SIGTERM)), "-")
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [*launch, sys.executable, "-m", "callcenter.cli", "up"],
                cwd=ROOT,
                env={**os.environ, **self.environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + READY_SECONDS
        while not self.is_ready() or not self._sim_answers():
            assert self.process.poll() is None, f"up ended: {self.last_words()}"
            assert time.monotonic() < deadline, f"up is not ready: {self.last_words()}"
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop everything that was started."""
        self.http.close()
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def last_words(self) -> str:
        return "\n".join(self.log_file.read_text("utf-8", "replace").splitlines()[-15:])

    def is_ready(self) -> bool:
        """Whether the web process answers and reaches its database."""
        with suppress(requests.RequestException):
            return requests.get(f"{self.base_url}/readyz", timeout=2).ok
        return False

    def _sim_answers(self) -> bool:
        with suppress(requests.RequestException):
            return self.sim("GET", "health").ok
        return False

    # -- its processes

    def pid(self, name: str) -> int:
        """Process id of web, worker-1, worker-2, scheduler, carrier-sim, postgres, valkey or keeper."""
        return int((self.home / "run" / f"{name}.pid").read_text())

    def kill(self, name: str) -> int:
        """`kill -9` a process with all its children; return its id. `up` or the keeper starts it again."""
        killed = self.pid(name)
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(killed)
            for each in (process, *process.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    each.kill()
        return killed

    def is_back(self, name: str, killed: int) -> bool:
        """Whether another process has taken the place of a killed one."""
        with suppress(OSError, ValueError):
            return self.pid(name) != killed and psutil.pid_exists(self.pid(name))
        return False

    def kill_and_wait(self, name: str, seconds: float = 45.0) -> None:
        """Kill a process and return once its successor runs and the instance can work."""
        killed = self.kill(name)
        wait_for(lambda: self.is_back(name, killed), seconds, f"the restart of {name}")
        wait_for(self.is_ready, seconds, "readiness")

    # -- its carrier and its rows

    def sim(self, method: str, path: str, body: Any = None) -> requests.Response:
        """Speak with the simulator's control side."""
        address = f"http://127.0.0.1:{self.sim_port}/_sim/{path}"
        return requests.request(method, address, json=body, timeout=5)

    def set_number(self, number: str, **plan: Any) -> None:
        """Decide how a number behaves: `outcome`, `ring_s`, `talk_s`, `patience_s`."""
        answer = self.sim("PUT", f"numbers/{number}", plan)
        assert answer.ok, answer.text

    def calls_to(self, number: str) -> list[dict[str, Any]]:
        """Every call the simulator was asked to make to a number."""
        calls: list[dict[str, Any]] = self.sim("GET", "calls").json()["calls"]
        return [call for call in calls if call["to"] == number]

    @property
    def database_url(self) -> str:
        """The running database's address, for psycopg."""
        state = read_state(self.home)
        assert state is not None
        return plain_url(state.database_url)

    def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Read rows; nothing can be written here."""
        options = "-c default_transaction_read_only=on -c timezone=UTC"
        with psycopg.connect(
            self.database_url, autocommit=True, options=options, row_factory=dict_row, connect_timeout=5
        ) as connection:
            return connection.execute(statement.encode(), values).fetchall()

    def row(self, statement: str, *values: Any) -> dict[str, Any]:
        """Read the one row there must be."""
        (found,) = self.rows(statement, *values)
        return found


@contextmanager
def running_system(folder: Path, **environ: str) -> Iterator[System]:
    """Run an instance without synthetic customers, with its data below `folder`, for the length of the block."""
    # Root's servers run under an ordinary account, which must get through to its own directory.
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    port, sim_port = free_port(), free_port()
    wanted = {
        "CALLCENTER_HOME": str(folder / "home"),
        "DEMO": "0",
        "GLOBAL_HOLDOUT": "0",
        "PORT": str(port),
        "CARRIER_SIM_PORT": str(sim_port),
        "CALLS_PER_SECOND": "100",
        "MIN_FREE_MB": "50",
        **environ,
    }
    system = System(folder / "home", port, sim_port, wanted)
    try:
        system.start()
        yield system
    finally:
        system.stop()


# -- customers


@dataclass(frozen=True)
class Person:
    """One customer of the bank, as its app knows them."""

    user: str
    number: str
    name: str
    zone: str
    application: str


_people = count(1)


def person_to_call(*rule_keys: str, now: datetime | None = None, held_out: bool = False) -> Person:
    """Return a new customer whom none (or, if wanted, each) of these rules holds out at `now`."""
    at = now or datetime.now(UTC)
    while True:
        number = next(_people)
        user = f"person-{number}"
        who = derived_id("customer", user)
        # A firing may fall into the next calendar quarter, which draws anew.
        moments = (at, at + timedelta(hours=1))
        draws = {
            draw_arm(key, who, HOLDOUT_SHARE, moment).held_out for key in rule_keys for moment in moments
        }
        if draws == {held_out}:
            name = f"{'陈林王李张刘'[number % 6]}{'伟芳敏静磊洋'[number // 6 % 6]}"
            zone = zone_in_hours(at)
            return Person(user, number_in(zone, number), name, zone, f"a-{number}")


class CustomerApp:
    """The bank's app: reports what customers do to the collector, and knows what was acknowledged."""

    def __init__(self, system: System) -> None:
        self._url = f"{system.base_url}/v1/batch"
        self.acknowledged: list[str] = []

    def send(self, *events: dict[str, Any], timeout: float = 10) -> int | None:
        """Send one batch; return the status, None when the connection broke. Only a 200 acknowledges."""
        try:
            answer = requests.post(
                self._url, json={"batch": list(events)}, auth=(DEMO_WRITE_KEY, ""), timeout=timeout
            )
        except requests.RequestException:
            return None
        if answer.ok:
            assert answer.json()["rejected"] == [], answer.text
            self.acknowledged += [event["messageId"] for event in events]
        return answer.status_code

    def deliver(self, *events: dict[str, Any], seconds: float = 40.0) -> None:
        """Send a batch again and again until it is acknowledged, as the public SDKs do."""
        wait_for(lambda: self.send(*events) == 200, seconds, "an acknowledgement")

    def identifies(self, person: Person, **traits: Any) -> dict[str, Any]:
        """The event that tells who a customer is."""
        known = {"name": person.name, "phone": person.number, "time_zone": person.zone, "language": "zh"}
        return self._event(person, type="identify", traits={**known, **traits})

    def opens(self, person: Person, page: str, **properties: Any) -> dict[str, Any]:
        """The event of a page of the journey."""
        about = {"application_id": person.application, "step": page, **properties}
        return self._event(person, type="page", name="Loan", properties=about)

    def does(self, person: Person, event: str, **properties: Any) -> dict[str, Any]:
        """A tracked event."""
        about = {"application_id": person.application, **properties}
        return self._event(person, type="track", event=event, properties=about)

    def gets_stuck(self, person: Person) -> Sequence[dict[str, Any]]:
        """A customer signs in, comes to the ID photo and has it rejected twice: the rule fires at once."""
        return (
            self.identifies(person),
            self.opens(person, "id_photo_front"),
            self.does(person, "photo_rejected", reason="glare"),
            self.does(person, "photo_rejected", reason="glare"),
        )

    def _event(self, person: Person, **event: Any) -> dict[str, Any]:
        stamp = datetime.now(UTC).isoformat()
        return {"userId": person.user, "messageId": uuid4().hex, "timestamp": stamp, **event}


def sign_in_form(login: str) -> dict[str, str]:
    """What the sign-in form sends for a user of the sample set-up."""
    return {"email": login, "password": DEMO_PASSWORD}
