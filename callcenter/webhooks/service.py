"""Keep endpoints, claim what is due to be told, and write down what was heard."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from callcenter.db import cursor_of
from callcenter.domain.ids import derived_id
from callcenter.domain.partners import DeliveryState, WebhookKind
from callcenter.errors import BadInput, Conflict, NotFound
from callcenter.models import WebhookDelivery, WebhookEndpoint
from callcenter.webhooks import policy
from callcenter.webhooks.rules import NewEndpoint, next_try, read_url, rest_after
from callcenter.webhooks.sending import Heard

# -- endpoints ---------------------------------------------------------------------------------------------


def check_kinds(kinds: Sequence[str]) -> list[str]:
    """Return the kinds each once. Raises BadInput when there is none, or one we do not know."""
    found = list(dict.fromkeys(kinds))
    if not found or any(one not in list(WebhookKind) for one in found):
        text = "one or more of " + ", ".join(WebhookKind)
        raise BadInput(f"Choose what to tell: {text}.", {"kinds": [text]})
    return found


def add_endpoint(
    session: Session, new: NewEndpoint, secret: str, by: str, now: datetime, *, allows_loopback: bool
) -> WebhookEndpoint:
    """Keep a new endpoint; it is told of what happens from now on. Raises BadInput, and Conflict at the limit."""
    read_url(new.url, allows_loopback=allows_loopback)
    kinds = check_kinds(new.kinds)
    there = session.exec(
        select(func.count()).select_from(WebhookEndpoint).where(col(WebhookEndpoint.deleted_at).is_(None))
    ).one()
    if there >= policy.MOST_ENDPOINTS:
        raise Conflict(f"There are {policy.MOST_ENDPOINTS} endpoints already; remove one first.")
    row = WebhookEndpoint(
        id=derived_id("webhook-endpoint", new.url, secret, now.isoformat()),
        url=new.url,
        secret=secret,
        kinds=kinds,
        created_at=now,
        created_by=by,
    )
    session.add(row)
    session.flush()
    return row


def endpoint_of(session: Session, endpoint_id: UUID) -> WebhookEndpoint:
    """Lock an endpoint, not against deliveries that point to it. Raises NotFound."""
    row = session.get(WebhookEndpoint, endpoint_id, with_for_update={"key_share": True})
    if row is None or row.deleted_at is not None:
        raise NotFound("There is no such webhook endpoint.")
    return row


def switch_endpoint(session: Session, endpoint_id: UUID, *, enabled: bool) -> WebhookEndpoint:
    """Let an endpoint be told or not. What happens while it is off is never told; what waits, waits."""
    row = endpoint_of(session, endpoint_id)
    row.is_enabled = enabled
    if enabled:
        row.failures, row.rests_until = 0, None
    return row


def set_kinds(session: Session, endpoint_id: UUID, kinds: Sequence[str]) -> WebhookEndpoint:
    """Change what an endpoint is told of."""
    found = check_kinds(kinds)
    row = endpoint_of(session, endpoint_id)
    row.kinds = found
    return row


def rotate_secret(session: Session, endpoint_id: UUID, secret: str, now: datetime) -> WebhookEndpoint:
    """Give an endpoint a new secret; for a day the one before signs too."""
    row = endpoint_of(session, endpoint_id)
    row.former_secret, row.former_ends_at = row.secret, now + policy.FORMER_SECRET_SIGNS_FOR
    row.secret = secret
    return row


def remove_endpoint(session: Session, endpoint_id: UUID, now: datetime) -> WebhookEndpoint:
    """Tell an endpoint nothing any more, and forget its secrets; what it was told stays on record."""
    row = endpoint_of(session, endpoint_id)
    row.deleted_at, row.is_enabled, row.secret, row.former_secret = now, False, "", None
    session.execute(
        update(WebhookDelivery)
        .where(col(WebhookDelivery.endpoint_id) == endpoint_id)
        .where(col(WebhookDelivery.state) == DeliveryState.PENDING)
        .values(state=DeliveryState.FAILED, state_at=now, last_error="endpoint_removed")
    )
    return row


# -- deliveries --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Claimed:
    """One delivery to make now."""

    id: int
    event_id: UUID
    kind: str
    at: str
    data: dict[str, Any]
    url: str
    secrets: tuple[str, ...]
    tries: int


_CLAIM = """
UPDATE webhook_delivery d SET claimed_until = %(until)s, tries = d.tries + 1
  FROM (SELECT w.id FROM webhook_delivery w
         WHERE w.endpoint_id = %(endpoint)s AND w.state = 'pending' AND w.due_at <= %(now)s
           AND (w.claimed_until IS NULL OR w.claimed_until <= %(now)s)
         ORDER BY w.due_at, w.id LIMIT 1 FOR UPDATE SKIP LOCKED) one,
       webhook_endpoint e
 WHERE d.id = one.id AND e.id = %(endpoint)s AND e.is_enabled AND e.deleted_at IS NULL
   AND (e.rests_until IS NULL OR e.rests_until <= %(now)s)
