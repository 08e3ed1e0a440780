"""Draws are sticky, as frequent as they say, and independent of each other."""

from datetime import timedelta
from math import sqrt

import pytest

from callcenter.domain.draws import Band, in_canary, read_band, unit_of, visit_identity
from callcenter.errors import BadInput

FIVE = timedelta(minutes=5)
VISITS = [visit_identity(f"customer-{n}", "loan", "a|1", 1) for n in range(20_000)]


def band(share: float = 0.4, *waits: str) -> Band:
    found = read_band({"share": share, "waits": list(waits) or ["150s", "4m", "6m", "450s"]}, FIVE)
    assert found is not None
    return found


def test_each_wait_is_drawn_as_often_as_its_logged_probability_says() -> None:
    one = band()
    drawn = [one.draw("id-photo-quiet", visit) for visit in VISITS]
    assert sum(wait.probability for wait in one.waits) == pytest.approx(1)
    for wait in one.waits:
        seen = sum(found == wait for found in drawn) / len(drawn)
        assert abs(seen - wait.probability) < 4 * sqrt(wait.probability * (1 - wait.probability) / len(drawn))
    assert one.shortest == timedelta(seconds=150)


def test_a_visit_keeps_its_wait_and_another_rule_draws_apart() -> None:
    one = band(0.5, "3m")
    first, again = ([one.draw("a", visit).wait for visit in VISITS] for _ in range(2))
    assert first == again
    other = [one.draw("b", visit).wait for visit in VISITS]
    both = sum(x == y == FIVE for x, y in zip(first, other, strict=True)) / len(VISITS)
    assert both == pytest.approx(0.25, abs=0.02)


def test_a_canary_has_its_share_of_customers_who_stay_and_the_next_draws_anew() -> None:
    people = [f"customer-{n}" for n in range(20_000)]
    first = {one for one in people if in_canary("rule", 4, one, 0.2)}
    assert len(first) / len(people) == pytest.approx(0.2, abs=0.012)
    assert first == {one for one in people if in_canary("rule", 4, one, 0.2)}
    assert first < {one for one in people if in_canary("rule", 4, one, 0.3)}
    again = {one for one in people if in_canary("rule", 5, one, 0.2)}
    assert len(first & again) / len(first) == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"share": 0.4}, "give share and waits"),
        ({"share": 0.0, "waits": ["4m"]}, "band.share"),
        ({"share": 0.9, "waits": ["4m"]}, "band.share"),
        ({"share": True, "waits": ["4m"]}, "band.share"),
        ({"share": 0.4, "waits": []}, "from 1 to"),
        ({"share": 0.4, "waits": ["5m"]}, "without the set one"),
        ({"share": 0.4, "waits": ["2m"]}, "from half"),
        ({"share": 0.4, "waits": ["8m"]}, "from half"),
        ({"share": 0.1, "waits": ["3m", "4m", "6m"]}, "5% of the visits"),
        ({"share": 0.4, "waits": ["soon"]}, "not a duration"),
        (["4m"], "give share and waits"),
    ],
)
def test_a_band_that_cannot_be_judged_is_refused_with_what_would_be_right(raw: object, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        read_band(raw, FIVE)


def test_a_rule_that_waits_for_nothing_has_no_band() -> None:
    assert read_band(None, timedelta(0)) is None
    with pytest.raises(BadInput, match="after first"):
        read_band({"share": 0.4, "waits": ["4m"]}, timedelta(0))


def test_names_that_could_be_mistaken_for_others_are_refused() -> None:
    with pytest.raises(ValueError, match="last part"):
        unit_of("a|b", "c")
