"""The plain loop: the rules of the live path, a virtual clock, stored events, no writer.

The clock stands at the `received_at` of the event read last. Between two events it runs through the deadlines
that lie before the later one; events that came in at the same moment count as one batch, so that an event at
exactly a deadline is in time, as it is live.
"""

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush

from callcenter.backtest.values import (
    Attributes,
    BackTest,
    CanaryTrial,
    Extent,
    Firing,
    OnProgress,
    Stored,
    sorted_since,
)
from callcenter.domain.draws import visit_identity
from callcenter.domain.enums import VisitEnd
from callcenter.domain.events import EventValue
from callcenter.domain.journey import JourneyDefinition, Looked, VisitState
from callcenter.journeys.rules import Advance, advance_visit
from callcenter.triggers.conditions import NEVER
from callcenter.triggers.policy import RuleSpec
from callcenter.triggers.rules import Due, StepRules, facts_of, look_at, still_stands

_LEFT = (VisitEnd.EXIT, VisitEnd.SILENT, VisitEnd.MERGED)
_TOLD_EVERY = 10_000


@dataclass(slots=True, eq=False)
class _Course:
    """One customer's course through the journey under one key."""

    customer_id: str
    journey_key: str
    lateness: timedelta
    visit: VisitState | None = None
    last_seq: int = 0
    wake_at: datetime | None = None
    fired: set[str] = field(default_factory=set)
    looked: dict[str, Looked] = field(default_factory=dict)
    awaited: list[tuple[RuleSpec, Firing]] = field(default_factory=list)


def _by_step(rules: Sequence[RuleSpec]) -> dict[str, StepRules]:
    steps = {one.step for one in rules}
    return {step: StepRules(tuple(one for one in rules if one.step == step)) for step in steps}


class _Replay:
    """Courses, their clocks, and what fired. Each rule runs as if it were alone: none shadows another."""

    def __init__(
        self,
        rules: Sequence[RuleSpec],
        journey: JourneyDefinition,
        attributes: Attributes | None,
        trial: CanaryTrial | None = None,
    ) -> None:
        self.steps = _by_step(rules)
        self.trial = trial
        self.trial_steps = _by_step(
            [trial.spec if trial and one.key == trial.spec.key else one for one in rules]
        )
        self.journey, self.attributes = journey, attributes
        self.courses: dict[tuple[str, str], _Course] = {}
        self.clocks: list[tuple[datetime, int, _Course]] = []
        self.touched: list[_Course] = []
        self.firings: dict[str, list[Firing]] = {rule.key: [] for rule in rules}
        self._clock_count = 0

    def take(self, stored: Stored) -> None:
        """Fold one event into its customer's visit."""
        place = stored.place
        key = (stored.customer_id, place.journey_key)
        course = self.courses.get(key)
        if course is None:
            course = self.courses[key] = _Course(stored.customer_id, place.journey_key, stored.lateness)
        advance = advance_visit(self.journey, course.visit, course.last_seq, place, stored.event)
        if course.awaited:
            self._see_who_came_back(course, advance, stored.event)
        course.visit = advance.current
        if advance.is_new and advance.current is not None:
            course.last_seq, course.lateness = advance.current.visit_seq, stored.lateness
            course.fired, course.looked = set(), {}
        if course.wake_at is not None or (advance.current is not None and advance.current.step in self.steps):
            self.touched.append(course)

    def settle(self, now: datetime) -> None:
        """Look at the courses a batch touched, and set their clocks."""
        for course in self.touched:
            self._look(course, now)
        self.touched.clear()

    def run_clock(self, until: datetime, *, inclusive: bool) -> None:
        """Let every clock run out that does so before `until`, or at it."""
        clocks = self.clocks
        while clocks and (clocks[0][0] < until or (inclusive and clocks[0][0] == until)):
            at, _, course = heappop(clocks)
            if course.wake_at == at:  # otherwise it has been set anew or cleared since
                course.wake_at = None
                self._look(course, at)

    def _look(self, course: _Course, now: datetime) -> None:
        """Fire what has run out and say when to look next, as the live path does at a tick."""
        visit = course.visit
        rules = self._rules_for(course, visit) if visit is not None else None
        if visit is None or rules is None:
            course.wake_at = None
            return
        look = look_at(
            rules,
            visit,
            fired=course.fired,
            looked=course.looked,
            lateness=course.lateness,
            now=now,
            identity=self._identity(course, visit) if rules.has_bands else "",
        )
        course.looked.update(look.looked)
        for due in look.due:
            if not due.rule.enters_band:
                self._fire(course, visit, due, now)
        wake = look.wake_at
        if wake is not None and wake != course.wake_at:
            self._clock_count += 1
            heappush(self.clocks, (wake, self._clock_count, course))
        course.wake_at = wake

    def _rules_for(self, course: _Course, visit: VisitState) -> StepRules | None:
        """The rules of the visit's step, one of them perhaps in the version that is tried."""
        is_tried = self.trial is not None and self.trial.covers(course.customer_id, visit.opened_at)
        return (self.trial_steps if is_tried else self.steps).get(visit.step)

    def _identity(self, course: _Course, visit: VisitState) -> str:
        """Name a visit as the live path does, so that it draws the same waits."""
        return visit_identity(course.customer_id, self.journey.id, course.journey_key, visit.visit_seq)

    def _fire(self, course: _Course, visit: VisitState, due: Due, now: datetime) -> None:
        if due.rule.has_conditions:
            customer = self.attributes(course.customer_id) if self.attributes else {}
            history = dict.fromkeys(due.rule.history, NEVER)
            if not due.rule.condition(facts_of(visit, customer, now, history, due.rule.entry_keys)):
                return
        course.fired.add(due.rule.key)
        clock = due.clock
        firing = Firing(
            course.customer_id, course.journey_key, visit.visit_seq, clock.anchor_at, clock.due_at, now
        )
        self.firings[due.rule.key].append(firing)
        course.awaited.append((due.rule, firing))

    def _see_who_came_back(self, course: _Course, advance: Advance, event: EventValue) -> None:
        """Note the firings whose reason this event ends, unless the customer has left the journey."""
        still_awaited = []
        for rule, firing in course.awaited:
            states = [one for one in (advance.closed, advance.current) if one]
            state = next((one for one in states if one.visit_seq == firing.visit_seq), None)
            if state is not None and still_stands(rule, firing.anchor_at, state):
                still_awaited.append((rule, firing))
            elif state is not None and state.end not in _LEFT:
                firing.came_back_at = max(event.event_time, firing.fired_at)
        course.awaited = still_awaited


