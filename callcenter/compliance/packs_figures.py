"""The figures a pack may hold: how the value of each is written, checked and read. Pure."""

import re
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import phonenumbers

from callcenter.compliance.calendars import Calendar, calendar_of, calendar_problem, subdivisions_of
from callcenter.compliance.packs_text import Item
from callcenter.domain.contact import FOR_GOOD, CallingHours, Cap, Registry, Window
from callcenter.domain.enums import NumberKind

LONGEST_WINDOW = timedelta(days=31)
"""Attempts and conversations are known for 35 days: nothing may count further back than a month."""
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_GROUPS: dict[str, tuple[int, ...]] = {
    "every_day": tuple(range(7)),
    "workdays": tuple(range(5)),
    "weekend": (5, 6),
    **{name: (number,) for number, name in enumerate(DAYS)},
}
"""Later ones count before earlier ones: a named day before the weekend, the weekend before every day."""
_SUBDIVISION = re.compile(r"[A-Z0-9]{1,3}")
_STATES = frozenset(subdivisions_of("US"))


def read_region(item: Item) -> str:
    """Read a region: an ISO country such as FR, or a subdivision such as US-FL."""
    raw = item.text()
    country, dash, subdivision = raw.partition("-")
    if country not in phonenumbers.SUPPORTED_REGIONS:
        item.fail(f"{raw!r} is no country that numbers are known of; write FR, or US-FL")
    is_state = subdivision in _STATES if country == "US" else _SUBDIVISION.fullmatch(subdivision)
    if dash and not is_state:
        item.fail(f"{raw!r} is no subdivision; write US-FL")
    return raw


def read_regions(item: Item) -> frozenset[str]:
    """Read a list of regions that is not empty."""
    regions = [read_region(one) for one in item.members()]
    if not regions:
        item.fail("must name a region")
    return frozenset(regions)


def _hours(item: Item) -> CallingHours:
    told = item.entries(optional=[*_GROUPS, "holidays", "calendar"])
    days: dict[int, tuple[Window, ...]] = {}
    for group, numbers in _GROUPS.items():
        if group in told:
            windows = _windows(told[group])
            days |= dict.fromkeys(numbers, windows)
    missing = [name for number, name in enumerate(DAYS) if number not in days]
    if missing:
        item.fail(f"says nothing of {', '.join(missing)}; write [] where no call may be made")
    by_weekday = tuple(days[number] for number in range(7))
    if ("holidays" in told) != ("calendar" in told):
        item.fail("holidays and calendar come together: what counts on holidays, and whose holidays")
    if "calendar" not in told:
        return CallingHours(by_weekday)
    calendar, works_weekends = _calendar(told["calendar"])
    is_workday = calendar.is_workday if works_weekends else None
    on_holidays = told["holidays"]
    if on_holidays.is_scalar and on_holidays.text() == "same":
        return CallingHours(by_weekday, is_workday=is_workday)
    closed = on_holidays.is_scalar and on_holidays.text() == "closed"
    return CallingHours(by_weekday, calendar.is_holiday, () if closed else _windows(on_holidays), is_workday)


def _windows(item: Item) -> tuple[Window, ...]:
    if not item.is_list:
        item.fail('must be a list of windows such as ["09:00-20:00"], or [] for none')
    windows = [(one.window(), one) for one in item.members()]
    windows.sort(key=lambda pair: pair[0])
    for (earlier, _), (later, where) in pairwise(windows):
        if later[0] < earlier[1]:
            where.fail("overlaps another window of the day")
    return tuple(window for window, _ in windows)


def _calendar(item: Item) -> tuple[Calendar, bool]:
    told = item.entries(["country"], ["subdivisions", "weekend_workdays"])
    country = told["country"].text()
    if problem := calendar_problem(country):
        told["country"].fail(problem)
    subdivisions = []
    for one in told["subdivisions"].members() if "subdivisions" in told else []:
        if problem := calendar_problem(country, one.text()):
            one.fail(problem)
        subdivisions.append(one.text())
    works = "weekend_workdays" in told and told["weekend_workdays"].truth()
    return calendar_of(country, tuple(sorted(subdivisions))), works


def _cap(item: Item) -> Cap:
    told = item.entries(["calls", "window"])
    return Cap(told["calls"].whole(1, 1000), told["window"].duration(LONGEST_WINDOW, timedelta(seconds=1)))


def _registry(item: Item) -> Registry:
    told = item.entries(["key", "max_age"])
    key = told["key"].text()
    if not (key.isascii() and key.replace("-", "").isalnum() and key == key.lower() and len(key) <= 40):
        told["key"].fail("must be a short word such as us-dnc")
    return Registry(key, told["max_age"].duration(least=timedelta(hours=1)))


def _refusal_stop(item: Item) -> timedelta:
    told = item.text()
    if told == "for_good":
        return FOR_GOOD
    return timedelta(0) if told == "none" else item.duration()


def _kinds(item: Item) -> frozenset[NumberKind]:
    kinds = set()
    for one in item.members():
        try:
            kinds.add(NumberKind(one.text()))
        except ValueError:
            one.fail(f"{one.text()!r} is no kind of number; known are {', '.join(NumberKind)}")
    return frozenset(kinds)


def _abandonment(item: Item) -> tuple[float, timedelta]:
    told = item.entries(["limit", "guaranteed_for"])
    return told["limit"].share(), told["guaranteed_for"].duration(LONGEST_WINDOW)


def _pause(item: Item) -> timedelta:
    return item.duration(LONGEST_WINDOW)


READERS: dict[str, Callable[[Item], Any]] = {
    "calling_hours": _hours,
    "caps": _cap,
    "minimum_gap": _pause,
    "conversation_pause": _pause,
    "refusal_stop": _refusal_stop,
    "consent": Item.truth,
    "registries": _registry,
    "barred_kinds": _kinds,
    "barred_regions": read_regions,
    "abandonment": _abandonment,
}
"""Each figure a pack may hold, and what reads its value."""
