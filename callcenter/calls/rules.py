"""How far an attempt has come: news moves it forward by rank, never back, and an end is final. Pure."""

from dataclasses import dataclass
from datetime import datetime

from callcenter.calls.policy import (
    LOOK_FOR_LOST_AFTER,
    MAX_CALL,
    NEVER_ASKED,
    QUIET_RINGING,
    QUIET_TALKING,
)
from callcenter.domain.enums import AttemptState, CallResult

RANK = {
    AttemptState.CLAIMED: 0,
    AttemptState.PLACING: 1,
    AttemptState.UNKNOWN: 2,
    AttemptState.PLACED: 3,
    AttemptState.INITIATED: 4,
    AttemptState.RINGING: 5,
    AttemptState.ANSWERED: 6,
    AttemptState.BRIDGED: 7,
    AttemptState.ENDED: 8,
}


def advances(have: AttemptState, news: AttemptState) -> bool:
    """Whether news moves an attempt: only forward, and nothing moves what has ended."""
    return RANK[news] > RANK[have]


@dataclass(frozen=True, slots=True)
class News:
    """What the carrier told us of a call, from a callback, an answer request or a look-up."""

    ref: str
    state: AttemptState
    result: CallResult | None = None
    talk_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ended."""

    result: CallResult
    talk_seconds: int | None


def ending_of(result: CallResult, *, bridged: bool, talk_seconds: int | None) -> Ending:
    """Say how a call ended, from the carrier's word and from whether the customer reached an agent.

    A call the carrier calls completed was picked up; one whose customer never reached the room is abandoned.
    """
    if result is CallResult.COMPLETED and not bridged:
        return Ending(CallResult.ABANDONED, talk_seconds)
    return Ending(result, talk_seconds)


def needs_look(state: AttemptState, last_news_at: datetime, claimed_at: datetime, now: datetime) -> bool:
    """Whether the reconciler should ask the carrier: by age alone, never by who holds a lock."""
    quiet = now - last_news_at
    if state is AttemptState.CLAIMED:
        return quiet >= NEVER_ASKED
    if state in (AttemptState.PLACING, AttemptState.UNKNOWN):
        return quiet >= LOOK_FOR_LOST_AFTER
    if state in (AttemptState.PLACED, AttemptState.INITIATED, AttemptState.RINGING):
        return quiet >= QUIET_RINGING
    if state in (AttemptState.ANSWERED, AttemptState.BRIDGED):
        return quiet >= QUIET_TALKING or now - claimed_at >= MAX_CALL
    return False
