"""Drawing customers: who they are, where they live, how they answer their telephone. Pure and seeded.

A person is a function of the seed, their index and the moment they are first seen, so a customer is the same
person after a restart, and no list of past numbers or ids has to be kept.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from random import Random
from zoneinfo import ZoneInfo

from callcenter.demo.places import (
    GIVEN,
    PLACES,
    SURNAMES,
    WESTERN_GIVEN,
    WESTERN_SURNAMES,
    Place,
)

# A new customer can still be called for an hour: the calling day of 09:00-20:00 less its last hour.
AWAKE_FROM_H, AWAKE_UNTIL_H = 9, 19
DRAWN_AMONG_THE_AWAKE = 0.85

DEVICES = {"Android 14": 30, "Android 15": 26, "Android 13": 12, "iOS 19": 18, "iOS 18": 14}
APP_VERSIONS = {"7.4.1": 55, "7.4.0": 25, "7.3.2": 14, "7.1.0": 6}
PRODUCTS = ("savings", "debit_card", "payroll", "deposit", "fund", "credit_card", "mortgage")
CREDIT_LIMITS = (5000, 8000, 10000, 20000, 30000, 50000, 80000, 120000, 200000)

MACHINE = "machine"
# What happens when the number is dialed: outcome and its share
ANSWERS = {"human": 0.60, "no-answer": 0.22, MACHINE: 0.09, "busy": 0.06, "failed": 0.03}
HANGS_UP_AT_ONCE = 0.10  # of the people who answer


@dataclass(frozen=True)
class TelephoneManner:
    """How one number behaves when dialed; seconds of ringing, and of talk until the customer hangs up."""

    outcome: str
    ring_s: float
    talk_s: float


@dataclass(frozen=True)
class Person:
    """One synthetic customer. Money is in whole units of the bank's currency."""

    index: int
    user_id: str
    anonymous_id: str
    application_id: str
    name: str
    phone: str
    gender: str
    language: str
    time_zone: str
    city: str
    products: tuple[str, ...]
    device: str
    app_version: str
    credit_limit: int
    loan: int
    telephone: TelephoneManner


def draw_person(seed: int, index: int, now: datetime) -> Person:
    """Draw the customer with this index, first seen at `now` (aware). Same arguments, same person."""
    chance = Random(f"{seed}:person:{index}")
    place = draw_place(now, chance)
    language = "zh" if chance.random() < place.zh else "en"
    gender = chance.choice(("female", "male"))
    credit_limit = chance.choices(CREDIT_LIMITS, weights=(8, 12, 18, 20, 16, 12, 8, 4, 2))[0]
    mark = hashlib.blake2b(f"{seed}:{index}".encode(), digest_size=15).hexdigest()
    city_zh, _, city_en = chance.choice(place.cities).partition("|")
    return Person(
        index=index,
        user_id=f"c-{mark[:10]}",
        anonymous_id=f"d-{mark[10:20]}",
        application_id=f"a-{mark[20:]}",
        name=draw_name(place, language, gender, chance),
        phone=place.number(_scatter(seed, index)),
        gender=gender,
        language=language,
        time_zone=place.zone,
        city=city_zh if language == "zh" else city_en,
        products=tuple(sorted(chance.sample(PRODUCTS, chance.choice((1, 1, 2, 2, 3))))),
        device=_weighted(DEVICES, chance),
        app_version=_weighted(APP_VERSIONS, chance),
        credit_limit=credit_limit,
        loan=1000 * max(1, round(credit_limit * chance.uniform(0.3, 1.0) / 1000)),
        telephone=draw_manner(chance),
    )


def draw_place(now: datetime, chance: Random) -> Place:
    """Draw where a new customer lives: mostly where it is day now, so that there is somebody to call."""
    awake = awake_places(now)
    places: Sequence[Place] = PLACES
    if awake and chance.random() < DRAWN_AMONG_THE_AWAKE:
        places = awake
    return chance.choices(places, weights=[place.weight for place in places])[0]


def awake_places(now: datetime) -> list[Place]:
    """Return the places where the local hour of `now` allows a call with an hour to spare."""
    return [
        place for place in PLACES if AWAKE_FROM_H <= now.astimezone(_zone(place.zone)).hour < AWAKE_UNTIL_H
    ]


def draw_name(place: Place, language: str, gender: str, chance: Random) -> str:
    """Draw a name: in Chinese characters for who speaks Chinese, else in pinyin or a name of the place."""
    if language == "zh" or place.names == "chinese":
        script = 0 if language == "zh" else 2
        surname = chance.choice(SURNAMES).partition("|")[script]
        given = "".join(
            chance.choice(GIVEN[gender]).partition("|")[script] for _ in range(chance.choice((1, 2, 2)))
        )
        return surname + given if language == "zh" else f"{given.capitalize()} {surname}"
    return f"{chance.choice(WESTERN_GIVEN[gender])} {chance.choice(WESTERN_SURNAMES[place.names])}"


def draw_manner(chance: Random) -> TelephoneManner:
    """Draw how the customer's number answers."""
    outcome = _weighted(ANSWERS, chance)
    ring_s = chance.uniform(25.0, 40.0) if outcome == "no-answer" else chance.uniform(3.0, 16.0)
    if outcome == "human" and chance.random() < HANGS_UP_AT_ONCE:
        talk_s = chance.uniform(4.0, 13.0)
    elif outcome == MACHINE:
        talk_s = chance.uniform(10.0, 30.0)
    else:
        talk_s = min(420.0, max(20.0, chance.lognormvariate(4.4, 0.6)))
    return TelephoneManner(outcome, round(ring_s, 1), round(talk_s, 1))


def _weighted(shares: dict[str, float] | dict[str, int], chance: Random) -> str:
    return chance.choices(list(shares), weights=list(shares.values()))[0]


def _scatter(seed: int, index: int) -> int:
    """Map the index to an ordinal so that neighbours get unlike numbers.

    No two get the same until a place's numbers are used up: an affine map modulo m is one to one where the
    factor shares no divisor with m, and this factor is a prime that divides no place's count of numbers.
    """
    return index * 982_451_653 + seed * 7_919_017


@lru_cache(maxsize=32)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
