"""Promises about placing calls, ending them and finding out what became of them."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from callcenter.domain.enums import AttemptState, CallResult
from callcenter.domain.ports import (
    Capability,
    HangUp,
    NotProcessed,
    RefusalClass,
    Rejected,
    RoomAnswer,
    SayAndHangUp,
    Unknown,
)
from tests.contract.conformance.bench import Bench, FarEnd, Leg, Trouble, needs, steps
from tests.contract.conformance.scenes import a_while_ago, asked, conversation, placed


def a_call_is_asked_for_once_and_made_once(bench: Bench) -> None:
    """`place` makes one request and one call."""
    number, before = bench.number(FarEnd.ANSWERS), bench.requests_for_calls()
    placed(asked(bench, number))
    assert bench.requests_for_calls() == before + 1
    assert bench.calls_to(number) == 1


def two_attempts_are_two_calls_with_two_names(bench: Bench) -> None:
    """A `ref` names one call and no other."""
    refs = {placed(asked(bench, bench.number(FarEnd.ANSWERS))) for _ in range(2)}
    assert len(refs) == 2


def a_number_that_is_none_is_refused_for_good(bench: Bench) -> None:
    """Refused is neither unknown nor "later": nobody tries again."""
    number = bench.number(FarEnd.INVALID)
    placement = asked(bench, number)
    assert isinstance(placement, Rejected), placement
    assert placement.refusal is RefusalClass.INVALID_DESTINATION and placement.code
    assert bench.calls_to(number) == 0


def too_many_requests_did_nothing_and_may_be_asked_again(bench: Bench) -> None:
    """ "Retry later" names a delay, and the adapter does not retry by itself."""
    number, before = bench.number(FarEnd.ANSWERS), bench.requests_for_calls()
    bench.has_trouble(Trouble.TOO_MANY)
    placement = asked(bench, number)
    assert isinstance(placement, NotProcessed), placement
    assert timedelta(0) < placement.retry_after <= timedelta(minutes=5)
    assert (bench.requests_for_calls(), bench.calls_to(number)) == (before + 1, 0)


def _is_unknown(bench: Bench, trouble: Trouble, calls: int) -> None:
    number, before = bench.number(FarEnd.ANSWERS), bench.requests_for_calls()
    bench.has_trouble(trouble)
    placement = asked(bench, number)
    assert isinstance(placement, Unknown), f"{trouble}: {placement}"
    assert placement.reason
    assert bench.requests_for_calls() == before + 1, "asked again"
    assert bench.calls_to(number) == calls


def a_fault_of_the_carrier_proves_nothing_also_when_nothing_was_done(bench: Bench) -> None:
    """A fault that made no call cannot be told from one that did."""
    _is_unknown(bench, Trouble.FAULT_BEFORE, 0)


def a_fault_after_the_deed_is_unknown_and_one_call(bench: Bench) -> None:
    """The customer's telephone rings; a second request would ring it twice."""
    _is_unknown(bench, Trouble.FAULT_AFTER, 1)


def a_connection_cut_after_the_deed_is_unknown_and_one_call(bench: Bench) -> None:
    """The same where no answer came at all."""
    _is_unknown(bench, Trouble.CUT_AFTER, 1)


def a_carrier_that_cannot_be_reached_did_nothing_and_knows_nothing(bench: Bench) -> None:
    """No connection is "not done" for a wish, and "not asked" for a question: never an empty answer."""
    lost, now, ref = bench.unreachable(), datetime.now(UTC), bench.unheard_of()
    number = bench.number(FarEnd.ANSWERS)
    here, bench.carrier = bench.carrier, lost
    try:
        assert isinstance(asked(bench, number), NotProcessed)
    finally:
        bench.carrier = here
    assert isinstance(lost.place_agent(uuid4(), bench.agent_address(uuid4())), NotProcessed)
    assert lost.hang_up(ref) is False
    assert lost.lookup(ref) is None
    assert lost.find(number, now) is None
    assert lost.calls_between(now - timedelta(hours=1), now) is None
    assert lost.identify(ref) is None
    assert lost.move(ref, uuid4()) is RoomAnswer.NOT_ASKED
    assert lost.mute("agent-0", ref, True) is RoomAnswer.NOT_ASKED
    assert lost.end_room("agent-0") is RoomAnswer.NOT_ASKED
    assert bench.calls_to(number) == 0