RETURNING d.id, d.event_id, d.kind, d.payload, d.tries, e.url, e.secret, e.former_secret, e.former_ends_at,
          (SELECT c.external_id FROM customer c WHERE c.id = (d.payload -> 'data' ->> 'customer_id')::uuid)
"""


def claim_next(session: Session, endpoint_id: UUID, now: datetime) -> Claimed | None:
    """Claim the delivery of an endpoint that is due longest; None when none is, or the endpoint rests.

    The bank's own id of the customer is looked up here: a person who was erased meanwhile is told without it.
    """
    asked = {"endpoint": endpoint_id, "now": now, "until": now + policy.CLAIMED_FOR}
    row = cursor_of(session).execute(_CLAIM, asked).fetchone()
    if row is None:
        return None
    one_id, event_id, kind, payload, tries, url, secret, former, former_ends_at, external_id = row
    secrets = [secret]
    if former and former_ends_at and former_ends_at > now:
        secrets.append(former)
    data = {**payload["data"], "external_id": external_id}
    return Claimed(one_id, event_id, kind, payload["at"], data, url, tuple(secrets), tries)


def note_heard(session: Session, delivery_id: int, heard: Heard, now: datetime) -> DeliveryState:
    """Write down what an endpoint answered: delivered, to be tried again, or failed for good."""
    row = session.get_one(WebhookDelivery, delivery_id, with_for_update=True)
    endpoint = session.get_one(WebhookEndpoint, row.endpoint_id, with_for_update={"key_share": True})
    if row.state != DeliveryState.PENDING:
        return DeliveryState(row.state)  # another try was heard meanwhile, or the endpoint is gone
    row.claimed_until, row.last_status, row.last_error = None, heard.status, heard.error
    row.response = heard.response
    if heard.is_taken:
        row.state, row.state_at = DeliveryState.DELIVERED, now
        endpoint.failures, endpoint.rests_until = 0, None
        return DeliveryState.DELIVERED
    endpoint.failures += 1
    endpoint.rests_until = now + rest_after(endpoint.failures)
    again_at = next_try(row.event_id, row.tries, row.tries_from, now)
    if again_at is None:
        row.state, row.state_at = DeliveryState.FAILED, now
        return DeliveryState.FAILED
    row.due_at = again_at
    return DeliveryState.PENDING


def replay(session: Session, endpoint_id: UUID, delivery_id: int | None, now: datetime) -> int:
    """Make one delivery, or all of an endpoint that have failed, due again under the same event ids.

    Raises NotFound for one that is not there, Conflict when there is nothing to replay.
    """
    row = endpoint_of(session, endpoint_id)
    wanted = select(WebhookDelivery.id).where(WebhookDelivery.endpoint_id == endpoint_id)
    if delivery_id is None:
        wanted = wanted.where(WebhookDelivery.state == DeliveryState.FAILED)
    else:
        wanted = wanted.where(WebhookDelivery.id == delivery_id)
    ids = session.exec(wanted.order_by(col(WebhookDelivery.id)).limit(policy.REPLAYED_AT_ONCE)).all()
    if delivery_id is not None and not ids:
        raise NotFound("There is no such delivery.")
    done = session.execute(
        update(WebhookDelivery)
        .where(col(WebhookDelivery.id).in_(ids))
        .where(col(WebhookDelivery.state) != DeliveryState.PENDING)
        .values(
            state=DeliveryState.PENDING,
            state_at=now,
            tries_from=now,
            due_at=now,
            tries=0,
            claimed_until=None,
        )
    )
    many = int(done.rowcount)  # type: ignore[attr-defined]
    if many == 0:
        raise Conflict("Nothing to replay: what has not failed is delivered or still being tried.")
    row.failures, row.rests_until = 0, None
    return many


def forget_deliveries(session: Session, now: datetime) -> int:
    """Remove deliveries that ended long ago."""
    gone = session.execute(
        delete(WebhookDelivery)
        .where(col(WebhookDelivery.state) != DeliveryState.PENDING)
        .where(col(WebhookDelivery.created_at) < now - policy.KEPT_FOR)
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]
