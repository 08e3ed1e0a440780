"""The moves that the verbs of the pipeline share: how rows are locked, tasks die and agents are freed.

Rows are locked in one order everywhere: customer, visit, call task, agent, attempt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from callcenter import outbox
from callcenter.ahead import in_one_trip
from callcenter.calls import queries as call_queries
from callcenter.calls import service as calls
from callcenter.calls.policy import AS_A_RULE, LostCalls
from callcenter.calltasks import queries as task_queries
from callcenter.calltasks import service as calltasks
from callcenter.calltasks.policy import PAUSED_RULE_LOOK, RETRY_AFTER
from callcenter.compliance import service as compliance
from callcenter.compliance.policies import Gate
from callcenter.compliance.queries import ProposedCall
from callcenter.domain.contact import Verdict
from callcenter.domain.enums import (
    AttemptState,
    CallResult,
    CancelReason,
    OutboxKind,
    Presence,
    Purpose,
    ReservationEnd,
    ScreeningPoint,
    TaskState,
    VisitEnd,
    WorkState,
)
from callcenter.domain.journey import VisitRecord, VisitState
from callcenter.errors import Conflict, Forbidden, NotFound
from callcenter.journeys import records as journeys
from callcenter.models import CallTask, ContactAttempt, Customer, TriggerFiring
from callcenter.outcomes import promises
from callcenter.outcomes import service as outcomes
from callcenter.outcomes.queries import spoken_until
from callcenter.routing import hands
from callcenter.routing import service as routing
from callcenter.routing.rules import work_state_of
from callcenter.triggers import service as triggers
from callcenter.triggers.firings import FiringDraft, store_firings
from callcenter.triggers.history import about_customers
from callcenter.triggers.queries import RuleSet
from callcenter.triggers.rules import still_stands
from scripts_library.catalog import Catalog


@dataclass(frozen=True)
class House:
    """What the bank has set for all calls: its scripts, its compliance gate, the number it shows."""

    catalog: Catalog
    gate: Gate
    caller_id: str
    bank_name: str = ""
    lost: LostCalls = AS_A_RULE
    retry_after: timedelta = RETRY_AFTER
    global_holdout: float = 0.0
    calls_per_second: float | None = None
    """How many calls the product may begin in a second, all workers together; None: no limit."""


def lock_customer(session: Session, customer_id: UUID) -> Customer:
    """Lock a customer until the commit: whoever holds the row decides alone what becomes of the customer."""
    customer = session.get(Customer, customer_id, with_for_update={"key_share": True}, populate_existing=True)
    if customer is None:
        raise NotFound("There is no such customer.")
    return customer


def lock_free_customer(session: Session, customer_id: UUID) -> Customer | None:
    """Lock a customer whom no other process holds; None without waiting when one does."""
    return session.get(
        Customer,
        customer_id,
        with_for_update={"key_share": True, "skip_locked": True},
        populate_existing=True,
    )


def task_of_agent(session: Session, call_task_id: UUID, agent_id: UUID, state: TaskState) -> CallTask:
    """Lock a call task, its customer first, and make sure it is this agent's and in this state."""
    known = session.get(CallTask, call_task_id)
    if known is None:
        raise NotFound("There is no such call task.")
    lock_customer(session, known.customer_id)
    task = task_queries.lock_task(session, call_task_id)
    assert task is not None
    if task.agent_id != agent_id:
        raise Forbidden("This call task is with another agent by now.")
    if task.state != state:
        raise Conflict(f"This call task is {task.state} by now.")
    return task


def lock_call(session: Session, attempt_id: UUID) -> ContactAttempt:
    """Lock an attempt with the task and agent that follow it, in the house's order."""
    with in_one_trip(session):
        calls.lock_around(session, attempt_id)
    attempt = calls.lock_attempt(session, attempt_id)
    if attempt is None:
        raise NotFound("There is no such attempt.")
    return attempt


def room_of(agent_id: UUID) -> str:
    """Return the name of the room an agent's calls meet in; it tells nothing about anybody."""
    return f"agent-{agent_id.hex}"


def screen_opening(
    session: Session,
    house: House,
    customer: Customer,
    purpose: Purpose,
    campaign: str,
    now: datetime,
    firing_id: UUID | None = None,
) -> Verdict:
    """Ask the gate about the call that a call task would be opened for."""
    call = ProposedCall(customer, purpose, campaign, firing_id=firing_id)
    return compliance.screen(session, house.gate, [call], ScreeningPoint.OPENING, now)[0]


