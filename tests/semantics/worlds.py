"""Random small worlds: a journey, some rules, and what came in and when somebody looked.

A visit remembers the latest 16 sightings of an event one by one; no world has more of one kind in a course.
"""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from callcenter.domain.journey import KEPT_SIGHTINGS
from tests.semantics.oracle import DAY, Event, Fired, Moment, firings, names_of

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
LATENESSES = (0, 5, 15)
AFTERS = ("10s", "20s", "30s", "60s", "120s")
WITHINS = ("5s", "15s", "30s", "60s")
PAUSES = (0, 0, 1, 1, 5, 10, 15, 20, 30, 35, 60, 65, 120, 135, 299, 300, 301)
"""Seconds between two events; sums of deadlines and latenesses, so that many fall on the very moment."""
DELAYS = (0, 0, 0, 1, 5, 6, 15, 20, 40, 80, 135, 301, 620)
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
    return firings(world.journey, world.rules, world.lateness, world.history)


def worlds(*, in_order: bool, anonymous: bool = False) -> SearchStrategy[World]:
    """Worlds whose events come in as they happened, or late and out of order, some of them twice.

    In an `anonymous` one there is one customer with one journey key.
    """
    return _worlds(in_order, ONE_CUSTOMER if anonymous else CUSTOMERS, False)


def worlds_of_devices() -> SearchStrategy[World]:
    """Worlds in which devices change hands: nobody known on them, sign-ins, aliases, another customer after."""
    return _worlds(False, ON_DEVICES, True) | _worlds(True, ON_DEVICES, True)


CUSTOMERS = (*((("ann", ""),) * 5), ("ben", ""))
ONE_CUSTOMER = (("ann", ""),)
ON_DEVICES = (
    *(("", "d1"), ("", "d1"), ("", "d1"), ("", "d2"), ("", "d2"), ("", "d3")),
    *(("ann", "d1"), ("ann", "d2"), ("ann", ""), ("ben", "d1"), ("ben", "d3")),
)
"""Who is named and on which device, in the events of a world; none where nobody is said."""


@st.composite
def _worlds(draw: DrawFn, in_order: bool, people: Sequence[tuple[str, str]], signing_in: bool) -> World:
    journey = draw(_journeys())
    rules = draw(st.lists(_rules(journey), min_size=2, max_size=4))
    rules += [draw(_sibling(rule)) for rule in rules if draw(st.booleans())]
    rules = [{**rule, "rule": f"r{number}"} for number, rule in enumerate(rules)]
    events = draw(_events(journey, rules, people, signing_in))
    batches = draw(_batches(events, in_order))
    lateness = draw(st.sampled_from(LATENESSES))
    afters = {int(rule["after"].removesuffix("s")) for rule in rules if "after" in rule}
    dues = {event.happened + after + lateness for event in events for after in afters}
    return World(journey, rules, lateness, draw(_with_ticks(batches, dues)))


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
    if crossing := draw(st.none() | st.sampled_from(CROSSINGS)):
        steps[draw(st.integers(0, 1))]["crossing"] = crossing
    return {
        "journey": "story",
        "key": "application",
        "gap": draw(st.sampled_from(["none", GAP])),
        "steps": [*steps, {"id": "goal", "enter": ["goal"]}],
        "exits": draw(st.sampled_from([[], ["left"]])),
    }


CROSSINGS = (
    {"property": "amount", "above": 2, "rearm": 1},
    {"property": "amount", "above": 1, "rearm": 1},
    {"property": "amount", "below": 1, "rearm": 2},
    {"property": "amount", "below": 2, "rearm": 2},
)
"""Thresholds among the amounts from 0 to 3, with and without room between crossing and crossing again."""