def a_call_whose_answer_was_lost_is_found_and_told_apart(bench: Bench) -> None:
    """What `place` could not tell, `find` and `identify` do: the call of this attempt and no other."""
    needs(bench, Capability.FIND_BY_NUMBER)
    number, attempt, since = bench.number(FarEnd.ANSWERS), uuid4(), a_while_ago()
    bench.has_trouble(Trouble.CUT_AFTER)
    assert isinstance(asked(bench, number, attempt), Unknown)
    bench.wait_for(lambda: bench.carrier.find(number, since))
    [found] = bench.carrier.find(number, since) or []
    assert found.to == number and found.is_ours
    assert bench.wait_for(lambda: bench.carrier.identify(found.ref)) == attempt


def the_end_of_a_call_says_how_it_ended(bench: Bench) -> None:
    """Busy, not answered and talked are three results, in callbacks and when looked up."""
    for far_end, result in (
        (FarEnd.BUSY, CallResult.BUSY),
        (FarEnd.NO_ANSWER, CallResult.NO_ANSWER),
    ):
        attempt = uuid4()
        ref = placed(asked(bench, bench.number(far_end), attempt))
        bench.wait_for(lambda told=attempt: any(e.state is AttemptState.ENDED for e in steps(bench, told)))  # type: ignore[misc]
        [last] = {(e.ref, e.result) for e in steps(bench, attempt) if e.state is AttemptState.ENDED}
        assert last == (ref, result)
        seen = bench.carrier.lookup(ref)
        assert seen is not None and (seen.state, seen.result) == (AttemptState.ENDED, result)
    talk = conversation(bench)
    assert bench.carrier.hang_up(talk.ref)
    bench.wait_for(lambda: any(e.state is AttemptState.ENDED for e in steps(bench, talk.attempt)))
    results = {event.result for event in steps(bench, talk.attempt) if event.result}
    assert results == {CallResult.COMPLETED}


def a_call_given_up_while_it_rings_was_not_talked(bench: Bench) -> None:
    """A dial that is taken back is no conversation."""
    attempt = uuid4()
    ref = placed(asked(bench, bench.number(FarEnd.NO_ANSWER), attempt))
    assert bench.carrier.hang_up(ref)
    bench.wait_for(lambda: any(e.state is AttemptState.ENDED for e in steps(bench, attempt)))
    [end] = [event for event in steps(bench, attempt) if event.state is AttemptState.ENDED]
    assert end.result in (CallResult.CANCELED, CallResult.NO_ANSWER), end.result
    assert not end.talk_seconds


def a_call_that_has_ended_is_ended_again_with_success(bench: Bench) -> None:
    """`hang_up` is idempotent; a call nobody ever made needs no ending either."""
    ref = placed(asked(bench, bench.number(FarEnd.ANSWERS)))
    assert bench.carrier.hang_up(ref)
    assert bench.carrier.hang_up(ref), "ended already is success"
    assert bench.carrier.hang_up(bench.unheard_of())


def a_call_is_looked_up_as_it_is(bench: Bench) -> None:
    """`lookup` follows a call to its end, with its number, and nothing of an unheard-of one goes on."""
    number = bench.number(FarEnd.NO_ANSWER)
    ref = placed(asked(bench, number))
    seen = bench.carrier.lookup(ref)
    assert seen is not None and (seen.ref, seen.to, seen.result, seen.is_ours) == (ref, number, None, True)
    assert seen.state is not AttemptState.ENDED
    assert seen.created_at is not None and seen.created_at.tzinfo is not None
    bench.carrier.hang_up(ref)
    bench.wait_for(lambda: (look := bench.carrier.lookup(ref)) and look.state is AttemptState.ENDED)
    ghost = bench.carrier.lookup(bench.unheard_of())
    assert ghost is None or ghost.state is AttemptState.ENDED


def a_number_s_calls_are_found_since_a_moment(bench: Bench) -> None:
    """`find` lists the calls to this number and no other, and none from before."""
    needs(bench, Capability.FIND_BY_NUMBER)
    mine, other, since = bench.number(FarEnd.ANSWERS), bench.number(FarEnd.ANSWERS), a_while_ago()
    refs = {number: placed(asked(bench, number)) for number in (mine, other)}
    bench.wait_for(lambda: bench.carrier.find(mine, since))
    assert [call.ref for call in bench.carrier.find(mine, since) or []] == [refs[mine]]
    assert list(bench.carrier.find(mine, datetime.now(UTC) + timedelta(minutes=5)) or []) == []
    assert bench.carrier.find(bench.number(FarEnd.ANSWERS), since) == []


