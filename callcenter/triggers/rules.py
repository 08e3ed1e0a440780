"""When is a visit worth a call? Visit and rule in, due time or verdict out; no I/O, no clock."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from callcenter.domain.enums import Preset
from callcenter.domain.journey import VisitState
from callcenter.triggers.conditions import Facts
from callcenter.triggers.policy import RuleSpec


@dataclass(frozen=True, slots=True)
class Clock:
    """A rule's clock on a visit: from when it counts and when it runs out."""

    anchor_at: datetime
    due_at: datetime


def clock_of(rule: RuleSpec, visit: VisitState) -> Clock | None:
    """Say when the rule runs out for this visit, or None when it does not count on it (any more)."""
    if not visit.is_open or visit.step != rule.step:
        return None
    anchor = _anchor(rule, visit)
    if anchor is None:
        return None
    due = anchor + rule.after
    if any(_happened(visit, key, anchor, due) for key in rule.unless):
        return None
    return Clock(anchor, due)


def _anchor(rule: RuleSpec, visit: VisitState) -> datetime | None:
    if rule.preset is Preset.DWELL:
        return visit.entered_at
    if rule.preset is Preset.GONE_QUIET:
        return visit.last_activity_at
    if rule.preset is Preset.TROUBLE:
        return _last_of(visit, rule.errors or ((rule.event,) if rule.event else ()), rule.times)
    if rule.event:
        mark = visit.marks.get(rule.event)
        return (mark.first_at if rule.preset is Preset.ABSENCE else mark.last_at) if mark else None
    return visit.entered_at


def _last_of(visit: VisitState, keys: Iterable[str], times: int) -> datetime | None:
    """When the events named happened for the k-th or a later time."""
    marks = [visit.marks[key] for key in keys if key in visit.marks]
    if sum(mark.count for mark in marks) < times:
        return None
    return max((mark.last_at for mark in marks), default=None)


def _happened(visit: VisitState, key: str, after: datetime, until: datetime) -> bool:
    """Whether an event came in (after, until]; an event at exactly the deadline is in time."""
    mark = visit.marks.get(key)
    return mark is not None and (after < mark.first_at <= until or after < mark.last_at <= until)


def wake_of(
    rules: Iterable[RuleSpec],
    visit: VisitState,
    *,
    fired: Collection[str],
    looked: Mapping[str, Any],
    lateness: timedelta,
    now: datetime,
) -> datetime | None:
    """Say when somebody must look at this visit next: one clock per visit, the earliest of its rules.

    `fired` are the rules that need no more looks; `looked` holds, per rule, the due time (ISO) whose look
    found its conditions false. A wake-up lies `lateness` after the deadline and never in the past of `now`;
    a rule that fires at its event wakes at once.
    """
    wakes = []
    for rule in rules:
        clock = None if rule.key in fired else clock_of(rule, visit)
        if clock and looked.get(rule.key) != clock.due_at.isoformat():
            wait = timedelta(0) if rule.is_immediate else lateness
            wakes.append(max(clock.due_at + wait, now))
    return min(wakes, default=None)


def facts_of(visit: VisitState, customer: Mapping[str, Any], at: datetime) -> Facts:
    """Collect what conditions may speak of: the customer's attributes and the visit, as of `at`."""
    facts: dict[str, Any] = {f"customer.{name}": value for name, value in customer.items()}
    facts |= {f"visit.{name}": value for name, value in visit.facts.items()}
    facts |= {
        "visit.minutes": (at - visit.entered_at).total_seconds() / 60,
        "visit.errors": visit.errors,
        "visit.last_error": visit.last_error,
        "visit.last_error_reason": visit.last_error_reason,
        "visit.entries": max((mark.count for mark in visit.marks.values()), default=0),
    }
    return facts


@dataclass(frozen=True, slots=True)
class Due:
    """A rule whose clock has run out for a visit, and whether its conditions hold."""

    rule: RuleSpec
    clock: Clock
    holds: bool


def due_rules(
    rules: Iterable[RuleSpec],
    visit: VisitState,
    customer: Mapping[str, Any],
    *,
    fired: Collection[str],
    looked: Mapping[str, Any],
    lateness: timedelta,
    now: datetime,
) -> list[Due]:
    """List the rules that have run out by `now`, highest priority first, conditions evaluated."""
    found = []
    for rule in rules:
        clock = None if rule.key in fired else clock_of(rule, visit)
        if clock is None or looked.get(rule.key) == clock.due_at.isoformat():
            continue
        if clock.due_at + (timedelta(0) if rule.is_immediate else lateness) <= now:
            found.append(Due(rule, clock, rule.condition(facts_of(visit, customer, now))))
    return sorted(found, key=lambda due: (-due.rule.priority, due.rule.key))


def still_stands(rule: RuleSpec, fired_anchor: datetime, visit: VisitState) -> bool:
    """Whether the reason of a firing still holds: on the step, and for a quiet customer still quiet."""
    if not visit.is_open or visit.step != rule.step:
        return False
    if rule.preset is Preset.GONE_QUIET:
        return visit.last_activity_at <= fired_anchor
    return not any(_happened(visit, key, fired_anchor, visit.last_activity_at) for key in rule.unless)
