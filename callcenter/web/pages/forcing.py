"""One agent as a supervisor sets them: what they are at, and what each state would do to it."""

from dataclasses import dataclass
from datetime import datetime

from callcenter.web.pages.frame import Frame
from callcenter.web.pages.studio import Choice


@dataclass(frozen=True, slots=True)
class StateChoice:
    """A state to set. `value` is its field; `is_now`: the agent is in it; `barred` says why it cannot be set."""

    value: str
    label: str
    is_now: bool = False
    barred: str = ""


@dataclass(frozen=True, slots=True)
class StateGroup:
    """States of one kind, with a sentence on what setting them would do now."""

    code: str
    label: str
    effect: str
    choices: tuple[StateChoice, ...]


@dataclass(frozen=True, slots=True)
class AgentPage:
    """An agent's two states and what may be set.

    `work_state` is what the sentences hold for; `step` where their customer stopped. `set_by` is the supervisor who
    set the presence, `note` what they said. `chosen` and `typed` come back with an `error`.
    """

    frame: Frame
    tabs: tuple[Choice, ...]
    agent_id: str
    name: str
    team: str
    presence: str
    reason: str | None
    presence_at: datetime
    work_state: str
    work_state_at: datetime
    groups: tuple[StateGroup, ...]
    step: str | None = None
    set_by: str | None = None
    note: str = ""
    chosen: str = ""
    typed: str = ""
    error: str | None = None