def a_list_that_lags_is_empty_and_not_a_refusal(bench: Bench) -> None:
    """A new call may be missing from lists for a while: that is an empty list, never "could not be asked"."""
    number, since = bench.number(FarEnd.ANSWERS), a_while_ago()
    bench.lists_lag(True)
    ref = placed(asked(bench, number))
    found = bench.carrier.find(number, since)
    assert found is not None and list(found) == []
    seen = bench.carrier.lookup(ref)
    assert seen is not None and seen.ref == ref
    bench.lists_lag(False)
    bench.wait_for(lambda: [call.ref for call in bench.carrier.find(number, since) or []] == [ref])


def a_day_s_list_is_whole_and_tells_our_dials_from_our_people(bench: Bench) -> None:
    """`calls_between` has every call of [start, end): customers' as ours, agents' legs as not."""
    since = a_while_ago()
    talk = conversation(bench)
    busy = placed(asked(bench, bench.number(FarEnd.BUSY)))
    until = datetime.now(UTC) + timedelta(seconds=2)
    bench.wait_for(
        lambda: {busy, talk.ref} <= {c.ref for c in bench.carrier.calls_between(since, until) or []}
    )
    listed = bench.carrier.calls_between(since, until)
    assert listed is not None
    ours = {call.ref: call.is_ours for call in listed}
    assert {ref: ours.get(ref) for ref in (talk.ref, busy, talk.agent_ref)} == {
        talk.ref: True,
        busy: True,
        talk.agent_ref: False,
    }
    assert len(ours) == len(listed), "each call once"
    long_ago = since - timedelta(days=3)
    earlier = bench.carrier.calls_between(long_ago, long_ago + timedelta(hours=1))
    assert earlier is not None and not {talk.ref, busy} & {call.ref for call in earlier}


def a_call_is_identified_by_its_attempt_and_never_guessed(bench: Bench) -> None:
    """`identify` names the attempt a call was placed for; of other legs and unheard-of calls it says nothing."""
    talk = conversation(bench)
    assert bench.wait_for(lambda: bench.carrier.identify(talk.ref)) == talk.attempt
    assert bench.carrier.identify(talk.agent_ref) is None
    assert bench.carrier.identify(bench.unheard_of()) is None


def an_answer_to_hang_up_ends_the_call(bench: Bench) -> None:
    """Whoever picks up and is not wanted any more is let go, with a sentence or without."""
    for decision in (HangUp(), SayAndHangUp("Please excuse us <&> goodbye.", "en")):
        attempt = uuid4()
        bench.answers(Leg.ATTEMPT, attempt, decision)
        placed(asked(bench, bench.number(FarEnd.ANSWERS), attempt))
        bench.wait_for(lambda told=attempt: any(e.state is AttemptState.ENDED for e in steps(bench, told)))  # type: ignore[misc]


PROMISES = (
    a_call_is_asked_for_once_and_made_once,
    two_attempts_are_two_calls_with_two_names,
    a_number_that_is_none_is_refused_for_good,
    too_many_requests_did_nothing_and_may_be_asked_again,
    a_fault_of_the_carrier_proves_nothing_also_when_nothing_was_done,
    a_fault_after_the_deed_is_unknown_and_one_call,
    a_connection_cut_after_the_deed_is_unknown_and_one_call,
    a_carrier_that_cannot_be_reached_did_nothing_and_knows_nothing,
    a_call_whose_answer_was_lost_is_found_and_told_apart,
    the_end_of_a_call_says_how_it_ended,
    a_call_given_up_while_it_rings_was_not_talked,
    a_call_that_has_ended_is_ended_again_with_success,
    a_call_is_looked_up_as_it_is,
    a_number_s_calls_are_found_since_a_moment,
    a_list_that_lags_is_empty_and_not_a_refusal,
    a_day_s_list_is_whole_and_tells_our_dials_from_our_people,
    a_call_is_identified_by_its_attempt_and_never_guessed,
    an_answer_to_hang_up_ends_the_call,
)
