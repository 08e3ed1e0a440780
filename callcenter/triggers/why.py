"""Why did a rule fire for a customer, why not? Facts in, the steps of the story out; no I/O, no clock."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from callcenter.domain.enums import CallResult, FiringFate, RuleState, SuppressReason
from callcenter.domain.fields import visit_fields
from callcenter.domain.journey import JourneyDefinition, VisitState
from callcenter.domain.journey import Looked as LookedUntil
from callcenter.domain.trace import (
    Anchor,
    Called,
    Converted,
    Deadline,
    Decided,
    Fired,
    GateSaid,
    Group,
    Leaf,
    Looked,
    NeverThere,
    NotWatched,
    OnStep,
    Rival,
    RuleStands,
    TaskIs,
    Trace,
    TraceStep,
    Unless,
    Way,
)
from callcenter.triggers.conditions import Facts, compile_condition
from callcenter.triggers.policy import RuleSpec
from callcenter.triggers.rules import Clock, StepRules, clock_of, facts_of

_NOT_RUN = frozenset({RuleState.PAUSED, RuleState.RETIRED, RuleState.DRAFT, RuleState.IN_REVIEW})


@dataclass(frozen=True, slots=True)
class RuleNow:
    """The rule's current version, or its last one where it was ended."""

    state: RuleState
    version: int
    since: datetime
    step: str


@dataclass(frozen=True, slots=True)
class UnderVersion:
    """The version that a visit falls under, compiled, and its conditions as they are written."""

    version: int
    spec: RuleSpec
    conditions: Any


@dataclass(frozen=True, slots=True)
class FiringFacts:
    """A firing, and all that came of it."""

    fired_at: datetime
    due_at: datetime
    facts: Mapping[str, Any]
    decided: Decided
    gate: tuple[GateSaid, ...] = ()
    task: TaskIs | None = None
    calls: tuple[tuple[datetime, CallResult | None], ...] = ()
    converted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """A visit on the rule's step, what is known of the customer, and what is known of the rule's looks."""

    state: VisitState
    lateness: timedelta
    under: UnderVersion | None
    looked: Mapping[str, LookedUntil] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    history: Mapping[str, datetime] = field(default_factory=dict)
    rivals: tuple[Rival, ...] = ()
    firing: FiringFacts | None = None


def trace(
    rule: RuleNow, journey: JourneyDefinition, visit: VisitFacts | None, now_on: str | None, now: datetime
) -> Trace:
    """Tell why a rule fired for a visit, or what is missing; `now_on` is the step the customer is on, if any.

    The step that decided it is the first that speaks against the call, else one that waits, else the last.
    """
    steps = tuple(_told(rule, journey, visit, now_on, now))
    for way in (Way.AGAINST, Way.WAITS):
        for step in steps:
            if step.way is way and not isinstance(step, Group):
                return Trace(steps, step)
    return Trace(steps, next((one for one in reversed(steps) if one.way is Way.FOR), None))


def _told(
    rule: RuleNow, journey: JourneyDefinition, visit: VisitFacts | None, now_on: str | None, now: datetime
) -> Iterator[TraceStep]:
    under = visit.under if visit else None
    pinned = under.version if under and under.version != rule.version else None
    fired = visit.firing if visit else None
    stopped = rule.state in _NOT_RUN and fired is None
    yield RuleStands(
        rule.state,
        rule.version,
        rule.since,
        pinned,
        Way.AGAINST if stopped else Way.NOTE if fired else Way.FOR,
    )
    if visit is None:
        yield NeverThere(rule.step, now_on)
        return
    if under is None:
        yield _on_step(visit, None)
        yield NotWatched(visit.state.opened_at)
        return
    clock = _clock_if_free(under.spec, visit.state)
    yield _on_step(visit, clock)
    yield _anchor(under.spec, visit.state, clock)
    if clock is None:
        return
    yield from _time(under.spec, visit, clock, now)
    if under.conditions:
        at = fired.fired_at if fired else min(now, visit.state.closed_at or now)
        facts = facts_of(_as_it_fired(visit), visit.attributes, at, visit.history, under.spec.entry_keys)
        yield from _conditions(under.conditions, journey, facts, has_fired=fired is not None)
    if fired:
        yield from _after(fired, under.version)
    else:
        yield from _unfired(under, visit, clock, now)


def _on_step(visit: VisitFacts, clock: Clock | None) -> OnStep:
    state = visit.state
    left_early = state.closed_at is not None and (clock is None or state.closed_at <= clock.due_at)
    way = Way.AGAINST if left_early and visit.firing is None else Way.FOR
    return OnStep(state.step, state.visit_seq, state.entered_at, state.closed_at, state.end, way)


