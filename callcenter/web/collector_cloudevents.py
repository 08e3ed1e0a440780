"""CloudEvents over HTTP: what core-banking systems and event buses send."""

from typing import Any

from flask import Response, request

from callcenter.intake.cloudevents import attributes_of_headers, read_cloud_events
from callcenter.web.collector_requests import Refusal, body_sent, bp, json_of, take, write_key_sent
from callcenter.web.edge import runtime


@bp.post("/v1/cloudevents")
def cloud_events() -> Response:
    """Take one event or a list of them; the write key comes as Basic user name or in the query.

    The three modes of the HTTP binding are told apart by what was sent, not by the Content-Type:
    attributes in ce- headers (binary), a JSON list (batch), a JSON object (structured).
    """
    received_at = runtime().clock()
    return take(write_key_sent(), _events_sent(), read_cloud_events, received_at)


def _events_sent() -> list[Any]:
    raw = body_sent()
    if "ce-specversion" in request.headers:
        try:
            event = attributes_of_headers(request.headers.items())
        except UnicodeDecodeError:
            raise Refusal(400, "bad_header", "ce- headers must be percent-encoded UTF-8.") from None
        if raw:
            event["data"] = json_of(raw)
        return [event]
    body = json_of(raw)
    if not isinstance(body, dict | list):
        raise Refusal(400, "invalid_json", "The body must be a CloudEvent or a list of them.")
    return body if isinstance(body, list) else [body]
