"""Dates come on their day, once, and cool-downs last exactly as long as they say."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.moments import CATCH_UP, Chosen, CoolDown, DateMoment, read_date

NOON = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def moment(before: int = 0, *, yearly: bool = False) -> DateMoment:
    """A date that is announced so many days before."""
    return DateMoment("matures_on", timedelta(days=before), yearly, time(9, 30))


@pytest.mark.parametrize(
    ("before", "on", "today", "announced"),
    [
        (7, "2026-12-01", "2026-11-23", False), (7, "2026-12-01", "2026-11-24", True),
        (7, "2026-12-01", "2026-11-27", True), (7, "2026-12-01", "2026-11-28", False),
        (0, "2026-12-01", "2026-11-30", False), (0, "2026-12-01", "2026-12-01", True),
        (0, "2026-12-01", "2026-12-02", False), (1, "2026-12-01", "2026-12-01", True),
        (1, "2026-12-01", "2026-12-02", False), (7, "0001-01-01", "2026-11-24", False),
    ],
)  # fmt: skip
def test_a_date_is_announced_so_many_days_before_and_a_missed_day_is_caught_up_with(
    before: int, on: str, today: str, announced: bool
) -> None:
    day = date.fromisoformat(on)
    assert moment(before).announced(day, date.fromisoformat(today)) == (day if announced else None)


@pytest.mark.parametrize(
    ("on", "today", "day"),
    [
        ("2019-11-18", "2026-11-18", "2026-11-18"), ("2026-11-18", "2026-11-18", None),
        ("2030-11-18", "2026-11-18", None), ("2024-02-29", "2026-02-28", "2026-02-28"),
        ("2024-02-29", "2026-03-01", None), ("2024-02-29", "2028-02-28", None),
        ("2024-02-29", "2028-02-29", "2028-02-29"), ("2023-02-28", "2028-02-28", "2028-02-28"),
    ],
)  # fmt: skip
def test_a_yearly_date_comes_back_every_year_and_the_29th_of_february_on_the_28th(
    on: str, today: str, day: str | None
) -> None:
    found = moment(yearly=True).announced(date.fromisoformat(on), date.fromisoformat(today))
    assert found == (date.fromisoformat(day) if day else None)


def test_a_yearly_date_is_announced_across_the_turn_of_the_year() -> None:
    assert moment(7, yearly=True).announced(date(2020, 1, 2), date(2026, 12, 26)) == date(2027, 1, 2)


days = st.dates(date(1990, 1, 1), date(2040, 12, 31))


@given(on=days, today=days, before=st.integers(0, 366), yearly=st.booleans())
def test_what_is_announced_lies_ahead_and_began_lately(
    on: date, today: date, before: int, yearly: bool
) -> None:
    one = moment(before, yearly=yearly)
    day = one.announced(on, today)
    if day is not None:
        assert today <= day and timedelta(0) <= today - (day - one.before) <= CATCH_UP
        assert one.announced(on, day - one.before) == day, "also on its own day"


@given(on=days, year=st.integers(2041, 2060))
def test_every_yearly_date_is_announced_once_a_year(on: date, year: int) -> None:
    first = date(year, 1, 1)
    found = {moment(yearly=True).announced(on, first + DAY * number) for number in range(365)} - {None}
    last = moment(yearly=True).announced(on, date(year, 12, 31))
    assert len(found | ({last} if last else set())) == 1


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2026-12-01", date(2026, 12, 1)), ("2026-12-01T08:00:00+08:00", date(2026, 12, 1)),
        ("2026-13-01", None), ("soon", None), ("", None), (20261201, None), (None, None), (["x"], None),
    ],
)  # fmt: skip
def test_what_is_no_date_is_none(value: Any, day: date | None) -> None:
    assert read_date(value) == day


@pytest.mark.parametrize(
    ("cool_down", "forbids"),
    [
        (CoolDown(rule=DAY), [True, False, False]),
        (CoolDown(journey=DAY), [True, True, False]),
        (CoolDown(customer=DAY), [True, True, True]),
        (CoolDown(rule=DAY, customer=timedelta(hours=1)), [True, False, False]),
    ],
)
def test_a_cool_down_reaches_as_far_as_its_scope(cool_down: CoolDown, forbids: list[bool]) -> None:
    at = NOON - timedelta(hours=23)
    earlier = [Chosen("r", "loan", at), Chosen("other", "loan", at), Chosen("other", "deposit", at)]
    assert [cool_down.forbids("r", "loan", NOON, [one]) for one in earlier] == forbids


def test_a_cool_down_ends_when_its_span_has_passed() -> None:
    for seconds, forbids in ((0, True), (86_399, True), (86_400, False)):
        earlier = [Chosen("r", "loan", NOON - timedelta(seconds=seconds))]
        assert CoolDown(rule=DAY).forbids("r", "loan", NOON, earlier) is forbids
    assert CoolDown(rule=DAY, customer=7 * DAY).longest == 7 * DAY
