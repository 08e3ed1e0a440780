"""Seal the ledgers, remove what is past its keeping, keep whose data was erased."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from callcenter.db import cursor_of
from callcenter.evidence.policy import LEDGERS, REMOVE_AT_ONCE, SEAL_AT_ONCE
from callcenter.evidence.queries import ALL, head_of_chain, newest_sealed, rows_unsealed, speak_plainly
from callcenter.evidence.rules import Link, forge
from callcenter.models import Erasure

_ONE_AT_A_TIME = 0x6C696E6B73
_COPY = "COPY audit_link (seq, ledger, row_id, row_hash, hash, sealed_at) FROM STDIN (FORMAT binary)"
_TYPES = ("int8", "text", "int8", "bytea", "bytea", "timestamptz")
# Only what is sealed may go: its link stays.
_REMOVE = """
WITH old AS (
  SELECT d.id FROM screening_decision d WHERE d.asked_at < %(before)s
     AND EXISTS (SELECT FROM audit_link l WHERE l.ledger = 'screening_decision' AND l.row_id = d.id)
   ORDER BY d.asked_at, d.id LIMIT %(limit)s
), gone AS (DELETE FROM screening_decision d USING old WHERE d.id = old.id RETURNING d.id)
SELECT count(*), max(id) FROM gone
"""


@dataclass(frozen=True, slots=True)
class Removed:
    """Rows of a ledger that were removed because their keeping was over."""

    ledger: str
    rows: int
    through_id: int


def seal(session: Session, now: datetime, limit: int = SEAL_AT_ONCE, *, everywhere: bool = False) -> int:
    """Put rows that are not sealed yet at the end of the chain; return how many.

    Looks behind the newest sealed row of each ledger only so far as rows can be committed late; `everywhere`:
    at all rows. Returns 0 at once when another process is sealing.
    """
    if not stand_alone(session):
        return 0
    speak_plainly(session)
    head, links = head_of_chain(session), list[Link]()
    for ledger in LEDGERS:
        back = None if everywhere else ledger.look_back
        since = -ALL if back is None else newest_sealed(session, ledger) - back
        rows = rows_unsealed(session, ledger, limit - len(links), since=since)
        links += (forged := forge(head, ledger.name, rows.items()))
        head = forged[-1].head if forged else head
        if len(links) == limit:
            break
    _store(session, links, now)
    return len(links)


def stand_alone(session: Session) -> bool:
    """Whether no other process is at the chain; then none comes to it before the commit."""
    row = cursor_of(session).execute("SELECT pg_try_advisory_xact_lock(%s)", [_ONE_AT_A_TIME]).fetchone()
    return row == (True,)


def _store(session: Session, links: Sequence[Link], now: datetime) -> None:
    if not links:
        return
    with cursor_of(session).copy(_COPY) as copy:
        copy.set_types(_TYPES)
        for one in links:
            copy.write_row((one.seq, one.ledger, one.row_id, one.row_hash, one.hash, now))


def remove_past_keeping(session: Session, before: datetime, limit: int = REMOVE_AT_ONCE) -> Removed | None:
    """Remove the oldest screening decisions asked before a moment; None when there are none.

    The caller writes it into the audit trail, in the same transaction: without that the chain is broken.
    """
    cursor = cursor_of(session)
    cursor.execute("SELECT set_config('callcenter.past_keeping', 'on', true)")
    row = cursor.execute(_REMOVE, {"before": before, "limit": limit}).fetchone()
    cursor.execute("SELECT set_config('callcenter.past_keeping', 'off', true)")
    return Removed("screening_decision", *row) if row and row[0] else None


def keep_erasure(
    session: Session,
    customer_id: UUID,
    why: str,
    by: UUID | None,
    now: datetime,
    *,
    erased: Mapping[str, int],
    kept: Mapping[str, Any],
) -> Erasure:
    """Keep that a person's data was erased; what a later run finds is added to the first record."""
    row = session.get(Erasure, customer_id)
    if row is None:
        row = Erasure(customer_id=customer_id, at=now, by_user_id=by, why=why, erased=dict(erased), kept={})
    else:
        counts = {name: row.erased.get(name, 0) for name in {*row.erased, *erased}}
        row.erased = {name: count + erased.get(name, 0) for name, count in counts.items()}
    row.kept = dict(kept)
    session.add(row)
    session.flush()
    return row
