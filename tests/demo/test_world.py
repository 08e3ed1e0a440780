"""The world of customers, driven by hand: its clock is an argument and nothing it speaks to is real."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from callcenter.demo.behaviour import chance_to_convince
from callcenter.demo.memory import Act, Customer, Memory, Phase, load_memory, save_memory
from callcenter.demo.people import draw_person
from callcenter.demo.truth import NO_TROUBLE, Step
from callcenter.demo.world import FOLLOWED_LIMIT, World

from .fakes import RecordingApp, RecordingTelephones, news_of

pytestmark = pytest.mark.slow

NOW = datetime(2026, 1, 14, 3, tzinfo=UTC).timestamp()
HOUR = 3600.0


def human_index(start: int = 0) -> int:
    index = start
    while draw_person(1, index, datetime.fromtimestamp(NOW, UTC)).telephone.outcome != "human":
        index += 1
    return index


def stopped_customer(index: int, step: Step = Step.ID_PHOTO_FRONT, agenda: tuple[Act, ...] = ()) -> Customer:
    person = draw_person(1, index, datetime.fromtimestamp(NOW, UTC))
    return Customer(person, step, phase=Phase.STOPPED, known=True, stopped_at=NOW - 300, agenda=list(agenda))


def quiet_world(
    customers: list[Customer], pace: float = 1.0
) -> tuple[World, RecordingApp, RecordingTelephones]:
    """A world to which practically nobody new comes."""
    app, telephones = RecordingApp(), RecordingTelephones()
    memory = Memory(1, next_index=1_000_000, customers=customers)
    return World(app, telephones, memory, NOW, pace, arrivals_per_min=1e-9), app, telephones


def live(world: World, seconds: float, start: float = NOW, every: float = 1.0) -> None:
    for tick in range(int(seconds / every) + 1):
        world.advance(start + tick * every)


def test_the_first_customers_of_a_new_demo_come_faster_than_those_after_them() -> None:
    world = World(RecordingApp(), RecordingTelephones(), Memory(1, 0), NOW, arrivals_per_min=6, opening=30)
    live(world, 30, every=0.25)
    assert 30 <= world.counts["arrived"] <= 40
    live(world, 600, start=NOW + 30)
    assert 60 <= world.counts["arrived"] <= 130


def called_customers(talked_s: float, count: int = 400) -> tuple[list[Customer], RecordingApp]:
    """Customers with a person at the telephone, each called once and talked to this long; then two hours."""
    index, customers = -1, []
    for _ in range(count):
        index = human_index(index + 1)
        customers.append(stopped_customer(index))
    world, app, telephones = quiet_world(customers)
    telephones.waiting = [
        news_of(customer.person.phone, sid=f"CA{customer.person.index}", ended=True, talked_s=talked_s)
        for customer in customers
    ]
    live(world, 2 * HOUR, every=5.0)
    return customers, app


def test_customers_arrive_at_the_asked_rate_and_report_themselves() -> None:
    app, telephones = RecordingApp(), RecordingTelephones()
    world = World(app, telephones, Memory(1, 0), NOW, arrivals_per_min=12)
    live(world, HOUR)
    assert world.counts["arrived"] == pytest.approx(720, rel=0.15)
    assert {event.properties["step"] for event in app.events if event.kind == "page"} == {
        step.value for step in Step if step is not Step.CREDIT_GRANTED
    }
    assert telephones.announced


def test_a_stranger_registers_under_the_device_and_is_joined_when_the_number_is_typed() -> None:
    app, telephones = RecordingApp(), RecordingTelephones()
    world = World(app, telephones, Memory(1, 0), NOW, arrivals_per_min=60)
    live(world, HOUR / 2)
    registrations = [
        event.index for event in app.events if event.properties.get("step") == "register" and not event.known
    ]
    assert registrations
    for index in registrations:
        events = app.of(index)
        assert events[0].kind == "page"
        known = [event.known for event in events]
        assert known == sorted(known)
        if True in known:
            assert events[known.index(True)].kind == "identify"


def test_a_returning_customer_is_identified_before_anything_else() -> None:
    app, telephones = RecordingApp(), RecordingTelephones()
    world = World(app, telephones, Memory(1, 0), NOW, arrivals_per_min=60)
    live(world, HOUR / 2)
    firsts = {index: app.of(index)[0] for index in {event.index for event in app.events}}
    returning = [event for event in firsts.values() if event.kind != "page"]
    assert returning
    assert all(event.kind == "identify" and event.known for event in returning)


def test_of_those_talked_to_the_convinced_share_gets_past_the_step() -> None:
    customers, app = called_customers(talked_s=60.0)
    advanced = {event.index for event in app.events if event.properties.get("step") == "id_photo_back"}
    # none of them was coming back anyway
    expected = chance_to_convince(Step.ID_PHOTO_FRONT, NO_TROUBLE, 300.0)
    assert len(advanced) / len(customers) == pytest.approx(expected, abs=0.06)


def test_nobody_is_convinced_by_a_few_seconds() -> None:
    _, app = called_customers(talked_s=14.0, count=100)
    assert app.events == []


def test_a_customer_may_go_back_while_still_on_the_call() -> None:
    customers = []
    index = -1
    for _ in range(150):
        index = human_index(index + 1)
        customers.append(stopped_customer(index))
    world, app, telephones = quiet_world(customers)
    telephones.waiting = [news_of(customer.person.phone, talking=True) for customer in customers]
    live(world, 14)
    assert app.events == []
    live(world, 45, start=NOW + 14)
    assert 0 < len({event.index for event in app.events}) < 40


def test_a_call_that_ended_early_convinces_nobody_later() -> None:
    customer = stopped_customer(human_index())
    world, app, _ = quiet_world([customer])
    world.hear(news_of(customer.person.phone, talking=True), NOW)
    world.hear(news_of(customer.person.phone, ended=True, talked_s=5.0), NOW + 6)
    live(world, 60)
    assert world.counts["talked_to"] == 0
    assert app.events == []


def test_the_same_call_told_twice_counts_once() -> None:
    customer = stopped_customer(human_index())
    world, _, _ = quiet_world([customer])
    for _ in range(3):
        world.hear(news_of(customer.person.phone, ended=True, talked_s=60.0), NOW)
    assert world.counts["talked_to"] == 1


def test_an_answering_machine_is_not_convinced() -> None:
    index = 0
    while draw_person(1, index, datetime.fromtimestamp(NOW, UTC)).telephone.outcome != "machine":
        index += 1
    customer = stopped_customer(index)
    world, _, _ = quiet_world([customer])
    world.hear(news_of(customer.person.phone, ended=True, talked_s=60.0), NOW)
    assert world.counts["talked_to"] == 0


def test_who_was_coming_back_anyway_comes_back_though_called() -> None:
    customer = stopped_customer(human_index(), agenda=(Act(NOW + 1800, "returns"),))
    world, app, _ = quiet_world([customer])
    world.hear(news_of(customer.person.phone, ringing=True), NOW)
    world.hear(news_of(customer.person.phone, ended=True, talked_s=60.0), NOW + 20)
    live(world, HOUR)
    assert any(event.name == "photo_accepted" for event in app.events)


def test_a_call_to_somebody_unknown_changes_nothing() -> None:
    world, app, _ = quiet_world([stopped_customer(human_index())])
    world.hear(news_of("+8613000000000", ended=True, talked_s=60.0), NOW)
    live(world, 10)
    assert app.events == []


def test_after_a_carrier_restart_every_number_is_announced_again() -> None:
    customers = [stopped_customer(1), stopped_customer(2)]
    world, _, telephones = quiet_world(customers)
    telephones.restarted = True
    world.advance(NOW)
    assert set(telephones.announced) == {customer.person.phone for customer in customers}


def test_at_a_faster_pace_the_same_things_happen_sooner() -> None:
    customer = stopped_customer(1, agenda=(Act(NOW, "returns"),))
    world, app, _ = quiet_world([customer], pace=60.0)
    live(world, 10, every=0.1)
    assert any(event.name == "photo_accepted" for event in app.events)


def test_the_followed_customers_are_bounded() -> None:
    world = World(RecordingApp(), RecordingTelephones(), Memory(1, 0), NOW, arrivals_per_min=3000)
    for tick in range(FOLLOWED_LIMIT + 3000):
        world.advance(NOW + tick)
    assert len(world) <= FOLLOWED_LIMIT


def test_a_restart_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    path = tmp_path / "home" / "demo-state.json"
    world = World(RecordingApp(), RecordingTelephones(), Memory(1, 0), NOW, arrivals_per_min=60)
    live(world, 600)
    save_memory(path, world.remember(calls_after=42))
    before, after = load_memory(path, seed=1), load_memory(path, seed=1)
    assert before == after == world.remember(calls_after=42)
    assert before is not None and after is not None and before.calls_after == 42

    stories = []
    for memory in (before, after):
        app = RecordingApp()
        again = World(app, RecordingTelephones(), memory, NOW + 600, arrivals_per_min=1e-9)
        live(again, HOUR, start=NOW + 600)
        stories.append(app.events)
    assert stories[0] == stories[1] != []


def test_new_customers_after_a_restart_are_new() -> None:
    app = RecordingApp()
    world = World(app, RecordingTelephones(), Memory(1, 0), NOW, arrivals_per_min=60)
    live(world, 300)
    memory = world.remember(calls_after=0)
    live(world, 15, start=NOW + 301)  # lived on after the last save, then was killed
    seen = {event.index for event in app.events}
    again = RecordingApp()
    memory.customers = []
    live(World(again, RecordingTelephones(), memory, NOW + 320, arrivals_per_min=60), 300, start=NOW + 320)
    assert again.events
    assert seen.isdisjoint(event.index for event in again.events)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 1}', '{"format": 1, "seed": 1, "next_index": "x"}']
)
def test_a_damaged_state_file_is_a_new_beginning_not_a_crash(tmp_path: Path, text: str) -> None:
    path = tmp_path / "demo-state.json"
    path.write_text(text)
    assert load_memory(path, seed=1) is None
    assert load_memory(tmp_path / "none.json", seed=1) is None
