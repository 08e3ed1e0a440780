"""What every route of the collector shares: who sends, what the body says, how a refusal looks."""

import base64
import gzip
import io
import json
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
import psycopg
from flask import Response, current_app, jsonify, request
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session
from werkzeug.exceptions import RequestEntityTooLarge

from callcenter import pipeline
from callcenter.errors import CallCenterError
from callcenter.intake import policy
from callcenter.intake.poison import poison, where_it_broke
from callcenter.intake.queries import known_key
from callcenter.intake.rules import EventBatch, read_batch
from callcenter.models import EventSource
from callcenter.runtime import Runtime
from callcenter.web.admissions import admissions
from callcenter.web.collector_groups import TogetherStore
from callcenter.web.edge import blueprint, log_database_away, runtime
from callcenter.web.limits import collector_limit

bp = blueprint("events")

_NOT_THE_EVENTS = (OperationalError, InterfaceError, PoolTimeout, psycopg.InterfaceError, CallCenterError)
"""What says nothing against the events: the database is away or busy, or a stage refused for a reason it names."""
Reader = Callable[[list[Any], datetime], EventBatch]
"""Reads the raw events of a request that came in at a time."""

_CORS = {
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Allow-Methods": "GET,POST,OPTIONS",
    "Access-Control-Max-Age": "900",
    "Access-Control-Expose-Headers": "Retry-After, X-RateLimit-Reset",
}
"""What the browser SDKs ask for before they send, and read afterwards."""
_SDK_HEADERS = "authorization,content-type,anonymousid,sentat,x-retry-count"
"""The headers allowed to who does not ask for any by name."""


