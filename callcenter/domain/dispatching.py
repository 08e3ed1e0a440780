"""What a supervisor may do to many waiting call tasks at once: which, what, and why some are left out; pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from callcenter.errors import BadInput

MOST_TASKS = 2_000
"""More are not taken into one act: a person can no longer oversee them."""


class DispatchAct(StrEnum):
    """What is done to the call tasks."""

    ASSIGN_AGENT = "assign_agent"
    ASSIGN_TEAM = "assign_team"
    ASSIGN_SKILL = "assign_skill"
    BRING_BACK = "bring_back"
    PRIORITY_UP = "priority_up"
    PRIORITY_DOWN = "priority_down"
    EXPIRE = "expire"


ASSIGNING = frozenset({DispatchAct.ASSIGN_AGENT, DispatchAct.ASSIGN_TEAM, DispatchAct.ASSIGN_SKILL})


class LeftOut(StrEnum):
    """Why one of the call tasks is not touched, or not put back."""

    TAKEN = "taken_meanwhile"
    HELD = "held_this_moment"
    LANGUAGE = "language_not_spoken"
    GATE = "gate_bars_now"
    AT_LIMIT = "priority_at_limit"
    ANOTHER_OPEN = "another_task_open"


@dataclass(frozen=True, slots=True)
class TaskSieve:
    """Which waiting call tasks are meant; None and "" leave a line out. `why` is a code of the floor's queue."""

    rule: str = ""
    journey: str = ""
    why: str = ""
    language: str = ""
    older_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be done, to which of the call tasks a sieve lets through: the oldest `count`, a `share` of them
    in percent, or those named; all without any. Assigning goes to `agent_id`, to who is signed on in `team`, or to
    whoever is signed on and has `skill` at `level` (1 to 5) or higher."""

    act: DispatchAct
    sieve: TaskSieve = TaskSieve()
    count: int | None = None
    share: int | None = None
    ids: tuple[UUID, ...] = ()
    agent_id: UUID | None = None
    team: str = ""
    skill: str = ""
    level: int = 0
    reason: str = ""

    def checked(self) -> "Wanted":
        """Return itself; raises BadInput that says what is missing."""
        if self.act is DispatchAct.ASSIGN_AGENT and self.agent_id is None:
            raise BadInput("Choose the agent who shall have them.")
        if self.act is DispatchAct.ASSIGN_TEAM and not self.team:
            raise BadInput("Choose the team whose agents shall have them.")
        if self.act is DispatchAct.ASSIGN_SKILL and not self.skill:
            raise BadInput("Choose the skill whose agents shall have them.")
        if self.act is DispatchAct.EXPIRE and not self.reason.strip():
            raise BadInput("Say why these call tasks shall expire; it is kept.")
        return self

    def how_many(self, matched: int) -> int:
        """How many of so many call tasks are meant."""
        if self.share is not None:
            return -(-matched * self.share // 100)
        return min(matched, self.count if self.count is not None else matched)

    def told(self) -> Mapping[str, Any]:
        """Return itself as a document, for the record."""
        told = asdict(self)
        told["ids"] = len(self.ids)
        told["agent_id"] = str(self.agent_id) if self.agent_id else None
        sieve = {name: value for name, value in told.pop("sieve").items() if value not in (None, "")}
        return {"sieve": sieve} | {name: value for name, value in told.items() if value not in (None, "", 0)}
