"""Open, move and close call tasks. Every move is conditional on the state it starts from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from callcenter.calltasks.policy import MAX_ATTEMPTS
from callcenter.domain.enums import CancelReason, Purpose, TaskState
from callcenter.domain.ids import derived_id
from callcenter.domain.needs import Need
from callcenter.errors import Conflict
from callcenter.models import CallTask

_MOVES: Mapping[TaskState, frozenset[TaskState]] = {
    TaskState.PENDING: frozenset({TaskState.RESERVED, TaskState.ASSIGNED, TaskState.CANCELED}),
    TaskState.RESERVED: frozenset({TaskState.PENDING, TaskState.ASSIGNED, TaskState.CANCELED}),
    TaskState.ASSIGNED: frozenset({TaskState.WRAPPING, TaskState.CANCELED}),
    TaskState.WRAPPING: frozenset({TaskState.PENDING, TaskState.COMPLETED, TaskState.CANCELED}),
    TaskState.COMPLETED: frozenset(),
    TaskState.CANCELED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Opening:
    """What a new call task is opened with; the pipeline collects it from rule, firing, gate and script."""

    firing_id: UUID
    rule_key: str
    customer_id: UUID
    visit_id: UUID
    journey: str
    journey_key: str
    step: str
    purpose: Purpose
    priority: int
    promise: timedelta
    max_age: timedelta
    need: Need
    not_before_at: datetime
    why_no_call: Sequence[str]
    script: Mapping[str, Any]
    facts: Mapping[str, Any]


def open_task(session: Session, opening: Opening, now: datetime) -> CallTask:
    """Open the one call task of a firing."""
    task = CallTask(
        id=derived_id("call-task", opening.firing_id),
        firing_id=opening.firing_id,
        rule_key=opening.rule_key,
        customer_id=opening.customer_id,
        visit_id=opening.visit_id,
        journey=opening.journey,
        journey_key=opening.journey_key,
        step=opening.step,
        purpose=opening.purpose,
        state_at=now,
        priority=opening.priority,
        promise_seconds=int(opening.promise.total_seconds()),
        created_at=now,
        language=opening.need.language,
        skill=opening.need.skill,
        skill_level=opening.need.level,
        team=opening.need.team,
        not_before_at=opening.not_before_at,
        expires_at=opening.not_before_at + opening.max_age,
        why_no_call=list(opening.why_no_call),
        facts=dict(opening.facts),
        **opening.script,
    )
    session.add(task)
    session.flush()
    return task


def move(task: CallTask, to: TaskState, now: datetime) -> None:
    """Move a locked call task; raises Conflict when its state does not allow the move."""
    if to not in _MOVES[TaskState(task.state)]:
        raise Conflict(f"This call task is {task.state} by now. Take the next one.")
    task.state, task.state_at = to, now
    if to in (TaskState.COMPLETED, TaskState.CANCELED):
        task.closed_at = now


def cancel(task: CallTask, reason: CancelReason, now: datetime) -> None:
    """End a call task whose reason has died, and say why."""
    move(task, TaskState.CANCELED, now)
    task.cancel_reason = reason


def wait_until(task: CallTask, not_before_at: datetime, why: Sequence[str]) -> None:
    """Say from when a pending task may be offered again, and why not before."""
    task.not_before_at, task.why_no_call = not_before_at, list(why)


def reserve(task: CallTask, agent_id: UUID, now: datetime) -> None:
    """Give a pending task to one agent to look at."""
    move(task, TaskState.RESERVED, now)
    task.agent_id, task.owner_until = agent_id, None
    task.offers, task.why_no_call = task.offers + 1, []


def release(task: CallTask, now: datetime) -> None:
    """Put a reserved task back into the queue."""
    move(task, TaskState.PENDING, now)
    task.agent_id = None


def assign(task: CallTask, now: datetime) -> None:
    """Note that it is dialed, by its agent or automatically: one more attempt."""
    move(task, TaskState.ASSIGNED, now)
    task.attempts += 1


def unassign(task: CallTask, now: datetime) -> None:
    """Take back a dial that was not claimed in the same transaction."""
    task.state, task.state_at, task.attempts = TaskState.PENDING, now, task.attempts - 1


def wrap(task: CallTask, now: datetime) -> None:
    """Note that the attempt is over and the agent tags it; twice changes nothing."""
    if task.state == TaskState.ASSIGNED:
        move(task, TaskState.WRAPPING, now)


def finish(task: CallTask, now: datetime) -> None:
    """Close a task whose wrap-up is saved."""
    move(task, TaskState.COMPLETED, now)


def try_again(
    task: CallTask, at: datetime, now: datetime, *, promised: bool, owner_id: UUID | None = None
) -> bool:
    """Put a wrapped-up task back for another attempt at `at`; False when its attempts are used up.

    A promised callback is always kept; `owner_id` is the agent who promised it in person.
    """
    if not promised and task.attempts >= MAX_ATTEMPTS:
        return False
    move(task, TaskState.PENDING, now)
    task.agent_id = owner_id
    task.not_before_at, task.expires_at = at, max(task.expires_at, at + timedelta(hours=24))
    task.why_no_call = ["callback" if promised else "retry"]
    task.facts = {**task.facts, "callback": promised}
    return True


def fold_in(task: CallTask) -> None:
    """Note that another firing of the same customer and journey found this task open."""
    task.folded_firings += 1


def note_language(task: CallTask, language: str) -> None:
    """Note that the customer speaks another language than when the task was opened."""
    if task.language != language:
        task.language = language


def note_why(task: CallTask, why: Sequence[str]) -> None:
    """Note why a pending task is not being called right now."""
    if task.why_no_call != list(why):
        task.why_no_call = list(why)


def give_to(task: CallTask, agent_id: UUID | None) -> None:
    """Let a waiting task be offered to one agent first, or to anybody. Raises Conflict when it does not wait."""
    if task.state != TaskState.PENDING:
        raise Conflict(f"This call task is {task.state} by now. Take the next one.")
    task.agent_id = agent_id
