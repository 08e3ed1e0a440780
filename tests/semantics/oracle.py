"""Which rules fire, read the slow way: whenever something comes in, all of it is read from the beginning.

No clock is set or cleared, nothing is remembered of a visit but its events, and no rule knows of another. Times
are whole seconds after the start of the world; a journey and a rule are what their YAML files say.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.semantics.whereabouts import (
    DAY,
    Course,
    Event,
    Known,
    Moment,
    Visit,
    compares,
    known_after,
    names_of,
    seconds,
)

__all__ = ["DAY", "Course", "Event", "Fired", "Moment", "firings", "names_of"]


@dataclass(frozen=True, slots=True, order=True)
class Fired:
    """A firing: which rule, on which visit of the customer, counted from when, run out when."""

    rule: str
    visit_seq: int
    anchor: int
    due: int


def firings(
    journey: Mapping[str, Any],
    rules: Iterable[Mapping[str, Any]],
    lateness: int,
    history: Sequence[Moment],
) -> dict[Course, list[Fired]]:
    """Say what is stored for each course that fires anything: at most one firing for each rule and visit.

    A look knows what has come in by then and nothing else: what comes in later un-fires nothing, and what
    came in before it counts however late it was. A tick looks at everybody, a batch at those it is about.
    """
    found: dict[Course, list[Fired]] = {}
    done: set[tuple[str, tuple[Course, int]]] = set()
    looked: set[tuple[str, tuple[Course, int], int]] = set()
    batches: list[Moment] = []
    known = Known()
    for moment in history:
        if moment.events:
            batches.append(moment)
            known = known_after(journey, batches)
        # A visit that has ended by the time of the look does not fire, even when it ended after the deadline:
        # a task for it would be withdrawn at once.
        for course, visit in known.visits.items():
            if moment.events and course not in known.touched:
                continue
            for rule in rules:
                if rule["step"] != visit.step or (rule["rule"], visit.opened_as) in done:
                    continue
                runs = _runs_out(journey, rule, visit, lateness, moment.at)
                # A deadline is looked at once; when the conditions do not hold then, only another one is looked
                # at again.
                if runs is None or (rule["rule"], visit.opened_as, runs[1]) in looked:
                    continue
                looked.add((rule["rule"], visit.opened_as, runs[1]))
                if _holds(rule.get("conditions"), journey, visit, moment.at):
                    done.add((rule["rule"], visit.opened_as))
                    found.setdefault(course, []).append(Fired(rule["rule"], visit.visit_seq, *runs))
    return {course: sorted(of_course) for course, of_course in found.items()}


def _runs_out(
    journey: Mapping[str, Any], rule: Mapping[str, Any], visit: Visit, lateness: int, now: int
) -> tuple[int, int] | None:
    """From when a rule has counted and when that ran out, if it has.

    A rule that fires at its event waits for nobody.
    """
    anchor = _anchor(journey, rule, visit)
    if anchor is None:
        return None
    after = seconds(rule.get("after", "0s"))
    due = anchor + after
    if now < due + (lateness if after else 0):
        return None
    if any(anchor < at <= due for at in visit.seen(rule.get("unless", ()))):
        return None
    return anchor, due


def _anchor(journey: Mapping[str, Any], rule: Mapping[str, Any], visit: Visit) -> int | None:
    """From when a rule counts on a visit, or None when what it waits for has not happened."""
    match rule["preset"]:
        case "dwell":
            return visit.entered
        case "gone_quiet":
            return visit.last_activity()
        case "absence":
            return min(visit.seen([rule["event"]], rule.get("where")), default=None)
        case "trouble":
            return _kth_trouble(journey, rule, visit)
        case _:
            return max(visit.seen([rule["event"]], rule.get("where")), default=None)


def _kth_trouble(journey: Mapping[str, Any], rule: Mapping[str, Any], visit: Visit) -> int | None:
    """The k-th error, and each later one anew: the success that is waited for is the one after it."""
    names = rule.get("errors") or ([rule["event"]] if "event" in rule else _errors(journey, rule["step"]))
    times = visit.seen(names, rule.get("where"))
    for last in reversed(times):
        begin = last - seconds(rule["within"]) if "within" in rule else times[0]
        if sum(begin <= one <= last for one in times) >= rule.get("times", 1):
            return last
    return None


def _holds(condition: Any, journey: Mapping[str, Any], visit: Visit, now: int) -> bool:
    """Whether `field op value`, or `not` of it, holds; a field without a value compares as false.

    What an event said holds until a later one says otherwise, whenever the two come in.
    """
    if not condition:
        return True
    if "not" in condition:
        return not _holds(condition["not"], journey, visit, now)
    errors = [one for one in visit.events if one.name in _errors(journey, visit.step)]
    amounts = [one for one in (*visit.earlier, *visit.events) if one.amount is not None]
    match condition["field"]:
        case "visit.errors":
            return compares(len(errors), condition)
        case "visit.minutes":
            return compares((now - visit.entered) / 60, condition)
        case "visit.last_error":
            return compares(_latest(errors).name if errors else None, condition)
        case _:
            return compares(_latest(amounts).amount if amounts else None, condition)


def _latest(events: Sequence[Event]) -> Event:
    """The event that happened last; of several in one second the one that came in last."""
    return sorted(events, key=lambda one: one.happened)[-1]


def _errors(journey: Mapping[str, Any], step_id: str) -> list[str]:
    return [name for step in journey["steps"] if step["id"] == step_id for name in step.get("errors", ())]
