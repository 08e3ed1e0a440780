"""The suite catches carriers that break a promise: each break is caught, and each promise catches one.

Every class here is the sound adapter of Pigeon Post with one thing wrong, as an author might get it wrong.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from callcenter.domain.enums import AnsweredBy, AttemptState, CallResult, SupervisorMode
from callcenter.domain.ports import (
    Answer,
    CallbackNews,
    CallbackRequest,
    CallSnapshot,
    CallWish,
    Capability,
    CarrierEvent,
    HangUp,
    MachineHeard,
    NotProcessed,
    Placed,
    Placement,
    Rejected,
    RoomAnswer,
    RoomEvent,
    SayAndHangUp,
    SoftphoneCredentials,
    Unknown,
)
from callcenter.errors import ConfigError
from tests.contract.conformance.pigeon import PigeonCarrier
from tests.contract.conformance.pigeon_bench import PigeonBench
from tests.contract.conformance.pigeon_exchange import SEAL, Dispatch, seal_of
from tests.contract.conformance.promises import PROMISES


class TriesAgain(PigeonCarrier):
    """Asks a second time when it does not know: the customer's telephone rings twice."""

    def place(self, wish: CallWish) -> Placement:
        first = super().place(wish)
        return super().place(wish) if isinstance(first, Unknown) else first


class CallsUnknownNotDone(PigeonCarrier):
    """Takes "nobody can tell" for "nothing happened"."""

    def place(self, wish: CallWish) -> Placement:
        placement = super().place(wish)
        return NotProcessed(timedelta(seconds=1)) if isinstance(placement, Unknown) else placement


class CallsTwice(PigeonCarrier):
    """Places a call for good measure."""

    def place(self, wish: CallWish) -> Placement:
        super().place(wish)
        return super().place(wish)


class NamesAllAlike(PigeonCarrier):
    """Gives every call the name of the first."""

    def place(self, wish: CallWish) -> Placement:
        placement = super().place(wish)
        return Placed("pigeon-1") if isinstance(placement, Placed) else placement


class NeverRefuses(PigeonCarrier):
    """Does not tell refused from unknown."""

    def place(self, wish: CallWish) -> Placement:
        placement = super().place(wish)
        return Unknown(placement.code) if isinstance(placement, Rejected) else placement


class HasNoPatience(PigeonCarrier):
    """Asks at once again when there were too many requests."""

    def place(self, wish: CallWish) -> Placement:
        placement = super().place(wish)
        return super().place(wish) if isinstance(placement, NotProcessed) else placement


class AnswersForNobody(PigeonCarrier):
    """Takes "could not be asked" for "there are none": a call that was made is thought never made."""

    def find(self, to: str, since: datetime) -> Sequence[CallSnapshot] | None:
        return super().find(to, since) or []


class FindsEverybodys(PigeonCarrier):
    """Does not look at the number."""

    def find(self, to: str, since: datetime) -> Sequence[CallSnapshot] | None:
        return self.calls_between(since, datetime.max.replace(tzinfo=since.tzinfo))


class FindsNothing(PigeonCarrier):
    """Finds no call."""

    def find(self, to: str, since: datetime) -> Sequence[CallSnapshot] | None:
        found = super().find(to, since)
        return None if found is None else []


class TakesEmptyForNoAnswer(PigeonCarrier):
    """Takes an empty list for a carrier that could not be asked."""

    def find(self, to: str, since: datetime) -> Sequence[CallSnapshot] | None:
        return super().find(to, since) or None


class EndsAllAlike(PigeonCarrier):
    """Every end is a conversation."""

    def parse(self, request: CallbackRequest) -> Sequence[CallbackNews]:
        return [
            replace(each, result=CallResult.COMPLETED)
            if isinstance(each, CarrierEvent) and each.state is AttemptState.ENDED
            else each
            for each in super().parse(request)
        ]


class CannotEndTwice(PigeonCarrier):
    """Takes a call that has ended for one that could not be ended."""

    def hang_up(self, ref: str) -> bool:
        return self._wish("release", ref=ref) is RoomAnswer.DONE


class ShowsThePast(PigeonCarrier):
    """Shows every call as it was at first."""

    def lookup(self, ref: str) -> CallSnapshot | None:
        seen = super().lookup(ref)
        return seen and replace(seen, state=AttemptState.PLACED, result=None)


class TakesAllForOurs(PigeonCarrier):
    """Does not tell customers' calls from agents'."""

    def calls_between(self, start: datetime, end: datetime) -> Sequence[CallSnapshot] | None:
        found = super().calls_between(start, end)
        return None if found is None else [replace(call, is_ours=True) for call in found]


class Guesses(PigeonCarrier):
    """Names an attempt for every call."""

    def identify(self, ref: str) -> UUID | None:
        found: Dispatch | None = self._ask("show", ref=ref)
        return UUID(found.tag.partition(":")[2]) if found else None


