"""Calls placed ahead of an agent: no more than those can take who suit them, group by group, by the pacing rule."""

from dataclasses import replace

import pytest

from callcenter.dialing.forecast import BusyAgent
from callcenter.dialing.groups import InFlight, Kind, Places, Seat, places_of
from callcenter.dialing.rules import PacingFacts, PacingLimit, pace, sentence_of, starts_left
from callcenter.domain.enums import DialingMode, Requirement
from callcenter.domain.needs import Able, Need
from tests.unit.test_pacing_rules import POLICY, floor

ZH, EN = Kind(Need("zh")), Kind(Need("en"))


def seat(*languages: str, ready: bool = True, busy: BusyAgent | None = None, **more: object) -> Seat:
    """An agent of team A."""
    skills = more.get("skills", {})
    assert isinstance(skills, dict)
    return Seat(Able(frozenset(languages), skills, str(more.get("team", "A"))), ready, busy)


def places(
    seats: list[Seat], kinds: list[Kind], flight: tuple[InFlight, ...] = (), facts: PacingFacts | None = None
) -> Places:
    """What such a floor can take; the floor's facts follow from its seats."""
    known = facts or floor(agents=len(seats), ready=sum(one.is_ready for one in seats), busy=())
    return places_of(known, seats, flight, kinds, POLICY)


def test_a_group_of_few_has_one_line_for_each_of_its_agents_who_is_ready() -> None:
    seats = [seat("zh"), seat("zh"), *(seat("en") for _ in range(18))]
    assert places(seats, [ZH, EN]).how_many([ZH] * 9) == 2
    seats[0] = replace(seats[0], is_ready=False, busy=BusyAgent(talking_seconds=60))
    assert places(seats, [ZH, EN]).how_many([ZH] * 9) == 1, "who talks is not ready"
    assert places(seats[2:], [ZH, EN]).how_many([ZH] * 9) == 0, "nobody suits"


def test_calls_in_flight_are_taken_off_and_so_are_customers_who_answered() -> None:
    seats = [seat("zh"), seat("zh"), seat("zh"), *(seat("en") for _ in range(17))]
    flight = (InFlight(ZH, 4.0), InFlight(EN, 4.0), InFlight(ZH, None))
    assert places(seats, [ZH, EN], flight).how_many([ZH] * 9) == 1


def test_a_large_group_is_dialed_ahead_of_as_a_floor_of_its_own() -> None:
    seats = [*(seat("zh") for _ in range(20)), *(seat("en") for _ in range(20))]
    alone = pace(floor(agents=20, ready=20, busy=()), POLICY).dial
    assert places(seats, [ZH, EN]).how_many([ZH] * 50) == alone > 20


def test_where_everybody_suits_the_group_sets_no_bound() -> None:
    seats = [seat("zh", "en") for _ in range(20)]
    assert places(seats, [ZH, EN]).how_many([ZH, EN] * 40) == 80


def test_a_call_counts_in_every_group_that_holds_its_agents() -> None:
    loans = Kind(Need("zh", "loans", 3))
    seats = [
        seat("zh", skills={"loans": 4}),
        seat("zh"),
        seat("zh", team="B"),
        *(seat("en") for _ in range(17)),
    ]
    found = places(seats, [loans, ZH])
    assert found.how_many([loans, loans]) == 1
    assert found.how_many([loans, ZH, ZH, ZH]) == 3, "one with the skill and two without"
    assert found.how_many([ZH, ZH, ZH, loans]) == 3
    assert [found.take(ZH), found.take(ZH), found.take(ZH), found.take(loans)] == [True, True, True, False]
    found.give_back(ZH)
    assert found.take(loans), "the skilled agent was never taken by name, only counted"


def test_what_was_given_up_by_then_does_not_narrow_the_group() -> None:
    relaxed = Kind(Need("zh", "loans", 3, "B"), frozenset({Requirement.TEAM, Requirement.LEVEL}))
    seats = [seat("zh", skills={"loans": 1}), *(seat("zh") for _ in range(19))]
    assert places(seats, [relaxed]).how_many([relaxed] * 3) == 1
    assert places(seats, [Kind(relaxed.need)]).how_many([Kind(relaxed.need)]) == 0


@pytest.mark.parametrize("mode", [DialingMode.POWER, DialingMode.PREDICTIVE])
def test_the_decision_says_that_no_more_agents_suit(mode: DialingMode) -> None:
    held = pace(floor(mode=mode, suited=3), POLICY)
    assert (held.dial, held.limit) == (3, PacingLimit.SUITED)
    assert "as no more agents suit the customers who wait" in sentence_of(held)
    few = pace(floor(mode=mode, suited=0, agents=14), POLICY)
    assert (few.dial, few.limit) == (6, None), (
        "with an agent waiting for each, agents and calls are matched anyway"
    )


@pytest.mark.parametrize(
    ("rate", "unplaced", "left"),
    [(5.0, 0, 5), (5.0, 4, 1), (5.0, 9, 0), (0.5, 0, 1), (0.5, 1, 0), (2.9, 0, 2)],
)
def test_no_more_calls_are_claimed_than_may_begin_before_the_next_look(
    rate: float, unplaced: int, left: int
) -> None:
    assert starts_left(rate, 1.0, unplaced) == left
    held = pace(floor(mode=DialingMode.PROGRESSIVE, starts_left=left), POLICY)
    assert (held.dial, held.limit) == (left, PacingLimit.STARTS)
    assert "may begin in this second" in sentence_of(held)