def replay(
    rules: Sequence[RuleSpec],
    journey: JourneyDefinition,
    events: Iterable[Stored],
    end: datetime,
    *,
    attributes: Attributes | None = None,
    on_progress: OnProgress | None = None,
    trial: CanaryTrial | None = None,
) -> dict[str, list[Firing]]:
    """Run rules, each as if it were alone, over events in the order (received_at, event_time,
    position, message_id).

    The clock runs to `end`; later events only tell who came back. Courses that never come to a rule's step may
    be missing from `events`: they cannot fire. `attributes` says what conditions may know of a customer, as of
    today, since the past is not kept; what they ask of the history is answered with: it did not happen.
    Returns the firings by the rules' keys, which must differ. `trial` is a version of one of them that is tried
    on some of the customers.
    """
    run = _Replay(rules, journey, attributes, trial)
    is_over = False
    now: datetime | None = None
    found: dict[str, list[Firing]] = {}
    with _collector_paused():
        for seen, stored in enumerate(events, 1):
            at = stored.event.received_at
            if at != now:
                if now is not None:
                    run.settle(now)
                if at > end and not is_over:
                    run.run_clock(end, inclusive=True)
                    is_over, found = True, {key: list(some) for key, some in run.firings.items()}
                run.run_clock(at, inclusive=False)
                now = at
            run.take(stored)
            if on_progress and seen % _TOLD_EVERY == 0:
                on_progress(seen)
        if not is_over:
            run.settle(now or end)
            run.run_clock(end, inclusive=True)
            found = run.firings
    return found


@contextmanager
def _collector_paused() -> Iterator[None]:
    """A replay makes no cycles; looking for some among all its visits would take a third of its time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def back_test(
    rule: RuleSpec,
    journey: JourneyDefinition,
    events: Iterable[Stored],
    extent: Extent,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    attributes: Attributes | None = None,
    on_progress: OnProgress | None = None,
    trial: CanaryTrial | None = None,
) -> BackTest:
    """Run one rule by the plain loop; events as for `replay`.

    The clock runs to the last event of the extent or to `until`, whichever is earlier. Events before `since`
    are read too, for the visits they opened; firings before it are left out.
    """
    end = extent.clock_ends_at(until)
    if end is None:
        return BackTest(extent)
    found = replay([rule], journey, events, end, attributes=attributes, on_progress=on_progress, trial=trial)
    return BackTest(extent, end, sorted_since(found[rule.key], since))
