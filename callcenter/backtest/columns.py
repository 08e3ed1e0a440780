"""The columnar path: dwell, gone-quiet and absence rules over whole columns of events at once.

It finds exactly what the plain loop finds, for every course whose events came in as they happened. In such a
course nothing but the order of the events decides where the customer is: entering a step sets it, leaving and
the goal clear it, and any other event of a step can only raise it, so that the visits of all courses are one
running maximum. A course it cannot tell of (an event came in after a later one, say) is named instead of
guessed at, and is left to the plain loop.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from callcenter.domain.enums import Preset
from callcenter.domain.journey import KEPT_SIGHTINGS, EventRole, JourneyDefinition
from callcenter.triggers.policy import RuleSpec

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ROLES = {EventRole.ACTIVITY: 0, EventRole.ENTER: 1, EventRole.EXIT: 2, EventRole.ERROR: 3}
_ENTER, _EXIT = ROLES[EventRole.ENTER], ROLES[EventRole.EXIT]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NEVER = np.iinfo(np.int64).max
_PRESETS = (Preset.DWELL, Preset.GONE_QUIET, Preset.ABSENCE)


@dataclass(slots=True)
class EventColumns:
    """A journey's events, course by course, each in the order (received_at, event_time, position, message_id).

    `is_first` marks the first event of a course. `step` counts the journey's steps from 1, 0 for none; `role`
    is a number of ROLES; `key` is a place, from 1, in the keys the columns were read with, 0 for any other.
    Times are microseconds since 1970, `lateness` microseconds. `is_doubtful` marks events whose order or whose
    course is not certain.
    """

    is_first: Bools
    step: NDArray[np.int8]
    role: NDArray[np.int8]
    key: NDArray[np.int16]
    at: Ints
    received: Ints
    lateness: Ints
    is_doubtful: Bools

    @classmethod
    def empty(cls) -> Self:
        """The columns of no events."""
        truth, number = np.empty(0, np.bool_), np.empty(0, np.int64)
        short = np.empty(0, np.int8)
        return cls(truth, short, short, np.empty(0, np.int16), number, number, number, truth)


@dataclass(slots=True)
class Found:
    """The firings, one place in each array a firing, and the courses left to the plain loop.

    `row` is a row of the visit, `left_rows` are the first rows of the courses left out. `came_back` is 0 where
    nobody did.
    """

    row: Ints
    visit_seq: Ints
    anchor: Ints
    due: Ints
    fired: Ints
    came_back: Ints
    left_rows: Ints


def micros(at: datetime | timedelta) -> int:
    """Return a moment as microseconds since 1970, or a span in microseconds."""
    return (at - _EPOCH if isinstance(at, datetime) else at) // _MICROSECOND


def moments(times: Ints) -> list[datetime]:
    """Return the moments that lie so many microseconds after 1970."""
    return [at.replace(tzinfo=UTC) for at in times.astype("datetime64[us]").tolist()]


def fits_columns(rule: RuleSpec, journey: JourneyDefinition) -> bool:
    """Whether a rule without conditions can be run over columns: it waits, and needs no event's properties."""
    goal = journey.step(journey.goal)
    plain = [one for one in journey.steps if not one.milestone]
    goal_is_last = goal.milestone or plain[-1].id == journey.goal
    scores = any(one.crossing for one in journey.steps)
    waits = rule.preset in _PRESETS and bool(rule.after) and rule.band is None
    return waits and not rule.picks_events and goal_is_last and not scores


def keys_of(rule: RuleSpec) -> tuple[str, ...]:
    """Return the event keys a rule speaks of: `EventColumns.key` counts them from 1."""
    return tuple(sorted({*rule.unless, *([rule.event] if rule.event else [])}))


@dataclass(slots=True)
class _Course:
    """Where each event leaves its customer: `state` is the step after it, `before` the step that it found."""

    state: Ints
    is_reset: Bools
    has_ended: Bools
    is_opened: Bools
    is_noted: Bools
    is_odd: Bools


def find_firings(
    columns: EventColumns, rule: RuleSpec, keys: tuple[str, ...], journey: JourneyDefinition, end: datetime
) -> Found:
    """Run a rule that `fits_columns` over all courses; its clock runs to `end`, later events tell who came back.

    `keys` are those the columns were read with, among them `keys_of(rule)`.
    """
    if not len(columns.at):
        nothing: Ints = np.empty(0, np.int64)
        return Found(*(nothing for _ in range(7)))
    return _Finder(columns, rule, keys, journey, micros(end)).find()


