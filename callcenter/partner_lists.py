"""Lists of customers to call, as the bank's other systems send them: kept, then worked through in portions.

Verbs as in the pipeline. A list that stops half way goes on where it stopped; no row is called twice for it,
since a customer has one open call task in a journey.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from callcenter import outbox
from callcenter.accounts import service as accounts
from callcenter.domain.enums import OutboxKind, Purpose
from callcenter.errors import BadInput, CallCenterError
from callcenter.intake import call_lists
from callcenter.intake.directory import Refused, Told
from callcenter.intake.list_files import ReadList, RefusedRow, Row, check_file, read_list
from callcenter.models import ListImport
from callcenter.moves import House
from callcenter.partners import (
    Barred,
    Partner,
    Wanted,
    ask_for_call,
    check_step,
    journey_of,
    tell_customers,
)
from scripts_library.model import ScriptLibraryError

PORTION = 50


@dataclass(frozen=True, kw_only=True)
class ListWanted:
    """What a list says of all its calls; a row may say its own step, reason and priority."""

    name: str
    journey: str
    step: str | None = None
    reason: str = ""
    priority: int = 50
    purpose: Purpose = Purpose.SERVICE
    expires_at: datetime | None = None


def check_list(session: Session, wanted: ListWanted, read: ReadList) -> ReadList:
    """Refuse the rows whose step a call cannot be about. Raises BadInput when journey or step is none."""
    definition = journey_of(session, wanted.journey)
    check_step(definition, wanted.step)
    good: list[Row] = []
    refused = list(read.refused)
    for row in read.rows:
        try:
            check_step(definition, row.step)
        except BadInput:
            refused.append(
                RefusedRow(row.number, "unknown_step", "step is none of the journey's to call about")
            )
        else:
            good.append(row)
    return ReadList(good, sorted(refused, key=lambda one: one.number), read.ignored_columns)


def take_list(
    session: Session,
    by: Partner,
    wanted: ListWanted,
    digest: str,
    read: ReadList,
    now: datetime,
) -> ListImport:
    """Keep a checked list; its calls are asked for from now on, portion by portion."""
    owner = (by.token_id, by.user_id)
    row = call_lists.keep_list(session, owner, wanted.name, digest, _told(by, wanted), read, now)
    begin_list(session, by, row, now)
    return row


def keep_file(
    session: Session,
    by: Partner,
    wanted: ListWanted,
    digest: str,
    body: bytes,
    now: datetime,
    *,
    is_dry_run: bool = False,
) -> ListImport:
    """Keep a file as a draft: nothing is asked for until it was read, and until a person who brings it says so.

    Raises BadInput when journey or step is none.
    """
    check_list(session, wanted, ReadList())
    owner, told = (by.token_id, by.user_id), _told(by, wanted)
    return call_lists.keep_file(session, owner, wanted.name, digest, told, body, now, is_dry_run=is_dry_run)


def keep_large_file(
    session: Session,
    by: Partner,
    wanted: ListWanted,
    digest: str,
    body: bytes,
    now: datetime,
    *,
    is_dry_run: bool,
) -> ListImport:
    """Keep another system's file that is too large to be read while it waits; a job reads it from now on.

    Raises BadInput when journey or step is none, and FileRefused for what can be told to be no list unread.
    """
    check_file(body)
    row = keep_file(session, by, wanted, digest, body, now, is_dry_run=is_dry_run)
    outbox.hand_over(session, OutboxKind.LOOK_AT_LIST, row.id, now)
    return row


def read_file(session: Session, row: ListImport, now: datetime) -> None:
    """Read the file of a locked draft; another system's list is worked through from now on.

    A file that is no list, or whose journey or step is gone, is given up, and the row says why.
    """
    assert row.body is not None
    try:
        read = check_list(session, wanted_of(row), read_list(row.body))
    except BadInput as problem:
        call_lists.note_unreadable(row, (problem.fields.get("file") or ("gone",))[0])
        return
    call_lists.note_read(row, read, now)
    if row.token_id is not None and not row.is_dry_run:
        begin_list(session, owner_of(row), row, now)


def wanted_of(row: ListImport) -> ListWanted:
    """Return what a list says of all its calls."""
    told = row.wanted
    return ListWanted(
        name=row.name,
        journey=told["journey"],
        step=told["step"],
        reason=told["reason"],
        priority=told["priority"],
        purpose=Purpose(told["purpose"]),
        expires_at=datetime.fromisoformat(told["expires_at"]) if told["expires_at"] else None,
    )


def _told(by: Partner, wanted: ListWanted) -> dict[str, Any]:
    return {
        "journey": wanted.journey,
        "step": wanted.step,
        "reason": wanted.reason,
        "priority": wanted.priority,
        "purpose": wanted.purpose.value,
        "expires_at": wanted.expires_at.isoformat() if wanted.expires_at else None,
        "token": by.name,
    }


def begin_list(session: Session, by: Partner, row: ListImport, now: datetime) -> None:
    """Let a list be worked through from now on."""
    if row.ended_at is None:
        outbox.hand_over(session, OutboxKind.WORK_LIST, row.id, now)
    _record(session, by, row, "list.taken", now, rows=row.rows_total, journey=row.wanted["journey"])


def _record(
    session: Session, by: Partner, row: ListImport, act: str, now: datetime, **detail: object
) -> None:
    if by.token_id is not None:
        detail = {"token": by.name, "token_id": by.token_id, **detail}
    accounts.record(session, by.user_id, act, f"list {row.id}", now, **detail)


def owner_of(row: ListImport) -> Partner:
    """Return in whose name a list's calls are asked for."""
    return Partner(row.token_id, str(row.wanted.get("token", "")), row.user_id)


