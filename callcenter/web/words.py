"""Finished words for rows: customers' names, numbers, money, event lines; in the viewer's language."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from flask_babel import gettext

from callcenter.domain.journey import JourneyDefinition
from callcenter.models import Customer, JourneyEvent
from callcenter.web.counts import ngettext
from callcenter.web.pages.console import TimelineEvent
from callcenter.web.pages.frame import Money

_DOTS = "••••"
_MALE, _FEMALE = ("m", "male", "男"), ("f", "female", "女")


def mask_number(number: str | None) -> str:
    """Show only enough of a number to tell two apart: the first three and the last four digits."""
    if not number:
        return gettext("no number")
    try:
        national = phonenumbers.national_significant_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return _DOTS
    if len(national) < 9:
        return f"{_DOTS} {national[-2:]}"
    return f"{national[:3]} {_DOTS} {national[-4:]}"


def is_chinese(name: str) -> bool:
    """Whether a name is written in Chinese characters."""
    return any("\u4e00" <= letter <= "\u9fff" for letter in name)


def salutation(customer: Customer, language: str) -> str:
    """Mr, Ms, 先生, 女士; empty when the gender is not known."""
    gender = (customer.gender or "").lower()
    if gender in _MALE:
        return "先生" if language == "zh" else "Mr"
    if gender in _FEMALE:
        return "女士" if language == "zh" else "Ms"
    return ""


def surname(customer: Customer) -> str:
    """The family name: the first character of a Chinese name, else the last word, or the first in pinyin order."""
    name = (customer.name or "").strip()
    if not name:
        return ""
    if is_chinese(name):
        return name[:1]
    words = name.split()
    return words[0] if customer.language == "zh" else words[-1]


def short_name(customer: Customer) -> str:
    """How one speaks of the customer: Mr Chen, 陈先生; the full name when the gender is not known."""
    title, family = salutation(customer, customer.language), surname(customer)
    if not title or not family:
        return customer.name or gettext("the customer")
    return f"{family}{title}" if customer.language == "zh" and is_chinese(family) else f"{title} {family}"


def amount_of(value: Any, currency: str) -> Money | None:
    """An amount that came with an event or a trait; None when it is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Money(Decimal(str(value)), currency)


def place_of(customer: Customer) -> str:
    """The city, else the zone's own name."""
    if customer.city:
        return customer.city
    return (customer.time_zone or "").rpartition("/")[2].replace("_", " ")


def greeting(language: str, local: datetime) -> str:
    """The greeting of the customer's time of day, in the customer's language."""
    if language == "zh":
        return "上午好" if local.hour < 12 else "下午好" if local.hour < 18 else "晚上好"
    return "Good morning" if local.hour < 12 else "Good afternoon" if local.hour < 18 else "Good evening"


def zone_of(customer: Customer) -> ZoneInfo | None:
    """The customer's stated time zone."""
    return ZoneInfo(customer.time_zone) if customer.time_zone else None


def event_words(journey: JourneyDefinition | None, code: str, language: str) -> str:
    """The words for an event name or a reason, from the journey's file; else the code made readable."""
    texts: Mapping[str, str] = journey.labels.get(code, {}) if journey else {}
    return texts.get(language) or texts.get("en") or code.replace("_", " ").capitalize()


def step_words(journey: JourneyDefinition | None, step: str, language: str) -> str:
    """A step's title in a language."""
    if journey is None or step not in journey.order:
        return step
    titles = journey.step(step).title
    return titles.get(language) or titles.get("en") or step


def error_words(journey: JourneyDefinition | None, error: str, reason: str | None, language: str) -> str:
    """An error with its reason: Photo rejected: glare."""
    words = event_words(journey, error, language)
    if not reason:
        return words
    colon = "：" if language == "zh" else ": "
    return f"{words}{colon}{event_words(journey, reason, language)}"


def timeline_event(
    event: JourneyEvent, journey: JourneyDefinition | None, language: str
) -> TimelineEvent | None:
    """One line of the timeline; None for an event that tells an agent nothing."""
    if event.kind in ("identify", "alias", "group"):
        return None
    reason = event.properties.get("reason") or event.properties.get("code")
    if event.role == "error":
        text = error_words(journey, event.name, str(reason) if reason else None, language)
        kind = "rejected" if "reject" in event.name or "refus" in event.name else "error"
    elif event.kind in ("page", "screen") and event.step:
        text, kind = gettext("Opened %(step)s", step=step_words(journey, event.step, language)), "opened"
        kind = {"register": "registered", "sign_in": "signed_in"}.get(event.step, kind)
    elif event.step:
        text, kind = event_words(journey, event.name, language), "accepted"
    else:
        text, kind = event_words(journey, event.name, language), "other"
    return TimelineEvent(id=f"e{event.id}", at=event.event_time, kind=kind, text=text)


def headline(
    journey: JourneyDefinition | None,
    rule_title: str,
    facts: Mapping[str, Any],
    preset: str,
    step: str,
    language: str,
) -> str:
    """Why this call, in one line: the error and how often, else what the rule noticed."""
    if facts.get("error") and preset == "trouble":
        error = error_words(journey, facts["error"], facts.get("error_reason"), language)
        times = int(facts.get("errors") or 1)
        if times < 2:
            return error
        return ngettext("%(error)s, once", "%(error)s, %(num)s times", times, error=error)
    where = step_words(journey, step, language)
    if preset == "gone_quiet":
        return gettext("Gone quiet on %(step)s", step=where)
    if preset == "dwell":
        return gettext("Still on %(step)s", step=where)
    return rule_title
