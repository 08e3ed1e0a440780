"""What the compliance gate works on: facts about a customer, the policy, the verdict."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from callcenter.domain.enums import PASSING_BARS, BarReason


@dataclass(frozen=True, slots=True)
class CallingHours:
    """The hours, on the customer's own clock, in which a call may start: [opens, closes) on these weekdays.

    Weekdays count from Monday = 0.
    """

    opens: time
    closes: time
    weekdays: frozenset[int] = frozenset(range(7))

    def contains(self, local: datetime) -> bool:
        """Whether a call may start at this local time."""
        return local.weekday() in self.weekdays and self.opens <= local.time() < self.closes


@dataclass(frozen=True, slots=True)
class ContactPolicy:
    """One jurisdiction's limits in one dated version."""

    version: str
    calling_hours: CallingHours
    attempt_cap: int
    cap_window: timedelta
    minimum_gap: timedelta


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """What we know of a customer when the gate is asked. Unknown is None or False, never a guess."""

    number: str | None
    is_number_valid: bool
    time_zones: tuple[ZoneInfo, ...]
    on_do_not_call_list: bool
    is_frozen: bool
    attempts_at: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's answer: every reason that bars the call, and from when it may be asked again."""

    reasons: tuple[BarReason, ...]
    policy_version: str
    next_allowed_at: datetime | None = None

    @property
    def may_call(self) -> bool:
        """No reason means the call is allowed."""
        return not self.reasons

    @property
    def lifts_by_itself(self) -> bool:
        """Whether waiting is enough: every reason passes with time."""
        return bool(self.reasons) and all(reason in PASSING_BARS for reason in self.reasons)
