"""The whole story: from an event on a page to what the customer did after the call.

    take_events -> fire_due_visits -> decide_firings -> offer_call_task -> place_call
                -> note_call_progress -> close_call -> (take_events sees what the customer did)

Stages do not know each other; this file alone composes them. Each verb takes a session, ids or frozen values
and `now`, returns a small result, commits nothing, and touches neither Flask nor RQ nor a carrier.
Rows are locked in one order everywhere: customer, visit, call task, agent, attempt.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from callcenter import merging, moves, outbox, suiting
from callcenter.accounts import service as accounts
from callcenter.ahead import in_one_trip
from callcenter.calls import days, legs, rooms
from callcenter.calls import service as calls
from callcenter.calls.policy import AS_A_RULE, LostCalls
from callcenter.calls.rules import News
from callcenter.calltasks import queries as task_queries
from callcenter.calltasks import service as calltasks
from callcenter.compliance import consent_events, ledgers
from callcenter.compliance import service as compliance
from callcenter.compliance.numbers import possible_zones
from callcenter.dialing import queries as dialing
from callcenter.dialing.messages import no_agent_message
from callcenter.domain.contact import Verdict
from callcenter.domain.enums import (
    AttemptState,
    CancelReason,
    DialingMode,
    FiringFate,
    NotReadyReason,
    OutboxKind,
    Presence,
    Purpose,
    ReservationEnd,
    RuleState,
    ScreeningPoint,
    SuppressReason,
    TaskState,
    WorkState,
)
from callcenter.domain.events import EventValue, PlacedEvent, Rejection
from callcenter.domain.journey import JourneyDefinition, VisitRecord, VisitState
from callcenter.domain.needs import EVERYTHING, Need
from callcenter.domain.ports import (
    Answer,
    CallSnapshot,
    CarrierEvent,
    HangUp,
    JoinRoom,
    Placed,
    Placement,
    SayAndHangUp,
)
from callcenter.errors import BadInput, Conflict, Forbidden, NotFound
from callcenter.intake import calendar, storing
from callcenter.intake import service as intake
from callcenter.intake.rules import EventBatch
from callcenter.intake.service import Identity
from callcenter.journeys import queries as journey_queries
from callcenter.journeys import service as journeys
from callcenter.journeys.records import state_of, visits_due
from callcenter.journeys.rules import put_in_place
from callcenter.learning import ghosts, ranking
from callcenter.learning import service as learning
from callcenter.models import (
    Agent,
    CallTask,
    CarrierDay,
    ContactAttempt,
    Customer,
    EventSource,
    TriggerFiring,
    User,
)
from callcenter.moves import House
from callcenter.offers import queries as offers
from callcenter.outcomes import service as outcomes
from callcenter.outcomes.rules import NextStep, WrapUp, next_step
from callcenter.routing import service as routing
from callcenter.routing.queries import agents_free, candidate_of
from callcenter.routing.rules import choose_agent, is_silent, may_be_offered
from callcenter.scripting import service as scripting
from callcenter.triggers import calendar as dates
from callcenter.triggers import history as firing_history
from callcenter.triggers import queries as trigger_queries
from callcenter.triggers import service as triggers
from callcenter.triggers.calendar import Chapter
from callcenter.triggers.policy import RuleSpec
from callcenter.triggers.queries import RuleSet
from callcenter.triggers.rules import still_stands
from scripts_library.model import ScriptLibraryError

# -- events come in ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Intake:
    """What became of a batch."""

    accepted: int
    duplicate: int
    rejected: tuple[Rejection, ...]


def take_events(session: Session, source: EventSource, batch: EventBatch, now: datetime) -> Intake:
    """Store a batch once, move its customers' visits and clocks, and let call tasks die whose reason died."""
    return take_batches(session, source, (batch,), now)[0]


def take_batches(
    session: Session, source: EventSource, batches: Sequence[EventBatch], now: datetime
) -> list[Intake]:
    """Take in what several requests of a source brought as if it were one batch; say what became of each."""
    source_id, lateness = source.id, timedelta(seconds=source.lateness_seconds)
    sent = [event for batch in batches for event in batch.events]
    refused = [one for batch in batches for one in batch.rejections]
    with in_one_trip(session):
        asked = journey_queries.ask_for_journeys(session)
        claim = storing.Claim(session, source_id, sent)
        owners = intake.DeviceOwners(session, source_id, sent)
    events = claim.events()
    definitions = journey_queries.journeys_loaded(session, asked)
    in_time = list(events.values())
    who = intake.lock_people(session, source_id, in_time, owners, now) if events else {}
    joined = _joined(who)
    placed = _placed(definitions, events, who, joined)
    said = [one for one in placed.values() if one.event.name in consent_events.RESERVED]
    refused += consent_events.problems_in(said)
    intake.join_history(session, joined)
    ledgers.carry_over(session, joined, now)
    ledgers.note_consents(session, consent_events.consents_in(said), now)
    merged = journeys.join_visits(session, joined)
    intake.keep_profiles(session, source_id, in_time, who, now)
    intake.keep_refused(session, source_id, refused, now)
    with in_one_trip(session):
        # Rules are asked for behind the locks: a rule that is published meanwhile is heard of.
        going = journeys.Moves(session, placed.values(), lateness)
        asked = trigger_queries.ask_for_rules(session)
        rows = storing.rows_to_store(source_id, placed)
    going.read()
    rules = trigger_queries.current_rules(session, definitions, asked)
    with storing.storing(session, rows):
        moved = going.fold(definitions)
    drafts = moves.ask_rules(session, rules, moved.visits, now)
    with in_one_trip(session):
        moves.write_looks(session, moved.visits, drafts)
        outcomes.note_reached(session, moved.reached)
    _let_tasks_die(session, rules, [*moved.visits, *merged], now)
    if placed or refused:
        outbox.ring(session, outbox.STUDIO)
    fresh = {id(event) for event in in_time}
    return [_intake_of(batch, fresh) for batch in batches]


