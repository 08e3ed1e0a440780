"""Read telephone numbers by the million: the numbering plans' own patterns, compiled once per country code. Pure.

`phonenumbers.parse` and `is_valid_number` take about a hundred microseconds a number. For what is written as
E.164 the same answer follows from the same metadata in a few; everything else, and every number that the
library would rewrite (a national prefix after the country code), is left to the library.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import phonenumbers
from phonenumbers.phonenumberutil import COUNTRY_CODE_TO_REGION_CODE

Matches = Callable[[str], object]
_E164 = re.compile(r"\+([1-9][0-9]{6,14})").fullmatch
_DIGITS = re.compile(r"[0-9]{6,16}").fullmatch
_PUNCTUATION = str.maketrans("", "", " \t\u00a0\u202f-\u2010\u2011\u2012\u2013()[]./")
"""What people put between digits."""
_LETTER = re.compile(r"[A-Za-z]").search
"""The library reads 1-800-FLOWERS, and what a spreadsheet makes of a number: 8.6138E+12. We do not."""
_TYPES = (
    "premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail",
    "fixed_line", "mobile",
)  # fmt: skip
_SHORTEST, _LONGEST = 2, 17
"""Digits a national number may have for `phonenumbers.parse`."""
_NO_COUNTRY = "001"
"""What the library calls the region of +800 and the like."""
MAX_LETTERS = 64
"""No way to write a number is longer."""


class _Region(NamedTuple):
    """One region of a country code: what begins there, where that decides it, and what is valid there."""

    begins: Matches | None
    is_valid: Matches


class _Plan(NamedTuple):
    """One country code: its regions in the library's order, and whether the library may rewrite a number."""

    regions: tuple[_Region, ...]
    may_rewrite: Callable[[str], bool]


def read_number(text: str, region: str | None = None) -> str | None:
    """Return the E.164 form of a number that is valid by its country's numbering plan, else None.

    Spaces, dashes, brackets and a leading 00 are understood; `region` (ISO 3166) says whose numbers the ones
    without a country code are; ValueError when it is none. Agrees with `phonenumbers` on whatever it reads.
    """
    if len(text) > MAX_LETTERS:
        return None
    plain = text.translate(_PUNCTUATION)
    dials_00 = plain.startswith("00")
    if dials_00 and (region is None or _dials_00(region)):
        plain = "+" + plain[2:]
    found = _E164(plain)
    digits = found[1] if found is not None else None
    if digits is None and region is not None and _DIGITS(plain):
        digits = _COUNTRIES[region].international(plain)
    if digits is not None:
        is_valid = is_valid_e164(digits)
        if is_valid is not None:
            return "+" + digits if is_valid else None
    if _LETTER(plain):
        return None
    by_region = _by_library(plain if plain.isascii() else text, region)
    if by_region is None and dials_00 and region is not None and plain.startswith("00"):
        return read_number("+" + plain[2:])
    return by_region


def is_valid_e164(digits: str) -> bool | None:
    """Whether the digits of an E.164 number, without its plus sign, are valid; None when the library must say."""
    for length in (1, 2, 3):
        plan = _PLANS[digits[:length]]
        if plan is not None:
            break
    else:
        return None
    national = digits[length:]
    if not _SHORTEST <= len(national) <= _LONGEST or plan.may_rewrite(national):
        return None
    for region in plan.regions:
        if region.begins is not None:
            if region.begins(national):
                return region.is_valid(national) is not None
        elif region.is_valid(national):
            return True
    return False


