"""Automatic dialing: each tick looks at one campaign's floor, asks the pacing rule, and places or takes back calls.

Beside the pipeline, whose verbs it uses: a call with an agent waiting takes the same path as an agent's own, one
ahead of agents is claimed here, by the same gate, and finds its agent when the customer picks up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from callcenter import moves, outbox, pipeline
from callcenter.accounts import service as accounts
from callcenter.calls import service as calls
from callcenter.calltasks import queries as task_queries
from callcenter.calltasks import service as calltasks
from callcenter.dialing import queries as dialing
from callcenter.dialing import service as dialing_service
from callcenter.dialing.brake import calls_too_many
from callcenter.dialing.forecast import BusyAgent, CallHistory, learn
from callcenter.dialing.policy import PacingPolicy
from callcenter.dialing.queries import Floor
from callcenter.dialing.rules import PacingFacts, PacingReason, pace, sentence_of
from callcenter.domain.enums import (
    AttemptState,
    BarReason,
    CallResult,
    CancelReason,
    DialingMode,
    OutboxKind,
    ScreeningPoint,
    TaskState,
    WorkState,
)
from callcenter.errors import Conflict, NotFound
from callcenter.journeys import queries as journey_queries
from callcenter.journeys.records import state_of
from callcenter.models import CallTask
from callcenter.moves import House
from callcenter.routing.policy import SILENT_BROWSER
from callcenter.triggers import queries as trigger_queries
from callcenter.triggers.queries import RuleSet

SURPLUS = "surplus"
"""Why an automatic call was taken back: fewer agents than when it was placed. Nothing the customer did."""
TRIED_AGAIN = frozenset(
    {
        CallResult.NO_ANSWER,
        CallResult.BUSY,
        CallResult.MACHINE,
        CallResult.ABANDONED,
        CallResult.FAILED,
        CallResult.CANCELED,
        CallResult.NOT_PLACED,
    }
)
"""Results of a call nobody tagged after which the customer is tried once more."""
NEEDS_AGENT = frozenset({BarReason.ABANDONMENT_BUDGET_SPENT, BarReason.AGENT_NOT_GUARANTEED})
"""Bars of a call that rings without an agent."""
_AHEAD = frozenset({PacingReason.POWER, PacingReason.PREDICTIVE})
_MOST_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Paced:
    """What one tick did for one campaign, and its sentence."""

    dialed: int
    canceled: int
    sentence: str


def pace_campaign(session: Session, house: House, key: str, now: datetime) -> Paced | None:
    """Place as many calls of a campaign as the pacing rule says, take back what is too many, and say why.

    None when another scheduler paces the campaign this moment, or it is not dialed ahead (any more).
    """
    campaign = dialing_service.lock_campaign(session, key)
    if campaign is None or DialingMode(campaign.mode) not in dialing.OVERDIALED:
        return None
    if not dialing.automatic_allowed(session):
        return None
    mode = DialingMode(campaign.mode)
    policy = replace(PacingPolicy(), power_ratio=campaign.lines_per_agent)
    ahead = task_queries.tasks_to_dial(session, key, now, _MOST_LOOKED_AT)
    with_agent = task_queries.tasks_of_campaign(session, key, now, _MOST_LOOKED_AT)
    floor = dialing.floor_of(session, key, now, SILENT_BROWSER)
    facts = facts_of(floor, mode, max(len(ahead), len(with_agent)), policy)
    pacing = pace(facts, policy)
    canceled = _take_back(session, floor, calls_too_many(facts, pacing.reason, policy), now)
    dialed = 0
    if not canceled:
        is_ahead = pacing.reason in _AHEAD and pacing.dial > 0
        dialed = (
            _dial_ahead(session, house, ahead, pacing.dial, mode, now)
            if is_ahead
            else _dial_with_agents(session, house, with_agent, pacing.dial, now)
        )
    sentence = sentence_of(pacing)
    dialing_service.keep_decision(
        session,
        key,
        mode,
        dialed=dialed,
        canceled=canceled,
        reason=pacing.reason.value,
        figures=pacing.figures,
        sentence=sentence,
        now=now,
    )
    return Paced(dialed, canceled, sentence)


def facts_of(floor: Floor, mode: DialingMode, waiting_customers: int, policy: PacingPolicy) -> PacingFacts:
    """Put the floor's rows into the pacing rule's words."""
    states = {WorkState.TALKING: "talking_seconds", WorkState.WRAPPING: "wrapping_seconds"}
    busy = tuple(
        BusyAgent(**{states[WorkState(state)]: seconds})
        for state, seconds in floor.busy
        if WorkState(state) in states
    )
    history = CallHistory(floor.rang, floor.unanswered, floor.talked, floor.wrapped)
    return PacingFacts(
        mode=mode,
        ready=floor.ready,
        agents=floor.agents,
        callable=waiting_customers,
        busy=busy,
        ringing=tuple(seconds for _, seconds in floor.ringing),
        waiting=floor.answered_waiting,
        live_answers_30d=floor.answers_30d,
        abandoned_30d=floor.abandoned_30d,
        live_answers_today=floor.answers_today,
        abandoned_today=floor.abandoned_today,
        forecast=learn(history, policy),
    )


def _take_back(session: Session, floor: Floor, count: int, now: datetime) -> int:
    """Cancel so many calls that still ring without an agent, the latest first."""
    latest = sorted(floor.ringing, key=lambda one: one[1])[:count]
    for attempt_id, _ in latest:
        attempt = moves.lock_call(session, attempt_id)
        if attempt.agent_id is None and attempt.answered_at is None:
            calls.note_detail(attempt, SURPLUS)
            moves.cancel_ringing(session, attempt, now)
    return len(latest)


def _dial_with_agents(
    session: Session, house: House, tasks: Sequence[UUID], count: int, now: datetime
) -> int:
    """Give so many tasks an agent each, who waits while it rings."""
    dialed = 0
    for call_task_id in tasks if count > 0 else ():
        offer = pipeline.offer_call_task(session, house, call_task_id, now, with_agent=True, in_room=True)
        dialed += isinstance(offer, pipeline.Reserved)
        if dialed >= count or (isinstance(offer, pipeline.NotOffered) and offer.why == "no_agent"):
            break
    return dialed


def _dial_ahead(
    session: Session, house: House, tasks: Sequence[UUID], count: int, mode: DialingMode, now: datetime
) -> int:
    rules = trigger_queries.current_rules(session, journey_queries.journeys_loaded(session))
    dialed = 0
    for call_task_id in tasks:
        if dialed >= count:
            break
        dialed += _claim_ahead(session, house, rules, call_task_id, mode, now)
    return dialed


def _claim_ahead(
    session: Session, house: House, rules: RuleSet, call_task_id: UUID, mode: DialingMode, now: datetime
) -> bool:
    """Commit to one dial without an agent, after the same questions as at an agent's dial."""
    known = session.get(CallTask, call_task_id)
    customer = moves.lock_free_customer(session, known.customer_id) if known else None
    if known is None or customer is None:
        return False
    visit = journey_queries.visit_of(session, known.visit_id)
    task = task_queries.lock_task(session, call_task_id)
    if task is None or task.state != TaskState.PENDING or task.not_before_at > now:
        return False
    if reason := moves.why_dead(session, rules, task, state_of(visit)):
        moves.cancel_task(session, task, reason, now)
        return False
    if not rules.is_live(task.rule_key):
        return False
    verdict = moves.screen_task(
        session, house, task, customer, ScreeningPoint.DIAL, now, is_agent_guaranteed=False
    )
    if verdict.reasons and NEEDS_AGENT.issuperset(verdict.reasons):
        return False  # nothing bars a call with an agent waiting: the task waits for one
    if not verdict.may_call or customer.number is None:
        moves.hold_back(session, task, verdict, now)
        return False
    calltasks.assign(task, now)
    try:
        attempt = calls.claim(session, task, None, customer.number, house.caller_id, mode, now)
    except Conflict:  # the number is on another call: nothing was placed, the task waits on
        calltasks.unassign(task, now)
        return False
    outbox.hand_over(session, OutboxKind.PLACE_ATTEMPT, attempt.id, now)
    outbox.ring(session, outbox.FLOOR)
    return True


