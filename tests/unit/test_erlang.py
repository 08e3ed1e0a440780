"""The formulas of Erlang and Palm give the figures others have published."""

import csv
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from callcenter.domain.erlang import Staffing, agents_needed, erlang_b, staffing_a, staffing_c

SECOND = timedelta(seconds=1)
ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("CALLCENTER_SHARED_DATA", ROOT.parent / "shared" / "data"))
PUBLISHED = SHARED / "erlang" / "published.csv"
KEPT = """\
source,model,arrivals_per_hour,aht_seconds,agents,target_seconds,patience_seconds,expect_p_wait,expect_service_level,expect_occupancy,expect_asa_seconds,expect_abandon
pyworkforce 0.5.1 tests,erlang_c,200,180,14,20,,0.174,0.888,0.714,,
pyworkforce 0.5.1 tests,erlang_c,200,180,15,20,,0.102,0.941,0.667,,
erlangccmath 1.3.0 tests,erlang_c,240,180,14,20,,,0.6142,0.8571,43.3,
erlangccmath 1.3.0 tests,erlang_a,240,180,14,20,60,,0.8797,0.7934,,0.0743
call_center_tools 1.0.0 README,erlang_c,1000,120,40,20,,0.1907,0.9372,,3.43,
call_center_tools 1.0.0 README,erlang_c,1000,120,35,20,,0.6965,0.4724,,50.15,
"""
"""Worked examples of three open-source packages, by their tests and their documentation."""


def rows() -> Iterator[dict[str, str]]:
    """The examples kept here, and those of the file where it is at hand."""
    yield from csv.DictReader(KEPT.splitlines())
    if PUBLISHED.exists():
        yield from csv.DictReader(PUBLISHED.read_text(encoding="utf-8").splitlines())


def reckoned(row: dict[str, str]) -> Staffing:
    """What our formulas give for an example."""
    calls, agents = float(row["arrivals_per_hour"]), int(row["agents"])
    handle_time, target = float(row["aht_seconds"]) * SECOND, float(row["target_seconds"]) * SECOND
    if row["model"] == "erlang_a":
        return staffing_a(calls, handle_time, agents, target, float(row["patience_seconds"]) * SECOND)
    return staffing_c(calls, handle_time, agents, target)


@pytest.mark.parametrize("row", list(rows()))
def test_the_formulas_give_the_published_figures(row: dict[str, str]) -> None:
    found = reckoned(row)
    figures = {
        "expect_p_wait": found.wait_share,
        "expect_service_level": found.service_level,
        "expect_occupancy": found.occupancy,
        "expect_asa_seconds": found.mean_wait / SECOND,
        "expect_abandon": found.abandoned,
    }
    for name, figure in figures.items():
        if row[name]:
            digits = len(row[name].partition(".")[2])
            # Some of them cut off where others round.
            assert figure == pytest.approx(float(row[name]), abs=1.0 / 10**digits), name


def test_erlang_b_is_the_sum_it_stands_for() -> None:
    load, agents = 10.0, 12
    terms = [1.0]
    for number in range(1, agents + 1):
        terms.append(terms[-1] * load / number)
    assert erlang_b(load, agents) == pytest.approx(terms[-1] / sum(terms))


def test_with_endless_patience_erlang_a_is_erlang_c() -> None:
    c = staffing_c(240, 180 * SECOND, 14, 20 * SECOND)
    a = staffing_a(240, 180 * SECOND, 14, 20 * SECOND, timedelta(days=30))
    assert a.service_level == pytest.approx(c.service_level, abs=1e-3)
    assert a.occupancy == pytest.approx(c.occupancy, abs=1e-3)


def test_the_agents_needed_are_the_least_that_reach_the_target() -> None:
    for patience in (None, 60 * SECOND):
        found = agents_needed(240, 180 * SECOND, 20 * SECOND, 0.8, patience)
        fewer = (
            staffing_c(240, 180 * SECOND, found.agents - 1, 20 * SECOND)
            if patience is None
            else staffing_a(240, 180 * SECOND, found.agents - 1, 20 * SECOND, patience)
        )
        assert found.service_level >= 0.8 > fewer.service_level
    assert agents_needed(240, 180 * SECOND, 20 * SECOND, 0.8).agents == 16


def test_no_calls_need_nobody_and_a_load_no_number_clears_is_said_so() -> None:
    assert agents_needed(0, 180 * SECOND, 20 * SECOND, 0.8).agents == 0
    assert staffing_c(240, 180 * SECOND, 12, 20 * SECOND).service_level == 0
    with pytest.raises(ValueError, match="between 0 and 1"):
        agents_needed(240, 180 * SECOND, 20 * SECOND, 1.0)
    with pytest.raises(ValueError, match="agents would be needed"):
        agents_needed(10_000_000, 180 * SECOND, 20 * SECOND, 0.8)
