"""Can the agents who are on duty carry a rule's calls? Hour of the day by hour of the day; pure.

The work of an hour is its calls times the minutes a call takes (A. K. Erlang's load, here a mean over days); agents
who are busy more than `MOST_BUSY` of their time leave no room for calls that come together, and customers wait.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

HOURS = 24
MOST_BUSY = 0.85
"""Share of agents' time that may be filled: the upper end of what call centers plan with (80 to 85 %)."""


@dataclass(frozen=True, slots=True)
class HourLoad:
    """One hour of the day, on the average day: `calls` of the rule, of which `more` than it makes now.

    `on_duty`, `busy` are agents: at work or ready for it, and at work. `added` agents' work comes on top of that;
    `share` of the time of those on duty goes to all the rule's calls, None where nobody is. `short` is how many
    agents are missing.
    """

    hour: int
    calls: float
    more: float
    on_duty: float
    busy: float
    added: float
    share: float | None
    short: int


def hour_loads(
    calls: Sequence[float],
    live: Sequence[float],
    minutes: float,
    on_duty: Sequence[float],
    busy: Sequence[float],
) -> tuple[HourLoad, ...]:
    """Return the load of each of 24 hours.

    `calls` are those of the rule as tested and `live` those of the version that is live, on the average day;
    `minutes` is what one takes. `on_duty` and `busy` are mean numbers of agents; the live version's work is in
    `busy` already.
    """
    return tuple(
        _hour(hour, calls[hour], calls[hour] - live[hour], minutes / 60, on_duty[hour], busy[hour])
        for hour in range(HOURS)
    )


def _hour(hour: int, calls: float, more: float, hours_each: float, on_duty: float, busy: float) -> HourLoad:
    added = more * hours_each
    needed = max(0.0, busy + added) / MOST_BUSY
    short = ceil(needed - on_duty - 1e-9) if more > 0 and needed > on_duty else 0
    share = calls * hours_each / on_duty if on_duty > 0 else None
    return HourLoad(hour, calls, more, on_duty, busy, added, share, short)


def spans_of(hours: Sequence[int]) -> list[tuple[int, int]]:
    """Return hours of the day, in order, as spans: the first hour and the one after the last."""
    spans: list[tuple[int, int]] = []
    for hour in hours:
        if spans and spans[-1][1] == hour:
            spans[-1] = (spans[-1][0], hour + 1)
        else:
            spans.append((hour, hour + 1))
    return spans
