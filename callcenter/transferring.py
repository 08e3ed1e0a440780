"""Call tasks handed over to a colleague or a team, with a supervisor's approval where the team asks for it.

Verbs as in the pipeline, and beside it: each takes a session, ids and `now`, and commits nothing. Nothing is lost:
what nobody takes goes back to whoever had it, and says so. Not to be confused with the transfer of a live call.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter import moves, outbox, pipeline
from callcenter.accounts import service as accounts
from callcenter.calltasks import queries as task_queries
from callcenter.calltasks import service as calltasks
from callcenter.calltasks import transfers
from callcenter.domain.enums import OutboxKind, Presence, ReservationEnd, TaskState, TransferState
from callcenter.domain.handing_over import CLOSED, TransferWish, what_became
from callcenter.errors import BadInput, Conflict, Forbidden, NotFound
from callcenter.models import Agent, Callback, CallTask, TaskTransfer, Team, User
from callcenter.moves import House
from callcenter.outcomes import promises
from callcenter.outcomes.rules import WrapUp
from callcenter.routing import service as routing

LONGEST_ANSWER = 200
_GOES_BACK = frozenset(
    {
        TransferState.DECLINED,
        TransferState.TURNED_DOWN,
        TransferState.UNANSWERED,
        TransferState.UNDECIDED,
        TransferState.TAKEN_BACK,
    }
)

# -- agents hand over -------------------------------------------------------------------------------------


def pass_on_preview(
    session: Session, call_task_id: UUID, agent_id: UUID, wish: TransferWish, now: datetime
) -> TaskTransfer:
    """Hand over the call task an agent is looking at; they are free for the next one."""
    task = moves.task_of_agent(session, call_task_id, agent_id, TaskState.RESERVED)
    _check_receiver(session, wish, agent_id)
    if reservation := routing.reservation_of_task(session, task.id):
        moves.free_from_reservation(session, reservation.agent_id, now)
        routing.end_reservation(reservation, ReservationEnd.PASSED_ON, now)
    calltasks.release(task, now)
    return _begin(session, task, agent_id, wish, now)


def pass_on_after_call(
    session: Session,
    house: House,
    call_task_id: UUID,
    wrap_up: WrapUp,
    agent_id: UUID,
    wish: TransferWish,
    now: datetime,
) -> TaskTransfer:
    """Save a wrap-up and hand the call task over: the colleague goes on where the call has ended.

    Raises Conflict when the customer wants no more calls.
    """
    _check_receiver(session, wish, agent_id)
    pipeline.close_call(session, house, call_task_id, wrap_up, agent_id, now, passed_on=True)
    task = session.get_one(CallTask, call_task_id)
    if task.state != TaskState.PENDING:
        raise Conflict("This customer wants no more calls. Save the wrap-up without handing the task over.")
    return _begin(session, task, agent_id, wish, now)


def pass_on_callback(
    session: Session, callback_id: UUID, agent_id: UUID, wish: TransferWish, now: datetime
) -> TaskTransfer:
    """Hand over an own callback; whoever takes it keeps the promise at its time."""
    known = session.get(Callback, callback_id)
    if known is None:
        raise NotFound("There is no such callback.")
    moves.lock_customer(session, known.customer_id)
    task = task_queries.lock_task(session, known.call_task_id)
    assert task is not None
    row = promises.lock_callback(session, callback_id)
    if row.agent_id != agent_id:
        raise Forbidden("This callback is not yours to hand over.")
    if row.closed_at is not None or task.state != TaskState.PENDING:
        raise Conflict("This callback is being made, or has been kept or taken back.")
    _check_receiver(session, wish, agent_id)
    return _begin(session, task, agent_id, wish, now)


def _check_receiver(session: Session, wish: TransferWish, agent_id: UUID) -> None:
    """Make sure that somebody is meant who can take it. Raises BadInput."""
    wish.checked()
    if wish.to_agent_id is not None:
        user = session.get(User, wish.to_agent_id)
        if wish.to_agent_id == agent_id or user is None or not user.is_active:
            raise BadInput("Choose a colleague who works here, not yourself.")
        if session.get(Agent, wish.to_agent_id) is None:
            raise BadInput("Choose a colleague who works here, not yourself.")
    elif session.get(Team, wish.to_team) is None:
        raise BadInput("There is no such team. Choose one of the list.")
    elif session.get_one(Agent, agent_id).team == wish.to_team:
        raise BadInput("That is your own team. Skip the call task, and a colleague gets it.")


def _begin(
    session: Session, task: CallTask, agent_id: UUID, wish: TransferWish, now: datetime
) -> TaskTransfer:
    team = session.get(Team, session.get_one(Agent, agent_id).team)
    needs_approval = team is not None and team.transfers_need_approval
    row = transfers.begin(session, task, wish, agent_id, now, needs_approval=needs_approval)
    told = {"reason": str(wish.reason), "to": str(wish.to_agent_id or wish.to_team)}
    _record(session, row, agent_id, "transfer.asked" if needs_approval else "transfer.sent", now, **told)
    if not needs_approval:
        _let_receiver_know(session, row, task, now)
    _ring(session, row)
    return row


def _let_receiver_know(session: Session, row: TaskTransfer, task: CallTask, now: datetime) -> None:
    _move_promise(session, task, row.to_agent_id)
    due_at = max(now, task.not_before_at)
    outbox.hand_over(session, OutboxKind.OFFER_CALL_TASK, task.id, now, due_at=due_at)


def _move_promise(session: Session, task: CallTask, to: UUID | None) -> None:
    """Let an open callback follow its call task: it is the receiver's, or anyone's in a team."""
    promise = session.exec(
        select(Callback).where(Callback.call_task_id == task.id).where(col(Callback.closed_at).is_(None))
    ).first()
    if promise is not None:
        promises.give_to(promises.lock_callback(session, promise.id), to)


def take_back(session: Session, transfer_id: UUID, agent_id: UUID, now: datetime) -> None:
    """Take back what one has handed over and nobody has taken. Raises Conflict when somebody looks at it."""
    row, task = _lock(session, transfer_id)
    if row.from_agent_id != agent_id:
        raise Forbidden("Only who has handed a call task over takes it back.")
    if row.ended_at is not None or task.state != TaskState.PENDING or task.attempts > row.attempts:
        raise Conflict("Somebody is at it already, or it has come to an end. Nothing is left to take back.")
    _end(session, row, task, TransferState.TAKEN_BACK, now)
    transfers.note(row, now)
    _record(session, row, agent_id, "transfer.taken_back", now)


def note_transfer(session: Session, transfer_id: UUID, agent_id: UUID, now: datetime) -> None:
    """Note that an agent has read what became of their transfer; until then it stays before them."""
    row, _ = _lock(session, transfer_id)
    if row.from_agent_id != agent_id:
        raise Forbidden("This is a colleague's.")
    if row.ended_at is None:
        raise Conflict("It is still on its way.")
    transfers.note(row, now)
    outbox.ring(session, outbox.agent_channel(agent_id))


# -- supervisors decide -----------------------------------------------------------------------------------


def approve_transfer(session: Session, transfer_id: UUID, supervisor_id: UUID, now: datetime) -> None:
    """Let a call task go where its agent wants it. Raises Conflict when it is decided or over."""
    row, task = _lock_undecided(session, transfer_id)
    transfers.decide(row, supervisor_id, "", now)
    transfers.send_on(row, task, now)
    _record(session, row, supervisor_id, "transfer.approved", now)
    _let_receiver_know(session, row, task, now)
    _ring(session, row)


def decline_transfer(
    session: Session, transfer_id: UUID, supervisor_id: UUID, answer: str, now: datetime
) -> None:
    """Say no, with a word why; the call task goes back to its agent. Raises BadInput, Conflict."""
    answer = " ".join(answer.split())
    if not answer or len(answer) > LONGEST_ANSWER:
        raise BadInput("Say why not, in at most 200 characters. The agent reads it.")
    row, task = _lock_undecided(session, transfer_id)
    transfers.decide(row, supervisor_id, answer, now)
    _end(session, row, task, TransferState.DECLINED, now)
    _record(session, row, supervisor_id, "transfer.declined", now)


def _lock(session: Session, transfer_id: UUID) -> tuple[TaskTransfer, CallTask]:
    """Lock a transfer behind its customer and call task."""
    known = transfers.transfer_known(session, transfer_id)
    customer_id = session.get_one(CallTask, known.call_task_id).customer_id
    moves.lock_customer(session, customer_id)
    task = task_queries.lock_task(session, known.call_task_id)
    assert task is not None
    return transfers.lock_transfer(session, transfer_id), task


def _lock_undecided(session: Session, transfer_id: UUID) -> tuple[TaskTransfer, CallTask]:
    row, task = _lock(session, transfer_id)
    if row.ended_at is None and (task.state in CLOSED or task.held_for is None):
        raise Conflict("This call task has ended meanwhile, or was given to somebody else.")
    return row, task


# -- and what becomes of it -------------------------------------------------------------------------------


def transfers_to_settle(session: Session, now: datetime) -> Sequence[UUID]:
    """List open transfers something may have become of."""
    return transfers.transfers_to_look_at(session, now)


def settle_transfer(session: Session, transfer_id: UUID, now: datetime) -> TransferState | None:
    """End a transfer that was taken, turned down, left unanswered or overtaken; None while it goes on."""
    row, task = _lock(session, transfer_id)
    if row.ended_at is not None:
        return None
    transfers.wait_for_due(row, task)
    became = what_became(transfers.facts_of(session, row, task, now), now)
    if became is not None:
        _end(session, row, task, became, now)
        _record(session, row, None, "transfer.ended", now, state=became.value)
    return became


def _end(session: Session, row: TaskTransfer, task: CallTask, state: TransferState, now: datetime) -> None:
    transfers.end(row, task, state, now)
    if state in _GOES_BACK:
        giver = session.get_one(Agent, row.from_agent_id, populate_existing=True)
        is_there = giver.presence != Presence.SIGNED_OFF
        transfers.give_back(row, task, now, is_there=is_there)
        _move_promise(session, task, row.from_agent_id)
        due_at = max(now, task.not_before_at)
        outbox.hand_over(session, OutboxKind.OFFER_CALL_TASK, task.id, now, due_at=due_at)
    _ring(session, row)


def _ring(session: Session, row: TaskTransfer) -> None:
    concerned = {row.from_agent_id, row.to_agent_id} - {None}
    outbox.ring(session, *(outbox.agent_channel(one) for one in concerned if one), outbox.FLOOR)


def _record(
    session: Session, row: TaskTransfer, user_id: UUID | None, act: str, now: datetime, **told: object
) -> None:
    known = {"transfer_id": str(row.id), **told}
    accounts.record(session, user_id, act, f"call task {row.call_task_id}", now, **known)