def _joined(who: Mapping[str, Identity]) -> list[tuple[UUID, UUID]]:
    """Return which device's person turned out to be which customer, each once, in the order of the sign-ins."""
    found = ((one.joined_from, one.customer_id) for one in who.values())
    return list(dict.fromkeys((before, customer_id) for before, customer_id in found if before is not None))


def _placed(
    definitions: Mapping[str, JourneyDefinition],
    events: Mapping[bytes, EventValue],
    who: Mapping[str, Identity],
    joined: Sequence[tuple[UUID, UUID]],
) -> dict[bytes, PlacedEvent]:
    """Return events with their places; what a joined device's person did in this batch is the customer's."""
    owner = dict(joined)
    placed: dict[bytes, PlacedEvent] = {}
    for one_id, event in events.items():
        customer_id = who[event.message_id].customer_id
        if owner:
            customer_id = owner.get(customer_id, customer_id)
        placed[one_id] = put_in_place(definitions, event, customer_id)
    return placed


def _intake_of(batch: EventBatch, fresh: Set[int]) -> Intake:
    """Say what became of one batch; of an event that stands in two, the first brought it."""
    accepted = sum(id(event) in fresh for event in batch.events)
    return Intake(accepted, len(batch.events) - accepted, batch.rejections)


def _let_tasks_die(session: Session, rules: RuleSet, visits: Sequence[VisitRecord], now: datetime) -> None:
    """Cancel the call tasks whose reason these visits have ended, even while the telephone rings."""
    by_id = {visit.id: visit for visit in visits}
    for task in task_queries.tasks_of_visits(session, list(by_id)):
        if task.agent_id:
            outbox.ring(session, outbox.agent_channel(task.agent_id))
        own = by_id.get(task.visit_id)
        reason = moves.why_dead(session, rules, task, own.state if own else _visit_of(session, task))
        if reason is None:
            merging.drop_dead_lead(session, rules, task)
        elif task.state in (TaskState.PENDING, TaskState.RESERVED):
            moves.cancel_task(session, task, reason, now)
        elif (attempt := calls.live_attempt_of_task(session, task.id)) and not merging.has_other_reason(
            session, rules, task
        ):
            moves.cancel_ringing(session, attempt, now)


# -- dates come ---------------------------------------------------------------------------------------------


def dates_due(session: Session, house: House, now: datetime) -> list[Chapter]:
    """Return the chapters of the calendar that are to be gone through by now and have not been yet.

    Customers who have said no time zone live in that of the number the house shows, if it has only one.
    """
    rules = trigger_queries.current_rules(session, journey_queries.journeys_loaded(session))
    zones = possible_zones(None, house.caller_id)
    chapters = dates.chapters_due(session, rules, zones[0].key if len(zones) == 1 else "UTC", now)
    done = calendar.chapters_done(session, [one.name for one in chapters]) if chapters else set()
    return [one for one in chapters if one.name not in done]


def announce_dates(
    session: Session, chapter: Chapter, now: datetime, after: UUID | None = None, limit: int = 500
) -> UUID | None:
    """Report the dates of one page of customers as events; return after whom to go on, None when all is done.

    May begin anew at any time: an event that was taken before is not taken again.
    """
    rules = trigger_queries.current_rules(session, journey_queries.journeys_loaded(session))
    version = rules.current(chapter.rule_key)
    source = calendar.calendar_source(session, now)
    is_live = source.is_enabled and rules.is_live(chapter.rule_key)
    if version is None or version.spec.date is None or not is_live:
        return None
    found, go_on_after = dates.read_page(session, version, chapter, after, limit)
    events = tuple(dates.announcement(version, one, now) for one in found)
    take_events(session, source, EventBatch(events, ()), now)
    if go_on_after is None:
        calendar.note_chapter_done(session, chapter.name, now)
    return go_on_after


# -- rules notice -----------------------------------------------------------------------------------------


def fire_due_visits(session: Session, now: datetime, limit: int = 200) -> int:
    """Look at the visits whose clock has run out and store what fires; return how many visits were due."""
    rules = trigger_queries.current_rules(session, journey_queries.journeys_loaded(session))
    due = visits_due(session, now, limit)
    moves.look_at(session, rules, due, now)
    return len(due)


