"""Keep the catalog, and grant from it: whoever holds an offer's row counts alone what was granted of it."""

from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, select

from callcenter.domain.ids import derived_id
from callcenter.domain.offers import OfferTerms
from callcenter.errors import NotFound
from callcenter.models import ContactAttempt, Offer, OfferGrant
from callcenter.offers.queries import terms_of, times_granted
from callcenter.offers.rules import day_of


def lock_offer(session: Session, code: str) -> Offer:
    """Lock an offer until the commit; the last row in the order of locks. Raises NotFound."""
    row = session.exec(
        select(Offer)
        .where(Offer.code == code)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        raise NotFound("There is no such offer.")
    return row


def add_offer(session: Session, code: str, terms: OfferTerms, user_id: UUID | None, now: datetime) -> Offer:
    """Add an offer to the catalog; its code is new."""
    row = Offer(code=code, created_at=now, changed_at=now, changed_by=user_id, **_columns(terms))
    session.add(row)
    session.flush()
    return row


def change_offer(row: Offer, terms: OfferTerms, user_id: UUID | None, now: datetime) -> dict[str, list[str]]:
    """Change a locked offer; return what it said and says now, by field, empty when nothing changed.

    What was granted keeps the value and the cost it was granted with.
    """
    before, after = _columns(terms_of(row)), _columns(terms)
    changed = {name: [str(before[name]), str(after[name])] for name in after if before[name] != after[name]}
    for name in changed:
        setattr(row, name, after[name])
    if changed:
        row.version, row.changed_at, row.changed_by = row.version + 1, now, user_id
    return changed


def _columns(terms: OfferTerms) -> dict[str, Any]:
    said = {one.name: getattr(terms, one.name) for one in fields(terms)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()}


def end_offer(row: Offer, user_id: UUID | None, now: datetime, *, ended: bool) -> bool:
    """End a locked offer, or let it run again; False when it is so already."""
    if (row.ended_at is not None) == ended:
        return False
    row.ended_at, row.changed_at, row.changed_by = (now if ended else None), now, user_id
    return True


def grant(session: Session, row: Offer, attempt: ContactAttempt, agent_id: UUID, now: datetime) -> OfferGrant:
    """Grant a locked offer on an attempt."""
    nth = times_granted(session, attempt.id, row.code)
    one = OfferGrant(
        id=derived_id("offer-grant", attempt.id, row.code, nth),
        offer_code=row.code,
        offer_version=row.version,
        attempt_id=attempt.id,
        call_task_id=attempt.call_task_id,
        customer_id=attempt.customer_id,
        agent_id=agent_id,
        currency=row.currency,
        value=row.value,
        cost=row.cost,
        granted_at=now,
        day_on=day_of(terms_of(row), now),
    )
    session.add(one)
    session.flush()
    return one


def take_back(one: OfferGrant, now: datetime) -> bool:
    """Take a grant back, its offer being locked; False when it was before."""
    if one.taken_back_at is not None:
        return False
    one.taken_back_at = now
    return True
