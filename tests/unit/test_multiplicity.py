"""Verdicts that hold together: e-BH by its definition, and few false ones among those found."""

import numpy as np
import pytest

from callcenter.learning.evidence import log_case_split_evidence
from callcenter.learning.multiplicity import hold_together


def test_it_is_the_procedure_worked_by_hand() -> None:
    # m = 5 at 10 %: the k-th largest must reach 50 / k: 50, 25, 16.7, 12.5, 10.
    evidence = {"a": 60.0, "b": 24.0, "c": 17.0, "d": 2.0, "e": 0.3}
    assert hold_together(evidence) == {"a", "b", "c"}, "c passes at its place and carries b along"
    assert hold_together({**evidence, "c": 16.0}) == {"a"}
    assert hold_together({"a": 49.0, "b": 1.0, "c": 1.0, "d": 1.0, "e": 1.0}) == frozenset()
    assert hold_together({"a": 10.0}) == {"a"}
    assert hold_together({}) == frozenset()


def test_a_level_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="level"):
        hold_together({"a": 1.0}, 1.0)


def test_among_many_rules_that_change_nothing_few_false_ones_are_found_where_alone_there_would_be_many() -> (
    None
):
    """Forty rules of which four help; looked at once after 1,500 converters each, in 300 worlds."""
    rng = np.random.default_rng(11)
    helps = np.arange(40) < 4
    shares, alone = [], []
    for _ in range(300):
        treated = rng.binomial(1_500, np.where(helps, 0.86, 0.80))
        evidence = np.exp(log_case_split_evidence(treated, 1_500 - treated, 0.2))
        held = hold_together({str(n): float(one) for n, one in enumerate(evidence)})
        false = sum(int(key) >= 4 for key in held)
        shares.append(false / len(held) if held else 0.0)
        alone.append(bool((evidence[4:] >= 10).any()))
    assert np.mean(shares) <= 0.10
    assert np.mean(alone) > 2 * np.mean([share > 0 for share in shares])
