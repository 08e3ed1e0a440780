"""Automatic dialing: each tick looks at one campaign's floor, asks the pacing rule, and places or takes back calls.

Beside the pipeline, and by the same gate: the dials of one tick are claimed together, each with an agent waiting
or, ahead of agents, with none; such a call finds its agent when the customer picks up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from callcenter import merging, moves, outbox, pipeline, suiting
from callcenter.accounts import service as accounts
from callcenter.calls import service as calls
from callcenter.calltasks import queries as task_queries
from callcenter.calltasks import service as calltasks
from callcenter.calltasks.dialable import tasks_to_dial
from callcenter.dialing import queries as dialing
from callcenter.dialing import service as dialing_service
from callcenter.dialing.brake import calls_too_many
from callcenter.dialing.forecast import CallHistory, learn
from callcenter.dialing.groups import Kind, Places, places_of
from callcenter.dialing.policy import PACED_EVERY, PacingPolicy
from callcenter.dialing.queries import Floor
from callcenter.dialing.rules import AHEAD, PacingFacts, pace, sentence_of, starts_left
from callcenter.dialing.waiting import Waiting, lock_waiting
from callcenter.domain.enums import (
    AttemptState,
    BarReason,
    CallResult,
    CancelReason,
    DialingMode,
    OutboxKind,
    RuleState,
    ScreeningPoint,
    TaskState,
)
from callcenter.domain.needs import Need
from callcenter.errors import NotFound
from callcenter.journeys import queries as journey_queries
from callcenter.journeys.records import state_of
from callcenter.models import Agent, CallTask
from callcenter.moves import House
from callcenter.outcomes import service as outcomes
from callcenter.routing import service as routing
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
    ahead = tasks_to_dial(session, key, now, _MOST_LOOKED_AT)
    with_agent = task_queries.tasks_of_campaign(session, key, now, _MOST_LOOKED_AT)
    floor = dialing.floor_of(session, key, now, SILENT_BROWSER)
    starts = _starts_left(session, house)
    facts = facts_of(floor, mode, max(len(ahead), len(with_agent)), policy, starts)
    kinds = {one.id: Kind(one.need, one.relaxed) for one in ahead}
    places = places_of(facts, floor.seats, floor.flight, kinds.values(), policy)
    facts = replace(facts, suited=places.how_many(kinds.values()))
    pacing = pace(facts, policy)
    canceled = _take_back(session, floor, calls_too_many(facts, pacing.reason, policy), now)
    dialed = 0
    if not canceled:
        if pacing.reason in AHEAD and pacing.dial > 0:
            dialed = _dial_ahead(session, house, kinds, places, pacing.dial, mode, now)
        else:
            dialed = _dial_with_agents(session, house, with_agent, pacing.dial, mode, now)
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


def _starts_left(session: Session, house: House) -> int | None:
    """How many calls may be claimed so that the carrier's calls per second let them begin before the next tick."""
    if house.calls_per_second is None:
        return None
    return starts_left(house.calls_per_second, PACED_EVERY.total_seconds(), dialing.calls_unplaced(session))