def _clock_if_free(spec: RuleSpec, state: VisitState) -> Clock | None:
    """The rule's clock on a visit as if it were open and nothing had called the rule off."""
    return clock_of(replace(spec, unless=()), replace(state, closed_at=None, end=None))


def _anchor(spec: RuleSpec, state: VisitState, clock: Clock | None) -> Anchor:
    events = spec.errors or ((spec.event,) if spec.event else ())
    seen = sum(state.marks[key].count for key in events if key in state.marks)
    way = Way.FOR if clock else Way.AGAINST
    at = clock.anchor_at if clock else None
    return Anchor(spec.preset, events, at, seen, spec.times, spec.within, way)


def _time(spec: RuleSpec, visit: VisitFacts, clock: Clock, now: datetime) -> Iterator[TraceStep]:
    for key in spec.unless:
        at = _first_between(visit.state, key, clock)
        yield Unless(key, at, Way.AGAINST if at and visit.firing is None else Way.FOR)
    ahead = visit.firing is None and visit.state.is_open
    if spec.after:
        wake_at = clock.due_at + visit.lateness
        left = max(clock.due_at - now, timedelta(0))
        yield Deadline(clock.due_at, wake_at, left, Way.WAITS if ahead and wake_at > now else Way.FOR)


def _first_between(state: VisitState, key: str, clock: Clock) -> datetime | None:
    mark = state.marks.get(key)
    if mark is None:
        return None
    times = sorted({mark.first_at, *(one.at for one in mark.sightings)})
    return next((at for at in times if clock.anchor_at < at <= clock.due_at), None)


def _as_it_fired(visit: VisitFacts) -> VisitState:
    """The visit with what it said when the rule fired, where that was kept."""
    if visit.firing is None:
        return visit.state
    kept = visit.firing.facts
    said = {name: kept.get(name, value) for name, value in visit.state.facts.items()}
    return replace(
        visit.state,
        facts=said,
        errors=kept.get("errors", visit.state.errors),
        last_error=kept.get("error", visit.state.last_error),
        last_error_reason=kept.get("error_reason", visit.state.last_error_reason),
    )


def _conditions(
    tree: Any, journey: JourneyDefinition, facts: Facts, *, has_fired: bool
) -> Iterator[Group | Leaf]:
    """The tree from its root, each part with whether it holds; after a firing nothing of it is in the way."""
    fields = visit_fields(journey)

    def walk(part: Any, depth: int, *, wanted: bool, counts: bool) -> Iterator[Group | Leaf]:
        holds = compile_condition(part, fields=fields)(facts)
        way = Way.FOR if holds is wanted else Way.AGAINST if counts and not has_fired else Way.NOTE
        if "field" in part:
            yield Leaf(part, facts.get(part["field"]), holds, depth, wanted, way)
            return
        ((word, inner),) = part.items()
        yield Group(word, holds, depth, way)
        parts = inner if isinstance(inner, list) else [inner]
        for one in parts:
            # Of an `any` that holds, a part that does not is in nobody's way.
            yield from walk(
                one, depth + 1, wanted=wanted is (word != "not"), counts=counts and holds is not wanted
            )

    yield from walk(tree, 0, wanted=True, counts=True)


def _unfired(under: UnderVersion, visit: VisitFacts, clock: Clock, now: datetime) -> Iterator[TraceStep]:
    wake_at = clock.due_at + (visit.lateness if under.spec.after else timedelta(0))
    if wake_at <= now and visit.state.is_open:
        until = visit.looked.get(StepRules((under.spec,)).groups[0].name)
        was_looked = until is not None and until >= LookedUntil(clock.anchor_at, under.spec.after)
        yield Looked(was_looked, Way.AGAINST if was_looked else Way.WAITS)
    yield from visit.rivals


def _after(firing: FiringFacts, version: int) -> Iterator[TraceStep]:
    yield Fired(firing.fired_at, version, firing.due_at, max(firing.fired_at - firing.due_at, timedelta(0)))
    yield from _in_order(firing)


def _in_order(firing: FiringFacts) -> Iterable[TraceStep]:
    opening = [one for one in firing.gate if firing.decided.at and one.at <= firing.decided.at]
    later = [one for one in firing.gate if one not in opening]
    yield from opening
    yield firing.decided
    yield from later
    yield from (Called(at, result) for at, result in firing.calls)
    if firing.task:
        yield firing.task
    if firing.converted_at:
        yield Converted(firing.converted_at)


def way_of_fate(fate: FiringFate | None, reason: SuppressReason | None) -> Way:
    """Which way it speaks for the call that a firing was decided so."""
    if fate is None:
        return Way.WAITS
    if fate is FiringFate.TASK or reason is SuppressReason.MERGED:
        return Way.FOR
    return Way.AGAINST
