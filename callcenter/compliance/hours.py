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
    clocks = {at.astimezone(zone).replace(tzinfo=None) for zone in zones}
    return all(one.contains(clock) for clock in clocks for one in hours)


def next_open(hours: Sequence[CallingHours], zones: Sequence[ZoneInfo], at: datetime) -> datetime | None:
    """Return the first moment from `at` on at which a call may start by all these hours, in all these zones.

    None when there is none within 40 days. Where a window opens within the hour that a clock leaves out, it may
    name a later moment than the first; never one at which a call may not start.
    """
    if not zones:
        return None
    moment, last = at, at + LOOK_AHEAD
    pairs = [(one, zone) for one in hours for zone in zones]
    agreed = 0
    while agreed < len(pairs):
        opens = _opens(*pairs[agreed], moment)
        if opens is None or opens > last:
            return None
        if opens == moment:
            agreed += 1
        else:
            # Who was closed is asked first from now on: hours that never meet are found out quickly.
            pairs.insert(0, pairs.pop(agreed))
            moment, agreed = opens, 1
    return moment


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
