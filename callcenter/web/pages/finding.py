"""What a search on the floor has found: call tasks, customers nobody needs to call, agents."""

from dataclasses import dataclass
from datetime import datetime

from callcenter.web.pages.frame import Frame
from callcenter.web.pages.studio import Choice


@dataclass(frozen=True, slots=True)
class TaskFound:
    """An open call task. `says` is where it is: why nobody calls, or who has it. `act` may be done."""

    id: str
    customer: str
    number: str
    rule: str
    says: str
    since: datetime
    act: str | None = None


@dataclass(frozen=True, slots=True)
class CustomerFound:
    """A customer without an open call task; `says` tells of the last attempt."""

    customer: str
    number: str
    says: str


@dataclass(frozen=True, slots=True)
class AgentFound:
    """An agent with what their seat shows, and since when."""

    id: str
    name: str
    team: str
    says: str
    since: datetime


@dataclass(frozen=True, slots=True)
class FoundPage:
    """What was found for `words`; `most` are shown of each, `is_cut` when there may be more."""

    frame: Frame
    tabs: tuple[Choice, ...]
    words: str
    tasks: tuple[TaskFound, ...] = ()
    customers: tuple[CustomerFound, ...] = ()
    agents: tuple[AgentFound, ...] = ()
    most: int = 20
    is_cut: bool = False
