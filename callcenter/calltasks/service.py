"""Open, move and close call tasks. Every move is conditional on the state it starts from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from callcenter.calltasks.policy import MAX_ATTEMPTS, RETRY_UNCALLED_AFTER
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
    moment_at: datetime | None = None
    worth: float | None = None
    worth_points: float | None = None
    worth_fades_minutes: float | None = None
    worth_reach: float | None = None


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
        moment_at=opening.moment_at,
        worth=opening.worth,
        worth_points=opening.worth_points,
        worth_fades_minutes=opening.worth_fades_minutes,
        worth_reach=opening.worth_reach,
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


def try_again(task: CallTask, at: datetime, tried: int, now: datetime) -> bool:
    """Put a wrapped-up task back for another attempt at `at`; False when its attempts are used up.

    `tried`: how many of its calls were placed.
    """
    if tried >= MAX_ATTEMPTS:
        return False
    _put_back(task, at, now, promised=False)
    return True


def call_back(task: CallTask, at: datetime, now: datetime, owner_id: UUID | None = None) -> None:
    """Put a wrapped-up task back for a promised call, by `owner_id` in person: it is always made."""
    _put_back(task, at, now, promised=True)
    task.agent_id = owner_id


def _put_back(task: CallTask, at: datetime, now: datetime, *, promised: bool) -> None:
    move(task, TaskState.PENDING, now)
    task.agent_id = None
    task.not_before_at, task.expires_at = at, max(task.expires_at, at + timedelta(hours=24))
    task.why_no_call = ["callback" if promised else "retry"]
    task.facts = {**task.facts, "callback": promised}


def put_back_uncalled(
    task: CallTask, retry_after: timedelta, now: datetime, owner_id: UUID | None = None
) -> datetime:
    """Put a wrapped-up task back whose call was never placed; returns when it may be tried again.

    No telephone rang, so it uses up none of the attempts, and a promised call stays promised, by `owner_id` in
    person. It lives no longer for it: that bounds how often a carrier that is away is asked.
    """
    move(task, TaskState.PENDING, now)
    task.agent_id = owner_id
    at = now + min(retry_after, RETRY_UNCALLED_AFTER)
    wait_until(task, at, ["callback" if task.facts.get("callback") else "retry"])
    return at


def fold_in(task: CallTask, priority: int | None, not_before_at: datetime) -> None:
    """Note that another firing of the customer found this task open.

    `priority` is that of a reason the agent is told of: the task waits in line with the highest of its reasons,
    and no longer than that reason must, but for a promised call. None, and nothing but the count changes.
    """
    task.folded_firings += 1
    if priority is None:
        return
    _keep_own_terms(task)
    task.priority = max(task.priority, priority)
    if may_be_led(task) and not_before_at < task.not_before_at:
        wait_until(task, not_before_at, ["no_agent"])


def may_be_led(task: CallTask) -> bool:
    """Whether another reason may lead the call: it waits, nobody has the task, and no call was promised."""
    return task.state == TaskState.PENDING and not task.facts.get("callback")


_SCRIPT = ("script_id", "script_version", "script_variant", "script_propensity", "script_why")
_DRAWN_ON = "script_allocated_on"


def _keep_own_terms(task: CallTask) -> None:
    """Keep the terms a task was opened with, once: its variant is judged by the script that was drawn then."""
    if not task.own_terms:
        script = {name: getattr(task, name) for name in _SCRIPT}
        script[_DRAWN_ON] = task.script_allocated_on.isoformat() if task.script_allocated_on else None
        task.own_terms = {"purpose": Purpose(task.purpose).value, "priority": task.priority, **script}


def read_from(task: CallTask, script: Mapping[str, Any]) -> None:
    """Let the next call be read from another script than the one the task was opened with."""
    _keep_own_terms(task)
    for name in _SCRIPT:
        setattr(task, name, script[name])
    drawn_on = script[_DRAWN_ON]
    task.script_allocated_on = date.fromisoformat(drawn_on) if isinstance(drawn_on, str) else drawn_on


def lead_by(
    task: CallTask, firing_id: UUID, purpose: Purpose, promise: timedelta, script: Mapping[str, Any]
) -> None:
    """Let a firing folded in lead the call: purpose and script of the call are that reason's."""
    read_from(task, script)
    task.lead_firing_id, task.purpose = firing_id, purpose
    task.promise_seconds = min(task.promise_seconds, int(promise.total_seconds()))


def lead_by_own(task: CallTask) -> None:
    """Let a task's own reason lead again, with the purpose and the script it was opened with."""
    if task.lead_firing_id is not None:
        task.lead_firing_id, task.purpose = None, Purpose(task.own_terms["purpose"])
        read_from(task, task.own_terms)


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
