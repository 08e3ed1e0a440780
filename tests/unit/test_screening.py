"""The compliance gate: every reason named, closed where it does not know, open to the second."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.compliance.numbers import possible_zones, regions_of
from callcenter.compliance.rules import next_allowed_at, screen_customer, times_to_offer
from callcenter.domain.contact import (
    FOR_GOOD,
    CallingHours,
    CampaignFacts,
    Cap,
    ContactPolicy,
    CustomerFacts,
    Registry,
    Suppressed,
)
from callcenter.domain.enums import BarReason, NumberKind, Purpose, SuppressionKind

NOON = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
SHANGHAI, URUMQI, NEW_YORK = (ZoneInfo(name) for name in ("Asia/Shanghai", "Asia/Urumqi", "America/New_York"))
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
HOURS = CallingHours.every_day(time(9), time(20))
POLICY = ContactPolicy(
    "bank@2026-01-01", (HOURS,), (Cap(2, DAY),), minimum_gap=2 * HOUR, refusal_stop=FOR_GOOD
)
STRICT = replace(
    POLICY,
    caps=(Cap(2, DAY), Cap(4, 30 * DAY)),
    conversation_pause=7 * DAY,
    refusal_stop=60 * DAY,
    needs_consent=True,
    registries=(Registry("us-dnc", 31 * DAY),),
    barred_kinds=frozenset({NumberKind.PREMIUM}),
    barred_regions=frozenset({"KP"}),
)
FREE = CustomerFacts("+8613800138000", NumberKind.MOBILE, frozenset({"CN"}), (SHANGHAI,), campaign="loan")
OFFER = replace(
    FREE, purpose=Purpose.MARKETING, consents_until=(None,), registries_at={"us-dnc": NOON - 30 * DAY}
)


def reasons(
    facts: CustomerFacts = FREE, now: datetime = NOON, policy: ContactPolicy = POLICY
) -> set[BarReason]:
    """Why a customer may not be called."""
    return set(screen_customer(facts, policy, now).reasons)


def suppressed(kind: SuppressionKind, since: datetime = NOON - DAY, **limits: object) -> CustomerFacts:
    """A customer against whom an entry stands."""
    return replace(OFFER, suppressions=(Suppressed(kind, since, **limits),))  # type: ignore[arg-type]


def local(hour: int, minute: int = 0, second: int = 0) -> datetime:
    """A moment of that Wednesday in Shanghai."""
    return datetime(2026, 11, 18, hour, minute, second, tzinfo=SHANGHAI).astimezone(UTC)


def test_nothing_bars_a_customer_of_whom_all_is_known() -> None:
    verdict = screen_customer(FREE, POLICY, NOON)
    assert verdict.may_call and verdict.next_allowed_at is None
    assert verdict.policy_version == "bank@2026-01-01"
    assert not reasons(OFFER, policy=STRICT)


CAMPAIGN = CampaignFacts()


@pytest.mark.parametrize(
    ("facts", "reason", "lifts_at"),
    [
        (suppressed(SuppressionKind.DO_NOT_CALL), BarReason.DO_NOT_CALL, None),
        (suppressed(SuppressionKind.OBJECTION, purpose=Purpose.MARKETING), BarReason.OBJECTED, None),
        (suppressed(SuppressionKind.DECEASED), BarReason.DECEASED, None),
        (suppressed(SuppressionKind.UNDER_AGE), BarReason.UNDER_AGE, None),
        (suppressed(SuppressionKind.COMPLAINT, until=NOON + HOUR), BarReason.COMPLAINT_OPEN, NOON + HOUR),
        (
            suppressed(SuppressionKind.REFUSAL, since=NOON - 60 * DAY + HOUR),
            BarReason.REFUSED,
            NOON + HOUR,
        ),
        (
            suppressed(SuppressionKind.REFUSAL, since=NOON - DAY, until=NOON + HOUR),
            BarReason.REFUSED,
            NOON + HOUR,
        ),
        (replace(OFFER, is_frozen=True), BarReason.CUSTOMER_FROZEN, None),
        (replace(OFFER, consents_until=()), BarReason.NO_CONSENT, None),
        (replace(OFFER, consents_until=(NOON,)), BarReason.NO_CONSENT, None),
        (replace(OFFER, registries_at={}), BarReason.REGISTRY_STALE, NOON + timedelta(minutes=15)),
        (
            replace(OFFER, registries_at={"us-dnc": NOON - 32 * DAY}),
            BarReason.REGISTRY_STALE,
            NOON + timedelta(minutes=15),
        ),
        (
            replace(OFFER, are_lists_readable=False),
            BarReason.LISTS_UNREADABLE,
            NOON + timedelta(minutes=15),
        ),
        (replace(OFFER, number_kind=NumberKind.PREMIUM), BarReason.NUMBER_KIND_BARRED, None),
        (replace(OFFER, regions=frozenset({"CN", "KP"})), BarReason.REGION_BARRED, None),
        (replace(OFFER, person_attempts_at=(NOON - HOUR,)), BarReason.MINIMUM_GAP, NOON + HOUR),
        (replace(OFFER, number_attempts_at=(NOON - HOUR,)), BarReason.MINIMUM_GAP, NOON + HOUR),
        (
            replace(OFFER, person_attempts_at=(NOON - 3 * HOUR, NOON - 23 * HOUR)),
            BarReason.ATTEMPT_CAP_REACHED,
            NOON + HOUR,
        ),
        (
            replace(OFFER, number_attempts_at=(NOON - 3 * HOUR, NOON - 23 * HOUR)),
            BarReason.NUMBER_CAP_REACHED,
            NOON + HOUR,
        ),
        (
            replace(OFFER, talked_at=NOON - 7 * DAY + timedelta(minutes=30)),
            BarReason.TALKED_LATELY,
            NOON + timedelta(minutes=30),
        ),
        (
            replace(OFFER, campaign_facts=replace(CAMPAIGN, is_paused=True)),
            BarReason.CAMPAIGN_PAUSED,
            NOON + timedelta(minutes=15),
        ),
        (
            replace(
                OFFER,
                campaign_facts=replace(CAMPAIGN, hours=CallingHours.every_day(time(13), time(14))),
            ),
            BarReason.CAMPAIGN_CLOSED,
            NOON + HOUR,
        ),
        (
            replace(
                OFFER,
                is_agent_guaranteed=False,
                campaign_facts=replace(CAMPAIGN, live_answers_30d=99, abandoned_30d=3),
            ),
            BarReason.ABANDONMENT_BUDGET_SPENT,
            NOON + timedelta(minutes=15),
        ),
        (
            replace(
                OFFER,
                is_agent_guaranteed=False,
                campaign_facts=replace(CAMPAIGN, live_answers_30d=99),
                abandoned_at=NOON - 71 * HOUR,
            ),
            BarReason.AGENT_NOT_GUARANTEED,
            NOON + HOUR,
        ),
        (replace(OFFER, newest_record_at=NOON + HOUR), BarReason.CLOCK_SET_BACK, NOON + HOUR),
    ],
)
def test_each_reason_bars_by_itself_and_says_when_it_is_gone(
    facts: CustomerFacts, reason: BarReason, lifts_at: datetime | None
) -> None:
    verdict = screen_customer(facts, STRICT, NOON)
    assert verdict.reasons == (reason,)
    assert verdict.next_allowed_at == lifts_at
    assert verdict.lifts_by_itself == (lifts_at is not None)


@pytest.mark.parametrize(
    "facts",
    [
        suppressed(SuppressionKind.OBJECTION, purpose=Purpose.COLLECTION),
        suppressed(SuppressionKind.REFUSAL, campaign="cards"),
        suppressed(SuppressionKind.REFUSAL, since=NOON - 60 * DAY),
        suppressed(SuppressionKind.COMPLAINT, until=NOON),
        replace(OFFER, consents_until=(NOON + timedelta(seconds=1),)),
        replace(OFFER, person_attempts_at=(NOON - 3 * HOUR, NOON - DAY)),
        replace(OFFER, person_attempts_at=(NOON - 20 * HOUR,), number_attempts_at=(NOON - 3 * HOUR,)),
        replace(OFFER, abandoned_at=NOON - HOUR),
        replace(OFFER, newest_record_at=NOON + timedelta(seconds=59)),
        replace(OFFER, campaign_facts=replace(CAMPAIGN, live_answers_30d=9, abandoned_30d=9)),
    ],
)
def test_what_is_about_another_call_or_is_over_does_not_bar(facts: CustomerFacts) -> None:
    assert not reasons(facts, policy=STRICT)


def test_every_reason_is_named_at_once() -> None:
    kinds = tuple(Suppressed(kind, NOON - DAY) for kind in SuppressionKind)
    shut = CampaignFacts(True, CallingHours.every_day(time(1), time(2)), 10, 5)
    tried = tuple(NOON - timedelta(minutes=m) for m in (1, 2, 3, 4))
    worst = CustomerFacts(
        "+8613800138000", NumberKind.PREMIUM, frozenset({"KP"}), (NEW_YORK,), Purpose.MARKETING, "loan", False,
        kinds, (), True, tried, tried, NOON, NOON, shut, {}, NOON + HOUR, False,
    )  # fmt: skip
    missing = {BarReason.INVALID_NUMBER, BarReason.UNKNOWN_TIME_ZONE, BarReason.NO_POLICY}
    assert reasons(worst, policy=STRICT) == set(BarReason) - missing
    assert screen_customer(worst, STRICT, NOON).next_allowed_at is None
    nobody = replace(worst, number=None, number_kind=None, time_zones=())
    assert missing - {BarReason.NO_POLICY} < reasons(nobody, policy=STRICT)


def test_what_is_not_known_bars() -> None:
    assert reasons(replace(FREE, time_zones=())) == {
        BarReason.UNKNOWN_TIME_ZONE,
        BarReason.OUTSIDE_CALLING_HOURS,
    }
    verdict = screen_customer(FREE, None, NOON)
    assert verdict.reasons == (BarReason.NO_POLICY,)
    assert verdict.next_allowed_at == NOON + timedelta(minutes=15), "asked again when somebody has mended it"


@pytest.mark.parametrize(
    ("now", "open_"),
    [(local(8, 59, 59), False), (local(9), True), (local(19, 59, 59), True), (local(20), False)],
)
def test_the_calling_hours_are_the_customers_own_to_the_second(now: datetime, open_: bool) -> None:
    assert (reasons(now=now) == set()) is open_


def test_a_customer_who_may_be_in_two_zones_is_called_when_both_are_open() -> None:
    either = replace(FREE, time_zones=(SHANGHAI, URUMQI))
    assert reasons(either, local(9, 30)) and not reasons(either, local(11))
    never = replace(FREE, time_zones=(SHANGHAI, NEW_YORK))
    verdict = screen_customer(never, POLICY, NOON)
    assert verdict.next_allowed_at is None and not verdict.may_call


@pytest.mark.parametrize(
    ("attempts", "now", "next_at"),
    [
        ((), local(20, 30), local(9) + DAY),
        ((), local(3), local(9)),
        ((local(11),), local(12), local(13)),
        ((local(9), local(12)), local(15), local(9) + DAY),
        ((local(10), local(19)), local(19, 30), local(10) + DAY),
    ],
)
def test_a_bar_that_passes_says_when(
    attempts: tuple[datetime, ...], now: datetime, next_at: datetime
) -> None:
    verdict = screen_customer(replace(FREE, person_attempts_at=attempts), POLICY, now)
    assert verdict.lifts_by_itself and verdict.next_allowed_at == next_at


offsets = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3))
zones = st.lists(st.sampled_from([SHANGHAI, URUMQI, ZoneInfo("Asia/Kathmandu")]), max_size=2, unique=True)


@settings(max_examples=60, deadline=None)
@given(offsets, st.lists(offsets, max_size=4), st.lists(offsets, max_size=4), zones, st.booleans())
def test_at_the_time_it_names_the_gate_is_open_and_just_before_it_was_not(
    ahead: timedelta,
    person: list[timedelta],
    number: list[timedelta],
    where: list[ZoneInfo],
    frozen: bool,
) -> None:
    now = NOON + ahead
    by_person, by_number = (
        tuple(sorted(now - timedelta(seconds=1) - one for one in tried)) for tried in (person, number)
    )
    facts = replace(
        FREE,
        time_zones=tuple(where),
        is_frozen=frozen,
        person_attempts_at=by_person,
        number_attempts_at=by_number,
    )
    verdict = screen_customer(facts, POLICY, now)
    if verdict.next_allowed_at is not None:
        assert verdict.next_allowed_at > now and not verdict.may_call
        assert screen_customer(facts, POLICY, verdict.next_allowed_at).may_call
        assert not screen_customer(facts, POLICY, verdict.next_allowed_at - timedelta(seconds=1)).may_call
    if verdict.may_call:
        assert next_allowed_at(facts, POLICY, now) == now


@pytest.mark.parametrize(
    ("zone", "number", "country", "names"),
    [
        ("Asia/Shanghai", None, None, ["Asia/Shanghai"]),
        ("Mars/Olympus", "+8613800138000", None, []),
        ("../../etc/passwd", "+8613800138000", None, []),
        (None, "+8613800138000", None, ["Asia/Shanghai"]),
        ("Asia/Urumqi", "+8613800138000", None, ["Asia/Shanghai", "Asia/Urumqi"]),
        ("America/New_York", "+8613800138000", "US", ["Asia/Shanghai", "America/New_York"]),
        (None, "+8613800138000", "CN", ["Asia/Shanghai"]),
        (None, "+8613800138000", "JP", ["Asia/Shanghai", "Asia/Tokyo"]),
        (None, "+8613800138000", "XX", []),
        (None, None, "DE", ["Europe/Berlin", "Europe/Busingen"]),
        (None, "+80012345678", None, []),
        (None, "nonsense", None, []),
        (None, None, None, []),
    ],
)
def test_every_zone_counts_that_the_number_and_the_address_may_mean(
    zone: str | None, number: str | None, country: str | None, names: list[str]
) -> None:
    assert [found.key for found in possible_zones(zone, number, country)] == names


def test_a_number_that_may_be_in_many_zones_is_in_all_of_them() -> None:
    zones_of_toll_free = possible_zones(None, "+18005550123")
    assert {"America/New_York", "America/Los_Angeles", "Pacific/Honolulu"} <= {
        zone.key for zone in zones_of_toll_free
    }


@pytest.mark.parametrize(
    ("number", "country", "state", "regions"),
    [
        ("+8613800138000", None, None, {"CN"}),
        ("+13055550123", None, None, {"US", "US-FL"}),
        ("+18005550123", None, None, {"US", "US-??"}),
        ("+13055550123", "FR", None, {"US", "US-FL", "FR"}),
        ("+8613800138000", "US", "FL", {"CN", "US", "US-FL"}),
        ("+8613800138000", "US", None, {"CN", "US", "US-??"}),
        (None, None, None, set()),
    ],
)
def test_every_region_counts_that_the_number_and_the_address_may_mean(
    number: str | None, country: str | None, state: str | None, regions: set[str]
) -> None:
    assert regions_of(number, country, state) == regions


@given(minutes=st.integers(0, 60 * 24 * 8), gap=st.integers(1, 600))
def test_every_time_offered_for_a_callback_is_a_quarter_hour_the_gate_allows(minutes: int, gap: int) -> None:
    now = NOON + timedelta(minutes=minutes)
    facts = replace(FREE, person_attempts_at=(now - timedelta(seconds=gap),))
    offered = times_to_offer(facts, POLICY, now)
    assert offered
    assert all(at.minute % 15 == 0 and screen_customer(facts, POLICY, at).may_call for at in offered)
