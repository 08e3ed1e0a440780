"""The compliance gate: every reason named, closed where it does not know, open to the minute."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.compliance.packs import DEFAULT_PACK, load_policy
from callcenter.compliance.queries import possible_zones
from callcenter.compliance.rules import next_allowed_at, screen_customer, times_to_offer
from callcenter.domain.contact import CustomerFacts
from callcenter.domain.enums import PASSING_BARS, BarReason
from callcenter.errors import BadInput

NOON = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
SHANGHAI, URUMQI, NEW_YORK = (ZoneInfo(name) for name in ("Asia/Shanghai", "Asia/Urumqi", "America/New_York"))
FREE = CustomerFacts("+8613800138000", True, (SHANGHAI,), False, False, ())
_loaded = load_policy(DEFAULT_PACK, NOON)
assert _loaded is not None
POLICY = _loaded


def reasons(facts: CustomerFacts = FREE, now: datetime = NOON) -> set[BarReason]:
    """Why a customer may not be called."""
    return set(screen_customer(facts, POLICY, now).reasons)


def local(hour: int, minute: int = 0, second: int = 0) -> datetime:
    """A moment of that Wednesday in Shanghai."""
    return datetime(2026, 11, 18, hour, minute, second, tzinfo=SHANGHAI).astimezone(UTC)


def test_nothing_bars_a_customer_of_whom_all_is_known() -> None:
    verdict = screen_customer(FREE, POLICY, NOON)
    assert verdict.may_call and verdict.next_allowed_at is None
    assert verdict.policy_version == "cn-bank@2023-03-01"


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (replace(FREE, on_do_not_call_list=True), BarReason.DO_NOT_CALL),
        (replace(FREE, is_frozen=True), BarReason.CUSTOMER_FROZEN),
        (replace(FREE, number=None, is_number_valid=False), BarReason.INVALID_NUMBER),
        (replace(FREE, attempts_at=(NOON - timedelta(minutes=1),)), BarReason.MINIMUM_GAP),
    ],
)
def test_each_reason_bars_by_itself(facts: CustomerFacts, reason: BarReason) -> None:
    assert reasons(facts) == {reason}


def test_every_reason_is_named_at_once() -> None:
    worst = CustomerFacts(None, False, (), True, True, tuple(NOON - timedelta(minutes=m) for m in (1, 2, 3)))
    assert reasons(worst) == set(BarReason) - {BarReason.NO_POLICY}
    assert screen_customer(worst, POLICY, NOON).next_allowed_at is None


def test_what_is_not_known_bars() -> None:
    assert reasons(replace(FREE, time_zones=())) == {
        BarReason.UNKNOWN_TIME_ZONE,
        BarReason.OUTSIDE_CALLING_HOURS,
    }
    assert screen_customer(FREE, None, NOON).reasons == (BarReason.NO_POLICY,)
    assert load_policy("no-such-pack", NOON) is None
    assert load_policy(DEFAULT_PACK, datetime(2020, 1, 1, tzinfo=UTC)) is None


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
        ((), local(20, 30), local(9) + timedelta(days=1)),
        ((), local(3), local(9)),
        ((local(11),), local(12), local(13)),
        ((local(9), local(12)), local(15), local(9) + timedelta(days=1)),
        ((local(10), local(19)), local(19, 30), local(10) + timedelta(days=1)),
    ],
)
def test_a_bar_that_passes_says_when(
    attempts: tuple[datetime, ...], now: datetime, next_at: datetime
) -> None:
    verdict = screen_customer(replace(FREE, attempts_at=attempts), POLICY, now)
    assert verdict.lifts_by_itself and verdict.next_allowed_at == next_at


offsets = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3))
zones = st.lists(st.sampled_from([SHANGHAI, URUMQI, ZoneInfo("Asia/Kathmandu")]), max_size=2, unique=True)


@settings(max_examples=60, deadline=None)
@given(offsets, st.lists(offsets, max_size=4), zones, st.booleans(), st.booleans())
def test_at_the_time_it_names_the_gate_is_open_and_just_before_it_was_not(
    ahead: timedelta, before: list[timedelta], where: list[ZoneInfo], listed: bool, frozen: bool
) -> None:
    now = NOON + ahead
    tried = tuple(sorted(now - timedelta(seconds=1) - one for one in before))
    facts = CustomerFacts("+8613800138000", True, tuple(where), listed, frozen, tried)
    verdict = screen_customer(facts, POLICY, now)
    assert (verdict.next_allowed_at is not None) <= (set(verdict.reasons) <= PASSING_BARS)
    if verdict.next_allowed_at is not None:
        assert verdict.next_allowed_at > now
        assert screen_customer(facts, POLICY, verdict.next_allowed_at).may_call
    if verdict.may_call:
        assert next_allowed_at(facts, POLICY, now) == now


@pytest.mark.parametrize(
    ("zone", "number", "names"),
    [
        ("Asia/Shanghai", None, ["Asia/Shanghai"]),
        ("Mars/Olympus", "+8613800138000", []),
        ("../../etc/passwd", "+8613800138000", []),
        (None, "+8613800138000", ["Asia/Shanghai"]),
        (None, "+80012345678", []),
        (None, "nonsense", []),
        (None, None, []),
    ],
)
def test_a_zone_is_stated_or_follows_from_the_number_or_is_unknown(
    zone: str | None, number: str | None, names: list[str]
) -> None:
    assert [found.key for found in possible_zones(zone, number)] == names


@pytest.mark.parametrize(
    "text",
    [
        "", "versions: []", "versions: [{}]", "[", "versions:\n - valid_from: soon",
        "versions:\n - valid_from: 2020-01-01\n   calling_hours: {source: s, value: {opens: '21:00',"
        " closes: '09:00'}}",
        "versions:\n - valid_from: 2020-01-01\n   calling_hours: {value: {opens: '09:00', closes: '20:00'}}",
    ],
)  # fmt: skip
def test_a_malformed_pack_is_refused_by_name(text: str, tmp_path: Path) -> None:
    (tmp_path / "bank.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=r"bank\.yaml"):
        load_policy("bank", NOON, tmp_path)


@given(minutes=st.integers(0, 60 * 24 * 8), gap=st.integers(1, 600))
def test_every_time_offered_for_a_callback_is_a_quarter_hour_the_gate_allows(minutes: int, gap: int) -> None:
    now = NOON + timedelta(minutes=minutes)
    facts = replace(FREE, attempts_at=(now - timedelta(seconds=gap),))
    offered = times_to_offer(facts, POLICY, now)
    assert offered
    assert all(at.minute % 15 == 0 and screen_customer(facts, POLICY, at).may_call for at in offered)
