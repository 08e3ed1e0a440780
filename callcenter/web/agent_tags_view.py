"""The tags agents may give a customer, in the agent's words."""

from sqlmodel import Session

from callcenter.models import Customer
from callcenter.segments.queries import agent_tags
from callcenter.web.edge import chosen
from callcenter.web.pages.console import TagChoice


def agent_tags_of(session: Session, customer: Customer) -> tuple[TagChoice, ...]:
    """Return the tags of the list, and those given up that the customer still has; which of them they have."""
    known = {one.code: one for one in agent_tags(session, active_only=False)}
    shown = [one.code for one in known.values() if one.is_active or one.code in customer.agent_tags]
    return tuple(
        TagChoice(code, chosen(known[code].label, code), code in customer.agent_tags) for code in shown
    )
