"""Several reasons for one call: a customer who has an open call task is not given a second one by a rule.

A firing that finds an open call task of its customer, of whatever journey, is folded into it. The call is led by
one of its reasons (`calltasks.rules.leading`); the agent is told of all that still stand. When the task ends and
they were not spoken about, the firings folded in are let go (`triggers.let_go`) and decided again.

A customer who is held out for the folded firing's rule is folded in too, so that the two arms are treated alike,
but nobody is told of it: who is held out hears nothing of that reason, whoever calls.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter import choosing, outbox
from callcenter.calltasks import queries as task_queries
from callcenter.calltasks import service as calltasks
from callcenter.calltasks.rules import Reason, leading
from callcenter.domain.enums import FiringFate, OutboxKind, Purpose, SuppressReason
from callcenter.journeys.records import state_of
from callcenter.learning import service as learning
from callcenter.learning.rules import HoldoutDraw
from callcenter.models import CallTask, Customer, TriggerFiring, Visit
from callcenter.moves import House, why_dead
from callcenter.outcomes.queries import spoken_until
from callcenter.scripting import service as scripting
from callcenter.triggers import service as triggers
from callcenter.triggers.policy import RuleSpec
from callcenter.triggers.queries import RuleSet
from callcenter.triggers.rules import still_stands

CALLBACK = "callback"
"""The moment of the scripts for calls that were promised."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A firing folded into a call task that its agent is told of, with its visit.

    `spec` is the rule it was made by; None once that rule is retired: then its reason no longer stands.
    """

    firing: TriggerFiring
    visit: Visit
    spec: RuleSpec | None
    stands: bool


def task_to_fold_into(session: Session, firing: TriggerFiring) -> CallTask | None:
    """Return the open call task, locked, that a firing is folded into; None when its customer has none.

    That of the same journey before others, then the most urgent.
    """
    found = task_queries.open_tasks_of(session, firing.customer_id)
    return min(
        found, key=lambda one: (one.journey != firing.journey, -one.priority, one.created_at), default=None
    )


def fold(
    session: Session,
    house: House,
    rules: RuleSet,
    task: CallTask,
    firing: TriggerFiring,
    customer: Customer,
    not_before_at: datetime,
    now: datetime,
) -> None:
    """Fold a firing into a locked call task; `not_before_at` is when the gate lets its own call be made."""
    spec = rules.spec_of(firing.rule_id, firing.rule_key)
    assert spec is not None
    of_all = spec.share_of_all(house.global_holdout)
    draw = learning.draw_arm(firing.rule_key, customer.id, spec.holdout, firing.fired_at, of_all)
    triggers.decide(
        firing,
        FiringFate.SUPPRESSED,
        now,
        reason=SuppressReason.MERGED,
        holdout_share=draw.share,
        holdout_unit=draw.unit,
        merged_into=task.id,
    )
    was_due_at = task.not_before_at
    calltasks.fold_in(task, None if draw.held_out else spec.priority, not_before_at)
    if draw.held_out:
        return
    session.flush()
    settle_lead(session, house, rules, task, customer)
    if task.not_before_at < was_due_at:
        outbox.hand_over(session, OutboxKind.OFFER_CALL_TASK, task.id, now, due_at=task.not_before_at)
    if task.agent_id is not None:
        outbox.ring(session, outbox.agent_channel(task.agent_id))


def is_told(firing: TriggerFiring) -> bool:
    """Whether agents are told of a firing that was folded in: its customer is not held out for its rule."""
    unit, share = firing.holdout_unit, firing.holdout_share
    return unit is None or share is None or not HoldoutDraw(unit < share, unit, share).held_out


def reasons_folded(session: Session, rules: RuleSet, call_task_id: UUID) -> list[Folded]:
    """List what was folded into a call task and its agent is told of, the earliest firing first."""
    rows = session.exec(
        select(TriggerFiring, Visit)
        .join(Visit, col(Visit.id) == col(TriggerFiring.visit_id))
        .where(TriggerFiring.merged_into == call_task_id)
        .where(TriggerFiring.suppress_reason == SuppressReason.MERGED)
        .order_by(col(TriggerFiring.fired_at), col(TriggerFiring.id))
        .execution_options(populate_existing=True)
    ).all()
    return [_folded(rules, firing, visit) for firing, visit in rows if is_told(firing)]


def _folded(rules: RuleSet, firing: TriggerFiring, visit: Visit) -> Folded:
    spec = rules.spec_of(firing.rule_id, firing.rule_key)
    stands = (
        spec is not None
        and rules.is_live(firing.rule_key)
        and still_stands(spec, firing.anchor_at, state_of(visit))
    )
    return Folded(firing, visit, spec, stands)


def settle_lead(session: Session, house: House, rules: RuleSet, task: CallTask, customer: Customer) -> None:
    """Let the reason lead that should by now, its own among them; a call that is promised stays as it is."""
    if not task.folded_firings or not calltasks.may_be_led(task):
        return drop_dead_lead(session, rules, task)
    standing = {one.firing.id: one for one in reasons_folded(session, rules, task.id) if one.stands}
    lead = leading([_own(session, task), *(_reason(one) for one in standing.values())])
    chosen = standing.get(lead.firing_id)
    if chosen is None:
        return calltasks.lead_by_own(task)
    if task.lead_firing_id != lead.firing_id and chosen.spec is not None:
        script = script_for(session, house, chosen.spec, chosen.firing, customer)
        calltasks.lead_by(task, lead.firing_id, lead.purpose, chosen.spec.promise, script.columns())
    return None


def _own(session: Session, task: CallTask) -> Reason:
    terms = task.own_terms or {"purpose": task.purpose, "priority": task.priority}
    fired_at = session.get_one(TriggerFiring, task.firing_id).fired_at
    return Reason(task.firing_id, Purpose(terms["purpose"]), int(terms["priority"]), fired_at)


def _reason(one: Folded) -> Reason:
    assert one.spec is not None
    return Reason(one.firing.id, one.spec.purpose, one.spec.priority, one.firing.fired_at)


def drop_dead_lead(session: Session, rules: RuleSet, task: CallTask) -> None:
    """Let the own reason lead again where the one that led no longer stands, and its purpose with it."""
    if task.lead_firing_id is None:
        return
    standing = {one.firing.id for one in reasons_folded(session, rules, task.id) if one.stands}
    if task.lead_firing_id not in standing:
        calltasks.lead_by_own(task)


def has_other_reason(session: Session, rules: RuleSet, task: CallTask) -> bool:
    """Whether a reason folded in still stands, so that a call under way is not for nothing."""
    return bool(task.folded_firings) and any(one.stands for one in reasons_folded(session, rules, task.id))


def finish_task(session: Session, rules: RuleSet, task: CallTask, now: datetime) -> None:
    """Close a call task after its last call; what was folded in and not spoken about is decided again.

    Spoken about is what was folded in before the end of the last conversation. Where nobody was spoken with, the
    tries were for all reasons alike; they are decided again only if the task's own reason had died.
    """
    calltasks.finish(task, now)
    if not task.folded_firings:
        return
    spoken = spoken_until(session, task.id)
    visit = session.get_one(Visit, task.visit_id, populate_existing=True)
    if spoken is not None or why_dead(session, rules, task, state_of(visit)) is not None:
        triggers.let_go(session, task.id, spoken)


def script_for(
    session: Session, house: House, spec: RuleSpec, firing: TriggerFiring, customer: Customer
) -> scripting.Choice:
    """Choose the script that fits a firing best, in the variant its customer hears of it."""
    return choosing.script_for(session, house.catalog, firing, customer, spec.moment, spec.variant)


def callback_script(
    session: Session, house: House, firing: TriggerFiring, customer: Customer
) -> Mapping[str, object] | None:
    """Return the script for a call that was promised about a firing; None when its journey has none."""
    found = choosing.script_for(session, house.catalog, firing, customer, CALLBACK, heeds_error=False)
    return found.columns() if found.script_why == f"moment:{CALLBACK}" else None


def read_callback_script(session: Session, house: House, task: CallTask, customer: Customer) -> None:
    """Let the promised call of a task be read from the script for such calls, where its journey has one."""
    firing = session.get_one(TriggerFiring, task.lead_firing_id or task.firing_id)
    script = callback_script(session, house, firing, customer)
    if script is not None:
        calltasks.read_from(task, script)
