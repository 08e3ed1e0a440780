"""Why did this rule fire for this customer, or why not? Reads all that the trace needs, from every stage."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_
from sqlmodel import Session, col, select

from callcenter.domain.draws import visit_identity
from callcenter.domain.enums import FiringFate, RuleState, ScreeningPoint, SuppressReason, TaskState
from callcenter.domain.journey import JourneyDefinition, Looked, moment
from callcenter.domain.trace import Decided, GateSaid, Rival, TaskIs, Trace, Way
from callcenter.errors import BadInput, NotFound
from callcenter.journeys.queries import journeys_loaded
from callcenter.journeys.records import state_of
from callcenter.models import (
    CallTask,
    ContactAttempt,
    Customer,
    Outcome,
    ScreeningDecision,
    TriggerFiring,
    TriggerRule,
    Visit,
)
from callcenter.triggers.history import about_customers
from callcenter.triggers.policy import read_rule
from callcenter.triggers.queries import RuleSet, current_rules, versions_of
from callcenter.triggers.why import FiringFacts, RuleNow, UnderVersion, VisitFacts, trace, way_of_fate

SHOWN_VISITS = 12
SHOWN_ANSWERS = 12
"""So many visits can be chosen from, the latest first; so many answers of the gate are told."""


@dataclass(frozen=True, slots=True)
class Story:
    """A trace, with what it is about. `visits` are the customer's on the step, the latest first."""

    rule: TriggerRule
    journey: JourneyDefinition
    visits: Sequence[Visit]
    chosen: Visit | None
    trace: Trace


def story_of(
    session: Session, rule_key: str, external_id: str, now: datetime, visit_id: UUID | None = None
) -> Story:
    """Tell why a rule fired for the customer with this id of the bank's, or why not; of one visit, the latest.

    Raises NotFound for a rule or a customer there is not, BadInput for a rule that fits its journey no more.
    """
    journeys = journeys_loaded(session)
    rules = current_rules(session, journeys)
    versions = versions_of(session, rule_key)
    if not versions:
        raise NotFound(f"There is no rule {rule_key!r}.")
    rule = _told_of(versions)
    if rule_key in rules.broken or rule.journey not in journeys:
        raise BadInput(f"Rule {rule_key!r} does not fit its journey any more, so it fires nothing.")
    customer = session.exec(select(Customer).where(Customer.external_id == external_id)).first()
    if customer is None:
        raise NotFound(
            f"No customer {external_id!r} is known. Give the bank's own id, as the app reports it."
        )
    visits = _visits(session, customer.id, rule)
    chosen = next((one for one in visits if one.id == visit_id), visits[0] if visits else None)
    journey = journeys[rule.journey]
    facts = _visit_facts(session, rules, journey, versions, rule, chosen, now) if chosen else None
    stands = RuleNow(RuleState(rule.state), rule.version, rule.state_at, rule.step)
    now_on = None if chosen else _open_step(session, customer.id, rule.journey)
    return Story(rule, journey, visits, chosen, trace(stands, journey, facts, now_on, now))


def _told_of(versions: Sequence[TriggerRule]) -> TriggerRule:
    """The version that is live or paused, else the last that was, else the newest."""
    current = [one for one in versions if one.state in (RuleState.LIVE, RuleState.PAUSED)]
    published = [one for one in versions if one.published_at]
    return (current or published or list(versions))[0]


def _visits(session: Session, customer_id: UUID, rule: TriggerRule) -> Sequence[Visit]:
    return session.exec(
        select(Visit)
        .where(Visit.customer_id == customer_id, Visit.journey == rule.journey, Visit.step == rule.step)
        .order_by(col(Visit.opened_at).desc(), col(Visit.visit_seq).desc())
        .limit(SHOWN_VISITS)
    ).all()


def _open_step(session: Session, customer_id: UUID, journey: str) -> str | None:
    return session.exec(
        select(Visit.step)
        .where(Visit.customer_id == customer_id, Visit.journey == journey)
        .where(col(Visit.closed_at).is_(None))
        .order_by(col(Visit.opened_at).desc())
    ).first()


def _visit_facts(
    session: Session,
    rules: RuleSet,
    journey: JourneyDefinition,
    versions: Sequence[TriggerRule],
    rule: TriggerRule,
    visit: Visit,
    now: datetime,
) -> VisitFacts:
    firing = session.exec(
        select(TriggerFiring).where(
            TriggerFiring.visit_id == visit.id, TriggerFiring.rule_key == rule.rule_key
        )
    ).first()
    under = _under(rules, journey, versions, rule, visit, firing)
    asked = dict(under.spec.history) if under else {}
    at = firing.fired_at if firing else now
    about = about_customers(session, [visit.customer_id], asked, at)[visit.customer_id]
    step = rules.on_step(visit.journey, visit.step, visit.opened_at, visit.customer_id)
    rivals = [one for one in step.rules if under and one.priority > under.spec.priority]
    return VisitFacts(
        state=state_of(visit),
        lateness=timedelta(seconds=visit.lateness_seconds),
        under=under,
        looked={
            group: Looked(moment(since), timedelta(microseconds=after))
            for group, (since, after) in visit.looked.items()
        },
        attributes=about.attributes,
        history=about.history,
        rivals=tuple(Rival(one.key, one.priority) for one in sorted(rivals, key=lambda one: -one.priority)),
        firing=_firing_facts(session, firing) if firing else None,
    )


