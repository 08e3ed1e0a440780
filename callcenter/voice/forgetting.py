"""Forget what a person answered; that somebody did, and with which score, stays."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from callcenter.db import cursor_of, id_array_of

_ANSWERS = "UPDATE survey_invite SET answer = '' WHERE answer <> '' AND customer_id = ANY(%(ids)s::uuid[])"
_LINKS = """
UPDATE survey_invite SET expires_at = %(now)s
 WHERE answered_at IS NULL AND expires_at > %(now)s AND customer_id = ANY(%(ids)s::uuid[])
"""


def forget_answers(session: Session, ids: Collection[UUID], now: datetime) -> dict[str, int]:
    """Empty what people wrote in surveys, and end the links they have not used."""
    cursor, theirs = cursor_of(session), {"ids": id_array_of(ids), "now": now}
    cursor.execute(_LINKS, theirs)
    return {"survey_answers": cursor.execute(_ANSWERS, theirs).rowcount}
