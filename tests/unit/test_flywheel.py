"""Honesty against worlds whose truth is known; the benchmark `flywheel` plays the same at full length."""

from numpy.random import default_rng

from benchmarks._bank_world import Setting, draw_bank, play_day
from benchmarks._closed_loop import EVEN, play
from benchmarks._honesty import biased_by_answering, share_out, watch


def test_where_calling_changes_nothing_it_is_seldom_said_to_help_though_every_outcome_is_looked_at() -> None:
    seen = watch(0.10, 0.10, worlds=400, seed=21)
    assert seen.helps <= 0.05 and seen.decided <= 0.06
    assert seen.z_test > 5 * seen.decided, "what a daily z-test does in the same worlds"


def test_a_real_effect_is_found_and_soon() -> None:
    seen = watch(0.10, 0.16, worlds=300, seed=22)
    assert seen.helps >= 0.95 and seen.median_day is not None and seen.median_day <= 60


def test_who_answers_converts_more_anyway_and_the_page_is_not_fooled() -> None:
    seen = biased_by_answering(60, seed=23)
    assert seen.covered >= 0.95
    assert seen.gap > 5 * seen.truth and seen.gap_covered == 0.0


def test_three_scripts_bring_more_than_an_even_split_and_the_best_is_found() -> None:
    seen = share_out(8, seed=24)
    assert seen.gain > 0.12 and seen.best_found >= 7 / 8


def test_a_loop_that_is_closed_brings_more_and_who_knows_the_truth_yet_more() -> None:
    """Sixteen days: too few to move waits, enough to see which scripts and which rules' calls bring more."""
    seen = play(1_004, days=16, steady_days=2)
    assert seen.kept == 0
    assert seen.started < seen.learned < seen.oracle


def test_the_made_up_bank_is_as_it_says() -> None:
    """The yield that the truth promises where nobody waits is what the days give when agents are plenty."""
    truths = draw_bank(31, load=0.15)
    settings = [Setting(((one.first_wait, 1.0),), 0.2, EVEN) for one in truths]
    rng = default_rng(1)
    days = [play_day(truths, settings, rng) for _ in range(30)]
    for place, truth in enumerate(truths):
        gained = sum(day[place].gained for day in days)
        spent = sum(float(day[place].minutes.sum()) for day in days)
        assert abs(gained / spent / truth.yield_at(truth.first_wait) - 1) < 0.15
