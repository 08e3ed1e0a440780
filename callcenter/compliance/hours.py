"""Calling hours on the customer's own clock, in every zone they may be in. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
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

    None when there is none within 40 days. Around the hour that a clock is put back it may name a later moment
    than the first, never one at which a call may not start.
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
            # A clock that is put forward may skip the opening: the moment is then the hour after it.
            start = datetime.combine(day, opens, tzinfo=zone).astimezone(UTC)
            if start > at and hours.contains(start.astimezone(zone)):
                return start
    return None
