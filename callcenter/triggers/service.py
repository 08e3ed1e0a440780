"""Keep rules in versions and store their firings, each at most once per visit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from callcenter.domain.enums import FiringFate, RuleState, SuppressReason
from callcenter.domain.ids import derived_id
from callcenter.domain.journey import JourneyDefinition, VisitState
from callcenter.errors import Conflict, NotFound
from callcenter.models import TriggerFiring, TriggerRule, Visit
from callcenter.triggers.policy import read_rule
from callcenter.triggers.queries import RuleSet, newest_version
from callcenter.triggers.rules import clock_of, due_rules, wake_of


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a visit found: rules to mark as looked at or fired, and when to look next."""

    looked: Mapping[str, str]
    fired: tuple[str, ...]
    wake_at: datetime | None


def adopt_rule(
    session: Session, raw: Mapping[str, Any], journey: JourneyDefinition, now: datetime
) -> TriggerRule:
    """Store a definition as the rule's new live version; an unchanged one changes nothing.

    The version before is retired. Raises BadInput when the definition is wrong.
    """
    spec = read_rule(raw, journey)
    newest = newest_version(session, spec.key)
    if newest and newest.definition == dict(raw) and newest.state in (RuleState.LIVE, RuleState.PAUSED):
        return newest
    if newest and newest.state in (RuleState.LIVE, RuleState.PAUSED):
        newest.state, newest.state_at = RuleState.RETIRED, now
        session.flush()
    version = newest.version + 1 if newest else 1
    row = TriggerRule(
        id=derived_id("rule", spec.key, version),
        rule_key=spec.key,
        version=version,
        journey=spec.journey,
        step=spec.step,
        preset=spec.preset,
        state=RuleState.LIVE,
        state_at=now,
        definition=dict(raw),
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row


def switch_rule(session: Session, rule_key: str, *, live: bool, now: datetime) -> TriggerRule:
    """Pause a live rule or let a paused one run again; doing it twice changes nothing.

    Raises NotFound when there is no such rule and Conflict when it is neither live nor paused.
    """
    row = session.exec(
        select(TriggerRule)
        .where(TriggerRule.rule_key == rule_key)
        .order_by(col(TriggerRule.version).desc())
        .limit(1)
        .with_for_update()
    ).first()
    if row is None:
        raise NotFound(f"There is no rule {rule_key!r}.")
    if row.state not in (RuleState.LIVE, RuleState.PAUSED):
        raise Conflict(f"Rule {rule_key!r} is {row.state}; only a live or paused rule can be switched.")
    wanted = RuleState.LIVE if live else RuleState.PAUSED
    if row.state != wanted:
        row.state, row.state_at = wanted, now
    session.flush()
    return row


def look_at_visit(
    session: Session,
    rules: RuleSet,
    visit: Visit,
    state: VisitState,
    customer: Mapping[str, Any],
    now: datetime,
) -> Look:
    """Fire what has run out for this visit and say when to look again.

    Of several rules that run out in the same look the highest priority fires; the others of the visit are
    stored as shadowed by it.
    """
    on_step = rules.on_step.get((visit.journey, visit.step), ())
    lateness = timedelta(seconds=visit.lateness_seconds)
    due = due_rules(
        on_step, state, customer, fired=visit.fired, looked=visit.looked, lateness=lateness, now=now
    )
    looked: dict[str, str] = {}
    fired: list[str] = []
    for one in due:
        if not one.holds:
            looked[one.rule.key] = one.clock.due_at.isoformat()
            continue
        shadowed = SuppressReason.SHADOWED if fired else None
        fired.append(one.rule.key)
        _store_firing(
            session,
            rules.row(one.rule.key),
            visit,
            state,
            one.clock.anchor_at,
            one.clock.due_at,
            now,
            shadowed,
        )
    wake = wake_of(
        on_step,
        state,
        fired={*visit.fired, *fired},
        looked={**visit.looked, **looked},
        lateness=lateness,
        now=now,
    )
    return Look(looked, tuple(fired), wake)


def _store_firing(
    session: Session,
    rule: TriggerRule,
    visit: Visit,
    state: VisitState,
    anchor_at: datetime,
    due_at: datetime,
    now: datetime,
    shadowed: SuppressReason | None,
) -> None:
    key = (rule.rule_key, visit.customer_id, visit.journey, visit.journey_key, visit.visit_seq)
    row = {
        "id": derived_id("firing", *key),
        "rule_id": rule.id,
        "rule_key": rule.rule_key,
        "visit_id": visit.id,
        "customer_id": visit.customer_id,
        "journey": visit.journey,
        "journey_key": visit.journey_key,
        "step": visit.step,
        "visit_seq": visit.visit_seq,
        "anchor_at": anchor_at,
        "due_at": due_at,
        "wake_at": visit.wake_at or due_at,
        "fired_at": now,
        "tries": 0,
        "fate": FiringFate.SUPPRESSED if shadowed else None,
        "suppress_reason": shadowed,
        "decided_at": now if shadowed else None,
        "facts": {
            "error": state.last_error,
            "error_reason": state.last_error_reason,
            "errors": state.errors,
            **state.facts,
        },
    }
    session.execute(insert(TriggerFiring).values(row).on_conflict_do_nothing())


def decide(
    firing: TriggerFiring,
    fate: FiringFate,
    now: datetime,
    *,
    reason: SuppressReason | None = None,
    holdout_share: float | None = None,
    holdout_unit: float | None = None,
) -> None:
    """Write down what became of a firing; decided once, never changed."""
    firing.fate, firing.suppress_reason, firing.decided_at = fate, reason, now
    firing.holdout_share, firing.holdout_unit = holdout_share, holdout_unit


def past_deadlines(
    rules: RuleSet, rule_key: str, visits: Sequence[tuple[Visit, VisitState]], now: datetime
) -> dict[UUID, dict[str, str]]:
    """For a rule that runs again: which deadlines passed while it was paused, per visit.

    Only deadlines still ahead fire; nobody is called for a moment long gone.
    """
    spec = rules.spec(rule_key)
    passed: dict[UUID, dict[str, str]] = {}
    for visit, state in visits:
        clock = clock_of(spec, state) if spec else None
        if clock and clock.due_at <= now:
            passed[visit.id] = {rule_key: clock.due_at.isoformat()}
    return passed