def facts_of(
    floor: Floor, mode: DialingMode, waiting_customers: int, policy: PacingPolicy, starts: int | None = None
) -> PacingFacts:
    """Put the floor's rows into the pacing rule's words."""
    history = CallHistory(floor.rang, floor.unanswered, floor.talked, floor.wrapped)
    return PacingFacts(
        mode=mode,
        ready=floor.ready,
        agents=floor.agents,
        callable=waiting_customers,
        busy=floor.busy,
        ringing=tuple(seconds for _, seconds in floor.ringing),
        waiting=floor.answered_waiting,
        live_answers_30d=floor.answers_30d,
        abandoned_30d=floor.abandoned_30d,
        live_answers_today=floor.answers_today,
        abandoned_today=floor.abandoned_today,
        starts_left=starts,
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


def _dial_ahead(
    session: Session,
    house: House,
    kinds: Mapping[UUID, Kind],
    places: Places,
    count: int,
    mode: DialingMode,
    now: datetime,
) -> int:
    """Commit to so many dials of these tasks, the first first, without an agent; of a kind what `places` has left.

    Rows are locked many at a time, and none that another process holds: a tick takes as many statements for fifty
    calls as for one. Each customer is asked the questions of an agent's dial under the lock.
    """
    rules = trigger_queries.current_rules(session, journey_queries.journeys_loaded(session))
    left, dialed = list(kinds), 0
    while dialed < count:
        some: list[UUID] = []
        later: list[UUID] = []
        for one in left:
            (some if dialed + len(some) < count and places.take(kinds[one]) else later).append(one)
        if not some:
            break
        placed = _dial(session, house, rules, lock_waiting(session, some, now), mode, now)
        dialed += len(placed)
        for one in some:
            if one not in placed:
                places.give_back(kinds[one])
        left = later
    return dialed


def _dial_with_agents(
    session: Session, house: House, tasks: Sequence[UUID], count: int, mode: DialingMode, now: datetime
) -> int:
    """Commit to so many dials of these tasks, the first first, an agent waiting while each rings."""
    rules = trigger_queries.current_rules(session, journey_queries.journeys_loaded(session))
    left, dialed = list(tasks), 0
    while left and dialed < count:
        some, left = left[: count - dialed], left[count - dialed :]
        found = lock_waiting(session, some, now)
        promised = [one for one in found if task_queries.owner_now(one.task, now)]
        dialed += sum(_offer_to_owner(session, house, one.task, now) for one in promised)
        found = [one for one in found if one not in promised]
        agents = routing.free_agents(session, now, _MOST_LOOKED_AT) if found else []
        chosen = {
            one.task.id: routing.take_agent_for(agents, _need_of(one), task_queries.relaxed_of(one.task))
            for one in found
        }
        found = [one for one in found if chosen[one.task.id]]
        dialed += len(_dial(session, house, rules, found, mode, now, chosen))
    return dialed


def _dial(
    session: Session,
    house: House,
    rules: RuleSet,
    found: Sequence[Waiting],
    mode: DialingMode,
    now: datetime,
    chosen: Mapping[UUID, Agent | None] | None = None,
) -> set[UUID]:
    """Commit to dials of whom reason, rule and gate allow, each with the agent `chosen` for its call task, if any.

    Returns the call tasks being dialed.
    """
    fit = _may_be_called(session, house, rules, found, now, with_agents=chosen is not None)
    agents = [chosen[one.task.id] if chosen is not None else None for one in fit]
    return _claim(session, house, fit, agents, mode, now)


def _need_of(one: Waiting) -> Need:
    return task_queries.need_of(one.task, one.customer.language)


def _offer_to_owner(session: Session, house: House, task: CallTask, now: datetime) -> bool:
    """Offer a callback to the agent who promised it in person, who dials; False when they are not free."""
    offer = pipeline.offer_call_task(session, house, task.id, now, with_agent=True, in_room=True)
    return isinstance(offer, pipeline.Reserved)


def _may_be_called(
    session: Session,
    house: House,
    rules: RuleSet,
    found: Sequence[Waiting],
    now: datetime,
    *,
    with_agents: bool,
) -> list[Waiting]:
    """Return whom reason, rule and gate still allow to be called; the tasks of the others wait or end."""
    standing, allowed = [], []
    for one in found:
        rule = rules.current(one.task.rule_key)
        if reason := moves.why_dead(session, rules, one.task, state_of(one.visit)):
            moves.cancel_task(session, one.task, reason, now)
        elif rule is not None and rule.state == RuleState.PAUSED:
            moves.wait_for_rule(session, one.task, now)
        elif rule is not None or with_agents:
            merging.drop_dead_lead(session, rules, one.task)
            standing.append(one)
    standing = [one for one in standing if moves.holds_number(session, one.customer)]
    verdicts = moves.screen_tasks(
        session,
        house,
        [(one.task, one.customer) for one in standing],
        ScreeningPoint.DIAL,
        now,
        is_agent_guaranteed=with_agents,
    )
    for one, verdict in zip(standing, verdicts, strict=True):
        if verdict.may_call and one.customer.number is not None:
            allowed.append(one)
        elif not NEEDS_AGENT.issuperset(verdict.reasons):  # else it waits for an agent: nothing else bars it
            moves.hold_back(session, one.task, verdict, now)
    return allowed


def _claim(
    session: Session,
    house: House,
    found: Sequence[Waiting],
    chosen: Sequence[Agent | None],
    mode: DialingMode,
    now: datetime,
) -> set[UUID]:
    """Insert the attempts and hand them over, each with its agent if it has one.

    Returns the call tasks being dialed: a customer whose number is on another call waits on.
    """
    mode = DialingMode.PROGRESSIVE if any(chosen) else mode
    for one in found:
        calltasks.assign(one.task, now)
    dials = [
        calls.Dial(one.task, one.customer.number or "", agent.id if agent else None)
        for one, agent in zip(found, chosen, strict=True)
    ]
    claimed = calls.claim_all(session, dials, house.caller_id, mode, now)
    for one, agent, attempt in zip(found, chosen, claimed, strict=True):
        if attempt is None:
            calltasks.unassign(one.task, now)
        elif agent is not None:
            why = suiting.why_this(one.task, agent, now)
            one.task.agent_id, one.task.offers = agent.id, one.task.offers + 1
            routing.note_dialed(session, agent, one.task.id, one.task.offers, now, why)
            if one.task.facts.get("callback"):
                outcomes.close_callbacks(session, one.task.id, now)
            outbox.ring(session, outbox.agent_channel(agent.id))
    placed = [attempt.id for attempt in claimed if attempt is not None]
    if placed:
        outbox.hand_over_all(session, OutboxKind.PLACE_ATTEMPT, placed, now)
        outbox.ring(session, outbox.FLOOR)
    return {attempt.call_task_id for attempt in claimed if attempt is not None}


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
    if attempt.cancel_asked_at is not None and attempt.result_detail != SURPLUS:
        moves.cancel_task(session, task, CancelReason.RECOVERED, now)
    elif attempt.result not in TRIED_AGAIN or not moves.try_again(session, house, task, attempt, now):
        rules = trigger_queries.current_rules(session, journey_queries.journeys_loaded(session))
        merging.finish_task(session, rules, task, now)
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
