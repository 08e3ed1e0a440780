"""No allowed moment lies outside the window of any pack that applies, in any zone the customer may be in.

Checked against the packs' text as a plain YAML reader has it, figured out anew and without the product's code.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import holidays
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.compliance.numbers import kind_of, possible_zones, regions_of
from callcenter.compliance.packs import PACKS, load_book
from callcenter.compliance.rules import screen_customer
from callcenter.domain.contact import CustomerFacts
from callcenter.domain.enums import BarReason, Purpose

NUMBERS = {
    "+8613800138000": {"CN"},
    "+4930901820": {"DE"},
    "+33612345678": {"FR"},
    "+262692123456": {"RE"},
    "+442079460000": {"GB"},
    "+390612345678": {"IT"},
    "+15125551234": {"US", "US-TX"},
    "+13055551234": {"US", "US-FL"},
    "+12155551234": {"US", "US-PA"},
    "+18005551234": {"US", "US-??"},
}
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
BOOK = load_book(["cn-bank"])


@cache
def texts() -> dict[str, Any]:
    return {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in PACKS.glob("*.yaml")}


def latest(pack: Any, at: datetime) -> Any:
    """The version that counts; the moments asked about keep a day clear of every date on which one begins."""
    begun = [version for version in pack["versions"] if version["valid_from"] <= at.date()]
    return max(begun, key=lambda version: version["valid_from"], default=None)


def may_be_in(wanted: list[Any], regions: set[str]) -> bool:
    """A plain reader takes Norway for `False`, which no region is compared with here."""
    named = {str(one) for one in wanted}
    return bool(regions & named) or ("US-??" in regions and any(one.startswith("US-") for one in named))


def hours_that_apply(regions: set[str], purpose: str, at: datetime) -> Iterator[Any]:
    for key, pack in texts().items():
        if key != "cn-bank" and not may_be_in(pack["applies_to"]["regions"], regions):
            continue
        entries = latest(pack, at).get("calling_hours", [])
        for entry in entries if isinstance(entries, list) else [entries]:
            if purpose in entry.get("purposes", [purpose]) and (
                "regions" not in entry or may_be_in(entry["regions"], regions)
            ):
                yield entry["value"]


@cache
def days_off(country: str, subdivisions: tuple[str, ...], year: int) -> frozenset[date]:
    return frozenset(
        day
        for part in (None, *subdivisions)
        for day in holidays.country_holidays(country, subdiv=part, years=[year])
    )


def is_in_window(hours: Any, local: datetime) -> bool:
    windows = hours.get("every_day")
    windows = hours.get("workdays" if local.weekday() < 5 else "weekend", windows)
    windows = hours.get(DAYS[local.weekday()], windows)
    if hours.get("holidays") == "closed":
        whose = hours["calendar"]
        subdivisions = tuple(map(str, whose.get("subdivisions", ())))
        if local.date() in days_off(whose["country"], subdivisions, local.year):
            return False
    clock = f"{local:%H:%M:%S}"
    return any(window.split("-")[0] <= clock < window.split("-")[1] for window in windows)


@settings(deadline=None, max_examples=300)
@given(
    number=st.sampled_from(sorted(NUMBERS)),
    other=st.sampled_from([None, *sorted(NUMBERS)]),
    purpose=st.sampled_from(list(Purpose)),
    seconds=st.integers(0, 2 * 365 * 86_400),
)
def test_no_allowed_moment_lies_outside_any_window(
    number: str, other: str | None, purpose: Purpose, seconds: int
) -> None:
    """`other` stands for an address elsewhere: its regions and zones count as well."""
    at = datetime(2026, 1, 2, tzinfo=UTC) + timedelta(seconds=seconds)
    regions, zones = set(NUMBERS[number]), set(possible_zones(None, number))
    assert regions_of(number) == regions
    if other is not None:
        regions |= NUMBERS[other]
        zones |= set(possible_zones(None, other))
    facts = CustomerFacts(
        number=number,
        number_kind=kind_of(number),
        regions=frozenset(regions),
        time_zones=tuple(zones),
        purpose=purpose,
        consents_until=(None,),
        registries_at=dict.fromkeys(("us-dnc", "uk-tps", "fr-bloctel"), at),
    )
    verdict = screen_customer(facts, BOOK.policy(facts.regions, purpose, at), at)
    if any(abs((at.date() - day).days) <= 1 for day in (date(2026, 8, 11), date(2026, 10, 18))):
        return
    within = all(
        is_in_window(hours, at.astimezone(zone))
        for hours in hours_that_apply(regions, purpose, at)
        for zone in zones
    )
    assert (BarReason.OUTSIDE_CALLING_HOURS not in verdict.reasons) is within
    assert verdict.may_call is within or verdict.reasons == (BarReason.NUMBER_KIND_BARRED,)
    if verdict.next_allowed_at is not None:
        later = verdict.next_allowed_at
        assert not screen_customer(facts, BOOK.policy(facts.regions, purpose, at), later).reasons
