"""How the API refuses: problem JSON (RFC 9457) with the house's code and what to do."""

from http import HTTPStatus
from typing import Any

from flask import Response, jsonify

from callcenter.errors import BadInput, CallCenterError, Conflict

PROBLEM = "application/problem+json"


class Unauthorized(CallCenterError):
    """No token, or one that is not known, has ended or was revoked."""

    code = "unknown_token"
    status = 401


class MissingScope(CallCenterError):
    """The token may not do this."""

    code = "missing_scope"
    status = 403


class Unprocessable(BadInput):
    """The request is JSON, and what it says cannot be accepted."""

    code = "invalid_request"
    status = 422


class KeyReused(CallCenterError):
    """The idempotency key was used for another request."""

    code = "idempotency_key_reused"
    status = 422


class InProgress(Conflict):
    """The same request is being worked on this very moment."""

    code = "request_in_progress"


class NotJson(BadInput):
    """The body is no JSON."""

    code = "invalid_json"


class TooMany(CallCenterError):
    """The token has asked more often than it may."""

    code = "too_many_requests"
    status = 429


def problem_body(status: int, code: str, message: str, **more: Any) -> dict[str, Any]:
    """Return the document that tells a refusal."""
    said = {name: value for name, value in more.items() if value}
    return {
        "type": "about:blank",
        "title": _title(status),
        "status": status,
        "code": code,
        "message": message or code,
        **said,
    }


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def problem(status: int, code: str, message: str, fields: Any = None) -> Response:
    """Return the answer that tells a refusal."""
    response = jsonify(problem_body(status, code, message, fields=fields))
    response.status_code, response.content_type = status, PROBLEM
    return response
