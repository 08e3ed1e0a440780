"""What was seen after a branch, an objection or a cause: counts with honest intervals, no effects; pure, no I/O.

Branches and objections are not drawn: the customer brings them, and a branch deep in a script is only reached
by calls that went on that long. So a share here describes those calls; it does not say what the branch did.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from callcenter.learning.evidence import Interval, Share

FEWEST_CALLS = 30
"""Calls that spoke with somebody about a step or an error; with fewer nothing is told of it."""
FEWEST_OF_BRANCH = 10
"""Calls that took a branch and whose conversion window is over; with fewer the branch is not told."""
FEWEST_OF_CAUSE = 5
MOST_TOLD = 3
"""Causes, and branches, told of one step or error: the most certain ones."""


@dataclass(frozen=True, slots=True)
class BranchCount:
    """Calls that took one branch of a script: `went_on` of `calls` whose window is over converted afterwards."""

    script_id: str
    node: str
    branch: str
    calls: int
    went_on: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What calls about one step, or one error on it, showed; `causes` and `branches` most certain first."""

    calls: int
    calls_with_cause: int
    causes: tuple[tuple[str, Share], ...]
    branches: tuple[tuple[BranchCount, Interval], ...]


def wilson_interval(share: Share, alpha: float = 0.05) -> Interval:
    """Score interval of one share: E. B. Wilson, JASA 22 (1927) 209-212. Raises ValueError for an empty share."""
    if not share.of:
        raise ValueError("a share of nobody has no interval")
    z = NormalDist().inv_cdf(1 - alpha / 2)
    p, n = share.count / share.of, share.of
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low = 0.0 if not share.count else max(0.0, middle - reach)
    high = 1.0 if share.count == n else min(1.0, middle + reach)
    return Interval(low, p, high)


def what_was_seen(
    calls: int, calls_with_cause: int, causes: Mapping[str, int], branches: Sequence[BranchCount]
) -> Seen | None:
    """Tell the causes found and the branches after which customers went on; None below the minimum of evidence.

    `calls` spoke with somebody; a call may have several causes. At most `MOST_TOLD` of each are told, those
    with the highest lower bound; a branch nobody went on after is not told.
    """
    if calls < FEWEST_CALLS:
        return None
    told = [
        (cause, Share(count, calls_with_cause)) for cause, count in causes.items() if count >= FEWEST_OF_CAUSE
    ]
    told.sort(key=lambda one: (-one[1].count, one[0]))
    known = [
        (one, wilson_interval(Share(one.went_on, one.calls)))
        for one in branches
        if one.calls >= FEWEST_OF_BRANCH and one.went_on
    ]
    known.sort(key=lambda one: (-one[1].low, one[0].script_id, one[0].node, one[0].branch))
    if not told and not known:
        return None
    return Seen(calls, calls_with_cause, tuple(told[:MOST_TOLD]), tuple(known[:MOST_TOLD]))