def screen_tasks(
    session: Session,
    house: House,
    waiting: Sequence[tuple[CallTask, Customer]],
    point: ScreeningPoint,
    now: datetime,
    *,
    is_agent_guaranteed: bool = True,
    for_at: datetime | None = None,
) -> list[Verdict]:
    """Ask the gate about the calls of call tasks, in their order; every answer is kept.

    `for_at`: about a later moment. At the dial customers are locked and their numbers held (`holds_number`).
    """
    calls = [
        ProposedCall(
            customer,
            Purpose(task.purpose),
            task.journey,
            is_agent_guaranteed=is_agent_guaranteed,
            call_task_id=task.id,
        )
        for task, customer in waiting
    ]
    return compliance.screen(session, house.gate, calls, point, now, for_at=for_at) if calls else []


def screen_task(
    session: Session,
    house: House,
    task: CallTask,
    customer: Customer,
    point: ScreeningPoint,
    now: datetime,
    for_at: datetime | None = None,
) -> Verdict:
    """Ask the gate about the call of one call task, an agent waiting.

    Raises Conflict when the call is to be dialed and another dial holds its number this moment.
    """
    if point is ScreeningPoint.DIAL and not holds_number(session, customer):
        raise Conflict("This number is on another call right now. Try again when that call has ended.")
    return screen_tasks(session, house, [(task, customer)], point, now, for_at=for_at)[0]


def holds_number(session: Session, customer: Customer) -> bool:
    """Keep a customer's number until the commit: two people may share it, and its budget is one.

    False when another dial holds it this moment.
    """
    return customer.number is None or compliance.hold_number(session, customer.number)


def look_at(session: Session, rules: RuleSet, visits: Sequence[VisitRecord], now: datetime) -> int:
    """Fire what has run out for these visits, set their clocks anew and write all of it; return how many fired."""
    drafts = ask_rules(session, rules, visits, now)
    with in_one_trip(session):
        write_looks(session, visits, drafts)
    return sum(not one.enters_band for one in drafts)


def ask_rules(
    session: Session, rules: RuleSet, visits: Sequence[VisitRecord], now: datetime
) -> list[FiringDraft]:
    """Say what has run out for these visits, and set their clocks anew; nothing is written yet."""
    return triggers.look(rules, visits, lambda ids, asked: about_customers(session, ids, asked, now), now)


def write_looks(session: Session, visits: Sequence[VisitRecord], drafts: Sequence[FiringDraft]) -> None:
    """Write visits that were looked at, and after them what fired."""
    journeys.write_visits(session, visits)
    store_firings(session, drafts)


def why_dead(session: Session, rules: RuleSet, task: CallTask, visit: VisitState) -> CancelReason | None:
    """Say why a task's reason no longer holds; None while it does. A promised callback outlives silence."""
    firing = session.get(TriggerFiring, task.firing_id)
    assert firing is not None
    spec = rules.spec_of(firing.rule_id, task.rule_key)
    if visit.end in (VisitEnd.ADVANCED, VisitEnd.GOAL):
        return CancelReason.ADVANCED
    if task.facts.get("callback"):
        return None
    if not visit.is_open or (spec is not None and not still_stands(spec, firing.anchor_at, visit)):
        return CancelReason.RECOVERED
    return None


def cancel_task(session: Session, task: CallTask, reason: CancelReason, now: datetime) -> None:
    """Let a waiting or reserved task die, and free the agent who was looking at it.

    What was folded into it and not spoken about is decided again: its reasons did not die with this one.
    """
    if reservation := routing.reservation_of_task(session, task.id):
        end = ReservationEnd.BARRED if reason is CancelReason.BARRED else ReservationEnd.WITHDRAWN
        free_from_reservation(session, reservation.agent_id, now)
        routing.end_reservation(reservation, end, now)
    calltasks.cancel(task, reason, now)
    if task.folded_firings:
        triggers.let_go(session, task.id, spoken_until(session, task.id))
    outcomes.close_callbacks(session, task.id, now, lost_because=reason)
    outbox.ring(session, outbox.FLOOR)


def cancel_ringing(session: Session, attempt: ContactAttempt, now: datetime) -> None:
    """Stop a call that has not been answered; one that has been is left to the two people talking."""
    if AttemptState(attempt.state) in (AttemptState.ANSWERED, AttemptState.BRIDGED):
        return
    end_attempt(session, attempt, now)


def hold_back(session: Session, task: CallTask, verdict: Verdict, now: datetime) -> None:
    """The gate says no: wait where waiting helps, end the task where it does not."""
    if verdict.next_allowed_at is None or verdict.next_allowed_at > task.expires_at:
        return cancel_task(session, task, CancelReason.BARRED, now)
    if reservation := routing.reservation_of_task(session, task.id):
        free_from_reservation(session, reservation.agent_id, now)
        routing.end_reservation(reservation, ReservationEnd.BARRED, now)
        calltasks.release(task, now)
    calltasks.wait_until(task, verdict.next_allowed_at, list(verdict.reasons))
    outbox.hand_over(session, OutboxKind.OFFER_CALL_TASK, task.id, now, due_at=verdict.next_allowed_at)
    outbox.ring(session, outbox.FLOOR)
    return None


