"""One customer's story, played over HTTP, with processes killed on the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.faults.console import AgentConsole
from tests.system import CustomerApp, Person, System, wait_for

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
        # A customer who picked up and met nobody, because web was not back in time, was abandoned.
        met_nobody = call["status"] == "completed" and not call["joined_room_at"]
        assert (attempt["state"], attempt["result"]) == (
            "ended",
            "abandoned" if met_nobody else call["status"],
        )
        assert self.system.rows(SAID, task["id"]) == [{"kind_code": "will_finish", "note": person.user}]
        assert task["state"] == "completed"

    def _task(self, person: Person) -> dict[str, Any] | None:
        found = self.system.rows(TASK, person.user)
        return found[0] if found and found[0]["id"] else None

    def _call_is(self, person: Person, status: str) -> bool:
        return [call["status"] for call in self.system.calls_to(person.number)] == [status]
