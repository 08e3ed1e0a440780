"""What people do about the bank's other systems: tokens given and taken, webhook endpoints kept in order.

Verbs as in the pipeline, and beside it; each act is in the audit trail, by a person, a token or the command line.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import Session

from callcenter import outbox
from callcenter.accounts import service as accounts
from callcenter.accounts import tokens
from callcenter.accounts.tokens import NewToken
from callcenter.domain.partners import DeliveryState, WebhookKind
from callcenter.intake import call_lists
from callcenter.journeys import by_hand
from callcenter.models import ApiAnswer, ApiToken, WebhookEndpoint
from callcenter.webhooks import service as webhooks
from callcenter.webhooks.rules import NewEndpoint, signature
from callcenter.webhooks.sending import Heard
from callcenter.webhooks.service import Claimed

SurveyLink = Callable[[UUID], str]
"""The link of a survey by its id."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it: a person by id, or a token; neither is the command line."""

    name: str
    user_id: UUID | None = None
    token_id: int | None = None


COMMAND_LINE = Actor("command line")


def _record(session: Session, by: Actor, act: str, subject: str, now: datetime, **detail: object) -> None:
    if by.token_id is not None:
        detail = {"token": by.name, "token_id": by.token_id, **detail}
    accounts.record(session, by.user_id, act, subject, now, **detail)


# -- tokens ------------------------------------------------------------------------------------------------


def issue_token(session: Session, new: NewToken, token: str, by: Actor, now: datetime) -> ApiToken:
    """Give another system a token; it is shown once and kept by its hash. Raises BadInput, Conflict."""
    row = tokens.issue_token(session, new, token, by.user_id, now)
    ends = row.expires_at.isoformat() if row.expires_at else None
    detail = {"hint": row.hint, "scopes": row.scopes, "expires_at": ends}
    _record(session, by, "api_token.issued", f"token {row.name}", now, **detail)
    return row


def revoke_token(session: Session, token_id: int, by: Actor, now: datetime) -> None:
    """Take a token back, at once and for good."""
    if tokens.revoke_token(session, token_id, by.user_id, now):
        row = session.get_one(ApiToken, token_id)
        _record(session, by, "api_token.revoked", f"token {row.name}", now, hint=row.hint)


def note_token_used(session: Session, token_id: int, now: datetime) -> None:
    """Note that a token was shown and accepted."""
    tokens.note_use(session, token_id, now)


def hold_key(session: Session, token_id: int, key: str) -> bool:
    """Keep an idempotency key for this transaction; False while another one works under it."""
    return tokens.hold_key(session, token_id, key)


def answer_kept(session: Session, token_id: int, key: str, now: datetime) -> ApiAnswer | None:
    """Return what was answered under a key within the last day."""
    return tokens.answer_kept(session, token_id, key, now)


def keep_answer(
    session: Session,
    token_id: int,
    key: str,
    request_hash: bytes,
    status: int,
    body: dict[str, Any],
    now: datetime,
) -> None:
    """Keep what a request was answered, in the transaction of what it did."""
    tokens.keep_answer(session, token_id, key, request_hash, status, body, now)


# -- webhook endpoints -------------------------------------------------------------------------------------


def add_endpoint(
    session: Session, new: NewEndpoint, secret: str, by: Actor, now: datetime, *, allows_loopback: bool
) -> WebhookEndpoint:
    """Tell another system of what happens from now on. Raises BadInput for an address it must not be."""
    row = webhooks.add_endpoint(session, new, secret, by.name, now, allows_loopback=allows_loopback)
    _record(session, by, "webhook.added", f"webhook {row.id}", now, kinds=row.kinds)
    return row


def set_kinds(
    session: Session, endpoint_id: UUID, kinds: Sequence[str], by: Actor, now: datetime
) -> WebhookEndpoint:
    """Change what an endpoint is told of."""
    row = webhooks.set_kinds(session, endpoint_id, kinds)
    _record(session, by, "webhook.changed", f"webhook {row.id}", now, kinds=row.kinds)
    return row


def switch_endpoint(
    session: Session, endpoint_id: UUID, by: Actor, now: datetime, *, enabled: bool
) -> WebhookEndpoint:
    """Switch an endpoint on or off."""
    row = webhooks.switch_endpoint(session, endpoint_id, enabled=enabled)
    _record(session, by, "webhook.enabled" if enabled else "webhook.disabled", f"webhook {row.id}", now)
    return row


def rotate_secret(
    session: Session, endpoint_id: UUID, secret: str, by: Actor, now: datetime
) -> WebhookEndpoint:
    """Give an endpoint a new secret; for a day the one before signs beside it."""
    row = webhooks.rotate_secret(session, endpoint_id, secret, now)
    _record(session, by, "webhook.secret_rotated", f"webhook {row.id}", now)
    return row


def remove_endpoint(session: Session, endpoint_id: UUID, by: Actor, now: datetime) -> None:
    """Tell an endpoint nothing any more."""
    row = webhooks.remove_endpoint(session, endpoint_id, now)
    _record(session, by, "webhook.removed", f"webhook {row.id}", now)


def replay(session: Session, endpoint_id: UUID, delivery_id: int | None, by: Actor, now: datetime) -> int:
    """Tell one fact again, or all that failed; return how many."""
    many = webhooks.replay(session, endpoint_id, delivery_id, now)
    _record(session, by, "webhook.replayed", f"webhook {endpoint_id}", now, deliveries=many)
    return many


# -- what the machines do ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToSend:
    """A request to make: where, with which headers and body."""

    delivery_id: int
    url: str
    headers: dict[str, str]
    body: bytes


def next_delivery(
    session: Session, endpoint_id: UUID, now: datetime, link_of: SurveyLink | None = None
) -> ToSend | None:
    """Claim what an endpoint is to be told next, signed; None when there is nothing now.

    `link_of` makes the link of a survey from its id: it is told, and kept nowhere.
    """
    one = webhooks.claim_next(session, endpoint_id, now)
    if one is None:
        return None
    body = _body(one, link_of)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "callcenter-webhooks/1",
        "Callcenter-Event-Id": str(one.event_id),
        "Callcenter-Event": one.kind,
        "Callcenter-Try": str(one.tries),
        "Callcenter-Signature": signature(one.secrets, now, body),
    }
    return ToSend(one.id, one.url, headers, body)


def _body(one: Claimed, link_of: SurveyLink | None) -> bytes:
    data = dict(one.data)
    if one.kind == WebhookKind.SURVEY_INVITED and link_of is not None:
        data["link"] = link_of(UUID(data["survey_id"]))
    return orjson.dumps({"id": str(one.event_id), "event": one.kind, "at": one.at, "data": data})


def note_heard(session: Session, delivery_id: int, heard: Heard, now: datetime) -> DeliveryState:
    """Write down what an endpoint answered."""
    outbox.ring(session, outbox.STUDIO)
    return webhooks.note_heard(session, delivery_id, heard, now)


def tidy(session: Session, now: datetime) -> None:
    """Forget what is past its keeping, and close the visits of calls by hand that are over."""
    tokens.forget_answers(session, now)
    webhooks.forget_deliveries(session, now)
    call_lists.forget_lists(session, now)
    by_hand.close_finished(session, now)
