"""A call task handed over: to whom and why, and what has become of it; pure."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from callcenter.domain.enums import HeldFor, ReservationEnd, TaskState, TransferReason, TransferState
from callcenter.errors import BadInput

LONGEST_NOTE = 200
WITH_AN_AGENT = frozenset({TaskState.ASSIGNED, TaskState.WRAPPING})
CLOSED = frozenset({TaskState.COMPLETED, TaskState.CANCELED})


@dataclass(frozen=True, slots=True)
class TransferWish:
    """To a colleague or to a team, exactly one of them; why, and a word for whoever takes it."""

    reason: TransferReason
    to_agent_id: UUID | None = None
    to_team: str | None = None
    note: str = ""

    def checked(self) -> "TransferWish":
        """Return the wish; raises BadInput when it names nobody, both, or says too much."""
        if (self.to_agent_id is None) == (self.to_team is None):
            raise BadInput("Choose a colleague or a team to hand this call task over to.")
        if len(self.note) > LONGEST_NOTE:
            raise BadInput("Keep the note for your colleague to 200 characters.")
        return self


@dataclass(frozen=True, slots=True)
class TransferFacts:
    """An open transfer and its call task as they stand.

    `attempts_before`: dials when it was handed over. `last_offer`: how the latest offer since then ended. `is_due`:
    whether the customer may be called by now.
    """

    state: TransferState
    to_agent_id: UUID | None
    expires_at: datetime
    attempts_before: int
    task_state: TaskState
    held_for: HeldFor | None
    agent_id: UUID | None
    attempts: int
    is_due: bool
    last_offer: ReservationEnd | None
    is_receiver_there: bool


def what_became(facts: TransferFacts, now: datetime) -> TransferState | None:
    """Return how a transfer has ended; None while it has not.

    Taken once somebody has dialed. Turned down when the colleague skipped it; unanswered when they let it pass,
    have signed off when it is due, or nobody dialed in time; undecided when no supervisor said a word in time.
    Overtaken when the call task ended, or somebody gave it to others meanwhile.
    """
    if facts.attempts > facts.attempts_before or facts.task_state in WITH_AN_AGENT:
        return TransferState.TAKEN
    if facts.task_state in CLOSED or facts.held_for is None:
        return TransferState.OVERTAKEN
    if facts.task_state is TaskState.RESERVED:
        return None
    is_late = now >= facts.expires_at
    if facts.state is TransferState.ASKED:
        return TransferState.UNDECIDED if is_late else None
    if facts.to_agent_id is not None and facts.agent_id != facts.to_agent_id:
        is_skipped = facts.last_offer is ReservationEnd.SKIPPED
        return TransferState.TURNED_DOWN if is_skipped else TransferState.UNANSWERED
    is_gone = facts.to_agent_id is not None and facts.is_due and not facts.is_receiver_there
    return TransferState.UNANSWERED if is_late or is_gone else None
