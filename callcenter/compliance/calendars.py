"""Public holidays, and the days of a weekend that are worked instead of another day; from the holidays library."""

from datetime import date
from functools import lru_cache

import holidays

_COUNTRIES = holidays.list_supported_countries()


def subdivisions_of(country: str) -> list[str]:
    """Return the subdivisions of a country whose holidays are known."""
    return _COUNTRIES.get(country, [])


def calendar_problem(country: str, subdivision: str | None = None) -> str | None:
    """Return why there is no calendar of this country and subdivision; None when there is one."""
    if country not in _COUNTRIES:
        return f"no holidays are known of {country!r}"
    if subdivision is not None and subdivision not in _COUNTRIES[country]:
        known = ", ".join(_COUNTRIES[country]) or "none"
        return f"{country} has no holidays of {subdivision!r}; known are {known}"
    return None


class Calendar:
    """The holidays of a country; with subdivisions, a day counts that is one in any of them."""

    __slots__ = ("country", "subdivisions")

    def __init__(self, country: str, subdivisions: tuple[str, ...]) -> None:
        self.country = country
        self.subdivisions = subdivisions

    def is_holiday(self, day: date) -> bool:
        """Whether a day is a public holiday in the country or in any of the subdivisions."""
        return day in _days(self.country, self.subdivisions, day.year)[0]

    def is_workday(self, day: date) -> bool:
        """Whether a day of a weekend is worked instead of another day."""
        return day in _days(self.country, self.subdivisions, day.year)[1]

    def __str__(self) -> str:
        return f"{self.country} ({', '.join(self.subdivisions)})" if self.subdivisions else self.country


@lru_cache(maxsize=512)
def calendar_of(country: str, subdivisions: tuple[str, ...] = ()) -> Calendar:
    """Return the calendar of a country and subdivisions: the same one each time, so that hours compare equal."""
    return Calendar(country, subdivisions)


@lru_cache(maxsize=4096)
def _days(country: str, subdivisions: tuple[str, ...], year: int) -> tuple[frozenset[date], frozenset[date]]:
    """Return the holidays of a year and its worked weekend days, where the library knows them."""
    off: set[date] = set()
    worked: set[date] = set()
    for subdivision in (None, *subdivisions):
        known = holidays.country_holidays(country, subdiv=subdivision, years=year)
        off |= {day for day in known if day.year == year}
        worked |= {day for day in getattr(known, "weekend_workdays", ()) if day.year == year}
    return frozenset(off), frozenset(worked - off)
