"""Promised calls in an agent's hands: moved to another allowed time, given over, taken back with a reason.

Verbs as in the pipeline, and beside it for its length: each takes a session, ids and `now`, and commits nothing.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from callcenter import moves, outbox
from callcenter.accounts import service as accounts
from callcenter.calltasks import by_hand as tasks_by_hand
from callcenter.calltasks import queries as task_queries
from callcenter.calltasks import service as calltasks
from callcenter.domain.enums import CancelReason, OutboxKind, ScreeningPoint, TaskState
from callcenter.errors import BadInput, Conflict, Forbidden, NotFound
from callcenter.models import Agent, Callback, CallTask, Customer
from callcenter.moves import House
from callcenter.outcomes import promises
from callcenter.outcomes.rules import WHY_TAKEN_BACK

LONGEST_AHEAD = timedelta(days=30)


def move_callback(
    session: Session, house: House, callback_id: UUID, agent_id: UUID, at: datetime, now: datetime
) -> None:
    """Promise the call at another time, which the gate must allow. Raises BadInput, Conflict, Forbidden."""
    row, task, customer = _lock_waiting(session, callback_id, agent_id)
    if not now < at <= now + LONGEST_AHEAD:
        raise BadInput("Choose one of the times offered.", {"callback_at": ["choose a time in the future"]})
    verdict = moves.screen_task(session, house, task, customer, ScreeningPoint.CALLBACK, now, for_at=at)
    if not verdict.may_call:
        raise BadInput(
            "This customer may not be called at that time. Choose one of the times offered.",
            {"callback_at": [str(reason) for reason in verdict.reasons]},
        )
    before = row.due_at
    tasks_by_hand.promise(task, at)
    calltasks.give_to(task, row.agent_id)
    promises.move(row, at)
    outbox.hand_over(session, OutboxKind.OFFER_CALL_TASK, task.id, now, due_at=at)
    _record(session, row, agent_id, "callback.moved", now, before=before.isoformat(), at=at.isoformat())


def give_callback(
    session: Session, callback_id: UUID, agent_id: UUID, now: datetime, *, to_anyone: bool
) -> None:
    """Let anyone keep an own callback, or make one of anyone's one's own."""
    row, task, _ = _lock_waiting(session, callback_id, agent_id)
    owner_id = None if to_anyone else agent_id
    if row.agent_id == owner_id:
        return
    promises.give_to(row, owner_id)
    calltasks.give_to(task, owner_id)
    if to_anyone:
        due_at = max(now, task.not_before_at)
        outbox.hand_over(session, OutboxKind.OFFER_CALL_TASK, task.id, now, due_at=due_at)
    _record(session, row, agent_id, "callback.released" if to_anyone else "callback.taken", now)


def take_back_callback(
    session: Session, callback_id: UUID, agent_id: UUID, reason: str, now: datetime
) -> None:
    """Cancel a promised call with a reason; its call task ends with it, and nobody needs be told of it."""
    if reason not in WHY_TAKEN_BACK:
        raise BadInput("Say why the callback is canceled.", {"reason": list(WHY_TAKEN_BACK)})
    row, task, _ = _lock_waiting(session, callback_id, agent_id)
    moves.cancel_task(session, task, CancelReason.WITHDRAWN, now)
    session.refresh(row)
    promises.note_lost(row, now)
    _record(session, row, agent_id, "callback.canceled", now, reason=reason)


def note_lost_callback(session: Session, callback_id: UUID, agent_id: UUID, now: datetime) -> None:
    """Note that an agent has read why a promise was not kept; until then it stays before them."""
    row, _, _ = _lock(session, callback_id, agent_id)
    if row.lost_because is None:
        raise Conflict("This callback is still to be kept.")
    promises.note_lost(row, now)
    _record(session, row, agent_id, "callback.noted", now)


def _lock(session: Session, callback_id: UUID, agent_id: UUID) -> tuple[Callback, CallTask, Customer]:
    """Lock a callback behind its customer and call task; an agent has to do with their own and anyone's only."""
    if session.get(Agent, agent_id) is None:
        raise Forbidden("Only agents keep callbacks.")
    known = session.get(Callback, callback_id)
    if known is None:
        raise NotFound("There is no such callback.")
    customer = moves.lock_customer(session, known.customer_id)
    task = task_queries.lock_task(session, known.call_task_id)
    assert task is not None
    row = promises.lock_callback(session, callback_id)
    if row.agent_id not in (None, agent_id):
        raise Forbidden("This callback is a colleague's.")
    return row, task, customer


def _lock_waiting(session: Session, callback_id: UUID, agent_id: UUID) -> tuple[Callback, CallTask, Customer]:
    """Lock a callback that is still to be kept. Raises Conflict once it is being made, or is no more."""
    row, task, customer = _lock(session, callback_id, agent_id)
    if row.closed_at is not None:
        raise Conflict("This callback has been kept or taken back.")
    if task.state != TaskState.PENDING:
        raise Conflict("This callback is with an agent just now.")
    return row, task, customer


def _record(
    session: Session, row: Callback, agent_id: UUID, act: str, now: datetime, **detail: object
) -> None:
    known = {"callback_id": str(row.id), **detail}
    accounts.record(session, agent_id, act, f"call task {row.call_task_id}", now, **known)
    outbox.ring(session, outbox.agent_channel(agent_id), outbox.FLOOR)
