"""Call tasks handed over: kept back, sent on, given back. Customer and call task are locked before the transfer."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_
from sqlmodel import Session, col, select

from callcenter.calltasks.policy import ANSWER_WAITS, APPROVAL_WAITS, GRACE_AFTER_TRANSFER, OWNER_FIRST_FOR
from callcenter.domain.enums import HeldFor, Presence, ReservationEnd, TaskState, TransferState
from callcenter.domain.handing_over import CLOSED, TransferFacts, TransferWish
from callcenter.domain.ids import derived_id
from callcenter.errors import Conflict, NotFound
from callcenter.models import Agent, CallTask, Reservation, TaskTransfer


def begin(
    session: Session,
    task: CallTask,
    wish: TransferWish,
    from_agent_id: UUID,
    now: datetime,
    *,
    needs_approval: bool,
) -> TaskTransfer:
    """Hand a locked pending call task over: at once, or kept back until a supervisor has said a word.

    Raises Conflict when it is being handed over already.
    """
    if open_transfer(session, task.id) is not None:
        raise Conflict("This call task is being handed over already. Take that back first.")
    row = TaskTransfer(
        id=derived_id("task-transfer", task.id, from_agent_id, now.isoformat()),
        call_task_id=task.id,
        from_agent_id=from_agent_id,
        to_agent_id=wish.to_agent_id,
        to_team=wish.to_team,
        reason=wish.reason,
        note=wish.note,
        asked_at=now,
        expires_at=max(now + APPROVAL_WAITS, task.not_before_at),
        attempts=task.attempts,
        before={"team": task.team},
    )
    session.add(row)
    if needs_approval:
        task.held_for, task.agent_id, task.owner_until = HeldFor.APPROVAL, None, None
        task.why_no_call = ["transfer_asked"]
        _keep_alive(task, row)
    else:
        send_on(row, task, now)
    session.flush()
    return row


def send_on(row: TaskTransfer, task: CallTask, now: datetime) -> None:
    """Let the receiver have a locked pending call task, until it has waited too long for them."""
    row.state = TransferState.ON_ITS_WAY
    row.expires_at = max(now, task.not_before_at) + ANSWER_WAITS
    task.relaxed, task.unstaffed_at, task.why_no_call = [], None, ["handed_over"]
    if row.to_agent_id is not None:
        task.held_for, task.agent_id, task.owner_until = HeldFor.COLLEAGUE, row.to_agent_id, row.expires_at
    else:
        task.held_for, task.agent_id, task.owner_until = HeldFor.TEAM, None, None
        task.team = row.to_team
    _keep_alive(task, row)


def _keep_alive(task: CallTask, row: TaskTransfer) -> None:
    """A call task does not run out while it is handed over, nor the moment it comes back."""
    task.expires_at = max(task.expires_at, row.expires_at + GRACE_AFTER_TRANSFER)


def end(row: TaskTransfer, task: CallTask, state: TransferState, now: datetime) -> None:
    """Close a transfer; the call task asks for its own team again and is kept back no longer."""
    row.state, row.ended_at = state, now
    if state is TransferState.TAKEN:
        row.taken_by = task.agent_id
    if task.state not in CLOSED:
        task.team = row.before.get("team")
    if task.state == TaskState.PENDING and task.held_for is not None:
        task.why_no_call = []
    task.held_for = None


def give_back(row: TaskTransfer, task: CallTask, now: datetime, *, is_there: bool) -> None:
    """Let whoever handed a locked pending call task over have it again for a while; anybody if they have left."""
    task.agent_id = row.from_agent_id if is_there else None
    task.owner_until = max(now, task.not_before_at) + OWNER_FIRST_FOR if is_there else None
    task.why_no_call = ["handed_back"]


def decide(row: TaskTransfer, supervisor_id: UUID, answer: str, now: datetime) -> None:
    """Note who has decided, and their word. Raises Conflict when somebody has, or it has come to an end."""
    if row.state != TransferState.ASKED or row.ended_at is not None:
        raise Conflict("Somebody has decided on this already, or it has run out. Nothing is left to do.")
    row.decided_at, row.decided_by, row.answer = now, supervisor_id, answer


def note(row: TaskTransfer, now: datetime) -> None:
    """Note that the agent has read what became of it."""
    row.noted_at = row.noted_at or now


def open_transfer(session: Session, call_task_id: UUID) -> TaskTransfer | None:
    """Return the transfer a locked call task is in, as the database has it now."""
    return session.exec(
        select(TaskTransfer)
        .where(TaskTransfer.call_task_id == call_task_id)
        .where(col(TaskTransfer.ended_at).is_(None))
        .execution_options(populate_existing=True)
    ).first()


def transfer_known(session: Session, transfer_id: UUID) -> TaskTransfer:
    """Return a transfer; lock its customer and call task, then itself, before changing it. Raises NotFound."""
    row = session.get(TaskTransfer, transfer_id)
    if row is None:
        raise NotFound("There is no such transfer.")
    return row


def lock_transfer(session: Session, transfer_id: UUID) -> TaskTransfer:
    """Return a transfer as the database has it now, locked until the commit; its call task is locked before."""
    return session.get_one(TaskTransfer, transfer_id, with_for_update=True, populate_existing=True)


def wait_for_due(row: TaskTransfer, task: CallTask) -> None:
    """Let the receiver's time begin only when the customer may be called: the gate may have put it off."""
    if row.state == TransferState.ON_ITS_WAY and task.state == TaskState.PENDING:
        row.expires_at = max(row.expires_at, task.not_before_at + ANSWER_WAITS)


