"""Random small worlds: a journey, some rules, and what came in and when somebody looked."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.semantics.oracle import DAY, Event, Fired, Moment, course_of, firings

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
LATENESSES = (0, 5, 15)
AFTERS = ("10s", "20s", "30s", "60s", "120s")
PAUSES = (0, 1, 5, 10, 15, 20, 30, 35, 60, 65, 120, 135, 301)
"""Seconds between two events; sums of deadlines and latenesses, so that many fall on the very moment."""
DELAYS = (0, 0, 0, 1, 5, 6, 15, 20, 40, 80)
GAP = "300s"
LONGEST = 120 + max(LATENESSES)
"""After so many seconds of nothing, every deadline has passed."""


def examples(count: int) -> settings:
    """Settings for a property: so many examples, or fifty times as many with HYPOTHESIS_PROFILE=long."""
    return settings(
        max_examples=count * 50 if LONG else count,
        deadline=None,
        derandomize="CI" in os.environ,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@dataclass(frozen=True)
class World:
    """A journey and rules as their files say them, one source's lateness in seconds, and a history."""

    journey: Mapping[str, Any]
    rules: Sequence[Mapping[str, Any]]
    lateness: int
    history: Sequence[Moment]

    @property
    def events(self) -> list[Event]:
        """Every event, as often as it was sent."""
        return [event for moment in self.history for event in moment.events]

    def with_history(self, history: Sequence[Moment]) -> "World":
        """The same journey and rules with another history."""
        return replace(self, history=history)


Story = dict[tuple[str, str], list[Fired]]
"""The firings of each course (customer and journey key) that has any, in order."""


def told_by_the_oracle(world: World) -> Story:
    """What should be stored after this history."""
    story = {}
    for who, key in {(event.who, event.journey_key) for event in world.events}:
        course = course_of(world.history, who, key)
        found = [firings(world.journey, rule, world.lateness, course) for rule in world.rules]
        if any(found):
            story[who, key] = sorted(set().union(*found))
    return story


def worlds(*, in_order: bool, anonymous: bool = False) -> SearchStrategy[World]:
    """Worlds whose events come in as they happened, or late and out of order, some of them twice.

    In an `anonymous` one there is one customer with one journey key.
    """
    return _worlds(in_order, anonymous)


@st.composite
def _worlds(draw: DrawFn, in_order: bool, anonymous: bool) -> World:
    journey = draw(_journeys())
    rules = draw(st.lists(_rules(journey), min_size=2, max_size=5))
    rules = [{**rule, "rule": f"r{number}"} for number, rule in enumerate(rules)]
    events = draw(_events(journey, ("ann",) if anonymous else ("ann", "ann", "ben", "cat")))
    batches = draw(_batches(events, in_order))
    return World(journey, rules, draw(st.sampled_from(LATENESSES)), draw(_with_ticks(batches)))


@st.composite
def _journeys(draw: DrawFn) -> dict[str, Any]:
    count = draw(st.integers(3, 5))
    steps: list[dict[str, Any]] = []
    for number in range(count - 1):
        name = f"s{number}"
        errors = [f"{name}_fail"] if number < 2 or draw(st.booleans()) else []
        steps.append(
            {"id": name, "enter": [name], "events": [f"{name}_touch", f"{name}_ok"], "errors": errors}
        )
    steps[0]["errors"] = ["s0_fail", "s0_crash"]
    if count > 3 and draw(st.booleans()):
        steps[-1]["milestone"] = True
    return {
        "journey": "story",
        "key": "application",
        "gap": draw(st.sampled_from(["none", GAP])),
        "steps": [*steps, {"id": "goal", "enter": ["goal"]}],
        "exits": draw(st.sampled_from([[], ["left"]])),
    }