class NeverLetsGo(PigeonCarrier):
    """Keeps whoever picks up."""

    def answer(self, decision: Answer) -> str:
        if isinstance(decision, HangUp | SayAndHangUp):
            return json.dumps({"do": "coo", "text": "", "then": "wait"})
        return super().answer(decision)


class ForgetsTheName(PigeonCarrier):
    """Leaves the call's name out of what it tells."""

    def parse(self, request: CallbackRequest) -> Sequence[CallbackNews]:
        return [
            replace(each, ref="") if isinstance(each, CarrierEvent) else each
            for each in super().parse(request)
        ]


class MakesKeysUp(PigeonCarrier):
    """Gives a callback told twice two keys."""

    def parse(self, request: CallbackRequest) -> Sequence[CallbackNews]:
        return [replace(each, key=uuid4().hex) for each in super().parse(request)]


class HasOneKeyForAll(PigeonCarrier):
    """Gives all that is told of a call one key: only the first is kept."""

    def parse(self, request: CallbackRequest) -> Sequence[CallbackNews]:
        return [replace(each, key=str(each.ref)) for each in super().parse(request)]


class KeysTheWholeForm(PigeonCarrier):
    """A field more is another callback."""

    def parse(self, request: CallbackRequest) -> Sequence[CallbackNews]:
        return [replace(each, key=str(list(request.form))) for each in super().parse(request)]


class RemembersTheOrder(PigeonCarrier):
    """Drops what comes after the end of a call."""

    def __init__(self, request: Callable[..., Any], key: bytes) -> None:
        super().__init__(request, key)
        self.over: set[str] = set()

    def parse(self, request: CallbackRequest) -> Sequence[CallbackNews]:
        news = super().parse(request)
        late = [each for each in news if each.ref in self.over]
        self.over |= {
            each.ref for each in news if isinstance(each, CarrierEvent) and each.state is AttemptState.ENDED
        }
        return () if late else news


class BelievesEverybody(PigeonCarrier):
    """Asks for no signature."""

    def verify(self, request: CallbackRequest) -> bool:
        return True


class SealsNoAddress(PigeonCarrier):
    """Takes a callback for any address."""

    def verify(self, request: CallbackRequest) -> bool:
        there = request.target.replace("attempts", "attempt")
        return request.headers.get(SEAL) == seal_of(self.key, there, request.form)


class ChokesOnNoise(PigeonCarrier):
    """Raises on what it does not know."""

    def parse(self, request: CallbackRequest) -> Sequence[CallbackNews]:
        json.loads(dict(request.form)["news"])
        return super().parse(request)


class KeepsTheNumber(PigeonCarrier):
    """Keeps all that came."""

    def parse(self, request: CallbackRequest) -> Sequence[CallbackNews]:
        return [replace(each, raw=dict(request.form)) for each in super().parse(request)]


class NamesRoomsItsOwnWay(PigeonCarrier):
    """Tells the carrier's name of a room for ours."""

    def parse(self, request: CallbackRequest) -> Sequence[CallbackNews]:
        return [
            replace(each, room=str(each.room_ref)) if isinstance(each, RoomEvent) else each
            for each in super().parse(request)
        ]


class OnlySaysHeld(PigeonCarrier):
    """Says "done" and does nothing."""

    def hold(self, room: str, ref: str, language: str) -> RoomAnswer:
        return RoomAnswer.DONE


class NeverUnmutes(PigeonCarrier):
    """Knows one direction."""

    def mute(self, room: str, ref: str, muted: bool) -> RoomAnswer:
        return super().mute(room, ref, True)


class LetsSupervisorsBeHeard(PigeonCarrier):
    """Lets supervisors in as anybody."""

    def answer(self, decision: Answer) -> str:
        said = json.loads(super().answer(decision))
        return json.dumps(said | ({"silent": False} if "silent" in said else {}))


class UnmutesBeforeItWhispers(PigeonCarrier):
    """Takes two steps, and between them the customer hears."""

    def set_mode(self, room: str, ref: str, mode: SupervisorMode, agent_ref: str) -> RoomAnswer:
        self._wish("flag", loft=room, ref=ref, silent=mode is SupervisorMode.MONITOR)
        return super().set_mode(room, ref, mode, agent_ref)


class BargesInSilence(PigeonCarrier):
    """Takes barging for listening."""

    def set_mode(self, room: str, ref: str, mode: SupervisorMode, agent_ref: str) -> RoomAnswer:
        quiet = SupervisorMode.MONITOR if mode is SupervisorMode.BARGE else mode
        return super().set_mode(room, ref, quiet, agent_ref)


class TakesGoneForFailed(PigeonCarrier):
    """Wants to be asked again for ever."""

    def _wish(self, verb: str, **asked: Any) -> RoomAnswer:
        done = super()._wish(verb, **asked)
        return RoomAnswer.NOT_ASKED if done is RoomAnswer.GONE and verb != "release" else done


