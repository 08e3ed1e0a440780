"""Stored events as the columns a back-test reads them into."""

from collections.abc import Sequence

import numpy as np

from callcenter.backtest.columns import ROLES, EventColumns, Found, find_firings, keys_of, micros, moments
from callcenter.backtest.replay import replay
from callcenter.backtest.values import BackTest, Extent, Firing, Stored, sorted_since
from callcenter.domain.journey import JourneyDefinition
from callcenter.triggers.policy import RuleSpec


def columns_of(events: Sequence[Stored], keys: Sequence[str], journey: JourneyDefinition) -> EventColumns:
    """Put stored events, already course by course, into columns."""
    courses = [(one.customer_id, one.place.journey_key) for one in events]
    rows = [
        (
            not number or courses[number] != courses[number - 1],
            journey.order[one.place.step] + 1 if one.place.step else 0,
            ROLES[one.place.role],
            keys.index(one.place.key) + 1 if one.place.key in keys else 0,
            micros(one.event.event_time),
            micros(one.event.received_at),
            micros(one.lateness),
            False,
        )
        for number, one in enumerate(events)
    ]
    kinds = (bool, np.int8, np.int8, np.int16, np.int64, np.int64, np.int64, bool)
    return EventColumns(*(np.array([row[i] for row in rows], kind) for i, kind in enumerate(kinds)))


def back_test_by_columns(
    rule: RuleSpec, journey: JourneyDefinition, events: Sequence[Stored], extent: Extent
) -> tuple[BackTest, int]:
    """Run a rule by columns where it can be, and by the plain loop over the courses left; count those."""
    keys = keys_of(rule)
    ordered = sorted(events, key=lambda one: (one.customer_id, one.place.journey_key))  # a stable sort
    end = extent.clock_ends_at(None)
    assert end is not None
    found = find_firings(columns_of(ordered, keys, journey), rule, keys, journey, end)
    left = {(ordered[row].customer_id, ordered[row].place.journey_key) for row in found.left_rows}
    rest = [one for one in events if (one.customer_id, one.place.journey_key) in left]
    firings = [*firings_of(found, ordered), *replay([rule], journey, rest, end)[rule.key]]
    return BackTest(extent, end, sorted_since(firings, None)), len(left)


def firings_of(found: Found, events: Sequence[Stored]) -> list[Firing]:
    """The firings found, named by the events they are of."""
    times = (moments(column) for column in (found.anchor, found.due, found.fired, found.came_back))
    rows = zip(found.row.tolist(), found.visit_seq.tolist(), *times, found.came_back.tolist(), strict=True)
    return [
        Firing(
            events[row].customer_id,
            events[row].place.journey_key,
            seq,
            anchor,
            due,
            fired,
            back if came_back else None,
        )
        for row, seq, anchor, due, fired, back, came_back in rows
    ]
