"""The waiting call tasks as a supervisor sieves them: which, whose, in which language, and why no call."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from callcenter.calltasks.policy import DISPATCHES_SHOWN, PREVIEW_LASTS
from callcenter.domain.dispatching import MOST_TASKS, TaskSieve
from callcenter.domain.enums import BarReason, TaskState
from callcenter.models import CallTask, Customer, Dispatch

HELD = ("carrier_limit", "rule_paused", "nobody_suits", "transfer_asked", "handed_over")

_WAITING = """
WITH waiting AS (
    SELECT t.id, t.rule_key, t.journey, t.state, t.agent_id, t.priority, t.promise_seconds, t.not_before_at,
           c.language, c.name, c.external_id, greatest(t.created_at, t.not_before_at) AS since,
           CASE WHEN t.state = 'reserved' THEN 'reserved'
                WHEN t.why_no_call ->> 0 = ANY(:held) THEN t.why_no_call ->> 0
                WHEN t.not_before_at <= :now THEN 'no_agent'
                WHEN t.why_no_call ->> 0 = ANY(:bars) THEN t.why_no_call ->> 0
                ELSE 'waits_by_rule' END AS code
      FROM call_task t JOIN customer c ON c.id = t.customer_id
     WHERE t.state IN ('pending', 'reserved')
)
"""
_SIEVED = (
    _WAITING
    + """
, sieved AS (
    SELECT w.*, u.name AS agent FROM waiting w LEFT JOIN app_user u ON u.id = w.agent_id
     WHERE (:rule = '' OR w.rule_key = :rule) AND (:journey = '' OR w.journey = :journey)
       AND (:language = '' OR w.language = :language) AND (:why = '' OR w.code = :why)
       AND (CAST(:since AS timestamptz) IS NULL OR w.since <= :since)
       AND (NOT :held_only OR w.agent_id IS NOT NULL) AND (NOT :pending_only OR w.state = 'pending')
)
"""
)
_ROWS = text(_SIEVED + "SELECT * FROM sieved ORDER BY since, id LIMIT :limit")
_COUNTS = text(
    _SIEVED
    + """
SELECT count(*) AS matched, count(*) FILTER (WHERE agent_id IS NOT NULL) AS held,
       count(*) FILTER (WHERE state = 'reserved') AS reserved FROM sieved
"""
)
_CHOICES = text(
    _WAITING
    + """
SELECT 'rule' AS of, rule_key AS value, count(*) AS tasks FROM waiting GROUP BY 2
UNION ALL SELECT 'journey', journey, count(*) FROM waiting GROUP BY 2
UNION ALL SELECT 'why', code, count(*) FROM waiting GROUP BY 2
UNION ALL SELECT 'language', language, count(*) FROM waiting GROUP BY 2
ORDER BY 1, 3 DESC, 2
"""
)


@dataclass(frozen=True, slots=True)
class Sieved:
    """A waiting call task that a sieve lets through. `since` is from when it may be called."""

    id: UUID
    rule_key: str
    journey: str
    state: str
    agent_id: UUID | None
    agent: str | None
    priority: int
    promise_seconds: int
    since: datetime
    not_before_at: datetime
    language: str
    name: str | None
    external_id: str | None
    code: str


@dataclass(frozen=True, slots=True)
class SievedCounts:
    """How many call tasks a sieve lets through, how many of them an agent has, and is looking at."""

    matched: int
    held: int
    reserved: int


def tasks_sieved(
    session: Session,
    sieve: TaskSieve,
    now: datetime,
    limit: int = MOST_TASKS,
    *,
    held_only: bool = False,
    pending_only: bool = False,
) -> list[Sieved]:
    """List waiting call tasks, the longest waiting first. `held_only`: those that an agent has."""
    asked = _asked(sieve, now, held_only=held_only, pending_only=pending_only) | {"limit": limit}
    names = Sieved.__dataclass_fields__
    return [Sieved(*(getattr(row, name) for name in names)) for row in session.execute(_ROWS, asked)]


def count_sieved(session: Session, sieve: TaskSieve, now: datetime) -> SievedCounts:
    """Count what a sieve lets through."""
    return SievedCounts(*session.execute(_COUNTS, _asked(sieve, now)).one())


def sieve_choices(session: Session, now: datetime) -> Mapping[str, Sequence[tuple[str, int]]]:
    """Return what there is to sieve by (rule, journey, why, language), with how many wait, the most first."""
    found: dict[str, list[tuple[str, int]]] = {"rule": [], "journey": [], "why": [], "language": []}
    asked = {"now": now, "held": list(HELD), "bars": [one.value for one in BarReason]}
    for row in session.execute(_CHOICES, asked):
        found[row.of].append((row.value, row.tasks))
    return found


def _asked(
    sieve: TaskSieve, now: datetime, *, held_only: bool = False, pending_only: bool = False
) -> dict[str, Any]:
    older = sieve.older_minutes
    return {
        "now": now,
        "held": list(HELD),
        "bars": [one.value for one in BarReason],
        "rule": sieve.rule,
        "journey": sieve.journey,
        "language": sieve.language,
        "why": sieve.why,
        "since": None if older is None else now - timedelta(minutes=older),
        "held_only": held_only,
        "pending_only": pending_only,
    }


@dataclass(frozen=True, slots=True)
class Locked:
    """A call task and its customer, both locked by this transaction."""

    task: CallTask
    customer: Customer


def lock_tasks(session: Session, ids: Collection[UUID]) -> dict[UUID, Locked]:
    """Lock customers, then call tasks, in key order; what another process holds is left out, nothing waits."""
    fresh = {"populate_existing": True}
    known = select(CallTask.customer_id).where(col(CallTask.id).in_(ids))
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
        .where(col(CallTask.id).in_(ids))
        .where(col(CallTask.customer_id).in_(list(customers)))
        .order_by(col(CallTask.id))
        .with_for_update(skip_locked=True)
        .execution_options(**fresh)
    ).all()
    return {one.id: Locked(one, customers[one.customer_id]) for one in tasks}


def tasks_with_customers(session: Session, ids: Collection[UUID]) -> list[tuple[CallTask, Customer]]:
    """Return call tasks with their customers, as they are now, not locked."""
    found = session.exec(
        select(CallTask, Customer)
        .join(Customer, col(Customer.id) == col(CallTask.customer_id))
        .where(col(CallTask.id).in_(ids))
    ).all()
    return [(task, customer) for task, customer in found]


def journeys_taken(session: Session, tasks: Collection[CallTask]) -> set[tuple[UUID, str]]:
    """Return (customer, journey) of those for whom another call task is open by now."""
    rows = session.exec(
        select(CallTask.customer_id, CallTask.journey)
        .where(col(CallTask.customer_id).in_([one.customer_id for one in tasks]))
        .where(col(CallTask.state).not_in((TaskState.COMPLETED, TaskState.CANCELED)))
    ).all()
    return {(customer_id, journey) for customer_id, journey in rows}


def last_dispatches(session: Session, limit: int = DISPATCHES_SHOWN) -> Sequence[Dispatch]:
    """List the newest acts on many call tasks that were done."""
    return session.exec(
        select(Dispatch)
        .where(col(Dispatch.done_at).is_not(None))
        .order_by(col(Dispatch.done_at).desc())
        .limit(limit)
    ).all()


def is_stale(row: Dispatch, now: datetime) -> bool:
    """Whether a plan was made too long ago to be carried out."""
    return row.done_at is None and now - row.made_at > PREVIEW_LASTS
