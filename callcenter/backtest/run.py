"""Running rules over stored events: by columns where they fit, by the plain loop where they do not."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from callcenter.backtest.columns import Found, find_firings, fits_columns, keys_of, moments
from callcenter.backtest.frames import Table
from callcenter.backtest.replay import replay
from callcenter.backtest.store import Course, StoredEvents
from callcenter.backtest.values import Attributes, BackTest, Extent, Firing, OnProgress, sorted_since
from callcenter.domain.enums import Preset
from callcenter.domain.journey import JourneyDefinition, VisitState
from callcenter.triggers.policy import RuleSpec
from callcenter.triggers.rules import facts_of

MOST_COLUMN_EVENTS = 50_000_000
"""Columns of more events would take some 6 GB of memory; the plain loop takes as much as there are courses."""
_NO_VISIT = VisitState(0, "", *(datetime(1970, 1, 1, tzinfo=UTC),) * 3)


@dataclass(frozen=True, slots=True)
class Tried:
    """A rule to try: compiled, and its conditions as they were written."""

    spec: RuleSpec
    conditions: Any = None

    @property
    def asks_of_customers_only(self) -> bool:
        """Whether its conditions can be asked once it has fired: they say the same at every look."""
        return self.spec.preset is not Preset.GONE_QUIET and all(
            name.startswith("customer.") for name in _fields(self.conditions)
        )

    def fits_columns(self, journey: JourneyDefinition) -> bool:
        """Whether it can be run over columns."""
        return fits_columns(self.spec, journey) and (
            not self.spec.has_conditions or self.asks_of_customers_only
        )


@dataclass
class Run:
    """What a rule, and others beside it, would have done; how many courses columns could not tell of."""

    back_test: BackTest
    others: Mapping[str, list[Firing]] = field(default_factory=dict)
    by_columns: bool = False
    courses_left: int = 0


def _fields(tree: Any) -> Iterator[str]:
    if isinstance(tree, Mapping):
        if "field" in tree:
            yield str(tree["field"])
        for inner in tree.values():
            yield from _fields(inner)
    elif isinstance(tree, list):
        for part in tree:
            yield from _fields(part)


def run_back_test(
    stored: StoredEvents,
    journey: JourneyDefinition,
    tried: Tried,
    *,
    others: Sequence[Tried] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    on_progress: Callable[[int, int | None], None] | None = None,
    plain_loop_only: bool = False,
) -> Run:
    """Run a rule over the stored events of its journey, and other rules of the journey beside it.

    Each rule runs as if it were alone. `stored` must have been opened with the same `until`. `on_progress` is
    told the events read, and how many there are where that is known.
    """
    runner = _Runner(stored, journey, since, until, on_progress)
    is_small = not plain_loop_only and stored.estimate() <= MOST_COLUMN_EVENTS
    fitting = [one for one in others if is_small and one.fits_columns(journey)]
    looped = [one for one in others if one not in fitting]
    by_columns = is_small and tried.fits_columns(journey)
    result = runner.by_columns([tried, *fitting], 0) if by_columns else runner.by_loop([tried])
    found: dict[str, list[Firing]] = {}
    if by_columns:
        found = dict(zip((one.spec.key for one in fitting), result[1:], strict=True))
    elif fitting:
        keys = [one.spec.key for one in fitting]
        found = dict(zip(keys, runner.by_columns(fitting, None), strict=True))
    if looped:
        found |= dict(zip((one.spec.key for one in looped), runner.by_loop(looped), strict=True))
    firings = result[0]
    names = stored.names({one.customer_id for one in firings})
    for one in firings:
        one.customer = names.get(one.customer_id, one.customer_id)
    extent = runner.extent or Extent(0, None, None)
    back_test = BackTest(extent, extent.clock_ends_at(until), firings)
    return Run(back_test, found, by_columns, runner.courses_left)


class _Runner:
    def __init__(
        self,
        stored: StoredEvents,
        journey: JourneyDefinition,
        since: datetime | None,
        until: datetime | None,
        on_progress: Callable[[int, int | None], None] | None,
    ) -> None:
        self.stored, self.journey, self.since, self.until = stored, journey, since, until
        self.on_progress = on_progress
        self.extent: Extent | None = None
        self.courses_left = 0

    def by_loop(self, rules: Sequence[Tried]) -> list[list[Firing]]:
        """Run rules by the plain loop over the courses that come to their steps."""
        if self.extent is None:
            self.extent = self.stored.extent()
        end = self.extent.clock_ends_at(self.until)
        if end is None:
            return [[] for _ in rules]
        specs = [one.spec for one in rules]
        asks = any(one.has_conditions or one.picks_events for one in specs)
        asks |= any(step.crossing for step in self.journey.steps)  # a score says where the customer is
        asks_customers = any(one.has_conditions for one in specs)
        events = self.stored.of_steps({one.step for one in specs}, with_properties=asks)
        attributes = self.stored.attributes() if asks_customers else None
        found = replay(specs, self.journey, events, end, attributes=attributes, on_progress=self._progress())
        return [sorted_since(found[one.key], self.since) for one in specs]

    def _progress(self) -> OnProgress | None:
        told, total = self.on_progress, self.extent.events if self.extent else None
        return (lambda done: told(done, total)) if told else None

    def by_columns(self, rules: Sequence[Tried], counted: int | None) -> list[list[Firing]]:
        """Run rules over columns, and the courses left by the plain loop; `counted` is whose are told of."""
        keys = tuple(sorted({key for one in rules for key in keys_of(one.spec)}))
        table, self.extent = self.stored.columns(keys, self._progress())
        end = self.extent.clock_ends_at(self.until)
        if end is None:
            return [[] for _ in rules]
        found = [find_firings(table.columns, one.spec, keys, self.journey, end) for one in rules]
        left = [set(table.whose(one.left_rows)) for one in found]
        if counted is not None:
            self.courses_left = len(left[counted])
        replayed = self._replay_left(rules, set().union(*left), end)
        firings = []
        for one, by_column, courses, by_loop in zip(rules, found, left, replayed, strict=True):
            mine = [
                *self._kept(one, _firings(table, by_column)),
                *(firing for firing in by_loop if (firing.customer_id, firing.journey_key) in courses),
            ]
            firings.append(sorted_since(mine, self.since))
        return firings

    def _replay_left(
        self, rules: Sequence[Tried], courses: Collection[Course], end: datetime
    ) -> list[list[Firing]]:
        if not courses:
            return [[] for _ in rules]
        # Under names of their own: the rule that is tried may be a version of one beside it.
        specs = [replace(one.spec, key=f"{number}") for number, one in enumerate(rules)]
        attributes = self._attributes(rules, [customer_id for customer_id, _ in courses])
        events = self.stored.of_courses(courses, with_properties=False)
        found = replay(specs, self.journey, events, end, attributes=attributes)
        return [found[one.key] for one in specs]

    def _attributes(self, rules: Sequence[Tried], customer_ids: Collection[str]) -> Attributes | None:
        if not any(one.spec.has_conditions for one in rules):
            return None
        return self.stored.attributes(customer_ids)

    def _kept(self, rule: Tried, firings: list[Firing]) -> list[Firing]:
        """Leave out the firings whose conditions do not hold for their customers."""
        if not rule.spec.has_conditions:
            return firings
        attributes = self.stored.attributes({one.customer_id for one in firings})
        holds = rule.spec.condition
        return [
            one for one in firings if holds(facts_of(_NO_VISIT, attributes(one.customer_id), one.fired_at))
        ]


def _firings(table: Table, found: Found) -> list[Firing]:
    times = (moments(column) for column in (found.anchor, found.due, found.fired, found.came_back))
    rows = zip(
        table.whose(found.row), found.visit_seq.tolist(), *times, found.came_back.tolist(), strict=True
    )
    return [
        Firing(customer_id, journey_key, seq, anchor, due, fired, back if has_come else None)
        for (customer_id, journey_key), seq, anchor, due, fired, back, has_come in rows
    ]
