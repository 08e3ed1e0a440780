"""What people look up in the ledgers: who stands in them, since when, by whom and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.compliance.numbers import hash_number
from callcenter.db import cursor_of
from callcenter.domain.enums import ConsentAct, Purpose, SuppressionKind, SuppressionScope
from callcenter.models import Customer, SuppressionList


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the suppression ledger as people see it. `by` None: no person (the command line, an event).

    `about_person` and `about_number` say whom it bars. It is in force while it is neither lifted nor ended.
    """

    id: int
    kind: SuppressionKind
    scope: SuppressionScope
    about_person: bool
    about_number: bool
    purpose: Purpose | None
    campaign: str | None
    source: str
    reason: str
    proof: str
    created_at: datetime
    by: str | None
    expires_at: datetime | None
    lifted_at: datetime | None
    lifted_by: str | None
    lift_source: str | None
    lift_reason: str | None
    in_force: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """An imported list in force that holds a number."""

    key: str
    source: str
    purpose: Purpose | None
    as_of: datetime
    imported_at: datetime


@dataclass(frozen=True, slots=True)
class ConsentEntry:
    """One entry of the consent ledger as people see it.

    `stands`: it is the last word on its purpose, a consent, and has not ended. `last_used_at` is the newest
    dial for its purpose while it stood.
    """

    id: int
    act: ConsentAct
    purpose: Purpose
    text_version: str
    proof: str
    source: str
    at: datetime
    expires_at: datetime | None
    created_at: datetime
    by: str | None
    stands: bool
    last_used_at: datetime | None


_ENTRIES = """
SELECT s.id, s.kind, s.scope, s.customer_id IS NOT NULL, s.number_hash IS NOT NULL, s.purpose, s.campaign, s.source,
       s.reason, s.proof, s.created_at, u.login, s.expires_at, l.created_at, lu.login, l.source, l.reason,
       l.id IS NULL AND (s.expires_at IS NULL OR s.expires_at > %(now)s)
  FROM suppression s
  LEFT JOIN suppression l ON l.lifts_id = s.id
  LEFT JOIN app_user u ON u.id = s.created_by
  LEFT JOIN app_user lu ON lu.id = l.created_by
 WHERE (s.customer_id = %(customer)s OR s.number_hash = %(hash)s) AND s.lifts_id IS NULL
 ORDER BY s.created_at DESC, s.id DESC
"""
_LISTED = """
SELECT l.key, l.source, l.purpose, l.as_of, l.imported_at
  FROM suppression_list_number n JOIN suppression_list l ON l.id = n.list_id AND l.in_force
 WHERE n.number_hash = %(hash)s ORDER BY l.key
"""
_CONSENTS = """
WITH acts AS (
  SELECT c.*, lead(c.at) OVER following AS next_at
    FROM consent c WHERE c.customer_id = %(customer)s
  WINDOW following AS (PARTITION BY c.purpose ORDER BY c.at, c.id))
SELECT c.id, c.act, c.purpose, c.text_version, c.proof, c.source, c.at, c.expires_at, c.created_at, u.login,
       c.act = 'given' AND c.at <= %(now)s AND (c.next_at IS NULL OR c.next_at > %(now)s)
         AND (c.expires_at IS NULL OR c.expires_at > %(now)s),
       CASE WHEN c.act = 'given' THEN
         (SELECT max(a.claimed_at) FROM contact_attempt a
           WHERE a.customer_id = c.customer_id AND a.purpose = c.purpose AND a.claimed_at >= c.at
             AND (c.next_at IS NULL OR a.claimed_at < c.next_at)
             AND (c.expires_at IS NULL OR a.claimed_at < c.expires_at)) END
  FROM acts c LEFT JOIN app_user u ON u.id = c.created_by
 ORDER BY c.at DESC, c.id DESC
"""


def entries_of_customer(
    session: Session, number_key: bytes, customer: Customer, now: datetime
) -> list[Entry]:
    """Return what stands or stood against a customer or their number, newest first; for lists see `lists_with`."""
    number_hash = hash_number(number_key, customer.number) if customer.number else None
    return _entries(session, customer.id, number_hash, now)


def entries_of_person(session: Session, customer_id: UUID, now: datetime) -> list[Entry]:
    """Return what stands or stood against a person, also one of whom nothing else is known yet."""
    return _entries(session, customer_id, None, now)


def entries_of_number(session: Session, number_key: bytes, number: str, now: datetime) -> list[Entry]:
    """Return what stands or stood against a number (E.164), whoever has it, newest first."""
    return _entries(session, None, hash_number(number_key, number), now)


def _entries(
    session: Session, customer_id: UUID | None, number_hash: bytes | None, now: datetime
) -> list[Entry]:
    asked = {"customer": customer_id, "hash": number_hash, "now": now}
    return [_entry(row) for row in cursor_of(session).execute(_ENTRIES, asked)]


def _entry(row: Sequence[Any]) -> Entry:
    number, kind, scope, person, has_number, purpose, *rest = row
    return Entry(
        number,
        SuppressionKind(kind),
        SuppressionScope(scope),
        person,
        has_number,
        Purpose(purpose) if purpose else None,
        *rest,
    )


def lists_with(session: Session, number_key: bytes, number: str) -> list[Listed]:
    """Return the imported lists in force that hold a number (E.164)."""
    asked = {"hash": hash_number(number_key, number)}
    return [
        Listed(key, source, Purpose(purpose) if purpose else None, as_of, imported_at)
        for key, source, purpose, as_of, imported_at in cursor_of(session).execute(_LISTED, asked)
    ]


def lists(session: Session) -> list[SuppressionList]:
    """Return every import of a list that was finished, newest first; the ones in force bar calls."""
    wanted = select(SuppressionList).where(col(SuppressionList.accepted) > 0)
    return list(session.exec(wanted.order_by(col(SuppressionList.id).desc())))


def consents_of(session: Session, customer_id: UUID, now: datetime) -> list[ConsentEntry]:
    """Return a customer's consents and their withdrawals, newest first."""
    asked = {"customer": customer_id, "now": now}
    return [
        ConsentEntry(number, ConsentAct(act), Purpose(purpose), *rest)
        for number, act, purpose, *rest in cursor_of(session).execute(_CONSENTS, asked)
    ]
