"""The call task before an agent, as the console shows it: why, who, what to say, the wrap-up form."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext

from callcenter.calls.policy import AGENT_BACK_WITHIN
from callcenter.compliance.numbers import possible_zones
from callcenter.compliance.policies import look
from callcenter.compliance.queries import ProposedCall
from callcenter.compliance.rules import times_to_offer
from callcenter.config import crm_url
from callcenter.domain.contact import Verdict
from callcenter.domain.enums import (
    LEG_UP,
    AttemptState,
    BarReason,
    Cause,
    DialingMode,
    Purpose,
    TaskState,
    VisitEnd,
    WorkState,
)
from callcenter.domain.journey import EventRole, JourneyDefinition
from callcenter.models import Agent, AgentLeg, DispositionKind, User
from callcenter.pipeline import NotDialed
from callcenter.reporting import agents as report
from callcenter.reporting.calls import Case
from callcenter.routing.policy import MAX_EXTENSIONS, PREVIEW, WRAP_UP
from callcenter.runtime import Runtime
from callcenter.triggers.policy import read_rule
from callcenter.web import words
from callcenter.web.agent_tags_view import agent_tags_of
from callcenter.web.also_view import also_why
from callcenter.web.bars import LIFTED_BY_PEOPLE
from callcenter.web.edge import chosen, language
from callcenter.web.formats import label, time_with_seconds
from callcenter.web.helps_view import helps_for
from callcenter.web.pages import console as page
from callcenter.web.script_view import script_of

_LIVE_NOTE = timedelta(seconds=20)


def current_call(
    runtime: Runtime,
    session: Any,
    case: Case,
    journey: JourneyDefinition,
    agent: Agent,
    user: User,
    kinds: Sequence[DispositionKind],
    now: datetime,
    not_dialed: NotDialed | None = None,
) -> page.CurrentCall:
    """Return what the console shows of a call task; `not_dialed` is the answer to a dial that was not made."""
    phase = _phase(case, agent)
    attempt = case.attempt if phase in ("dialing", "talking", "wrapping") else None
    deadline, allowed = _deadline(case, agent, phase)
    verdict = not_dialed.verdict if not_dialed else _held_back(case, phase)
    return page.CurrentCall(
        call_task_id=str(case.task.id),
        phase=phase,
        customer=_customer(session, case, journey, runtime.settings.crm_url_template),
        why=replace(
            _why(case, journey, also_why(runtime, session, case, now), now),
            helps=helps_for(session, runtime.house.catalog, case.task, journey),
        ),
        script=script_of(runtime, session, case, journey, user, now),
        wrap_up=_wrap_up(session, runtime, case, journey, kinds, phase, now),
        attempt_id=str(attempt.id) if attempt else None,
        phase_since=agent.work_state_at,
        deadline_at=deadline,
        allowed_seconds=allowed,
        barred=_barred(case, verdict) if verdict and verdict.reasons else None,
        result=_result(attempt),
        failure=_failure(attempt),
        cancel_reason=case.task.cancel_reason,
        shown_as=runtime.settings.caller_id,
        may_ask_more_time=agent.wrap_up_extensions < MAX_EXTENSIONS,
        own_number=None if agent.address.startswith("client:") else words.mask_number(agent.address),
        **(_line(runtime, session, attempt, agent) if phase in ("dialing", "talking") else {}),
        mode=attempt.mode if attempt else DialingMode.PREVIEW,
    )


def _held_back(case: Case, phase: str) -> Verdict | None:
    """What the gate said of a call task it has taken from the agent, for as long as that is told."""
    task = case.task
    if phase != "gone" or task.state != TaskState.PENDING:
        return None
    reasons = tuple(BarReason(one) for one in task.why_no_call if one in set(BarReason))
    return Verdict(reasons, "", task.not_before_at) if reasons else None


def _barred(case: Case, verdict: Verdict) -> page.Barred:
    """Why and until when; a bar that people lift has no time at which it is gone."""
    customer = case.customer
    zones = possible_zones(customer.time_zone, customer.number)
    next_at = None if LIFTED_BY_PEOPLE.intersection(verdict.reasons) else verdict.next_allowed_at
    stated = words.zone_of(customer)
    zone = stated or (zones[0] if zones else None)
    city = zone.key.rpartition("/")[2].replace("_", " ") if zone else ""
    place = words.place_of(customer) if stated else city
    return page.Barred(verdict.reasons, next_at, zone, place)


def _line(runtime: Runtime, session: Any, attempt: Any, agent: Agent) -> dict[str, Any]:
    """Say how the line is from the dial on: what we asked of the carrier, and what it said."""
    leg = session.get(AgentLeg, agent.id)
    is_up = leg is not None and leg.state in LEG_UP
    if attempt is None or attempt.state != AttemptState.BRIDGED:
        return {"agent_leg": "connected" if is_up else "connecting"}
    is_lost = attempt.agent_lost_at is not None
    others = report.colleagues_of(session, agent.id)
    may_hand_over = any(one.is_free for one in others)
    return {
        "is_held": attempt.hold_wanted or attempt.is_held,
        "is_muted": leg is not None and leg.mute_wanted,
        "may_hold": not is_lost,
        "why_no_hold": gettext("Your line is not connected.") if is_lost else None,
        "may_transfer": may_hand_over and not is_lost,
        "why_no_transfer": None if may_hand_over else gettext("No colleague is free."),
        "colleagues": tuple(page.Colleague(str(one.id), one.name, one.team, one.is_free) for one in others),
        "answered_by": attempt.answered_by,
        "is_recorded": runtime.settings.record_calls,
        "is_recording_paused": attempt.pause_wanted,
        "agent_leg": "lost" if is_lost else "connected" if is_up else "connecting",
        "agent_back_by": attempt.agent_lost_at + AGENT_BACK_WITHIN if is_lost else None,
    }


def _phase(case: Case, agent: Agent) -> str:
    if agent.call_task_id != case.task.id or agent.work_state == WorkState.IDLE:
        return "gone"
    if case.task.state in (TaskState.CANCELED, TaskState.PENDING):
        return "gone"
    return str(agent.work_state)


def _deadline(case: Case, agent: Agent, phase: str) -> tuple[datetime | None, int | None]:
    if phase in ("reserved", "previewing") and case.reservation:
        return case.reservation.expires_at, int(PREVIEW.total_seconds())
    if phase == "wrapping" and agent.wrap_up_until:
        return agent.wrap_up_until, int((agent.wrap_up_until - agent.work_state_at).total_seconds())
    return None, None


def _result(attempt: Any) -> str | None:
    if attempt is None:
        return None
    return "unknown" if attempt.state == AttemptState.UNKNOWN else attempt.result


def _failure(attempt: Any) -> str | None:
    """The cause of a failed call in words an agent can use; the code is for the administrator."""
    if attempt is None or not attempt.result_detail:
        return None
    cause = attempt.result_detail.partition(":")[0]
    known = {
        "invalid_destination": gettext("the number does not exist"),
        "blocked_destination": gettext("the carrier does not call this destination"),
        "caller_id": gettext("caller ID refused"),
        "config": gettext("the carrier's settings are wrong; tell your supervisor"),
        "capacity": gettext("all lines are busy"),
        "carrier_busy": gettext("the carrier is busy"),
        "not_found_at_carrier": gettext("the carrier never got the call"),
        "before_dial": gettext("canceled before it was dialed"),
    }
    return known.get(cause)


def _customer(session: Any, case: Case, journey: JourneyDefinition, crm: str | None) -> page.Customer:
    customer, traits = case.customer, case.customer.traits
    currency = str(traits.get("currency") or "CNY")
    limit = words.amount_of(traits.get("credit_limit") or case.visit.facts.get("credit_limit"), currency)
    products = traits.get("products")
    consent = traits.get("consent")
    granted = "credit_granted" in case.reached
    return page.Customer(
        name=customer.name or gettext("Unknown name"),
        short_name=words.short_name(customer),
        title=words.salutation(customer, language()),
        masked_number=words.mask_number(customer.number),
        place=words.place_of(customer),
        time_zone=words.zone_of(customer),
        credit_limit=limit,
        credit_note=None if granted or limit is None else gettext("not yet granted"),
        products=tuple(str(one).replace("_", " ") for one in products) if isinstance(products, list) else (),
        consent=tuple(map(str, consent)) if isinstance(consent, list) else (gettext("Service care"),),
        tags=tuple(customer.tags),
        agent_tags=agent_tags_of(session, customer),
        earlier=tuple(page.EarlierAttempt(row.claimed_at, _earlier_words(row)) for row in case.earlier),
        timeline=timeline_of(case, journey),
        crm_url=crm_url(crm, customer.external_id) if crm and customer.external_id else None,
    )


def _earlier_words(row: Any) -> str:
    said = chosen(row.label) or label(row.result or "unknown")
    by = gettext("%(what)s, %(agent)s", what=said, agent=row.agent)
    return f"{by}: “{row.note}”" if row.note else by


def timeline_of(case: Case, journey: JourneyDefinition) -> tuple[page.TimelineEvent, ...]:
    """Return what happened around a call, newest first."""
    spoken = language()
    lines = [words.timeline_event(event, journey, spoken) for event in case.events[:40]]
    found = [line for line in lines if line is not None]
    for firing in case.firings:
        if firing.rule_key == case.rule.rule_key:
            title = chosen(case.rule.definition.get("title"), firing.rule_key)
            found.append(
                page.TimelineEvent(
                    f"f{firing.id}", firing.fired_at, "rule", gettext("Rule fired: %(rule)s", rule=title)
                )
            )
    attempt = case.attempt
    for moment, text in (
        (attempt.claimed_at if attempt else None, gettext("We called")),
        (attempt.answered_at if attempt else None, gettext("Answered")),
        (attempt.ended_at if attempt else None, gettext("Call ended")),
    ):
        if moment:
            found.append(page.TimelineEvent(f"c{moment.timestamp()}", moment, "call", text))
    return tuple(sorted(found, key=lambda line: line.at, reverse=True))


def _why(
    case: Case, journey: JourneyDefinition, also: tuple[page.AlsoWhy, ...], now: datetime
) -> page.WhyThisCall:
    spoken, facts, definition = language(), case.firing.facts, case.rule.definition
    title = chosen(definition.get("title"), case.rule.rule_key)
    ringing = case.attempt.ringing_at if case.attempt else None
    spec = read_rule(definition, journey)
    return page.WhyThisCall(
        headline=words.headline(
            journey, str(facts.get("asked_for") or title), facts, spec.preset, case.firing.step, spoken
        ),
        step=words.step_words(journey, case.firing.step, spoken),
        stopped_at=case.firing.anchor_at,
        rule=title,
        rule_version=case.rule.version,
        steps=_steps(case, journey, spoken),
        also=also,
        ring_delay_seconds=int((ringing - case.firing.due_at).total_seconds()) if ringing else None,
        still=gettext("Still on the page.") if not (case.visit.closed_at or ringing) else None,
        live=_live_note(case, journey, now),
    )


def _steps(case: Case, journey: JourneyDefinition, spoken: str) -> tuple[page.StepMark, ...]:
    stopped = journey.order[case.firing.step]
    is_past = case.visit.end in (VisitEnd.ADVANCED, VisitEnd.GOAL)
    marks = []
    for step in journey.steps:
        position = journey.order[step.id]
        note = None
        if position == stopped:
            state = "recovered" if is_past else "stopped"
            note = (
                None
                if is_past
                else gettext("stopped %(time)s", time=time_with_seconds(case.firing.anchor_at))
            )
        elif position < stopped or (is_past and step.id in case.reached):
            state = "passed"
        else:
            state = "next" if position == stopped + 1 else "ahead"
        marks.append(page.StepMark(words.step_words(journey, step.id, spoken), state, note))
    return tuple(marks)


def _live_note(case: Case, journey: JourneyDefinition, now: datetime) -> page.LiveNote | None:
    """What the customer has just done in the app, after the rule fired."""
    for event in case.events:
        if event.received_at <= case.firing.fired_at or now - event.received_at > _LIVE_NOTE * 3:
            return None
        line = words.timeline_event(event, journey, language())
        if line is None:
            continue
        tone = "bad" if line.is_error else "plain" if event.role == EventRole.EXIT else "good"
        text = gettext("%(what)s just now", what=line.text)
        return page.LiveNote(text, event.event_time, tone, event.received_at + _LIVE_NOTE)
    return None


def _wrap_up(
    session: Any,
    runtime: Runtime,
    case: Case,
    journey: JourneyDefinition,
    kinds: Sequence[DispositionKind],
    phase: str,
    now: datetime,
) -> page.WrapUp:
    facts = case.firing.facts
    error = facts.get("error")
    return page.WrapUp(
        dispositions=tuple(
            page.DispositionChoice(kind.code, chosen(kind.label, kind.code), kind.callback) for kind in kinds
        ),
        causes=tuple(
            page.CauseChoice(cause.value, text, is_prefilled=bool(error) and cause is Cause.TECHNICAL)
            for cause, text in _cause_words().items()
        ),
        may_save=phase == "wrapping",
        limit_seconds=int(WRAP_UP.total_seconds()),
        causes_from=words.event_words(journey, str(facts.get("error_reason") or error), language())
        if error
        else None,
        callback_times=_callback_times(session, runtime, case, now),
    )


def _cause_words() -> Mapping[Cause, str]:
    return {
        Cause.TECHNICAL: gettext("Technical"),
        Cause.USABILITY: gettext("Usability"),
        Cause.PRODUCT: gettext("Product"),
        Cause.PRICE: gettext("Price"),
        Cause.TRUST: gettext("Trust"),
        Cause.NEED: gettext("Need"),
    }


def _callback_times(session: Any, runtime: Runtime, case: Case, now: datetime) -> tuple[datetime, ...]:
    call = ProposedCall(case.customer, Purpose(case.task.purpose), case.task.journey)
    ((facts, policy),) = look(session, runtime.house.gate, [call], now)
    return times_to_offer(facts, policy, now) if policy is not None else ()
