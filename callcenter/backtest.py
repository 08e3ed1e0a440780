"""What would a trigger rule have done? The rules of the live path, a virtual clock, stored events, no writer.

The clock stands at the `received_at` of the event read last. Between two events it runs through the deadlines
that lie before the later one; events that came in at the same moment count as one batch, so that an event at
exactly a deadline is in time, as it is live.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from callcenter.domain.enums import VisitEnd
from callcenter.domain.events import EventValue
from callcenter.domain.journey import EventRole, JourneyDefinition, Looked, VisitState
from callcenter.intake.policy import REALTIME_LATENESS
from callcenter.journeys.rules import Advance, Place, advance_visit
from callcenter.triggers.policy import RuleSpec
from callcenter.triggers.rules import StepRules, facts_of, look_at, still_stands

LOOK_AHEAD = timedelta(hours=24)
"""How long after the end of the clock events are still read, to see who came back."""
_ROLES = {role.value: role for role in EventRole}
_LEFT = (VisitEnd.EXIT, VisitEnd.SILENT, VisitEnd.MERGED)
_FETCH = 10_000

Attributes = Callable[[str], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored event of the journey: whose, where it belongs, and how late its source may be."""

    customer_id: str
    customer: str
    place: Place
    event: EventValue
    lateness: timedelta


@dataclass(slots=True)
class Firing:
    """One call the rule would have asked for; `came_back_at` is when the customer went on by themselves."""

    customer: str
    journey_key: str
    visit_seq: int
    anchor_at: datetime
    due_at: datetime
    fired_at: datetime
    came_back_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Extent:
    """How many events of a journey came in up to the end asked for; when the first and the very last did."""

    events: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass
class BackTest:
    """What the rule would have done: every firing in its order, and when its clock ended."""

    extent: Extent
    clock_ended_at: datetime | None = None
    firings: list[Firing] = field(default_factory=list)

    def came_back(self, within: timedelta) -> tuple[int, int]:
        """Count who came back within a span, up to LOOK_AHEAD, of the firing, and of how many we can know."""
        last = self.extent.last_at
        known = [one for one in self.firings if last and one.fired_at + within <= last]
        back = sum(
            one.came_back_at is not None and one.came_back_at <= one.fired_at + within for one in known
        )
        return back, len(known)


@dataclass(slots=True, eq=False)
class _Course:
    """One customer's course through the journey under one key."""

    customer_id: str
    customer: str
    journey_key: str
    lateness: timedelta
    visit: VisitState | None = None
    last_seq: int = 0
    wake_at: datetime | None = None
    fired: set[str] = field(default_factory=set)
    looked: dict[str, Looked] = field(default_factory=dict)
    awaited: list[Firing] = field(default_factory=list)


class _Replay:
    """Courses, their clocks, and what fired."""

    def __init__(self, rule: RuleSpec, journey: JourneyDefinition, attributes: Attributes | None) -> None:
        self.rule, self.rules, self.journey, self.attributes = rule, StepRules((rule,)), journey, attributes
        self.courses: dict[tuple[str, str], _Course] = {}
        self.clocks: list[tuple[datetime, int, _Course]] = []
        self.touched: list[_Course] = []
        self.firings: list[Firing] = []
        self._clock_count = 0

    def take(self, stored: Stored) -> None:
        """Fold one event into its customer's visit."""
        place = stored.place
        key = (stored.customer_id, place.journey_key)
        course = self.courses.get(key)
        if course is None:
            course = _Course(stored.customer_id, stored.customer, place.journey_key, stored.lateness)
            self.courses[key] = course
        advance = advance_visit(self.journey, course.visit, course.last_seq, place, stored.event)
        if course.awaited:
            self._see_who_came_back(course, advance, stored.event)
        course.visit = advance.current
        if advance.is_new and advance.current is not None:
            course.last_seq, course.lateness = advance.current.visit_seq, stored.lateness
            course.fired, course.looked = set(), {}
        on_step = advance.current is not None and advance.current.step == self.rule.step
        if on_step or course.wake_at is not None:
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
        if visit is None or visit.step != self.rule.step:
            course.wake_at = None
            return
        look = look_at(
            self.rules, visit, fired=course.fired, looked=course.looked, lateness=course.lateness, now=now
        )
        course.looked.update(look.looked)
        for due in look.due:
            if due.rule.has_conditions:
                customer = self.attributes(course.customer_id) if self.attributes else {}
                if not due.rule.condition(facts_of(visit, customer, now)):
                    continue
            course.fired.add(due.rule.key)
            firing = Firing(
                course.customer,
                course.journey_key,
                visit.visit_seq,
                due.clock.anchor_at,
                due.clock.due_at,
                now,
            )
            self.firings.append(firing)
            course.awaited.append(firing)
        wake = look.wake_at
        if wake is not None and wake != course.wake_at:
            self._clock_count += 1
            heappush(self.clocks, (wake, self._clock_count, course))
        course.wake_at = wake

    def _see_who_came_back(self, course: _Course, advance: Advance, event: EventValue) -> None:
        """Note the firings whose reason this event ends, unless the customer has left the journey."""
        still_awaited = []
        for firing in course.awaited:
            states = [one for one in (advance.closed, advance.current) if one]
            state = next((one for one in states if one.visit_seq == firing.visit_seq), None)
            if state is not None and still_stands(self.rule, firing.anchor_at, state):
                still_awaited.append(firing)
            elif state is not None and state.end not in _LEFT:
                firing.came_back_at = max(event.event_time, firing.fired_at)
        course.awaited = still_awaited


