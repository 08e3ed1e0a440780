"""The back-test finds the firings a plain reading finds when somebody looks every second; so does live.

By the plain loop and by columns, from the database and from the archive.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from sqlmodel import Session

from callcenter.backtest.columns import fits_columns
from callcenter.backtest.replay import back_test
from callcenter.backtest.run import Run, Tried, run_back_test
from callcenter.backtest.store import StoredEvents
from callcenter.backtest.values import BackTest, Extent, Firing, Stored
from callcenter.domain.journey import JourneyDefinition
from callcenter.intake.archive import archive_week
from callcenter.intake.partitions import keep_partitions, partition_of, week_of
from callcenter.intake.rules import read_batch
from callcenter.journeys.policy import read_journey
from callcenter.journeys.rules import place_event
from callcenter.triggers.policy import RuleSpec, read_rule
from tests.semantics.columns import back_test_by_columns
from tests.semantics.oracle import Event, Fired, Moment
from tests.semantics.player import START, at, played, raw_event
from tests.semantics.worlds import Story, World, examples, told_by_the_oracle, worlds

pytestmark = pytest.mark.slow


def looked_at_every_second(world: World) -> World:
    """The same batches, with a look in every second; those of one second come in as one."""
    end = max(moment.at for moment in world.history)
    history = []
    for second in range(end + 1):
        batch = together(second, world)
        history += [batch, Moment(second)] if batch.events else [Moment(second)]
    return world.with_history(history)


def together(second: int, world: World) -> Moment:
    """What comes in in one second, as if it were stored at once; each request remains one."""
    moments = [moment for moment in world.history if moment.at == second and moment.events]
    requests = [size for moment in moments for size in moment.requests or (len(moment.events),)]
    return Moment(second, tuple(one for moment in moments for one in moment.events), tuple(requests))


def one_batch_a_second(world: World) -> World:
    """The same world where what comes in in one second is one batch, as the back-test takes it."""
    seconds = sorted({moment.at for moment in world.history if moment.events})
    return world.with_history([*(together(one, world) for one in seconds), Moment(world.history[-1].at)])


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
    lateness = timedelta(seconds=world.lateness)
    for moment in world.history:
        begin = 0
        for size in moment.requests or (len(moment.events),):
            request = [raw_event(one) for one in moment.events[begin : begin + size]]
            begin += size
            for event in read_batch(request, {}, at(moment.at)).events:
                place = place_event({journey.id: journey}, event)
                if place and not event.historical and event.message_id not in stored:
                    stored[event.message_id] = Stored(event.user_id or "", place, event, lateness)
    return sorted(stored.values(), key=lambda one: (one.event.received_at, *one.event.order))


def story_of(world: World, run: Callable[[int], BackTest]) -> Story:
    """The firings of every rule's back-test, as the oracle tells them."""
    story: Story = {}
    for number, rule in enumerate(world.rules):
        for one in run(number).firings:
            anchor, due = ((moment - START) // timedelta(seconds=1) for moment in (one.anchor_at, one.due_at))
            fired = Fired(rule["rule"], one.visit_seq, anchor, due)
            story.setdefault((one.customer or one.customer_id, one.journey_key), []).append(fired)
    return {course: sorted(found) for course, found in story.items()}


def extent_of(world: World, events: list[Stored]) -> Extent:
    """So much that every deadline passes."""
    return Extent(len(events), START, at(world.history[-1].at))


@examples(150)
@given(world=worlds(in_order=True) | worlds(in_order=False))
def test_a_back_test_fires_exactly_what_the_rules_say(world: World) -> None:
    journey = read_journey(world.journey)
    events = stored_of(world, journey)
    extent = extent_of(world, events)
    found = story_of(world, lambda n: back_test(read_rule(world.rules[n], journey), journey, events, extent))
    assert found == told_by_the_oracle(looked_at_every_second(world))


def without_conditions(world: World, journey: JourneyDefinition) -> list[RuleSpec]:
    """The rules of a world that can be run by columns, their conditions left out."""
    plain = [{name: said for name, said in rule.items() if name != "conditions"} for rule in world.rules]
    return [rule for rule in (read_rule(one, journey) for one in plain) if fits_columns(rule, journey)]


@examples(300)
@given(world=worlds(in_order=True) | worlds(in_order=False))
def test_columns_find_what_the_plain_loop_finds_and_who_came_back(world: World) -> None:
    journey = read_journey(world.journey)
    events = stored_of(world, journey)
    extent = extent_of(world, events)
    for rule in without_conditions(world, journey) if events else ():
        by_columns, _ = back_test_by_columns(rule, journey, events, extent)
        assert by_columns.firings == back_test(rule, journey, events, extent).firings


@examples(50)
@given(world=worlds(in_order=True))
def test_columns_leave_no_course_to_the_plain_loop_where_nothing_comes_late(world: World) -> None:
    journey = read_journey({**world.journey, "gap": "none"})
    events = stored_of(world, journey)
    for rule in without_conditions(world, journey) if events else ():
        assert back_test_by_columns(rule, journey, events, extent_of(world, events))[1] == 0


@examples(10)
@given(world=(worlds(in_order=True) | worlds(in_order=False)).map(one_batch_a_second))
def test_live_looked_at_in_time_and_back_tests_of_what_it_stored_fire_the_same(
    session: Session, tmp_path: Path, world: World
) -> None:
    world = looked_at_in_time(ended_by_somebody_else(world))
    journey = read_journey(world.journey)
    rules = [Tried(read_rule(rule, journey), rule.get("conditions")) for rule in world.rules]
    expected = told_by_the_oracle(looked_at_every_second(world))
    with played(session.connection(), world) as player:
        assert player.story() == expected

        def run(number: int, *, plain_loop_only: bool = False) -> Run:
            stored = StoredEvents(player.session, journey, tmp_path)
            others = [replace_key(rule, f"other-{place}") for place, rule in enumerate(rules)]
            found = run_back_test(
                stored, journey, rules[number], others=others, plain_loop_only=plain_loop_only
            )
            player.session.rollback()
            return found

        def told() -> list[list[Firing]]:
            runs = [(run(number), run(number, plain_loop_only=True)) for number in range(len(rules))]
            for number, (one, by_loop) in enumerate(runs):
                assert one.back_test == by_loop.back_test and one.others == by_loop.others
                assert [(f.visit, f.fired_at) for f in one.others[f"other-{number}"]] == [
                    (f.visit, f.fired_at) for f in one.back_test.firings
                ]
            return [one.back_test.firings for one, _ in runs]

        in_the_database = told()
        assert (
            story_of(world, lambda n: BackTest(Extent(0, None, None), None, in_the_database[n])) == expected
        )
        keep_partitions(player.session, START, at(world.history[-1].at))
        archive_week(player.session, tmp_path, partition_of(week_of(START)), START)
        player.session.commit()
        assert told() == in_the_database


def replace_key(rule: Tried, key: str) -> Tried:
    """The same rule under another name."""
    return replace(rule, spec=replace(rule.spec, key=key))
