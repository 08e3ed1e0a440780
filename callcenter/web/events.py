"""The collector: existing Segment and RudderStack SDKs point here unchanged."""

from datetime import datetime
from typing import Any

from flask import Response

from callcenter.intake import policy
from callcenter.intake.rules import EventBatch, read_batch
from callcenter.web import collector_bootstrap, collector_cloudevents, collector_openapi, collector_pixel
from callcenter.web.collector_requests import bp, object_sent, take, take_one, write_key_sent
from callcenter.web.edge import runtime

# Importing the other four adds their routes to the blueprint.
__all__ = ["bp", "collector_bootstrap", "collector_cloudevents", "collector_openapi", "collector_pixel"]


@bp.post("/v1/batch")
@bp.post("/v1/b")
@bp.post("/v1/import")
@bp.post("/beacon/v1/batch")
def batch() -> Response:
    """Take a batch of events; imports and what a page sends on leaving (with the key in the query) too."""
    received_at = runtime().clock()
    body = object_sent()

    def read(items: list[Any], at: datetime) -> EventBatch:
        return read_batch(items, {"context": body.get("context"), "sentAt": body.get("sentAt")}, at)

    return take(write_key_sent(body), body.get("batch"), read, received_at)


@bp.post("/v1/<any(track, page, screen, identify, group, alias):kind>")
def single(kind: str) -> Response:
    """Take one event; its type is in the path."""
    return _take_one(kind)


@bp.post("/v1/<any(t, p, s, i, g, a):short>")
def short(short: str) -> Response:
    """Take one event on the short routes of the browser SDK."""
    return _take_one(policy.SHORT_KINDS[short])


@bp.post("/v1/m")
def drop_metrics() -> dict[str, bool]:
    """Drop what the browser SDK tells about itself; a refusal would make it try again."""
    return {"success": True}


def _take_one(kind: str) -> Response:
    received_at = runtime().clock()
    return take_one(object_sent(), kind, received_at)
