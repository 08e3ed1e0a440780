"""Whether agents can carry a rule's calls, hour by hour, worked out by hand."""

import pytest

from callcenter.domain.load import HOURS, MOST_BUSY, HourLoad, hour_loads, spans_of


def _day(**hours: float) -> list[float]:
    day = [0.0] * HOURS
    for name, value in hours.items():
        day[int(name[1:])] = value
    return day


def _at(hour: int, **told: list[float]) -> HourLoad:
    every = {name: told.get(name, _day()) for name in ("calls", "live", "on_duty", "busy")}
    return hour_loads(every["calls"], every["live"], 6, every["on_duty"], every["busy"])[hour]


def test_fourteen_calls_of_six_minutes_take_so_much_of_three_agents_time() -> None:
    one = _at(10, calls=_day(h10=14), on_duty=_day(h10=3.2), busy=_day(h10=1))
    assert one.share == pytest.approx(14 * 6 / 60 / 3.2) and one.added == pytest.approx(1.4)
    assert one.short == 0, "2.4 agents at work of 3.2 are under 85 %"


def test_what_the_live_version_does_is_done_already() -> None:
    one = _at(9, calls=_day(h9=10), live=_day(h9=8), on_duty=_day(h9=2), busy=_day(h9=1.4))
    assert one.more == pytest.approx(2) and one.added == pytest.approx(0.2) and one.short == 0
    assert one.share == pytest.approx(0.5), "of all the rule's calls"


@pytest.mark.parametrize(("busy", "short"), [(2.0, 0), (2.4, 1), (5.0, 4)])
def test_agents_are_missing_where_they_would_be_busier_than_they_may_be(busy: float, short: int) -> None:
    one = _at(19, calls=_day(h19=5), on_duty=_day(h19=3), busy=_day(h19=busy))
    assert one.short == short and (short == 0) == ((busy + 0.5) / MOST_BUSY <= 3)


def test_a_rule_that_calls_less_than_now_is_carried_wherever_the_live_one_is() -> None:
    one = _at(20, calls=_day(h20=2), live=_day(h20=9), on_duty=_day(h20=1), busy=_day(h20=1))
    assert one.added < 0 and one.short == 0


def test_calls_at_an_hour_without_agents_are_missing_all_of_them() -> None:
    one = _at(3, calls=_day(h3=1))
    assert one.share is None and one.short == 1


def test_hours_are_told_as_spans() -> None:
    assert spans_of([9, 19, 20, 21]) == [(9, 10), (19, 22)] and spans_of([]) == []
