"""Who asks, how often, and whether the same was asked before: what every route of the API goes through."""

from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import Any, NoReturn, TypeVar, cast

import orjson
from flask import Response, current_app, g, jsonify, request
from flask_smorest import Blueprint
from redis import RedisError
from sqlmodel import Session
from webargs.flaskparser import FlaskParser

from callcenter import partner_acts
from callcenter.accounts import tokens
from callcenter.domain.partners import Scope
from callcenter.models import ApiToken
from callcenter.partner_acts import Actor
from callcenter.partners import Partner
from callcenter.web.api.problems import (
    PROBLEM,
    InProgress,
    KeyReused,
    MissingScope,
    NotJson,
    TooMany,
    Unauthorized,
    Unprocessable,
)
from callcenter.web.edge import runtime

V = TypeVar("V", bound=Callable[..., Any])
MAX_KEY = 200
MAX_JSON_BYTES = 2 * 1024 * 1024
Body = dict[str, Any]


class Parser(FlaskParser):
    """Reads requests; what is wrong is refused in the house's words."""

    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": "raise"}  # noqa: RUF012

    def load_json(self, req: Any, schema: Any) -> Any:
        """Parse the body, whatever its Content-Type says."""
        del schema
        raw = req.get_data()
        if len(raw) > MAX_JSON_BYTES:
            raise NotJson(f"The body may have {MAX_JSON_BYTES // 1024} KB; send several requests.")
        try:
            read = orjson.loads(raw)
        except orjson.JSONDecodeError:
            raise NotJson("The body is not valid JSON in UTF-8.") from None
        if b"\\u0000" in raw and _holds_nul(read):
            raise Unprocessable("The body holds a NUL in a text. Take it out.", {"body": ["holds a NUL"]})
        return read

    def handle_error(
        self, error: Any, req: Any, schema: Any, *, error_status_code: Any, error_headers: Any
    ) -> NoReturn:
        """Name each field and what is wrong with it."""
        del req, schema, error_status_code, error_headers
        fields: dict[str, list[str]] = {}
        for told in error.messages.values():
            _flatten(told, "", fields)
        names = ", ".join(sorted(fields)) or "the body"
        raise Unprocessable(f"Something is missing or not allowed: {names}. See fields.", fields)


def _holds_nul(value: Any) -> bool:
    if isinstance(value, dict):
        return any("\x00" in name or _holds_nul(inner) for name, inner in value.items())
    if isinstance(value, list):
        return any(map(_holds_nul, value))
    return isinstance(value, str) and "\x00" in value


def _flatten(told: Any, path: str, into: dict[str, list[str]]) -> None:
    if isinstance(told, dict):
        for name, inner in told.items():
            _flatten(inner, f"{path}.{name}" if path else str(name), into)
    else:
        texts = told if isinstance(told, list) else [told]
        into.setdefault(path or "body", []).extend(str(text) for text in texts)


class ApiBlueprint(Blueprint):  # type: ignore[misc]
    """A part of the API: every route asks for a token with the scope of its view."""

    ARGUMENTS_PARSER = Parser()

    def route(self, rule: str, **options: Any) -> Callable[[V], V]:
        """Say under which address a view answers."""
        return cast(Callable[[V], V], super().route(rule, **options))

    def arguments(self, schema: Any, **options: Any) -> Callable[[V], V]:
        """Say what a view takes."""
        return cast(Callable[[V], V], super().arguments(schema, **options))

    def response(self, status_code: int, schema: Any = None, **options: Any) -> Callable[[V], V]:
        """Say what a view answers."""
        return cast(Callable[[V], V], super().response(status_code, schema, **options))

    def doc(self, **options: Any) -> Callable[[V], V]:
        """Say more of a view in the document."""
        return cast(Callable[[V], V], super().doc(**options))


def blueprint(name: str, about: str) -> ApiBlueprint:
    """Return a part of the API under /api/v1."""
    made = ApiBlueprint(name, f"callcenter.web.api.{name}", url_prefix="/api/v1", description=about)
    made.before_request(admit)
    made.after_request(_say_limits)
    return made


def needs(scope: Scope) -> Callable[[V], V]:
    """Say which scope a view asks for."""

    def mark(view: V) -> V:
        view.api_scope = scope  # type: ignore[attr-defined]
        return view

    return mark


