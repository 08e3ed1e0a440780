"""The survey's link, groups and score."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.enums import SurveyGroup
from callcenter.voice.rules import NetPromoter, group_of, link_key, make_token, net_promoter, read_token

KEY = link_key("a secret of thirty-two characters or more")
SURVEY = UUID("3c1f0f5e-8a6b-5a7d-8c0e-2f4f0f3b9a11")


def test_a_link_says_which_survey_it_is_of_and_only_its_key_can_make_it() -> None:
    token = make_token(KEY, SURVEY)
    assert len(token) == 43 and read_token(KEY, token) == SURVEY
    assert read_token(link_key("another secret of thirty-two characters"), token) is None
    assert make_token(KEY, SURVEY) == token, "a link told again is the same link"


@given(place=st.integers(0, 42), letter=st.sampled_from("ABCXYZabcxyz019-_"))
def test_a_link_with_one_letter_changed_opens_nothing(place: int, letter: str) -> None:
    token = make_token(KEY, SURVEY)
    changed = token[:place] + letter + token[place + 1 :]
    assert changed == token or read_token(KEY, changed) is None


@given(st.text(max_size=60))
def test_anything_else_is_no_link_and_breaks_nothing(text: str) -> None:
    assert read_token(KEY, text) is None


def test_the_groups_are_those_of_the_literature() -> None:
    assert [group_of(score).value[0] for score in range(11)] == ["d"] * 7 + ["p"] * 4
    assert group_of(8) is SurveyGroup.PASSIVE and group_of(9) is SurveyGroup.PROMOTER
    assert net_promoter([10, 9, 8, 7, 6, 0]) == NetPromoter(2, 2, 2)


def test_the_interval_is_the_adjusted_wald_worked_out_by_hand() -> None:
    """Rocks (2016): add 3 answers, of them 3/4 promoters and 3/4 detractors.

    36 answers, 16 promoters and 7 detractors: n = 39, p = 16.75/39, d = 7.75/39, net 0.23077,
    variance (p + d - net^2)/39 = 0.014742, margin 1.96 * 0.12142 = 0.23797.
    """
    seen = NetPromoter(promoters=16, passives=13, detractors=7)
    assert seen.score == pytest.approx(25.0)
    assert seen.interval == pytest.approx((-0.72, 46.87), abs=0.01)


def test_a_small_sample_of_one_mind_still_has_an_interval() -> None:
    low, high = NetPromoter(promoters=5).interval or (0, 0)
    assert low < 60 and high == 100
    assert NetPromoter().score is None and NetPromoter().interval is None


@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 400))
def test_the_interval_lies_within_the_scale_and_grows_narrower(p: int, n: int, d: int) -> None:
    seen, more = NetPromoter(p, n, d), NetPromoter(4 * p, 4 * n, 4 * d)
    if not seen.answers:
        return
    low, high = seen.interval or (0, 0)
    assert -100 <= low <= high <= 100
    narrow_low, narrow_high = more.interval or (0, 0)
    assert narrow_high - narrow_low < high - low


def test_the_interval_holds_its_level_in_samples_of_twenty() -> None:
    """All samples of 20 from a trinomial (.5, .3, .2) laid out: the true score is covered in 93 % or more."""
    from math import comb

    p, n, d, size = 0.5, 0.3, 0.2, 20
    covered = 0.0
    for promoters in range(size + 1):
        for passives in range(size + 1 - promoters):
            detractors = size - promoters - passives
            low, high = NetPromoter(promoters, passives, detractors).interval or (0, 0)
            chance = comb(size, promoters) * comb(size - promoters, passives)
            chance *= p**promoters * n**passives * d**detractors
            covered += chance if low <= 100 * (p - d) <= high else 0
    assert 0.93 <= covered <= 0.99
