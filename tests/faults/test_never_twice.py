"""150 customers, a carrier with every fault of the book, processes killed at random: each is called exactly once.

The carrier's own books are the judge. Six in a hundred requests for a call are cut after the carrier took them,
four hang, five fail before and six after the deed, eight are refused for now; of its callbacks a quarter is lost, a
quarter comes twice, many out of order or before the request is answered. The windows in which a lost call is
looked for are shortened so that the test ends within two minutes on a quiet machine; nothing else is.
"""

import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.faults.crew import Crew, all_available, hire
from tests.faults.killer import ONE_OF_WEB, Killer
from tests.system import CustomerApp, Person, System, person_to_call, running_system, wait_for

SEED = 11
CUSTOMERS = 150
AGENTS = 16
FAULTS = {
    "drop_after": 0.06,
    "hang_after": {"probability": 0.04, "seconds": 12},
    "rest_500_before": 0.05,
    "rest_500_after": 0.06,
    "rest_429": 0.08,
    "cb_before_response": 0.2,
    "cb_drop": 0.25,
    "cb_dup": 0.25,
    "cb_reorder": 0.25,
}
VICTIMS: Mapping[str, int] = {"worker-1": 3, "worker-2": 3, ONE_OF_WEB: 3, "web": 1, "scheduler": 1}
MOST_KILLS: Mapping[str, int] = {"worker-1": 2, "worker-2": 2, ONE_OF_WEB: 2, "web": 1, "scheduler": 1}
SAME_RESULT = {
    "busy": "busy",
    "failed": "failed",
    "no-answer": "no_answer",
    "canceled": "canceled",
}


@pytest.fixture(scope="module")
def carrier_full_of_faults() -> Iterator[System]:
    """An instance of its own, whose carrier is made to fail once it is up."""
    environ = {
        "LOST_CALL_LOOK_SECONDS": "2",
        "LOST_CALL_ABSENT_SECONDS": "16",
        "RETRY_AFTER_SECONDS": "2",
        "WORKER_COUNT": "3",
    }
    with (
        tempfile.TemporaryDirectory(prefix="cc-", ignore_cleanup_errors=True) as folder,
        running_system(Path(folder), **environ) as running,
    ):
        yield running


def _people(system: System) -> list[Person]:
    """Customers and how their telephones behave."""
    chance = random.Random(SEED)
    people = [person_to_call("id-photo-trouble") for _ in range(CUSTOMERS)]
    for someone in people:
        outcome = chance.choices(["human", "busy", "failed"], [75, 15, 10])[0]
        plan = {"ring_s": chance.uniform(0.3, 1.5)}
        if outcome == "human":
            plan["talk_s"] = chance.uniform(1.0, 3.0)
        system.set_number(someone.number, outcome=outcome, **plan)
    return people


def _get_stuck(app: CustomerApp, people: list[Person]) -> None:
    for place in range(0, CUSTOMERS, 25):
        app.deliver(*(event for someone in people[place : place + 25] for event in app.gets_stuck(someone)))


def _open_tasks(system: System) -> int:
    """Tasks that still have something to do now: not those that wait for the gate to allow another try."""
    statement = (
        "SELECT count(*) AS n FROM call_task WHERE state IN ('reserved', 'assigned', 'wrapping')"
        " OR (state = 'pending' AND not_before_at < now() + interval '1 minute')"
    )
    return int(system.row(statement)["n"])


def test_every_customer_is_called_once_whatever_the_carrier_and_the_processes_do(
    carrier_full_of_faults: System,
) -> None:
    system = carrier_full_of_faults
    logins = hire(system, AGENTS)
    app, people = CustomerApp(system), _people(system)
    with Crew(system, logins):
        all_available(system, logins, 90)
        began = time.monotonic()
        system.sim("PUT", "faults", FAULTS)
        with Killer(system, SEED) as killer:
            killer.victims, killer.most = VICTIMS, MOST_KILLS
            _get_stuck(app, people)
            wait_for(lambda: _called(system, people) > 0.6 * CUSTOMERS, 150, "most of the calls")
        system.sim("DELETE", "faults")
        wait_for(lambda: _open_tasks(system) == 0, 120, "an end to every call task")
        wait_for(lambda: _left_undone(system) == [], 60, "an empty outbox")
        all_available(system, logins, 60)
        seconds = time.monotonic() - began
        _judge(system, people)
    kills = sum(killer.kills.values())
    said = f"{CUSTOMERS} customers, {kills} kills {dict(killer.kills)}, {seconds:.0f} s"
    print(said)  # noqa: T201 - for who runs it with -s


def _called(system: System, people: list[Person]) -> int:
    per_number = system.sim("GET", "invariants").json()["calls_per_number"]
    return sum(someone.number in per_number for someone in people)


def _left_undone(system: System) -> list[dict[str, object]]:
    return system.rows("SELECT kind, last_error FROM outbox_message WHERE done_at IS NULL AND due_at < now()")


def _judge(system: System, people: list[Person]) -> None:
    books = system.sim("GET", "calls").json()["calls"]
    numbers = {someone.number for someone in people}
    per_number = Counter(call["to"] for call in books if call["to"] in numbers)
    twice = [number for number, calls in per_number.items() if calls > 1]
    assert twice == [], "called twice"
    never = sorted(numbers - set(per_number))
    assert never == [], "never called: " + "; ".join(str(_story_of(system, number)) for number in never)
    assert system.rows("SELECT id, state FROM contact_attempt WHERE state <> 'ended'") == [], "stuck"
    assert system.rows("SELECT id FROM reservation WHERE ended_at IS NULL") == []
    assert system.rows("SELECT kind FROM outbox_message WHERE failed_at IS NOT NULL") == []
    assert system.rows("SELECT kind, detail FROM incident") == []
    by_ref = {call["sid"]: call for call in books}
    attempts = system.rows(
        "SELECT carrier_ref, result, bridged_at FROM contact_attempt WHERE carrier_ref IS NOT NULL"
    )
    assert len(attempts) == CUSTOMERS
    wrong = [(row, by_ref[row["carrier_ref"]]["status"]) for row in attempts if not _is_right(row, by_ref)]
    assert wrong == [], "wrong results"
    states = system.rows("SELECT work_state, call_task_id FROM agent WHERE work_state <> 'idle'")
    assert states == [], "agents in a wrong state"


def _story_of(system: System, number: str) -> list[dict[str, object]]:
    """What our books say of a customer: firing, call task and attempts."""
    return system.rows(
        "SELECT f.fate, f.suppress_reason, f.fired_at, t.state, t.cancel_reason, t.created_at, t.not_before_at,"
        " t.why_no_call, t.attempts, a.state AS attempt, a.result, a.result_detail, a.claimed_at, a.placing_at,"
        " a.ended_at, a.requests"
        " FROM customer c LEFT JOIN visit v ON v.customer_id = c.id LEFT JOIN trigger_firing f ON f.visit_id = v.id"
        " LEFT JOIN call_task t ON t.customer_id = c.id LEFT JOIN contact_attempt a ON a.call_task_id = t.id"
        " WHERE c.number = %s",
        number,
    )


def _is_right(row: dict[str, object], by_ref: dict[str, dict[str, object]]) -> bool:
    call = by_ref[str(row["carrier_ref"])]
    if call["status"] == "completed":
        return row["result"] == ("completed" if row["bridged_at"] else "abandoned")
    return row["result"] == SAME_RESULT[str(call["status"])]
