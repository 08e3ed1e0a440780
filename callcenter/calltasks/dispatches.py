"""Change many call tasks at once, and put them back; what was done is kept until nobody can undo it."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import Session, col

from callcenter.calltasks.policy import ASSIGNED_FOR, PRIORITY_STEP
from callcenter.calltasks.service import cancel
from callcenter.db import cursor_of
from callcenter.domain.dispatching import DispatchAct, Wanted
from callcenter.domain.enums import CancelReason, TaskState
from callcenter.errors import NotFound
from callcenter.models import CallTask, Dispatch

LEAST, MOST = 0, 100
"""Between these lies a call task's priority."""
PLANS_KEPT = timedelta(days=1)
Planned = Sequence[tuple[UUID, UUID | None, UUID | None]]


def plan(
    session: Session,
    dispatch_id: UUID,
    wanted: Wanted,
    matched: int,
    planned: Planned,
    refused: Sequence[tuple[UUID, str]],
    user_id: UUID,
    now: datetime,
) -> Dispatch:
    """Keep what would be done; plans of a day ago that nobody carried out are forgotten."""
    session.execute(
        delete(Dispatch)
        .where(col(Dispatch.done_at).is_(None))
        .where(col(Dispatch.made_at) < now - PLANS_KEPT)
    )
    row = Dispatch(
        id=dispatch_id,
        act=wanted.act,
        wanted=dict(wanted.told()),
        matched=matched,
        planned=[[str(one), _text(to), _text(seen)] for one, to, seen in planned],
        refused=_listed(refused),
        made_at=now,
        made_by=user_id,
    )
    session.add(row)
    session.flush()
    return row


def _listed(left_out: Collection[tuple[UUID, str]]) -> list[list[str | None]]:
    return [[str(one), why] for one, why in left_out]


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None


def _id(value: str | None) -> UUID | None:
    return UUID(value) if value else None


def lock_dispatch(session: Session, dispatch_id: UUID) -> Dispatch:
    """Return an act as the database has it now, locked until the commit. Raises NotFound."""
    row = session.get(Dispatch, dispatch_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("This preview is gone. Choose the call tasks again.")
    return row


def next_of(row: Dispatch, limit: int) -> list[tuple[UUID, UUID | None, UUID | None]]:
    """Return the next call tasks of a plan: which, for whom, and whose they were when it was made."""
    part = row.planned[row.worked : row.worked + limit]
    return [(UUID(str(one)), _id(to), _id(seen)) for one, to, seen in part]


def note_worked(
    row: Dispatch,
    worked: int,
    changed: Collection[dict[str, Any]],
    refused: Collection[tuple[UUID, str]],
    now: datetime,
) -> None:
    """Keep what became of the next call tasks of a plan."""
    row.worked += worked
    row.changed = [*row.changed, *changed]
    row.refused = [*row.refused, *_listed(refused)]
    row.done_at = now


def note_undone(row: Dispatch, looked_at: int, lost: Collection[tuple[UUID, str]], now: datetime) -> None:
    """Keep what of an act could not be put back."""
    row.looked_at += looked_at
    row.lost = [*row.lost, *_listed(lost)]
    row.undone_at = row.undone_at or now


def as_it_is(task: CallTask) -> dict[str, Any]:
    """What of a call task tells whether anybody has touched it."""
    return {
        "state": str(task.state),
        "state_at": _told(task.state_at),
        "agent_id": task.agent_id and str(task.agent_id),
        "owner_until": _told(task.owner_until),
        "priority": task.priority,
        "raised": task.raised,
        "offers": task.offers,
        "not_before_at": _told(task.not_before_at),
    }


def _told(at: datetime | None) -> str | None:
    """A moment in UTC, in whatever zone the database has answered."""
    return at.astimezone(UTC).isoformat() if at else None


def _overtake(task: CallTask) -> None:
    if task.held_for is not None:
        task.held_for, task.why_no_call = None, []


def give(task: CallTask, agent_id: UUID, now: datetime) -> None:
    """Leave a locked pending call task to one agent for a while; its transfer, if there is one, is overtaken."""
    _overtake(task)
    task.agent_id, task.owner_until = agent_id, max(now, task.not_before_at) + ASSIGNED_FOR


def take_back(task: CallTask) -> None:
    """Let anybody have a locked pending call task; its transfer, if there is one, is overtaken."""
    _overtake(task)
    task.agent_id, task.owner_until = None, None


def change(task: CallTask, act: DispatchAct, to: UUID | None, now: datetime) -> bool:
    """Do an act on a locked, pending call task; False when it changes nothing."""
    if to is not None:
        give(task, to, now)
    elif act is DispatchAct.BRING_BACK:
        take_back(task)
    elif act is DispatchAct.EXPIRE:
        cancel(task, CancelReason.EXPIRED, now)
    else:
        step = PRIORITY_STEP if act is DispatchAct.PRIORITY_UP else -PRIORITY_STEP
        before, task.priority = task.priority, min(MOST, max(LEAST, task.priority + step))
        if before == task.priority:
            return False
        task.raised += 1 if act is DispatchAct.PRIORITY_UP else -1
    return True


def put_back(task: CallTask, was: dict[str, Any], now: datetime) -> None:
    """Make a locked call task what it was before an act.

    An offer that was ended does not come back: the call task is left to the agent who had it.
    """
    if task.state == TaskState.CANCELED:
        task.state, task.state_at, task.closed_at, task.cancel_reason = TaskState.PENDING, now, None, None
    task.priority, task.raised = was["priority"], was.get("raised", 0)
    agent_id, until = was["agent_id"], was["owner_until"]
    if agent_id and was["state"] == TaskState.RESERVED:
        give(task, UUID(agent_id), now)
    else:
        task.agent_id = UUID(agent_id) if agent_id else None
        task.owner_until = datetime.fromisoformat(until) if until else None


_FORGET = """
DELETE FROM dispatch d USING (
  SELECT id FROM dispatch WHERE done_at IS NOT NULL AND made_at < %(before)s
   ORDER BY made_at LIMIT %(limit)s) old
 WHERE d.id = old.id
"""


def forget_done(session: Session, before: datetime, limit: int) -> int:
    """Remove a portion of the acts on many call tasks that were done before a moment; return how many.

    Who did what to how many stays in the audit trail.
    """
    return cursor_of(session).execute(_FORGET, {"before": before, "limit": limit}).rowcount
