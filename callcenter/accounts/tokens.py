"""Tokens of the bank's other systems, and what they were answered. A token itself is never kept."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update
from sqlmodel import Session, col, or_, select

from callcenter.db import cursor_of
from callcenter.domain.partners import Scope
from callcenter.errors import BadInput, Conflict, NotFound
from callcenter.models import ApiAnswer, ApiToken

MAX_NAME = 60
MOST_REQUESTS = 60_000
USUAL_REQUESTS = 600
"""Requests a minute of a token that says nothing else."""
USED_AGAIN = timedelta(minutes=1)
"""A token's last use is written down at most so often."""
ANSWERS_KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class NewToken:
    """What a token is called, what it may do, how often, until when (None: until it is revoked)."""

    name: str
    scopes: tuple[str, ...]
    expires_at: datetime | None = None
    requests_per_minute: int = USUAL_REQUESTS


def hash_token(token: str) -> str:
    """Return what is stored of a token: it holds 256 bits of chance, so a plain hash is enough."""
    return sha256(token.encode()).hexdigest()


def issue_token(session: Session, new: NewToken, token: str, user_id: UUID | None, now: datetime) -> ApiToken:
    """Keep a new token by its hash. Raises BadInput, and Conflict when a working one has this name."""
    name = " ".join(new.name.split())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise BadInput(f"Give the token a name of at most {MAX_NAME} characters.")
    scopes = list(dict.fromkeys(new.scopes))
    if not scopes or any(one not in list(Scope) for one in scopes):
        raise BadInput("Choose what the token may do: " + ", ".join(Scope) + ".")
    if new.expires_at is not None and new.expires_at <= now:
        raise BadInput("This token would have ended already. Choose a later day.")
    if not 1 <= new.requests_per_minute <= MOST_REQUESTS:
        raise BadInput(f"Requests a minute are between 1 and {MOST_REQUESTS}.")
    cursor_of(session).execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 5201))", (name,))
    taken = select(ApiToken.id).where(ApiToken.name == name).where(col(ApiToken.revoked_at).is_(None))
    if session.exec(taken).first():
        raise Conflict("There is a token of this name. Choose another name, or revoke that one first.")
    row = ApiToken(
        token_hash=hash_token(token),
        hint=token[-4:],
        name=name,
        scopes=scopes,
        requests_per_minute=new.requests_per_minute,
        created_at=now,
        created_by=user_id,
        expires_at=new.expires_at,
    )
    session.add(row)
    session.flush()
    return row


def revoke_token(session: Session, token_id: int, user_id: UUID | None, now: datetime) -> bool:
    """End a token for good, at once; False when it was revoked before. Raises NotFound."""
    row = session.get(ApiToken, token_id, with_for_update={"key_share": True})
    if row is None:
        raise NotFound("There is no such token.")
    if row.revoked_at is not None:
        return False
    row.revoked_at, row.revoked_by = now, user_id
    return True


def note_use(session: Session, token_id: int, now: datetime) -> None:
    """Write down that a token was used, at most once a minute."""
    session.execute(
        update(ApiToken)
        .where(col(ApiToken.id) == token_id)
        .where(or_(col(ApiToken.last_used_at).is_(None), col(ApiToken.last_used_at) < now - USED_AGAIN))
        .values(last_used_at=now)
    )


def hold_key(session: Session, token_id: int, key: str) -> bool:
    """Keep an idempotency key for this transaction; False, at once, while another one works under it."""
    asked = cursor_of(session).execute(
        "SELECT pg_try_advisory_xact_lock(hashtextextended(%(key)s, 5202))", {"key": f"{token_id}/{key}"}
    )
    return bool((asked.fetchone() or (False,))[0])


def answer_kept(session: Session, token_id: int, key: str, now: datetime) -> ApiAnswer | None:
    """Return what was answered under a key within the last day."""
    row = session.get(ApiAnswer, (token_id, key))
    if row is not None and row.created_at <= now - ANSWERS_KEPT:
        session.delete(row)
        session.flush()
        return None
    return row


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
    session.add(
        ApiAnswer(
            token_id=token_id, key=key, request_hash=request_hash, status=status, body=body, created_at=now
        )
    )
    session.flush()


def forget_answers(session: Session, now: datetime) -> None:
    """Remove answers older than a day."""
    session.execute(delete(ApiAnswer).where(col(ApiAnswer.created_at) <= now - ANSWERS_KEPT))


def tokens(session: Session) -> Collection[ApiToken]:
    """List every token, those that work first, the newest first."""
    return session.exec(
        select(ApiToken).order_by(col(ApiToken.revoked_at).is_not(None), col(ApiToken.id).desc())
    ).all()


def token_shown(session: Session, token: str) -> ApiToken | None:
    """Find the token somebody shows, also one that has ended."""
    return session.exec(select(ApiToken).where(ApiToken.token_hash == hash_token(token))).first()
