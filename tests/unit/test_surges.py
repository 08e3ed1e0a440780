"""When a step's hour is a surge: sure enough, large enough, people enough; and over only when it is over."""

from random import Random

import pytest

from callcenter.domain.surges import BEGINS_AT, Rise, StepHour, SurgeKind, rises
from callcenter.reporting.analyses.asked import Figure, Kind, label_weeks_later, sample_for, scaled, shares_of

WEEKS = [StepHour(100, 10)] * 4


def _of(kind: SurgeKind, found: list[Rise]) -> Rise:
    return next(one for one in found if one.kind is kind)


def test_a_loss_is_laid_beside_the_pooled_one() -> None:
    rise = _of(SurgeKind.LOSS, rises(StepHour(100, 30), WEEKS))
    # p = 70/500 = 0.14; z = (0.30 - 0.10) / sqrt(0.14 * 0.86 * (1/100 + 1/400)) = 0.2 / 0.038794
    assert rise.deviations == pytest.approx(5.1554, abs=1e-3)
    assert rise.usual == 0.1 and rise.times == pytest.approx(3) and rise.begins


def test_traffic_varies_like_poisson_or_as_much_as_between_the_weeks() -> None:
    steady = _of(SurgeKind.TRAFFIC, rises(StepHour(160, 16), WEEKS))
    assert steady.deviations == pytest.approx(60 / (100 * 1.25) ** 0.5) and steady.begins
    uneven = [StepHour(40, 4), StepHour(160, 16), StepHour(60, 6), StepHour(140, 14)]
    assert not _of(SurgeKind.TRAFFIC, rises(StepHour(160, 16), uneven)).begins


@pytest.mark.parametrize(
    ("now", "earlier"),
    [
        (StepHour(19, 19), WEEKS),
        (StepHour(100, 90), [StepHour(100, 1)]),
        (StepHour(100, 90), [StepHour(5, 1)] * 3),
        (StepHour(100, 90), []),
    ],
)
def test_too_few_people_or_weeks_tell_nothing(now: StepHour, earlier: list[StepHour]) -> None:
    assert rises(now, earlier) == []


def test_between_its_end_and_its_beginning_a_surge_stays_what_it_was() -> None:
    rise = Rise(SurgeKind.TRAFFIC, 130, 130, 100, 3.0)
    assert not rise.begins and rise.goes_on
    assert not Rise(SurgeKind.TRAFFIC, 110, 110, 100, BEGINS_AT + 1).begins, "a tenth more is no news"


def test_without_a_change_a_surge_begins_in_hardly_any_look() -> None:
    random, begun, looks = Random(7), 0, 3_000
    for _ in range(looks):
        hours = []
        for _ in range(5):
            entered = sum(random.random() < 0.1 for _ in range(600))
            hours.append(StepHour(entered, sum(random.random() < 0.2 for _ in range(entered))))
        begun += any(one.begins for one in rises(hours[0], hours[1:]))
    assert begun <= 6, f"{begun} of {looks}"


def test_a_sample_multiplies_counts_up_and_leaves_shares_alone() -> None:
    figures = (
        Figure("entered", Kind.COUNT),
        Figure("loss", Kind.SHARE, "lost", "entered"),
        Figure("median", Kind.SECONDS),
    )
    counted = {"entered": 10.0, "lost": 4.0, "median": 7.0, "total": 12.0}
    told = shares_of(figures, scaled(figures, counted, sample_for(1_000, 300).times))
    assert told == {"entered": 40, "lost": 16, "median": 7, "total": 48, "loss": 0.4}
    assert shares_of(figures, {"entered": 0.0, "lost": 0.0})["loss"] is None


def test_only_a_day_moves_on_with_the_weeks() -> None:
    assert label_weeks_later("2026-11-11", 1) == "2026-11-18"
    assert [label_weeks_later(one, 1) for one in ("6-10", "id_photo|x|", None)] == [
        "6-10",
        "id_photo|x|",
        None,
    ]
