"""One running instance for the fault tests, and one agent who keeps working through it all."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.console import AgentConsole
from tests.system import CustomerApp, Person, System, person_to_call, running_system

RING_S = 1.5


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.faults)


@contextmanager
def instance() -> Iterator[System]:
    """One running instance in a folder that is gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="cc-", ignore_cleanup_errors=True) as folder,
        running_system(Path(folder)) as running,
    ):
        yield running


@pytest.fixture(scope="package")
def system() -> Iterator[System]:
    """The instance nearly all fault tests share."""
    with instance() as running:
        yield running


@pytest.fixture(scope="package")
def app(system: System) -> CustomerApp:
    """The bank's app."""
    return CustomerApp(system)


@pytest.fixture(scope="package")
def console(system: System) -> Iterator[AgentConsole]:
    """The one agent's console, signed in."""
    console = AgentConsole(system)
    yield console
    console.close()


@pytest.fixture
def agent(console: AgentConsole) -> AgentConsole:
    """The one agent, available: a test that does not look at the console leaves them away."""
    console.becomes_available()
    return console


@pytest.fixture
def person(system: System) -> Person:
    """A customer who picks up and stays on the telephone."""
    someone = person_to_call("id-photo-trouble")
    system.set_number(someone.number, outcome="human", ring_s=RING_S, talk_s=120)
    return someone