class _Finder:
    def __init__(
        self,
        columns: EventColumns,
        rule: RuleSpec,
        keys: tuple[str, ...],
        journey: JourneyDefinition,
        end: int,
    ) -> None:
        self.columns, self.rule, self.end = columns, rule, end
        self.count = len(columns.at)
        self.course = np.cumsum(columns.is_first) - 1
        self.first_row = np.flatnonzero(columns.is_first)
        self.step = journey.order[rule.step] + 1
        self.walk = _walk(columns, journey)
        self.is_anchor = columns.key == (keys.index(rule.event) + 1 if rule.event else -1)
        self.is_unless = np.isin(columns.key, [keys.index(one) + 1 for one in rule.unless])
        breaks = np.flatnonzero(columns.is_first | self.walk.has_ended)
        self.breaks = np.append(breaks, self.count)

    def find(self) -> Found:
        """Find the firings of the courses that can be told of; name the others."""
        walk, on_step = self.walk, self.walk.state == self.step
        opened = np.flatnonzero(walk.is_opened & on_step)
        ends = self._break_after(opened)
        odd = self._odd_courses(opened, ends)
        is_clear = ~odd[self.course[opened]]
        opened, ends = opened[is_clear], ends[is_clear]
        anchors, visits = self._anchors(opened, ends)
        opened, ends = opened[visits], ends[visits]
        due = self.columns.at[anchors] + micros(self.rule.after)
        # A look happens at the deadline and its lateness, or when we hear of the anchor if that is later.
        fired = np.maximum(due + self.columns.lateness[opened], self.columns.received[anchors])
        fires = (fired <= self.end) & (self._received(self._closing(ends)) > fired)
        news = self._next_news(anchors, ends)
        if self.rule.preset is Preset.GONE_QUIET:
            fires &= self._received(self._next_noted(anchors, ends)) > fired
        else:
            fires &= ~((self._at(news) <= due) & (self._received(news) <= fired))
        chosen = self._first_of_each(opened, fires)
        opened, ends, anchors, due, fired, news = (
            one[chosen] for one in (opened, ends, anchors, due, fired, news)
        )
        return Found(
            row=opened,
            visit_seq=self._visit_seq(opened),
            anchor=self.columns.at[anchors],
            due=due,
            fired=fired,
            came_back=self._came_back(fired, news, ends),
            left_rows=self._left(odd),
        )

    def _break_after(self, rows: Ints) -> Ints:
        """The first row after each that does not belong to its visit; the number of rows if there is none."""
        return self.breaks[np.searchsorted(self.breaks, rows, side="right")]

    def _closing(self, ends: Ints) -> Ints:
        """The row that closes each visit; the number of rows for one that nothing closes."""
        inside = np.minimum(ends, self.count - 1)
        return np.where((ends < self.count) & ~self.columns.is_first[inside], ends, self.count)

    def _at(self, rows: Ints) -> Ints:
        return self._value(self.columns.at, rows)

    def _received(self, rows: Ints) -> Ints:
        return self._value(self.columns.received, rows)

    def _value(self, values: Ints, rows: Ints) -> Ints:
        """The values of rows; for those beyond the last row, later than everything."""
        return np.where(rows < self.count, values[np.minimum(rows, self.count - 1)], _NEVER)

    def _anchors(self, opened: Ints, ends: Ints) -> tuple[Ints, Ints]:
        """The rows a clock may count from, in order, and the place of the visit each belongs to."""
        if self.rule.preset is Preset.GONE_QUIET:
            rows = np.flatnonzero(self.walk.is_noted & (self.walk.state == self.step))
            visits = np.searchsorted(opened, rows, side="right") - 1
            is_inside = visits >= 0
            rows, visits = rows[is_inside], visits[is_inside]
            is_inside = rows < ends[visits]
            return rows[is_inside], visits[is_inside]
        anchors = opened
        if self.rule.preset is Preset.ABSENCE and self.rule.event:
            anchors = _next_of(np.flatnonzero(self.walk.is_noted & self.is_anchor), opened, self.count)
        visits = np.flatnonzero(anchors < ends)
        return anchors[visits], visits

    def _next_noted(self, rows: Ints, ends: Ints) -> Ints:
        """The next event noted on each row's visit; the number of rows if there is none."""
        found = _next_of(np.flatnonzero(self.walk.is_noted), rows + 1, self.count)
        return np.where(found < ends, found, self.count)

    def _next_news(self, anchors: Ints, ends: Ints) -> Ints:
        """The first event on each visit, after its anchor in time, that ends the rule's reason."""
        ends_it = self.walk.is_noted
        if self.rule.preset is not Preset.GONE_QUIET:
            if not self.rule.unless:
                return np.full(len(anchors), self.count)
            ends_it = ends_it & self.is_unless
        rows = np.flatnonzero(ends_it)
        found = _next_of(rows, anchors + 1, self.count)
        while True:  # events at the very moment of the anchor are not after it
            again = (found < ends) & (self._at(found) == self.columns.at[anchors])
            if not again.any():
                return np.where(found < ends, found, self.count)
            found[again] = _next_of(rows, found[again] + 1, self.count)

    def _first_of_each(self, opened: Ints, fires: Bools) -> Ints:
        """The places of the first firing of each visit."""
        places = np.flatnonzero(fires)
        visits = opened[places]
        is_first = np.ones(len(places), np.bool_)
        is_first[1:] = visits[1:] != visits[:-1]
        return places[is_first]

    def _visit_seq(self, opened: Ints) -> Ints:
        """How many visits the course has had, this one included."""
        so_far = np.cumsum(self.walk.is_opened)
        start = self.first_row[self.course[opened]]
        found: Ints = so_far[opened] - so_far[start] + self.walk.is_opened[start]
        return found

    def _came_back(self, fired: Ints, news: Ints, ends: Ints) -> Ints:
        """When the reason of each firing ended with the customer going on; 0 where it did not, or they left."""
        closing = self._closing(ends)
        seen = news.copy()
        while True:  # what was known when it fired is seen at the first event after that
            early = (seen < self.count) & (self._received(seen) <= fired)
            if not early.any():
                break
            seen[early] += 1
            seen[early & (seen >= ends)] = self.count
        is_closing = closing <= seen
        rows = np.minimum(np.where(is_closing, closing, seen), self.count - 1)
        has_left = is_closing & (self.walk.is_reset[rows] | (self.columns.role[rows] == _EXIT))
        is_back = (np.minimum(closing, seen) < self.count) & ~has_left
        return np.where(is_back, np.maximum(self.columns.at[rows], fired), 0)

    def _odd_courses(self, opened: Ints, ends: Ints) -> Bools:
        """Which courses cannot be told of by columns."""
        odd = np.zeros(len(self.first_row), np.bool_)
        odd[self.course[self.walk.is_odd]] = True
        if self.rule.unless:
            # A visit remembers so many sightings of an event and no more.
            seen = np.cumsum(np.append(0, self.walk.is_noted & self.is_unless))
            odd[self.course[opened[seen[ends] - seen[opened] > KEPT_SIGHTINGS]]] = True
        return odd

    def _left(self, odd: Bools) -> Ints:
        """The first rows of the odd courses that come to the rule's step."""
        comes = np.zeros(len(odd), np.bool_)
        comes[self.course[self.columns.step == self.step]] = True
        return self.first_row[odd & comes]