def work_list(session: Session, house: House, list_id: UUID, now: datetime) -> bool:
    """Work through the next rows of a list; return whether more are left."""
    row = call_lists.lock_list(session, list_id)
    if row is None:
        return False
    portion = row.rows[:PORTION]
    by = owner_of(row)
    told = [Told(one["external_id"], one["traits"]) for one in portion]
    refused: list[RefusedRow] = []
    opened: list[UUID] = []
    # All customers of the portion are locked first, in key order.
    for one, kept in zip(portion, tell_customers(session, by, told, now), strict=True):
        done = kept if isinstance(kept, Refused) else _call(session, house, by, row.wanted, one, now)
        if isinstance(done, Refused):
            refused.append(RefusedRow(one["number"], done.code, done.message))
        else:
            opened.append(done)
    call_lists.note_worked(row, len(portion), opened, refused, now)
    if row.ended_at is not None:
        _record(session, by, row, "list.worked", now, opened=row.tasks_opened)
    return row.ended_at is None


def _call(
    session: Session, house: House, by: Partner, wanted: dict[str, Any], one: dict[str, Any], now: datetime
) -> Refused | UUID:
    """Ask for the call of one row; return its call task, or why there is none."""
    expires_at = datetime.fromisoformat(wanted["expires_at"]) if wanted["expires_at"] else None
    asked = Wanted(
        external_id=one["external_id"],
        journey=wanted["journey"],
        step=one["step"] or wanted["step"],
        reason=one["reason"] or wanted["reason"],
        priority=wanted["priority"] if one["priority"] is None else one["priority"],
        purpose=Purpose(wanted["purpose"]),
        expires_at=expires_at,
    )
    try:
        with session.begin_nested():
            found = ask_for_call(session, house, by, asked, now)
    except CallCenterError as error:
        return Refused(error.code, error.message)
    except (ScriptLibraryError, IntegrityError, KeyError) as error:
        return Refused("not_opened", f"The call task could not be opened ({type(error).__name__}).")
    if isinstance(found, Barred):
        return Refused("barred", "The compliance gate bars the call: " + ", ".join(found.reasons))
    return found.id


def open_lists(session: Session) -> Sequence[UUID]:
    """List the lists that are still being worked through."""
    return call_lists.lists_to_work(session)
