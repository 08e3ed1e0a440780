"""Events by a picture's address, for pages and mails that cannot run a script."""

import base64
from typing import Any

from flask import Response, request

from callcenter.web.collector_requests import Refusal, bp, json_of, take_one
from callcenter.web.edge import runtime

_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""One transparent dot."""


@bp.get("/pixel/v1/<any(track, page):kind>")
def pixel(kind: str) -> Response:
    """Take one event from the query and answer with a transparent dot of a GIF.

    The event is in parameters, where `properties.step=register` names a member of an object, or whole in
    `data` as JSON in base64. A picture cannot be sent again: an event that is refused is still kept in
    quarantine and answered with the dot, a request without a write key we know is not.
    """
    answer = take_one(_event_of_query(), kind, runtime().clock())
    return Response(_GIF, content_type="image/gif") if answer.status_code == 200 else answer


def _event_of_query() -> dict[str, Any]:
    if data := request.args.get("data"):
        return _event_of_data(data)
    event: dict[str, Any] = {}
    for path, value in request.args.items():
        *parents, name = path.split(".", 2)
        place = event
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise Refusal(400, "bad_query", f"{parent} is text and an object at once; name it once.")
        place[name] = value
    return event


def _event_of_data(data: str) -> dict[str, Any]:
    try:
        # A plus that came unescaped was read as a space; the padding is often left out.
        raw = base64.b64decode(data.replace(" ", "+").replace("-", "+").replace("_", "/") + "==")
    except ValueError:
        raise Refusal(400, "invalid_json", "data must be JSON in base64.") from None
    event = json_of(raw)
    if not isinstance(event, dict):
        raise Refusal(400, "invalid_json", "data must be a JSON object in base64.")
    return event
