"""Limits of calls. Why each has its value is told in docs/architecture.md, "Never twice, never lost"."""

from dataclasses import dataclass
from datetime import timedelta

RING_TIMEOUT = timedelta(seconds=25)
MAX_CALL = timedelta(hours=2)
EMPTY_LOOKS = 5
RETRY_PLACING = 3
"""How often a carrier that provably did nothing is asked, before the dial is given up."""
NEVER_ASKED = timedelta(seconds=60)
"""An attempt whose job has not run by then is given up: the agent would not understand a call so late."""
OVERDUE = MAX_CALL + timedelta(minutes=5)
AGENT_BACK_WITHIN = timedelta(seconds=20)
"""A customer whose agent's line dropped hears a waiting message so long; then another agent takes over."""
QUIET_LEG = timedelta(minutes=5)
"""An agent's leg nothing was heard of for so long is looked up."""
QUIET_WATCH = timedelta(seconds=60)
"""A supervisor's line is looked up from so long after it was asked for; one never heard of is given up."""
DAY_LISTED_AFTER = timedelta(hours=1)
"""A day is compared with the carrier's list this long after its end, when the list has caught up."""
DAY_MARGIN = timedelta(minutes=10)
"""A call near midnight may stand on the other day in the carrier's clock."""


@dataclass(frozen=True, slots=True)
class LostCalls:
    """How a call that was asked for and never heard of is looked for.

    It counts as never placed after EMPTY_LOOKS looks at the carrier's list without it, `look_after` apart, over
    `absent_for`: longer than that list can lag behind and a request be under way, since a call that shows up
    later would be a second one.
    """

    look_after: timedelta = timedelta(seconds=30)
    absent_for: timedelta = timedelta(minutes=10)

    @property
    def quiet_ringing(self) -> timedelta:
        """A call that should ring and was not heard of for so long is looked up: twice `look_after`."""
        return 2 * self.look_after

    @property
    def quiet_talking(self) -> timedelta:
        """A call that should be talked on and was not heard of for so long is looked up: ten times `look_after`."""
        return 10 * self.look_after


AS_A_RULE = LostCalls()
