"""Check a softphone's access token: a JSON Web Token in Twilio's shape, signed with the API key's secret."""

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from dataclasses import dataclass
from typing import Any

from .settings import Settings

CONTENT_TYPE = "twilio-fpa;v=1"
LONGEST_LIFE_S = 86_400
IDENTITY = re.compile(r"[A-Za-z0-9_]{1,121}")


class TokenError(Exception):
    """Refused, with the code and text the browser library would report."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Grant:
    """Who a token speaks for, until when (seconds since 1970), and what it may do."""

    identity: str
    expires_at: float
    may_receive: bool
    application_sid: str | None


def read_token(token: str, settings: Settings) -> Grant:
    """What the token grants. Raises `TokenError`."""
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenError(20101, "Invalid Access Token")
    header, payload = _json(parts[0]), _json(parts[1])
    if header.get("alg") != "HS256" or header.get("cty") != CONTENT_TYPE:
        raise TokenError(20102, "Invalid Access Token header")
    if payload.get("iss") != settings.api_key_sid or payload.get("sub") != settings.account_sid:
        raise TokenError(20103, "Invalid Access Token issuer/subject")
    signed = hmac.new(settings.api_key_secret.encode(), f"{parts[0]}.{parts[1]}".encode(), hashlib.sha256)
    if not hmac.compare_digest(signed.digest(), _bytes(parts[2])):
        raise TokenError(20107, "Invalid Access Token signature")
    return _grant(payload, settings)


def _grant(payload: dict[str, Any], settings: Settings) -> Grant:
    now, expires, grants = time.time(), payload.get("exp"), payload.get("grants")
    if not isinstance(expires, int | float) or expires <= now:
        raise TokenError(20104, "Access Token expired or expiration date invalid")
    if expires - now > LONGEST_LIFE_S + 60:
        raise TokenError(20157, "Expiration Time in the Access Token Exceeds Maximum Time Allowed")
    if isinstance(payload.get("nbf"), int | float) and payload["nbf"] > now + 60:
        raise TokenError(20105, "Access Token not yet valid")
    voice = grants.get("voice") if isinstance(grants, dict) else None
    if not isinstance(grants, dict) or not isinstance(voice, dict):
        raise TokenError(20106, "Invalid Access Token grants")
    identity = grants.get("identity")
    if not isinstance(identity, str) or not IDENTITY.fullmatch(identity):
        raise TokenError(20106, "Invalid Access Token grants: identity is letters, digits and underscores")
    incoming, outgoing = voice.get("incoming"), voice.get("outgoing")
    application = outgoing.get("application_sid") if isinstance(outgoing, dict) else None
    if application not in (None, settings.application_sid):
        raise TokenError(20106, "Invalid Access Token grants: no such application")
    may_receive = isinstance(incoming, dict) and incoming.get("allow") is True
    return Grant(identity, float(expires), may_receive, application)


def _json(part: str) -> dict[str, Any]:
    try:
        found = json.loads(_bytes(part))
    except ValueError as error:
        raise TokenError(20101, "Invalid Access Token") from error
    if not isinstance(found, dict):
        raise TokenError(20101, "Invalid Access Token")
    return found


def _bytes(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise TokenError(20101, "Invalid Access Token") from error