def _next_of(rows: Ints, after: Ints, count: int) -> Ints:
    """The first of the sorted `rows` at or after each place; `count` where there is none."""
    return np.append(rows, count)[np.searchsorted(rows, after)]


def _walk(columns: EventColumns, journey: JourneyDefinition) -> _Course:
    """Move every customer through the journey."""
    milestones = [journey.order[one.id] + 1 for one in journey.steps if one.milestone]
    goal = journey.order[journey.goal] + 1
    is_first, at = columns.is_first, columns.at
    is_milestone = np.isin(columns.step, milestones)
    is_exit = columns.role == _EXIT
    is_goal = (columns.step == goal) & ~is_milestone
    waited = np.diff(at, prepend=at[:1])
    waited[is_first] = 0
    gap = micros(journey.gap) if journey.gap is not None else _NEVER
    is_reset = waited > gap
    value = np.where(is_exit | is_goal | is_milestone, 0, columns.step).astype(np.int64)
    sets = is_first | is_reset | is_exit | is_goal | ((columns.role == _ENTER) & ~is_milestone)
    spread = len(journey.steps) + 1
    base = np.cumsum(sets) * spread
    state = np.maximum.accumulate(base + value) - base
    before = _shifted(state, is_first)
    is_opened = (state > 0) & (is_reset | (state != before))
    has_ended = (before > 0) & (is_reset | (state != before))
    is_noted = (state > 0) & (value == state)
    is_odd = columns.is_doubtful | (waited < 0)
    if journey.gap is not None:
        # An event on a step the customer has left is no activity, so silence may be longer than it seems.
        last = np.maximum.accumulate(np.where(is_noted, np.arange(len(at)), 0))
        since = at - at[_shifted(last, is_first)]
        is_odd |= (before > 0) & ~is_reset & (since > gap)
    return _Course(state, is_reset, has_ended, is_opened, is_noted, is_odd)


def _shifted(values: NDArray[Any], is_first: Bools) -> NDArray[Any]:
    """The values of the rows before; 0 for the first of a course."""
    shifted = np.empty_like(values)
    shifted[0], shifted[1:] = 0, values[:-1]
    shifted[is_first] = 0
    return shifted