def decide_firings(session: Session, house: House, now: datetime, limit: int = 50) -> int:
    """Decide open firings: a call task, held out, or suppressed with a reason. Return how many there were."""
    definitions = journey_queries.journeys_loaded(session)
    rules = trigger_queries.current_rules(session, definitions)
    firings = trigger_queries.firings_undecided(session, limit)
    for firing in sorted(firings, key=lambda one: _turn(rules, one)):
        firing.tries += 1
        session.flush()
        try:
            with session.begin_nested():
                _decide(session, house, rules, definitions[firing.journey].order, firing, now)
        except (ScriptLibraryError, IntegrityError, KeyError) as error:
            # One firing that cannot be decided must not hold up the others; it stays visible as undecided.
            session.refresh(firing)
            firing.facts = {**firing.facts, "trouble": type(error).__name__}
    if firings:
        outbox.ring(session, outbox.FLOOR, outbox.STUDIO)
    return len(firings)


def _turn(rules: RuleSet, firing: TriggerFiring) -> Any:
    """Sort key: customers in the order in which they are locked, and of one the highest priority first."""
    return firing.customer_id, -firing_history.priority_of(rules, firing), firing.fired_at, firing.rule_key


def _decide(
    session: Session, house: House, rules: RuleSet, order: Any, firing: TriggerFiring, now: datetime
) -> None:
    customer = moves.lock_customer(session, firing.customer_id)
    visit = journey_queries.visit_of(session, firing.visit_id)
    spec = rules.spec_of(firing.rule_id, firing.rule_key)
    suppress = FiringFate.SUPPRESSED
    if spec is None or not rules.is_live(firing.rule_key):
        return triggers.decide(firing, suppress, now, reason=SuppressReason.PAUSED)
    if not still_stands(spec, firing.anchor_at, state_of(visit)):
        return triggers.decide(firing, suppress, now, reason=SuppressReason.RECOVERED)
    if firing_history.is_outranked(session, rules, firing, now):
        return triggers.decide(firing, suppress, now, reason=SuppressReason.SHADOWED)
    if firing_history.is_cooling(session, spec.cool_down, firing):
        return triggers.decide(firing, suppress, now, reason=SuppressReason.COOL_DOWN)
    verdict = moves.screen_opening(
        session, house, customer, spec.purpose, firing.journey, now, firing_id=firing.id
    )
    if not verdict.may_call and verdict.next_allowed_at is None:
        return triggers.decide(firing, suppress, now, reason=SuppressReason.BARRED)
    if firing.merged_into is not None and firing.fired_at + spec.max_age <= now:
        return triggers.decide(firing, suppress, now, reason=SuppressReason.MERGED)
    _watch(session, firing, spec, order)
    if open_task := merging.task_to_fold_into(session, firing):
        not_before_at = verdict.next_allowed_at or now
        return merging.fold(session, house, rules, open_task, firing, customer, not_before_at, now)
    of_all = spec.share_of_all(house.global_holdout)
    draw = learning.draw_arm(firing.rule_key, customer.id, spec.holdout, firing.fired_at, of_all)
    fate = FiringFate.HELD_OUT if draw.held_out else FiringFate.TASK
    triggers.decide(firing, fate, now, holdout_share=draw.share, holdout_unit=draw.unit)
    if draw.held_out:
        ghosts.open_ghost(session, firing, spec.promise, verdict.next_allowed_at or now)
    else:
        open_call_task(session, house, spec, firing, customer, verdict, now)
    return None


def _watch(session: Session, firing: TriggerFiring, spec: RuleSpec, order: Mapping[str, int]) -> None:
    """Watch what the customer does after a firing; one that was folded in before is watched already."""
    if firing.merged_into is not None:
        return
    goal = order[spec.goal] if spec.goal else order[spec.step] + 1
    key, since = firing.journey_key, firing.fired_at
    outcomes.watch(session, firing.id, firing.customer_id, firing.journey, key, goal, spec.window, since)


def open_call_task(
    session: Session,
    house: House,
    spec: RuleSpec,
    firing: TriggerFiring,
    customer: Customer,
    verdict: Verdict,
    now: datetime,
) -> CallTask:
    """Open the call task of a firing, with the script that fits best, and have it offered."""
    standing = ranking.standing_of(session, firing.id, firing.rule_key)
    opening = calltasks.Opening(
        firing_id=firing.id,
        rule_key=firing.rule_key,
        customer_id=customer.id,
        visit_id=firing.visit_id,
        journey=firing.journey,
        journey_key=firing.journey_key,
        step=firing.step,
        purpose=spec.purpose,
        priority=spec.priority,
        promise=spec.promise,
        max_age=spec.max_age,
        need=Need(customer.language, spec.skill, spec.level, spec.team),
        not_before_at=verdict.next_allowed_at or now,
        why_no_call=list(verdict.reasons),
        script=merging.script_for(session, house, spec, firing, customer).columns(),
        facts=firing.facts,
        moment_at=firing.anchor_at,
        worth=standing.worth if standing else None,
        worth_points=standing.points if standing else None,
        worth_fades_minutes=standing.fades_minutes if standing else None,
        worth_reach=standing.reach if standing else None,
    )
    task = calltasks.open_task(session, opening, now)
    outbox.hand_over(session, OutboxKind.OFFER_CALL_TASK, task.id, now, due_at=task.not_before_at)
    return task


# -- a call task goes to an agent -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reserved:
    """A call task is offered to this agent."""

    agent_id: UUID


@dataclass(frozen=True, slots=True)
class NotOffered:
    """A call task is not offered now, and why."""

    why: str


