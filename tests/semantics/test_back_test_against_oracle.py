"""The back-test finds the firings a plain reading finds when somebody looks every second; so does live."""

from collections.abc import Callable, Iterable
from datetime import timedelta

import pytest
from hypothesis import given
from sqlmodel import Session

from callcenter.backtest import BackTest, Extent, Stored, StoredEvents, back_test
from callcenter.domain.journey import JourneyDefinition
from callcenter.intake.rules import read_batch
from callcenter.journeys.policy import read_journey
from callcenter.journeys.rules import place_event
from callcenter.triggers.policy import read_rule
from tests.semantics.oracle import Event, Fired, Moment
from tests.semantics.player import START, at, played, raw_event
from tests.semantics.worlds import Story, World, examples, told_by_the_oracle, worlds

pytestmark = pytest.mark.slow


def looked_at_every_second(world: World) -> World:
    """The same batches, with a look in every second; those of one second come in as one."""
    end = max(moment.at for moment in world.history)
    history = []
    for second in range(end + 1):
        events = tuple(one for m in world.history if m.at == second for one in m.events)
        history += [Moment(second, events)] if events else []
        history.append(Moment(second))
    return world.with_history(history)


def one_batch_a_second(world: World) -> World:
    """The same world where what comes in in one second is one batch, as the back-test takes it."""
    by_second: dict[int, tuple[Event, ...]] = {}
    for moment in world.history:
        if moment.events:
            by_second[moment.at] = (*by_second.get(moment.at, ()), *moment.events)
    batches = [Moment(second, events) for second, events in by_second.items()]
    return world.with_history([*batches, Moment(world.history[-1].at)])


def looked_at_in_time(world: World) -> World:
    """The same batches, with a look at each moment at which some deadline can run out, and no other."""
    afters = [int(rule["after"].removesuffix("s")) for rule in world.rules if "after" in rule]
    dues = {event.happened + after + world.lateness for event in world.events for after in afters}
    end = max(moment.at for moment in world.history)
    ticks = [Moment(due) for due in dues if 0 <= due < end]
    batches = [moment for moment in world.history if moment.events]
    return world.with_history([*sorted([*batches, *ticks], key=_batches_first), Moment(end)])


def _batches_first(moment: Moment) -> tuple[int, bool]:
    return moment.at, not moment.events


def ended_by_somebody_else(world: World) -> World:
    """The same world with one event at its end: the clock of a back-test ends with what came in last."""
    end = world.history[-1].at
    return world.with_history([*world.history, Moment(end, (Event(end, "zz", "zoe", "a1", "s0"),))])


def stored_of(world: World, journey: JourneyDefinition) -> list[Stored]:
    """What is stored of a world's events, in the order of the back-test."""
    stored: dict[str, Stored] = {}
    for moment in world.history:
        for event in read_batch([raw_event(one) for one in moment.events], {}, at(moment.at)).events:
            place = place_event({journey.id: journey}, event)
            if place is None or event.historical or event.message_id in stored:
                continue
            who = event.user_id or ""
            lateness = timedelta(seconds=world.lateness)
            stored[event.message_id] = Stored(who, who, place, event, lateness)
    return sorted(
        stored.values(), key=lambda one: (one.event.received_at, one.event.event_time, one.event.message_id)
    )


def story_of(world: World, run: Callable[[int], BackTest]) -> Story:
    """The firings of every rule's back-test, as the oracle tells them."""
    story: Story = {}
    for number, rule in enumerate(world.rules):
        for one in run(number).firings:
            anchor, due = ((moment - START) // timedelta(seconds=1) for moment in (one.anchor_at, one.due_at))
            fired = Fired(rule["rule"], one.visit_seq, anchor, due)
            story.setdefault((one.customer, one.journey_key), []).append(fired)
    return {course: sorted(found) for course, found in story.items()}


def told_by_the_back_test(world: World, stored: Iterable[Stored], journey: JourneyDefinition) -> Story:
    """Run every rule over these events, until every deadline has passed."""
    events = list(stored)
    extent = Extent(len(events), START, at(world.history[-1].at))
    return story_of(world, lambda n: back_test(read_rule(world.rules[n], journey), journey, events, extent))


@examples(150)
@given(world=worlds(in_order=True) | worlds(in_order=False))
def test_a_back_test_fires_exactly_what_the_rules_say(world: World) -> None:
    journey = read_journey(world.journey)
    found = told_by_the_back_test(world, stored_of(world, journey), journey)
    assert found == told_by_the_oracle(looked_at_every_second(world))


@examples(10)
@given(world=(worlds(in_order=True) | worlds(in_order=False)).map(one_batch_a_second))
def test_live_looked_at_in_time_and_a_back_test_of_what_it_stored_fire_the_same(
    session: Session, world: World
) -> None:
    world = looked_at_in_time(ended_by_somebody_else(world))
    journey = read_journey(world.journey)
    rules = [read_rule(rule, journey) for rule in world.rules]
    expected = told_by_the_oracle(looked_at_every_second(world))
    with played(session.connection(), world) as player:
        assert player.story() == expected

        def run(number: int) -> BackTest:
            stored = StoredEvents(player.session, journey)
            events = stored.of_step(rules[number].step, with_properties=True)
            result = back_test(rules[number], journey, events, stored.extent())
            player.session.rollback()
            return result

        assert story_of(world, run) == expected