@st.composite
def _rules(draw: DrawFn, journey: Mapping[str, Any]) -> dict[str, Any]:
    step = draw(st.sampled_from([one for one in journey["steps"][:3] if one.get("enter") != ["goal"]]))
    presets = [
        "dwell",
        "gone_quiet",
        "gone_quiet",
        "absence",
        "moment",
        *(["trouble"] * 3 if step["errors"] else []),
    ]
    preset = draw(st.sampled_from(presets))
    name = step["id"]
    rule = {"rule": "r", "journey": journey["journey"], "step": name, "preset": preset}
    if preset in ("dwell", "gone_quiet", "absence") or draw(st.booleans()):
        rule["after"] = draw(st.sampled_from(AFTERS))
    if preset in ("absence", "moment"):
        rule["event"] = draw(st.sampled_from([name, f"{name}_touch"]))
    if preset == "trouble":
        rule |= draw(_troubles(step))
    if "event" in rule or preset == "trouble":
        rule["where"] = draw(st.none() | st.none() | _of_amount("event.amount"))
    if draw(st.booleans()):
        rule["unless"] = draw(
            st.sampled_from([[f"{name}_ok"], [f"{name}_ok"], [f"{name}_ok", f"{name}_touch"]])
        )
    if condition := draw(st.none() | _conditions(name)):
        rule["conditions"] = condition
    rule["priority"] = draw(st.integers(0, 100))
    return {name: said for name, said in rule.items() if said is not None}


@st.composite
def _troubles(draw: DrawFn, step: Mapping[str, Any]) -> dict[str, Any]:
    """What counts as trouble: the errors of the step, some of them, or any event too often."""
    trouble = draw(
        st.sampled_from([{}, {}, {"errors": step["errors"][:1]}, {"event": f"{step['id']}_touch"}])
    )
    times = draw(st.sampled_from([1, 2, 2, 3, 4]))
    within = draw(st.none() | st.sampled_from(WITHINS)) if times > 1 else None
    return {**trouble, "times": times, "within": within}


