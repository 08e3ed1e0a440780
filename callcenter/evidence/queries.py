"""Reads of the chain and the ledgers under it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import sql
from sqlmodel import Session, col, select

from callcenter.db import cursor_of
from callcenter.evidence.policy import LEDGERS, PAST_KEEPING, VERIFIED, Ledger
from callcenter.evidence.rules import Head, Link, Row, row_of
from callcenter.models import AuditLink, Erasure

_PLAINLY = (
    "SELECT set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true),"
    " set_config('bytea_output', 'hex', true), set_config('statement_timeout', '0', true)"
)
_LINES = sql.SQL("COPY (SELECT {columns} FROM {table} r {rest}) TO STDOUT")
_THESE = sql.SQL("WHERE r.id = ANY({ids})")
_UNSEALED = sql.SQL(
    "WHERE r.id > {since} AND {condition} AND NOT EXISTS"
    " (SELECT FROM audit_link l WHERE l.ledger = {name} AND l.row_id = r.id) ORDER BY r.id LIMIT {limit}"
)
_LINKS = """
SELECT seq, ledger, row_id, row_hash, hash FROM audit_link WHERE seq > %(after)s AND seq <= %(last)s
 ORDER BY seq LIMIT %(limit)s
"""
_REMOVED = """
SELECT e.detail->>'ledger', max((e.detail->>'through_id')::bigint), sum((e.detail->>'rows')::bigint)
  FROM audit_entry e WHERE e.act = %(act)s
   AND EXISTS (SELECT FROM audit_link l WHERE l.ledger = 'audit_entry' AND l.row_id = e.id)
 GROUP BY 1
"""
ALL = 2**62


def speak_plainly(session: Session) -> None:
    """Let rows be printed as their hashes were made, whatever the server is set to, until the commit."""
    cursor_of(session).execute(_PLAINLY)


def _lines(session: Session, ledger: Ledger, rest: sql.Composed) -> dict[int, Row]:
    columns = sql.SQL(", ").join(sql.SQL("r.{}").format(sql.Identifier(name)) for name in ledger.columns)
    statement = _LINES.format(columns=columns, table=sql.Identifier(ledger.table), rest=rest)
    with cursor_of(session).copy(statement) as copy:
        printed = b"".join(map(bytes, copy))
    return dict(map(row_of, printed.split(b"\n")[:-1]))


def rows_of_ids(session: Session, ledger: Ledger, ids: list[int]) -> dict[int, Row]:
    """Return the rows of a ledger with these ids that are there."""
    return _lines(session, ledger, _THESE.format(ids=ids)) if ids else {}


def rows_unsealed(session: Session, ledger: Ledger, limit: int, *, since: int = -ALL) -> dict[int, Row]:
    """Return rows of a ledger, from the lowest id on, that no link seals yet."""
    condition = sql.SQL(ledger.condition)
    rest = _UNSEALED.format(since=since, condition=condition, name=ledger.name, limit=limit)
    return _lines(session, ledger, rest)


def newest_sealed(session: Session, ledger: Ledger) -> int:
    """Return the highest id of a ledger that is sealed; 0 before the first."""
    statement = select(AuditLink.row_id).where(AuditLink.ledger == ledger.name)
    return session.exec(statement.order_by(col(AuditLink.row_id).desc()).limit(1)).first() or 0


def head_of_chain(session: Session) -> Head:
    """Return the last link of the chain."""
    found = session.exec(
        select(AuditLink.seq, AuditLink.hash).order_by(col(AuditLink.seq).desc()).limit(1)
    ).first()
    return Head(*found) if found else Head()


def head_at(session: Session, seq: int) -> Head | None:
    """Return a link of the chain as a head; None when it is not there."""
    if seq == 0:
        return Head()
    found = session.exec(select(AuditLink.seq, AuditLink.hash).where(AuditLink.seq == seq)).first()
    return Head(*found) if found else None


def links_after(session: Session, seq: int, last: int, limit: int) -> list[Link]:
    """Return the next links of the chain, in order."""
    asked = {"after": seq, "last": last, "limit": limit}
    return [Link(*row) for row in cursor_of(session, binary=True).execute(_LINKS, asked)]


def links_nowhere(session: Session) -> int:
    """Count links that stand before the first: the product makes none."""
    return len(session.exec(select(AuditLink.seq).where(col(AuditLink.seq) < 1)).all())


def removed_after_keeping(session: Session) -> dict[str, tuple[int, int]]:
    """Return, for each ledger, the highest id that was removed when its keeping was over, and how many were."""
    found = cursor_of(session).execute(_REMOVED, {"act": PAST_KEEPING})
    return {ledger: (through, int(rows)) for ledger, through, rows in found}


def ledger_rows_unsealed(session: Session, limit: int) -> Iterator[tuple[Ledger, int, dict[int, Row]]]:
    """Return, for each ledger, its highest sealed id, and rows that are not sealed, at most so many."""
    for ledger in LEDGERS:
        yield ledger, newest_sealed(session, ledger), rows_unsealed(session, ledger, limit)


def erasure_of(session: Session, customer_id: object) -> Erasure | None:
    """Return the record of a person's erasure; None when there was none."""
    return session.get(Erasure, customer_id)


_LAST_VERIFIED = """
SELECT at, detail FROM audit_entry
 WHERE act = %(act)s
   AND (NOT %(holds)s OR detail ->> 'holds' = 'true') AND (NOT %(whole)s OR detail ->> 'after' = '0')
 ORDER BY at DESC, id DESC LIMIT 1
"""


def last_verified(
    session: Session, *, holds: bool = False, whole: bool = False
) -> tuple[datetime, dict[str, Any]] | None:
    """Return when the clock verified the chain last and what it found: the last at all, that held, or of it all."""
    asked = {"act": VERIFIED, "holds": holds, "whole": whole}
    row = cursor_of(session).execute(_LAST_VERIFIED, asked).fetchone()
    return (row[0], row[1]) if row else None


def was_done_since(session: Session, act: str, since: datetime) -> bool:
    """Whether an act is in the audit trail since a moment."""
    row = cursor_of(session).execute(
        "SELECT EXISTS (SELECT FROM audit_entry WHERE at >= %(since)s AND act = %(act)s)",
        {"since": since, "act": act},
    )
    return row.fetchone() == (True,)


# A bar by the person alone tells nobody apart once the person's data is erased.
_BARRED = """
SELECT EXISTS (
  SELECT FROM suppression s
   WHERE s.customer_id = %(customer_id)s AND s.scope = 'global' AND s.purpose IS NULL AND s.lifts_id IS NULL
     AND s.number_hash IS DISTINCT FROM %(number_hash)s AND (s.expires_at IS NULL OR s.expires_at > %(now)s)
     AND NOT EXISTS (SELECT FROM suppression l WHERE l.lifts_id = s.id))
   AND NOT EXISTS (
  SELECT FROM suppression s WHERE s.number_hash = %(number_hash)s AND s.scope = 'global' AND s.purpose IS NULL
     AND s.lifts_id IS NULL AND s.expires_at IS NULL
     AND NOT EXISTS (SELECT FROM suppression l WHERE l.lifts_id = s.id))
"""


def is_barred_but_for_number(session: Session, customer_id: UUID, number_hash: bytes, now: datetime) -> bool:
    """Whether a person must not be called at all, and their present number alone would not tell it."""
    asked = {"customer_id": customer_id, "number_hash": number_hash, "now": now}
    return cursor_of(session).execute(_BARRED, asked).fetchone() == (True,)
