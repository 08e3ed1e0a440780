"""Kaplan-Meier against a published example, and at its edges.

The weeks in remission of 21 children on 6-MP: E. Freireich et al., Blood 21 (1963) 699-716; estimates and
standard errors as printed in D. Kleinbaum and M. Klein, Survival analysis (3rd ed., chapter 2), bands on the
log(-log) scale as R's survfit(conf.type = "log-log") has them.
"""

import pytest

from callcenter.reporting.survival import survival_at

RELAPSED = [6, 6, 6, 7, 10, 13, 16, 22, 23]
WATCHED = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
WEEKS = [6, 7, 10, 13, 16, 22, 23]


def test_the_6_mp_example_comes_out_as_printed() -> None:
    found = survival_at(WEEKS, RELAPSED, WATCHED)
    assert found.share == pytest.approx([0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482], abs=5e-5)
    assert found.low == pytest.approx([0.620, 0.563, 0.503, 0.432, 0.368, 0.268, 0.188], abs=6e-4)
    assert found.high == pytest.approx([0.952, 0.923, 0.889, 0.849, 0.805, 0.747, 0.680], abs=6e-4)


def test_its_standard_errors_are_greenwoods() -> None:
    plain = survival_at(WEEKS, RELAPSED, WATCHED, scale="linear")
    errors = (plain.share - plain.low) / 1.959964
    assert errors == pytest.approx([0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346], abs=5e-5)


def test_before_the_first_and_after_the_last_the_band_is_the_estimate() -> None:
    found = survival_at([0, 5, 9], [6, 7], [])
    assert list(found.share) == [1, 1, 0] == list(found.low) == list(found.high)
    assert list(survival_at([1, 60], [], [3, 4]).share) == [1, 1]


def test_without_a_span_there_is_no_estimate() -> None:
    with pytest.raises(ValueError, match="at least one"):
        survival_at([1], [], [])
