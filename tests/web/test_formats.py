"""Times, shares and figures read the same everywhere."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

import pytest
from flask import render_template_string

from callcenter.domain.enums import (
    BarReason,
    CallResult,
    CancelReason,
    Cause,
    NotReadyReason,
    Presence,
    RuleState,
    WorkState,
)
from callcenter.web import formats
from callcenter.web.bars import bar_help, bar_label
from callcenter.web.counts import ngettext
from callcenter.web.labels import LABELS
from callcenter.web.pages import charts
from callcenter.web.pages.frame import Money
from callcenter.web.pages.studio import CurvePoint, FunnelStep
from tests.web.preview import create_preview

NOW = datetime(2026, 11, 19, 6, 22, 5, tzinfo=UTC)
URUMQI = ZoneInfo("Asia/Urumqi")


@pytest.fixture(autouse=True)
def viewer() -> Iterator[None]:
    """An English viewer in UTC+8."""
    with create_preview().test_request_context("/?lang=en"):
        yield


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (42, "0:42"), (-3, "0:00"), (754.9, "12:34"), (3661, "1:01:01"), (None, "–")],
)
def test_a_clock_reads_minutes_and_seconds(seconds: float | None, text: str) -> None:
    assert formats.clock(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(19, "19 s"), (72, "1 min 12 s"), (4800, "1 h 20 min"), (100800, "1 d 4 h")]
)
def test_a_span_is_told_in_its_two_largest_units(seconds: int, text: str) -> None:
    assert formats.span(seconds) == text


def test_a_counted_sentence_separates_thousands() -> None:
    said = '{{ ngettext("%(num)s customer", "%(num)s customers", many) }}'
    assert render_template_string(said, many=1204) == "1,204 customers"
    assert render_template_string(said, many=1) == "1 customer"
    assert ngettext("%(num)s customer", "%(num)s customers", 12_480) == "12,480 customers"


def test_times_are_shown_in_the_viewers_zone() -> None:
    assert formats.time_of_day(NOW) == "14:22"
    assert formats.time_with_seconds(NOW) == "14:22:05"
    assert formats.time_of_day(NOW, URUMQI) == "12:22"


def test_a_day_is_named_when_it_is_not_today() -> None:
    assert formats.when(NOW + timedelta(hours=1), NOW) == "15:22"
    assert formats.when(NOW + timedelta(hours=12), NOW) == "Tomorrow 02:22"
    assert formats.when(NOW + timedelta(days=3), NOW) == "22 Nov 14:22"


def test_a_barred_customer_is_told_in_their_own_hours() -> None:
    tomorrow_nine = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
    assert formats.not_before(tomorrow_nine, NOW, URUMQI, "Urumqi") == "Not before 09:00 tomorrow in Urumqi."
    later = tomorrow_nine + timedelta(days=4)
    assert formats.not_before(later, NOW, URUMQI, "Urumqi") == "Not before 09:00 on 24 Nov in Urumqi."


def test_shares_and_their_base() -> None:
    assert formats.percent(201 / 486) == "41.4\u00a0%"
    assert formats.percent(None) == "–"
    assert formats.of_base(1201, 2486) == "1,201 of 2,486"
    assert formats.of_base(None, 3) == ""


def test_a_difference_shows_its_sign_unless_it_rounds_to_zero() -> None:
    assert [formats.signed(x) for x in (4.66, -0.3, 0.04, -0.04)] == ["+4.7", "−0.3", "0.0", "0.0"]


def test_money_is_short() -> None:
    assert formats.money(Money(Decimal(30000), "CNY")) == "¥30,000"
    assert formats.money(Money(Decimal("52.4"), "EUR")) == "€52"
    assert formats.money(None) == "–"


def test_an_unknown_code_is_shown_readable() -> None:
    assert formats.label("outside_calling_hours") == "Calling hours"
    assert formats.label("not_in_the_list") == "Not in the list"
    assert formats.label(None) == ""


def test_zones_off_the_hour_keep_their_minutes() -> None:
    assert formats.utc_offset(ZoneInfo("Asia/Kolkata"), NOW) == "UTC+5:30"
    assert formats.utc_offset(ZoneInfo("America/New_York"), NOW) == "UTC−5"


@pytest.mark.parametrize(
    "family", [Presence, NotReadyReason, WorkState, CancelReason, CallResult, RuleState, Cause]
)
def test_every_fixed_code_has_words(family: type[StrEnum]) -> None:
    assert {member.value for member in family} <= LABELS.keys()


@pytest.mark.parametrize("reason", BarReason)
def test_every_bar_has_words_and_says_what_it_means(reason: BarReason) -> None:
    assert bar_label(reason) and bar_help(reason)


def test_an_interval_past_the_axis_is_clipped_not_moved() -> None:
    place = charts.interval(0, -20, 5, 10, 200)
    assert (place.x, place.left, place.right) == (100.0, 0.0, 150.0)
    assert place.clipped_left and not place.clipped_right


def test_the_map_keeps_volumes_in_proportion() -> None:
    steps = [FunnelStep("a", "A", 100, 25, "#"), FunnelStep("b", "B", 75, None, "#")]
    first, goal = charts.journey_map(steps, 200, 100)
    assert (first.passed, first.lost, goal.passed, goal.is_goal) == (75.0, 25.0, 75.0, True)
    assert charts.journey_map([], 200, 100) == ()


def test_a_trend_needs_two_points() -> None:
    assert charts.sparkline((3,), None, 80, 20) is None
    flat = charts.sparkline((3, 3), 3, 80, 20)
    assert flat and flat.end_y == flat.threshold_y


def test_a_curve_is_read_between_its_points() -> None:
    points = (CurvePoint(0, 0.0), CurvePoint(10, 0.5))
    assert charts.share_at(points, 5) == pytest.approx(0.25)
    assert charts.share_at(points, 20) is None


@pytest.mark.parametrize(
    ("value", "digits", "words"),
    [
        (None, 0, formats.NO_FIGURE),
        (0.34, 0, "0"),
        (19.96, 1, "20.0"),
        (1234.4, 0, "1,234"),
        (3e28, 0, "over 1,000,000"),
        (sys.float_info.max, 1, "over 1,000,000"),
        (float("inf"), 0, "over 1,000,000"),
    ],
)
def test_evidence_beyond_counting_says_so(value: float | None, digits: int, words: str) -> None:
    assert formats.evidence(value, digits) == words
