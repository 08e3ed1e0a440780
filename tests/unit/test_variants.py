"""Variants against the others: as two arms where they are two, and sound where the shares moved."""

import math

import numpy as np
import pytest

from callcenter.learning.evidence import log_case_split_evidence
from callcenter.learning.moving_shares import ArmsAtP, mixed_evidence, ratio_sequence
from callcenter.learning.rules import VariantCounts, compare_variants
from callcenter.learning.script_choice import allocate, prior_from
from callcenter.learning.variants import DrawnCell, StandingVerdict, best_variant, standings, within_agents

HALVES = {"A": 0.5, "B": 0.5}
THIRDS = {"A": 1 / 3, "B": 1 / 3, "C": 1 / 3}


def halves(a: tuple[int, int], b: tuple[int, int], agent: str = "") -> list[DrawnCell]:
    return [DrawnCell("A", agent, HALVES, *a), DrawnCell("B", agent, HALVES, *b)]


def test_two_variants_are_told_as_the_case_split_tells_them_from_either_side() -> None:
    a, b = standings(halves((1000, 150), (1010, 95)), "AB", HALVES)
    split = compare_variants(VariantCounts(1000, 150), VariantCounts(1010, 95))
    assert (a.verdict, b.verdict) == (StandingVerdict.BETTER, StandingVerdict.WORSE)
    assert (a.evidence, a.difference, a.needs_more) == (split.evidence, split.difference, 0)
    assert a.difference and b.difference and b.difference.point == pytest.approx(-a.difference.point)
    assert a.converted_share == pytest.approx(0.15)


def test_few_converters_are_too_early_and_nobody_at_all_is_no_error() -> None:
    assert {one.verdict for one in standings(halves((50, 3), (50, 2)), "AB", HALVES)} == {
        StandingVerdict.TOO_EARLY
    }
    empty = standings([], "ABC", THIRDS)
    assert [one.verdict for one in empty] == [StandingVerdict.TOO_EARLY] * 3
    assert all(
        (one.n, one.converted_share, one.difference, one.needs_more) == (0, None, None, None) for one in empty
    )
    (alone,) = standings([DrawnCell("A", "", {"A": 1.0}, 90, 9)], "A", {"A": 1.0})
    assert (alone.verdict, alone.converted_share) == (StandingVerdict.ALONE, pytest.approx(0.1))


def test_of_three_the_better_and_the_worse_are_named_and_the_rest_is_not_known_with_customers_to_go() -> None:
    cells = [DrawnCell(v, "", THIRDS, 1500, c) for v, c in (("A", 190), ("B", 120), ("C", 300))]
    a, b, c = standings(cells, "ABC", THIRDS)
    assert (b.verdict, c.verdict) == (StandingVerdict.WORSE, StandingVerdict.BETTER)
    assert c.difference and c.difference.low > 0 and b.difference and b.difference.high < 0
    assert a.verdict is StandingVerdict.NOT_KNOWN and a.needs_more
    assert c.difference.point == pytest.approx(300 / 1500 - 310 / 3000)


