"""Keep rules in versions and store their firings, each at most once per visit."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.domain.enums import FiringFate, Purpose, RuleState, SuppressReason
from callcenter.domain.ids import derived_id
from callcenter.domain.journey import JourneyDefinition, Looked, VisitRecord
from callcenter.errors import Conflict, NotFound
from callcenter.models import TriggerFiring, TriggerRule
from callcenter.triggers.by_hand import keep_reserved
from callcenter.triggers.firings import FiringDraft, identity_of
from callcenter.triggers.history import About
from callcenter.triggers.policy import RuleSpec, read_rule
from callcenter.triggers.queries import RuleSet, current_version, newest_version, versions_of
from callcenter.triggers.rules import Due, Look, StepRules, facts_of, look_at
from callcenter.triggers.versions import end_trials

Attributes = Callable[[Collection[UUID], Mapping[str, timedelta]], Mapping[UUID, About]]
"""Gives what conditions may know of customers, by their ids; with the history asked for, each so far back."""


def adopt_rule(
    session: Session, raw: Mapping[str, Any], journey: JourneyDefinition, now: datetime
) -> TriggerRule:
    """Store a definition as the rule's new live version at once; an unchanged one changes nothing.

    The version before is retired, and open visits follow the new one. Raises BadInput when the definition is wrong.
    """
    spec = read_rule(raw, journey)
    keep_reserved(spec.key)
    current = current_version(session, spec.key)
    if current and current.definition == dict(raw):
        return current
    if current:
        current.state, current.state_at, current.superseded_at = RuleState.RETIRED, now, now
        end_trials(versions_of(session, spec.key), now)
        session.flush()
    newest = newest_version(session, spec.key)
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
        published_at=now,
        moves_open_visits=True,
    )
    session.add(row)
    session.flush()
    return row


def switch_rule(session: Session, rule_key: str, *, live: bool, now: datetime) -> TriggerRule:
    """Pause a live rule or let a paused one run again; doing it twice changes nothing.

    Raises NotFound when there is no such rule and Conflict when it is neither live nor paused.
    """
    rows = session.exec(
        select(TriggerRule)
        .where(TriggerRule.rule_key == rule_key)
        .order_by(col(TriggerRule.version))
        .with_for_update(key_share=True)
    ).all()
    if not rows:
        raise NotFound(f"There is no rule {rule_key!r}.")
    row = next((one for one in rows if one.state in (RuleState.LIVE, RuleState.PAUSED)), None)
    if row is None:
        raise Conflict(f"Rule {rule_key!r} is neither live nor paused; only such a rule can be switched.")
    wanted = RuleState.LIVE if live else RuleState.PAUSED
    if row.state != wanted:
        row.state, row.state_at = wanted, now
    session.flush()
    return row


def look(
    rules: RuleSet, visits: Sequence[VisitRecord], attributes: Attributes, now: datetime
) -> list[FiringDraft]:
    """Look at visits: say what fires, note on each how far its rules were looked at, and set its clock.

    Of several rules of a visit that run out in the same look the highest priority fires; the others are
    shadowed by it. The visits are left to be written, and after them the firings.
    """
    due: list[tuple[VisitRecord, Due]] = []
    for visit in visits:
        step = _rules_for(rules, visit)
        found = _look(step, visit, visit.looked, now)
        visit.looked.update(found.looked)
        _set_clock(visit, found.wake_at, now)
        due += [(visit, one) for one in found.due]
    return _fire(rules, due, attributes, now) if due else []


def _set_clock(visit: VisitRecord, wake_at: datetime | None, now: datetime) -> None:
    """Set when to look next. A clock that would run out before is left as it is: the look at it sets it anew.

    So the clock of a customer who is active stays untouched, and its index with it.
    """
    if not visit.state.is_open:
        visit.wake_at = None
    elif visit.wake_at is None or visit.wake_at <= now or (wake_at is not None and wake_at < visit.wake_at):
        visit.wake_at = wake_at


def _fire(
    rules: RuleSet, due: Sequence[tuple[VisitRecord, Due]], attributes: Attributes, now: datetime
) -> list[FiringDraft]:
    people = _people_asked_about(due, attributes)
    drafts: list[FiringDraft] = []
    fired: set[UUID] = set()
    for visit, one in due:
        if asks_about(one.rule):
            known = people.get(visit.customer_id, _NOBODY)
            if known.objects and one.rule.purpose is Purpose.MARKETING:
                continue
            if not one.rule.condition(
                facts_of(visit.state, known.attributes, now, known.history, one.rule.entry_keys)
            ):
                continue
        version = rules.version_for(one.rule.key, visit.state.opened_at, visit.customer_id)
        assert version is not None
        if one.rule.enters_band:
            drafts.append(FiringDraft(version.id, one.rule.key, visit, one.clock, now, None, one.rule))
            continue
        reason = SuppressReason.SHADOWED if visit.id in fired else None
        fired.add(visit.id)
        visit.fired.append(one.rule.key)
        drafts.append(FiringDraft(version.id, one.rule.key, visit, one.clock, now, reason, one.rule))
    return drafts


_NOBODY = About()


def asks_about(rule: RuleSpec) -> bool:
    """Whether a rule's firing depends on the person: by its conditions, or by whether they object to marketing."""
    return rule.has_conditions or rule.purpose is Purpose.MARKETING