@st.composite
def _rules(draw: DrawFn, journey: Mapping[str, Any]) -> dict[str, Any]:
    step = draw(st.sampled_from([one for one in journey["steps"][:3] if one.get("enter") != ["goal"]]))
    presets = ["dwell", "gone_quiet", "absence", "moment", *(["trouble"] * 2 if step["errors"] else [])]
    preset = draw(st.sampled_from(presets))
    name = step["id"]
    rule = {"rule": "r", "journey": journey["journey"], "step": name, "preset": preset}
    if preset in ("dwell", "gone_quiet", "absence") or draw(st.booleans()):
        rule["after"] = draw(st.sampled_from(AFTERS))
    if preset in ("absence", "moment"):
        rule["event"] = draw(st.sampled_from([name, f"{name}_touch"]))
    if preset == "trouble":
        rule["times"] = draw(st.integers(1, 3))
    if draw(st.booleans()):
        rule["unless"] = [f"{name}_ok"]
    if condition := draw(st.none() | _conditions()):
        rule["conditions"] = condition
    rule["priority"] = draw(st.integers(0, 100))
    return rule


@st.composite
def _conditions(draw: DrawFn) -> dict[str, Any]:
    errors = st.builds(lambda value: {"field": "visit.errors", "op": ">=", "value": value}, st.integers(1, 2))
    amounts = st.builds(
        lambda op, value: {"field": "visit.amount", "op": op, "value": value},
        st.sampled_from([">=", "<"]),
        st.integers(1, 3),
    )
    condition = draw(errors | amounts)
    return {"not": condition} if draw(st.booleans()) else condition


@st.composite
def _events(draw: DrawFn, journey: Mapping[str, Any], people: Sequence[str]) -> list[Event]:
    """What customers did, in the order it happened."""
    names = [
        name
        for step in journey["steps"]
        for name in (*step["enter"], *step.get("events", ()), *step.get("errors", ()))
        for _ in range(1 if step["id"] == "goal" else 3 if step["id"] in ("s0", "s1") else 2)
    ]
    done = st.tuples(
        st.sampled_from(PAUSES),
        st.sampled_from([*names, *journey["exits"]]),
        st.sampled_from(people),
        st.sampled_from(["a1"] if len(people) == 1 else ["a1", "a1", "a1", "a2"]),
        st.none() | st.integers(0, 3),
    )
    events, at = [], 0
    for number, (pause, name, who, key, amount) in enumerate(draw(st.lists(done, min_size=4, max_size=16))):
        at += pause
        events.append(Event(at, f"m{number:03d}", who, key, name, amount))
    return _few_successes(events)


def _few_successes(events: Iterable[Event]) -> list[Event]:
    """Leave out a third success of one kind: see the property that is known not to hold for those."""
    kept, seen = [], Counter[tuple[str, str, str]]()
    for event in events:
        seen[event.who, event.journey_key, event.name] += 1
        if not event.name.endswith("_ok") or seen[event.who, event.journey_key, event.name] <= 2:
            kept.append(event)
    return kept


@st.composite
def _batches(draw: DrawFn, events: Sequence[Event], in_order: bool) -> list[Moment]:
    """Cut what happened into requests; `in_order` means that nothing comes in before what happened earlier."""
    if in_order:
        arrivals = [(event.happened, event) for event in events]
    else:
        delays = draw(st.lists(st.sampled_from(DELAYS), min_size=len(events), max_size=len(events)))
        arrivals = [(one.happened + delay, one) for one, delay in zip(events, delays, strict=True)]
        arrivals.sort(key=lambda arrival: arrival[0])
    moments: list[Moment] = []
    while arrivals:
        size = draw(st.integers(1, 4))
        taken, arrivals = arrivals[:size], arrivals[size:]
        before = moments[-1].at if moments else 0
        at = max(before, taken[-1][0] + draw(st.sampled_from(DELAYS if in_order else (0,))))
        batch = [event for _, event in taken]
        if moments and draw(st.integers(0, 3)) == 0:
            batch.insert(0, draw(st.sampled_from(moments[-1].events)))
        if draw(st.integers(0, 9)) == 0:
            old = draw(st.sampled_from(events))
            batch.append(replace(old, message_id=f"old{len(moments)}", happened=at - DAY - 1))
        moments.append(Moment(at, tuple(draw(st.permutations(batch)))))
    return moments


@st.composite
def _with_ticks(draw: DrawFn, batches: Sequence[Moment]) -> list[Moment]:
    """Let the scheduler look at random moments, and once when every deadline has passed."""
    end = batches[-1].at + LONGEST
    ticks = [Moment(at) for at in draw(st.lists(st.integers(0, end), max_size=8))]
    history = sorted([*ticks, *batches], key=lambda moment: (moment.at, bool(moment.events)))
    return [*history, Moment(end)]
