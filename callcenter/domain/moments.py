"""Two parts of a trigger rule: how soon it may choose a customer again, and the dates it waits for. Pure."""

from calendar import isleap
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

CATCH_UP = timedelta(days=3)
"""For so many days a moment that nobody announced on its day is still announced, if its date is not past."""


class Chosen(NamedTuple):
    """An earlier firing of the customer that became a call task or was held out: whose rule, where, when."""

    rule_key: str
    journey: str
    fired_at: datetime


@dataclass(frozen=True, slots=True)
class CoolDown:
    """Spans in which a customer is not chosen again: by the rule, in the journey, by any rule at all."""

    rule: timedelta | None = None
    journey: timedelta | None = None
    customer: timedelta | None = None

    @property
    def longest(self) -> timedelta:
        """How far back it looks."""
        return max((span for span in (self.rule, self.journey, self.customer) if span), default=timedelta(0))

    def forbids(self, rule_key: str, journey: str, fired_at: datetime, earlier: Iterable[Chosen]) -> bool:
        """Whether a firing comes too soon after one of the earlier choices of the same customer."""
        for one in earlier:
            since = fired_at - one.fired_at
            if (
                (self.customer is not None and since < self.customer)
                or (self.journey is not None and one.journey == journey and since < self.journey)
                or (self.rule is not None and one.rule_key == rule_key and since < self.rule)
            ):
                return True
        return False


@dataclass(frozen=True, slots=True)
class DateMoment:
    """A date of the customer that a rule waits for: the trait, how long before, each year or once, at what hour."""

    trait: str
    before: timedelta
    is_yearly: bool
    at: time

    def days(self, today: date) -> tuple[date, ...]:
        """Return the days that are announced on a day: the one it is time for, and those that were missed."""
        last = today + self.before
        missed = (last - timedelta(days=number) for number in range(CATCH_UP.days + 1))
        return tuple(day for day in missed if day >= today)

    def announced(self, on: date, today: date) -> date | None:
        """Return the day that is announced today for a date of the customer; None when there is none.

        A yearly date comes back every year after it, the 29th of February on the 28th in other years.
        """
        return next((day for day in self.days(today) if self._falls_on(on, day)), None)

    def _falls_on(self, on: date, day: date) -> bool:
        if not self.is_yearly:
            return on == day
        if (on.month, on.day) == (2, 29) and not isleap(day.year):
            on = on.replace(day=28)
        return on.year < day.year and (on.month, on.day) == (day.month, day.day)


def read_date(value: Any) -> date | None:
    """Return the day a text such as 2026-12-01 or 2026-12-01T00:00:00Z begins with; None when it is none."""
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None
