"""One running instance and one browser for all browser tests; each test gets its own customers and desk."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser
from playwright.sync_api import Error as PlaywrightError

from tests.browser.desk import Desk
from tests.faults.console import AgentConsole
from tests.system import CustomerApp, Person, System, person_to_call, running_system, sign_in_form, wait_for

RESULTS = Path(__file__).parents[2] / "test-results"
RIVAL = "rival"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """The instance all browser tests share."""
    with (
        tempfile.TemporaryDirectory(prefix="cc-", ignore_cleanup_errors=True) as folder,
        running_system(Path(folder)) as running,
    ):
        yield running


class Bank(CustomerApp):
    """The app, and the customers one test has brought in."""

    def __init__(self, system: System) -> None:
        super().__init__(system)
        self.system = system
        self.people: list[Person] = []

    def customer(self, *, held_out: bool = False, **plan: Any) -> Person:
        """A new customer, held out of the ID-photo rule or not, whose telephone behaves as said."""
        person = person_to_call("id-photo-trouble", held_out=held_out)
        self.people.append(person)
        self.system.set_number(person.number, **{"outcome": "human", "ring_s": 1, "talk_s": 60, **plan})
        return person

    def forget_all(self) -> None:
        """Let every customer of the test close their application: nothing of them is called later."""
        for person in self.people:
            self.deliver(self.does(person, "application_closed"))


@pytest.fixture
def bank(system: System) -> Iterator[Bank]:
    """Customers of one test; they are gone when it ends."""
    made = Bank(system)
    yield made
    made.forget_all()


@pytest.fixture(scope="session")
def cookies(browser: Browser, system: System) -> dict[str, Any]:
    """What each user's browser keeps after signing in: signing in is limited to ten times a minute."""
    kept = {}
    for login in ("agent", "supervisor", "strategist", "compliance", "admin"):
        with Desk(browser, system.base_url, login) as made:
            made.signs_in()
            kept[login] = made.context.storage_state()
    return kept


@pytest.fixture(scope="session")
def second_console(system: System) -> Iterator[AgentConsole]:
    """The same agent at another place, without a browser."""
    console = AgentConsole(system)
    yield console
    console.close()


@pytest.fixture
def desk(
    browser: Browser, system: System, bank: Bank, cookies: dict[str, Any], second_console: AgentConsole
) -> Iterator[Desk]:
    """An agent signed in and available, with the console before them. Idle and signed off afterwards."""
    with Desk(browser, system.base_url, storage_state=cookies["agent"]) as made:
        made.page.goto("/console")
        made.prefers("auto", "en")
        made.becomes_available()
        yield made
        clear_the_desk(second_console)
        assert made.troubles == [], "the page reported errors"


@pytest.fixture
def empty_desk(browser: Browser, system: System, bank: Bank, second_console: AgentConsole) -> Iterator[Desk]:
    """The agent's browser before anybody has signed in."""
    with Desk(browser, system.base_url) as made:
        yield made
        clear_the_desk(second_console)


@pytest.fixture(scope="session")
def rival_cookies(browser: Browser, system: System) -> dict[str, Any]:
    """A second agent, added as an administrator would, signed in once."""
    words = ("users", "add", RIVAL, "--name", "Wu Jing", "--role", "agent", "--team", "Loan desk A")
    subprocess.run(
        [sys.executable, "-m", "callcenter.cli", *words, "--password", sign_in_form(RIVAL)["password"]],
        env={**os.environ, **system.environ},
        check=True,
        capture_output=True,
        timeout=60,
    )
    with Desk(browser, system.base_url, RIVAL) as made:
        made.signs_in()
        kept: dict[str, Any] = made.context.storage_state()  # type: ignore[assignment]
    return kept


@pytest.fixture
def rival(browser: Browser, system: System, bank: Bank, rival_cookies: dict[str, Any]) -> Iterator[Desk]:
    """The second agent, available; idle and signed off afterwards."""
    console = AgentConsole(system, RIVAL)
    with Desk(browser, system.base_url, RIVAL, storage_state=rival_cookies) as made:
        made.page.goto("/console")
        made.becomes_available()
        yield made
        clear_the_desk(console)
        assert made.troubles == []
    console.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Keep what the page looked like when a test failed."""
    report = yield
    if call.when == "call" and report.failed:
        RESULTS.mkdir(exist_ok=True)
        name = "".join(letter if letter.isalnum() else "-" for letter in item.name)
        for who, desk in getattr(item, "funcargs", {}).items():
            if isinstance(desk, Desk):
                with suppress(
                    PlaywrightError
                ):  # a page that cannot even be looked at is told by the failure itself
                    desk.page.screenshot(path=RESULTS / f"failed-{name}-{who}.png")
    return report


def clear_the_desk(console: AgentConsole) -> None:
    """End whatever the agent is doing, as the agent, and sign them off."""

    def is_clear() -> bool:
        shown = console.look()
        if shown.attempt_id and shown.phase in ("dialing", "talking"):
            console.post(f"/console/attempts/{shown.attempt_id}/end")
        elif shown.call_task_id and shown.phase in ("reserved", "previewing"):
            console.post(f"/console/call-tasks/{shown.call_task_id}/skip", reason="other")
        elif shown.call_task_id and shown.phase == "wrapping":
            console.post(f"/console/call-tasks/{shown.call_task_id}/wrap-up", disposition="not_interested")
        return shown.phase in ("idle", "gone") and shown.presence == "signed_off"

    try:
        console.post("/console/presence", presence="signed_off")
        wait_for(is_clear, 20, "a clear desk")
    except requests.RequestException as error:
        raise AssertionError("the desk could not be cleared") from error
