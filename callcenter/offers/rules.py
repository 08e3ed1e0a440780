"""May this offer be granted on this call? Facts in, all reasons out; no I/O, no clock."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from zoneinfo import ZoneInfo, available_timezones

from callcenter.domain.offers import (
    MAX_CODE,
    MAX_COUNT,
    MAX_DAYS,
    MAX_MONEY,
    MAX_NAME,
    MAX_TAGS,
    MAX_WORDS,
    OfferBar,
    OfferTerms,
)

_CODE = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{MAX_CODE - 1}}}")
_CURRENCY = re.compile(r"[A-Z]{3}")
LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True)
class About:
    """One reason a call is made for: journey, step and the key of its rule."""

    journey: str
    step: str
    rule: str


@dataclass(frozen=True, slots=True)
class Occasion:
    """A call on which something may be granted: its reasons, the customer's tags, whether they refuse marketing."""

    reasons: tuple[About, ...]
    tags: frozenset[str]
    objects: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """What was granted of one offer and not taken back: to this customer (when, newest last), and today."""

    by_customer: Sequence[datetime] = ()
    by_agent_today: int = 0
    today: int = 0


@dataclass(frozen=True, slots=True)
class Barred:
    """One reason why not, and until when; None where waiting does not help."""

    why: OfferBar
    until: datetime | None = None


def is_for(terms: OfferTerms, occasion: Occasion) -> bool:
    """Whether an offer is meant for such a call: one of its reasons fits, and one of its tags if it has any."""
    if terms.tags and occasion.tags.isdisjoint(terms.tags):
        return False
    return any(_fits(terms, one) for one in occasion.reasons)


def _fits(terms: OfferTerms, about: About) -> bool:
    return (
        (not terms.journeys or about.journey in terms.journeys)
        and (not terms.steps or f"{about.journey}/{about.step}" in terms.steps)
        and (not terms.rules or about.rule in terms.rules)
    )


def day_of(terms: OfferTerms, now: datetime) -> date:
    """Return the day of an offer's limits: that of its zone."""
    return now.astimezone(ZoneInfo(terms.time_zone)).date()


def why_not(terms: OfferTerms, occasion: Occasion, taken: Taken, now: datetime) -> tuple[Barred, ...]:
    """Name every reason why an offer may not be granted now; none means it may be."""
    found = []
    if now < terms.valid_from:
        found.append(Barred(OfferBar.NOT_BEGUN, terms.valid_from))
    if terms.valid_until is not None and now >= terms.valid_until:
        found.append(Barred(OfferBar.OVER))
    if occasion.objects:
        found.append(Barred(OfferBar.OBJECTS))
    if (full := _customer_full(terms, taken.by_customer, now)) is not None:
        found.append(full)
    tomorrow = _tomorrow(terms, now)
    if terms.per_agent_day is not None and taken.by_agent_today >= terms.per_agent_day:
        found.append(Barred(OfferBar.AGENT_LIMIT, tomorrow))
    if terms.per_day is not None and taken.today >= terms.per_day:
        found.append(Barred(OfferBar.DAY_LIMIT, tomorrow))
    return tuple(found)


def _customer_full(terms: OfferTerms, granted: Sequence[datetime], now: datetime) -> Barred | None:
    """The limit of a customer counts a rolling span of days, or all their grants where no days are named."""
    if terms.per_customer is None:
        return None
    if terms.per_customer_days is None:
        return Barred(OfferBar.CUSTOMER_LIMIT) if len(granted) >= terms.per_customer else None
    span = timedelta(days=terms.per_customer_days)
    counted = sorted(at for at in granted if at + span > now)
    if len(counted) < terms.per_customer:
        return None
    return Barred(OfferBar.CUSTOMER_LIMIT, counted[len(counted) - terms.per_customer] + span)


def _tomorrow(terms: OfferTerms, now: datetime) -> datetime:
    zone = ZoneInfo(terms.time_zone)
    return datetime.combine(day_of(terms, now) + timedelta(days=1), clock_time(0), zone)


def until_of(barred: Sequence[Barred]) -> datetime | None:
    """Return when the last of some reasons is gone; None where one of them stays."""
    times = [one.until for one in barred]
    return None if None in times or not times else max(at for at in times if at is not None)


@dataclass(frozen=True, slots=True)
class Known:
    """What an offer may name: journeys, their steps as journey/step, and rules."""

    journeys: Collection[str]
    steps: Collection[str]
    rules: Collection[str]


def problems_of(code: str, terms: OfferTerms, known: Known) -> Mapping[str, str]:
    """Return what is wrong with an offer, by field, as sentences to show; empty when it can be kept."""
    wrong = {**_wrong_words(terms), **_wrong_money(terms), **_wrong_limits(terms)}
    if not _CODE.fullmatch(code):
        wrong["code"] = "Use lower-case letters, digits and -, up to 40 of them."
    for field, named, there in (
        ("journeys", terms.journeys, known.journeys),
        ("steps", terms.steps, known.steps),
        ("rules", terms.rules, known.rules),
    ):
        if set(named) - set(there):
            wrong[field] = "Something chosen is not there any more. Choose again."
    return wrong


def _wrong_words(terms: OfferTerms) -> Mapping[str, str]:
    wrong = {}
    for language in LANGUAGES:
        if not 0 < len(terms.name.get(language, "")) <= MAX_NAME:
            wrong[f"name_{language}"] = "Give a name of at most 60 letters."
        if not 0 < len(terms.words.get(language, "")) <= MAX_WORDS:
            wrong[f"words_{language}"] = "Write what to say, in at most 400 letters."
    if any(len(tag) > MAX_CODE for tag in terms.tags) or len(terms.tags) > MAX_TAGS:
        wrong["tags"] = "Name at most 20 tags of at most 40 letters."
    return wrong


def _wrong_money(terms: OfferTerms) -> Mapping[str, str]:
    wrong = {}
    if not _CURRENCY.fullmatch(terms.currency):
        wrong["currency"] = "Use a code of three letters, such as CNY."
    for field, amount in (("value", terms.value), ("cost", terms.cost)):
        if not amount.is_finite() or not 0 <= amount <= MAX_MONEY or amount != round(amount, 2):
            wrong[field] = "Give an amount from 0, with at most two decimals."
    return wrong


def _wrong_limits(terms: OfferTerms) -> Mapping[str, str]:
    wrong = {}
    if terms.valid_until is not None and terms.valid_until <= terms.valid_from:
        wrong["valid_until"] = "Choose an end after the beginning."
    if terms.time_zone not in available_timezones():
        wrong["time_zone"] = "Use the name of a time zone, such as Asia/Shanghai."
    for field, few, most in _counts(terms):
        if few is not None and not 1 <= few <= most:
            wrong[field] = "Give a whole number from 1, or leave it empty for no limit."
    if terms.per_customer_days is not None and terms.per_customer is None:
        wrong["per_customer"] = "Say how many in so many days."
    return wrong


def _counts(terms: OfferTerms) -> tuple[tuple[str, int | None, int], ...]:
    return (
        ("per_customer", terms.per_customer, MAX_COUNT),
        ("per_customer_days", terms.per_customer_days, MAX_DAYS),
        ("per_agent_day", terms.per_agent_day, MAX_COUNT),
        ("per_day", terms.per_day, MAX_COUNT),
    )