def back_test(
    rule: RuleSpec,
    journey: JourneyDefinition,
    events: Iterable[Stored],
    extent: Extent,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    attributes: Attributes | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> BackTest:
    """Run a rule over events in the order (received_at, event_time, message_id).

    The clock runs to the last event of the extent or to `until`, whichever is earlier. Events before `since`
    are read too, for the visits they opened; firings before it are left out, and later events only tell who
    came back. Courses that never come to the rule's step may be missing from `events`: they cannot fire.
    `attributes` says what conditions may know of a customer, as of today, since the past is not kept.
    """
    replay = _Replay(rule, journey, attributes)
    end = min(until, extent.last_at) if until and extent.last_at else extent.last_at
    if end is None:
        return BackTest(extent)
    firings: list[Firing] | None = None
    now: datetime | None = None
    for seen, stored in enumerate(events, 1):
        at = stored.event.received_at
        if at != now:
            if now is not None:
                replay.settle(now)
            if at > end and firings is None:
                replay.run_clock(end, inclusive=True)
                firings = list(replay.firings)
            replay.run_clock(at, inclusive=False)
            now = at
        replay.take(stored)
        if on_progress and seen % _FETCH == 0:
            on_progress(seen)
    if firings is None:
        replay.settle(now or end)
        replay.run_clock(end, inclusive=True)
        firings = replay.firings
    return BackTest(extent, end, [one for one in firings if since is None or one.fired_at >= since])


_OF_JOURNEY = """
journey = %(journey)s AND (step = ANY(%(steps)s) OR role = 'exit')
AND NOT (historical AND received_at - event_time > %(too_late)s)
"""
_EXTENT = f"""
SELECT count(*) FILTER (WHERE %(until)s::timestamptz IS NULL OR received_at <= %(until)s),
       min(received_at), max(received_at)
FROM journey_event WHERE {_OF_JOURNEY}
"""  # noqa: S608 - our own words
_EVENTS = f"""
SELECT e.customer_id::text, coalesce(c.external_id, e.customer_id::text), e.journey_key, e.step, e.role,
       e.key, e.event_time, e.received_at, s.lateness_seconds,
       CASE WHEN %(with_properties)s THEN e.properties END
FROM (
    SELECT * FROM journey_event WHERE {_OF_JOURNEY}
    AND (%(until)s::timestamptz IS NULL OR received_at <= %(until)s::timestamptz + %(look_ahead)s)
) AS e
JOIN event_source s ON s.id = e.source_id
LEFT JOIN customer c ON c.id = e.customer_id
WHERE (e.customer_id, e.journey_key) IN (
    SELECT customer_id, journey_key FROM journey_event WHERE journey = %(journey)s AND step = %(step)s)
ORDER BY e.received_at, e.event_time, e.message_id COLLATE "C"
"""  # noqa: S608 - our own words


class StoredEvents:
    """A journey's stored events, read in a read-only transaction.

    Events that were already history when they came in (older than a day on arrival) are left out, as they
    feed no live rule; an imported log's events count as received when they happened.
    """

    def __init__(self, session: Session, journey: JourneyDefinition, until: datetime | None = None) -> None:
        session.execute(text("SET TRANSACTION READ ONLY"))
        # The planner knows little of rows stored a minute ago, and would join thousands one by one.
        session.execute(text("SET LOCAL enable_nestloop = off"))
        self._connection = session.connection().connection.driver_connection
        self._journey = journey
        self._facts: dict[str, Any] = {
            "journey": journey.id,
            "steps": list(journey.order),
            "too_late": REALTIME_LATENESS,
            "look_ahead": LOOK_AHEAD,
            "until": until,
        }

    def extent(self) -> Extent:
        """Say how much there is, without reading it."""
        assert self._connection is not None
        with self._connection.cursor() as cursor:
            return Extent(*cursor.execute(_EXTENT, self._facts).fetchone())

    def of_step(self, step: str, *, with_properties: bool) -> Iterator[Stored]:
        """Yield, in back-test order and bounded memory, the events of every course that comes to a step.

        `with_properties` is needed only by rules with conditions.
        """
        assert self._connection is not None
        journey = self._journey
        with self._connection.cursor(name="back_test", binary=True) as cursor:
            cursor.itersize = _FETCH
            cursor.execute(_EVENTS, {**self._facts, "step": step, "with_properties": with_properties})
            for (
                customer_id,
                customer,
                key,
                step_id,
                role,
                event_key,
                at,
                received_at,
                late,
                properties,
            ) in cursor:
                place = Place(journey.id, key, _ROLES[role], step_id, event_key)
                event = EventValue(
                    message_id="",  # the order has been settled
                    kind="track",
                    name=event_key,
                    step_key=event_key,
                    event_time=at,
                    received_at=received_at,
                    properties=properties or {},
                )
                yield Stored(customer_id, customer, place, event, timedelta(seconds=late))
