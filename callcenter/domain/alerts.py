"""When a supervisor is told, and when again: thresholds of a team, and how bad is worse; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

SHARED = ""
"""The team whose thresholds count for the queue, which all teams share, and for teams without any."""
_HALF = 1.5


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From when a supervisor is told; None: never. `wrap_up` runs from the end of its limit, the others from
    the start; `overdue_tasks` have waited for more than twice their promise."""

    wrap_up: timedelta = timedelta(minutes=3)
    not_ready: timedelta | None = None
    talk: timedelta | None = None
    overdue_tasks: int = 1


USUAL = Thresholds()


def thresholds_of(known: Mapping[str, Thresholds], team: str) -> Thresholds:
    """Return what counts for a team."""
    return known.get(team) or known.get(SHARED) or USUAL


def has_worsened(acknowledged: int, measure: int) -> bool:
    """Whether something that somebody has taken is so much worse that it must be told again: by half or more."""
    return measure > acknowledged and measure >= acknowledged * _HALF


def steps_of(span: timedelta) -> int:
    """Measure something that only lasts: in steps of five minutes."""
    return max(0, int(span.total_seconds() // 300)) + 1
