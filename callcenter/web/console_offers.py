"""Offers on the console: what the customer before the agent may have, and why they may not."""

from datetime import datetime
from typing import Any

from callcenter import offering
from callcenter.domain.enums import TaskState
from callcenter.models import Agent
from callcenter.offers.rules import until_of
from callcenter.reporting.calls import Case
from callcenter.web.edge import chosen
from callcenter.web.pages.frame import Money
from callcenter.web.pages.offers import OfferDesk, OfferRow


def offers_about(session: Any, case: Case, agent: Agent, now: datetime) -> OfferDesk:
    """Return the offers meant for a call, in words of the customer's language where they are to be said."""
    rows = [
        _row(one, case.customer.language)
        for one in offering.offers_on_call(session, case.task, agent.id, now)
    ]
    is_open = case.task.state in (TaskState.ASSIGNED, TaskState.WRAPPING)
    return OfferDesk(tuple(rows), is_open and offering.is_spoken(case.attempt))


def _row(one: offering.OnCall, spoken: str) -> OfferRow:
    offer, grant = one.offer, one.grant
    return OfferRow(
        code=offer.code,
        name=chosen(offer.name, offer.code),
        words=str(offer.words.get(spoken) or offer.words.get("en", "")),
        value=Money(grant.value if grant else offer.value, offer.currency),
        why_not=() if grant else tuple(str(bar.why) for bar in one.barred),
        until=None if grant else until_of(one.barred),
        grant_id=str(grant.id) if grant else None,
        granted_at=grant.granted_at if grant else None,
    )
