"""`kill -9` at every turn of the story: every acknowledged event is kept once, every call is made once.

`up` starts again what was killed; the agent presses a button again when the line was cut. Nobody else helps.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.faults.console import AgentConsole
from tests.system import CustomerApp, Person, System, person_to_call, wait_for

WEB, SCHEDULER, WORKERS = ("web",), ("scheduler",), ("worker-1", "worker-2")
RING_S = 1.5

TASK = """
SELECT t.*, f.id AS firing FROM trigger_firing f JOIN customer c ON c.id = f.customer_id
  LEFT JOIN call_task t ON t.firing_id = f.id
 WHERE c.external_id = %s AND f.rule_key = 'id-photo-trouble'
"""
ATTEMPT = "SELECT * FROM contact_attempt WHERE call_task_id = %s"
SAID = """
SELECT d.kind_code, d.note FROM disposition d JOIN contact_attempt a ON a.id = d.attempt_id
 WHERE a.call_task_id = %s
"""


@dataclass
class Story:
    """One customer's story, with processes killed when a point of it is reached."""

    system: System
    app: CustomerApp
    agent: AgentConsole
    kills: dict[str, Sequence[str]]

    def at(self, point: str) -> None:
        """The story has come to a point: kill what shall be killed here."""
        for name in self.kills.pop(point, ()):
            self.system.kill(name)

    def play(self, person: Person) -> None:
        """Play from the first event to the saved wrap-up, and check that all of it is there once."""
        self.app.deliver(*self.app.gets_stuck(person))
        self.at("events acknowledged")
        task = wait_for(lambda: self._task(person), 40, "the call task")
        self.at("call task open")
        call_task_id = str(task["id"])
        self.agent.shows("previewing", call_task_id=call_task_id)
        self.at("reserved")
        self.agent.dials(call_task_id)
        self.at("dialed")
        if "ringing" in self.kills:
            wait_for(lambda: self._call_is(person, "ringing"), 40, "ringing")
            self.at("ringing")
        shown = self.agent.shows("talking", call_task_id=call_task_id)
        self.at("talking")
        assert shown.attempt_id
        self.agent.ends(shown.attempt_id)
        self.agent.shows("wrapping", call_task_id=call_task_id)
        self.at("call ended")
        self.agent.wraps_up(call_task_id, "will_finish", person.user)
        self.at("wrap-up saved")
        assert not self.kills
        self.check(person)

    def check(self, person: Person) -> None:
        """One firing, one task, one call with the carrier's own result, one disposition, a free agent."""
        (task,) = self.system.rows(TASK, person.user)
        (call,) = self.system.calls_to(person.number)
        (attempt,) = self.system.rows(ATTEMPT, task["id"])
        assert attempt["carrier_ref"] == call["sid"]
        assert (attempt["state"], attempt["result"]) == ("ended", call["status"])
        assert self.system.rows(SAID, task["id"]) == [{"kind_code": "will_finish", "note": person.user}]
        assert task["state"] == "completed"

    def _task(self, person: Person) -> dict[str, Any] | None:
        found = self.system.rows(TASK, person.user)
        return found[0] if found and found[0]["id"] else None

    def _call_is(self, person: Person, status: str) -> bool:
        return [call["status"] for call in self.system.calls_to(person.number)] == [status]


@pytest.fixture
def person(system: System) -> Person:
    """A customer who picks up and stays on the telephone."""
    someone = person_to_call("id-photo-trouble")
    system.set_number(someone.number, outcome="human", ring_s=RING_S, talk_s=120)
    return someone


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


def test_a_web_process_killed_while_it_rings_is_back_before_the_customer_waits(
    system: System, app: CustomerApp, agent: AgentConsole, person: Person
) -> None:
    system.set_number(person.number, outcome="human", ring_s=12, talk_s=120)
    Story(system, app, agent, {"ringing": WEB}).play(person)


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


def test_a_customer_who_hangs_up_while_web_is_away_does_not_hold_the_agent(
    system: System, app: CustomerApp, agent: AgentConsole, person: Person
) -> None:
    """The carrier's last word is lost; the agent presses End, and the carrier's word is fetched."""
    app.deliver(*app.gets_stuck(person))
    shown = agent.shows("previewing")
    assert shown.call_task_id
    agent.dials(shown.call_task_id)
    shown = agent.shows("talking")
    assert shown.attempt_id
    assert shown.call_task_id
    killed = system.kill("web")
    (call,) = system.calls_to(person.number)
    assert system.sim("POST", f"calls/{call['sid']}/hangup").ok
    wait_for(lambda: system.is_back("web", killed) and system.is_ready(), 40, "web")
    agent.ends(shown.attempt_id)
    agent.wraps_up(shown.call_task_id, "will_finish", person.user)
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
    free = system.rows("SELECT work_state, presence FROM agent")
    assert free == [{"work_state": "idle", "presence": "available"}]
    assert agent.look().phase in ("idle", "gone")
