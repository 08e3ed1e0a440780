"""`kill -9` at every turn of the story: every acknowledged event is kept once, every call is made once.

`up` starts again what was killed; the agent presses a button again when the line was cut. Nobody else helps.
"""

import time
from collections.abc import Callable, Sequence

import pytest

from tests.faults.console import AgentConsole
from tests.faults.story import Story
from tests.system import CustomerApp, Person, System, person_to_call, wait_for

WEB, SCHEDULER, WORKERS = ("web",), ("scheduler",), ("worker-1", "worker-2")


def test_a_web_process_killed_while_it_rings_is_back_before_the_customer_waits(
    system: System, app: CustomerApp, agent: AgentConsole, person: Person
) -> None:
    """First of all: `up` waits longer before each further start of a process that keeps being killed."""
    system.set_number(person.number, outcome="human", ring_s=16, talk_s=120)
    Story(system, app, agent, {"ringing": WEB}).play(person)


@pytest.mark.parametrize(
    ("point", "killed"),
    [
        ("events acknowledged", SCHEDULER),
        ("events acknowledged", WEB),
        ("call task open", WORKERS),
        ("reserved", WEB),
        ("dialed", SCHEDULER),
        ("talking", WORKERS),
        ("call ended", WEB),
        ("wrap-up saved", WORKERS),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_a_killed_process_neither_loses_nor_repeats_a_step(
    system: System, app: CustomerApp, agent: AgentConsole, person: Person, point: str, killed: Sequence[str]
) -> None:
    Story(system, app, agent, {point: killed}).play(person)


def test_a_worker_killed_while_it_asks_the_carrier_asks_nobody_twice(
    system: System, app: CustomerApp, agent: AgentConsole, person: Person
) -> None:
    """The carrier has made the call and its answer never arrives: the callbacks tell what became of it."""
    system.sim("PUT", "faults", {"hang_after": {"next": 1, "seconds": 20}})
    app.deliver(*app.gets_stuck(person))
    shown = agent.shows("previewing")
    assert shown.call_task_id
    agent.dials(shown.call_task_id)
    wait_for(lambda: system.calls_to(person.number), 20, "the call")
    for worker in WORKERS:
        system.kill(worker)
    shown = agent.shows("talking", call_task_id=shown.call_task_id)
    assert shown.attempt_id
    assert shown.call_task_id
    agent.ends(shown.attempt_id)
    agent.wraps_up(shown.call_task_id, "will_finish", person.user)
    system.sim("DELETE", "faults")
    Story(system, app, agent, {}).check(person)


def stream(app: CustomerApp, people: Sequence[Person], while_sending: Callable[[int], None]) -> None:
    """Send pages of many customers, one request each, and repeat what was not acknowledged."""
    for place, someone in enumerate(people):
        events = (app.identifies(someone), app.opens(someone, "register"))
        while_sending(place)
        answer = app.send(*events)
        assert answer in (200, 503, None), "neither taken nor refused for now"
        if answer != 200:
            app.deliver(*events)


def test_a_killed_database_loses_no_acknowledged_event(system: System, app: CustomerApp) -> None:
    people = [person_to_call("register-quiet") for _ in range(40)]
    killed: list[int] = []
    stream(app, people, lambda place: killed.append(system.kill("postgres")) if place == 10 else None)
    wait_for(lambda: system.is_back("postgres", killed[0]), 40, "the database")
    wait_for(system.is_ready, 40, "readiness")
    for someone in people:
        app.deliver(app.does(someone, "application_closed"))


def test_a_killed_doorbell_loses_nothing(
    system: System, app: CustomerApp, agent: AgentConsole, person: Person
) -> None:
    Story(system, app, agent, {"call task open": ("valkey",)}).play(person)


def test_at_the_end_everything_is_there_once_and_nothing_is_left_undone(
    system: System, app: CustomerApp, agent: AgentConsole
) -> None:
    stored = system.rows("SELECT message_id, count(*) AS n FROM journey_event GROUP BY 1")
    assert {row["message_id"] for row in stored} >= set(app.acknowledged)
    assert {row["n"] for row in stored} == {1}
    undone = "SELECT kind, tries, last_error FROM outbox_message WHERE done_at IS NULL"
    deadline = time.monotonic() + 45
    while system.rows(undone) and time.monotonic() < deadline:
        time.sleep(0.3)
    assert system.rows(undone) == []
    assert system.rows("SELECT * FROM outbox_message WHERE failed_at IS NOT NULL") == []
    assert system.rows("SELECT * FROM incident") == []
    assert system.rows("SELECT id, state FROM contact_attempt WHERE state <> 'ended'") == []
    assert system.rows("SELECT id FROM reservation WHERE ended_at IS NULL") == []
    assert system.sim("GET", "invariants").json()["most_calls_to_one_number"] == 1
    assert {row["work_state"] for row in system.rows("SELECT work_state FROM agent")} == {"idle"}
    shown = agent.look()
    assert (shown.phase, shown.presence) == ("idle", "available")