def offer_call_task(
    session: Session,
    house: House,
    call_task_id: UUID,
    now: datetime,
    only_agent: UUID | None = None,
    *,
    with_agent: bool = False,
    in_room: bool = False,
) -> Reserved | NotOffered:
    """Offer a pending call task to the free agent who fits best, if its reason and the gate still allow it.

    In progressive dialing the offer is the dial: its agent waits in their room while it rings. `with_agent` says
    that a call ahead of agents or a call of the agents' choosing shall have one now; `in_room` wants the agent's
    line up already.
    """
    known = session.get(CallTask, call_task_id)
    if known is None:
        return NotOffered("gone")
    # Where several tasks are looked at for one agent, waiting for a customer another process holds could deadlock.
    # The one task of an agent's own choice is waited for: who presses must not be refused for a passing job.
    looks_at_several = only_agent is not None and not with_agent
    lock = moves.lock_free_customer if looks_at_several else moves.lock_customer
    customer = lock(session, known.customer_id)
    if customer is None:
        return NotOffered("customer busy")
    visit = journey_queries.visit_of(session, known.visit_id)
    task = task_queries.lock_task(session, call_task_id)
    if task is None or task.state != TaskState.PENDING:
        return NotOffered("not pending")
    if task.not_before_at > now:
        outbox.hand_over(session, OutboxKind.OFFER_CALL_TASK, task.id, now, due_at=task.not_before_at)
        return NotOffered("too early")
    rules = trigger_queries.current_rules(session, journey_queries.journeys_loaded(session))
    if reason := moves.why_dead(session, rules, task, state_of(visit)):
        moves.cancel_task(session, task, reason, now)
        return NotOffered(reason)
    merging.settle_lead(session, house, rules, task, customer)
    if (rule := rules.current(task.rule_key)) and rule.state == RuleState.PAUSED:
        moves.wait_for_rule(session, task, now)
        return NotOffered("rule paused")
    owner = task_queries.owner_now(task, now)
    mode = dialing.mode_of(session, task.journey)
    if task_queries.is_kept_back(task):
        return NotOffered("in transfer")
    is_anybodys = owner is None and task.held_for is None
    if mode in dialing.OVERDIALED and is_anybodys and not with_agent:
        return NotOffered("dialed ahead")
    if mode is DialingMode.MANUAL and is_anybodys and not with_agent:
        calltasks.note_why(task, ["agents_choose"])
        return NotOffered("agents choose")
    calltasks.note_language(task, customer.language)
    is_chosen = only_agent is not None and with_agent
    agent = routing.free_agent(
        session,
        task_queries.need_of(task, task.language),
        now,
        suiting.given_up(task, is_own=owner is not None, is_chosen=is_chosen),
        only=owner or only_agent,
        in_room=in_room,
    )
    if agent is None or (only_agent and agent.id != only_agent):
        calltasks.note_why(task, ["nobody_suits" if task.unstaffed_at else "no_agent"])
        return NotOffered("no_agent")
    verdict = moves.screen_task(session, house, task, customer, ScreeningPoint.CLAIM, now)
    if not verdict.may_call:
        moves.hold_back(session, task, verdict, now)
        return NotOffered(",".join(verdict.reasons))
    why = suiting.why_this(task, agent, now, is_own=owner is not None, is_chosen=is_chosen)
    calltasks.reserve(task, agent.id, now)
    routing.reserve(session, agent, task.id, task.offers, now, why)
    outbox.ring(session, outbox.agent_channel(agent.id), outbox.FLOOR)
    is_automatic = mode is DialingMode.PROGRESSIVE or (mode in dialing.OVERDIALED and with_agent)
    if is_automatic and owner is None and rooms.is_leg_up(session, agent.id):
        place_call(session, house, task.id, agent.id, now, mode=DialingMode.PROGRESSIVE)
    return Reserved(agent.id)


def offer_to_agent(session: Session, house: House, agent_id: UUID, now: datetime) -> Reserved | NotOffered:
    """Offer a free agent the call task that should be called first."""
    agent = session.get(Agent, agent_id)
    if agent is None or not may_be_offered(Presence(agent.presence), WorkState(agent.work_state)):
        return NotOffered("agent not free")
    not_of = dialing.campaigns_not_offered(session)
    for call_task_id in task_queries.tasks_callable(session, now, 20, [agent_id], not_of):
        offer = offer_call_task(session, house, call_task_id, now, only_agent=agent_id)
        if isinstance(offer, Reserved):
            return offer
    return NotOffered("nothing to call")


def agents_to_offer(session: Session, now: datetime) -> list[UUID]:
    """List free agents for whom a call task waits, each for one of them, the most urgent first."""
    free = {one.id: candidate_of(one) for one in agents_free(session, now)}
    if not free:
        return []
    not_of, found = dialing.campaigns_not_offered(session), []
    for call_task_id in task_queries.tasks_callable(session, now, len(free), list(free), not_of):
        task = session.get_one(CallTask, call_task_id)
        if owner := task_queries.owner_now(task, now):
            chosen = free.get(owner)
        else:
            need = task_queries.need_of(task, task.language)
            chosen = choose_agent(need, free.values(), task_queries.relaxed_of(task))
        if chosen is not None:
            found.append(chosen.agent_id)
            del free[chosen.agent_id]
    return found


