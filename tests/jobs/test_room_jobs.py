"""Jobs and ticks of rooms, watches, automatic dialing and the carrier's days: what they ask a carrier."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import select

from callcenter import dialer, pipeline, talk
from callcenter.domain.enums import (
    AttemptState,
    CallResult,
    DialingMode,
    OutboxKind,
    Presence,
    Role,
    SupervisorMode,
    WorkState,
)
from callcenter.domain.ids import derived_id
from callcenter.domain.ports import CallSnapshot, Placed, RoomAnswer, RoomChange, RoomEvent
from callcenter.models import Agent, AgentLeg, CarrierDay, ContactAttempt, Customer, Incident, User, Watch
from callcenter.moves import room_of
from tests.jobs.conftest import Floor
from workers import jobs, ticks


@dataclass
class FakeCarrier:
    """A carrier that does as told and remembers what it was asked."""

    asked: list[tuple[Any, ...]] = field(default_factory=list)
    says: RoomAnswer = RoomAnswer.DONE
    legs_up: set[str] = field(default_factory=set)
    listed: Sequence[CallSnapshot] | None = ()
    made_for: dict[str, UUID] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        def act(*args: Any) -> RoomAnswer:
            self.asked.append((name, *args))
            return self.says

        if name in ("hold", "unhold", "mute", "move", "pause_recording", "set_mode"):
            return act
        raise AttributeError(name)

    def place_supervisor(self, watch_id: UUID, address: str) -> Placed:
        self.asked.append(("place_supervisor", address))
        return Placed("CA-boss")

    def hang_up(self, ref: str) -> bool:
        self.asked.append(("hang_up", ref))
        return True

    def lookup(self, ref: str) -> CallSnapshot:
        is_up = ref in self.legs_up
        state, result = (AttemptState.ANSWERED, None) if is_up else (AttemptState.ENDED, CallResult.COMPLETED)
        return CallSnapshot(ref, state, result, "", None)

    def calls_between(self, start: datetime, end: datetime) -> Sequence[CallSnapshot] | None:
        return self.listed

    def identify(self, ref: str) -> UUID | None:
        return self.made_for.get(ref)


@pytest.fixture
def carrier(floor: Floor) -> FakeCarrier:
    """The carrier the jobs ask."""
    fake = FakeCarrier()
    floor.runtime.carrier = fake  # type: ignore[assignment]
    return fake


@pytest.fixture
def call(floor: Floor, carrier: FakeCarrier) -> ContactAttempt:
    """An agent in their room, talking to a customer."""
    attempt = floor.has_claimed_attempt()
    floor.bank.agent_line_is_up()
    pipeline.begin_placing(floor.bank.session, attempt.id, floor.now)
    pipeline.note_placement(floor.bank.session, attempt.id, Placed("CA1"), floor.now)
    floor.bank.picks_up(attempt.id)
    return floor.attempt()


def test_a_wish_is_asked_once_and_what_was_done_is_noted(
    floor: Floor, call: ContactAttempt, carrier: FakeCarrier
) -> None:
    bank, room = floor.bank, room_of(floor.bank.agent_id)
    talk.hold_customer(bank.session, call.id, bank.agent_id, floor.now, on=True)
    talk.mute_agent(bank.session, call.id, bank.agent_id, floor.now, on=True)
    for _ in range(2):
        floor.runs(jobs.settle_call, OutboxKind.SETTLE_CALL)
    assert carrier.asked == [("hold", room, "CA1", "zh"), ("mute", room, "CA-agent", True)]
    assert floor.attempt().is_held


def test_a_carrier_that_was_not_asked_is_asked_again(
    floor: Floor, call: ContactAttempt, carrier: FakeCarrier
) -> None:
    talk.hold_customer(floor.bank.session, call.id, floor.bank.agent_id, floor.now, on=True)
    carrier.says = RoomAnswer.NOT_ASKED
    with pytest.raises(ConnectionError):
        floor.runs(jobs.settle_call, OutboxKind.SETTLE_CALL)
    assert floor.message(OutboxKind.SETTLE_CALL).done_at is None and not floor.attempt().is_held
    carrier.says = RoomAnswer.DONE
    assert floor.runs(jobs.settle_call, OutboxKind.SETTLE_CALL).done_at and floor.attempt().is_held


def test_a_pause_before_anything_is_recorded_stays_a_wish(
    floor: Floor, call: ContactAttempt, carrier: FakeCarrier
) -> None:
    talk.pause_recording(floor.bank.session, call.id, floor.bank.agent_id, floor.now, on=True)
    carrier.says = RoomAnswer.GONE
    floor.runs(jobs.settle_call, OutboxKind.SETTLE_CALL)
    assert floor.attempt().pause_wanted and not floor.attempt().is_paused


@pytest.mark.parametrize("is_up", [True, False])
def test_a_customer_is_held_for_a_dropped_agent_only_if_the_carrier_says_so_too(
    floor: Floor, call: ContactAttempt, carrier: FakeCarrier, is_up: bool
) -> None:
    carrier.legs_up = {"CA-agent"} if is_up else set()
    left = RoomEvent("r", "k", RoomChange.LEFT, "CA-agent", sequence=1, room_ref="CF1")
    talk.note_room_event(floor.bank.session, floor.bank.agent_id, left, floor.now)
    floor.runs(jobs.settle_call, OutboxKind.SETTLE_CALL)
    assert [name for name, *_ in carrier.asked] == ([] if is_up else ["hold"])
    assert (floor.attempt().agent_lost_at is None) is is_up


def test_a_tick_rescues_the_customer_of_an_agent_who_stays_away(
    floor: Floor, call: ContactAttempt, carrier: FakeCarrier
) -> None:
    other = floor.bank.another_agent()
    talk.note_agent_leg(floor.bank.session, floor.bank.agent_id, "CA-agent", AttemptState.ENDED, floor.now)
    floor.bank.session.commit()
    floor.bank.clock.go_on(seconds=19)
    ticks.rescue(floor.runtime)
    assert floor.attempt().agent_id == floor.bank.agent_id
    floor.bank.clock.go_on(seconds=1)
    ticks.rescue(floor.runtime)
    assert floor.attempt().agent_id == other
    floor.runs(jobs.settle_call, OutboxKind.SETTLE_CALL)
    assert ("move", "CA1", call.id) in carrier.asked


def test_a_conversation_is_not_cut_because_the_word_about_the_agents_line_was_lost(
    floor: Floor, carrier: FakeCarrier
) -> None:
    attempt = floor.has_claimed_attempt()
    floor.bank.agent_line_is_up()
    leg = floor.bank.session.get_one(AgentLeg, floor.bank.agent_id)
    leg.state = AttemptState.PLACED  # the callback "answered" never came
    floor.bank.session.commit()
    pipeline.begin_placing(floor.bank.session, attempt.id, floor.now)
    floor.bank.picks_up(attempt.id)
    assert floor.attempt().agent_lost_at is not None
    carrier.legs_up = {"CA-agent"}
    floor.bank.clock.go_on(seconds=30)
    ticks.rescue(floor.runtime)
    assert floor.attempt().agent_lost_at is None and floor.attempt().cancel_asked_at is None
    floor.runs(jobs.settle_call, OutboxKind.SETTLE_CALL)
    assert carrier.asked == [], "nobody is held who talks"


def test_a_line_nothing_was_heard_of_is_looked_up(floor: Floor, carrier: FakeCarrier) -> None:
    floor.bank.agent_is_available()
    floor.bank.agent_line_is_up()
    floor.bank.clock.go_on(minutes=5)
    ticks.look_at_lines(floor.runtime)
    floor.bank.session.expire_all()
    assert floor.bank.session.get_one(AgentLeg, floor.bank.agent_id).state == AttemptState.ENDED


def _boss(floor: Floor) -> User:
    """A supervisor with a telephone."""
    boss = User(
        id=derived_id("user", "boss"),
        login="boss",
        name="Boss",
        role=Role.SUPERVISOR,
        password_hash="-",
        created_at=floor.now,
        telephone="+8613900000001",
    )
    floor.bank.session.add(boss)
    floor.bank.session.flush()
    return boss


def test_a_supervisor_is_called_once_and_whispers_in_one_request(
    floor: Floor, call: ContactAttempt, carrier: FakeCarrier
) -> None:
    bank = floor.bank
    boss = _boss(floor)
    watch_id = talk.begin_watch(bank.session, boss.id, bank.agent_id, SupervisorMode.WHISPER, floor.now)
    for _ in range(2):
        floor.runs(jobs.place_watch, OutboxKind.PLACE_WATCH)
    assert carrier.asked == [("place_supervisor", "+8613900000001")]
    joined = RoomEvent("r", "j", RoomChange.JOINED, "CA-boss", muted=True, sequence=2, room_ref="CF1")
    talk.note_room_event(bank.session, bank.agent_id, joined, floor.now)
    floor.runs(jobs.settle_watch, OutboxKind.SETTLE_WATCH)
    room = room_of(bank.agent_id)
    assert carrier.asked[1:] == [("set_mode", room, "CA-boss", SupervisorMode.WHISPER, "CA-agent")]
    talk.leave_watch(bank.session, watch_id, boss.id, floor.now)
    carrier.legs_up = {"CA-boss"}
    floor.runs(jobs.settle_watch, OutboxKind.SETTLE_WATCH)
    assert carrier.asked[-1] == ("hang_up", "CA-boss")
    assert bank.session.get_one(Watch, watch_id).ended_at is None, "not before the carrier says so"


@pytest.mark.parametrize("was_placed", [True, False])
def test_a_supervisor_is_free_again_whatever_was_lost(
    floor: Floor, call: ContactAttempt, carrier: FakeCarrier, was_placed: bool
) -> None:
    bank, boss = floor.bank, _boss(floor)
    watch_id = talk.begin_watch(bank.session, boss.id, bank.agent_id, SupervisorMode.MONITOR, floor.now)
    if was_placed:
        floor.runs(jobs.place_watch, OutboxKind.PLACE_WATCH)
    else:
        talk.begin_watching(bank.session, watch_id, floor.now)  # and here the worker dies
        bank.session.commit()
    floor.bank.clock.go_on(seconds=59)
    ticks.look_at_lines(floor.runtime)
    bank.session.expire_all()
    assert bank.session.get_one(Watch, watch_id).ended_at is None
    floor.bank.clock.go_on(seconds=1)
    ticks.look_at_lines(floor.runtime)
    bank.session.expire_all()
    assert bank.session.get_one(Watch, watch_id).ended_at == floor.now
    talk.begin_watch(bank.session, boss.id, bank.agent_id, SupervisorMode.MONITOR, floor.now)


def test_a_supervisor_who_leaves_is_out_even_if_the_callback_is_lost(
    floor: Floor, call: ContactAttempt, carrier: FakeCarrier
) -> None:
    bank, boss = floor.bank, _boss(floor)
    watch_id = talk.begin_watch(bank.session, boss.id, bank.agent_id, SupervisorMode.MONITOR, floor.now)
    floor.runs(jobs.place_watch, OutboxKind.PLACE_WATCH)
    talk.leave_watch(bank.session, watch_id, boss.id, floor.now)
    floor.runs(jobs.settle_watch, OutboxKind.SETTLE_WATCH)
    bank.session.expire_all()
    assert bank.session.get_one(Watch, watch_id).ended_at == floor.now


def test_a_closed_console_is_taken_out_of_the_line_by_a_tick(floor: Floor, carrier: FakeCarrier) -> None:
    floor.bank.agent_is_available()
    floor.bank.clock.go_on(seconds=46)
    ticks.expire(floor.runtime)
    floor.bank.session.expire_all()
    agent = floor.bank.session.get_one(Agent, floor.bank.agent_id)
    assert (agent.presence, agent.work_state) == (Presence.NOT_READY, WorkState.IDLE)


def test_a_pacing_tick_dials_with_an_agent_waiting(floor: Floor, carrier: FakeCarrier) -> None:
    floor.has_waiting_task()
    floor.bank.agent_is_available()
    floor.bank.agent_line_is_up()
    ticks.pace(floor.runtime)
    assert floor.bank.attempts() == [], "automatic dialing is off"
    dialer.set_campaign(floor.bank.session, "loan", DialingMode.PREDICTIVE, floor.bank.agent_id, floor.now)
    dialer.set_automatic(floor.bank.session, floor.bank.agent_id, floor.now, allowed=True)
    floor.bank.session.commit()
    ticks.pace(floor.runtime)
    attempt = floor.attempt()
    assert (attempt.agent_id, attempt.mode) == (floor.bank.agent_id, DialingMode.PROGRESSIVE)


# -- the carrier's days -----------------------------------------------------------------------------------------


def _listed(ref: str, to: str, at: datetime) -> CallSnapshot:
    return CallSnapshot(ref, AttemptState.ENDED, CallResult.COMPLETED, to, at)


def test_a_day_is_compared_once_both_ways_and_a_call_nobody_asked_for_freezes(
    floor: Floor, call: ContactAttempt, carrier: FakeCarrier
) -> None:
    yesterday = floor.now
    carrier.listed = None
    floor.bank.clock.go_on(days=1)
    ticks.compare_days(floor.runtime)
    assert floor.bank.session.exec(select(CarrierDay)).all() == [], "the carrier could not be asked"
    carrier.listed = [
        _listed("CA1", call.to_number, yesterday),
        _listed("CA-agent", "client:agent_x", yesterday),
        _listed("CA-ghost", call.to_number, yesterday),
    ]
    carrier.made_for = {"CA-ghost": call.id}
    for _ in range(2):
        ticks.compare_days(floor.runtime)
    floor.bank.session.expire_all()
    (day,) = floor.bank.session.exec(select(CarrierDay))
    assert (day.day_on, day.attempts, day.carrier_calls) == (yesterday.date(), 1, 3)
    assert (day.unknown_to_us, day.unknown_to_carrier) == (1, 0)
    (incident,) = floor.bank.session.exec(select(Incident))
    assert (incident.kind, incident.attempt_id) == ("call_without_attempt", call.id)
    assert floor.bank.session.get_one(Customer, call.customer_id).frozen_at is not None


def test_a_stray_call_that_a_person_has_looked_into_does_not_freeze_anew(
    floor: Floor, call: ContactAttempt, carrier: FakeCarrier
) -> None:
    told = Incident(
        at=floor.now, kind="second_call_for_attempt", attempt_id=call.id, detail={"ref": "CA-ghost"}
    )
    told.resolved_at = floor.now
    floor.bank.session.add(told)
    floor.bank.session.commit()
    carrier.listed = [_listed("CA-ghost", call.to_number, floor.now)]
    floor.bank.clock.go_on(days=1)
    ticks.compare_days(floor.runtime)
    assert len(floor.bank.session.exec(select(Incident)).all()) == 1


def test_an_attempt_the_carrier_does_not_list_is_counted(
    floor: Floor, call: ContactAttempt, carrier: FakeCarrier
) -> None:
    floor.bank.clock.now += timedelta(days=1)
    ticks.compare_days(floor.runtime)
    (day,) = floor.bank.session.exec(select(CarrierDay))
    assert (day.attempts, day.unknown_to_carrier, day.unknown_to_us) == (1, 1, 0)