class EndsRoomsWithTheirAgent(PigeonCarrier):
    """Lets the customer go with the agent's line."""

    def hang_up(self, ref: str) -> bool:
        found: Dispatch | None = self._ask("show", ref=ref)
        if found and found.tag.startswith("agent:") and found.loft:
            self.end_room(found.loft)
        return super().hang_up(ref)


class LeavesLegsBehind(PigeonCarrier):
    """Says that a room has ended."""

    def end_room(self, room: str) -> RoomAnswer:
        return RoomAnswer.DONE


class MovesNobody(PigeonCarrier):
    """Says that a call was moved."""

    def move(self, ref: str, attempt_id: UUID) -> RoomAnswer:
        return RoomAnswer.DONE


class RecordsEverybody(PigeonCarrier):
    """Records whoever is called."""

    def _order(self, to: str, tag: str, wants: dict[str, bool]) -> Placement:
        return super()._order(to, tag, wants | {"tape": True})


class OnlySaysPaused(PigeonCarrier):
    """Says that nobody records the card number."""

    def pause_recording(self, ref: str, paused: bool) -> RoomAnswer:
        return RoomAnswer.DONE


class LosesTheSound(PigeonCarrier):
    """Has no recording to fetch."""

    def recording(self, ref: str) -> bytes | None:
        return None


class HearsPeopleOnly(PigeonCarrier):
    """Takes machines for people."""

    def parse(self, request: CallbackRequest) -> Sequence[CallbackNews]:
        return [
            replace(each, answered_by=AnsweredBy.HUMAN) if isinstance(each, MachineHeard) else each
            for each in super().parse(request)
        ]


class ListensAlways(PigeonCarrier):
    """Listens for machines on every call."""

    def _order(self, to: str, tag: str, wants: dict[str, bool]) -> Placement:
        return super()._order(to, tag, wants | {"ear": True})


class TokensForEver(PigeonCarrier):
    """Gives tokens that do not end in time."""

    def softphone_credentials(self, agent_id: UUID, ttl: timedelta, now: datetime) -> SoftphoneCredentials:
        return super().softphone_credentials(agent_id, ttl * 1000, now)


class OneTokenForAll(PigeonCarrier):
    """Gives everybody the same telephone."""

    def softphone_credentials(self, agent_id: UUID, ttl: timedelta, now: datetime) -> SoftphoneCredentials:
        return super().softphone_credentials(UUID(int=0), ttl, now)


BROKEN = PigeonCarrier.__subclasses__()


def _caught(adapter: type[PigeonCarrier]) -> set[str]:
    """Return the promises that an adapter breaks."""
    found = set()
    for name, promise in PROMISES.items():
        try:
            promise(PigeonBench(adapter))
        except pytest.skip.Exception:
            continue
        except Exception:
            found.add(name)
    return found


class CanDoNothingMore(PigeonCarrier):
    """Nothing is wrong with it: it places and ends calls, and says that it can do no more."""

    def capabilities(self) -> frozenset[Capability]:
        return frozenset()

    def softphone_credentials(self, agent_id: UUID, ttl: timedelta, now: datetime) -> SoftphoneCredentials:
        raise ConfigError("Pigeon Post has no softphones.")


def test_a_carrier_that_says_it_can_do_less_is_sound() -> None:
    assert _caught(CanDoNothingMore) == set()


@pytest.mark.parametrize("adapter", BROKEN, ids=lambda adapter: adapter.__name__)
def test_a_broken_carrier_is_caught(adapter: type[PigeonCarrier]) -> None:
    assert _caught(adapter), adapter.__doc__


def test_every_promise_catches_a_broken_carrier_and_no_sound_one() -> None:
    assert _caught(PigeonCarrier) == set()
    caught = set[str]().union(*(_caught(adapter) for adapter in BROKEN))
    assert set(PROMISES) - caught == set(), "promises that catch nothing"


@pytest.mark.parametrize(
    ("adapter", "promise"),
    [
        (TriesAgain, "a_connection_cut_after_the_deed_is_unknown_and_one_call"),
        (CallsUnknownNotDone, "a_fault_of_the_carrier_proves_nothing_also_when_nothing_was_done"),
        (AnswersForNobody, "a_carrier_that_cannot_be_reached_did_nothing_and_knows_nothing"),
        (MakesKeysUp, "a_callback_told_twice_has_one_key_and_two_have_two"),
        (HasOneKeyForAll, "a_callback_told_twice_has_one_key_and_two_have_two"),
        (RemembersTheOrder, "callbacks_out_of_order_say_the_same"),
        (SealsNoAddress, "a_genuine_callback_is_believed_and_a_changed_one_is_not"),
        (UnmutesBeforeItWhispers, "a_whisper_is_never_heard_by_the_customer"),
        (OnlySaysPaused, "nothing_is_recorded_that_was_not_wished"),
        (TakesEmptyForNoAnswer, "a_list_that_lags_is_empty_and_not_a_refusal"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_break_is_caught_by_the_promise_that_names_it(adapter: type[PigeonCarrier], promise: str) -> None:
    with pytest.raises(AssertionError):
        PROMISES[promise](PigeonBench(adapter))