def take_call_task(session: Session, house: House, call_task_id: UUID, agent_id: UUID, now: datetime) -> bool:
    """Let a free agent take a waiting call task of their own choice; False when it is not to be had.

    What was found out on the way (its reason died, the gate bars it) is kept. Raises Conflict when the agent is not
    free.
    """
    agent = session.get(Agent, agent_id)
    if agent is None or not may_be_offered(Presence(agent.presence), WorkState(agent.work_state)):
        raise Conflict("Become available first, and finish the call task before you.")
    offer = offer_call_task(session, house, call_task_id, now, only_agent=agent_id, with_agent=True)
    return isinstance(offer, Reserved)


def set_presence(
    session: Session, agent_id: UUID, presence: Presence, reason: NotReadyReason | None, now: datetime
) -> None:
    """Note what an agent wants; one who becomes available is offered the next call task."""
    agent = routing.lock_agent(session, agent_id)
    agent.seen_at = now
    routing.set_presence(agent, presence, reason, now)
    follow_presence(session, agent, now)


def follow_presence(session: Session, agent: Agent, now: datetime) -> None:
    """Do what follows from a locked agent's new presence: their line, the next offer, and who is told."""
    presence = Presence(agent.presence)
    if presence is Presence.AVAILABLE and legs.needs_connecting(session, agent.id):
        outbox.hand_over(session, OutboxKind.CONNECT_AGENT, agent.id, now)
    if presence is Presence.SIGNED_OFF and agent.work_state == WorkState.IDLE:
        outbox.hand_over(session, OutboxKind.RELEASE_AGENT, agent.id, now)
    if may_be_offered(presence, WorkState(agent.work_state)):
        outbox.hand_over(session, OutboxKind.OFFER_TO_AGENT, agent.id, now)
    outbox.ring(session, outbox.agent_channel(agent.id), outbox.FLOOR)


def skip_call_task(session: Session, call_task_id: UUID, agent_id: UUID, reason: str, now: datetime) -> None:
    """Give a reserved call task back with a reason; it is offered to somebody else."""
    task = moves.task_of_agent(session, call_task_id, agent_id, TaskState.RESERVED)
    moves.end_offer(session, task, ReservationEnd.SKIPPED, now, skip_reason=reason)


def expire_offer(session: Session, call_task_id: UUID, now: datetime) -> bool:
    """End an offer whose lease has run out; its agent is set not ready, so that offers do not circle."""
    known = session.get(CallTask, call_task_id)
    if known is None:
        return False
    moves.lock_customer(session, known.customer_id)
    task = task_queries.lock_task(session, call_task_id)
    reservation = routing.reservation_of_task(session, call_task_id)
    if task is None or reservation is None or reservation.expires_at > now:
        return False
    agent = routing.lock_agent(session, reservation.agent_id)
    if agent.presence == Presence.AVAILABLE:
        routing.set_presence(agent, Presence.NOT_READY, NotReadyReason.MISSED_OFFER, now)
    moves.end_offer(session, task, ReservationEnd.EXPIRED, now)
    return True


def note_away(session: Session, agent_id: UUID, now: datetime) -> str | None:
    """Take an agent whose console is closed out of the line; an overdue wrap-up is closed without tags.

    Returns what was ended, None when they have come back meanwhile. Their telephone may stay up: a call under way
    is not touched.
    """
    known = session.get(Agent, agent_id)
    if known is None or not is_silent(known.seen_at, now):
        return None
    freed = "presence"
    if known.work_state == WorkState.WRAPPING:
        freed = free_stuck(session, agent_id, now)
    agent = routing.lock_agent(session, agent_id)
    if agent.presence == Presence.AVAILABLE and agent.work_state == WorkState.IDLE:
        routing.set_presence(agent, Presence.NOT_READY, NotReadyReason.AWAY, now)
        outbox.hand_over(session, OutboxKind.RELEASE_AGENT, agent_id, now)
        outbox.ring(session, outbox.agent_channel(agent_id), outbox.FLOOR)
    return freed


def expire_task(session: Session, task: CallTask, now: datetime) -> None:
    """End a claimed pending task that nobody called in time."""
    moves.cancel_task(session, task, CancelReason.EXPIRED, now)


def free_stuck(session: Session, agent_id: UUID, now: datetime) -> str:
    """Free an agent whom a supervisor sees stuck: end the offer, or close the wrap-up without tags.

    Returns what was freed. Raises Conflict while the agent is on a call: the carrier must end that first.
    """
    known = session.get(Agent, agent_id)
    if known is None:
        raise NotFound("There is no such agent.")
    task = session.get(CallTask, known.call_task_id) if known.call_task_id else None
    if task is None or known.work_state == WorkState.IDLE:
        moves.make_idle(session, agent_id, now)
        return "idle"
    moves.lock_customer(session, task.customer_id)
    locked = task_queries.lock_task(session, task.id)
    assert locked is not None
    if locked.state == TaskState.RESERVED:
        agent = routing.lock_agent(session, agent_id)
        routing.set_presence(agent, Presence.NOT_READY, NotReadyReason.MISSED_OFFER, now)
        moves.end_offer(session, locked, ReservationEnd.FREED, now)
        return "reservation"
    if locked.state == TaskState.WRAPPING:
        merging.finish_task(session, _rules(session), locked, now)
        moves.make_idle(session, agent_id, now)
        return "wrap-up"
    if locked.state in (TaskState.COMPLETED, TaskState.CANCELED, TaskState.PENDING):
        moves.make_idle(session, agent_id, now)
        return "idle"
    raise Conflict("This agent is on a call. End the call first, or wait until the carrier reports its end.")


