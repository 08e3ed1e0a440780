"""The API put together: its parts, its OpenAPI 3.1 document, and a page to read it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import Flask, current_app, render_template
from flask_smorest import Api

from callcenter.web.api import customers, hooks, lists, results, tasks
from callcenter.web.api.problems import PROBLEM
from callcenter.web.edge import blueprint, language, runtime, viewer_or_none

Spec = dict[str, Any]
PARTS = (customers.bp, tasks.bp, results.bp, lists.bp, hooks.bp)
bp = blueprint("api_docs")

_ABOUT = """
For the bank's other systems. Bodies are JSON in UTF-8; times are ISO 8601 with a zone.

- A token is sent as `Authorization: Bearer TOKEN`. An administrator gives it, with scopes; it is shown once.
- Every write takes an `Idempotency-Key`: the same request sent again within 24 h is answered as before and done
  once. The same key with another request is refused with 422 `idempotency_key_reused`; while the first is being
  worked on, with 409 `request_in_progress`. A refused request did nothing and is tried anew.
- Lists come in pages: `next_cursor` of an answer is the `cursor` of the next request.
- `external_id` is the bank's own id of a customer, `customer_id` is ours.
- A refusal is problem JSON: `code` for programs, `message` for people with what to do, `fields` where one is wrong.
""".strip()
_REFUSALS = {
    "400": "What the request says cannot be accepted.",
    "401": "No token, or one that does not work.",
    "403": "The token lacks the scope.",
    "404": "There is no such thing.",
    "409": "It has moved on, is barred, or is being worked on.",
    "422": "Something is missing or not allowed.",
    "429": "Too many requests of this token in this minute; Retry-After says how long to wait.",
    "503": "The database is away; nothing was done.",
}
_PROBLEM: Spec = {
    "type": "object",
    "required": ["type", "title", "status", "code", "message"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "pattern": "^[a-z_]+$"},
        "message": {"type": "string"},
        "fields": {"type": "object"},
        "reasons": {"type": "array", "items": {"type": "string"}},
        "next_allowed_at": {"type": "string", "format": "date-time"},
    },
}


class HouseApi(Api):  # type: ignore[misc]
    """flask-smorest without its error pages: the house has one renderer of refusals."""

    def _register_error_handlers(self) -> None:
        return None


def install(app: Flask) -> None:
    """Put the API on an application; its routes take tokens, never cookies."""
    app.config.update(API_TITLE="Call center API", API_VERSION="1", OPENAPI_VERSION="3.1.0")
    api = HouseApi(app)
    api.DEFAULT_ERROR_RESPONSE_NAME = None
    for part in PARTS:
        api.register_blueprint(part)
    app.extensions["callcenter.api"] = _completed(app, api.spec.to_dict())


def _completed(app: Flask, spec: Spec) -> Spec:
    """Add to smorest's document what holds for every route: who may ask, how it is refused."""
    spec["info"]["description"] = _ABOUT
    parts = spec.setdefault("components", {})
    parts.setdefault("schemas", {})["Problem"] = _PROBLEM
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    parts["responses"] = {
        f"Refused{status}": {"description": about, "content": content} for status, about in _REFUSALS.items()
    }
    parts["parameters"] = {
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
        }
    }
    views = _views(app)
    for path, method, operation in operations(spec):
        view = views[method, path]
        operation["x-scope"] = view.api_scope.value
        operation["security"] = [{"token": []}]
        if getattr(view, "api_is_write", False):
            operation.setdefault("parameters", []).append({"$ref": "#/components/parameters/IdempotencyKey"})
        for status in _REFUSALS:
            operation["responses"][status] = {"$ref": f"#/components/responses/Refused{status}"}
    return spec


def operations(spec: Spec) -> Iterator[tuple[str, str, Spec]]:
    """Every operation of the document with its path and method."""
    for path, item in spec["paths"].items():
        for method, operation in item.items():
            if method in ("get", "put", "post", "patch", "delete"):
                yield path, method, operation


def _views(app: Flask) -> dict[tuple[str, str], Any]:
    found = {}
    for rule in app.url_map.iter_rules():
        path = "".join(f"{{{part}}}" if is_name else part for is_name, part in _parts(rule.rule))
        for method in rule.methods or ():
            found[method.lower(), path] = app.view_functions[rule.endpoint]
    return found


