"""Call tasks handed over: the form, what became of each, and why a call task was offered to this agent."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Receiver:
    """To whom a call task may go. `value` is `team:<name>` or `agent:<id>`; `state` a code, empty for a team."""

    value: str
    label: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class HandOverForm:
    """What the form offers. `needs_approval`: a supervisor has to agree first."""

    teams: tuple[Receiver, ...] = ()
    colleagues: tuple[Receiver, ...] = ()
    reasons: tuple[str, ...] = ()
    needs_approval: bool = False


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A call task the agent has handed over. `text` says in a sentence where it is; `tone`: plain, good or warn.

    `until` is when it comes back by itself; None once it has come to its end, which the agent then notes.
    """

    id: str
    customer: str
    to: str
    reason: str
    text: str
    tone: str
    asked_at: datetime
    until: datetime | None = None
    may_take_back: bool = False


@dataclass(frozen=True, slots=True)
class OfferWhy:
    """Why this agent and why this call task, in finished sentences; `relaxed` names what was given up for it.

    `from_whom` tells who handed it over and why; `note` are the giver's words.
    """

    agent: str
    task: str
    relaxed: str | None = None
    from_whom: str | None = None
    note: str = ""
