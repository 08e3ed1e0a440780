"""What was seen: intervals as published, and silence below the minimum of evidence."""

import pytest

from callcenter.learning.associations import BranchCount, what_was_seen, wilson_interval
from callcenter.learning.evidence import Share


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_of_a_share_is_the_published_one(count: int, of: int, low: float, high: float) -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, Table I, method 3."""
    found = wilson_interval(Share(count, of))
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    other = wilson_interval(Share(of - count, of))
    assert other.low == pytest.approx(1 - found.high) and other.high == pytest.approx(1 - found.low)


def test_nobody_has_no_interval() -> None:
    with pytest.raises(ValueError, match="nobody"):
        wilson_interval(Share(0, 0))


def branch(name: str, calls: int, went_on: int) -> BranchCount:
    return BranchCount("photo", "ask", name, calls, went_on)


def test_nothing_is_told_below_thirty_calls_and_of_a_branch_below_ten() -> None:
    taken = [branch("few", 9, 9), branch("none", 40, 0), branch("some", 20, 12)]
    assert what_was_seen(29, 29, {"technical": 29}, taken) is None
    seen = what_was_seen(30, 28, {"technical": 20, "price": 4}, taken)
    assert seen and [one.branch for one, _ in seen.branches] == ["some"]
    assert seen.causes == (("technical", Share(20, 28)),)
    assert what_was_seen(30, 4, {"price": 4}, [branch("few", 9, 9)]) is None


def test_the_most_certain_are_told_not_the_luckiest() -> None:
    taken = [
        branch("lucky", 10, 10),
        branch("proven", 400, 380),
        branch("weak", 300, 60),
        branch("fair", 50, 30),
    ]
    seen = what_was_seen(800, 0, {}, taken)
    assert seen and [one.branch for one, _ in seen.branches] == ["proven", "lucky", "fair"]
    assert all(interval.low < interval.point <= interval.high for _, interval in seen.branches)
