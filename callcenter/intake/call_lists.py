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
DRAFTS_KEPT = timedelta(days=1)


def keep_list(
    session: Session,
    owner: tuple[int | None, UUID | None],
    name: str,
    digest: str,
    wanted: dict[str, Any],
    read: ReadList,
    now: datetime,
) -> ListImport:
    """Keep a list that has been read, of a token. Raises Conflict for the same list at the same moment."""
    row = _new_list(session, owner, name, digest, wanted, now)
    _put_rows(row, read)
    row.ended_at = None if read.rows else now
    session.add(row)
    session.flush()
    return row


def keep_file(
    session: Session,
    owner: tuple[int | None, UUID | None],
    name: str,
    digest: str,
    wanted: dict[str, Any],
    body: bytes,
    now: datetime,
    *,
    is_dry_run: bool = False,
) -> ListImport:
    """Keep a file as a draft that is to be read: a person's is looked at then, a token's worked through.

    Of a token's dry run nothing is kept but what would be refused. Raises Conflict for the same file at the same
    moment.
    """
    row = _new_list(session, owner, name, digest, wanted, now)
    row.is_draft, row.body, row.is_dry_run = True, body, is_dry_run
    session.add(row)
    session.flush()
    return row


def _new_list(
    session: Session,
    owner: tuple[int | None, UUID | None],
    name: str,
    digest: str,
    wanted: dict[str, Any],
    now: datetime,
) -> ListImport:
    token_id, user_id = owner
    list_id = derived_id("list-import", token_id or user_id, digest, now.isoformat())
    if session.get(ListImport, list_id) is not None:
        raise Conflict("This very list came in just now. Look at the lists there are.")
    return ListImport(
        id=list_id,
        token_id=token_id,
        user_id=user_id,
        name=name,
        digest=digest,
        wanted=wanted,
        created_at=now,
        rows_total=0,
    )


def _put_rows(row: ListImport, read: ReadList) -> None:
    row.rows = [one.written() for one in read.rows]
    row.refused = [asdict(one) for one in read.refused]
    row.rows_total, row.rows_done = len(read.rows) + len(read.refused), len(read.refused)
    row.ignored_columns = read.ignored_columns


def lock_to_look_at(session: Session, list_id: UUID) -> ListImport | None:
    """Lock a draft that is still to be read or looked at; None when it is done, or another process is at it."""
    row = session.get(ListImport, list_id, with_for_update={"skip_locked": True}, populate_existing=True)
    if row is None or not row.is_draft or row.looked_at is not None or row.failed is not None:
        return None
    return row


def note_read(row: ListImport, read: ReadList, now: datetime) -> None:
    """Write down what a locked draft's file holds; the file is not kept any longer."""
    _put_rows(row, read)
    row.body, row.foreseen = None, []
    row.looked_at = None if row.rows else now
    if row.token_id is not None:
        _put_to_work(row, now)


def _put_to_work(row: ListImport, now: datetime) -> None:
    """Let a token's list that has been read be worked through; of a dry run forget whom it names."""
    row.looked_at = now
    if row.is_dry_run:
        row.rows = []
        return
    row.is_draft = False
    row.ended_at = None if row.rows else now


def note_unreadable(row: ListImport, code: str) -> None:
    """Write down why a locked draft's file is no list; it is not kept any longer."""
    row.body, row.failed = None, code


def note_foreseen(row: ListImport, foreseen: Sequence[Sequence[object]], now: datetime) -> None:
    """Write down what would become of the next rows of a locked draft."""
    row.foreseen = [*row.foreseen, *(list(one) for one in foreseen)]
    is_over = not row.rows or not foreseen or row.rows[-1]["number"] <= row.foreseen[-1][0]
    row.looked_at = now if is_over else None


def lock_list(session: Session, list_id: UUID) -> ListImport | None:
    """Lock a list whose work is not done; None when it is, or another process is at it."""
    row = session.get(ListImport, list_id, with_for_update={"skip_locked": True}, populate_existing=True)
    return row if row is not None and row.ended_at is None and not row.is_draft else None


