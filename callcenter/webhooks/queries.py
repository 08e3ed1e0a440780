"""Reads of endpoints and deliveries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.db import cursor_of
from callcenter.domain.partners import DeliveryState
from callcenter.errors import NotFound
from callcenter.models import WebhookDelivery, WebhookEndpoint

_DUE = """
SELECT e.id FROM webhook_endpoint e
 WHERE e.is_enabled AND e.deleted_at IS NULL AND (e.rests_until IS NULL OR e.rests_until <= %(now)s)
   AND EXISTS (SELECT FROM webhook_delivery d WHERE d.endpoint_id = e.id AND d.state = 'pending'
                  AND d.due_at <= %(now)s AND (d.claimed_until IS NULL OR d.claimed_until <= %(now)s))
"""
_COUNTS = """
SELECT endpoint_id, count(*) FILTER (WHERE state = 'pending'), count(*) FILTER (WHERE state = 'failed'),
       count(*) FILTER (WHERE state = 'delivered'), max(state_at) FILTER (WHERE state = 'delivered')
  FROM webhook_delivery GROUP BY endpoint_id
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """How an endpoint's deliveries stand, of the last 30 days."""

    pending: int = 0
    failed: int = 0
    delivered: int = 0
    last_delivered_at: datetime | None = None


def endpoints_due(session: Session, now: datetime) -> list[UUID]:
    """List the endpoints that something is to be told now."""
    return [row[0] for row in cursor_of(session).execute(_DUE, {"now": now})]


def endpoints(session: Session) -> Sequence[WebhookEndpoint]:
    """List the endpoints, the oldest first."""
    return session.exec(
        select(WebhookEndpoint)
        .where(col(WebhookEndpoint.deleted_at).is_(None))
        .order_by(col(WebhookEndpoint.created_at), col(WebhookEndpoint.id))
    ).all()


def endpoint_with(session: Session, endpoint_id: UUID) -> WebhookEndpoint:
    """Return one endpoint. Raises NotFound."""
    row = session.get(WebhookEndpoint, endpoint_id)
    if row is None or row.deleted_at is not None:
        raise NotFound("There is no such webhook endpoint.")
    return row


def counts(session: Session) -> Mapping[UUID, Counts]:
    """Count the deliveries of each endpoint."""
    return {row[0]: Counts(*row[1:]) for row in cursor_of(session).execute(_COUNTS)}


def deliveries(
    session: Session,
    endpoint_id: UUID,
    state: DeliveryState | None = None,
    *,
    before: int | None = None,
    limit: int = 50,
) -> Sequence[WebhookDelivery]:
    """List an endpoint's deliveries, the newest first; `before` is the id to go on from."""
    wanted = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id)
    if state is not None:
        wanted = wanted.where(WebhookDelivery.state == state)
    if before is not None:
        wanted = wanted.where(col(WebhookDelivery.id) < before)
    return session.exec(wanted.order_by(col(WebhookDelivery.id).desc()).limit(limit)).all()
