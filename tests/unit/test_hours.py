"""Calling hours on the customer's clock: in every zone there is, and where clocks are changed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.compliance.hours import are_open, next_open
from callcenter.compliance.packs import load_book
from callcenter.domain.contact import CallingHours
from callcenter.domain.enums import Purpose

FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
FRENCH_HOLIDAYS = frozenset(
    day
    for part in (None, "57", "6AE")
    for day in holidays.country_holidays("FR", subdiv=part, years=range(2025, 2030))
)
Offsets = tuple[tuple[datetime, timedelta], ...]


def hours_of(home: str, purpose: Purpose, region: str) -> CallingHours:
    policy = load_book([home]).policy(frozenset({region}), purpose, FIRST + timedelta(days=300))
    assert policy is not None
    (hours,) = policy.hours
    return hours


CHINA = hours_of("cn-bank", Purpose.SERVICE, "CN")
FRANCE = hours_of("fr", Purpose.MARKETING, "FR")


def naive_china(local: datetime) -> bool:
    return 9 <= local.hour < 20


def naive_france(local: datetime) -> bool:
    is_off = local.weekday() > 4 or local.date() in FRENCH_HOLIDAYS
    return not is_off and local.hour in (10, 11, 12, 14, 15, 16, 17, 18, 19)


@cache
def zones_apart() -> dict[Offsets, str]:
    """Every IANA zone, those with the same clock in 2026 and 2027 as one: offsets with when they begin."""
    apart: dict[Offsets, str] = {}
    for name in sorted(available_timezones()):
        apart.setdefault(tuple(_changes(ZoneInfo(name))), name)
    return apart


def _changes(zone: ZoneInfo) -> Iterator[tuple[datetime, timedelta]]:
    at, offset = FIRST, _offset(zone, FIRST)
    yield at, offset
    while at < LAST:
        later = at + timedelta(days=1)
        if _offset(zone, later) != offset:
            first, last = at, later
            while last - first > timedelta(minutes=1):
                middle = first + (last - first) / 2
                first, last = (middle, last) if _offset(zone, middle) == offset else (first, middle)
            offset = _offset(zone, later)
            yield last.replace(second=0, microsecond=0), offset
        at = later


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _locals(changes: Offsets, step: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """Moments and what the clock on the wall shows, added up by hand: every step, and each hour near a change."""
    near = [at + hours * HOUR for at, _ in changes for hours in range(-12, 13)]
    count = (LAST - FIRST) // step
    for at in sorted([FIRST + number * step for number in range(count)] + near):
        if FIRST <= at < LAST:
            offset = [offset for begins, offset in changes if begins <= at][-1]
            yield at, (at + offset).replace(tzinfo=None)


def _check_every_zone(step: timedelta) -> None:
    for changes, name in zones_apart().items():
        zone = (ZoneInfo(name),)
        for at, local in _locals(changes, step):
            assert are_open((CHINA,), zone, at) is naive_china(local), (name, at)
            assert are_open((FRANCE,), zone, at) is naive_france(local), (name, at)


def test_no_call_outside_hours_in_any_zone() -> None:
    """Every 23rd hour meets each hour of each weekday; near changes of the clock each hour."""
    assert len(zones_apart()) > 40
    _check_every_zone(23 * HOUR)


@pytest.mark.slow
def test_no_call_outside_hours_in_any_zone_at_any_hour_of_two_years() -> None:
    _check_every_zone(HOUR)


moments = st.datetimes(FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None), timezones=st.just(UTC))
zones = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)


@settings(deadline=None, max_examples=60)
@given(
    at=moments,
    places=st.lists(zones, min_size=1, max_size=4),
    of=st.sampled_from([(CHINA,), (FRANCE, CHINA)]),
)
def test_the_next_opening_is_open_and_nothing_before_it_is(
    at: datetime, places: list[ZoneInfo], of: tuple[CallingHours, ...]
) -> None:
    opens = next_open(of, places, at)
    if opens is None:
        assert not any(are_open(of, places, at + number * HOUR) for number in range(40 * 24))
        return
    assert opens >= at
    assert are_open(of, places, opens)
    assert (opens == at) is are_open(of, places, at)
    step = timedelta(minutes=30)
    before = [at + number * step for number in range(int((opens - at) / step) + 1)]
    assert not any(are_open(of, places, moment) for moment in before if moment < opens)


def windows(*said: str) -> CallingHours:
    read = tuple((time.fromisoformat(one[:5]), time.fromisoformat(one[6:])) for one in said)
    return CallingHours((read,) * 7)


def opens_at(hours: CallingHours, zone: str, at: str) -> str | None:
    place = ZoneInfo(zone)
    opens = next_open((hours,), (place,), datetime.fromisoformat(at))
    assert opens is None or are_open((hours,), (place,), opens)
    return opens.astimezone(place).isoformat(timespec="minutes") if opens else None


@pytest.mark.parametrize(
    ("zone", "said", "at", "opens"),
    [
        # Spring in Berlin: 02:00 to 03:00 of 2026-03-29 does not exist.
        ("Europe/Berlin", "02:15-02:45", "2026-03-29T01:50+01:00", "2026-03-30T02:15+02:00"),
        ("Europe/Berlin", "02:30-04:00", "2026-03-29T01:50+01:00", "2026-03-29T03:30+02:00"),
        ("Europe/Berlin", "03:00-04:00", "2026-03-29T01:50+01:00", "2026-03-29T03:00+02:00"),
        # Autumn in Berlin: 02:00 to 03:00 of 2026-10-25 comes twice.
        ("Europe/Berlin", "02:30-02:45", "2026-10-25T00:00+02:00", "2026-10-25T02:30+02:00"),
        ("Europe/Berlin", "02:30-02:45", "2026-10-25T02:50+02:00", "2026-10-25T02:30+01:00"),
        ("Europe/Berlin", "02:30-02:45", "2026-10-25T02:50+01:00", "2026-10-26T02:30+01:00"),
        ("America/New_York", "01:30-01:40", "2026-11-01T01:45-04:00", "2026-11-01T01:30-05:00"),
        # Lord Howe changes by half an hour only: 02:00 to 02:30 of 2026-10-04 does not exist.
        ("Australia/Lord_Howe", "02:10-02:20", "2026-10-04T01:00+10:30", "2026-10-05T02:10+11:00"),
        ("Australia/Lord_Howe", "01:40-01:50", "2026-04-05T01:55+11:00", "2026-04-05T01:40+10:30"),
        # Beirut goes from midnight to 01:00 on 2026-03-29.
        ("Asia/Beirut", "00:00-00:30", "2026-03-28T12:00+02:00", "2026-03-30T00:00+03:00"),
    ],
)
def test_where_clocks_are_changed(zone: str, said: str, at: str, opens: str) -> None:
    assert opens_at(windows(said), zone, at) == opens


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    berlin = (ZoneInfo("Europe/Berlin"),)
    hours = (windows("02:00-03:00"),)
    at = datetime(2026, 10, 25, tzinfo=UTC)
    assert [are_open(hours, berlin, at + number * HOUR) for number in range(-1, 3)] == [
        False,
        True,
        True,
        False,
    ]


def test_a_window_is_open_from_its_first_moment_and_closed_at_its_end() -> None:
    hours, shanghai = (windows("09:00-20:00"),), (ZoneInfo("Asia/Shanghai"),)
    nine, eight = datetime(2026, 11, 2, 1, tzinfo=UTC), datetime(2026, 11, 2, 12, tzinfo=UTC)
    tick = timedelta(microseconds=1)
    assert [are_open(hours, shanghai, at) for at in (nine - tick, nine, eight - tick, eight)] == [
        False,
        True,
        True,
        False,
    ]


def test_without_a_zone_nothing_is_open() -> None:
    at = datetime(2026, 11, 2, 4, tzinfo=UTC)
    assert not are_open((CHINA,), (), at)
    assert next_open((CHINA,), (), at) is None


def test_hours_that_never_meet_are_not_waited_for() -> None:
    far_apart = [ZoneInfo("Pacific/Auckland"), ZoneInfo("America/New_York")]
    hours = (windows("12:00-13:00"),)
    assert next_open(hours, far_apart, datetime(2026, 11, 2, tzinfo=UTC)) is None
    assert next_open((windows(),), [ZoneInfo("Asia/Shanghai")], datetime(2026, 11, 2, tzinfo=UTC)) is None


def test_long_holidays_are_waited_out() -> None:
    closed = CallingHours(CHINA.by_weekday, is_holiday=lambda day: date(2026, 2, 1) <= day < date(2026, 3, 5))
    opens = next_open((closed,), (ZoneInfo("Asia/Shanghai"),), datetime(2026, 2, 1, tzinfo=UTC))
    assert opens == datetime(2026, 3, 5, 1, tzinfo=UTC)
