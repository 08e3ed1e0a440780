"""Forget the numbers of a person's calls; that they were called, when, and how it ended stays."""

from collections.abc import Callable, Collection
from uuid import UUID

from sqlmodel import Session

from callcenter.db import array_of, cursor_of, id_array_of

_NUMBERS = "SELECT DISTINCT to_number FROM contact_attempt WHERE customer_id = ANY(%(ids)s::uuid[])"
_FORGET = """
UPDATE contact_attempt a SET to_number = t.token
  FROM unnest(%(numbers)s::text[], %(tokens)s::text[]) AS t(number, token)
 WHERE a.customer_id = ANY(%(ids)s::uuid[]) AND a.to_number = t.number AND t.number <> t.token
"""
_INBOX = """
UPDATE carrier_inbox i SET raw = '{}' FROM contact_attempt a
 WHERE i.subject_id = a.id AND a.customer_id = ANY(%(ids)s::uuid[]) AND i.raw <> '{}'
"""
_LIVE = """
SELECT EXISTS (SELECT FROM contact_attempt WHERE customer_id = ANY(%(ids)s::uuid[]) AND state <> 'ended')
"""
_RECORDINGS = """
SELECT count(*) FROM contact_attempt WHERE customer_id = ANY(%(ids)s::uuid[]) AND recording_ref IS NOT NULL
"""


def is_on_a_call(session: Session, ids: Collection[UUID]) -> bool:
    """Whether an attempt of these people has not ended."""
    return cursor_of(session).execute(_LIVE, {"ids": id_array_of(ids)}).fetchone() == (True,)


def recordings_of(session: Session, ids: Collection[UUID]) -> int:
    """Return how many recordings the carrier holds of these people's calls."""
    row = cursor_of(session).execute(_RECORDINGS, {"ids": id_array_of(ids)}).fetchone()
    return int(row[0]) if row else 0


def forget_numbers(session: Session, ids: Collection[UUID], token_of: Callable[[str], str]) -> dict[str, int]:
    """Put tokens in the place of the numbers called, and empty what the carrier told of the calls.

    No attempt may be live: a number on a call is told by it.
    """
    cursor = cursor_of(session)
    theirs = {"ids": id_array_of(ids)}
    numbers = [row[0] for row in cursor.execute(_NUMBERS, theirs)]
    tokens = array_of(map(token_of, numbers))
    forgotten = cursor.execute(_FORGET, {**theirs, "numbers": array_of(numbers), "tokens": tokens}).rowcount
    return {"numbers_of_attempts": forgotten, "carrier_messages": cursor.execute(_INBOX, theirs).rowcount}
