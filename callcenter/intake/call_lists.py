"""Lists of customers to call: kept when they come, worked through row by row, told of how far that is."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from callcenter.db import cursor_of
from callcenter.domain.ids import derived_id
from callcenter.errors import Conflict, NotFound
from callcenter.intake.list_files import ReadList, RefusedRow
from callcenter.models import ListImport

KEPT_FOR = timedelta(days=90)
STUCK_AFTER = timedelta(days=3)
"""Rows of a list that nobody could work through are forgotten then."""


def keep_list(
    session: Session,
    token_id: int,
    name: str,
    digest: str,
    wanted: dict[str, Any],
    read: ReadList,
    now: datetime,
) -> ListImport:
    """Keep a list that has been read. Raises Conflict for the same list at the same moment."""
    list_id = derived_id("list-import", token_id, digest, now.isoformat())
    if session.get(ListImport, list_id) is not None:
        raise Conflict("This very list came in just now. Look at the lists there are.")
    row = ListImport(
        id=list_id,
        token_id=token_id,
        name=name,
        digest=digest,
        wanted=wanted,
        rows=[one.written() for one in read.rows],
        created_at=now,
        ended_at=None if read.rows else now,
        rows_total=len(read.rows) + len(read.refused),
        rows_done=len(read.refused),
        refused=[asdict(one) for one in read.refused],
    )
    session.add(row)
    session.flush()
    return row


def lock_list(session: Session, list_id: UUID) -> ListImport | None:
    """Lock a list whose work is not done; None when it is, or another process is at it."""
    row = session.get(ListImport, list_id, with_for_update={"skip_locked": True}, populate_existing=True)
    return row if row is not None and row.ended_at is None else None


def note_worked(
    row: ListImport, done: int, opened: int, refused: Sequence[RefusedRow], now: datetime
) -> None:
    """Write down what became of the next rows of a locked list; rows that are done are not kept."""
    row.rows = row.rows[done:]
    row.rows_done, row.tasks_opened = row.rows_done + done, row.tasks_opened + opened
    row.refused = [*row.refused, *(asdict(one) for one in refused)]
    if not row.rows:
        row.ended_at = now


def list_with(session: Session, list_id: UUID) -> ListImport:
    """Return one list. Raises NotFound."""
    row = session.get(ListImport, list_id)
    if row is None:
        raise NotFound("There is no such list.")
    return row


_FORGET_PERSON = """
UPDATE list_import l SET rows = coalesce(
       (SELECT jsonb_agg(r ORDER BY n) FROM jsonb_array_elements(l.rows) WITH ORDINALITY AS one (r, n)
         WHERE r->>'external_id' <> %(external_id)s), '[]')
 WHERE l.ended_at IS NULL
   AND EXISTS (SELECT FROM jsonb_array_elements(l.rows) r WHERE r->>'external_id' = %(external_id)s)
"""


def forget_person(session: Session, external_id: str) -> int:
    """Take a person out of the lists that are still to be worked through; return out of how many."""
    return cursor_of(session).execute(_FORGET_PERSON, {"external_id": external_id}).rowcount


def forget_lists(session: Session, now: datetime) -> None:
    """Remove old lists, and the rows of those that could not be worked through."""
    session.execute(delete(ListImport).where(col(ListImport.created_at) < now - KEPT_FOR))
    session.execute(
        update(ListImport)
        .where(col(ListImport.ended_at).is_(None))
        .where(col(ListImport.created_at) < now - STUCK_AFTER)
        .values(rows=[], ended_at=now)
    )


def lists_to_work(session: Session) -> Sequence[UUID]:
    """List the lists whose work is not done."""
    return session.exec(select(ListImport.id).where(col(ListImport.ended_at).is_(None))).all()
