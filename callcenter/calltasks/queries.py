"""Reads of call tasks."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, and_, case, cast, extract, func, literal, or_
from sqlmodel import Session, col, select

from callcenter.calltasks.policy import (
    AGEING_POINTS_PER_MINUTE,
    OWNER_FIRST_FOR,
    RAISED_POINTS,
    WORTH_POINTS_A_HALVING,
)
from callcenter.db import array_of, cursor_of, id_array_of
from callcenter.domain.enums import HeldFor, Presence, Requirement, TaskState, WorkState
from callcenter.domain.needs import Need
from callcenter.models import Agent, CallTask, Customer, TriggerFiring

OPEN_STATES = (TaskState.PENDING, TaskState.RESERVED, TaskState.ASSIGNED, TaskState.WRAPPING)


def lock_task(session: Session, call_task_id: UUID) -> CallTask | None:
    """Return a call task as the database has it now, locked until the commit."""
    return session.exec(
        select(CallTask)
        .where(CallTask.id == call_task_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()


_OPEN_OF_VISITS = """
SELECT id FROM call_task WHERE visit_id = ANY(%(visits)s::uuid[]) AND state = ANY(%(states)s::text[])
UNION
SELECT t.id FROM trigger_firing f JOIN call_task t ON t.id = f.merged_into AND t.state = ANY(%(states)s::text[])
 WHERE f.visit_id = ANY(%(visits)s::uuid[]) AND f.merged_into IS NOT NULL
"""


def tasks_of_visits(session: Session, visit_ids: Collection[UUID]) -> Sequence[CallTask]:
    """Lock the open call tasks with a reason, their own or one folded in, in these visits, in key order."""
    if not visit_ids:
        return []
    asked = {"visits": id_array_of(visit_ids), "states": array_of(OPEN_STATES)}
    found = [row[0] for row in cursor_of(session).execute(_OPEN_OF_VISITS, asked)]
    if not found:
        return []
    return session.exec(
        select(CallTask)
        .where(col(CallTask.id).in_(found))
        .where(col(CallTask.state).in_(OPEN_STATES))
        .order_by(col(CallTask.id))
        .with_for_update()
    ).all()


def open_task_of(session: Session, customer_id: UUID, journey: str) -> CallTask | None:
    """Return the one open call task of a customer in a journey, locked; None when there is none."""
    return session.exec(
        select(CallTask)
        .where(CallTask.customer_id == customer_id)
        .where(CallTask.journey == journey)
        .where(col(CallTask.state).in_(OPEN_STATES))
        .with_for_update()
    ).first()


def open_tasks_of(session: Session, customer_id: UUID) -> Sequence[CallTask]:
    """Return the open call tasks of a customer, whatever the journey, locked in key order."""
    return session.exec(
        select(CallTask)
        .where(CallTask.customer_id == customer_id)
        .where(col(CallTask.state).in_(OPEN_STATES))
        .order_by(col(CallTask.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def owner_now(task: CallTask, now: datetime) -> UUID | None:
    """Return the agent whom alone a pending task may be offered to; None when anybody may have it."""
    if task.held_for == HeldFor.COLLEAGUE:
        return task.agent_id
    return task.agent_id if now < (task.owner_until or task.not_before_at + OWNER_FIRST_FOR) else None


def is_kept_back(task: CallTask) -> bool:
    """Whether a pending task may be offered to nobody: its transfer waits for a word, or is about to end."""
    return task.held_for == HeldFor.APPROVAL or (task.held_for == HeldFor.COLLEAGUE and task.agent_id is None)


def need_of(task: CallTask, language: str) -> Need:
    """Return what a task asks of its agent; one handed to a team asks for that team alone."""
    if task.held_for == HeldFor.TEAM:
        return Need(language, team=task.team)
    return Need(language, task.skill, task.skill_level, task.team)


def relaxed_of(task: CallTask) -> tuple[Requirement, ...]:
    """Return what is given up of a task's need by now."""
    return tuple(Requirement(one) for one in task.relaxed)


def _suits(*, in_language: bool = True) -> Any:
    """Whether the agent of a row meets what the call task of a row still asks; it says what `needs.suits` says."""

    def without(one: Requirement) -> Any:
        return col(CallTask.relaxed).op("?")(one.value)

    level = case((without(Requirement.LEVEL), 1), else_=col(CallTask.skill_level))
    has = cast(col(Agent.skills).op("->>")(col(CallTask.skill)), Integer)
    is_team = col(CallTask.held_for).is_not_distinct_from(HeldFor.TEAM.value)
    return and_(
        or_(
            col(CallTask.language) == func.any(func.string_to_array(col(Agent.languages), ",")),
            without(Requirement.LANGUAGE),
            literal(not in_language),
        ),
        or_(is_team, col(CallTask.skill).is_(None), without(Requirement.SKILL), has >= level),
        or_(col(CallTask.team).is_(None), without(Requirement.TEAM), col(CallTask.team) == col(Agent.team)),
    )