def admit() -> None:
    """Find whose token it is, count the request, and see whether the token may do this."""
    view = current_app.view_functions[request.endpoint or ""]
    scope: Scope = getattr(view, "api_scope")  # noqa: B009 - set by `needs`
    now = runtime().clock()
    shown = _shown()
    with runtime().reading() as session:
        token = tokens.token_shown(session, shown) if shown else None
    if token is None or token.revoked_at is not None or (token.expires_at and token.expires_at <= now):
        raise Unauthorized(
            "Send a token that works: Authorization: Bearer TOKEN. An administrator gives one."
        )
    g.api_token = token
    _count(token)
    if scope not in token.scopes:
        raise MissingScope(f"This token lacks the scope {scope.value}. An administrator gives another one.")
    if token.last_used_at is None or now - token.last_used_at > tokens.USED_AGAIN:
        with runtime().unit_of_work() as session:
            partner_acts.note_token_used(session, _id_of(token), now)
    if "\x00" in request.path or any("\x00" in text for text in request.args.values()):
        raise Unprocessable("The address holds a NUL. Take it out.", {"address": ["holds a NUL"]})


def _shown() -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    is_one = (
        scheme.lower() == "bearer" and 20 <= len(token) <= 200 and token.isascii() and token.isprintable()
    )
    return token if is_one else None


def _id_of(token: ApiToken) -> int:
    assert token.id is not None
    return token.id


def _count(token: ApiToken) -> None:
    """Count one request of this minute at the doorbell; open when that is away."""
    minute = int(runtime().clock().timestamp()) // 60
    resets_in = 60 - int(runtime().clock().timestamp()) % 60
    key = f"api:{token.id}:{minute}"
    try:
        counting = runtime().redis.pipeline(transaction=False)
        counting.incr(key)
        counting.expire(key, 120)
        asked = int(counting.execute()[0])
    except RedisError:
        return
    g.api_limit = (token.requests_per_minute, max(0, token.requests_per_minute - asked), resets_in)
    if asked > token.requests_per_minute:
        raise TooMany(f"At most {token.requests_per_minute} requests a minute. Wait {resets_in} s.")


def _say_limits(response: Response) -> Response:
    if limit := g.get("api_limit"):
        most, left, resets_in = limit
        response.headers["X-RateLimit-Limit"] = str(most)
        response.headers["X-RateLimit-Remaining"] = str(left)
        response.headers["X-RateLimit-Reset"] = str(resets_in)
    if response.status_code == 429:
        response.headers["Retry-After"] = str(g.api_limit[2])
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def partner() -> Partner:
    """Return the token that asks, as the verbs know it."""
    return Partner(_id_of(g.api_token), g.api_token.name)


def actor() -> Actor:
    """Return the token that asks, as the verbs about webhooks know it."""
    return Actor(g.api_token.name, token_id=_id_of(g.api_token))


def reads(view: Callable[..., Body]) -> Callable[..., Response]:
    """Let a view read: it gets a session first, and what it returns is the answer."""

    @wraps(view)
    def run(*args: Any, **kwargs: Any) -> Response:
        with runtime().reading() as session:
            body = view(session, *args, **kwargs)
        return jsonify(body)

    return run


def writes(view: Callable[..., Body | tuple[Body, int]]) -> Callable[..., Response]:
    """Let a view write: in one unit of work, once for each `Idempotency-Key`, which keeps the answer for a day.

    What the view does and the answer that is kept commit together. A refused request did nothing and keeps
    nothing, but for a decision of the gate: it is tried anew when it comes again.
    """

    @wraps(view)
    def run(*args: Any, **kwargs: Any) -> Response:
        key, now = _key(), runtime().clock()
        token_id = _id_of(g.api_token)
        with runtime().unit_of_work() as session:
            if key is not None and (before := _before(session, token_id, key)) is not None:
                return before
            returned = view(session, *args, **kwargs)
            body, status = returned if isinstance(returned, tuple) else (returned, 200)
            if key is not None and (status < 400 or status == 409):
                partner_acts.keep_answer(session, token_id, key, _digest(), status, body, now)
        return _answer(body, status)

    run.api_is_write = True  # type: ignore[attr-defined]
    return run


def _answer(body: Body, status: int) -> Response:
    response = jsonify(body)
    response.status_code = status
    if status >= 400:
        response.content_type = PROBLEM
    return response


def _key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        text = f"at most {MAX_KEY} letters of ASCII, such as a UUID"
        raise Unprocessable(f"Idempotency-Key has {text}.", {"Idempotency-Key": [text]})
    return key


def _digest() -> bytes:
    head = f"{request.method} {request.full_path} {request.content_type}\n"
    return sha256(head.encode("utf-8", "replace") + request.get_data()).digest()


def _before(session: Session, token_id: int, key: str) -> Response | None:
    """Return what the same request was answered before; None when it is new."""
    if not partner_acts.hold_key(session, token_id, key):
        raise InProgress("This request is being worked on. Send it again in a second for its answer.")
    kept = partner_acts.answer_kept(session, token_id, key, runtime().clock())
    if kept is None:
        return None
    if bytes(kept.request_hash) != _digest():
        raise KeyReused("This Idempotency-Key was used for another request. Use a new key for each request.")
    response = _answer(kept.body, kept.status)
    response.headers["Idempotent-Replayed"] = "true"
    return response
