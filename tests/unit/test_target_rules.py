"""How far somebody is, what it is worth, and in which days."""

from datetime import date

import pytest

from callcenter.domain.quality import Measure, TargetPeriod, TargetScope
from callcenter.targets.rules import (
    POINTS_AT_FIRST,
    Figures,
    TargetSet,
    days_of,
    median_of,
    points_of,
    problem_of,
    progress_of,
    targets_for,
    together,
)

BUSY = Figures(
    attempts=50, right_party=20, verified=4, scores=170, reviews=2, kept_callbacks=3, due_callbacks=4
)


def test_points_are_counts_times_their_worth_and_quality_counts_by_its_average() -> None:
    assert points_of(BUSY, POINTS_AT_FIRST) == 172  # 20 x 2 + 4 x 20 + 50 x 0.85 + 3 x 3 = 171.5
    twice = Figures(scores=340, reviews=4)
    assert points_of(twice, POINTS_AT_FIRST) == points_of(Figures(scores=170, reviews=2), POINTS_AT_FIRST)
    assert points_of(Figures(), POINTS_AT_FIRST) == 0


def test_dialing_alone_is_worth_nothing() -> None:
    assert points_of(Figures(attempts=500), POINTS_AT_FIRST) == 0


def test_progress_says_the_figure_the_target_and_of_how_many() -> None:
    rows = {one.measure: one for one in progress_of(BUSY, {Measure.VERIFIED: 8, Measure.QUALITY: 85})}
    verified, quality, attempts = rows[Measure.VERIFIED], rows[Measure.QUALITY], rows[Measure.ATTEMPTS]
    assert (verified.value, verified.target, verified.base, verified.share) == (4.0, 8, 20, 0.5)
    assert quality.is_reached and quality.base == 2 and not verified.is_reached
    assert attempts.share is None and attempts.target is None
    nothing = progress_of(Figures(), {Measure.QUALITY: 85})
    assert next(one for one in nothing if one.measure is Measure.QUALITY).share is None


def test_an_agents_own_target_goes_before_each_members_and_a_teams_is_the_teams() -> None:
    rows = [
        TargetSet(TargetScope.TEAM, "A", Measure.VERIFIED, 40),
        TargetSet(TargetScope.MEMBER, "A", Measure.VERIFIED, 4),
        TargetSet(TargetScope.MEMBER, "A", Measure.ATTEMPTS, 60),
        TargetSet(TargetScope.MEMBER, "B", Measure.ATTEMPTS, 99),
        TargetSet(TargetScope.AGENT, "lin", Measure.VERIFIED, 6),
    ]
    assert targets_for(rows, team="A", agent="lin") == {Measure.VERIFIED: 6, Measure.ATTEMPTS: 60}
    assert targets_for(rows, team="A", agent="tang") == {Measure.VERIFIED: 4, Measure.ATTEMPTS: 60}
    assert targets_for(rows, team="A", agent=None) == {Measure.VERIFIED: 40}


@pytest.mark.parametrize(
    ("period", "day", "first", "last"),
    [
        (TargetPeriod.DAY, date(2026, 11, 18), date(2026, 11, 18), date(2026, 11, 18)),
        (TargetPeriod.WEEK, date(2026, 11, 18), date(2026, 11, 16), date(2026, 11, 22)),
        (TargetPeriod.WEEK, date(2026, 11, 22), date(2026, 11, 16), date(2026, 11, 22)),
        (TargetPeriod.MONTH, date(2026, 2, 28), date(2026, 2, 1), date(2026, 2, 28)),
        (TargetPeriod.MONTH, date(2026, 12, 5), date(2026, 12, 1), date(2026, 12, 31)),
    ],
)
def test_days_weeks_and_months(period: TargetPeriod, day: date, first: date, last: date) -> None:
    assert days_of(period, day) == (first, last)


def test_the_median_is_of_those_who_worked() -> None:
    rows = [Figures(attempts=10, verified=2), Figures(attempts=4, verified=6), Figures()]
    assert median_of(rows, Measure.VERIFIED) == 4.0
    assert median_of(rows, Measure.QUALITY) is None
    assert together(rows) == Figures(attempts=14, verified=8)


def test_a_target_out_of_bounds_says_so() -> None:
    assert problem_of(Measure.QUALITY, 101) and problem_of(Measure.ATTEMPTS, 0)
    assert problem_of(Measure.QUALITY, 100) is None and problem_of(Measure.ATTEMPTS, 100_000) is None
