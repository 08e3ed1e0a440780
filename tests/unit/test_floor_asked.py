"""What is asked of the floor comes back out of its address; equal askers are equal."""

from urllib.parse import parse_qsl, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from callcenter.web.floor_asked import DAYS, EVERYTHING, Asked, asked_of

names = st.none() | st.text(min_size=1)
asked = st.builds(Asked, names, names, st.sampled_from(DAYS), st.booleans())


@given(asked)
def test_an_address_says_what_was_asked(one: Asked) -> None:
    assert asked_of(dict(parse_qsl(urlsplit(one.href()).query))) == one
    assert hash(one) == hash(asked_of(dict(parse_qsl(one.query().removeprefix("?")))))


@given(asked)
def test_what_is_not_there_is_not_asked_for(one: Asked) -> None:
    left = one.checked((), ())
    assert (left.team, left.campaign) == (None, None)
    assert (left.days_ago, left.by_rule) == (one.days_ago, one.by_rule)


def test_nonsense_is_the_whole_floor_of_today() -> None:
    for day in ("-1", "7", "1.5", "one", "٣", ""):
        assert asked_of({"day": day, "group": "team", "words": "somebody", "team": ""}) == EVERYTHING
    assert EVERYTHING.href() == "/floor"
