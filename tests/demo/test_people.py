"""The synthetic customers themselves: callable at any hour of the day, with numbers that exist."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from phonenumbers import timezone

from callcenter.demo.people import Person, draw_person
from callcenter.demo.places import PLACES, Place

pytestmark = pytest.mark.slow

# one day of each half of the year, for the places that change their clocks
DAYS = (datetime(2026, 1, 14, tzinfo=UTC), datetime(2026, 7, 15, tzinfo=UTC))


def people_at(now: datetime, count: int = 250) -> list[Person]:
    first = int(now.timestamp())
    return [draw_person(1, first + ordinal, now) for ordinal in range(count)]


def may_be_called(person: Person, now: datetime) -> bool:
    return 9 <= now.astimezone(ZoneInfo(person.time_zone)).hour < 20


@pytest.mark.parametrize("hour", range(24))
@pytest.mark.parametrize("day", DAYS, ids=["winter", "summer"])
def test_at_any_hour_most_new_customers_are_within_calling_hours(day: datetime, hour: int) -> None:
    now = day + timedelta(hours=hour, minutes=59)
    people = people_at(now)
    assert sum(may_be_called(person, now) for person in people) / len(people) >= 0.6
    later = now + timedelta(minutes=45)
    assert sum(may_be_called(person, later) for person in people) / len(people) >= 0.6


def test_while_china_is_awake_most_customers_are_chinese() -> None:
    people = people_at(DAYS[0] + timedelta(hours=3), 2_000)
    in_china = [person for person in people if person.phone.startswith("+86")]
    assert len(in_china) > 0.6 * len(people)
    zones = {person.time_zone for person in in_china}
    assert zones == {"Asia/Shanghai", "Asia/Urumqi"}
    assert sum(person.language == "zh" for person in in_china) > 0.85 * len(in_china)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.zone)
def test_every_number_of_a_place_is_a_valid_number_of_it(place: Place) -> None:
    for prefix in range(len(place.prefixes)):
        for step in range(40):
            ordinal = prefix * 10**place.digits + step * 10**place.digits // 40 + step
            number = phonenumbers.parse(place.number(ordinal))
            assert phonenumbers.is_valid_number(number), place.number(ordinal)
            if not place.zone.startswith("Asia/Urumqi"):
                assert place.zone in timezone.time_zones_for_number(number)


def test_every_drawn_number_is_valid_and_nobody_shares_one() -> None:
    people = [
        draw_person(1, 5_000_000 + index, DAYS[0] + timedelta(hours=index % 24)) for index in range(12_000)
    ]
    numbers = [person.phone for person in people]
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in numbers)
    assert len(set(numbers)) == len(numbers)
    assert len({person.user_id for person in people}) == len(people)


def test_a_person_is_the_same_whenever_drawn_with_the_same_arguments() -> None:
    assert draw_person(1, 77, DAYS[0]) == draw_person(1, 77, DAYS[0])
    assert draw_person(1, 77, DAYS[0]) != draw_person(2, 77, DAYS[0])


def test_names_are_written_in_the_script_of_the_language() -> None:
    people = people_at(DAYS[0] + timedelta(hours=3), 500)
    for person in people:
        assert person.name.isascii() == (person.language == "en")


def test_telephones_answer_busy_ring_out_and_fail() -> None:
    manners = [person.telephone for person in people_at(DAYS[0], 2_000)]
    assert {manner.outcome for manner in manners} == {"human", "no-answer", "busy", "failed", "machine"}
    assert sum(manner.outcome == "human" for manner in manners) > 0.5 * len(manners)
    assert all(manner.ring_s > 0 and manner.talk_s > 0 for manner in manners)
    assert any(manner.talk_s < 15 for manner in manners if manner.outcome == "human")
