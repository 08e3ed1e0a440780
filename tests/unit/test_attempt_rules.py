"""However a call's news comes, late, twice, in another order or not at all, the attempt ends the same."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from callcenter.calls import service
from callcenter.calls.policy import (
    AS_A_RULE,
    EMPTY_LOOKS,
    MAX_CALL,
    NEVER_ASKED,
    RETRY_PLACING,
)
from callcenter.calls.rules import RANK, News, advances, ending_of, needs_look
from callcenter.domain.enums import AttemptState, CallResult
from callcenter.domain.ports import NotProcessed, Placed, RefusalClass, Rejected, Unknown
from callcenter.models import ContactAttempt, Incident

START = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
ID = UUID(int=1)
EARLY = (AttemptState.INITIATED, AttemptState.RINGING, AttemptState.ANSWERED)
UNANSWERED = (CallResult.BUSY, CallResult.NO_ANSWER, CallResult.FAILED, CallResult.CANCELED)
Step = News | Placed | Unknown


def placing() -> ContactAttempt:
    """An attempt whose request is on its way."""
    return ContactAttempt(
        id=ID,
        call_task_id=ID,
        customer_id=ID,
        agent_id=ID,
        firing_id=ID,
        to_number="+8613800138000",
        caller_id="+15005550006",
        state=AttemptState.PLACING,
        claimed_at=START,
        placing_at=START,
        last_news_at=START,
    )


def hears(attempt: ContactAttempt, steps: list[Step]) -> list[Incident]:
    """Let an attempt take in its news, a second apart; returns the incidents."""
    session = Session()
    for number, step in enumerate(steps, 1):
        now = START + timedelta(seconds=number)
        if isinstance(step, News):
            service.note_news(session, attempt, step, now)
        else:
            service.note_placement(session, attempt, step, now)
    return [row for row in session.new if isinstance(row, Incident)]


def _news(state: AttemptState, result: CallResult | None = None, ref: str = "CA1") -> News:
    return News(ref, state, result)


@st.composite
def courses(draw: st.DrawFn, end: News, must: tuple[Step, ...] = ()) -> list[Step]:
    """Any order, loss and repetition of the early news and of the answer to our request, and one end.

    What is in `must` comes before the end, as the carrier waits for our answer to it.
    """
    pool: list[Step] = [_news(state) for state in EARLY] + [Placed("CA1")]
    extra = draw(st.lists(st.sampled_from(pool), max_size=7))
    before = list(draw(st.permutations([*extra, *must])))
    after = draw(st.lists(st.sampled_from([*pool, *must, end]), max_size=4))
    return [*before, end, *after]


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(UNANSWERED))
def test_an_unanswered_call_ends_the_same_whatever_became_of_its_news(
    data: st.DataObject, result: CallResult
) -> None:
    attempt = placing()
    incidents = hears(attempt, data.draw(courses(_news(AttemptState.ENDED, result))))
    assert (attempt.state, attempt.result, attempt.carrier_ref) == (AttemptState.ENDED, result, "CA1")
    assert attempt.bridged_at is None and incidents == []


@settings(max_examples=60, deadline=None)
@given(courses(_news(AttemptState.ENDED, CallResult.COMPLETED), (_news(AttemptState.BRIDGED),)))
def test_a_call_that_met_its_agent_ends_the_same_whatever_became_of_its_news(course: list[Step]) -> None:
    attempt = placing()
    assert hears(attempt, course) == []
    assert (attempt.state, attempt.result) == (AttemptState.ENDED, CallResult.COMPLETED)
    assert attempt.ringing_at and attempt.answered_at and attempt.bridged_at and attempt.ended_at
    assert attempt.ringing_at <= attempt.answered_at <= attempt.bridged_at <= attempt.ended_at
    assert attempt.talk_seconds == int((attempt.ended_at - attempt.bridged_at).total_seconds())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from([_news(s) for s in (*EARLY, AttemptState.BRIDGED)] + [Placed("CA1"), Unknown("cut")]),
        max_size=8,
    )
)
def test_news_never_moves_an_attempt_back(course: list[Step]) -> None:
    attempt = placing()
    ranks = [RANK[AttemptState.PLACING]]
    for step in course:
        hears(attempt, [step])
        ranks.append(RANK[AttemptState(attempt.state)])
    assert all(before <= after for before, after in pairwise(ranks))


@settings(max_examples=50, deadline=None)
@given(courses(_news(AttemptState.ENDED, CallResult.BUSY)), st.integers(0, 20), st.sampled_from(EARLY))
def test_a_second_call_of_an_attempt_is_an_incident_and_moves_nothing(
    course: list[Step], place: int, state: AttemptState
) -> None:
    attempt = placing()
    place = max(1, min(place, len(course)))
    incidents = hears(attempt, [*course[:place], _news(state, ref="CA2"), *course[place:]])
    assert (attempt.carrier_ref, attempt.result) == ("CA1", CallResult.BUSY)
    assert [incident.kind for incident in incidents] == ["second_call_for_attempt"]


def test_a_call_completed_before_anybody_met_is_abandoned() -> None:
    attempt = placing()
    hears(attempt, [_news(AttemptState.ANSWERED), _news(AttemptState.ENDED, CallResult.COMPLETED)])
    assert attempt.result == CallResult.ABANDONED


def test_a_call_is_abandoned_too_when_the_news_of_its_answer_comes_late() -> None:
    attempt = placing()
    hears(attempt, [_news(AttemptState.ENDED, CallResult.COMPLETED), _news(AttemptState.ANSWERED)])
    assert attempt.result == CallResult.ABANDONED


@pytest.mark.parametrize(
    ("answer", "state", "result"),
    [
        (Placed("CA1"), AttemptState.PLACED, None),
        (Unknown("cut"), AttemptState.UNKNOWN, None),
        (NotProcessed(timedelta(seconds=2)), AttemptState.CLAIMED, None),
        (Rejected(RefusalClass.INVALID_DESTINATION, "21211"), AttemptState.ENDED, CallResult.REJECTED),
    ],
)
def test_each_answer_to_our_request_has_one_meaning_and_undoes_no_news(
    answer: Placed | Unknown | NotProcessed | Rejected, state: AttemptState, result: CallResult | None
) -> None:
    fresh, ringing = placing(), placing()
    service.note_placement(Session(), fresh, answer, START)
    assert (fresh.state, fresh.result) == (state, result)
    hears(ringing, [_news(AttemptState.RINGING)])
    service.note_placement(Session(), ringing, answer, START)
    assert (ringing.state, ringing.result) == (AttemptState.RINGING, None)


def test_a_carrier_that_did_nothing_is_asked_a_few_times_and_then_no_more() -> None:
    attempt, asked = placing(), 0
    attempt.state = AttemptState.CLAIMED
    while service.begin_placing(attempt, START):
        asked += 1
        again_at = service.note_placement(Session(), attempt, NotProcessed(timedelta(seconds=2)), START)
        assert again_at in (START + timedelta(seconds=2), None)
    assert (asked, attempt.state, attempt.result) == (
        RETRY_PLACING,
        AttemptState.ENDED,
        CallResult.NOT_PLACED,
    )


def test_the_permission_to_ask_is_given_once_and_not_for_a_canceled_attempt() -> None:
    attempt = placing()
    attempt.state = AttemptState.CLAIMED
    assert service.begin_placing(attempt, START) and not service.begin_placing(attempt, START)
    canceled = placing()
    canceled.state = AttemptState.CLAIMED
    assert not service.ask_to_end(canceled, START), "nobody was asked: nobody needs to be told"
    assert (canceled.result, service.begin_placing(canceled, START)) == (CallResult.CANCELED, False)


def test_an_attempt_is_given_up_after_enough_empty_looks_over_enough_time() -> None:
    attempt = placing()
    for _ in range(EMPTY_LOOKS + 3):
        assert not service.note_absence(attempt, START + AS_A_RULE.absent_for - timedelta(seconds=1))
    few = placing()
    for _ in range(EMPTY_LOOKS - 1):
        assert not service.note_absence(few, START + AS_A_RULE.absent_for)
    assert service.note_absence(few, START + AS_A_RULE.absent_for)
    assert few.result == CallResult.NOT_PLACED


def test_states_move_forward_only_and_never_out_of_the_end() -> None:
    for have, news in product(AttemptState, AttemptState):
        assert advances(have, news) is (RANK[news] > RANK[have])
        assert not advances(AttemptState.ENDED, news)


@pytest.mark.parametrize(
    ("state", "quiet"),
    [
        *((state, AS_A_RULE.look_after) for state in (AttemptState.PLACING, AttemptState.UNKNOWN)),
        *(
            (state, AS_A_RULE.quiet_ringing)
            for state in (AttemptState.PLACED, AttemptState.INITIATED, AttemptState.RINGING)
        ),
        *((state, AS_A_RULE.quiet_talking) for state in (AttemptState.ANSWERED, AttemptState.BRIDGED)),
    ],
)
def test_an_attempt_is_looked_at_once_it_has_been_quiet_too_long(
    state: AttemptState, quiet: timedelta
) -> None:
    assert needs_look(state, START, START, START + quiet)
    assert not needs_look(state, START, START, START + quiet - timedelta(seconds=1))


def test_an_ended_attempt_needs_no_look_and_one_never_asked_for_or_endless_does() -> None:
    later = START + timedelta(days=1)
    assert not needs_look(AttemptState.ENDED, START, START, later)
    assert not needs_look(AttemptState.CLAIMED, START, START, START + NEVER_ASKED - timedelta(seconds=1))
    assert needs_look(AttemptState.CLAIMED, START, START, START + NEVER_ASKED)
    assert needs_look(
        AttemptState.BRIDGED,
        later - AS_A_RULE.quiet_ringing,
        later - MAX_CALL - AS_A_RULE.quiet_talking,
        later,
    )


@pytest.mark.parametrize("result", [r for r in CallResult if r is not CallResult.COMPLETED])
def test_only_a_completed_call_can_be_abandoned(result: CallResult) -> None:
    assert ending_of(result, bridged=False, talk_seconds=3).result is result