def _under(
    rules: RuleSet,
    journey: JourneyDefinition,
    versions: Sequence[TriggerRule],
    rule: TriggerRule,
    visit: Visit,
    firing: TriggerFiring | None,
) -> UnderVersion | None:
    """The version a firing was made by, else the one the visit falls under; of an ended rule its last one."""
    row: TriggerRule | None = rule
    if firing:
        row = next(one for one in versions if one.id == firing.rule_id)
    elif rules.current(rule.rule_key):
        found = rules.version_for(rule.rule_key, visit.opened_at, visit.customer_id)
        row = next((one for one in versions if found and one.id == found.id), None)
    if row is None:
        return None
    identity = visit_identity(visit.customer_id, visit.journey, visit.journey_key, visit.visit_seq)
    spec = read_rule(row.definition, journey).drawn_for(identity)
    return UnderVersion(row.version, spec, row.definition.get("conditions"))


def _firing_facts(session: Session, firing: TriggerFiring) -> FiringFacts:
    task = session.exec(select(CallTask).where(CallTask.firing_id == firing.id)).first()
    calls = session.exec(
        select(ContactAttempt)
        .where(ContactAttempt.firing_id == firing.id)
        .order_by(col(ContactAttempt.claimed_at))
    )
    outcome = session.get(Outcome, firing.id)
    return FiringFacts(
        fired_at=firing.fired_at,
        due_at=firing.due_at,
        facts=firing.facts,
        decided=_decided(session, firing),
        gate=_gate(session, firing, task),
        task=_task(task) if task else None,
        calls=tuple((one.claimed_at, one.result) for one in calls),
        converted_at=outcome.converted_at if outcome else None,
    )


def _decided(session: Session, firing: TriggerFiring) -> Decided:
    fate = FiringFate(firing.fate) if firing.fate else None
    reason = SuppressReason(firing.suppress_reason) if firing.suppress_reason else None
    other = None
    if reason is SuppressReason.SHADOWED:
        other = session.exec(
            select(TriggerFiring.rule_key)
            .where(TriggerFiring.visit_id == firing.visit_id, TriggerFiring.fired_at == firing.fired_at)
            .where(TriggerFiring.id != firing.id)
            .where(col(TriggerFiring.suppress_reason).is_distinct_from(SuppressReason.SHADOWED))
        ).first()
    return Decided(
        fate=fate,
        reason=reason,
        at=firing.decided_at,
        other=other,
        share=firing.holdout_share,
        trouble=firing.facts.get("trouble") if fate is None else None,
        way=way_of_fate(fate, reason),
    )


def _gate(session: Session, firing: TriggerFiring, task: CallTask | None) -> tuple[GateSaid, ...]:
    """What the gate answered, an answer given again and again told once."""
    about = [col(ScreeningDecision.firing_id) == firing.id]
    if task:
        about.append(col(ScreeningDecision.call_task_id) == task.id)
    rows = session.exec(
        select(ScreeningDecision).where(or_(*about)).order_by(col(ScreeningDecision.id)).limit(200)
    ).all()
    told = [
        row
        for number, row in enumerate(rows)
        if number == 0 or (row.point, row.reasons) != (rows[number - 1].point, rows[number - 1].reasons)
    ][-SHOWN_ANSWERS:]
    waits = task is not None and task.state == TaskState.PENDING
    return tuple(_answer(row, is_last=row is told[-1] and waits) for row in told)


def _answer(row: ScreeningDecision, *, is_last: bool) -> GateSaid:
    way = Way.FOR
    if not row.may_call:
        way = Way.AGAINST if row.next_allowed_at is None else Way.WAITS if is_last else Way.NOTE
    return GateSaid(
        ScreeningPoint(row.point), row.asked_at, row.may_call, tuple(row.reasons), row.next_allowed_at, way
    )


def _task(task: CallTask) -> TaskIs:
    state = TaskState(task.state)
    way = Way.FOR
    if state is TaskState.CANCELED:
        way = Way.AGAINST
    elif state is TaskState.PENDING and task.why_no_call:
        way = Way.WAITS
    why = tuple(task.why_no_call) if state is TaskState.PENDING else ()
    return TaskIs(state, task.state_at, task.cancel_reason, why, way)
