"""The customers whom one pacing tick may call: their rows, locked together and read in a handful of statements."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.domain.enums import TaskState
from callcenter.models import CallTask, Customer, TriggerFiring, Visit


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pending call task that may be called now, and its customer, both locked; its visit and firing, read."""

    task: CallTask
    customer: Customer
    visit: Visit
    firing: TriggerFiring


def lock_waiting(session: Session, call_task_ids: Sequence[UUID], now: datetime) -> list[Waiting]:
    """Lock customers, then call tasks; return those that still wait, in the order given.

    What another process holds is left out, so nothing here waits for a lock and nothing can deadlock.
    """
    fresh = {"populate_existing": True}
    known = select(CallTask.customer_id).where(col(CallTask.id).in_(call_task_ids))
    customers = {
        one.id: one
        for one in session.exec(
            select(Customer)
            .where(col(Customer.id).in_(known))
            .order_by(col(Customer.id))
            .with_for_update(key_share=True, skip_locked=True)
            .execution_options(**fresh)
        )
    }
    tasks = session.exec(
        select(CallTask)
        .where(col(CallTask.id).in_(call_task_ids))
        .where(col(CallTask.customer_id).in_(list(customers)))
        .where(CallTask.state == TaskState.PENDING)
        .where(col(CallTask.not_before_at) <= now)
        .order_by(col(CallTask.id))
        .with_for_update(skip_locked=True)
        .execution_options(**fresh)
    ).all()
    visits = _visits(session, {one.visit_id for one in tasks})
    firings = _firings(session, {one.firing_id for one in tasks})
    place = {call_task_id: place for place, call_task_id in enumerate(call_task_ids)}
    return [
        Waiting(task, customers[task.customer_id], visits[task.visit_id], firings[task.firing_id])
        for task in sorted(tasks, key=lambda one: place[one.id])
    ]


def _visits(session: Session, ids: Collection[UUID]) -> dict[UUID, Visit]:
    statement = select(Visit).where(col(Visit.id).in_(ids)).execution_options(populate_existing=True)
    return {one.id: one for one in session.exec(statement)}


def _firings(session: Session, ids: Collection[UUID]) -> dict[UUID, TriggerFiring]:
    return {one.id: one for one in session.exec(select(TriggerFiring).where(col(TriggerFiring.id).in_(ids)))}
