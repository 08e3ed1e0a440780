"""The collector's contract as an OpenAPI 3.1 document, at /v1/openapi.json for whoever writes a client."""

from typing import Any

from callcenter.intake import policy
from callcenter.web.collector_requests import bp

Schema = dict[str, Any]

_ABOUT = f"""
Takes journey events from Segment and RudderStack SDKs unchanged, from CloudEvents senders and from pictures.

- Bodies are JSON in UTF-8 under any `Content-Type`, plain or gzipped, of at most {policy.MAX_BODY_BYTES // 1024} KB
  unpacked; an event has at most {policy.MAX_EVENT_BYTES // 1024} KB, {policy.MAX_PROPERTIES:,} members and
  {policy.MAX_NESTING} levels.
- The write key is the user name of Basic authentication, else `writeKey` in the body, else `writeKey` in the query.
- 200 comes after the commit. An event that is wrong is refused by itself, named in `rejected` and kept in
  quarantine; with `X-Strict-Mode: 1` the answer is then 400, and the other events are stored all the same.
- An event is stored once per source and `messageId`; sending it again does no harm.
- Pages of other sites may send: `OPTIONS` answers 204 with the CORS headers on every route.
""".strip()


def _ref(kind: str, name: str) -> Schema:
    return {"$ref": f"#/components/{kind}/{name}"}


def _object(needed: tuple[str, ...] = (), **properties: Schema) -> Schema:
    return {"type": "object", "required": list(needed), "properties": properties}


def _answer(needed: tuple[str, ...] = (), **properties: Schema) -> Schema:
    return {**_object(needed or tuple(properties), **properties), "additionalProperties": False}


def _or_null(*types: str, **more: Any) -> Schema:
    return {"type": [*types, "null"], **more}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
ID = _or_null("string", "integer", maxLength=policy.MAX_ID)
OBJECT = _or_null("object")
TIME = _or_null(
    "string",
    "number",
    description="ISO 8601, UTC if it says no zone; or seconds or milliseconds since 1970.",
    examples=["2026-11-21T14:20:53.250Z"],
)

EVENT = _object(
    userId={**ID, "description": "The bank's own customer id. This or anonymousId is needed."},
    anonymousId={**ID, "description": "An id of the device or browser."},
    previousId={**ID, "description": "For alias: the id that is the same person's."},
    messageId=_or_null(
        "string", maxLength=policy.MAX_MESSAGE_ID, description="Made from the content if it is left out."
    ),
    event=_or_null("string", description="What happened; needed for track."),
    name=_or_null("string", description="The name of a page or screen."),
    properties={**OBJECT, "description": "`step` or `path` is the page's place in a journey."},
    traits={**OBJECT, "description": "Of the customer; `context.traits` is read where this is left out."},
    context=OBJECT,
    timestamp=TIME,
    originalTimestamp=TIME,
    sentAt={**TIME, "description": "The sender's clock on sending: corrects the time if it is wrong."},
    writeKey=_or_null("string"),
)
BATCH = _object(
    ("batch",),
    batch={
        "type": "array",
        "maxItems": policy.MAX_BATCH_EVENTS,
        "items": {
            "allOf": [
                _ref("schemas", "Event"),
                _object(("type",), type={"enum": list(policy.EVENT_KINDS)}),
            ]
        },
    },
    context={**OBJECT, "description": "Holds for events where they have no own."},
    sentAt=TIME,
    writeKey=_or_null("string"),
)
CLOUD_EVENT = _object(
    ("specversion", "id", "source", "type", "subject"),
    specversion={"const": "1.0"},
    id={**TEXT, "minLength": 1},
    source={**TEXT, "minLength": 1},
    type={**TEXT, "minLength": 1, "description": "What happened."},
    subject={**TEXT, "minLength": 1, "maxLength": policy.MAX_ID, "description": "The bank's customer id."},
    time={**TEXT, "format": "date-time"},
    data=OBJECT,
    data_base64={**TEXT, "description": "A JSON object in base64, in place of data."},
)
REJECTED = {
    "type": "array",
    "items": _answer(
        index={**COUNT, "description": "The event's place in the batch."}, code=TEXT, message=TEXT
    ),
}
TAKEN = _answer(success={"const": True}, accepted=COUNT, duplicate=COUNT, rejected=REJECTED)
REFUSAL = _answer(
    ("code", "message"),
    code={**TEXT, "pattern": "^[a-z_]+$"},
    message={**TEXT, "description": "What to do, for people."},
    rejected={**REJECTED, "description": "With X-Strict-Mode only."},
)
SETTINGS = _answer(
    integrations=_answer((), **{"Segment.io": _answer(apiKey=TEXT)}),
    plan={"type": "object"},
    edgeFunction={"type": "object"},
    metrics=_answer(sampleRate={"const": 0}),
)
_OFF = _answer(enabled={"const": False})
SOURCE_CONFIG = _answer(
    source=_answer(
        id={**TEXT, "format": "uuid"},
        name=TEXT,
        writeKey=TEXT,
        enabled={"const": True},
        workspaceId=TEXT,
        config=_answer(statsCollection=_answer(errors=_OFF, metrics=_OFF)),
        destinations={"type": "array", "maxItems": 0},
        dataplanes={"type": "object"},
        connections={"type": "array"},
    ),
    updatedAt={**TEXT, "format": "date-time"},
)
_SECONDS = {"required": True, "schema": {"type": "integer", "minimum": 1}}


