"""Whoever signs in takes their device's visits along, clocks and all: the live path against a plain reading."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject
from sqlmodel import Session

from tests.semantics.oracle import Event
from tests.semantics.test_live_against_oracle import early, live, restarts
from tests.semantics.worlds import (
    Story,
    World,
    broken_off,
    cut_anew,
    examples,
    told_by_the_oracle,
    worlds,
    worlds_of_devices,
)

pytestmark = pytest.mark.slow


@examples(30)
@given(world=worlds_of_devices(), restarts=restarts, early=early)
def test_devices_that_change_hands_fire_exactly_what_the_rules_say(
    session: Session, world: World, restarts: frozenset[int], early: int
) -> None:
    world = broken_off(world, early)
    assert live(session, world, restarts) == told_by_the_oracle(world)


@examples(15)
@given(world=worlds_of_devices(), restarts=restarts, data=st.data())
def test_sign_ins_in_requests_stored_together_fire_exactly_what_the_rules_say(
    session: Session, world: World, restarts: frozenset[int], data: DataObject
) -> None:
    world = world.with_history(data.draw(cut_anew(world.history)))
    assert live(session, world, restarts) == told_by_the_oracle(world)


def firings_of_anybody(story: Story) -> list[tuple[str, int, int]]:
    """The firings whoever they are stored for: a customer's visits are counted anew after the device's."""
    return sorted((one.rule, one.anchor, one.due) for found in story.values() for one in found)


@examples(15)
@given(world=worlds(in_order=True, anonymous=True), known_from=st.integers(1, 12))
def test_a_customer_who_signs_in_later_fires_what_one_known_from_the_start_does(
    session: Session, world: World, known_from: int
) -> None:
    before = {event.message_id for moment in world.history[:known_from] for event in moment.events}

    def on_a_device(event: Event) -> Event:
        return replace(event, device="d1", who="" if event.message_id in before else event.who)

    signing_in = [replace(one, events=tuple(map(on_a_device, one.events))) for one in world.history]
    found = live(session, world.with_history(signing_in))
    assert firings_of_anybody(found) == firings_of_anybody(told_by_the_oracle(world))