# -- the call ---------------------------------------------------------------------------------------------


def _rules(session: Session) -> RuleSet:
    return trigger_queries.current_rules(session, journey_queries.journeys_loaded(session))


def _visit_of(session: Session, task: CallTask) -> VisitState:
    return state_of(journey_queries.visit_of(session, task.visit_id))


@dataclass(frozen=True, slots=True)
class Dialing:
    """The attempt is committed; a job asks the carrier."""

    attempt_id: UUID


@dataclass(frozen=True, slots=True)
class NotDialed:
    """The call was not placed: its reason died, or the gate barred it, and from when it may be called."""

    cancel_reason: CancelReason | None = None
    verdict: Verdict | None = None


def place_call(
    session: Session,
    house: House,
    call_task_id: UUID,
    agent_id: UUID,
    now: datetime,
    mode: DialingMode = DialingMode.PREVIEW,
) -> Dialing | NotDialed:
    """Commit to one dial for a reserved call task, after asking once more whether it may and need be made."""
    task = moves.task_of_agent(session, call_task_id, agent_id, TaskState.RESERVED)
    customer = moves.lock_customer(session, task.customer_id)
    rules = trigger_queries.current_rules(session, journey_queries.journeys_loaded(session))
    if reason := moves.why_dead(session, rules, task, _visit_of(session, task)):
        moves.cancel_task(session, task, reason, now)
        return NotDialed(cancel_reason=reason)
    merging.drop_dead_lead(session, rules, task)
    verdict = moves.screen_task(session, house, task, customer, ScreeningPoint.DIAL, now)
    if not verdict.may_call or customer.number is None:
        moves.hold_back(session, task, verdict, now)
        return NotDialed(verdict=verdict)
    calltasks.assign(task, now)
    attempt = calls.claim(session, task, agent_id, customer.number, house.caller_id, mode, now)
    agent = routing.lock_agent(session, agent_id)
    if reservation := routing.open_reservation(session, agent_id):
        routing.end_reservation(reservation, ReservationEnd.DIALED, now)
    routing.set_work_state(agent, WorkState.DIALING, now, task.id)
    outcomes.close_callbacks(session, task.id, now)
    outbox.hand_over(session, OutboxKind.PLACE_ATTEMPT, attempt.id, now)
    outbox.ring(session, outbox.agent_channel(agent_id), outbox.FLOOR)
    return Dialing(attempt.id)


def begin_placing(session: Session, attempt_id: UUID, now: datetime) -> str | None:
    """Take the one permission to ask the carrier; returns the number to dial, None when somebody took it."""
    attempt = calls.lock_attempt(session, attempt_id)
    if attempt is None or not calls.begin_placing(attempt, now):
        return None
    return attempt.to_number


def note_placement(session: Session, attempt_id: UUID, placement: Placement, now: datetime) -> None:
    """Write down what the carrier answered to the one request."""
    is_placed = isinstance(placement, Placed)
    # That the carrier took the call moves neither its task nor its agent, so they need no lock then.
    attempt = calls.lock_attempt(session, attempt_id) if is_placed else moves.lock_call(session, attempt_id)
    if attempt is None:
        raise NotFound("There is no such attempt.")
    if again_at := calls.note_placement(session, attempt, placement, now):
        outbox.hand_over(session, OutboxKind.PLACE_ATTEMPT, attempt.id, now, due_at=again_at)
    if isinstance(placement, Placed) and attempt.carrier_ref != placement.ref:
        outbox.hand_over(session, OutboxKind.HANG_UP_STRAYS, attempt.id, now)
    if attempt.cancel_asked_at and attempt.state != AttemptState.ENDED and attempt.carrier_ref:
        outbox.hand_over(session, OutboxKind.HANG_UP_ATTEMPT, attempt.id, now)
    return moves.ring_for(session, attempt) if is_placed else moves.follow_attempt(session, attempt, now)


def note_call_progress(session: Session, attempt_id: UUID, event: CarrierEvent, now: datetime) -> bool:
    """Take in a carrier's callback, once; False when it was here before."""
    if not calls.keep_in_inbox(session, attempt_id, event, now):
        return False
    attempt = moves.lock_call(session, attempt_id)
    if event.answered_by is not None:
        calls.note_machine(attempt, event.answered_by)
    news = News(event.ref, event.state, event.result, event.talk_seconds)
    if calls.note_news(session, attempt, news, now):
        moves.follow_attempt(session, attempt, now)
    elif attempt.carrier_ref != event.ref:
        outbox.hand_over(session, OutboxKind.HANG_UP_STRAYS, attempt.id, now)
    return True


def compare_carrier_day(
    session: Session,
    day: date,
    listed: Sequence[CallSnapshot],
    unknown: Sequence[tuple[str, UUID | None]],
    now: datetime,
) -> CarrierDay:
    """Write down how a day of the carrier's list compares with our attempts; a call nobody asked for freezes."""
    row = days.compare_day(session, day, listed, unknown, now)
    for _, attempt_id in unknown:
        if attempt_id is not None:
            freeze_after_incident(session, attempt_id, now)
    return row