def lock_own_list(session: Session, list_id: UUID) -> ListImport:
    """Return a list that a person brought, locked until the commit. Raises NotFound."""
    row = session.get(ListImport, list_id, with_for_update=True, populate_existing=True)
    if row is None or row.user_id is None:
        raise NotFound("There is no such list. A list that nobody confirmed is forgotten after a day.")
    return row


def same_list(session: Session, row: ListImport) -> ListImport | None:
    """Return the list of the same content and journey that was worked through before, and not undone."""
    return session.exec(
        select(ListImport)
        .where(ListImport.digest == row.digest, ListImport.id != row.id)
        .where(col(ListImport.is_draft).is_(False), col(ListImport.undone_at).is_(None))
        .where(col(ListImport.wanted)["journey"].astext == row.wanted["journey"])
        .order_by(col(ListImport.created_at))
    ).first()


def hold_digest(session: Session, digest: str) -> None:
    """Let nobody else begin the same list until the commit."""
    cursor_of(session).execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 5108))", [digest])


def confirm(row: ListImport, now: datetime) -> None:
    """Let a draft be a list that is worked through."""
    row.is_draft, row.created_at = False, now
    if not row.rows:
        row.ended_at = now


def note_undone(row: ListImport, undone: int, now: datetime) -> None:
    """Write down that a list's call tasks were taken back, and how many could be."""
    row.undone_at, row.tasks_undone = now, undone


def note_worked(
    row: ListImport, done: int, opened: Sequence[UUID], refused: Sequence[RefusedRow], now: datetime
) -> None:
    """Write down what became of the next rows of a locked list; rows that are done are not kept."""
    row.rows = row.rows[done:]
    row.rows_done, row.tasks_opened = row.rows_done + done, row.tasks_opened + len(opened)
    if row.user_id is not None:
        row.opened = [*row.opened, *map(str, opened)]
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
 WHERE (l.ended_at IS NULL OR l.is_draft)
   AND EXISTS (SELECT FROM jsonb_array_elements(l.rows) r WHERE r->>'external_id' = %(external_id)s)
"""


ERASED = "erased"
"""Why a file was not read: a person was erased meanwhile, and it may have named them."""


def forget_person(session: Session, external_id: str) -> int:
    """Take a person out of the lists that are still to be worked through; return out of how many.

    Files that nobody has read yet, for they have just come in, are given up: whom they name is not known.
    """
    session.execute(
        update(ListImport).where(col(ListImport.body).is_not(None)).values(body=None, failed=ERASED)
    )
    return cursor_of(session).execute(_FORGET_PERSON, {"external_id": external_id}).rowcount


def forget_lists(session: Session, now: datetime) -> None:
    """Remove old lists, drafts nobody confirmed, and the rows of those that could not be worked through."""
    session.execute(
        delete(ListImport)
        .where(col(ListImport.is_draft).is_(True))
        .where(col(ListImport.created_at) < now - DRAFTS_KEPT)
    )
    session.execute(delete(ListImport).where(col(ListImport.created_at) < now - KEPT_FOR))
    session.execute(
        update(ListImport)
        .where(col(ListImport.ended_at).is_(None))
        .where(col(ListImport.created_at) < now - STUCK_AFTER)
        .values(rows=[], ended_at=now)
    )


def lists_to_work(session: Session) -> Sequence[UUID]:
    """List the lists whose work is not done."""
    return session.exec(
        select(ListImport.id).where(col(ListImport.ended_at).is_(None), col(ListImport.is_draft).is_(False))
    ).all()


def lists_of_people(session: Session, limit: int = 20) -> Sequence[ListImport]:
    """List the newest lists that people brought in."""
    return session.exec(
        select(ListImport)
        .where(col(ListImport.user_id).is_not(None), col(ListImport.is_draft).is_(False))
        .order_by(col(ListImport.created_at).desc())
        .limit(limit)
    ).all()
