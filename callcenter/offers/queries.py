"""Reads of the catalog and of what was granted."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, func, select

from callcenter.db import cursor_of
from callcenter.domain.offers import OfferTerms
from callcenter.errors import NotFound
from callcenter.models import Offer, OfferGrant
from callcenter.offers.rules import Taken

_TAKEN = """
SELECT g.offer_code,
       array_agg(g.granted_at ORDER BY g.granted_at) FILTER (WHERE g.customer_id = %(customer)s),
       count(*) FILTER (WHERE g.agent_id = %(agent)s AND g.day_on = d.day_on),
       count(*) FILTER (WHERE g.day_on = d.day_on)
  FROM unnest(%(codes)s::text[], %(days)s::date[]) AS d(code, day_on)
  JOIN offer_grant g ON g.offer_code = d.code AND g.taken_back_at IS NULL
   AND (g.day_on = d.day_on OR g.customer_id = %(customer)s)
 GROUP BY g.offer_code
"""


def terms_of(row: Offer) -> OfferTerms:
    """Return what an offer says now."""
    found = ((one.name, getattr(row, one.name)) for one in fields(OfferTerms))
    said: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in found}
    return OfferTerms(**said)


def offers_live(session: Session) -> Sequence[Offer]:
    """List the offers that have not been ended, by their codes."""
    return session.exec(select(Offer).where(col(Offer.ended_at).is_(None)).order_by(col(Offer.code))).all()


def offers(session: Session) -> Sequence[Offer]:
    """List the whole catalog: those that run first, then by code."""
    return session.exec(select(Offer).order_by(col(Offer.ended_at).is_not(None), col(Offer.code))).all()


def offer_of(session: Session, code: str) -> Offer:
    """Return one offer. Raises NotFound."""
    row = session.get(Offer, code)
    if row is None:
        raise NotFound("There is no such offer.")
    return row


def taken(
    session: Session, days: Mapping[str, date], customer_id: UUID, agent_id: UUID
) -> Mapping[str, Taken]:
    """Return, by offer, what was granted and stands; `days` says which day each offer is in now."""
    asked = {"codes": list(days), "days": list(days.values()), "customer": customer_id, "agent": agent_id}
    session.flush()
    rows = cursor_of(session).execute(_TAKEN, asked).fetchall()
    return {code: Taken(tuple(theirs or ()), by_agent, today) for code, theirs, by_agent, today in rows}


def grants_of_attempt(session: Session, attempt_id: UUID) -> Sequence[OfferGrant]:
    """List what was granted on an attempt and stands, in its order."""
    return session.exec(
        select(OfferGrant)
        .where(OfferGrant.attempt_id == attempt_id)
        .where(col(OfferGrant.taken_back_at).is_(None))
        .order_by(col(OfferGrant.granted_at), col(OfferGrant.id))
    ).all()


def times_granted(session: Session, attempt_id: UUID, code: str) -> int:
    """Count how often an offer was granted on an attempt, taken back or not."""
    return session.exec(
        select(func.count())
        .select_from(OfferGrant)
        .where(OfferGrant.attempt_id == attempt_id)
        .where(OfferGrant.offer_code == code)
    ).one()


def standing_grants(session: Session) -> Mapping[str, tuple[int, Decimal]]:
    """Return, by offer, how many grants stand and what they cost together."""
    rows = session.exec(
        select(OfferGrant.offer_code, func.count(), func.sum(col(OfferGrant.cost)))
        .where(col(OfferGrant.taken_back_at).is_(None))
        .group_by(col(OfferGrant.offer_code))
    )
    return {code: (int(n), Decimal(cost)) for code, n, cost in rows}