def freeze_after_incident(session: Session, attempt_id: UUID, now: datetime) -> None:
    """Let nobody call the customer of this attempt until a person has looked into what happened."""
    attempt = session.get(ContactAttempt, attempt_id)
    if attempt is not None:
        moves.lock_customer(session, attempt.customer_id)
        intake.freeze(session, attempt.customer_id, now)
        outbox.ring(session, outbox.FLOOR)


def resolve_incident(session: Session, incident_id: int, user_id: UUID | None, now: datetime) -> None:
    """Close an incident a person has looked into; the customer's last one lets them be called again."""
    customer_id = calls.resolve_incident(session, incident_id, now)
    if customer_id and not calls.open_incidents(session, customer_id):
        intake.unfreeze(session, customer_id, now)
    accounts.record(session, user_id, "incident.resolved", str(incident_id), now)


def note_look(
    session: Session, attempt_id: UUID, news: News | None, now: datetime, lost: LostCalls = AS_A_RULE
) -> None:
    """Take in what the reconciler saw at the carrier; None when the call was not in its list."""
    attempt = moves.lock_call(session, attempt_id)
    if attempt.state == AttemptState.ENDED:
        return None
    if attempt.state == AttemptState.CLAIMED:
        calls.give_up(attempt, now)
        return moves.follow_attempt(session, attempt, now)
    ended = (
        calls.note_absence(attempt, now, lost)
        if news is None
        else calls.note_news(session, attempt, news, now)
    )
    if ended:
        moves.follow_attempt(session, attempt, now)
    return None


def answer_call(session: Session, house: House, attempt_id: UUID, ref: str, now: datetime) -> Answer:
    """Decide what the customer who has just picked up hears: the last gate before two people talk.

    A call placed ahead of its agent gets one here, in the same transaction, or the message that nobody is free.
    Asked again for a call in progress, it names the room the call belongs in by now: so a call is moved.
    """
    if session.get(ContactAttempt, attempt_id) is None:
        return HangUp()
    attempt = moves.lock_call(session, attempt_id)
    if (
        attempt.state == AttemptState.ENDED
        or attempt.cancel_asked_at
        or attempt.carrier_ref not in (None, ref)
    ):
        if not calls.bind(session, attempt, ref, now):
            outbox.hand_over(session, OutboxKind.HANG_UP_STRAYS, attempt.id, now)
        return HangUp()
    if attempt.agent_id is None and not _find_agent(session, attempt, now):
        calls.note_news(session, attempt, News(ref, AttemptState.ANSWERED), now)
        language = session.get_one(Customer, attempt.customer_id).language
        return SayAndHangUp(no_agent_message(house.bank_name, house.caller_id, language), language)
    assert attempt.agent_id is not None
    calls.note_news(session, attempt, News(ref, AttemptState.BRIDGED), now)
    attempt.room_agent_id = attempt.agent_id
    if not rooms.is_leg_up(session, attempt.agent_id):
        # Nobody is there yet, as far as we know: a clock runs for the customer, and a job asks the carrier.
        attempt.agent_lost_at = attempt.agent_lost_at or now
        outbox.hand_over_once(session, OutboxKind.SETTLE_CALL, attempt.id, now)
    moves.follow_attempt(session, attempt, now)
    return JoinRoom(moves.room_of(attempt.agent_id), attempt.agent_id)


def _find_agent(session: Session, attempt: ContactAttempt, now: datetime) -> bool:
    """Give a customer who has picked up the best free agent whose line is up, suitable or not; False if none is."""
    task = session.get_one(CallTask, attempt.call_task_id)
    language = session.get_one(Customer, attempt.customer_id).language
    need = task_queries.need_of(task, language)
    agent = routing.free_agent(session, need, now, EVERYTHING, in_room=True)
    if agent is None:
        return False
    attempt.agent_id = task.agent_id = agent.id
    routing.set_work_state(agent, WorkState.TALKING, now, task.id)
    return True


def end_call(session: Session, attempt_id: UUID, agent_id: UUID, now: datetime) -> None:
    """End or cancel a call for its agent; ended already is fine."""
    attempt = moves.lock_call(session, attempt_id)
    if attempt.agent_id != agent_id:
        raise Forbidden("This call is another agent's.")
    moves.end_attempt(session, attempt, now)


# -- after the call ---------------------------------------------------------------------------------------


def note_script_step(
    session: Session, call_task_id: UUID, agent_id: UUID, now: datetime, **step: str | None
) -> None:
    """Keep one step of the path an agent takes through the script of their own call task."""
    task = session.get(CallTask, call_task_id)
    if task is None or task.agent_id != agent_id:
        raise Forbidden("This call task is with another agent by now.")
    scripting.note_step(
        session,
        call_task_id,
        agent_id,
        now,
        node=step.get("node"),
        branch=step.get("branch"),
        objection=step.get("objection"),
    )


@dataclass(frozen=True, slots=True)
class Closed:
    """What became of the call task after its wrap-up."""

    next_step: NextStep
    again_at: datetime | None = None


