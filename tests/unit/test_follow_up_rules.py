"""What a follow-up must say: something, at most so long, from today on and within a year."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from callcenter.domain.enums import FollowUpKind
from callcenter.outcomes.rules import LONGEST_FOLLOW_UP, MAX_FOLLOW_UP_TEXT, NewFollowUp, problems_of

TODAY = date(2026, 11, 18)


def follow_up(text: str = "call the branch", due_on: date = TODAY) -> NewFollowUp:
    return NewFollowUp(FollowUpKind.VISIT, text, UUID(int=1), due_on)


@pytest.mark.parametrize("due_on", [TODAY, TODAY + timedelta(days=1), TODAY + LONGEST_FOLLOW_UP])
def test_a_day_from_today_on_within_a_year_will_do(due_on: date) -> None:
    assert problems_of(follow_up("x" * MAX_FOLLOW_UP_TEXT, due_on), TODAY) == {}


@pytest.mark.parametrize("due_on", [TODAY - timedelta(days=1), TODAY + LONGEST_FOLLOW_UP + timedelta(days=1)])
def test_another_day_will_not(due_on: date) -> None:
    assert set(problems_of(follow_up(due_on=due_on), TODAY)) == {"due_on"}


@pytest.mark.parametrize("text", ["", "  ", "x" * (MAX_FOLLOW_UP_TEXT + 1)])
def test_nothing_or_too_much_is_no_text(text: str) -> None:
    assert set(problems_of(follow_up(text), TODAY)) == {"text"}
