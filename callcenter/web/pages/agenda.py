"""What an agent has promised: callbacks, follow-ups of business met on calls; and the help they have asked for."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo


@dataclass(frozen=True, slots=True)
class CallbackDue:
    """A promised callback. `is_mine` says personal; otherwise anyone may take it.

    `time_zone` and `place` are the customer's. `times` are other moments at which they may be called;
    `may_change` is false while an agent is at it. `lost_because` is the cancel reason of a call task that
    died before the promise was kept: it stays until somebody has taken notice.
    """

    due_at: datetime
    customer: str
    is_mine: bool
    step: str = ""
    said: str = ""
    id: str = ""
    masked_number: str = ""
    time_zone: tzinfo | None = None
    place: str = ""
    times: tuple[datetime, ...] = ()
    may_change: bool = True
    lost_because: str | None = None

    def is_overdue(self, now: datetime) -> bool:
        """Whether its moment has passed and nobody has called."""
        return self.lost_because is None and self.due_at < now


@dataclass(frozen=True, slots=True)
class Owner:
    """An agent who may see to a follow-up."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class FollowUpRow:
    """Business met on a call. `kind` is a code; `closed_at` is None while it is open."""

    id: str
    kind: str
    text: str
    customer: str
    masked_number: str
    owner: Owner
    due_on: date
    is_mine: bool = True
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FollowUpDesk:
    """Follow-ups with what a form for another needs.

    `rows` are open ones by day, `done` those lately closed, `more` are open beside those shown. `today` and
    `suggested_on` are the agent's days; `owners` begin with the agent.
    """

    rows: tuple[FollowUpRow, ...] = ()
    done: tuple[FollowUpRow, ...] = ()
    more: int = 0
    kinds: tuple[str, ...] = ()
    owners: tuple[Owner, ...] = ()
    today: date | None = None
    suggested_on: date | None = None
    latest_on: date | None = None


@dataclass(frozen=True, slots=True)
class Help:
    """The agent's hand: up since `asked_at`; who has taken notice; finished words about who is on the call."""

    asked_at: datetime | None = None
    seen_by: str | None = None
    listeners: tuple[str, ...] = ()
