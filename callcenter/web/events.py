"""The collector: existing Segment SDKs point here unchanged."""

import base64
import gzip
import io
import json
import zlib
from collections.abc import Mapping
from typing import Any

import orjson
from flask import Response, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from callcenter import pipeline
from callcenter.errors import BadInput
from callcenter.intake import policy
from callcenter.intake.queries import source_of_key
from callcenter.intake.rules import read_batch
from callcenter.models import EventSource
from callcenter.web.edge import blueprint, runtime

bp = blueprint("events")
_LONG = ("track", "page", "screen", "identify", "group", "alias")


_CORS = {
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Allow-Methods": "GET,POST,OPTIONS",
    "Access-Control-Allow-Headers": "authorization,content-type,anonymousid,sentat,x-retry-count",
    "Access-Control-Max-Age": "900",
    "Access-Control-Expose-Headers": "Retry-After, X-RateLimit-Reset",
}
"""What the browser SDKs ask for before they send, and read afterwards."""


@bp.after_request
def allow_other_sites(response: Response) -> Response:
    """Let pages of the bank's other sites send events: the write key is the guard, no cookie is looked at."""
    if origin := request.headers.get("Origin"):
        response.headers.update({**_CORS, "Access-Control-Allow-Origin": origin, "Vary": "Origin"})
    return response


def refuse(status: int, code: str, message: str) -> Response:
    """Refuse a whole request in the shape the SDKs understand."""
    response = jsonify(code=code, message=message)
    response.status_code = status
    return response


@bp.post("/v1/batch")
@bp.post("/v1/b")
def batch() -> Response:
    """Take a batch of events."""
    return _take(kind=None)


@bp.post("/v1/<any(track, page, screen, identify, group, alias):kind>")
def single(kind: str) -> Response:
    """Take one event; its type is in the path."""
    return _take(kind)


@bp.post("/v1/<any(t, p, s, i, g, a):short>")
def short(short: str) -> Response:
    """Take one event on the short routes of the browser SDK."""
    return _take(policy.SHORT_KINDS[short])


def _take(kind: str | None) -> Response:
    received_at = runtime().clock()
    try:
        body = _parse(_inflated(_raw_body()))
    except BadInput as error:
        return refuse(400, "invalid_json" if error.code == "bad_input" else error.code, error.message)
    write_key = _write_key(body)
    with runtime().unit_of_work() as session:
        source = source_of_key(session, write_key) if write_key else None
        if source is None:
            return refuse(
                401, "unknown_write_key", "This write key is not known. Check the source's settings."
            )
        if not source.is_enabled:
            return refuse(404, "source_disabled", "This source is switched off. Ask the administrator.")
        return _store(session, source, body, kind, received_at)


def _store(
    session: Any, source: EventSource, body: dict[str, Any], kind: str | None, received_at: Any
) -> Response:
    items = [{**body, "type": kind}] if kind else body.get("batch")
    if not isinstance(items, list):
        return refuse(400, "no_batch", "A batch needs a list named batch.")
    if len(items) > policy.MAX_BATCH_EVENTS:
        return refuse(
            400, "batch_too_long", f"A batch may have {policy.MAX_BATCH_EVENTS} events; send several."
        )
    inherited = {} if kind else {"context": body.get("context"), "sentAt": body.get("sentAt")}
    found = read_batch(items, inherited, received_at)
    taken = pipeline.take_events(session, source, found, received_at)
    rejected = [{"index": one.index, "code": one.code, "message": one.message} for one in taken.rejected]
    if rejected and request.headers.get("X-Strict-Mode") == "1":
        response = jsonify(code="events_rejected", message="Some events were rejected.", rejected=rejected)
        response.status_code = 400
        return response
    return jsonify(success=True, accepted=taken.accepted, duplicate=taken.duplicate, rejected=rejected)


def _raw_body() -> bytes:
    """Return the body as sent, whatever its Content-Type says: browsers send JSON as plain text."""
    try:
        raw = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raw = None
    if raw is None or len(raw) > policy.MAX_BODY_BYTES:
        raise BadInput(f"The body may have {policy.MAX_BODY_BYTES // 1024} KB; send smaller batches.")
    return raw


def _inflated(raw: bytes) -> bytes:
    if request.headers.get("Content-Encoding", "").lower() != "gzip" and not raw.startswith(b"\x1f\x8b"):
        return raw
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as packed:
            plain = packed.read(policy.MAX_BODY_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        raise BadInput("The body is not gzip. Leave out Content-Encoding or compress it.") from None
    if len(plain) > policy.MAX_BODY_BYTES:
        raise BadInput(
            f"The unpacked body may have {policy.MAX_BODY_BYTES // 1024} KB; send smaller batches."
        )
    return plain


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = _parse_leniently(raw)
    if not isinstance(body, dict):
        raise BadInput("The body must be a JSON object.")
    return body


def _parse_leniently(raw: bytes) -> Any:
    """Read what some SDKs write though JSON does not have it, such as NaN: only its own event is refused then."""
    try:
        return json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise BadInput("The body is not valid JSON in UTF-8.") from None


def _write_key(body: Mapping[str, Any]) -> str | None:
    """Find the write key: Basic user name, with or without the colon; else in the body; else in the query."""
    header = request.headers.get("Authorization", "")
    if header.lower().startswith("basic "):
        try:
            user = base64.b64decode(header[6:], validate=True).decode().partition(":")[0]
        except ValueError:  # not base64, not ASCII, or not UTF-8
            user = ""
        if user:
            return user
    key = body.get("writeKey") or request.args.get("writeKey")
    return key if isinstance(key, str) and key.isprintable() else None
