"""Dates that rules wait for: whose comes today, read page by page. What is found is reported as an event."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from sqlmodel import Session

from callcenter.db import cursor_of
from callcenter.domain.enums import RuleState
from callcenter.domain.events import EventValue
from callcenter.domain.ids import derived_id
from callcenter.domain.journey import CALENDAR_RULE
from callcenter.domain.moments import DateMoment, read_date
from callcenter.triggers.queries import RuleSet, RuleVersion

MOST_PRODUCTS = 100
"""Of a customer's dates by product no more are looked at."""

_KNOWN_ZONES = available_timezones()


@dataclass(frozen=True, slots=True)
class Chapter:
    """One day of one rule's dates in one time zone; None are the customers who have said none."""

    rule_key: str
    zone: str | None
    local_zone: str
    day: date

    @property
    def name(self) -> str:
        """What tells it from every other."""
        return f"{self.rule_key}/{self.zone or ''}/{self.day.isoformat()}"


@dataclass(frozen=True, slots=True)
class Found:
    """A date that is announced: of which customer, of which product if the trait says, and the day itself."""

    external_id: str
    product: str
    day: date


_ZONES = "SELECT DISTINCT time_zone FROM customer WHERE external_id IS NOT NULL"
_PAGE = """
SELECT id, external_id, traits -> %(trait)s FROM customer
WHERE time_zone IS NOT DISTINCT FROM %(zone)s AND external_id IS NOT NULL
  AND CASE jsonb_typeof(traits -> %(trait)s)
      WHEN 'string' THEN substr(traits ->> %(trait)s, %(from)s, %(length)s) = ANY(%(days)s)
      WHEN 'object' THEN EXISTS (SELECT FROM jsonb_each_text(traits -> %(trait)s) AS one
                                 WHERE substr(one.value, %(from)s, %(length)s) = ANY(%(days)s))
      ELSE false END
  AND (%(after)s::uuid IS NULL OR id > %(after)s::uuid)
ORDER BY id LIMIT %(limit)s
"""


def chapters_due(session: Session, rules: RuleSet, house_zone: str, now: datetime) -> list[Chapter]:
    """Return what is to be gone through by now: of each live rule with a date, the zones where it is time."""
    waiting = [one for one in rules.all_current() if one.spec.date and one.state == RuleState.LIVE]
    if not waiting:
        return []
    zones = sorted((row[0] for row in cursor_of(session).execute(_ZONES)), key=str)
    due = []
    for version in waiting:
        assert version.spec.date is not None
        for zone in zones:
            local_zone = zone if zone in _KNOWN_ZONES else house_zone
            local = now.astimezone(ZoneInfo(local_zone))
            if local.time() >= version.spec.date.at:
                due.append(Chapter(version.spec.key, zone, local_zone, local.date()))
    return due


def read_page(
    session: Session, version: RuleVersion, chapter: Chapter, after: UUID | None, limit: int
) -> tuple[list[Found], UUID | None]:
    """Read the dates of one page of customers that are announced; and after whom to go on, None at the end.

    What should have been announced before the rule went live, or while it was paused, is left out.
    """
    moment = version.spec.date
    assert moment is not None
    days = tuple(day for day in moment.days(chapter.day) if _began(moment, day, chapter) >= version.state_at)
    facts = {
        "trait": moment.trait,
        "zone": chapter.zone,
        "from": 6 if moment.is_yearly else 1,
        "length": 5 if moment.is_yearly else 10,
        "days": [text for day in days for text in _written(moment, day)],
        "after": after,
        "limit": limit,
    }
    rows = cursor_of(session).execute(_PAGE, facts).fetchall() if days else []
    found = [
        Found(external_id, product, day)
        for _, external_id, value in rows
        for product, on in _dates(value)
        if (day := moment.announced(on, chapter.day)) in days and day is not None
    ]
    return found, rows[-1][0] if len(rows) == limit else None


def announcement(version: RuleVersion, found: Found, now: datetime) -> EventValue:
    """Return the event that reports a date: always with the same message id, so that it is taken once."""
    event = str(version.spec.event)
    properties = {CALENDAR_RULE: version.spec.key, "due_on": found.day.isoformat()}
    if found.product:
        properties["product"] = found.product
    one = derived_id("announcement", version.spec.key, found.external_id, found.product, found.day)
    return EventValue(
        message_id=f"date-{one}",
        kind="track",
        name=event,
        step_key=event,
        event_time=now,
        received_at=now,
        user_id=found.external_id,
        properties=properties,
    )


def _began(moment: DateMoment, day: date, chapter: Chapter) -> datetime:
    return datetime.combine(day - moment.before, moment.at, ZoneInfo(chapter.local_zone))


def _written(moment: DateMoment, day: date) -> Iterable[str]:
    """How a date that falls on this day begins, or for a yearly one goes on, in the customers' traits."""
    if not moment.is_yearly:
        return (day.isoformat(),)
    leapling = moment.announced(date(1904, 2, 29), day - moment.before) == day
    return (f"{day:%m-%d}", "02-29") if leapling else (f"{day:%m-%d}",)


def _dates(value: Any) -> Iterator[tuple[str, date]]:
    """Read a trait that is one date, or a date for each product."""
    by_product: Mapping[Any, Any] = value if isinstance(value, Mapping) else {"": value}
    for product, raw in list(by_product.items())[:MOST_PRODUCTS]:
        on = read_date(raw)
        if on is not None:
            yield str(product), on
