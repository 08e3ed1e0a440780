"""Moments of the account: who comes for one, what the bank reports of it, what they then do. Pure; no clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from callcenter.demo.behaviour import IDENTIFY, TRACK, Deed, Value

SHARE = 0.14  # of the sessions that begin
CONSENTS = 0.6  # of those who come for a moment: they agreed to offers by telephone
OBJECTS = 0.06  # and these object to them
UNAIDED, AIDED = 0.06, 0.28  # arrange it by themselves; once talked to


@dataclass(frozen=True)
class Moment:
    """One kind of moment: its share, the events reported of it, and what the customer does who arranges it."""

    weight: int
    events: tuple[tuple[str, Mapping[str, Value]], ...]
    arranged: str


MOMENTS: Mapping[str, Moment] = {
    "large_out": Moment(30, (("balance_moved", {"direction": "out"}),), "advice_booked"),
    "large_in": Moment(12, (("balance_moved", {"direction": "in"}),), "advice_booked"),
    "salary": Moment(14, (("salary_received", {}),), "standing_order_set"),
    "limit_unused": Moment(30, (("limit_unused", {}),), "limit_used"),
    "renewal": Moment(
        14, (("renewal_page", {}), ("renewal_failed", {"reason": "outside_hours"})), "product_renewed"
    ),
}


def draws_moment(seed: int, index: int) -> str:
    """Return the moment a customer comes for; empty for the others, who come for a loan."""
    chance = Random(f"{seed}:account:{index}")
    if chance.random() >= SHARE:
        return ""
    return chance.choices(list(MOMENTS), weights=[one.weight for one in MOMENTS.values()])[0]


def plan_moment(kind: str, product: str, credit_limit: int, chance: Random) -> tuple[Deed, ...]:
    """Plan what is reported: the customer, what they said of offers, and the moment itself."""
    deeds = [Deed(0.0, IDENTIFY)]
    said = chance.random()
    if said < CONSENTS:
        proof = {"text_version": "2026-01", "proof": "app: offers by telephone"}
        deeds.append(Deed(0.5, TRACK, "Consent Given", {"purpose": "marketing", "source": "app", **proof}))
    elif said < CONSENTS + OBJECTS:
        deeds.append(Deed(0.5, TRACK, "Marketing Objection", {"source": "app"}))
    at = chance.uniform(2.0, 10.0)
    for name, properties in MOMENTS[kind].events:
        more: dict[str, Value] = {"product": product, **properties}
        if name == "balance_moved":
            more["amount"] = 10_000 * chance.randint(20, 90)
        if name == "limit_unused":
            more["credit_limit"] = max(50_000, credit_limit)
        deeds.append(Deed(at, TRACK, name, more))
        at += chance.uniform(5.0, 20.0)
    return tuple(deeds)


def arranges_after_s(chance: Random) -> float | None:
    """Draw after how many seconds a customer arranges it by themselves; None for never."""
    return chance.uniform(120.0, 3600.0) if chance.random() < UNAIDED else None


def arranges_once_told_s(chance: Random) -> float | None:
    """Draw how many seconds after a conversation a customer arranges it; None for never."""
    return chance.uniform(5.0, 240.0) if chance.random() < AIDED else None
