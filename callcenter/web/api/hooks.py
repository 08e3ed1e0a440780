"""Webhook endpoints over the API."""

import secrets
from typing import Any
from uuid import UUID

from sqlmodel import Session

from callcenter import partner_acts
from callcenter.domain.partners import DeliveryState, Scope
from callcenter.web.api import answers, presenting, schemas
from callcenter.web.api.guard import actor, blueprint, needs, reads, writes
from callcenter.web.edge import runtime
from callcenter.webhooks import queries
from callcenter.webhooks.queries import Counts
from callcenter.webhooks.rules import NewEndpoint

Body = dict[str, Any]
bp = blueprint("webhooks", "Whom we tell what happened, and each telling.")


def new_secret() -> str:
    """Return a secret to sign with: 256 bits."""
    return "whsec_" + secrets.token_urlsafe(32)


def allows_loopback() -> bool:
    """Whether this machine itself may be told: on a demo only."""
    return runtime().settings.environment == "demo"


def _shown(session: Session, webhook_id: UUID) -> Body:
    row = queries.endpoint_with(session, webhook_id)
    return presenting.endpoint(row, queries.counts(session).get(row.id, Counts()))


@bp.route("/webhooks", methods=["GET"])
@bp.response(200, answers.Endpoints)
@needs(Scope.WEBHOOKS_MANAGE)
@reads
def list_endpoints(session: Session) -> Body:
    """List the webhook endpoints."""
    counts = queries.counts(session)
    rows = queries.endpoints(session)
    return {"items": [presenting.endpoint(row, counts.get(row.id, Counts())) for row in rows]}


@bp.route("/webhooks", methods=["POST"])
@bp.arguments(schemas.EndpointWanted)
@bp.response(201, answers.EndpointShown)
@needs(Scope.WEBHOOKS_MANAGE)
@writes
def add_endpoint(session: Session, data: Body) -> tuple[Body, int]:
    """Tell an address of what happens from now on. The answer holds the secret, this once."""
    secret, new = new_secret(), NewEndpoint(data["url"], tuple(data["kinds"]))
    row = partner_acts.add_endpoint(
        session, new, secret, actor(), runtime().clock(), allows_loopback=allows_loopback()
    )
    return {**presenting.endpoint(row, Counts()), "secret": secret}, 201


@bp.route("/webhooks/<uuid:webhook_id>", methods=["PATCH"])
@bp.arguments(schemas.EndpointChange)
@bp.response(200, answers.EndpointShown)
@needs(Scope.WEBHOOKS_MANAGE)
@writes
def change_endpoint(session: Session, data: Body, webhook_id: UUID) -> Body:
    """Change what an endpoint is told of, or switch it on or off."""
    now = runtime().clock()
    if "kinds" in data:
        partner_acts.set_kinds(session, webhook_id, data["kinds"], actor(), now)
    if "is_enabled" in data:
        partner_acts.switch_endpoint(session, webhook_id, actor(), now, enabled=data["is_enabled"])
    session.flush()
    return _shown(session, webhook_id)


@bp.route("/webhooks/<uuid:webhook_id>", methods=["DELETE"])
@bp.response(200, answers.Removed)
@needs(Scope.WEBHOOKS_MANAGE)
@writes
def remove_endpoint(session: Session, webhook_id: UUID) -> Body:
    """Tell an endpoint nothing any more."""
    partner_acts.remove_endpoint(session, webhook_id, actor(), runtime().clock())
    return {"removed": True}


@bp.route("/webhooks/<uuid:webhook_id>/deliveries", methods=["GET"])
@bp.arguments(schemas.OfDeliveries, location="query")
@bp.response(200, answers.Deliveries)
@needs(Scope.WEBHOOKS_MANAGE)
@reads
def list_deliveries(session: Session, asked: Body, webhook_id: UUID) -> Body:
    """List an endpoint's deliveries, the newest first."""
    queries.endpoint_with(session, webhook_id)
    state = DeliveryState(asked["state"]) if "state" in asked else None
    rows = queries.deliveries(session, webhook_id, state, before=asked.get("before"), limit=asked["limit"])
    return {"items": [presenting.delivery(row) for row in rows]}


@bp.route("/webhooks/<uuid:webhook_id>/replay", methods=["POST"])
@bp.arguments(schemas.Replay)
@bp.response(200, answers.Replayed)
@needs(Scope.WEBHOOKS_MANAGE)
@writes
def replay(session: Session, data: Body, webhook_id: UUID) -> Body:
    """Tell one fact again, or all that have failed, under the event ids they had."""
    many = partner_acts.replay(session, webhook_id, data.get("delivery_id"), actor(), runtime().clock())
    return {"replayed": many}