def _by_library(text: str, region: str | None) -> str | None:
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if parsed.extension or not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=512)
def _dials_00(region: str) -> bool:
    """Whether 00 alone stands for the plus sign in a region; in some, a carrier's digits follow it."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region.upper(), None)
    prefix = metadata.international_prefix if metadata is not None else None
    return prefix is not None and prefix.partition("|")[0] == "00"


class _Plans(dict[str, _Plan | None]):
    """The plans of the country codes, each compiled when the first number of it comes; None: no such code."""

    def __missing__(self, code: str) -> _Plan | None:
        regions = COUNTRY_CODE_TO_REGION_CODE.get(int(code))
        self[code] = plan = _plan_of(int(code), regions) if regions else None
        return plan


def _plan_of(code: int, regions: tuple[str, ...]) -> _Plan:
    known = [one for region in regions if (one := _metadata(code, region)) is not None]
    is_alone = len(regions) == 1
    return _Plan(tuple(_region_of(one, is_alone=is_alone) for one in known), _rewriter_of(known[0]))


def _metadata(code: int, region: str) -> Any:
    if region == _NO_COUNTRY:
        return phonenumbers.PhoneMetadata.metadata_for_nongeo_region(code, None)
    return phonenumbers.PhoneMetadata.metadata_for_region(region, None)


class _Country:
    """How numbers are written within one region."""

    def __init__(self, metadata: Any) -> None:
        self._code = str(metadata.country_code)
        self._goes_abroad = re.compile(metadata.international_prefix or r"(?!)").match
        self._is_possible = re.compile(_pattern_of(metadata.general_desc) or r"(?!)").fullmatch
        self._may_rewrite = _rewriter_of(metadata)
        plain = metadata.national_prefix_for_parsing and not metadata.national_prefix_transform_rule
        self._prefix = re.compile(metadata.national_prefix_for_parsing if plain else r"(?!)").match

    def international(self, digits: str) -> str | None:
        """Return the country code and number that digits mean; None when the library must say."""
        if self._goes_abroad(digits):
            return None
        if self._is_possible(digits):
            return None if self._may_rewrite(digits) else self._code + digits
        if digits.startswith(self._code):
            rest = digits[len(self._code) :]
            return digits if self._is_possible(rest) and not self._may_rewrite(rest) else None
        prefix = self._prefix(digits)
        if prefix is not None and self._is_possible(digits[prefix.end() :]):
            return self._code + digits[prefix.end() :]
        return None


class _Countries(dict[str, _Country]):
    def __missing__(self, region: str) -> _Country:
        metadata = phonenumbers.PhoneMetadata.metadata_for_region(region.upper(), None)
        if metadata is None:
            raise ValueError(f"{region!r} is no region whose numbers are known")
        self[region] = country = _Country(metadata)
        return country


def _rewriter_of(metadata: Any) -> Callable[[str], bool]:
    """Return what tells whether the library may take something off the beginning of a national number."""
    if not metadata.national_prefix_for_parsing:
        return lambda _national: False
    prefix = re.compile(metadata.national_prefix_for_parsing).match
    is_possible = re.compile(metadata.general_desc.national_number_pattern).fullmatch

    def may_rewrite(national: str) -> bool:
        found = prefix(national)
        if found is None or not found.end():
            return False
        if metadata.national_prefix_transform_rule and found.groups()[-1] is not None:
            return True
        return not is_possible(national) or is_possible(national[found.end() :]) is not None

    return may_rewrite


def _region_of(metadata: Any, *, is_alone: bool) -> _Region:
    begins = metadata.leading_digits if not is_alone else None
    general = _pattern_of(metadata.general_desc)
    kinds = [getattr(metadata, name) for name in _TYPES]
    if metadata.same_mobile_and_fixed_line_pattern:
        kinds.pop()
    patterns = "|".join(dict.fromkeys(one for kind in kinds if (one := _pattern_of(kind)) is not None))
    whole = re.compile(rf"(?={general}\Z)(?:{patterns})" if general and patterns else r"(?!)")
    return _Region(re.compile(begins).match if begins else None, whole.fullmatch)


def _pattern_of(desc: Any) -> str | None:
    """Return a description's pattern, held to its lengths; None where it describes no number."""
    if desc is None or not desc.national_number_pattern:
        return None
    lengths = "|".join(rf"\d{{{length}}}" for length in desc.possible_length if length > 0)
    if desc.possible_length and not lengths:
        return None
    held = rf"(?=(?:{lengths})\Z)" if lengths else ""
    return f"{held}(?:{desc.national_number_pattern})"


_PLANS, _COUNTRIES = _Plans(), _Countries()