def try_again(
    session: Session, house: House, task: CallTask, attempt: ContactAttempt, now: datetime
) -> datetime | None:
    """Put a wrapped-up task back for another try as its last call allows; returns when, None when none is left.

    A call that was never placed is no try, and what had been promised of it stays promised.
    """
    if attempt.result == CallResult.NOT_PLACED:
        owner = promises.promise_again(session, task.id, attempt.claimed_at)
        again_at = calltasks.put_back_uncalled(task, house.retry_after, now, owner)
    else:
        again_at = now + house.retry_after
        if not calltasks.try_again(task, again_at, call_queries.calls_tried(session, task.id), now):
            return None
    outbox.hand_over(session, OutboxKind.OFFER_CALL_TASK, task.id, now, due_at=again_at)
    return again_at


def wait_for_rule(session: Session, task: CallTask, now: datetime) -> None:
    """Let a call task wait while its rule is paused, and look again in a while."""
    again_at = now + PAUSED_RULE_LOOK
    calltasks.wait_until(task, again_at, ["rule_paused"])
    outbox.hand_over(session, OutboxKind.OFFER_CALL_TASK, task.id, now, due_at=again_at)


def end_offer(
    session: Session, task: CallTask, end: ReservationEnd, now: datetime, skip_reason: str | None = None
) -> None:
    reservation = routing.reservation_of_task(session, task.id)
    if reservation is not None:
        free_from_reservation(session, reservation.agent_id, now)
        routing.end_reservation(reservation, end, now, skip_reason)
    calltasks.release(task, now)
    wait = timedelta(minutes=1) if end is ReservationEnd.SKIPPED else timedelta(0)
    calltasks.wait_until(task, now + wait, [end.value])
    outbox.hand_over(session, OutboxKind.OFFER_CALL_TASK, task.id, now, due_at=now + wait)
    outbox.ring(session, outbox.FLOOR)


def free_from_reservation(session: Session, agent_id: UUID, now: datetime) -> None:
    """Make the agent of an ending offer idle again, and look for their next call task."""
    agent = routing.lock_agent(session, agent_id)
    if agent.work_state in (WorkState.RESERVED, WorkState.PREVIEWING):
        make_idle(session, agent_id, now)


def make_idle(session: Session, agent_id: UUID, now: datetime) -> None:
    agent = routing.lock_agent(session, agent_id)
    routing.set_work_state(agent, WorkState.IDLE, now)
    if agent.presence == Presence.AVAILABLE:
        outbox.hand_over(session, OutboxKind.OFFER_TO_AGENT, agent_id, now)
    if agent.presence == Presence.SIGNED_OFF:
        outbox.hand_over(session, OutboxKind.RELEASE_AGENT, agent_id, now)
    outbox.ring(session, outbox.agent_channel(agent_id), outbox.FLOOR)


def end_attempt(session: Session, attempt: ContactAttempt, now: datetime) -> None:
    if calls.ask_to_end(attempt, now):
        outbox.hand_over(session, OutboxKind.HANG_UP_ATTEMPT, attempt.id, now)
    follow_attempt(session, attempt, now)


_AGENT_FOLLOWS = frozenset({AttemptState.ANSWERED, AttemptState.BRIDGED, AttemptState.ENDED})
"""Until then an agent is dialing, as they have been since the dial was claimed."""


def follow_attempt(session: Session, attempt: ContactAttempt, now: datetime) -> None:
    """Let task and agent follow their attempt: talking when it is answered, wrapping when it has ended.

    An automatic call that ended before it had an agent leaves nobody anything to tag: a job closes its task.
    """
    if attempt.agent_id is None:
        if attempt.state == AttemptState.ENDED:
            outbox.hand_over_once(session, OutboxKind.CLOSE_UNATTENDED, attempt.id, now)
        return ring_for(session, attempt)
    if attempt.state not in _AGENT_FOLLOWS:
        return ring_for(session, attempt)
    agent = routing.lock_agent(session, attempt.agent_id)
    if agent.call_task_id == attempt.call_task_id and agent.work_state not in (
        WorkState.WRAPPING,
        WorkState.IDLE,
    ):
        routing.set_work_state(agent, work_state_of(AttemptState(attempt.state)), now, attempt.call_task_id)
    if attempt.state == AttemptState.ENDED:
        task = task_queries.lock_task(session, attempt.call_task_id)
        assert task is not None
        calltasks.wrap(task, now)
        hands.end_with_call(session, attempt.agent_id, now)
    return ring_for(session, attempt)


def ring_for(session: Session, attempt: ContactAttempt) -> None:
    """Tell the floor, and an attempt's agent if it has one, that something of it has changed."""
    if attempt.agent_id is not None:
        outbox.ring(session, outbox.agent_channel(attempt.agent_id))
    outbox.ring(session, outbox.FLOOR)
