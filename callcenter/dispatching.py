"""What a supervisor does to many waiting call tasks at once: look first, then do, then undo for a minute.

Verbs as in the pipeline, and beside it. A plan names the call tasks; it is carried out in batches, each in a
transaction of its own, whose rows are locked in the house's order, leaving out what another process holds. What
somebody has touched meanwhile is left alone, then as later by the undo, and named.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter import moves, outbox
from callcenter.accounts import service as accounts
from callcenter.calltasks import dispatches, waiting
from callcenter.calltasks.policy import UNDO_WITHIN
from callcenter.calltasks.waiting import Locked, Sieved
from callcenter.compliance.policies import look
from callcenter.compliance.queries import ProposedCall
from callcenter.compliance.rules import screen_customer
from callcenter.domain.dispatching import ASSIGNING, DispatchAct, LeftOut, Wanted
from callcenter.domain.enums import BarReason, OutboxKind, Presence, Purpose, ReservationEnd, TaskState
from callcenter.domain.ids import derived_id
from callcenter.errors import BadInput, Conflict, Forbidden
from callcenter.models import Agent, CallTask, Customer, Dispatch, User
from callcenter.moves import House
from callcenter.outcomes import by_hand as callbacks
from callcenter.routing.queries import agents_idle

BATCH = 200
ACTS: Mapping[DispatchAct, str] = {
    DispatchAct.ASSIGN_AGENT: "tasks.assigned",
    DispatchAct.ASSIGN_TEAM: "tasks.assigned",
    DispatchAct.ASSIGN_SKILL: "tasks.assigned",
    DispatchAct.BRING_BACK: "tasks.brought_back",
    DispatchAct.PRIORITY_UP: "tasks.priority_up",
    DispatchAct.PRIORITY_DOWN: "tasks.priority_down",
    DispatchAct.EXPIRE: "tasks.expired",
}
"""What the audit trail calls each act."""

# -- look first -------------------------------------------------------------------------------------------


def plan_dispatch(session: Session, house: House, wanted: Wanted, user_id: UUID, now: datetime) -> Dispatch:
    """Choose the call tasks and say which would be left out and why; nothing is done to them yet.

    Raises BadInput when the act lacks something, or nobody is there to have them.
    """
    agents = _receivers(session, wanted.checked())
    found = waiting.tasks_sieved(
        session,
        wanted.sieve,
        now,
        held_only=wanted.act is DispatchAct.BRING_BACK,
        pending_only=wanted.act is not DispatchAct.BRING_BACK,
    )
    chosen = [one for one in found if one.id in set(wanted.ids)] if wanted.ids else found
    chosen = chosen[: wanted.how_many(len(chosen))]
    bars = _bars(session, house, chosen, now) if wanted.act in ASSIGNING else {}
    planned: list[tuple[UUID, UUID | None, UUID | None]] = []
    refused: list[tuple[UUID, str]] = []
    load: Counter[UUID] = Counter()
    for one in chosen:
        to = _receiver(agents, one, load)
        if why := bars.get(one.id) or _why_not(wanted, one, to):
            refused.append((one.id, why))
            continue
        planned.append((one.id, to, one.agent_id))
        load[to or user_id] += 1
    missing = set(wanted.ids) - {one.id for one in found}
    refused += [(one, LeftOut.TAKEN.value) for one in wanted.ids if one in missing]
    row_id = derived_id("dispatch", user_id, now.isoformat())
    return dispatches.plan(session, row_id, wanted, len(found), planned, refused, user_id, now)


def _receivers(session: Session, wanted: Wanted) -> list[Agent]:
    """The agents who are to have the call tasks, by name."""
    if wanted.act not in ASSIGNING:
        return []
    statement = select(Agent).join(User, col(User.id) == col(Agent.id)).where(col(User.is_active))
    if wanted.act is DispatchAct.ASSIGN_AGENT:
        statement = statement.where(Agent.id == wanted.agent_id)
    else:
        statement = statement.where(Agent.presence != Presence.SIGNED_OFF)
    if wanted.act is DispatchAct.ASSIGN_TEAM:
        statement = statement.where(Agent.team == wanted.team)
    agents = list(session.exec(statement.order_by(User.name, col(Agent.id))))
    if wanted.act is DispatchAct.ASSIGN_SKILL:
        agents = [one for one in agents if one.skills.get(wanted.skill, 0) >= max(1, wanted.level)]
    if not agents:
        raise BadInput("Nobody of this choice is signed in. Choose another agent, team, skill or level.")
    return agents


def _receiver(agents: Sequence[Agent], task: Sieved, load: Counter[UUID]) -> UUID | None:
    """Who of these agents gets a call task: who speaks its language and has got the fewest."""
    able = [one for one in agents if task.language in one.languages.split(",")]
    return min(able, key=lambda one: load[one.id]).id if able else None


def _why_not(wanted: Wanted, task: Sieved, to: UUID | None) -> str | None:
    if wanted.act in ASSIGNING and to is None:
        return LeftOut.LANGUAGE.value
    at_limit = {DispatchAct.PRIORITY_UP: dispatches.MOST, DispatchAct.PRIORITY_DOWN: dispatches.LEAST}
    return LeftOut.AT_LIMIT.value if at_limit.get(wanted.act) == task.priority else None


def _bars(session: Session, house: House, chosen: Sequence[Sieved], now: datetime) -> dict[UUID, str]:
    """Return the gate's first reason for each call task that may not be called; nothing is kept of it.

    Those that wait for a later moment by law are barred by what they wait for; the others are asked about.
    """
    held = {one.id: one.code for one in chosen if one.code in set(BarReason)}
    due = [one.id for one in chosen if one.id not in held and one.not_before_at <= now]
    return held | _asked(session, house, waiting.tasks_with_customers(session, due), now)


def _asked(
    session: Session, house: House, calls: Sequence[tuple[CallTask, Customer]], now: datetime
) -> dict[UUID, str]:
    if not calls:
        return {}
    proposed = [ProposedCall(one, Purpose(task.purpose), task.journey) for task, one in calls]
    looks = look(session, house.gate, proposed, now)
    verdicts = [screen_customer(facts, policy, now) for facts, policy in looks]
    return {
        task.id: str(verdict.reasons[0])
        for (task, _), verdict in zip(calls, verdicts, strict=True)
        if not verdict.may_call
    }


# -- then do ----------------------------------------------------------------------------------------------


def dispatch_batch(session: Session, house: House, dispatch_id: UUID, user_id: UUID, now: datetime) -> bool:
    """Carry the next batch of a plan out; return whether more is left. Twice changes nothing.

    Raises Conflict when the plan is too old, and Forbidden when it is somebody else's.
    """
    row = _own(session, dispatch_id, user_id)
    if waiting.is_stale(row, now) or row.undone_at is not None:
        raise Conflict("This preview is too old or was undone. Choose the call tasks again.")
    part = dispatches.next_of(row, BATCH)
    if not part:
        return False
    act = DispatchAct(row.act)
    found = waiting.lock_tasks(session, [one for one, _, _ in part])
    asked = [(one.task, one.customer) for one in found.values() if one.task.not_before_at <= now]
    bars = _asked(session, house, asked, now) if act in ASSIGNING else {}
    changed: list[dict[str, Any]] = []
    refused: list[tuple[UUID, str]] = []
    for task_id, to, seen in part:
        why = _why_left(act, found.get(task_id), seen) or bars.get(task_id)
        was = None if why else dispatches.as_it_is(found[task_id].task)
        if was is None or not _change(session, act, found[task_id].task, to, now):
            refused.append((task_id, why or LeftOut.AT_LIMIT.value))
            continue
        left = dispatches.as_it_is(found[task_id].task)
        changed.append({"id": str(task_id), "was": was, "left": left})
    dispatches.note_worked(row, len(part), changed, refused, now)
    _follow(session, act, [UUID(one["id"]) for one in changed], {to for _, to, _ in part if to}, now)
    is_over = row.worked >= len(row.planned)
    if is_over:
        _record(session, row, user_id, now)
    return not is_over


def _own(session: Session, dispatch_id: UUID, user_id: UUID) -> Dispatch:
    row = dispatches.lock_dispatch(session, dispatch_id)
    if row.made_by != user_id:
        raise Forbidden("Somebody else has made this preview. Make your own.")
    return row


def _why_left(act: DispatchAct, found: Locked | None, seen: UUID | None) -> str | None:
    """Say why a call task is left alone: another process holds it, or it is not what the plan saw."""
    if found is None:
        return LeftOut.HELD.value
    states = (
        (TaskState.PENDING, TaskState.RESERVED) if act is DispatchAct.BRING_BACK else (TaskState.PENDING,)
    )
    is_same = found.task.state in states and found.task.agent_id == seen
    return None if is_same else LeftOut.TAKEN.value


def _change(session: Session, act: DispatchAct, task: CallTask, to: UUID | None, now: datetime) -> bool:
    if task.state == TaskState.RESERVED:
        moves.end_offer(session, task, ReservationEnd.FREED, now)
        return True
    return dispatches.change(task, act, to, now)


def _follow(session: Session, act: DispatchAct, ids: list[UUID], agents: set[UUID], now: datetime) -> None:
    """Let what follows from an act happen: offers, and the end of promises."""
    if act in ASSIGNING:
        idle = agents.intersection(agents_idle(session, now))
        outbox.hand_over_all(session, OutboxKind.OFFER_TO_AGENT, sorted(idle), now)
    elif act is DispatchAct.EXPIRE:
        callbacks.close_callbacks_of(session, ids, now)
    else:
        outbox.hand_over_all(session, OutboxKind.OFFER_CALL_TASK, ids, now)
    outbox.ring(session, outbox.FLOOR, *(outbox.agent_channel(one) for one in agents))


def _record(session: Session, row: Dispatch, user_id: UUID, now: datetime) -> None:
    left_out: dict[str, int] = Counter(str(why) for _, why in row.refused)
    detail: dict[str, Any] = {
        "wanted": dict(row.wanted),
        "matched": row.matched,
        "changed": len(row.changed),
        "left_out": dict(left_out),
    }
    accounts.record(session, user_id, ACTS[DispatchAct(row.act)], str(row.id), now, **detail)


# -- then undo --------------------------------------------------------------------------------------------


def undo_batch(session: Session, dispatch_id: UUID, user_id: UUID, now: datetime) -> bool:
    """Put the next batch of an act back as it was; return whether more is left.

    What anybody has touched since is left as it is. Raises Conflict when the minute is over.
    """
    row = _own(session, dispatch_id, user_id)
    if row.done_at is None:
        raise Conflict("Nothing was done yet.")
    if row.undone_at is None and now - row.done_at > UNDO_WITHIN:
        raise Conflict("The minute for undoing is over. Choose the call tasks again.")
    part = row.changed[row.looked_at : row.looked_at + BATCH]
    if not part:
        return False
    found = waiting.lock_tasks(session, [UUID(one["id"]) for one in part])
    taken = waiting.journeys_taken(session, [one.task for one in found.values()])
    back: list[UUID] = []
    lost: list[tuple[UUID, str]] = []
    for one in part:
        task_id = UUID(one["id"])
        if why := _why_lost(found.get(task_id), one["left"], taken):
            lost.append((task_id, why))
            continue
        dispatches.put_back(found[task_id].task, one["was"], now)
        back.append(task_id)
    if row.act == DispatchAct.EXPIRE:
        callbacks.open_callbacks_again(session, back, row.done_at)
    dispatches.note_undone(row, len(part), lost, now)
    outbox.hand_over_all(session, OutboxKind.OFFER_CALL_TASK, back, now)
    outbox.ring(session, outbox.FLOOR)
    is_over = row.looked_at >= len(row.changed)
    if is_over:
        told = {"restored": len(row.changed) - len(row.lost), "lost": len(row.lost), "undone": str(row.act)}
        accounts.record(session, user_id, "tasks.restored", str(row.id), now, **told)
    return not is_over


def _why_lost(found: Locked | None, left: dict[str, Any], taken: set[tuple[UUID, str]]) -> str | None:
    """Say why a call task cannot be put back; None when it can."""
    if found is None:
        return LeftOut.HELD.value
    task = found.task
    if dispatches.as_it_is(task) != left:
        return LeftOut.TAKEN.value
    is_closed = task.state == TaskState.CANCELED
    return LeftOut.ANOTHER_OPEN.value if is_closed and (task.customer_id, task.journey) in taken else None