def _people_asked_about(
    due: Sequence[tuple[VisitRecord, Due]], attributes: Attributes
) -> Mapping[UUID, About]:
    """Read, at once, what the rules ask of their customers."""
    asking = [(visit.customer_id, one.rule) for visit, one in due if asks_about(one.rule)]
    if not asking:
        return {}
    asked: dict[str, timedelta] = {}
    for _, rule in asking:
        for name, span in rule.history.items():
            asked[name] = max(span, asked.get(name, span))
    return attributes({customer_id for customer_id, _ in asking}, asked)


def decide(
    firing: TriggerFiring,
    fate: FiringFate,
    now: datetime,
    *,
    reason: SuppressReason | None = None,
    holdout_share: float | None = None,
    holdout_unit: float | None = None,
    merged_into: UUID | None = None,
) -> None:
    """Write down what became of a firing; decided once, but for one that is folded in and let go again."""
    firing.fate, firing.suppress_reason, firing.decided_at = fate, reason, now
    firing.holdout_share, firing.holdout_unit = holdout_share, holdout_unit
    if merged_into is not None:
        firing.merged_into = merged_into


def let_go(session: Session, call_task_id: UUID, spoken_until: datetime | None) -> int:
    """Let the firings folded into a call task be decided again: it has ended without them. Returns how many.

    Those folded in before the end of its last conversation (`spoken_until`) were answered by that.
    """
    folded = (
        select(TriggerFiring)
        .where(TriggerFiring.merged_into == call_task_id)
        .where(TriggerFiring.suppress_reason == SuppressReason.MERGED)
        .order_by(col(TriggerFiring.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if spoken_until is not None:
        folded = folded.where(col(TriggerFiring.decided_at) > spoken_until)
    session.flush()
    found = session.exec(folded).all()
    for firing in found:
        firing.fate, firing.suppress_reason, firing.decided_at = None, None, None
        firing.holdout_share, firing.holdout_unit, firing.tries = None, None, 0
    return len(found)


def skip_past(
    rules: RuleSet, visits: Sequence[VisitRecord], rule_key: str, now: datetime
) -> list[tuple[VisitRecord, Due]]:
    """Note on open visits that the deadlines of a rule up to now were looked at; return what passed.

    For a rule that begins to watch visits which are open already: only deadlines still ahead fire, and nobody
    is called for a moment long gone. The other rules of the visits must have been looked at just before.
    """
    passed: list[tuple[VisitRecord, Due]] = []
    for visit in visits:
        step = _rules_for(rules, visit)
        alone = StepRules(tuple(one for one in step.rules if one.key == rule_key))
        past = _look(alone, visit, {}, now)
        visit.looked.update(_look(step, visit, visit.looked, now).looked)
        passed += [(visit, one) for one in past.due if not one.rule.enters_band]
    return passed


def _look(step: StepRules, visit: VisitRecord, looked: Mapping[str, Looked], now: datetime) -> Look:
    return look_at(
        step,
        visit.state,
        fired=visit.fired,
        looked=looked,
        lateness=visit.lateness,
        now=now,
        identity=identity_of(visit) if step.has_bands else "",
    )


def _rules_for(rules: RuleSet, visit: VisitRecord) -> StepRules:
    return rules.on_step(visit.journey, visit.state.step, visit.state.opened_at, visit.customer_id)


def note_missed(
    rules: RuleSet, passed: Sequence[tuple[VisitRecord, Due]], attributes: Attributes, now: datetime
) -> list[FiringDraft]:
    """Say which deadlines that have passed would have fired, their conditions holding: that is kept, suppressed.

    Such a firing is the one of its rule and visit, as it would have been.
    """
    drafts = _fire(rules, passed, attributes, now)
    return [replace(one, reason=SuppressReason.WOULD_HAVE_FIRED) for one in drafts]