def close_unattended(session: Session, house: House, attempt_id: UUID, now: datetime) -> None:
    """Put the task of an automatic call that ended without an agent back for another try, or close it; once."""
    attempt = moves.lock_call(session, attempt_id)
    task = task_queries.lock_task(session, attempt.call_task_id)
    assert task is not None
    if (
        task.state != TaskState.ASSIGNED
        or attempt.agent_id is not None
        or attempt.state != AttemptState.ENDED
    ):
        return
    calltasks.wrap(task, now)
    again_at = now + house.retry_after
    is_wanted = attempt.cancel_asked_at is None or attempt.result_detail == SURPLUS
    is_tried_again = is_wanted and attempt.result in TRIED_AGAIN
    if is_tried_again and calltasks.try_again(task, again_at, now, promised=False):
        outbox.hand_over(session, OutboxKind.OFFER_CALL_TASK, task.id, now, due_at=again_at)
    elif is_wanted:
        calltasks.finish(task, now)
    else:
        calltasks.cancel(task, CancelReason.RECOVERED, now)
    outbox.ring(session, outbox.FLOOR)


# -- what supervisors set ---------------------------------------------------------------------------------------


def set_campaign(
    session: Session,
    key: str,
    mode: DialingMode,
    user_id: UUID,
    now: datetime,
    *,
    lines_per_agent: float = 1.0,
    drops_machines: bool = False,
) -> None:
    """Set how a journey's call tasks are dialed; who did it is in the audit trail."""
    if key not in journey_queries.journeys_loaded(session):
        raise NotFound("There is no such journey.")
    dialing_service.set_campaign(
        session, key, mode, user_id, now, lines_per_agent=lines_per_agent, drops_machines=drops_machines
    )
    accounts.record(
        session,
        user_id,
        "campaign.set",
        key,
        now,
        mode=mode.value,
        lines_per_agent=lines_per_agent,
        drops_machines=drops_machines,
    )
    outbox.ring(session, outbox.FLOOR)


def set_automatic(session: Session, user_id: UUID, now: datetime, *, allowed: bool) -> None:
    """Allow automatic dialing, or make it impossible and take back every call that rings without an agent."""
    dialing_service.set_switch(session, automatic_allowed=allowed, user_id=user_id, now=now)
    if not allowed:
        for key in dialing.campaigns(session):
            floor = dialing.floor_of(session, key, now, SILENT_BROWSER)
            _take_back(session, floor, len(floor.ringing), now)
    accounts.record(session, user_id, "dialing.allowed" if allowed else "dialing.stopped", "all", now)
    outbox.ring(session, outbox.FLOOR)


def forget_old_decisions(session: Session, now: datetime) -> None:
    """Drop pacing decisions past their keeping."""
    dialing_service.forget_old_decisions(session, now)