class Refusal(Exception):
    """A whole request is refused: the status, a code, what to do, and headers such as when to come again."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}


@bp.errorhandler(Refusal)
def refuse(refusal: Refusal) -> Response:
    """Say so in the shape the SDKs understand."""
    response = jsonify(code=refusal.code, message=refusal.message)
    response.status_code = refusal.status
    response.headers.update(refusal.headers)
    return response


@bp.errorhandler(CallCenterError)
def fail(error: CallCenterError) -> Response:
    """Failures of the stages too are JSON on every route here, whatever the asker accepts."""
    return refuse(Refusal(error.status, error.code, error.message))


@bp.errorhandler(OperationalError)
def database_away(error: OperationalError) -> Response:
    """Nothing was accepted; every SDK sends the same events again."""
    log_database_away(error)
    message = "The database does not answer. Try again in a few seconds."
    return refuse(Refusal(503, "unavailable", message, {"Retry-After": "5"}))


@bp.before_request
def answer_preflight() -> Response | None:
    """Answer what a browser asks before it sends to another site; the headers come from `allow_other_sites`."""
    return Response(status=204) if request.method == "OPTIONS" else None


@bp.after_request
def allow_other_sites(response: Response) -> Response:
    """Let pages of the bank's other sites send events: the write key is the guard, no cookie is looked at.

    Every header asked for is allowed. SDKs name more of them when they try again (RudderStack's five of
    Rsa-), and a browser that is refused one of them never sends the event.
    """
    if origin := request.headers.get("Origin"):
        asked = request.headers.get("Access-Control-Request-Headers", _SDK_HEADERS)
        allowed = {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Headers": asked}
        response.headers.update({**_CORS, **allowed, "Vary": "Origin, Access-Control-Request-Headers"})
    return response


def admit(session: Session, write_key: str | None) -> EventSource:
    """Return the source a write key belongs to; a key seen in the last 5 s costs no query.

    Raises Refusal: 401 for a key that is unknown or has ended, 404 for a source that is switched off.
    """
    now = runtime().clock()
    known = admissions().known(write_key, now, lambda: known_key(session, write_key)) if write_key else None
    if known is None or (known.ends_at and known.ends_at <= now):
        raise Refusal(401, "unknown_write_key", "This write key is not known. Check the source's settings.")
    if not known.source.is_enabled:
        raise Refusal(404, "source_disabled", "This source is switched off. Ask the administrator.")
    return known.source


def slow_down(write_key: str | None, now: datetime) -> None:
    """Raise Refusal 429, with when to come again, when a write key sends too many requests in this second.

    A key this process has not seen yet may ask as often as the default says.
    """
    if not write_key:
        return
    most = admissions().limit_of(write_key) or policy.MAX_REQUESTS_PER_SECOND
    if limit := collector_limit(runtime(), write_key, now, most):
        headers = {"Retry-After": str(limit.retry_after_s), "X-RateLimit-Reset": str(limit.resets_at)}
        raise Refusal(429, "too_many_requests", "Too many requests; send larger batches.", headers)


def take(write_key: str | None, items: Any, read: Reader, received_at: datetime) -> Response:
    """Store the events of one request and answer after the commit. Raises Refusal for the request as a whole.

    `items` is the list of raw events as it was sent, which may be no list at all.
    """
    slow_down(write_key, received_at)
    with runtime().reading() as session:
        source = admit(session, write_key)
    if not isinstance(items, list):
        raise Refusal(400, "no_batch", "A batch needs a list named batch.")
    if len(items) > policy.MAX_BATCH_EVENTS:
        message = f"A batch may have {policy.MAX_BATCH_EVENTS} events; send several."
        raise Refusal(400, "batch_too_long", message)
    taken = store(source, items, read, received_at)
    rejected = [{"index": one.index, "code": one.code, "message": one.message} for one in taken.rejected]
    if rejected and request.headers.get("X-Strict-Mode") == "1":
        response = jsonify(code="events_rejected", message="Some events were rejected.", rejected=rejected)
        response.status_code = 400
        return response
    return jsonify(success=True, accepted=taken.accepted, duplicate=taken.duplicate, rejected=rejected)


def store(source: EventSource, items: list[Any], read: Reader, received_at: datetime) -> pipeline.Intake:
    """Store the events of one request in one unit of work; an event that breaks it must not block the others.

    When something unexpected breaks, each event is tried in a unit of work of its own. Those that break
    again are kept in quarantine as poison, and their senders are told; the others are stored.
    """
    batch = read(items, received_at)
    try:
        return _together(runtime()).store(source, batch, received_at)
    except _NOT_THE_EVENTS:
        raise
    except Exception:
        return _store_singly(source, items, read, batch, received_at)


@lru_cache(maxsize=4)
def _together(house: Runtime) -> TogetherStore:
    return TogetherStore(house.unit_of_work)


def _store_singly(
    source: EventSource, items: list[Any], read: Reader, batch: EventBatch, received_at: datetime
) -> pipeline.Intake:
    accepted = duplicate = 0
    rejected = list(batch.rejections)
    for index, item in enumerate(items):
        one = read([item], received_at)
        if not one.events:
            continue
        try:
            with runtime().unit_of_work() as session:
                taken = pipeline.take_events(session, source, one, received_at)
        except _NOT_THE_EVENTS:
            raise
        except Exception as error:
            current_app.logger.error("event.poisoned source=%s error=%s", source.id, where_it_broke(error))
            rejected.append(poison(index, item, error))
        else:
            accepted, duplicate = accepted + taken.accepted, duplicate + taken.duplicate
    rejected.sort(key=lambda one: one.index)
    # A batch without events breaks too when it is not the events that are poison: then nothing is accepted.
    with runtime().unit_of_work() as session:
        pipeline.take_events(session, source, EventBatch((), tuple(rejected)), received_at)
    return pipeline.Intake(accepted, duplicate, tuple(rejected))


def take_one(event: Mapping[str, Any], kind: str, received_at: datetime) -> Response:
    """Store one event that came alone; its write key may be in it and is not kept. Raises Refusal like `take`."""
    kept = {name: value for name, value in event.items() if name != "writeKey"}
    items = [{**kept, "type": kind}]
    return take(write_key_sent(event), items, lambda raw, at: read_batch(raw, {}, at), received_at)


def object_sent() -> dict[str, Any]:
    """Return the body, which must be a JSON object; raises Refusal 400 otherwise."""
    body = json_of(body_sent())
    if not isinstance(body, dict):
        raise _unreadable("The body must be a JSON object.")
    return body


def body_sent() -> bytes:
    """Return the body unpacked, whatever its Content-Type says: browsers send JSON as plain text.

    Raises Refusal 400 when it is too large or no gzip though it says so.
    """
    try:
        raw = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raw = None
    if raw is None or len(raw) > policy.MAX_BODY_BYTES:
        raise _unreadable(f"The body may have {policy.MAX_BODY_BYTES // 1024} KB; send smaller batches.")
    if request.headers.get("Content-Encoding", "").lower() != "gzip" and not raw.startswith(b"\x1f\x8b"):
        return raw
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as packed:
            plain = packed.read(policy.MAX_BODY_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        raise _unreadable("The body is not gzip. Leave out Content-Encoding or compress it.") from None
    if len(plain) > policy.MAX_BODY_BYTES:
        limit = policy.MAX_BODY_BYTES // 1024
        raise _unreadable(f"The unpacked body may have {limit} KB; send smaller batches.")
    return plain


def _unreadable(message: str) -> Refusal:
    return Refusal(400, "invalid_json", message)


def json_of(raw: bytes) -> Any:
    """Parse JSON; raises Refusal 400. What some SDKs write though JSON does not have it, such as NaN, is read:
    only its own event is refused then.
    """
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(raw.decode("utf-8"), parse_int=_whole_number)
    except (ValueError, RecursionError):
        raise _unreadable("The body is not valid JSON in UTF-8.") from None


def _whole_number(text: str) -> int | float:
    """Read a number as orjson does: beyond 64 bits it is rounded, as a browser would have done."""
    if len(text) <= 20 and -(2**63) <= (number := int(text)) < 2**64:
        return number
    return float(text)


def write_key_sent(body: Mapping[str, Any] | None = None) -> str | None:
    """Find the write key: Basic user name, with or without the colon; else in the body; else in the query."""
    header = request.headers.get("Authorization", "")
    if header.lower().startswith("basic "):
        try:
            user = base64.b64decode(header[6:], validate=True).decode().partition(":")[0]
        except ValueError:  # not base64, not ASCII, or not UTF-8
            user = ""
        if user:
            return user
    key = (body or {}).get("writeKey") or request.args.get("writeKey")
    return key if isinstance(key, str) and key.isprintable() else None
