"""Making one policy of several packs: who applies, which version is in force, the strictest of each figure."""

import timeit
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from callcenter.compliance.explaining import explain
from callcenter.compliance.numbers import kind_of, possible_zones, regions_of
from callcenter.compliance.packs import PackBook, load_book
from callcenter.compliance.packs_combining import concerns
from callcenter.domain.contact import FOR_GOOD, Cap, ContactPolicy, CustomerFacts, Registry
from callcenter.domain.enums import BarReason, NumberKind, Purpose
from callcenter.errors import BadInput

NOW = datetime(2026, 11, 1, tzinfo=UTC)
HOURS = 'calling_hours: {value: {every_day: ["09:00-20:00"]}, source: law}'
SINGAPORE = frozenset({"SG"})


def pack(
    key: str, *figures: str, since: str = "2026-01-01", regions: str = "SG", zone: str = "Asia/Singapore"
) -> str:
    lines = "".join(f"    {figure}\n" for figure in figures or (HOURS,))
    return (
        f"pack: {key}\ntitle: {{en: {key}, zh: {key}}}\napplies_to: {{regions: [{regions}]}}\n"
        f"time_zone: {zone}\nversions:\n  - valid_from: {since}\n{lines}"
    )


def book_of(*texts: tuple[str, str], home: str = "home", root: Path = Path("nowhere")) -> PackBook:
    return load_book([home], texts, root)


def policy_of(*figures: str, other: tuple[str, ...], purpose: Purpose = Purpose.SERVICE) -> ContactPolicy:
    book = book_of(("home", pack("home", HOURS, *figures)), ("other", pack("other", *other)))
    policy = book.policy(SINGAPORE, purpose, NOW)
    assert policy is not None
    return policy


def test_of_every_figure_the_strictest_counts() -> None:
    policy = policy_of(
        "caps: {value: {calls: 3, window: 24h}, source: a}",
        "minimum_gap: {value: 2h, source: a}",
        "conversation_pause: {value: 1d, source: a}",
        "refusal_stop: {value: 60d, source: a}",
        "consent: {value: false, source: a}",
        "registries: {value: {key: one, max_age: 31d}, source: a}",
        "barred_kinds: {value: [premium], source: a}",
        "abandonment: {value: {limit: 5%, guaranteed_for: 72h}, source: a}",
        other=(
            'calling_hours: {value: {every_day: ["10:00-21:00"]}, source: b}',
            "caps: {value: {calls: 9, window: 7d}, source: b}",
            "minimum_gap: {value: 1h, source: b}",
            "conversation_pause: {value: 7d, source: b}",
            "refusal_stop: {value: for_good, source: b}",
            "consent: {value: true, source: b}",
            "registries: {value: {key: two, max_age: 28d}, source: b}",
            "barred_kinds: {value: [pager], source: b}",
            "abandonment: {value: {limit: 3%, guaranteed_for: 24h}, source: b}",
        ),
    )
    assert policy.version == "home@2026-01-01+other@2026-01-01"
    local = [datetime(2026, 11, 2, hour, tzinfo=UTC) for hour in range(24)]
    assert [one.hour for one in local if all(hours.contains(one) for hours in policy.hours)] == [
        *range(10, 20)
    ]
    assert policy.caps == (Cap(3, timedelta(days=1)), Cap(9, timedelta(days=7)))
    assert policy.minimum_gap == timedelta(hours=2)
    assert policy.conversation_pause == timedelta(days=7)
    assert policy.refusal_stop == FOR_GOOD
    assert policy.needs_consent
    assert policy.registries == (Registry("one", timedelta(days=31)), Registry("two", timedelta(days=28)))
    assert policy.barred_kinds == {NumberKind.PREMIUM, NumberKind.PAGER}
    assert (policy.abandonment_limit, policy.guaranteed_after_abandonment) == (0.03, timedelta(hours=72))


def test_within_one_pack_too_the_strictest_counts_and_only_for_its_purposes() -> None:
    gaps = (
        "minimum_gap: [{value: 1h, source: a}, {value: 3h, source: a, purposes: [marketing]}, "
        "{value: 2h, source: a, purposes: [collection, service]}]"
    )
    assert policy_of(gaps, other=(HOURS,)).minimum_gap == timedelta(hours=2)
    assert policy_of(gaps, other=(HOURS,), purpose=Purpose.MARKETING).minimum_gap == timedelta(hours=3)


def test_marketing_needs_consent_where_no_pack_says_otherwise() -> None:
    assert policy_of(other=(HOURS,), purpose=Purpose.MARKETING).needs_consent
    assert not policy_of(other=(HOURS,)).needs_consent
    said = "consent: {value: false, source: a}"
    assert not policy_of(said, other=(HOURS,), purpose=Purpose.MARKETING).needs_consent


def test_without_a_pack_that_says_when_nobody_is_called() -> None:
    book = book_of(("home", pack("home", "minimum_gap: {value: 2h, source: a}")))
    assert book.policy(SINGAPORE, Purpose.SERVICE, NOW) is None


