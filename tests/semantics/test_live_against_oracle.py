"""The live path stores the firings a plain reading finds: nothing more, nothing less, and none twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject
from sqlmodel import Session

from tests.semantics.memory import told_in_memory
from tests.semantics.player import played
from tests.semantics.worlds import (
    Story,
    World,
    broken_off,
    cut_anew,
    examples,
    told_by_the_oracle,
    worlds,
)

pytestmark = pytest.mark.slow

restarts = st.frozensets(st.integers(0, 30), max_size=6)
early = st.integers(0, 9)


def live(session: Session, world: World, restarts: frozenset[int] = frozenset()) -> Story:
    """What is stored after a world was played."""
    with played(session.connection(), world, restarts) as player:
        return player.story()


@examples(200)
@given(world=worlds(in_order=True) | worlds(in_order=False), early=early)
def test_the_rules_by_themselves_find_exactly_what_a_plain_reading_finds(world: World, early: int) -> None:
    world = broken_off(world, early)
    assert told_in_memory(world) == told_by_the_oracle(world)


@examples(15)
@given(world=worlds(in_order=True), restarts=restarts, early=early)
def test_what_comes_in_as_it_happened_fires_exactly_what_the_rules_say(
    session: Session, world: World, restarts: frozenset[int], early: int
) -> None:
    world = broken_off(world, early)
    assert live(session, world, restarts) == told_by_the_oracle(world)


@examples(20)
@given(world=worlds(in_order=False), restarts=restarts, early=early)
def test_late_and_reordered_events_fire_exactly_what_was_known_at_each_look(
    session: Session, world: World, restarts: frozenset[int], early: int
) -> None:
    world = broken_off(world, early)
    assert live(session, world, restarts) == told_by_the_oracle(world)


@examples(20)
@given(world=worlds(in_order=True) | worlds(in_order=False), restarts=restarts, data=st.data())
def test_requests_stored_together_or_cut_otherwise_fire_exactly_what_the_rules_say(
    session: Session, world: World, restarts: frozenset[int], data: DataObject
) -> None:
    world = world.with_history(data.draw(cut_anew(world.history)))
    assert live(session, world, restarts) == told_by_the_oracle(world)
