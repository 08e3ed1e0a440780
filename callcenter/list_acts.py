"""Lists of customers that a supervisor brings in: looked at first, then worked through, undone for a while.

Verbs as in the pipeline, and beside it: each takes a session, ids or frozen values and `now`, and commits
nothing. The rows are read, checked and worked through by what serves other systems' lists.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter import moves, outbox, partner_lists
from callcenter.accounts import service as accounts
from callcenter.calltasks import waiting
from callcenter.compliance.policies import look
from callcenter.compliance.queries import ProposedCall
from callcenter.compliance.rules import screen_customer
from callcenter.domain.enums import CancelReason, OutboxKind, TaskState
from callcenter.domain.partners import BY_HAND
from callcenter.errors import Conflict, Forbidden
from callcenter.intake import call_lists
from callcenter.intake.directory import foreseen_customers
from callcenter.intake.list_files import SMALL, Row, check_file, read_list, row_of
from callcenter.models import CallTask, ListImport, Visit
from callcenter.moves import House
from callcenter.partner_lists import ListWanted
from callcenter.partners import Partner, is_barred

T = TypeVar("T")
LOOKED_AT_ONCE = 500
UNDO_LIST_WITHIN = timedelta(minutes=15)
OPENS, WAITS, MERGES, NO_STEP, BARRED = "opens", "waits", "merges", "no_step", "barred"
"""What becomes of a row: a call task now or from a later moment, none beside an open one, none at all."""


def draft_list(
    session: Session,
    house: House,
    by: Partner,
    wanted: ListWanted,
    digest: str,
    body: bytes,
    now: datetime,
) -> ListImport:
    """Keep a list that is to be looked at; nothing is opened until it was, and is begun.

    A small file is read and looked at here, a larger one by a job, portion by portion. Raises BadInput when journey
    or step is none, and FileRefused for what can be told to be no list.
    """
    check_file(body)
    row = partner_lists.keep_file(session, by, wanted, digest, body, now)
    if len(body) > SMALL:
        outbox.hand_over(session, OutboxKind.LOOK_AT_LIST, row.id, now)
        return row
    read = partner_lists.check_list(session, wanted, read_list(body))
    call_lists.note_read(row, read, now)
    while look_on(session, house, row.id, now):
        pass
    return row


def look_on(session: Session, house: House, list_id: UUID, now: datetime) -> bool:
    """Read a draft's file, or look at its next rows; return whether more is left to be looked at.

    A file that is no list, or whose journey or step is gone, is given up: its page says why. Another system's list
    is only read here, and worked through from then on.
    """
    row = call_lists.lock_to_look_at(session, list_id)
    if row is None:
        return False
    if row.body is not None:
        partner_lists.read_file(session, row, now)
    else:
        behind = row.foreseen[-1][0] if row.foreseen else 0
        left = [one for one in row.rows if one["number"] > behind]
        part = [row_of(one) for one in left[:LOOKED_AT_ONCE]]
        foreseen = _foresee(session, house, partner_lists.wanted_of(row), part, now)
        call_lists.note_foreseen(row, foreseen, now)
    outbox.ring(session, outbox.FLOOR)
    return row.failed is None and row.looked_at is None


def _parts(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    return (rows[place : place + LOOKED_AT_ONCE] for place in range(0, len(rows), LOOKED_AT_ONCE))


def _foresee(
    session: Session, house: House, wanted: ListWanted, rows: Sequence[Row], now: datetime
) -> list[tuple[int, str, str]]:
    """Say what would become of rows as things are now: (number, code, why)."""
    customers = foreseen_customers(session, [one.told for one in rows], now)
    ids = [one.id for one in customers]
    merged = _with_open_task(session, ids, wanted.journey)
    on_step = _on_a_step(session, ids, wanted.journey)
    calls = [ProposedCall(one, wanted.purpose, wanted.journey) for one in customers]
    found = []
    for row, who, (facts, policy) in zip(rows, customers, look(session, house.gate, calls, now), strict=True):
        verdict = screen_customer(facts, policy, now)
        reasons = ",".join(str(one) for one in verdict.reasons)
        if is_barred(verdict, wanted.expires_at):
            found.append((row.number, BARRED, reasons))
        elif not (row.step or wanted.step) and who.id not in on_step:
            found.append((row.number, NO_STEP, ""))
        elif who.id in merged:
            found.append((row.number, MERGES, ""))
        else:
            found.append((row.number, OPENS if verdict.may_call else WAITS, reasons))
    return found


def _with_open_task(session: Session, ids: Sequence[UUID], journey: str) -> set[UUID]:
    rows = session.exec(
        select(CallTask.customer_id)
        .where(col(CallTask.customer_id).in_(ids), CallTask.journey == journey)
        .where(col(CallTask.state).not_in((TaskState.COMPLETED, TaskState.CANCELED)))
    )
    return set(rows)


def _on_a_step(session: Session, ids: Sequence[UUID], journey: str) -> set[UUID]:
    rows = session.exec(
        select(Visit.customer_id)
        .where(col(Visit.customer_id).in_(ids), Visit.journey == journey)
        .where(col(Visit.closed_at).is_(None))
        .where(col(Visit.journey_key).not_like(f"{BY_HAND}%"))
    )
    return set(rows)


def begin_list(session: Session, list_id: UUID, user_id: UUID, now: datetime) -> ListImport:
    """Let a draft be worked through; begun already is fine.

    Raises NotFound, Forbidden when it is somebody else's, and Conflict when the very same file was brought in
    for the same journey before: it opens nothing twice.
    """
    row = _own(session, list_id, user_id)
    if not row.is_draft:
        return row
    if row.looked_at is None:
        raise Conflict("Wait until the whole list has been looked at, or bring it in again.")
    call_lists.hold_digest(session, row.digest)
    if call_lists.same_list(session, row) is not None:
        raise Conflict(
            "This very file was brought in before; it opens nothing twice. Change the list, or undo it."
        )
    call_lists.confirm(row, now)
    partner_lists.begin_list(session, partner_lists.owner_of(row), row, now)
    outbox.ring(session, outbox.FLOOR)
    return row


def _own(session: Session, list_id: UUID, user_id: UUID) -> ListImport:
    row = call_lists.lock_own_list(session, list_id)
    if row.user_id != user_id:
        raise Forbidden("Somebody else has brought this list in. Ask them, or bring in your own.")
    return row


def may_undo_until(row: ListImport) -> datetime | None:
    """Return until when a list can be undone; None when it cannot (any more)."""
    if row.is_draft or row.ended_at is None or row.undone_at is not None or not row.opened:
        return None
    return row.ended_at + UNDO_LIST_WITHIN


def undo_list(session: Session, list_id: UUID, user_id: UUID, now: datetime) -> int:
    """Cancel the call tasks a list has opened, all that nobody has touched since; return how many.

    Raises NotFound, Forbidden, and Conflict when there is nothing to undo or the time for it is over.
    """
    row = _own(session, list_id, user_id)
    if row.undone_at is not None:
        return row.tasks_undone
    until = may_undo_until(row)
    if until is None:
        raise Conflict("There is nothing to undo yet. Wait until the list is worked through.")
    if now > until:
        raise Conflict(
            "The time for undoing is over. Choose the call tasks in the queue and let them expire."
        )
    undone = 0
    for part in _parts(row.opened):
        for found in waiting.lock_tasks(session, [UUID(one) for one in part]).values():
            if found.task.state == TaskState.PENDING and found.task.agent_id is None:
                moves.cancel_task(session, found.task, CancelReason.WITHDRAWN, now)
                undone += 1
    call_lists.note_undone(row, undone, now)
    told: dict[str, object] = {"opened": len(row.opened), "undone": undone}
    accounts.record(session, user_id, "list.undone", f"list {row.id}", now, **told)
    return undone
