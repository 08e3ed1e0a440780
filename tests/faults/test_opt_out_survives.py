"""Who says no is not called again, whatever dies in the moment they say it.

A click or an event that was answered counts before any later dial. One that was not answered has failed
visibly: it is repeated, and then counts, once.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

import pytest
import requests

from callcenter.compliance.policies import Gate, look
from callcenter.compliance.queries import ProposedCall
from callcenter.compliance.rules import screen_customer
from callcenter.db import make_engine, read_scope
from callcenter.domain.enums import BarReason, Purpose
from callcenter.domain.ids import derived_id
from callcenter.models import Customer
from callcenter.runtime import utc_now
from tests.faults.conftest import RING_S, instance
from tests.faults.console import AgentConsole
from tests.system import CustomerApp, Person, System, person_to_call, wait_for

BARS = """
SELECT s.kind, s.source FROM suppression s JOIN customer c ON c.id = s.customer_id WHERE c.external_id = %s
"""
ACTS = "SELECT act FROM consent k JOIN customer c ON c.id = k.customer_id WHERE c.external_id = %s"
NO = "do_not_call"
IN_FLIGHT_S = (0.0, 0.004, 0.012)
"""When the web process is killed after the click: before it has read it, at work on it, perhaps just done."""


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    """An instance of their own: each death makes the next start wait longer, and other tests count seconds."""
    with instance() as running:
        yield running


@pytest.fixture(scope="module")
def app(system: System) -> CustomerApp:
    """The bank's app."""
    return CustomerApp(system)


@pytest.fixture(scope="module")
def console(system: System) -> Iterator[AgentConsole]:
    """The one agent's console, signed in."""
    console = AgentConsole(system)
    yield console
    console.close()


@pytest.fixture
def person(system: System) -> Person:
    """A customer who picks up and stays on the telephone."""
    someone = person_to_call("id-photo-trouble")
    system.set_number(someone.number, outcome="human", ring_s=RING_S, talk_s=120)
    return someone


def reasons(system: System, person: Person, purpose: Purpose = Purpose.SERVICE) -> Sequence[BarReason]:
    """What the gate would say to a dial this moment."""
    key = (system.home / "secrets" / "number_key").read_text().strip().encode()
    engine = make_engine(system.database_url)
    with read_scope(engine) as session:
        customer = session.get(Customer, derived_id("customer", person.user))
        assert customer is not None
        call, now = ProposedCall(customer, purpose, "loan"), utc_now()
        ((facts, policy),) = look(session, Gate(("cn-bank",), key), [call], now)
    engine.dispose()
    return screen_customer(facts, policy, now).reasons


def talks(app: CustomerApp, agent: AgentConsole, person: Person) -> str:
    """Let the agent talk with a customer and hang up; return the call task, which waits for its wrap-up."""
    app.deliver(*app.gets_stuck(person))
    shown = agent.shows("previewing")
    assert shown.call_task_id
    agent.dials(shown.call_task_id)
    shown = agent.shows("talking", call_task_id=shown.call_task_id)
    assert shown.attempt_id and shown.call_task_id
    agent.ends(shown.attempt_id)
    agent.shows("wrapping", call_task_id=shown.call_task_id)
    return shown.call_task_id


def is_up_again(system: System, killed: int) -> None:
    wait_for(lambda: system.is_back("web", killed) and system.is_ready(), 60, "web")


def never_again(system: System, app: CustomerApp, person: Person) -> None:
    """The bar stands once, the gate names it, and being in trouble again brings no second call."""
    assert system.rows(BARS, person.user) == [{"kind": NO, "source": "agent"}]
    assert BarReason.DO_NOT_CALL in reasons(system, person)
    app.deliver(*app.gets_stuck(person))
    time.sleep(2)
    assert len(system.calls_to(person.number)) == 1


def test_a_wrap_up_that_was_answered_counts_though_the_web_dies_at_once(
    system: System, app: CustomerApp, agent: AgentConsole, person: Person
) -> None:
    task = talks(app, agent, person)
    answer = agent.post(f"/console/call-tasks/{task}/wrap-up", disposition=NO, note="never again")
    killed = system.kill("web")
    assert answer.ok
    assert BarReason.DO_NOT_CALL in reasons(system, person)
    is_up_again(system, killed)
    agent.shows("idle")
    never_again(system, app, person)


@pytest.mark.parametrize("delay", IN_FLIGHT_S)
def test_a_wrap_up_cut_off_is_seen_to_fail_or_counts(
    system: System, app: CustomerApp, agent: AgentConsole, person: Person, delay: float
) -> None:
    task = talks(app, agent, person)
    answers: list[requests.Response] = []

    def click() -> None:
        with suppress(requests.RequestException):
            answers.append(agent.post(f"/console/call-tasks/{task}/wrap-up", disposition=NO, note=""))

    clicking = threading.Thread(target=click)
    clicking.start()
    time.sleep(delay)
    killed = system.kill("web")
    clicking.join()
    if answers and answers[0].ok:
        assert BarReason.DO_NOT_CALL in reasons(system, person)
    is_up_again(system, killed)
    agent.wraps_up(task, NO)
    never_again(system, app, person)


@pytest.mark.parametrize("is_answered", [True, False])
def test_an_opt_out_event_counts_once_whenever_the_web_dies(
    system: System, app: CustomerApp, is_answered: bool
) -> None:
    person = person_to_call("id-photo-trouble")
    given = app.does(
        person, "Consent Given", purpose="marketing", text_version="v3", proof="screen 4", channel="app"
    )
    app.deliver(app.identifies(person), given)
    assert BarReason.NO_CONSENT not in reasons(system, person, Purpose.MARKETING)
    leaves = (
        app.does(person, "Consent Withdrawn", purpose="marketing", channel="app"),
        app.does(person, "Marketing Objection", channel="app"),
    )
    if is_answered:
        app.deliver(*leaves)
        killed = system.kill("web")
    else:
        sending = threading.Thread(target=app.send, args=leaves)
        sending.start()
        killed = system.kill("web")
        sending.join()
        is_up_again(system, killed)
        app.deliver(*leaves)
    said = reasons(system, person, Purpose.MARKETING)
    assert {BarReason.OBJECTED, BarReason.NO_CONSENT} <= set(said)
    assert BarReason.OBJECTED not in reasons(system, person)
    is_up_again(system, killed)
    app.deliver(*leaves)
    assert system.rows(BARS, person.user) == [{"kind": "objection", "source": "event:app"}]
    assert sorted(row["act"] for row in system.rows(ACTS, person.user)) == ["given", "withdrawn"]
