"""The people behind a number, and one customer's story, in the viewer's words; numbers masked."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from flask_babel import gettext
from sqlmodel import Session

from callcenter import studying
from callcenter.domain.journey import JourneyDefinition
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import Customer
from callcenter.reporting.analyses.asked import Line
from callcenter.reporting.analyses.recipes import RECIPES
from callcenter.reporting.analyses.run import Behind, spans_beside
from callcenter.reporting.person_story import Moment
from callcenter.web.analyses_asked import PATH, Asked, names_of
from callcenter.web.analyses_words import FIGURES, MODELS, Names, group_words, label_words
from callcenter.web.counts import ngettext
from callcenter.web.edge import frame, language
from callcenter.web.formats import label, number
from callcenter.web.pages import analyses as page
from callcenter.web.words import error_words, event_words, mask_number, place_of, step_words
from scripts_library.catalog import Catalog


def people_page(
    session: Session, asked: Asked, args: Mapping[str, str], catalog: Catalog, user_id: UUID, now: datetime
) -> page.PeoplePage:
    """List the people behind a number: `row` and `of` name its row and group, `part` keeps the marked part."""
    question = asked.question
    behind = Behind(args.get("of", ""), args.get("row"), args.get("part") == "1")
    spans = len(spans_beside(session, question, asked.days)) if asked.is_beside else 0
    found = studying.list_people(session, question, behind, user_id, now, 1 + spans)
    names = names_of(session, asked.journey, catalog)
    people = found.count * found.question.sample.times
    told = ngettext("%(n)s person", "%(n)s people", people, n=number(people))
    if found.count > len(found.people) or found.question.sample.times > 1:
        told = gettext(
            "%(people)s; the %(shown)s latest of those counted", people=told, shown=len(found.people)
        )
    return page.PeoplePage(
        frame("analyses"),
        _what(asked, behind, names),
        told,
        f"{PATH}?{asked.query()}",
        gettext("Analyses"),
        tuple(
            person_row(customer, one.journey_key)
            for one in found.people
            if (customer := found.customers.get(one.customer_id)) is not None
        ),
    )


def _what(asked: Asked, behind: Behind, names: Names) -> str:
    question = asked.question
    line = Line(behind.group, behind.label, 0, {})
    part = RECIPES[question.model].part
    names_told = {"back": gettext("Came back"), "error": str(FIGURES["with_error"])}
    said = [
        str(MODELS[question.model]),
        group_words(question.split, behind.group, names),
        label_words(question, line, names) if behind.label else "",
        names_told.get(part, str(FIGURES.get(part, ""))) if behind.part and part else "",
    ]
    return " · ".join(one for one in said if one)


def _name(customer: Customer) -> str:
    return customer.name or gettext("Unnamed customer")


def person_row(customer: Customer, journey_key: str) -> page.PersonRow:
    """Return a customer as a row of a list, the number masked."""
    return page.PersonRow(
        _name(customer),
        mask_number(customer.number),
        place_of(customer),
        tuple(str(tag) for tag in customer.tags),
        journey_key,
        f"/studio/people/{customer.id}",
    )


def person_page(
    session: Session, customer_id: UUID, user_id: UUID, now: datetime, rules: Mapping[str, str]
) -> page.PersonPage:
    """Return one customer's story. Raises NotFound."""
    customer, story = studying.look_at_person(session, customer_id, user_id, now)
    journeys = journeys_loaded(session)
    return page.PersonPage(
        frame("analyses"),
        _name(customer),
        mask_number(customer.number),
        place_of(customer),
        tuple(str(tag) for tag in customer.tags),
        tuple(_line(one, journeys.get(one.journey or ""), rules) for one in story),
    )


def _line(one: Moment, journey: JourneyDefinition | None, rules: Mapping[str, str]) -> page.StoryLine:
    where = step_words(journey, one.step, language()) if one.step else ""
    if one.kind == "firing":
        fate = {
            "task": gettext("a call task was opened"),
            "held_out": gettext("held out"),
            "suppressed": gettext("suppressed: %(why)s", why=label(one.more)),
        }.get(one.result or "", gettext("undecided"))
        return page.StoryLine(
            one.at, one.kind, gettext("Rule fired: %(rule)s", rule=rules.get(one.what, one.what)), fate
        )
    if one.kind == "call":
        result = label(one.result) if one.result else gettext("under way")
        return page.StoryLine(one.at, one.kind, gettext("Called: %(result)s", result=result), label(one.more))
    if one.kind == "conversion":
        return page.StoryLine(one.at, one.kind, gettext("Converted at %(step)s", step=where))
    if one.result == "error":
        return page.StoryLine(one.at, one.kind, error_words(journey, one.what, one.more, language()), where)
    if one.result == "enter":
        return page.StoryLine(one.at, one.kind, gettext("Opened %(step)s", step=where))
    return page.StoryLine(one.at, one.kind, event_words(journey, one.what, language()), where)
