"""What follows from a disposition's flags; logic reads flags, never names. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from callcenter.domain.enums import Cause, FollowUpKind


@dataclass(frozen=True, slots=True)
class Flags:
    """What a disposition says."""

    reached: bool = False
    right_party: bool = False
    converted: bool = False
    callback: bool = False
    do_not_call: bool = False
    refused: bool = False
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class WrapUp:
    """What an agent says of an attempt."""

    disposition: str
    causes: tuple[Cause, ...] = ()
    note: str = ""
    suggestion: str = ""
    callback_at: datetime | None = None
    callback_is_personal: bool = True


class NextStep(StrEnum):
    """What becomes of the call task after its wrap-up."""

    DONE = "done"
    CALL_BACK = "call_back"
    TRY_AGAIN = "try_again"
    NEVER_AGAIN = "never_again"


def next_step(flags: Flags, callback_at: datetime | None) -> NextStep:
    """Say what becomes of the call task: a refusal beats a promise, a promise beats another try."""
    if flags.do_not_call:
        return NextStep.NEVER_AGAIN
    if flags.callback and callback_at is not None:
        return NextStep.CALL_BACK
    if flags.retryable:
        return NextStep.TRY_AGAIN
    return NextStep.DONE


WHY_TAKEN_BACK = ("customer_asked", "settled_meanwhile", "wrong_person", "other")
"""Why an agent cancels a promised call."""
MAX_FOLLOW_UP_TEXT = 500
LONGEST_FOLLOW_UP = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class NewFollowUp:
    """What is to be done about business met on a call."""

    kind: FollowUpKind
    text: str
    owner_id: UUID
    due_on: date


def problems_of(follow_up: NewFollowUp, today: date) -> dict[str, list[str]]:
    """Say what is wrong with a follow-up, by field; nothing when all is well. `today` is the agent's day."""
    problems: dict[str, list[str]] = {}
    if not follow_up.text.strip():
        problems["text"] = ["say what is to be done"]
    if len(follow_up.text) > MAX_FOLLOW_UP_TEXT:
        problems["text"] = [f"at most {MAX_FOLLOW_UP_TEXT} characters"]
    if not today <= follow_up.due_on <= today + LONGEST_FOLLOW_UP:
        problems["due_on"] = ["choose a day from today on, within a year"]
    return problems
