"""The live path stores the firings a plain reading finds: nothing more, nothing less, and none twice."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from tests.semantics.oracle import Event, Fired, Moment
from tests.semantics.player import RawOf, played, raw_event
from tests.semantics.worlds import Story, World, examples, told_by_the_oracle, worlds

pytestmark = pytest.mark.slow

restarts = st.frozensets(st.integers(0, 20), max_size=6)


def live(
    session: Session, world: World, restarts: frozenset[int] = frozenset(), raw_of: RawOf = raw_event
) -> Story:
    """What is stored after a world was played."""
    with played(session.connection(), world, restarts, raw_of) as player:
        return player.story()


@examples(25)
@given(world=worlds(in_order=True), restarts=restarts)
def test_what_comes_in_as_it_happened_fires_exactly_what_the_rules_say(
    session: Session, world: World, restarts: frozenset[int]
) -> None:
    assert live(session, world, restarts) == told_by_the_oracle(world)


@examples(30)
@given(world=worlds(in_order=False), restarts=restarts)
def test_late_and_reordered_events_fire_exactly_what_was_known_at_each_look(
    session: Session, world: World, restarts: frozenset[int]
) -> None:
    assert live(session, world, restarts) == told_by_the_oracle(world)


def of_a_device(event: Event) -> dict[str, object]:
    """The event before anybody has signed in."""
    return {**raw_event(replace(event, who="")), "anonymousId": "d1"}


def of_a_customer(event: Event) -> dict[str, object]:
    """The event of a customer on the same device."""
    return {**raw_event(event), "anonymousId": "d1"}


def firings_of_anybody(story: Story) -> list[tuple[str, int, int]]:
    """The firings whoever they are stored for: a customer's visits are counted anew after the device's."""
    return sorted((one.rule, one.anchor, one.due) for found in story.values() for one in found)


@examples(25)
@given(world=worlds(in_order=True, anonymous=True), known_from=st.integers(1, 12))
def test_a_customer_who_signs_in_later_fires_what_one_known_from_the_start_does(
    session: Session, world: World, known_from: int
) -> None:
    before = {event.message_id for moment in world.history[:known_from] for event in moment.events}

    def raw_of(event: Event) -> dict[str, object]:
        return of_a_device(event) if event.message_id in before else of_a_customer(event)

    found = live(session, world, raw_of=raw_of)
    assert firings_of_anybody(found) == firings_of_anybody(told_by_the_oracle(world))


JOURNEY: dict[str, Any] = {
    "journey": "story",
    "key": "application",
    "gap": "none",
    "steps": [
        {"id": "s0", "enter": ["s0"], "events": ["s0_touch", "s0_ok"], "errors": ["s0_fail"]},
        {"id": "goal", "enter": ["goal"]},
    ],
}
RULE: dict[str, Any] = {"rule": "r0", "journey": "story", "step": "s0", "after": "60s"}


def happened(second: int, name: str, amount: int | None = None) -> Event:
    """One event of Ann's."""
    return Event(second, f"m{second:03d}", "ann", "a1", name, amount)


def comes(at: int, *events: Event) -> Moment:
    """A batch that comes in; without events, a tick."""
    return Moment(at, events)


def test_a_device_and_its_customer_in_one_batch_are_one_course(session: Session) -> None:
    batch = comes(10, happened(0, "s0"), happened(10, "s0_touch"))
    world = World(JOURNEY, [{**RULE, "preset": "dwell"}], 0, [batch, comes(200)])
    found = live(
        session, world, raw_of=lambda one: (of_a_device if one.happened == 0 else of_a_customer)(one)
    )
    assert found == told_by_the_oracle(world) == {("ann", "a1"): [Fired("r0", 1, 0, 60)]}


def test_a_success_in_time_counts_when_others_came_before_and_after(session: Session) -> None:
    rule = {**RULE, "preset": "trouble", "unless": ["s0_ok"]}
    course = [happened(0, "s0_ok"), happened(10, "s0_fail"), happened(20, "s0_ok"), happened(100, "s0_ok")]
    world = World(JOURNEY, [rule], 0, [*(comes(one.happened, one) for one in course), comes(200)])
    assert live(session, world) == told_by_the_oracle(world) == {}


def test_a_late_event_does_not_put_an_old_value_over_a_newer_one(session: Session) -> None:
    rule = {**RULE, "preset": "dwell", "conditions": {"field": "visit.amount", "op": ">=", "value": 3}}
    late = comes(25, happened(10, "s0_touch", 1))
    history = [comes(0, happened(0, "s0")), comes(20, happened(20, "s0_touch", 3)), late, comes(200)]
    assert live(session, World(JOURNEY, [rule], 0, history)) == {("ann", "a1"): [Fired("r0", 1, 0, 60)]}
