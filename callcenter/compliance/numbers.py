"""What a telephone number tells: whether and how it can be called, where, and its name in a list. Pure."""

import hashlib
import hmac
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from babel.core import get_global
from phonenumbers import PhoneNumberType as Kind
from phonenumbers import timezone as number_zones

from callcenter.domain.enums import NumberKind

HASH_BYTES = 16
"""Of an HMAC's 32: two of 10**8 numbers share one with a chance of 10**-23."""
ANYWHERE = "??"
"""Where a number's subdivision cannot be told, as in US-??: it may be each of them."""
_KINDS = {
    Kind.MOBILE: NumberKind.MOBILE,
    Kind.FIXED_LINE: NumberKind.FIXED,
    Kind.FIXED_LINE_OR_MOBILE: NumberKind.FIXED_OR_MOBILE,
    Kind.VOIP: NumberKind.VOIP,
    Kind.PERSONAL_NUMBER: NumberKind.PERSONAL,
    Kind.TOLL_FREE: NumberKind.TOLL_FREE,
    Kind.SHARED_COST: NumberKind.SHARED_COST,
    Kind.PREMIUM_RATE: NumberKind.PREMIUM,
    Kind.UAN: NumberKind.COMPANY,
    Kind.PAGER: NumberKind.PAGER,
    Kind.VOICEMAIL: NumberKind.VOICEMAIL,
}
_STATES = {
    "Alabama": "AL", "Alaska": "AK", "Arizona": "AZ", "Arkansas": "AR", "California": "CA", "Colorado": "CO",
    "Connecticut": "CT", "Delaware": "DE", "Florida": "FL", "Georgia": "GA", "Hawaii": "HI", "Idaho": "ID",
    "Illinois": "IL", "Indiana": "IN", "Iowa": "IA", "Kansas": "KS", "Kentucky": "KY", "Louisiana": "LA",
    "Maine": "ME", "Maryland": "MD", "Massachusetts": "MA", "Michigan": "MI", "Minnesota": "MN",
    "Mississippi": "MS", "Missouri": "MO", "Montana": "MT", "Nebraska": "NE", "Nevada": "NV",
    "New Hampshire": "NH", "New Jersey": "NJ", "New Mexico": "NM", "New York": "NY", "North Carolina": "NC",
    "North Dakota": "ND", "Ohio": "OH", "Oklahoma": "OK", "Oregon": "OR", "Pennsylvania": "PA",
    "Rhode Island": "RI", "South Carolina": "SC", "South Dakota": "SD", "Tennessee": "TN", "Texas": "TX",
    "Utah": "UT", "Vermont": "VT", "Virginia": "VA", "Washington": "WA", "Washington D.C.": "DC",
    "West Virginia": "WV", "Wisconsin": "WI", "Wyoming": "WY",
}  # fmt: skip
"""How the numbering plan's places name a state that is no town's suffix."""
_UNKNOWN_ZONE = "Etc/Unknown"


def hash_number(key: bytes, number: str) -> bytes:
    """Return the name under which a number (E.164) stands in lists: an HMAC-SHA256 under the house's key.

    Who steals a list without the key learns no number, though there are few enough numbers to try them all.
    """
    return hmac.digest(key, number.encode("ascii", "replace"), hashlib.sha256)[:HASH_BYTES]


@lru_cache(maxsize=65_536)
def kind_of(number: str) -> NumberKind | None:
    """Return what kind of line an E.164 number is; None when it is no number that can be called."""
    parsed = _parsed(number)
    return _KINDS.get(phonenumbers.number_type(parsed)) if parsed else None


def is_callable(number: str) -> bool:
    """Whether an E.164 number is one that can be called."""
    return kind_of(number) is not None


@lru_cache(maxsize=65_536)
def regions_of(
    number: str | None, country: str | None = None, subdivision: str | None = None
) -> frozenset[str]:
    """Return the regions a customer may be in: the number's, and those their address names.

    Countries are ISO 3166 codes; states of the United States follow as US-FL, or US-?? when only the country
    is known.
    """
    regions: set[str] = set()
    if country:
        regions.add(country)
        if subdivision:
            regions.add(f"{country}-{subdivision}")
        elif country == "US":
            regions.add(f"US-{ANYWHERE}")
    parsed = _parsed(number) if number else None
    if parsed is not None and (found := phonenumbers.region_code_for_number(parsed)):
        regions.add(found)
        if found == "US":
            regions.add(f"US-{_state_of(parsed) or ANYWHERE}")
    return frozenset(regions)


def _state_of(number: phonenumbers.PhoneNumber) -> str | None:
    from phonenumbers import geocoder  # names of places in all languages: half a second, for few numbers

    place = geocoder.description_for_number(number, "en")
    _, comma, suffix = place.rpartition(", ")
    return suffix if comma and len(suffix) == 2 else _STATES.get(place)


@lru_cache(maxsize=65_536)
def possible_zones(zone: str | None, number: str | None, country: str | None = None) -> tuple[ZoneInfo, ...]:
    """Return every zone the customer may be in; empty when we cannot tell, which bars the call.

    All count that the number may mean, and that the address may: the zone it states, else those of its country
    where that is not the number's. A stated zone nobody knows leaves none.
    """
    found: dict[str, None] = {}
    parsed = _parsed(number) if number else None
    if parsed is not None:
        found |= dict.fromkeys(number_zones.time_zones_for_number(parsed))
    if zone:
        try:
            found[ZoneInfo(zone).key] = None
        except (KeyError, ValueError):
            return ()
    elif country and (parsed is None or phonenumbers.region_code_for_number(parsed) != country):
        zones = _zones_of(country)
        if not zones:
            return ()
        found |= dict.fromkeys(zones)
    found.pop(_UNKNOWN_ZONE, None)
    return tuple(map(ZoneInfo, found))


@lru_cache(maxsize=512)
def _zones_of(country: str) -> tuple[str, ...]:
    """Return the zones of a country, by the locale data's list of which zone lies where."""
    return tuple(sorted(name for name, where in get_global("zone_territories").items() if where == country))


@lru_cache(maxsize=65_536)
def _parsed(number: str) -> phonenumbers.PhoneNumber | None:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    return parsed if phonenumbers.is_valid_number(parsed) else None
