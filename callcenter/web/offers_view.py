"""The catalog of offers as the studio shows it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from zoneinfo import available_timezones

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from sqlmodel import Session

from callcenter.journeys.queries import journeys_loaded
from callcenter.models import Offer
from callcenter.offers import queries
from callcenter.reporting.acts import last_acts
from callcenter.triggers.queries import current_rules
from callcenter.web.counts import ngettext
from callcenter.web.edge import chosen, frame, language, zone
from callcenter.web.offer_form import LISTS, ticked_of, values_of
from callcenter.web.pages import offers as page
from callcenter.web.pages.frame import Money
from callcenter.web.pages.rules import Option
from callcenter.web.words import step_words

SHOWN_ACTS = 12
NOTHING = (0, Decimal(0))

_ACTS = {
    "offer.added": _l("added it"),
    "offer.changed": _l("changed"),
    "offer.ended": _l("ended it"),
    "offer.resumed": _l("let it run again"),
}
_FIELDS = {
    "name": _l("its name"),
    "words": _l("what to say"),
    "currency": _l("the currency"),
    "value": _l("its worth"),
    "cost": _l("its cost"),
    "journeys": _l("the journeys"),
    "steps": _l("the steps"),
    "rules": _l("the rules"),
    "tags": _l("the tags"),
    "valid_from": _l("its beginning"),
    "valid_until": _l("its end"),
    "per_customer": _l("the limit of a customer"),
    "per_customer_days": _l("the days of that limit"),
    "per_agent_day": _l("the limit of an agent"),
    "per_day": _l("the limit of a day"),
    "time_zone": _l("the time zone"),
}


def catalog_page(session: Session, now: datetime) -> page.CatalogPage:
    """Return every offer, those that run first."""
    given = queries.standing_grants(session)
    names = _names(session)
    rows = tuple(_row(one, given.get(one.code, NOTHING), names, now) for one in queries.offers(session))
    return page.CatalogPage(
        frame("offers", live_url="/live/studio", state_url="/studio/offers/state"), offers=rows
    )


def _names(session: Session) -> Mapping[str, str]:
    """What journeys, steps and rules are called; a kind apart from the others, since their names may be alike."""
    journeys = journeys_loaded(session)
    names = {f"journeys {one.id}": chosen(one.title, one.id) for one in journeys.values()}
    for journey in journeys.values():
        for step in journey.steps:
            names[f"steps {journey.id}/{step.id}"] = step_words(journey, step.id, language())
    for rule in current_rules(session, journeys).all_current():
        names[f"rules {rule.spec.key}"] = chosen(rule.spec.title, rule.spec.key)
    return names


def _row(one: Offer, given: tuple[int, Decimal], names: Mapping[str, str], now: datetime) -> page.CatalogRow:
    count, spent = given
    return page.CatalogRow(
        code=one.code,
        name=chosen(one.name, one.code),
        href=f"/studio/offers/{one.code}",
        state=_state(one, now),
        value=Money(one.value, one.currency),
        cost=Money(one.cost, one.currency),
        cost_of_all=Money(spent, one.currency),
        given=count,
        meant_for=_meant_for(one, names),
        limits=_limits(one),
        valid_from=one.valid_from,
        valid_until=one.valid_until,
    )


def _state(one: Offer, now: datetime) -> str:
    if one.ended_at is not None:
        return "ended"
    if now < one.valid_from:
        return "not_begun"
    return "over" if one.valid_until is not None and now >= one.valid_until else "live"


def _meant_for(one: Offer, names: Mapping[str, str]) -> str:
    named = [(kind, value) for kind in LISTS for value in getattr(one, kind)]
    parts = [names.get(f"{kind} {value}", value) for kind, value in named]
    if one.tags:
        parts.append(gettext("tagged %(tags)s", tags=", ".join(one.tags)))
    return gettext("; ").join(parts) if parts else gettext("every call")


def _limits(one: Offer) -> str:
    parts = []
    few, days = one.per_customer, one.per_customer_days
    if few is not None and days is not None:
        parts.append(
            ngettext("%(n)s a customer in %(num)s day", "%(n)s a customer in %(num)s days", days, n=few)
        )
    elif one.per_customer is not None:
        parts.append(gettext("%(n)s a customer", n=one.per_customer))
    if one.per_agent_day is not None:
        parts.append(gettext("%(n)s an agent and day", n=one.per_agent_day))
    if one.per_day is not None:
        parts.append(gettext("%(n)s a day", n=one.per_day))
    return gettext("; ").join(parts) if parts else gettext("no limit")


def new_offer_page(
    session: Session,
    values: Mapping[str, str] | None = None,
    ticked: Mapping[str, tuple[str, ...]] | None = None,
    problems: Mapping[str, str] | None = None,
) -> page.OfferFormPage:
    """Return the form of a new offer, filled in with what was typed."""
    usual = {"currency": "CNY", "per_customer": "1", "per_customer_days": "90", "time_zone": zone().key}
    journeys, steps, rules = _choices(session, {})
    return page.OfferFormPage(
        frame=frame("offers"),
        code=None,
        values=usual if values is None else values,
        ticked=ticked or {},
        journeys=journeys,
        steps=steps,
        rules=rules,
        zones=tuple(sorted(available_timezones())),
        problems=_said(problems),
    )


def _said(problems: Mapping[str, str] | None) -> dict[str, str]:
    return {name: gettext(text) for name, text in (problems or {}).items()}


def offer_page(
    session: Session,
    code: str,
    now: datetime,
    values: Mapping[str, str] | None = None,
    ticked: Mapping[str, tuple[str, ...]] | None = None,
    problems: Mapping[str, str] | None = None,
) -> page.OfferFormPage:
    """Return the form of an offer with who changed what; what was typed stays. Raises NotFound."""
    row = queries.offer_of(session, code)
    journeys, steps, rules = _choices(session, ticked_of(row))
    acts = last_acts(session, f"offer {code}", "offer", now, SHOWN_ACTS)
    return page.OfferFormPage(
        frame=frame("offers"),
        code=code,
        values=values_of(row) if values is None else values,
        ticked=ticked_of(row) if ticked is None else ticked,
        journeys=journeys,
        steps=steps,
        rules=rules,
        zones=tuple(sorted(available_timezones())),
        version=row.version,
        is_ended=row.ended_at is not None,
        given=queries.standing_grants(session).get(code, NOTHING)[0],
        problems=_said(problems),
        changes=tuple(
            page.OfferChange(
                str(_ACTS.get(one.act, one.act)),
                one.at,
                one.by,
                tuple(str(_FIELDS.get(name, name)) for name in one.detail.get("changed", {})),
            )
            for one in acts
        ),
    )


def _choices(
    session: Session, kept: Mapping[str, tuple[str, ...]]
) -> tuple[tuple[Option, ...], tuple[Option, ...], tuple[Option, ...]]:
    """Return what may be ticked; what an offer names already may stay, also where it is not there any more."""
    journeys = journeys_loaded(session)
    courses = [Option(one.id, chosen(one.title, one.id)) for one in journeys.values()]
    steps = [
        Option(f"{one.id}/{step.id}", step_words(one, step.id, language()), chosen(one.title, one.id))
        for one in journeys.values()
        for step in one.steps
    ]
    rules = [
        Option(one.spec.key, chosen(one.spec.title, one.spec.key))
        for one in current_rules(session, journeys).all_current()
    ]
    found = []
    for kind, there in (("journeys", courses), ("steps", steps), ("rules", rules)):
        known = {one.value for one in there}
        left = [value for value in kept.get(kind, ()) if value not in known]
        gone = [Option(value, value, gettext("Not there any more")) for value in left]
        found.append((*there, *gone))
    return found[0], found[1], found[2]
