"""Which of several reasons leads a call."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.calltasks.rules import Reason, leading
from callcenter.domain.enums import Purpose

NOON = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)


def reason(number: int, priority: int = 50, purpose: Purpose = Purpose.SERVICE, minutes: int = 0) -> Reason:
    return Reason(UUID(int=number), purpose, priority, NOON + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("own", "other", "leads"),
    [
        (reason(1, 50), reason(2, 60), 2),
        (reason(1, 60), reason(2, 50), 1),
        (reason(2, 50), reason(1, 50, minutes=-5), 2),
        (reason(1, 90, Purpose.MARKETING), reason(2, 10), 2),
        (reason(1, 10), reason(2, 90, Purpose.MARKETING), 1),
        (reason(1, 10, Purpose.MARKETING), reason(2, 90, Purpose.MARKETING), 2),
        (reason(1, 10, Purpose.COLLECTION), reason(2, 90), 2),
    ],
)
def test_help_leads_before_offers_then_the_higher_priority_then_the_own(
    own: Reason, other: Reason, leads: int
) -> None:
    assert leading([own, other]).firing_id == UUID(int=leads)


def test_a_call_has_a_reason() -> None:
    with pytest.raises(ValueError, match="own reason"):
        leading([])


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Purpose)), st.integers(0, 3), st.integers(0, 3)),
        min_size=1,
        max_size=5,
    )
)
def test_the_order_in_which_reasons_came_does_not_matter(drawn: list[tuple[Purpose, int, int]]) -> None:
    own, *others = [reason(n, priority, purpose, at) for n, (purpose, priority, at) in enumerate(drawn)]
    assert len({leading([own, *order]).firing_id for order in permutations(others)}) == 1