def _is_for_one_of(agents: Collection[UUID], *, in_language: bool = True) -> Any:
    """Whether one of these agents meets what a pending task asks, or has it as their own."""
    own = col(CallTask.agent_id) == col(Agent.id)
    meets = _suits(in_language=in_language)
    suitable = select(Agent.id).where(col(Agent.id).in_(agents)).where(or_(own, meets))
    return suitable.correlate(CallTask).exists()


def _suits_somebody_free() -> Any:
    free = (
        select(Agent.id)
        .where(Agent.presence == Presence.AVAILABLE)
        .where(Agent.work_state == WorkState.IDLE)
        .where(_suits())
    )
    return free.correlate(CallTask).exists()


def _is_left_to_owner(now: datetime) -> Any:
    """Whether a pending task is an agent's alone: one they promised to call, or that a supervisor gave them."""
    until = func.coalesce(col(CallTask.owner_until), col(CallTask.not_before_at) + OWNER_FIRST_FOR)
    return and_(col(CallTask.agent_id).is_not(None), until > now)


def urgency(now: datetime) -> Any:
    """Set priority plus what the call is still worth plus age, so that nothing waits for ever."""
    waited = extract("epoch", now - func.greatest(col(CallTask.created_at), col(CallTask.not_before_at)))
    return _standing(now) + waited / 60 * AGEING_POINTS_PER_MINUTE


def _standing(now: datetime) -> Any:
    """What was set and what the call is still worth; what a supervisor put before others comes before both."""
    return col(CallTask.priority) + func.sign(col(CallTask.raised)) * RAISED_POINTS + _worth_now(now)


def _worth_now(now: datetime) -> Any:
    """What a call is worth by now, in points: half of it is gone with each `worth_fades_minutes` since its moment.

    A call task of which nothing is known counts as a usual one: no points. So does one that is an agent's own: it
    was promised for its time or given by hand, and what its first moment was worth counts no more. The same
    formula as `points_now` in `learning/worth.py`.
    """
    halvings = extract("epoch", now - col(CallTask.moment_at)) / 60 / col(CallTask.worth_fades_minutes)
    left = col(CallTask.worth_points) - WORTH_POINTS_A_HALVING * func.greatest(halvings, 0)
    within = func.least(func.greatest(left, -col(CallTask.worth_reach)), col(CallTask.worth_reach))
    # greatest and least leave out what is unknown, so it must be asked for first.
    is_usual = or_(col(CallTask.worth_points).is_(None), col(CallTask.agent_id).is_not(None))
    return case((is_usual, 0.0), else_=within)


def tasks_callable(
    session: Session, now: datetime, limit: int, agents: Collection[UUID], not_of: Collection[str] = ()
) -> Sequence[UUID]:
    """List pending tasks that may be offered now to one of these agents, leaving out the journeys `not_of`.

    Those that somebody of them suits, by priority, worth and age, so that nothing waits for ever; a personal
    callback comes before everything.
    """
    owned = col(CallTask.agent_id).in_(agents)
    is_to_colleague = col(CallTask.held_for).is_not_distinct_from(HeldFor.COLLEAGUE.value)
    anybody = or_(and_(~_is_left_to_owner(now), ~is_to_colleague), owned)
    is_handed_over = col(CallTask.held_for).is_not(None)
    return session.exec(
        select(CallTask.id)
        .where(CallTask.state == TaskState.PENDING)
        .where(col(CallTask.not_before_at) <= now)
        .where(anybody)
        .where(col(CallTask.held_for).is_distinct_from(HeldFor.APPROVAL.value))
        .where(or_(col(CallTask.journey).not_in(not_of), col(CallTask.agent_id).is_not(None), is_handed_over))
        .where(_is_for_one_of(agents))
        .order_by(col(CallTask.agent_id).is_(None), urgency(now).desc(), col(CallTask.created_at))
        .limit(limit)
    ).all()


def tasks_of_campaign(session: Session, journey: str, now: datetime, limit: int) -> Sequence[UUID]:
    """List a journey's pending tasks that may be called now with an agent waiting.

    Those first that some free agent suits, and of them the most urgent.
    """
    return session.exec(
        select(CallTask.id)
        .where(CallTask.state == TaskState.PENDING)
        .where(CallTask.journey == journey)
        .where(col(CallTask.not_before_at) <= now)
        .where(col(CallTask.held_for).is_(None))
        .order_by(_suits_somebody_free().desc(), urgency(now).desc(), col(CallTask.created_at))
        .limit(limit)
    ).all()


