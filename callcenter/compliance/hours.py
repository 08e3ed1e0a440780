"""Calling hours on the customer's own clock, in every zone they may be in. Pure."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from callcenter.domain.contact import CallingHours

LOOK_AHEAD = timedelta(days=40)
"""Longer than any holidays: whoever cannot be called within it is not waited for."""
_ONE_DAY = timedelta(days=1)


def are_open(hours: Sequence[CallingHours], zones: Sequence[ZoneInfo], at: datetime) -> bool:
    """Whether a call may start at this moment by all these hours, in all these zones. No zone: it may not."""
    if not zones:
        return False
    return all(one.contains(local) for local in map(at.astimezone, zones) for one in hours)


def next_open(hours: Sequence[CallingHours], zones: Sequence[ZoneInfo], at: datetime) -> datetime | None:
    """Return the first moment from `at` on at which a call may start by all these hours, in all these zones.

    None when there is none within 40 days. Where a window opens within the hour that a clock leaves out, it may
    name a later moment than the first; never one at which a call may not start.
    """
    if not zones:
        return None
    moment = at
    while moment <= at + LOOK_AHEAD:
        opens = [_opens(one, zone, moment) for zone in zones for one in hours]
        if any(one is None for one in opens):
            return None
        latest = max((one for one in opens if one is not None), default=moment)
        if latest == moment:
            return moment
        moment = latest
    return None


def _opens(hours: CallingHours, zone: ZoneInfo, at: datetime) -> datetime | None:
    """Return `at` when these hours are open in this zone, else when they next open; None: not in 40 days."""
    local = at.astimezone(zone)
    if hours.contains(local):
        return at
    for ahead in range(LOOK_AHEAD.days + 2):
        day = local.date() + ahead * _ONE_DAY
        for opens, _ in hours.windows_on(day):
            for start in _moments(day, opens, zone):
                if start > at and hours.contains(start.astimezone(zone)):
                    return start
    return None


def _moments(day: date, clock: time, zone: ZoneInfo) -> tuple[datetime, ...]:
    """Return when a clock shows this time: twice where it is put back, an hour later where it leaves it out."""
    first = datetime.combine(day, clock, tzinfo=zone)
    second = first.replace(fold=1)
    moments = (first.astimezone(UTC), second.astimezone(UTC))
    return moments if moments[0] < moments[1] else moments[:1]
