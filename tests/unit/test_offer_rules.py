"""May an offer be granted? Every reason why not, and until when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.costs import Spent, cost_each, cost_in_all, together
from callcenter.domain.offers import OfferBar, OfferTerms
from callcenter.offers.rules import (
    About,
    Known,
    Occasion,
    Taken,
    day_of,
    is_for,
    problems_of,
    until_of,
    why_not,
)

NOON = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
COUPON = OfferTerms(
    name={"en": "Coupon", "zh": "券"},
    words={"en": "30 days free.", "zh": "30 天免息。"},
    currency="CNY",
    value=Decimal(30),
    cost=Decimal("22.5"),
    valid_from=NOON - timedelta(days=1),
    time_zone="Asia/Shanghai",
)
CALL = Occasion((About("loan", "withdraw", "quiet"),), frozenset({"vip"}), objects=False)
NONE = Taken()
KNOWN = Known(("loan",), ("loan/withdraw",), ("quiet",))


def bars(terms: OfferTerms, taken: Taken = NONE, occasion: Occasion = CALL) -> list[tuple[OfferBar, Any]]:
    return [(one.why, one.until) for one in why_not(terms, occasion, taken, NOON)]


@pytest.mark.parametrize(
    ("said", "fits"),
    [
        ({}, True),
        ({"journeys": ("loan",)}, True),
        ({"journeys": ("account",)}, False),
        ({"steps": ("loan/withdraw",)}, True),
        ({"steps": ("loan/profile",)}, False),
        ({"rules": ("quiet",), "journeys": ("loan",)}, True),
        ({"rules": ("other",), "journeys": ("loan",)}, False),
        ({"tags": ("vip", "staff")}, True),
        ({"tags": ("staff",)}, False),
    ],
)
def test_an_offer_is_for_the_calls_it_names(said: dict[str, Any], fits: bool) -> None:
    assert is_for(replace(COUPON, **said), CALL) is fits


def test_one_reason_must_fit_in_all_an_offer_names_not_each_a_part() -> None:
    two = replace(CALL, reasons=(About("loan", "profile", "slow"), About("account", "salary", "quiet")))
    assert not is_for(replace(COUPON, journeys=("loan",), rules=("quiet",)), two)
    assert is_for(replace(COUPON, journeys=("account",), rules=("quiet",)), two)


def test_all_reasons_are_named_with_the_time_at_which_they_are_gone() -> None:
    tomorrow = datetime(2026, 11, 18, 16, 0, tzinfo=UTC)
    terms = replace(COUPON, per_customer=1, per_customer_days=90, per_agent_day=2, per_day=5)
    taken = Taken((NOON - timedelta(days=80),), 2, 5)
    found = bars(terms, taken, replace(CALL, objects=True))
    assert found == [
        (OfferBar.OBJECTS, None),
        (OfferBar.CUSTOMER_LIMIT, NOON + timedelta(days=10)),
        (OfferBar.AGENT_LIMIT, tomorrow),
        (OfferBar.DAY_LIMIT, tomorrow),
    ]
    assert until_of(why_not(terms, CALL, taken, NOON)) == NOON + timedelta(days=10)
    assert until_of(why_not(terms, replace(CALL, objects=True), taken, NOON)) is None, "waiting does not help"


@pytest.mark.parametrize(
    ("days_ago", "few", "until"),
    [
        ([], 1, None),
        ([90], 1, None),
        ([89.9], 1, 0.1),
        ([80, 10], 2, 10),
        ([80, 10, 5], 2, 80),
        ([80, 10], 3, None),
    ],
)
def test_the_limit_of_a_customer_counts_a_rolling_span(
    days_ago: list[float], few: int, until: float | None
) -> None:
    granted = tuple(NOON - timedelta(days=one) for one in days_ago)
    found = bars(replace(COUPON, per_customer=few, per_customer_days=90), Taken(granted))
    expected = [] if until is None else [(OfferBar.CUSTOMER_LIMIT, NOON + timedelta(days=until))]
    assert found == expected


def test_a_limit_without_days_counts_for_ever() -> None:
    assert bars(replace(COUPON, per_customer=1), Taken((NOON - timedelta(days=3000),))) == [
        (OfferBar.CUSTOMER_LIMIT, None)
    ]


def test_what_has_not_begun_or_is_over_is_not_granted() -> None:
    begins = NOON + timedelta(hours=1)
    assert bars(replace(COUPON, valid_from=begins)) == [(OfferBar.NOT_BEGUN, begins)]
    assert bars(replace(COUPON, valid_until=NOON)) == [(OfferBar.OVER, None)]
    assert bars(replace(COUPON, valid_from=NOON)) == []


def test_a_day_is_that_of_the_offers_zone() -> None:
    late = datetime(2026, 11, 18, 16, 30, tzinfo=UTC)
    assert day_of(COUPON, late).day == 19 and day_of(replace(COUPON, time_zone="UTC"), late).day == 18


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"name": {"en": "x", "zh": ""}}, "name_zh"),
        ({"words": {"en": "x" * 401, "zh": "x"}}, "words_en"),
        ({"currency": "yuan"}, "currency"),
        ({"value": Decimal("-1")}, "value"),
        ({"cost": Decimal("1.005")}, "cost"),
        ({"cost": Decimal("NaN")}, "cost"),
        ({"valid_until": COUPON.valid_from}, "valid_until"),
        ({"time_zone": "Shanghai"}, "time_zone"),
        ({"per_day": 0}, "per_day"),
        ({"per_customer_days": 5}, "per_customer"),
        ({"rules": ("gone",)}, "rules"),
        ({"tags": ("x" * 41,)}, "tags"),
    ],
)
def test_what_is_wrong_with_an_offer_is_said_by_field(said: dict[str, Any], field: str) -> None:
    assert set(problems_of("coupon", replace(COUPON, **said), KNOWN)) == {field}


def test_a_good_offer_has_no_problems_and_a_code_is_a_code() -> None:
    assert problems_of("rate-coupon-30", COUPON, KNOWN) == {}
    assert set(problems_of("Rate Coupon", COUPON, KNOWN)) == {"code"}


@given(st.lists(st.integers(1, 200), max_size=8), st.integers(1, 4), st.integers(1, 120))
def test_a_grant_the_rule_allows_never_makes_more_than_the_limit_in_any_span(
    gaps: list[int], few: int, days: int
) -> None:
    terms = replace(COUPON, per_customer=few, per_customer_days=days, valid_from=NOON - timedelta(days=9_000))
    granted: list[datetime] = []
    at = NOON
    for gap in gaps:
        at += timedelta(days=gap)
        if not why_not(terms, CALL, Taken(tuple(granted)), at):
            granted.append(at)
    span = timedelta(days=days)
    assert all(sum(end - span < one <= end for one in granted) <= few for end in granted)


def test_a_conversion_costs_agents_time_and_what_was_granted() -> None:
    spent = Spent(7200, 3, {"CNY": Decimal(60)})
    assert cost_each(spent, 4.0, (Decimal(50), "CNY")) == (Decimal("40.00"), "CNY")
    assert cost_each(spent, 4.0, None) == (Decimal("15.00"), "CNY")
    assert cost_each(spent, 0.0, None) is None
    assert cost_in_all(spent, (Decimal(50), "EUR")) is None, "two currencies are not added"
    assert cost_in_all(Spent(60), None) is None
    assert together([spent, Spent(60, 1, {"CNY": Decimal(1)})]) == Spent(7260, 4, {"CNY": Decimal(61)})