def tasks_expired(session: Session, now: datetime, limit: int) -> Sequence[CallTask]:
    """Claim pending tasks that nobody called in time."""
    return session.exec(
        select(CallTask)
        .where(CallTask.state == TaskState.PENDING)
        .where(col(CallTask.expires_at) <= now)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


@dataclass(frozen=True, slots=True)
class Chooser:
    """An agent who chooses whom to call: what decides which waiting call tasks are theirs to take.

    They meet the skill, level and team that a call task asks for, or have it as their own. `journeys` are those
    whose agents choose. A colleague counts whose console was looked at within `looked_within`.
    """

    agent_id: UUID
    languages: Collection[str]
    journeys: Collection[str]
    now: datetime
    looked_within: timedelta


@dataclass(frozen=True, slots=True)
class ChoiceCounts:
    """How many call tasks wait for an agent who chooses, how many of them not before some time, the next such
    time, and how many are left to colleagues who speak their language or have promised to call."""

    waiting: int
    later: int
    next_at: datetime | None
    for_colleagues: int


def _waits_for(who: Chooser) -> Any:
    """Waiting call tasks of the journeys whose agents choose, that have not run out."""
    return and_(
        col(CallTask.state) == TaskState.PENDING,
        col(CallTask.journey).in_(who.journeys),
        col(CallTask.expires_at) > who.now,
    )


def _is_theirs(who: Chooser) -> Any:
    """Not promised by a colleague, and in a language they speak, or that nobody available speaks better."""
    speaks = (
        select(Agent.id)
        .where(Agent.id != who.agent_id)
        .where(Agent.presence == Presence.AVAILABLE)
        .where(col(Agent.seen_at) > who.now - who.looked_within)
        .where(col(Agent.languages).contains(col(Customer.language)))
    )
    is_to_colleague = col(CallTask.held_for).is_not_distinct_from(HeldFor.COLLEAGUE.value)
    return and_(
        or_(and_(~_is_left_to_owner(who.now), ~is_to_colleague), col(CallTask.agent_id) == who.agent_id),
        col(CallTask.held_for).is_distinct_from(HeldFor.APPROVAL.value),
        _is_for_one_of([who.agent_id], in_language=False),
        or_(col(Customer.language).in_(who.languages), ~speaks.exists()),
    )


def tasks_to_choose(
    session: Session, who: Chooser, limit: int, offset: int = 0, *, later: bool = False
) -> Sequence[tuple[CallTask, Customer, TriggerFiring]]:
    """List what an agent who chooses may take, with customer and what leads: by priority, then the longest wait.

    Those whose time has come, or, with `later`, those that wait for theirs.
    """
    is_due = col(CallTask.not_before_at) <= who.now
    found = session.exec(
        select(CallTask, Customer, TriggerFiring)
        .join(Customer, col(Customer.id) == col(CallTask.customer_id))
        .join(
            TriggerFiring,
            col(TriggerFiring.id) == func.coalesce(col(CallTask.lead_firing_id), col(CallTask.firing_id)),
        )
        .where(_waits_for(who))
        .where(_is_theirs(who))
        .where(~is_due if later else is_due)
        .order_by(
            _standing(who.now).desc(),
            func.greatest(col(CallTask.created_at), col(CallTask.not_before_at)),
            col(CallTask.id),
        )
        .limit(limit)
        .offset(offset)
    ).all()
    return [(task, customer, firing) for task, customer, firing in found]


def choice_counts(session: Session, who: Chooser) -> ChoiceCounts:
    """Count what waits for an agent who chooses."""
    theirs, later = _is_theirs(who), col(CallTask.not_before_at) > who.now
    row = session.execute(
        select(
            func.count().filter(theirs),
            func.count().filter(theirs, later),
            func.min(col(CallTask.not_before_at)).filter(theirs, later),
            func.count().filter(~theirs),
        )
        .select_from(CallTask)
        .join(Customer, col(Customer.id) == col(CallTask.customer_id))
        .where(_waits_for(who))
    ).one()
    return ChoiceCounts(*row)


def holder_after_rivals(session: Session, call_task_id: UUID) -> CallTask | None:
    """Return a call task as it is once whoever is at its customer right now has committed."""
    found = session.exec(
        select(Customer.id)
        .join(CallTask, col(CallTask.customer_id) == col(Customer.id))
        .where(CallTask.id == call_task_id)
        .with_for_update(read=True, of=Customer)
    ).first()
    return session.get(CallTask, call_task_id, populate_existing=True) if found else None
