"""Draws that anybody can repeat: a unit from a hash, the wait of a visit, the customers of a canary. Pure.

A draw depends on nothing but the names that go into it, so it is the same live and in a back-test, on every
machine and at every look.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from hashlib import sha256

from callcenter.domain.durations import parse_duration
from callcenter.errors import BadInput

SALT = "callcenter-waits-1"
"""Apart from the salt of the hold-out, so that the draws have nothing to do with each other."""
MOST_WAITS = 6
SMALLEST_PROBABILITY = 0.05
"""Weights of rarer waits would be so large that nothing could be told of them."""
LARGEST_STEP = 0.5
"""A wait of a band lies within so much of the set one, and so does what is proposed from it."""
CANARY_SHARE = 0.2


def unit_of(*parts: object) -> float:
    """A number in [0, 1) from what the parts name; as good as drawn, and always the same.

    Raises ValueError where a part holds the separator, for then two names could be one.
    """
    words = [str(part) for part in parts]
    if any("|" in word for word in words[:-1]):
        raise ValueError("only the last part may hold '|'")
    digest = sha256("|".join((SALT, *words)).encode()).digest()
    return (int.from_bytes(digest[:8]) >> 11) / (1 << 53)


@dataclass(frozen=True, slots=True)
class DrawnWait:
    """The wait of one visit, and the probability with which it is drawn."""

    wait: timedelta
    probability: float


@dataclass(frozen=True)
class Band:
    """Waits that a rule tries beside the one that is set. `share` of the visits get one of `others`, each as
    likely as the next; all the rest get `usual`."""

    usual: timedelta
    others: tuple[timedelta, ...]
    share: float

    @cached_property
    def waits(self) -> tuple[DrawnWait, ...]:
        """Every wait with its probability, the shortest first."""
        each = self.share / len(self.others)
        found = [DrawnWait(self.usual, 1 - self.share), *(DrawnWait(one, each) for one in self.others)]
        return tuple(sorted(found, key=lambda one: one.wait))

    @property
    def shortest(self) -> timedelta:
        """Until then no draw makes a difference."""
        return self.waits[0].wait

    def draw(self, rule_key: str, visit: str) -> DrawnWait:
        """Draw the wait of a visit, always the same for its identity."""
        unit, upto = unit_of("wait", rule_key, visit), 0.0
        for one in self.waits:
            upto += one.probability
            if unit < upto:
                return one
        return self.waits[-1]


def visit_identity(customer_id: object, journey: str, journey_key: str, visit_seq: int) -> str:
    """Name a visit the way its draws know it, from its row as well as from stored events."""
    return f"{customer_id}/{journey}/{visit_seq}/{journey_key}"


def read_band(raw: object, usual: timedelta) -> Band | None:
    """Read `{share: 0.4, waits: [150s, 4m, 7m]}`, the waits that are tried beside the set one.

    Raises BadInput where a wait is further than half from the set one, or too seldom to be judged.
    """
    if raw is None:
        return None
    if not isinstance(raw, dict) or set(raw) != {"share", "waits"} or not isinstance(raw["waits"], list):
        raise BadInput("band: give share and waits, for example {share: 0.4, waits: [3m, 4m, 7m]}")
    if not usual:
        raise BadInput("band: the rule fires at its event and waits for nothing; give after first")
    share = raw["share"]
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 0.8:
        raise BadInput("band.share: a share above 0 and up to 0.8, for example 0.4")
    waits = tuple(parse_duration(one, "band.waits") for one in raw["waits"])
    if not waits or len(waits) > MOST_WAITS or len({*waits, usual}) != len(waits) + 1:
        raise BadInput(f"band.waits: from 1 to {MOST_WAITS} different waits, without the set one")
    low, high = usual * (1 - LARGEST_STEP), usual * (1 + LARGEST_STEP)
    if not all(low <= one <= high and one >= timedelta(seconds=1) for one in waits):
        raise BadInput("band.waits: from half the set wait to one and a half times it")
    if share / len(waits) < SMALLEST_PROBABILITY:
        raise BadInput(
            f"band.share: each wait needs {SMALLEST_PROBABILITY:.0%} of the visits to be judged; "
            "raise the share or take waits away"
        )
    return Band(usual, tuple(sorted(waits)), float(share))


def in_canary(rule_key: str, version: int, customer_id: object, share: float) -> bool:
    """Whether a customer is among those a version is tried on: sticky, and drawn anew for each version."""
    return unit_of("canary", rule_key, version, customer_id) < share