def test_an_odd_split_bars_every_comparison() -> None:
    cells = [DrawnCell(v, "", THIRDS, n, n // 10) for v, n in (("A", 1000), ("B", 1000), ("C", 600))]
    assert {one.verdict for one in standings(cells, "ABC", THIRDS)} == {StandingVerdict.SAMPLE_RATIO_FAILS}
    assert all(one.difference is None for one in standings(cells, "ABC", THIRDS))


def test_a_variant_that_had_no_share_cannot_have_been_drawn() -> None:
    with pytest.raises(ValueError, match="no share"):
        standings([DrawnCell("A", "", {"B": 1.0}, 1, 0)], "AB", HALVES)


def test_with_equal_probabilities_the_evidence_is_that_of_the_case_split_with_another_prior() -> None:
    for ours, theirs in ((60, 40), (30, 70), (400, 300)):
        mixed = mixed_evidence([ArmsAtP(0.5, 1000, ours, 1000, theirs)])
        beta = float(log_case_split_evidence(ours, theirs, 0.5))
        assert math.log(mixed) == pytest.approx(beta, abs=0.35)


@pytest.mark.parametrize("ours,theirs", [(60, 40), (90, 400), (3, 0), (0, 3), (300, 310)])
def test_one_is_left_out_exactly_when_the_evidence_decides(ours: int, theirs: int) -> None:
    split = [
        ArmsAtP(0.3, 900, ours // 3, 2000, theirs // 3),
        ArmsAtP(0.6, 900, ours - ours // 3, 500, theirs - theirs // 3),
    ]
    for alpha in (0.05, 0.05 / 3):
        found = ratio_sequence(split, alpha)
        assert found.low <= found.point <= found.high
        assert (not found.low <= 1 <= found.high) == (mixed_evidence(split) >= 1 / alpha)


def test_a_converter_is_weighed_by_the_probability_of_the_draw() -> None:
    """Shares moved to C on good days: the plain share of C flatters it, the weighted one does not."""
    quiet, good = {"A": 0.45, "B": 0.45, "C": 0.1}, {"A": 0.1, "B": 0.1, "C": 0.8}
    cells = [
        DrawnCell(v, "", shares, round(1000 * shares[v]), round(1000 * shares[v] * rate))
        for shares, rate in ((quiet, 0.1), (good, 0.3))
        for v in "ABC"
    ]
    told = standings(cells, "ABC", good)
    assert [one.converted_share for one in told] == pytest.approx([0.2] * 3, abs=0.003)
    assert all(one.risk_ratio and one.risk_ratio.point == pytest.approx(1, abs=0.02) for one in told)
    assert all(one.within_agents and abs(one.within_agents.point) < 0.005 for one in told)
    assert told[2].converted / told[2].n > 0.27


def test_agents_are_compared_with_themselves_as_in_the_published_table() -> None:
    """Deaths in the University Group Diabetes Program, ages as agents: Rothman, Greenland and Lash, Modern
    Epidemiology, give the Mantel-Haenszel difference 0.035."""
    under, over = {"n1": 106, "x1": 8, "n0": 120, "x0": 5}, {"n1": 98, "x1": 22, "n0": 85, "x0": 16}
    cells = [
        cell
        for agent, one in (("under 55", under), ("55 and over", over))
        for cell in halves((one["n1"], one["x1"]), (one["n0"], one["x0"]), agent)
    ]
    found = within_agents(cells, "A")
    assert found and round(found.point, 3) == 0.035


def _watched(truth: tuple[float, float, float], seed: int, looks: int = 20, customers: int = 90) -> set[str]:
    """Play adaptive shares, moved and looked at after each 90 customers; return every verdict that ever fell."""
    rng = np.random.default_rng(seed)
    cells: list[DrawnCell] = []
    said: set[str] = set()
    n, converted = np.zeros(3, int), np.zeros(3, int)
    for _ in range(looks):
        counts = {v: VariantCounts(int(n[k]), int(converted[k])) for k, v in enumerate("ABC")}
        shares = allocate(counts, prior_from([], list(counts.values()))).shares
        drawn = rng.multinomial(customers, [shares[v] for v in "ABC"])
        won = rng.binomial(drawn, truth)
        n, converted = n + drawn, converted + won
        cells += [DrawnCell(v, "", shares, int(drawn[k]), int(won[k])) for k, v in enumerate("ABC")]
        told = standings(cells, "ABC", shares)
        said |= {f"{one.variant} {one.verdict}" for one in told if one.evidence and one.evidence >= 60}
    return said


def test_looked_at_again_and_again_alike_variants_are_rarely_told_apart_although_the_shares_chase_chance() -> (
    None
):
    wrong = sum(bool(_watched((0.12, 0.12, 0.12), seed)) for seed in range(14))
    assert wrong <= 2  # at most 5 % each: more than 2 of 14 would have probability 0.03


def test_a_better_variant_is_found_while_the_shares_move_to_it() -> None:
    found = [_watched((0.10, 0.12, 0.30), seed) for seed in range(6)]
    assert sum("C better" in said for said in found) >= 5
    assert not any("C worse" in said for said in found)


def _bests(truth: tuple[float, float, float], seed: int, looks: int = 20, customers: int = 150) -> list[str]:
    """The same play; return every variant that was ever named best, in the order in which it was."""
    rng = np.random.default_rng(seed)
    cells: list[DrawnCell] = []
    named: list[str] = []
    n, converted = np.zeros(3, int), np.zeros(3, int)
    for _ in range(looks):
        counts = {v: VariantCounts(int(n[k]), int(converted[k])) for k, v in enumerate("ABC")}
        shares = allocate(counts, prior_from([], list(counts.values()))).shares
        drawn = rng.multinomial(customers, [shares[v] for v in "ABC"])
        won = rng.binomial(drawn, truth)
        n, converted = n + drawn, converted + won
        cells += [DrawnCell(v, "", shares, int(drawn[k]), int(won[k])) for k, v in enumerate("ABC")]
        best = best_variant(cells, "ABC")
        named += [best.variant] if best else []
    return named


def test_the_best_is_named_once_it_beats_each_of_the_others_and_stays() -> None:
    for seed in range(6):
        named = _bests((0.12, 0.14, 0.36), seed)
        assert named and set(named) == {"C"}


def test_two_that_are_equally_good_and_better_than_a_third_are_seldom_told_apart() -> None:
    """Each of the two beats "the others" taken together, and neither is best."""
    assert sum(bool(_bests((0.05, 0.30, 0.30), seed)) for seed in range(25)) <= 3  # at most 5 % each


def test_the_best_is_told_against_the_closest_of_the_others() -> None:
    cells = [DrawnCell(v, "", THIRDS, 3_000, won) for v, won in (("A", 300), ("B", 450), ("C", 700))]
    best = best_variant(cells, "ABC")
    assert best and (best.variant, best.against) == ("C", "B")
    assert (best.converted.count, best.converted_of_other.count, best.converted.of) == (700, 450, 3_000)
    assert best.difference.low > 0 and best.difference.point == pytest.approx(250 / 3_000, abs=1e-6)
    assert best.evidence == pytest.approx(mixed_evidence([ArmsAtP(0.5, 3_000, 700, 3_000, 450)]))


def test_none_is_named_where_nothing_was_drawn_or_the_split_is_not_as_drawn() -> None:
    said_by_the_rule = {
        "A": 1.0,
        "B": 1.0,
        "C": 1.0,
    }  # as it is logged: with probability 1, whatever was said
    fixed = [
        DrawnCell(v, "", said_by_the_rule, 3_000, won) for v, won in (("A", 300), ("B", 450), ("C", 900))
    ]
    assert best_variant(fixed, "ABC") is None
    few = [DrawnCell(v, "", THIRDS, 3_000 if v != "A" else 1_000, 300 * k) for k, v in enumerate("ABC", 1)]
    assert best_variant(few, "ABC") is None, "of thirds nobody draws a seventh"
    assert best_variant([], "ABC") is None and best_variant(fixed[:1], "A") is None
    with pytest.raises(ValueError, match="no share"):
        best_variant([DrawnCell("A", "", {"B": 1.0}, 10, 1)], "AB")