def test_a_home_pack_that_is_unknown_or_not_yet_in_force_bars_every_call() -> None:
    text = pack("home", since="2027-01-01")
    other = ("other", pack("other"))
    assert book_of(other).policy(SINGAPORE, Purpose.SERVICE, NOW) is None
    assert book_of(("home", text), other).policy(SINGAPORE, Purpose.SERVICE, NOW) is None
    assert load_book([], [other], Path("nowhere")).policy(SINGAPORE, Purpose.SERVICE, NOW) is None


def test_a_home_pack_applies_wherever_the_customer_is_and_others_by_region() -> None:
    book = book_of(("home", pack("home")), ("far", pack("far", regions="FR, US-FL")))
    for regions, version in (
        ("", "home@2026-01-01"),
        ("SG", "home@2026-01-01"),
        ("SG FR", "home@2026-01-01+far@2026-01-01"),
        ("US US-FL", "home@2026-01-01+far@2026-01-01"),
        ("US US-??", "home@2026-01-01+far@2026-01-01"),
        ("US US-TX", "home@2026-01-01"),
    ):
        policy = book.policy(frozenset(regions.split()), Purpose.SERVICE, NOW)
        assert policy is not None
        assert policy.version == version, regions


@pytest.mark.parametrize(
    ("wanted", "regions", "meets"),
    [
        ("FR", "FR", True),
        ("FR", "DE", False),
        ("US", "US US-FL", True),
        ("US", "US-FL", True),
        ("US-FL", "US US-FL", True),
        ("US-FL", "US US-TX", False),
        ("US-FL", "US US-TX US-??", True),
        ("US-FL", "US", True),
        ("US-FL", "CA", False),
        ("DE-BY", "DE", True),
        ("DE-BY", "DE DE-BE", False),
        ("US-FL", "", False),
    ],
)
def test_who_may_be_in_a_region_is_treated_as_in_it(wanted: str, regions: str, meets: bool) -> None:
    assert concerns([wanted], regions.split()) is meets


def test_an_unknown_state_is_barred_when_one_state_is() -> None:
    book = book_of(
        ("home", pack("home", HOURS, "barred_regions: {value: [US-FL, IR], source: a}")),
    )
    for regions, barred in (
        ("US US-??", "US US-??"),
        ("US US-TX", ""),
        ("US US-FL", "US US-FL"),
        ("IR", "IR"),
    ):
        policy = book.policy(frozenset(regions.split()), Purpose.SERVICE, NOW)
        assert policy is not None
        assert bool(policy.barred_regions & set(regions.split())) is bool(barred), regions


def test_a_figure_may_be_about_one_region_of_the_pack() -> None:
    gaps = "minimum_gap: [{value: 1h, source: a}, {value: 5h, source: a, regions: [US-FL]}]"
    book = book_of(("home", pack("home", HOURS, gaps, regions="US")))
    for regions, gap in (("US US-TX", 1), ("US US-FL", 5), ("US US-??", 5), ("SG", 1)):
        policy = book.policy(frozenset(regions.split()), Purpose.SERVICE, NOW)
        assert policy is not None
        assert policy.minimum_gap == timedelta(hours=gap), regions


def test_a_version_counts_from_midnight_in_the_packs_own_zone() -> None:
    later = pack(
        "home", HOURS, "minimum_gap: {value: 9h, source: a}", since="2026-10-25", zone="Europe/Paris"
    )
    book = book_of(("home", pack("home", zone="Europe/Paris")), ("home", later))
    midnight = datetime(2026, 10, 24, 22, tzinfo=UTC)
    gaps = [
        policy.minimum_gap
        for at in (midnight - timedelta(microseconds=1), midnight)
        if (policy := book.policy(SINGAPORE, Purpose.SERVICE, at)) is not None
    ]
    assert gaps == [timedelta(0), timedelta(hours=9)]


def test_of_one_pack_the_latest_version_in_force_counts_alone() -> None:
    first = pack("home", HOURS, "minimum_gap: {value: 9h, source: a}", "consent: {value: true, source: a}")
    second = pack("home", HOURS, "minimum_gap: {value: 1h, source: a}", since="2026-06-01")
    policy = book_of(("home", second), ("home", first)).policy(SINGAPORE, Purpose.SERVICE, NOW)
    assert policy is not None
    assert (policy.version, policy.minimum_gap, policy.needs_consent) == (
        "home@2026-06-01",
        timedelta(hours=1),
        False,
    )


def test_a_text_put_in_force_here_takes_the_place_of_one_of_the_same_date_and_is_told_apart() -> None:
    texts = [
        ("home", pack("home", HOURS, f"minimum_gap: {{value: {hours}h, source: a}}")) for hours in (1, 2, 3)
    ]
    policy = book_of(*texts).policy(SINGAPORE, Purpose.SERVICE, NOW)
    assert policy is not None
    assert (policy.version, policy.minimum_gap) == ("home@2026-01-01.3", timedelta(hours=3))
    shipped = load_book(["cn-bank"], [("cn-bank", pack("cn-bank", since="2023-03-01", regions="CN"))])
    replaced = shipped.policy(frozenset({"CN"}), Purpose.SERVICE, NOW)
    assert replaced is not None
    assert (replaced.version, replaced.caps) == ("cn-bank@2023-03-01.2", ())


