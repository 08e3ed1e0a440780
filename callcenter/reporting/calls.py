"""What a call task is about, gathered for the agent's screen; read only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlmodel import Session, col, select

from callcenter.domain.enums import ReservationEnd
from callcenter.models import (
    Agent,
    CallTask,
    ContactAttempt,
    Customer,
    JourneyEvent,
    Reservation,
    TriggerFiring,
    TriggerRule,
    Visit,
)

_EARLIER = text("""
SELECT a.claimed_at, a.result, a.ringing_at, a.ended_at, u.name AS agent, k.label, d.note
  FROM contact_attempt a
  JOIN app_user u ON u.id = a.agent_id
  LEFT JOIN disposition d ON d.attempt_id = a.id
  LEFT JOIN disposition_kind k ON k.code = d.counts_as
 WHERE a.customer_id = :customer AND a.call_task_id <> :task
 ORDER BY a.claimed_at DESC LIMIT 3
""")


@dataclass(frozen=True, slots=True)
class Case:
    """A call task with everything an agent must know of it.

    `firing`, `rule` and `visit` are those of the reason that leads the call, which may have been folded in.
    """

    task: CallTask
    firing: TriggerFiring
    rule: TriggerRule
    visit: Visit
    customer: Customer
    attempt: ContactAttempt | None
    reservation: Reservation | None
    events: Sequence[JourneyEvent]
    firings: Sequence[TriggerFiring]
    earlier: Sequence[Row[Any]]
    reached: frozenset[str]


def case_of_task(session: Session, call_task_id: UUID) -> Case:
    """Gather one call task's case in a handful of queries."""
    task = session.get_one(CallTask, call_task_id)
    firing = session.get_one(TriggerFiring, task.lead_firing_id or task.firing_id)
    events = session.exec(
        select(JourneyEvent)
        .where(JourneyEvent.customer_id == task.customer_id)
        .order_by(col(JourneyEvent.event_time).desc(), col(JourneyEvent.id).desc())
        .limit(60)
    ).all()
    attempt = session.exec(
        select(ContactAttempt)
        .where(ContactAttempt.call_task_id == task.id)
        .order_by(col(ContactAttempt.claimed_at).desc())
        .limit(1)
    ).first()
    reservation = session.exec(
        select(Reservation)
        .where(Reservation.call_task_id == task.id)
        .where(col(Reservation.ended_at).is_(None))
    ).first()
    firings = session.exec(
        select(TriggerFiring)
        .where(TriggerFiring.customer_id == task.customer_id)
        .order_by(col(TriggerFiring.fired_at).desc())
        .limit(10)
    ).all()
    return Case(
        task=task,
        firing=firing,
        rule=session.get_one(TriggerRule, firing.rule_id),
        visit=session.get_one(Visit, firing.visit_id),
        customer=session.get_one(Customer, task.customer_id),
        attempt=attempt,
        reservation=reservation,
        events=events,
        firings=firings,
        earlier=session.execute(_EARLIER, {"customer": task.customer_id, "task": task.id}).all(),
        reached=frozenset(
            str(event.step)
            for event in events
            if event.journey == firing.journey
            and event.journey_key == firing.journey_key
            and event.role == "enter"
        ),
    )


def just_withdrawn(session: Session, agent: Agent, now: datetime, within: timedelta) -> CallTask | None:
    """Return the call task taken from an idle agent's screen a moment ago, and nothing since: its reason died."""
    gone = session.exec(
        select(Reservation)
        .where(Reservation.agent_id == agent.id)
        .where(col(Reservation.ended_at) >= agent.work_state_at)
        .where(col(Reservation.end).in_([ReservationEnd.WITHDRAWN, ReservationEnd.BARRED]))
        .where(col(Reservation.ended_at) > now - within)
        .order_by(col(Reservation.ended_at).desc())
        .limit(1)
    ).first()
    return session.get(CallTask, gone.call_task_id) if gone else None
