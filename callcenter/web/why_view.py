"""The page that answers why a rule fired for a customer, or why not."""

from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from flask_babel import gettext
from sqlmodel import Session

from callcenter.errors import CallCenterError
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import Visit
from callcenter.reporting.trace_in_words import trace_words
from callcenter.traces import Story, story_of
from callcenter.triggers.queries import current_rules
from callcenter.web.edge import chosen, frame, language, zone
from callcenter.web.formats import when
from callcenter.web.pages import rules as page
from callcenter.web.rules_view import words_of


def why_page(
    session: Session, rule: str, customer: str, visit_id: UUID | None, now: datetime
) -> tuple[page.WhyPage, int]:
    """Return the page and its status; without rule and customer it only asks for them."""
    options = tuple(
        page.Option(one.spec.key, chosen(one.spec.title, one.spec.key))
        for one in current_rules(session, journeys_loaded(session)).all_current()
    )
    if rule and rule not in {one.value for one in options}:
        options = (*options, page.Option(rule, rule))
    head = frame("rules")
    if not rule or not customer:
        return page.WhyPage(head, rule, customer, options), 200
    try:
        story = story_of(session, rule, customer, now, visit_id)
    except CallCenterError as error:
        return page.WhyPage(head, rule, customer, options, problem=error.message), error.status
    words = trace_words(story.journey, language(), now, zone())
    return page.WhyPage(
        head,
        rule,
        customer,
        options,
        headline=words.headline(story.trace),
        words=words_of(story.rule.definition, story.journey)[0],
        lines=tuple(page.WhyLine(one.way, one.text, one.depth) for one in words.lines(story.trace)),
        visits=tuple(_visit(story, one, customer, now) for one in story.visits),
    ), 200


def _visit(story: Story, visit: Visit, customer: str, now: datetime) -> page.WhyVisit:
    asked = {"rule": story.rule.rule_key, "customer": customer, "visit": visit.id}
    label = gettext("Visit %(n)s, %(at)s", n=visit.visit_seq, at=when(visit.entered_at, now))
    is_chosen = story.chosen is not None and story.chosen.id == visit.id
    return page.WhyVisit(label, "/studio/why?" + urlencode(asked), is_chosen)
