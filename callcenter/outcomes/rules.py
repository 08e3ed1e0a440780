"""What follows from a disposition's flags; logic reads flags, never names. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from callcenter.domain.enums import Cause


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