def _refusal(about: str, **headers: Schema) -> Schema:
    answer: Schema = {"description": about, "content": _json(_ref("schemas", "Refusal"))}
    return {**answer, "headers": {name.replace("_", "-"): value for name, value in headers.items()}}


_REFUSALS = {
    "400": _refusal("The request as a whole cannot be read; do not send it again as it is."),
    "401": _refusal("The write key is not known."),
    "404": _refusal("The source is switched off."),
    "429": _refusal("Too many requests of this key.", Retry_After=_SECONDS, X_RateLimit_Reset=_SECONDS),
    "503": _refusal("The database is away; nothing was accepted.", Retry_After=_SECONDS),
}
_BY_STATUS = {status: _ref("responses", f"Refused{status}") for status in _REFUSALS}
_KEY: list[Schema] = [{"basic": []}, {"query": []}]
_STRICT = {"name": "X-Strict-Mode", "in": "header", "schema": {"enum": ["0", "1"]}}


def _post(about: str, body: Schema, *, security: list[Schema]) -> Schema:
    return {
        "summary": about,
        "security": security,
        "parameters": [_ref("parameters", "Strict")],
        "requestBody": {"required": True, "content": _json(body)},
        "responses": {"200": _ref("responses", "Taken"), **_BY_STATUS},
    }


def _get(about: str, answer: Schema, security: list[Schema], *parameters: Schema) -> Schema:
    ok = {"description": "What was asked for.", "content": answer}
    return {
        "summary": about,
        "security": security,
        "parameters": list(parameters),
        "responses": {"200": ok, **(_BY_STATUS if security or parameters else {})},
    }


def _query(name: str, **more: Any) -> Schema:
    return {"name": name, "in": "query", "schema": TEXT, **more}


_IN_PATH = {"name": "writeKey", "in": "path", "required": True, "schema": {**TEXT, "minLength": 1}}
_PIXEL = (
    _query("data", description="The whole event as JSON in base64, in place of the other parameters."),
    _query("event"),
    _query("userId"),
    _query("anonymousId"),
    _query("messageId"),
    _query("timestamp"),
    _query("properties.step", description="So for any member: `properties.name`, `context.page.path`."),
)
_GIF = {"image/gif": {"schema": {"type": "string", "format": "binary"}}}
_BODY_KEY = [*_KEY, {}]
"""With events of SDKs the key may stand in the body."""


def _paths() -> dict[str, Schema]:
    batch = _post("Send a batch of events.", _ref("schemas", "Batch"), security=_BODY_KEY)
    kinds = {kind: kind for kind in policy.EVENT_KINDS} | policy.SHORT_KINDS
    cloud = {
        "oneOf": [_ref("schemas", "CloudEvent"), {"type": "array", "items": _ref("schemas", "CloudEvent")}]
    }
    done = {"description": "Dropped.", "content": _json(_answer(success={"const": True}))}
    return {
        **{path: {"post": batch} for path in ("/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch")},
        **{
            f"/v1/{path}": {
                "post": _post(f"Send one {kind} event.", _ref("schemas", "Event"), security=_BODY_KEY)
            }
            for path, kind in kinds.items()
        },
        "/v1/cloudevents": {
            "post": _post(
                "Send CloudEvents: structured, as a list, or binary with `ce-` headers.", cloud, security=_KEY
            )
        },
        "/v1/m": {"post": {"summary": "What an SDK says about itself.", "responses": {"200": done}}},
        **{
            f"/pixel/v1/{kind}": {"get": _get(f"Send one {kind} event by a picture.", _GIF, _KEY, *_PIXEL)}
            for kind in ("track", "page")
        },
        "/v1/projects/{writeKey}/settings": {
            "get": _get("The set-up of Segment's browser SDK.", _json(SETTINGS), [], _IN_PATH)
        },
        "/sourceConfig/": {
            "get": _get("The set-up of RudderStack's browser SDK.", _json(SOURCE_CONFIG), _KEY)
        },
        "/v1/openapi.json": {"get": _get("This document.", _json({"type": "object"}), [])},
    }


DOCUMENT: Schema = {
    "openapi": "3.1.0",
    "info": {"title": "Event collector", "version": "1", "description": _ABOUT},
    "paths": _paths(),
    "components": {
        "schemas": {
            "Event": EVENT,
            "Batch": BATCH,
            "CloudEvent": CLOUD_EVENT,
            "Taken": TAKEN,
            "Refusal": REFUSAL,
        },
        "responses": {
            "Taken": {
                "description": "Stored, but for those in `rejected`.",
                "content": _json(_ref("schemas", "Taken")),
            },
            **{f"Refused{status}": answer for status, answer in _REFUSALS.items()},
        },
        "parameters": {"Strict": _STRICT},
        "securitySchemes": {
            "basic": {"type": "http", "scheme": "basic", "description": "User: the write key; no password."},
            "query": {"type": "apiKey", "in": "query", "name": "writeKey"},
        },
    },
}


@bp.get("/v1/openapi.json")
def document() -> Schema:
    """The document itself, for everybody."""
    return DOCUMENT