def close_call(
    session: Session,
    house: House,
    call_task_id: UUID,
    wrap_up: WrapUp,
    agent_id: UUID,
    now: datetime,
    *,
    passed_on: bool = False,
) -> Closed:
    """Save what an agent says of the last attempt, act on it, and free the agent for the next task.

    `passed_on`: a colleague goes on with the customer, so the task waits for them instead of ending.
    """
    task = moves.task_of_agent(session, call_task_id, agent_id, TaskState.WRAPPING)
    customer = moves.lock_customer(session, task.customer_id)
    agent = routing.lock_agent(session, agent_id)
    attempt = calls.last_attempt_of_task(session, task.id)
    assert attempt is not None
    flags = outcomes.flags_of(session, wrap_up.disposition)
    wrap_up = _checked_callback(session, house, customer, task, wrap_up, now) if flags.callback else wrap_up
    if not flags.reached and offers.grants_of_attempt(session, attempt.id):
        raise BadInput(
            "An offer was granted on this call. Take it back, or choose a result that says who was reached.",
            {"disposition": ["an offer was granted"]},
        )
    if not flags.reached:
        wrap_up = replace(wrap_up, causes=())  # nobody was asked why; the prefilled cause is no answer
    seconds = int((now - agent.work_state_at).total_seconds())
    outcomes.keep_disposition(session, attempt, wrap_up, agent_id, seconds, now)
    if wrap_up.suggestion:
        outcomes.keep_suggestion(session, attempt, task.journey, task.step, wrap_up.suggestion, now)
    if flags.refused and not flags.do_not_call:
        compliance.note_refusal(
            session, house.gate, customer, Purpose(task.purpose), task.journey, "agent", now
        )
    step = next_step(flags, wrap_up.callback_at)
    promised_at = again_at = None
    if step is NextStep.NEVER_AGAIN:
        compliance.bar_for_good(session, house.gate, customer, "agent", f"attempt {attempt.id}", now)
    elif step is NextStep.CALL_BACK:
        outcomes.promise_callback(session, attempt, wrap_up, now)
        promised_at = wrap_up.callback_at
    elif passed_on:
        promised_at = now
    elif step is NextStep.TRY_AGAIN:
        again_at = moves.try_again(session, house, task, attempt, now)
    if promised_at is not None:
        calltasks.call_back(task, promised_at, now, agent_id if wrap_up.callback_is_personal else None)
        outbox.hand_over(session, OutboxKind.OFFER_CALL_TASK, task.id, now, due_at=promised_at)
        merging.read_callback_script(session, house, task, customer)
        again_at = promised_at
    elif again_at is None:
        merging.finish_task(session, _rules(session), task, now)
    moves.make_idle(session, agent_id, now)
    outbox.ring(session, outbox.STUDIO)
    return Closed(step, again_at)


def _checked_callback(
    session: Session, house: House, customer: Customer, task: CallTask, wrap_up: WrapUp, now: datetime
) -> WrapUp:
    """Make sure a promise can be kept: the gate must allow the call at the promised time."""
    at = wrap_up.callback_at
    if at is None or at <= now:
        raise BadInput("Choose when to call back.", {"callback_at": ["choose a time in the future"]})
    verdict = moves.screen_task(session, house, task, customer, ScreeningPoint.CALLBACK, now, for_at=at)
    if verdict.may_call:
        return wrap_up
    if verdict.next_allowed_at and verdict.lifts_by_itself:
        raise BadInput(
            "This customer may not be called at that time. Choose one of the times offered.",
            {"callback_at": [verdict.next_allowed_at.isoformat()]},
        )
    return replace(wrap_up, callback_at=None)


def take_more_time(session: Session, agent_id: UUID, now: datetime) -> None:
    """Extend an agent's wrap-up."""
    routing.ask_more_time(routing.lock_agent(session, agent_id), now)
    outbox.ring(session, outbox.agent_channel(agent_id), outbox.FLOOR)


# -- people's acts on the house ---------------------------------------------------------------------------


def free_agent(session: Session, agent_id: UUID, user_id: UUID, now: datetime) -> str:
    """Free a stuck agent for a supervisor, and write down who did it."""
    freed = free_stuck(session, agent_id, now)
    accounts.record(session, user_id, "agent.freed", str(agent_id), now, freed=freed)
    return freed


def see_console(session: Session, agent_id: UUID, now: datetime) -> None:
    """Note that an agent's console is open; an offer that has just arrived becomes a preview."""
    routing.note_seen(session, agent_id, now)


def see_consoles(session: Session, agent_ids: Sequence[UUID], now: datetime) -> list[UUID]:
    """Note that these agents' consoles are open, in one statement that waits for nobody.

    Returns those who hold an offer not seen yet: `see_console` makes it a preview, each in a unit of work of its
    own, since who waits for one agent must not hold others.
    """
    return routing.note_all_seen(session, agent_ids, now)


def sign_off(session: Session, agent_id: UUID, now: datetime) -> None:
    """Note that an agent has signed out; a wrap-up under way stays theirs."""
    if session.get(Agent, agent_id) is not None:
        set_presence(session, agent_id, Presence.SIGNED_OFF, None, now)


def set_preferences(session: Session, user_id: UUID, *, theme: str | None, language: str | None) -> None:
    """Change how the screens look to a user."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("There is no such user.")
    accounts.set_preferences(user, theme=theme, language=language)


def record_sign_in(session: Session, user_id: UUID, now: datetime) -> None:
    """Write down that a person signed in."""
    accounts.record(session, user_id, "user.signed_in", str(user_id), now)