def _parts(rule: str) -> Iterator[tuple[bool, str]]:
    for place, piece in enumerate(rule.replace(">", "<").split("<")):
        is_name = place % 2 == 1
        yield is_name, piece.rpartition(":")[2] if is_name else piece


@bp.get("/api/v1/openapi.json")
def document() -> Spec:
    """The document itself, for everybody."""
    spec: Spec = current_app.extensions["callcenter.api"]
    return spec


# -- the page ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a body or one parameter."""

    name: str
    kind: str
    is_needed: bool
    about: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing to ask."""

    method: str
    path: str
    title: str
    about: str
    scope: str
    parameters: tuple[Member, ...]
    body: tuple[Member, ...]
    answers: tuple[tuple[str, str], ...]
    answer: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class DocsPage:
    """The document for people."""

    organisation: str
    language: str
    theme: str
    about: tuple[str, ...]
    groups: tuple[tuple[str, str, tuple[Operation, ...]], ...]
    refusals: tuple[tuple[str, str], ...]
    address: str
    csrf_token: str = ""


@bp.get("/api/docs")
def docs() -> str:
    """A page to read the API by; nothing of it comes from elsewhere."""
    user = viewer_or_none()
    page = DocsPage(
        organisation=runtime().settings.bank_name,
        language=language(),
        theme=user.theme if user else "auto",
        about=tuple(line.removeprefix("- ") for line in _joined(_ABOUT)),
        groups=_groups(),
        refusals=tuple(_REFUSALS.items()),
        address=runtime().settings.public_base_url.rstrip("/"),
    )
    return render_template("admin/api_docs.html", page=page)


def _joined(about: str) -> list[str]:
    return [" ".join(one.split()) for one in about.replace("\n- ", "\n\n- ").split("\n\n")]


@cache
def _read_groups(app: Flask) -> tuple[tuple[str, str, tuple[Operation, ...]], ...]:
    spec: Spec = app.extensions["callcenter.api"]
    found: dict[str, list[Operation]] = {}
    for path, method, operation in operations(spec):
        found.setdefault(operation["tags"][0], []).append(_operation(spec, path, method, operation))
    about = {one["name"]: one.get("description", "") for one in spec["tags"]}
    return tuple((name, about[name], tuple(rows)) for name, rows in found.items())


def _groups() -> tuple[tuple[str, str, tuple[Operation, ...]], ...]:
    return _read_groups(current_app._get_current_object())  # type: ignore[attr-defined]


def _operation(spec: Spec, path: str, method: str, operation: Spec) -> Operation:
    good = [(status, one) for status, one in operation["responses"].items() if str(status).startswith("2")]
    answer = _schema(good[0][1])
    parameters = [_resolved(spec, one) for one in operation.get("parameters", [])]
    request = operation.get("requestBody", {})
    body = _schema(request)
    file = ", ".join(request["content"]) if body.get("format") == "binary" else ""
    return Operation(
        method=method.upper(),
        path=path,
        title=operation.get("summary", ""),
        about=" ".join(operation.get("description", "").split()),
        scope=operation["x-scope"],
        parameters=tuple(
            Member(one["name"], _kind(one["schema"]), one.get("required", False), one.get("description", ""))
            for one in parameters
        ),
        body=(Member("file", file, True, ""),) if file else _members(spec, body),
        answers=tuple((str(status), one.get("description", "")) for status, one in good),
        answer=_members(spec, answer),
    )


def _schema(told: Spec) -> Spec:
    """Return the schema of a body, of the first content type it has."""
    for content in told.get("content", {}).values():
        schema: Spec = content.get("schema", {})
        return schema
    return {}


def _resolved(spec: Spec, one: Spec) -> Spec:
    while "$ref" in one:
        _, *path = one["$ref"].split("/")
        one = spec
        for name in path:
            one = one[name]
    return one


def _members(spec: Spec, schema: Spec) -> tuple[Member, ...]:
    schema = _resolved(spec, schema) if "$ref" in schema else schema
    needed = schema.get("required", [])
    return tuple(
        Member(name, _kind(one), name in needed, one.get("description", ""))
        for name, one in schema.get("properties", {}).items()
    )


def _kind(schema: Spec) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(str(one) for one in schema["enum"])
    told = schema.get("type", "any")
    kind = " or ".join(told) if isinstance(told, list) else str(told)
    if kind == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return f"{kind} ({schema['format']})" if "format" in schema else kind