def facts_of(session: Session, row: TaskTransfer, task: CallTask, now: datetime) -> TransferFacts:
    """Gather how a transfer stands."""
    last = session.exec(
        select(Reservation.end)
        .where(Reservation.call_task_id == task.id)
        .where(Reservation.agent_id == row.to_agent_id)
        .where(Reservation.offered_at >= row.asked_at)
        .where(col(Reservation.ended_at).is_not(None))
        .order_by(col(Reservation.offered_at).desc())
        .limit(1)
    ).first()
    receiver = session.get(Agent, row.to_agent_id) if row.to_agent_id else None
    return TransferFacts(
        state=TransferState(row.state),
        to_agent_id=row.to_agent_id,
        expires_at=row.expires_at,
        attempts_before=row.attempts,
        task_state=TaskState(task.state),
        held_for=HeldFor(task.held_for) if task.held_for else None,
        agent_id=task.agent_id,
        attempts=task.attempts,
        is_due=task.not_before_at <= now,
        last_offer=ReservationEnd(last) if last else None,
        is_receiver_there=receiver is None or receiver.presence != Presence.SIGNED_OFF,
    )


def transfers_to_look_at(session: Session, now: datetime, limit: int = 200) -> Sequence[UUID]:
    """List open transfers something may have become of: those whose call task no longer waits as it was left."""
    waits_untouched = and_(
        col(CallTask.state) == TaskState.PENDING,
        col(CallTask.attempts) == col(TaskTransfer.attempts),
        or_(
            col(CallTask.held_for) == HeldFor.APPROVAL,
            col(CallTask.held_for) == HeldFor.TEAM,
            and_(
                col(CallTask.held_for) == HeldFor.COLLEAGUE,
                col(CallTask.agent_id) == col(TaskTransfer.to_agent_id),
                or_(col(CallTask.not_before_at) > now, col(Agent.presence) != Presence.SIGNED_OFF),
            ),
        ),
        col(TaskTransfer.expires_at) > now,
    )
    is_looked_at = col(CallTask.state) == TaskState.RESERVED
    return session.exec(
        select(TaskTransfer.id)
        .join(CallTask, col(CallTask.id) == col(TaskTransfer.call_task_id))
        .join(Agent, col(Agent.id) == col(TaskTransfer.to_agent_id), isouter=True)
        .where(col(TaskTransfer.ended_at).is_(None))
        .where(~is_looked_at)
        .where(waits_untouched.is_not(True))
        .order_by(col(TaskTransfer.asked_at))
        .limit(limit)
    ).all()
