"""A crew of agents who work through anything: each is a thread that presses what the console shows."""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType

import requests

from callcenter.accounts import service as accounts
from callcenter.db import make_engine, session_scope
from callcenter.domain.enums import Role
from callcenter.routing import service as routing
from callcenter.runtime import utc_now
from callcenter.sample.people import DEMO_PASSWORD
from tests.faults.console import AgentConsole, Shown
from tests.system import System, wait_for

LOOKS_EVERY_S = 0.35


def hire(system: System, how_many: int) -> list[str]:
    """Add so many agents, as an administrator would, and return their logins."""
    logins = [f"crew-{number:02d}" for number in range(how_many)]
    engine = make_engine(system.database_url)
    for login in logins:
        with session_scope(engine) as session:
            now = utc_now()
            user = accounts.add_user(session, login, login, Role.AGENT, DEMO_PASSWORD, now)
            routing.add_agent(session, user.id, "Crew", now)
    engine.dispose()
    return logins


class Worker(threading.Thread):
    """One agent: becomes available, dials what is offered, tags every attempt by how it went."""

    def __init__(self, system: System, login: str, stop: threading.Event) -> None:
        super().__init__(name=login)
        self._system, self._login, self._enough = system, login, stop
        self._talked: set[str] = set()

    def run(self) -> None:
        console = None
        while not self._enough.wait(LOOKS_EVERY_S):
            with suppress(requests.RequestException, AssertionError):
                console = console or AgentConsole(self._system, self._login)
                self._act(console, console.look())
        if console is not None:
            console.close()

    def _act(self, console: AgentConsole, shown: Shown) -> None:
        task = shown.call_task_id
        if shown.phase == "talking" and task:
            self._talked.add(task)
        elif shown.phase == "previewing" and task:
            console.post(f"/console/call-tasks/{task}/dial")
        elif shown.phase == "wrapping" and task:
            said = "will_finish" if task in self._talked else "no_answer"
            console.post(f"/console/call-tasks/{task}/wrap-up", disposition=said, note="")
        elif shown.phase in ("idle", "gone") and shown.presence != "available":
            console.post("/console/presence", presence="available")


class Crew:
    """All of them, from the start of a block to its end."""

    def __init__(self, system: System, logins: Sequence[str]) -> None:
        self._enough = threading.Event()
        self._workers = [Worker(system, login, self._enough) for login in logins]

    def __enter__(self) -> "Crew":
        for worker in self._workers:
            worker.start()
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._enough.set()
        for worker in self._workers:
            worker.join(20)


def all_available(system: System, logins: Sequence[str], seconds: float) -> None:
    """Wait until every agent sits idle and available."""
    statement = (
        "SELECT count(*) AS n FROM agent g JOIN app_user u ON u.id = g.id"
        " WHERE u.login LIKE 'crew-%%' AND g.work_state = 'idle' AND g.presence = 'available'"
    )
    wait_for(lambda: system.row(statement)["n"] == len(logins), seconds, "every agent idle and available")