def test_a_malformed_text_put_in_force_here_is_refused_by_its_pack() -> None:
    with pytest.raises(BadInput, match=r"cn-bank \(put in force here\), line 1"):
        load_book(["cn-bank"], [("cn-bank", "pack: cn-bank")])
    with pytest.raises(BadInput, match="is pack 'home', not 'cn-bank'"):
        load_book(["cn-bank"], [("cn-bank", pack("home"))])


def test_the_sample_house_has_the_figures_it_was_set_up_with() -> None:
    book = load_book(["cn-bank"])
    policy = book.policy(frozenset({"CN"}), Purpose.SERVICE, NOW)
    assert policy is not None
    assert policy.version == "cn-bank@2023-03-01"
    assert [windows[0] for windows in policy.hours[0].by_weekday] == [policy.hours[0].by_weekday[0][0]] * 7
    assert str(policy.hours[0].by_weekday[0]) == "((datetime.time(9, 0), datetime.time(20, 0)),)"
    assert (policy.caps, policy.minimum_gap) == ((Cap(2, timedelta(days=1)),), timedelta(hours=2))
    assert not policy.needs_consent
    marketing = book.policy(frozenset({"CN"}), Purpose.MARKETING, NOW)
    assert marketing is not None
    assert marketing.needs_consent
    assert marketing.refusal_stop == FOR_GOOD
    assert book.policy(frozenset({"CN"}), Purpose.SERVICE, datetime(2023, 2, 28, tzinfo=UTC)) is None
    begins = datetime(2023, 2, 28, 16, tzinfo=UTC)
    assert book.policy(frozenset({"CN"}), Purpose.SERVICE, begins) == policy


def test_france_needs_consent_from_the_day_its_law_does() -> None:
    book = load_book(["fr"])
    needs = [
        (policy.needs_consent, policy.refusal_stop == FOR_GOOD, [one.key for one in policy.registries])
        for day in (date(2026, 8, 10), date(2026, 8, 11))
        if (policy := book.policy(frozenset({"FR"}), Purpose.MARKETING, _noon_in_paris(day))) is not None
    ]
    assert needs == [(False, False, ["fr-bloctel"]), (True, True, [])]


def _noon_in_paris(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 10, tzinfo=UTC)


@pytest.mark.parametrize("home", ["cn-bank", "us-tcpa", "uk", "de", "fr"])
def test_every_pack_that_can_be_a_house_of_its_own_covers_every_purpose(home: str) -> None:
    book = load_book([home])
    for purpose in Purpose:
        policy = book.policy(frozenset({"US", "US-??"}), purpose, NOW)
        assert policy is not None
        assert policy.hours


def test_thousands_of_decisions_a_second_ask_for_a_policy() -> None:
    """About 1 us; the bound leaves room for a busy machine."""
    book, regions = load_book(["cn-bank"]), frozenset({"US", "US-??"})
    book.policy(regions, Purpose.MARKETING, NOW)
    seconds = min(timeit.repeat(lambda: book.policy(regions, Purpose.MARKETING, NOW), number=1000, repeat=5))
    assert seconds < 0.02


def test_an_answer_is_explained_by_pack_and_source_and_holds_no_number() -> None:
    number = "+4930901820"
    facts = CustomerFacts(
        number, kind_of(number), regions_of(number), possible_zones(None, number), Purpose.MARKETING
    )
    told = explain(load_book(["cn-bank"]), facts, datetime(2026, 12, 25, 9, tzinfo=UTC))
    assert [version.label for version in told.versions] == [
        "cn-bank@2023-03-01",
        "de@2021-10-01",
        "eu-gdpr@2018-05-25",
    ]
    assert told.verdict.reasons == (BarReason.NO_CONSENT, BarReason.OUTSIDE_CALLING_HOURS)
    assert told.open_at == datetime(2026, 12, 28, 8, tzinfo=UTC)
    hours = [(one.label, one.words) for one in told.said if one.name == "calling hours"]
    assert hours[0] == ("cn-bank@2023-03-01", "every day 09:00-20:00")
    assert hours[1][1].startswith(
        "Mon-Fri 08:00-20:00, Sat 09:00-18:00, Sun closed; closed on holidays of DE"
    )
    assert all(one.source for one in told.said)
    assert {one.name for one in told.said if not one.counts} == set()


def test_a_figure_that_another_pack_outdoes_does_not_count() -> None:
    book = book_of(
        ("home", pack("home", HOURS, "minimum_gap: {value: 2h, source: a}")),
        ("other", pack("other", HOURS, "minimum_gap: {value: 1h, source: b}")),
    )
    number = "+6561234567"
    facts = CustomerFacts(number, kind_of(number), SINGAPORE, possible_zones(None, number))
    counts = {(one.name, one.label): one.counts for one in explain(book, facts, NOW).said}
    assert counts == {
        ("calling hours", "home@2026-01-01"): True,
        ("calling hours", "other@2026-01-01"): True,
        ("minimum gap", "home@2026-01-01"): True,
        ("minimum gap", "other@2026-01-01"): False,
    }
