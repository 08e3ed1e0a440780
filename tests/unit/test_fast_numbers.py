"""The fast reader of numbers says of every number what the library says."""

import random
from collections.abc import Iterator

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phonenumbers.phonenumberutil import COUNTRY_CODE_TO_REGION_CODE

from callcenter.compliance.fast_numbers import is_valid_e164, read_number

TYPES = list(range(11))
NEIGHBOURS = 12
RANDOM_PER_CODE = 60


def by_library(number: str, region: str | None = None) -> str | None:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def examples() -> Iterator[str]:
    """A valid number of each type of each region of the world."""
    for code, regions in COUNTRY_CODE_TO_REGION_CODE.items():
        for region in regions:
            for kind in TYPES:
                found = (
                    phonenumbers.example_number_for_non_geo_entity(code)
                    if region == "001"
                    else phonenumbers.example_number_for_type(region, kind)
                )
                if found is not None:
                    yield phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)


def near(number: str, chance: random.Random) -> Iterator[str]:
    """Numbers beside a valid one: a digit changed, more, less, a national prefix where none belongs."""
    for _ in range(NEIGHBOURS):
        place = chance.randrange(1, len(number))
        yield number[:place] + str(chance.randrange(10)) + number[place + 1 :]
        yield number[:place] + str(chance.randrange(10)) + number[place:]
        yield number[:place] + number[place + 1 :]
    for length in (2, 3, 4):
        for prefix in ("0", "1", "8", "15"):
            yield number[:length] + prefix + number[length:]


def numbers_of_the_world() -> list[str]:
    chance = random.Random(7)
    valid = sorted(set(examples()))
    around = [one for number in valid for one in near(number, chance)]
    at_random = [
        f"+{code}" + "".join(str(chance.randrange(10)) for _ in range(chance.randrange(1, 15)))
        for code in COUNTRY_CODE_TO_REGION_CODE
        for _ in range(RANDOM_PER_CODE)
    ]
    nowhere = [f"+{chance.randrange(10**11)}" for _ in range(1_000)]
    return [*valid, *around, *at_random, *nowhere]


@pytest.mark.slow
def test_it_agrees_with_the_library_on_numbers_of_the_whole_world() -> None:
    numbers = list(dict.fromkeys(numbers_of_the_world()))
    assert len(numbers) > 50_000
    wrong = [one for one in numbers if read_number(one) != by_library(one)]
    assert wrong == []


@pytest.mark.slow
def test_it_agrees_on_numbers_as_they_are_written_at_home() -> None:
    chance = random.Random(11)
    wrong, seen = [], 0
    for number in sorted(set(examples())):
        parsed = phonenumbers.parse(number)
        region = phonenumbers.region_code_for_number(parsed)
        if region is None or region == "001":
            continue
        written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
        digits = "".join(filter(str.isdigit, written))
        changed = [*near("x" + digits, chance)]
        for one in (written, digits, f"{parsed.country_code}{digits}", *(one[1:] for one in changed)):
            seen += 1
            if read_number(one, region) != by_library(one, region) and not one.startswith("00"):
                wrong.append((one, region))
    assert seen > 30_000
    assert wrong == []


def test_it_decides_nearly_all_valid_numbers_without_the_library() -> None:
    valid = sorted(set(examples()))
    left = [one for one in valid if is_valid_e164(one[1:]) is None]
    assert len(left) < 0.03 * len(valid), left


@given(
    st.sampled_from(sorted(set(examples()))),
    st.lists(st.tuples(st.integers(0, 14), st.sampled_from("0123456789")), max_size=3),
    st.integers(0, 3),
)
@settings(max_examples=300, deadline=None)
@example("+14155552671", [(1, "5")], 0)
def test_it_agrees_on_numbers_that_are_nearly_right(
    number: str, changes: list[tuple[int, str]], cut: int
) -> None:
    digits = list(number[1:])
    for place, digit in changes:
        digits[place % len(digits)] = digit
    changed = "+" + "".join(digits[: len(digits) - cut])
    assert read_number(changed) == by_library(changed)


@pytest.mark.parametrize(
    ("written", "region", "means"),
    [
        ("+86 138-0013-8000", None, "+8613800138000"),
        ("0086 138 0013 8000", None, "+8613800138000"),
        ("138 0013 8000", "CN", "+8613800138000"),
        ("(020) 7946-0018", "GB", "+442079460018"),
        ("+44 (0)20 7946 0018", None, "+442079460018"),
        ("(212) 555-2368", "US", "+12125552368"),
        ("1-212-555-2368", "US", "+12125552368"),
        ("011 44 20 7946 0018", "US", "+442079460018"),
        ("00 44 20 7946 0018", "US", "+442079460018"),
        ("001 44 20 7946 0018", "HK", "+442079460018"),
        ("＋８６ １３８００１３８０００", None, "+8613800138000"),
        ("+39 06 698 12345", None, "+390669812345"),
        ("13800138000", None, None),
        ("+8613800138", None, None),
        ("+86 138 0013 8000 ext. 5", None, None),
        ("8.6138E+12", "CN", None),
        ("1-800-FLOWERS", "US", None),
        ("", None, None),
        ("+", None, None),
        ("00", "GB", None),
        ("+8613800138000" * 9, None, None),
        ("+86\x0013800138000", None, None),
    ],
)
def test_numbers_are_read_as_people_write_them(written: str, region: str | None, means: str | None) -> None:
    assert read_number(written, region) == means
