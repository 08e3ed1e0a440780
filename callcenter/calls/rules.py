"""How far an attempt has come: news moves it forward by rank, never back, and an end is final. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from callcenter.calls.policy import (
    AS_A_RULE,
    MAX_CALL,
    NEVER_ASKED,
    LostCalls,
)
from callcenter.domain.enums import AttemptState, CallResult, SupervisorMode
from callcenter.domain.ports import CallbackNews, CarrierEvent, MachineHeard, RecordingEvent, RoomEvent

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


def what_of(news: CallbackNews) -> str:
    """Name in one word what a callback told, for the inbox."""
    match news:
        case CarrierEvent():
            return news.state.value
        case MachineHeard():
            return f"answered_by_{news.answered_by}"
        case RoomEvent():
            return f"room_{news.change}"
        case RecordingEvent():
            return f"recording_{news.state}"


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


def ending_of(
    result: CallResult, *, bridged: bool, talk_seconds: int | None, by_machine: bool = False
) -> Ending:
    """Say how a call ended, from the carrier's word and from whether the customer reached an agent.

    A call the carrier calls completed was picked up: by a machine, if one was heard; else, when the customer
    never reached the room, it is abandoned.
    """
    if result is CallResult.COMPLETED and by_machine:
        return Ending(CallResult.MACHINE, talk_seconds)
    if result is CallResult.COMPLETED and not bridged:
        return Ending(CallResult.ABANDONED, talk_seconds)
    return Ending(result, talk_seconds)


def needs_look(
    state: AttemptState,
    last_news_at: datetime,
    claimed_at: datetime,
    now: datetime,
    lost: LostCalls = AS_A_RULE,
) -> bool:
    """Whether the reconciler should ask the carrier: by age alone, never by who holds a lock."""
    quiet = now - last_news_at
    if state is AttemptState.CLAIMED:
        return quiet >= NEVER_ASKED
    if state in (AttemptState.PLACING, AttemptState.UNKNOWN):
        return quiet >= lost.look_after
    if state in (AttemptState.PLACED, AttemptState.INITIATED, AttemptState.RINGING):
        return quiet >= lost.quiet_ringing
    if state in (AttemptState.ANSWERED, AttemptState.BRIDGED):
        return quiet >= lost.quiet_talking or now - claimed_at >= MAX_CALL
    return False


def mode_heard(*, muted: bool, coaching: bool) -> SupervisorMode:
    """Say how a supervisor takes part, from what the carrier says of their leg, never from what we asked for."""
    if muted:
        return SupervisorMode.MONITOR
    return SupervisorMode.WHISPER if coaching else SupervisorMode.BARGE


def is_older(have_ref: str | None, have_seq: int, ref: str | None, seq: int | None) -> bool:
    """Whether a room's event tells less than we know: an earlier number in the same life of the room."""
    return seq is not None and ref == have_ref and seq <= have_seq


def day_span(day: date) -> tuple[datetime, datetime]:
    """Return the beginning and the end of a day in UTC, the day by which the carrier's list is compared."""
    start = datetime.combine(day, time(), UTC)
    return start, start + timedelta(days=1)