@st.composite
def _sibling(draw: DrawFn, rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule that counts from the same anchor as another, or nearly so, and runs out before, after or with it."""
    sibling = {**rule, "after": draw(st.sampled_from(AFTERS)), "priority": draw(st.integers(0, 100))}
    for entry in ("conditions", "unless", "where", "within"):
        if entry in sibling and draw(st.booleans()):
            del sibling[entry]
    if "within" in sibling:
        sibling["within"] = draw(st.sampled_from(WITHINS))
    elif "times" in sibling:
        sibling["times"] = draw(st.integers(1, 4))
    return sibling


@st.composite
def _conditions(draw: DrawFn, step: str) -> dict[str, Any]:
    errors = st.builds(_at_least, st.just("visit.errors"), st.integers(1, 2))
    minutes = st.builds(_at_least, st.just("visit.minutes"), st.sampled_from([0.5, 1, 2]))
    last = st.sampled_from([f"{step}_fail", f"{step}_crash"]).map(
        lambda name: {"field": "visit.last_error", "op": "=", "value": name}
    )
    condition = draw(errors | minutes | last | _of_amount("visit.amount") | _of_amount("visit.amount"))
    return {"not": condition} if draw(st.booleans()) else condition


def _at_least(field: str, value: float) -> dict[str, Any]:
    return {"field": field, "op": ">=", "value": value}


def _of_amount(field: str) -> SearchStrategy[dict[str, Any]]:
    comparisons = st.builds(
        lambda op, value: {"field": field, "op": op, "value": value},
        st.sampled_from([">=", "<"]),
        st.integers(1, 3),
    )
    return comparisons | comparisons.map(lambda one: {"not": one})


@st.composite
def _events(
    draw: DrawFn,
    journey: Mapping[str, Any],
    rules: Sequence[Mapping[str, Any]],
    people: Sequence[tuple[str, str]],
    signing_in: bool,
) -> list[Event]:
    """What customers did, in the order it happened: mostly what the rules watch for, with everything else."""
    names = [name for step in journey["steps"] for name in names_of(step)]
    often = st.sampled_from([name for rule in rules for name in _watched(journey, rule)])
    anything = st.sampled_from([*names, *journey["exits"]])
    done = st.tuples(
        st.sampled_from(draw(st.sampled_from([PAUSES, PAUSES[:8]]))),
        often | often | often | anything,
        st.sampled_from(people),
        st.sampled_from(["a1"] if len(people) == 1 else ["a1"] * 8 + ["a2"]),
        st.none() | st.integers(0, 3),
        st.sampled_from(["", "", "", "identify", "alias"]) if signing_in else st.just(""),
    )
    events: list[Event] = []
    at = 0
    for number, (pause, name, (who, device), key, amount, says) in enumerate(
        draw(st.lists(done, min_size=6, max_size=24))
    ):
        # Where two devices of a customer are in the same place of a course, the later activity says which of
        # the two stays are over; no two devices are active in one second.
        at += max(pause, 1) if events and device != events[-1].device and device else pause
        told = says if who and device and says else name
        events.append(Event(at, f"m{number:03d}", who, key, told, amount, device))
    return _remembered(events)


def _watched(journey: Mapping[str, Any], rule: Mapping[str, Any]) -> list[str]:
    """The events that move a rule's clock."""
    step = next(one for one in journey["steps"] if one["id"] == rule["step"])
    if rule["preset"] == "trouble":
        trouble = rule.get("errors") or ([rule["event"]] if "event" in rule else step["errors"])
        return [*trouble, *trouble, *rule.get("unless", ())]
    return [rule.get("event", rule["step"]), rule["step"], f"{rule['step']}_touch", *rule.get("unless", ())]


def _remembered(events: Iterable[Event]) -> list[Event]:
    """Leave out what a visit would not remember one by one."""
    kept, seen = [], Counter[tuple[str, str]]()
    for event in events:
        seen[event.journey_key, event.name] += 1
        if seen[event.journey_key, event.name] <= KEPT_SIGHTINGS:
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
        size = draw(st.sampled_from([1, 1, 1, 2, 4]))
        taken, arrivals = arrivals[:size], arrivals[size:]
        before = moments[-1].at if moments else 0
        at = max(before, taken[-1][0] + draw(st.sampled_from(DELAYS if in_order else (0,))))
        batch = [event for _, event in taken]
        if moments and draw(st.integers(0, 3)) == 0:
            batch.insert(0, draw(st.sampled_from(draw(st.sampled_from(moments)).events)))
        if draw(st.integers(0, 9)) == 0:
            old = draw(st.sampled_from(events))
            batch.append(replace(old, message_id=f"old{len(moments)}", happened=at - DAY - 1))
        moments.append(Moment(at, tuple(draw(st.permutations(batch)))))
    return moments


@st.composite
def _with_ticks(draw: DrawFn, batches: Sequence[Moment], dues: Collection[int]) -> list[Moment]:
    """Let the scheduler look when deadlines may run out or beside that, and once when all have passed."""
    end = max(*dues, batches[-1].at) if dues else batches[-1].at
    near = sorted({due + beside for due in dues for beside in (-1, 0, 0, 1)} | {0, end})
    ticks = [Moment(at) for at in draw(st.lists(st.sampled_from(near), max_size=12)) if at >= 0]
    history = sorted([*ticks, *batches], key=lambda moment: (moment.at, bool(moment.events)))
    return [*history, Moment(end + LONGEST)]


def cut_anew(history: Sequence[Moment]) -> SearchStrategy[list[Moment]]:
    """The same arrivals cut otherwise: what comes in in one second in other requests, stored at once or in turn.

    Some of it comes a second time, in a request that is stored together with the first.
    """
    return _cut_anew(history)


def broken_off(world: World, early: int) -> World:
    """The same world, ended so many moments early: what would be found too late is not found any more."""
    return world.with_history(world.history[: max(1, len(world.history) - early)])


@st.composite
def _cut_anew(draw: DrawFn, history: Sequence[Moment]) -> list[Moment]:
    cut: list[Moment] = []
    for moment in _seconds_of(history):
        left = list(moment.events)
        if left and draw(st.integers(0, 3)) == 0:
            left.insert(draw(st.integers(0, len(left))), draw(st.sampled_from(left)))
        while left:
            sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
            stored, left = left[: sum(sizes)], left[sum(sizes) :]
            while sum(sizes) > len(stored):
                sizes[-1] -= 1
                sizes = [size for size in sizes if size]
            cut.append(Moment(moment.at, tuple(stored), tuple(sizes)))
        if not moment.events:
            cut.append(moment)
    return cut


def _seconds_of(history: Sequence[Moment]) -> list[Moment]:
    """The same history, with what comes in in one second, one after the other, as one."""
    seconds: list[Moment] = []
    for moment in history:
        if seconds and moment.events and seconds[-1].events and seconds[-1].at == moment.at:
            seconds[-1] = Moment(moment.at, (*seconds[-1].events, *moment.events))
        else:
            seconds.append(moment)
    return seconds
