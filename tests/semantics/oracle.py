"""Which rules fire, read the slow way: whenever something comes in, all of it is read from the beginning.

One customer, one journey key and one rule at a time. No clock is set or cleared, nothing is remembered of a
visit but its events, and no rule knows of another. Times are whole seconds after the start of the world;
a journey and a rule are what their YAML files say.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

DAY = 86_400
"""An event older than this when it comes in is history: it is stored and feeds no live rule."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a customer; a sender that is not sure sends it again, with the same message id."""

    happened: int
    message_id: str
    who: str
    journey_key: str
    name: str
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment at which somebody looks: a tick, or a batch that has just come in with these events."""

    at: int
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Fired:
    """A firing: which rule, on which visit of the customer, counted from when, run out when."""

    rule: str
    visit_seq: int
    anchor: int
    due: int


@dataclass(slots=True)
class Visit:
    """A stay on a step: its events in the order they came in; `earlier` are entries heard of only later."""

    visit_seq: int
    step: str
    entered: int
    events: list[Event] = field(default_factory=list)
    earlier: list[Event] = field(default_factory=list)

    def times(self, names: Iterable[str]) -> list[int]:
        """When the events of these names happened, in order."""
        wanted = set(names)
        return sorted(one.happened for one in (*self.events, *self.earlier) if one.name in wanted)

    def last_activity(self) -> int:
        """When the customer last did something."""
        return max(one.happened for one in self.events)


def course_of(history: Iterable[Moment], who: str, journey_key: str) -> list[Moment]:
    """The moments that concern one course: all ticks, and the batches that bring it something new.

    An event counts once, however often it is sent, and not at all when it is history on arrival.
    """
    seen: set[str] = set()
    course = []
    for moment in history:
        fresh = {one.message_id: one for one in moment.events if one.message_id not in seen}
        seen |= set(fresh)
        mine = tuple(
            one
            for one in fresh.values()
            if (one.who, one.journey_key) == (who, journey_key) and moment.at - one.happened <= DAY
        )
        if mine or not moment.events:
            course.append(Moment(moment.at, mine))
    return course


def firings(
    journey: Mapping[str, Any], rule: Mapping[str, Any], lateness: int, course: Sequence[Moment]
) -> set[Fired]:
    """Say what a rule stores for one course: at most one firing for each visit.

    A look knows what has come in by then and nothing else: what comes in later un-fires nothing, and what
    came in before it counts however late it was. A deadline is looked at once; when the conditions do not
    hold then, only another deadline is looked at again.
    """
    found: dict[int, Fired] = {}
    looked: set[tuple[int, int]] = set()
    after = _seconds(rule.get("after", "0s"))
    visit: Visit | None = None
    for number, moment in enumerate(course, 1):
        if moment.events:
            visit = open_visit(journey, course[:number])
        # A visit that has ended by the time of the look does not fire, even when it ended after the deadline:
        # a task for it would be withdrawn at once.
        if visit is None or visit.step != rule["step"] or visit.visit_seq in found:
            continue
        anchor = _anchor(journey, rule, visit)
        if anchor is None:
            continue
        due = anchor + after
        # A rule that fires at its event waits for nobody.
        if moment.at < due + (lateness if after else 0) or (visit.visit_seq, due) in looked:
            continue
        if any(anchor < at <= due for at in visit.times(rule.get("unless", ()))):
            continue
        looked.add((visit.visit_seq, due))
        if _holds(rule.get("conditions"), journey, visit):
            found[visit.visit_seq] = Fired(rule["rule"], visit.visit_seq, anchor, due)
    return set(found.values())


def open_visit(journey: Mapping[str, Any], course: Iterable[Moment]) -> Visit | None:
    """The visit a customer is on after these moments.

    Each batch is read in the order things happened, and those of one moment in the order they were sent.
    """
    steps = [step["id"] for step in journey["steps"]]
    owner = {name: step for step in journey["steps"] for name in _names(step)}
    visit: Visit | None = None
    last_seq = 0
    for moment in course:
        for event in sorted(moment.events, key=lambda one: one.happened):
            if visit and _went_silent(journey, visit, event):
                visit = None
            if event.name in journey.get("exits", ()):
                visit = None if visit and event.happened >= visit.entered else visit
                continue
            step = owner[event.name]
            if step.get("milestone") or (visit and not _moves(steps, step, visit, event)):
                continue
            if step["id"] == steps[-1]:
                visit = None
            elif visit and visit.step == step["id"]:
                visit.events.append(event)
            else:
                # Any event of a step says that the customer is there: the entry itself may have been lost.
                last_seq += 1
                visit = Visit(last_seq, step["id"], event.happened, [event])
    return visit


def _moves(steps: Sequence[str], step: Mapping[str, Any], visit: Visit, event: Event) -> bool:
    """Whether an event says something of where the customer is now, other than an earlier entry to the step.

    What happened before the entry does not say that the customer left, and leaving something open on a
    lower step does not say that they went back there.
    """
    is_entry = event.name in step["enter"]
    if event.happened < visit.entered:
        if is_entry and step["id"] == visit.step:
            visit.entered = event.happened
            visit.earlier.append(event)
        return False
    return is_entry or steps.index(step["id"]) >= steps.index(visit.step)


def _went_silent(journey: Mapping[str, Any], visit: Visit, event: Event) -> bool:
    return journey["gap"] != "none" and event.happened - visit.last_activity() > _seconds(journey["gap"])


def _anchor(journey: Mapping[str, Any], rule: Mapping[str, Any], visit: Visit) -> int | None:
    """From when a rule counts on a visit, or None when what it waits for has not happened."""
    match rule["preset"]:
        case "dwell":
            return visit.entered
        case "gone_quiet":
            return visit.last_activity()
        case "absence":
            return min(visit.times([rule["event"]]), default=None)
        case "trouble":
            # The k-th error, and each later one anew: the success that is waited for is the one after it.
            errors = visit.times(_errors(journey, rule["step"]))
            return errors[-1] if len(errors) >= rule.get("times", 1) else None
        case _:
            return max(visit.times([rule["event"]]), default=None)


def _holds(condition: Any, journey: Mapping[str, Any], visit: Visit) -> bool:
    """Whether `field op value`, or `not` of it, holds; a field without a value compares as false."""
    if not condition:
        return True
    if "not" in condition:
        return not _holds(condition["not"], journey, visit)
    if condition["field"] == "visit.errors":
        errors = set(_errors(journey, visit.step))
        have: int | None = sum(one.name in errors for one in visit.events)
    else:
        have = next((one.amount for one in reversed(visit.events) if one.amount is not None), None)
    if have is None:
        return False
    return bool(have >= condition["value"] if condition["op"] == ">=" else have < condition["value"])


def _names(step: Mapping[str, Any]) -> list[str]:
    return [*step["enter"], *step.get("events", ()), *step.get("errors", ())]


def _errors(journey: Mapping[str, Any], step_id: str) -> list[str]:
    return [name for step in journey["steps"] if step["id"] == step_id for name in step.get("errors", ())]


def _seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))
