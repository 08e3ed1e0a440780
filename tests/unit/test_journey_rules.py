"""Where a customer is: events in any order, visits opened and closed for the right reason."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.commands.sample import read_sample
from callcenter.domain.enums import VisitEnd
from callcenter.domain.events import EventValue
from callcenter.domain.journey import EventRole, VisitState
from callcenter.journeys.policy import read_journey
from callcenter.journeys.rules import Advance, advance_visit, place_event

LOAN = read_journey(read_sample("loan.yaml"))
START = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
KEYS = sorted(LOAN.roles)


def event(key: str, after: float = 0, **properties: object) -> EventValue:
    """An event of the loan journey, `after` seconds from the start."""
    at = START + timedelta(seconds=after)
    return EventValue(
        message_id=f"{key}{after}",
        kind="track",
        name=key,
        step_key=key,
        event_time=at,
        received_at=at,
        user_id="u",
        properties=properties,
    )


def folds(visit: VisitState | None, one: EventValue, last_seq: int = 0) -> Advance:
    """Fold one event into a visit."""
    place = place_event({LOAN.id: LOAN}, one)
    assert place is not None
    return advance_visit(LOAN, visit, last_seq, place, one)


def on(key: str, after: float = 0) -> VisitState:
    """The visit that a step's event opens."""
    current = folds(None, event(key, after)).current
    assert current is not None
    return current


def test_a_step_opens_a_visit_and_the_next_step_closes_it_as_advanced() -> None:
    first = folds(None, event("id_photo_front"), last_seq=4)
    assert first.is_new and first.reached == "id_photo" and first.current is not None
    assert (first.current.visit_seq, first.current.entered_at) == (5, START)
    then = folds(first.current, event("face_scan", 30), last_seq=5)
    assert then.closed is not None and then.current is not None
    assert (then.closed.end, then.closed.closed_at) == (VisitEnd.ADVANCED, START + timedelta(seconds=30))
    assert (then.current.step, then.current.visit_seq, then.reached) == ("face_scan", 6, "face_scan")


def test_going_back_closes_the_visit_and_opens_another() -> None:
    back = folds(on("face_scan"), event("id_photo_front", 30))
    assert back.closed is not None and back.closed.end is VisitEnd.WENT_BACK
    assert back.current is not None and back.current.step == "id_photo"


def test_a_late_error_of_an_earlier_step_does_not_say_that_the_customer_went_back() -> None:
    visit = on("face_scan")
    late = folds(visit, event("photo_rejected", 30))
    assert (late.closed, late.current, late.is_new) == (None, visit, False)


def test_activity_of_a_later_step_says_that_the_customer_is_there() -> None:
    further = folds(on("id_photo_front"), event("card_refused", 30))
    assert further.current is not None and (further.current.step, further.current.errors) == ("bind_card", 1)


def test_the_goal_closes_the_visit_and_opens_none() -> None:
    done = folds(on("withdraw"), event("loan_withdrawn", 30))
    assert done.closed is not None and done.closed.end is VisitEnd.GOAL
    assert (done.current, done.reached) == (None, "withdrawn")


def test_an_exit_closes_what_came_before_it_and_nothing_that_came_after() -> None:
    left = folds(on("profile"), event("application_closed", 30))
    assert left.closed is not None and (left.closed.end, left.current) == (VisitEnd.EXIT, None)
    visit = on("profile", 60)
    assert folds(visit, event("application_closed", 30)).current == visit
    assert folds(None, event("application_closed")).current is None


@pytest.mark.parametrize(
    ("silence", "closes"), [(timedelta(hours=24), False), (timedelta(hours=24, seconds=1), True)]
)
def test_a_day_of_silence_closes_a_visit_at_the_end_of_that_day(silence: timedelta, closes: bool) -> None:
    again = folds(on("profile"), event("profile", silence.total_seconds()), last_seq=1)
    assert again.is_new is closes
    if closes:
        assert again.closed is not None and again.current is not None
        assert (again.closed.end, again.closed.closed_at) == (VisitEnd.SILENT, START + timedelta(hours=24))
        assert again.current.visit_seq == 2


def test_a_repeated_entry_neither_moves_the_entry_nor_opens_a_visit() -> None:
    again = folds(on("profile"), event("profile", 30))
    assert not again.is_new and again.current is not None
    assert (again.current.entered_at, again.current.last_activity_at) == (
        START,
        START + timedelta(seconds=30),
    )
    assert again.current.marks["profile"].count == 2


def test_an_older_entry_moves_the_entry_back_and_an_older_step_does_nothing() -> None:
    visit = on("profile", 60)
    earlier = folds(visit, event("profile", 30)).current
    assert earlier is not None and earlier.entered_at == START + timedelta(seconds=30)
    assert folds(visit, event("face_scan", 30)).current == visit
    assert folds(visit, event("bind_card", 30)).current == visit, "before they came here, they were not there"


def test_a_visit_remembers_its_last_error_and_the_facts_rules_may_ask_for() -> None:
    visit = folds(on("id_photo_front"), event("photo_rejected", 20, reason="glare", device="ios")).current
    visit = folds(visit, event("upload_failed", 30, code=504)).current
    visit = folds(visit, event("photo_rejected", 25, reason="blurred")).current
    assert visit is not None
    assert (visit.errors, visit.last_error, visit.last_error_reason) == (3, "upload_failed", "504")
    assert visit.facts == {"device": "ios", "reason": "blurred"}


def test_an_event_of_no_journey_has_no_place_and_a_key_tells_two_applications_apart() -> None:
    assert place_event({LOAN.id: LOAN}, event("weather")) is None
    keys = [place_event({LOAN.id: LOAN}, event("profile", 0, application_id=key)) for key in ("a", 7, None)]
    assert [place.journey_key for place in keys if place] == ["a", "7", ""]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(KEYS), st.integers(0, 200_000)), max_size=25))
def test_any_course_of_events_leaves_at_most_one_open_visit_and_numbers_that_grow(
    course: list[tuple[str, int]],
) -> None:
    visit, last_seq = None, 0
    for key, after in course:
        moved = folds(visit, event(key, after), last_seq)
        if moved.closed is not None:
            assert not moved.closed.is_open and moved.closed.end is not None and moved.closed.closed_at
            assert moved.closed.closed_at >= moved.closed.entered_at
        if moved.is_new:
            assert moved.current is not None and moved.current.visit_seq == last_seq + 1
            last_seq += 1
        visit = moved.current
        if visit is not None:
            assert visit.is_open and visit.entered_at <= visit.last_activity_at
            assert visit.step != LOAN.goal and visit.step in LOAN.order
            assert visit.errors == sum(
                mark.count for known, mark in visit.marks.items() if LOAN.roles[known][0] is EventRole.ERROR
            )
