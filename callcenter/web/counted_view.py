"""The customers behind one count of a rule's firings, in the viewer's words; numbers masked."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from sqlmodel import Session

from callcenter import studying
from callcenter.errors import NotFound
from callcenter.journeys.queries import journeys_loaded
from callcenter.learning.windows import Part
from callcenter.triggers.queries import current_rules
from callcenter.web.behind_view import person_row
from callcenter.web.counts import ngettext
from callcenter.web.edge import chosen, frame, zone
from callcenter.web.effects_asked import Asked, part_asked, window_words
from callcenter.web.formats import number
from callcenter.web.pages import analyses as page

PARTS = {
    Part.FIRED: _l("Fired"),
    Part.HELD_OUT: _l("Held out"),
    Part.CALLED: _l("Called"),
    Part.REACHED: _l("Reached"),
    Part.CONVERTED: _l("Converted"),
    Part.CONVERTED_HELD_OUT: _l("Held out and converted"),
}


def counted_page(
    session: Session, asked: Asked, args: Mapping[str, str], user_id: UUID, now: datetime
) -> page.PeoplePage:
    """List the customers behind the count `part` of the rule that is asked for. Raises NotFound."""
    rules = current_rules(session, journeys_loaded(session))
    rule = rules.current(asked.rule) if asked.rule else None
    if rule is None:
        raise NotFound(gettext("There is no such rule. Choose one on the page of effects."))
    part = part_asked(args.get("part"))
    found = studying.list_people_counted(session, rule.spec.key, part, asked.window(rules, now), user_id, now)
    told = ngettext("%(n)s person", "%(n)s people", found.count, n=number(found.count))
    if found.count > len(found.people):
        told = gettext(
            "%(people)s; the %(shown)s latest of those counted", people=told, shown=len(found.people)
        )
    said = [chosen(rule.spec.title, rule.spec.key), str(PARTS[part])]
    if asked.code != "all":
        said.append(window_words(asked, 0, now.astimezone(zone()).date()))
    return page.PeoplePage(
        frame("effects"),
        " · ".join(said),
        told,
        asked.url(),
        gettext("Effects"),
        tuple(
            person_row(customer, one.journey_key)
            for one in found.people
            if (customer := found.customers.get(one.customer_id)) is not None
        ),
    )
