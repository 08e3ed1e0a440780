"""Promises about rooms: who is in them, who hears whom, and how they end."""

from uuid import UUID, uuid4

from callcenter.domain.enums import AttemptState, SupervisorMode
from callcenter.domain.ports import Capability, JoinRoom, RoomAnswer, RoomChange, RoomEvent, RoomRole
from tests.contract.conformance.bench import Bench, Leg, needs, room_news
from tests.contract.conformance.scenes import Conversation, conversation, placed


def _is_live(bench: Bench, ref: str) -> bool:
    seen = bench.carrier.lookup(ref)
    return seen is not None and seen.state is not AttemptState.ENDED


def agent_and_customer_meet_and_the_room_says_so(bench: Bench) -> None:
    """Each leg that comes is told, under our name of the room, and the events can be put in order."""
    talk = conversation(bench)
    news = talk.news()
    assert {event.room for event in news} == {talk.room}
    joined = [event.ref for event in news if event.change is RoomChange.JOINED]
    assert sorted(map(str, joined)) == sorted([talk.agent_ref, talk.ref])
    counted = [event.sequence for event in news if event.sequence is not None]
    assert len(set(counted)) == len(counted)
    entered = {event.ref: event for event in news if event.change is RoomChange.JOINED}
    assert not entered[talk.ref].muted and not entered[talk.ref].held


def a_held_leg_is_told_held_until_it_is_not(bench: Bench) -> None:
    """Hold and back, as the carrier reports it: nobody believes what was only wished."""
    needs(bench, Capability.HOLD)
    talk = conversation(bench)
    assert bench.carrier.hold(talk.room, talk.ref, "en") is RoomAnswer.DONE
    talk.hears_of(lambda event: event.ref == talk.ref and event.held is True)
    assert bench.carrier.unhold(talk.room, talk.ref) is RoomAnswer.DONE
    bench.wait_for(lambda: [e.held for e in talk.of(talk.ref) if e.held is not None][-1] is False)
    assert not any(event.held for event in talk.of(talk.agent_ref)), "nobody else was held"
    assert _is_live(bench, talk.ref)


def a_muted_leg_is_told_muted_until_it_is_not(bench: Bench) -> None:
    """Mute and back, and muting twice is no fault."""
    talk = conversation(bench)
    for muted in (True, True, False):
        assert bench.carrier.mute(talk.room, talk.agent_ref, muted) is RoomAnswer.DONE
        bench.wait_for(lambda wanted=muted: _last_muted(talk) is wanted)  # type: ignore[misc]
    assert not any(event.muted for event in talk.of(talk.ref)), "nobody else was muted"


def _last_muted(talk: Conversation) -> bool | None:
    return [event.muted for event in talk.of(talk.agent_ref) if event.muted is not None][-1]


def _listens(bench: Bench, talk: Conversation) -> str:
    watch: UUID = uuid4()
    bench.answers(Leg.WATCH, watch, JoinRoom(talk.room, talk.agent, RoomRole.SUPERVISOR))
    return talk.joined(placed(bench.carrier.place_supervisor(watch, bench.agent_address(watch))))


def _is_heard_by_the_customer(event: RoomEvent) -> bool:
    return event.muted is False and not event.coaching


def a_supervisor_comes_in_unheard(bench: Bench) -> None:
    """Nobody notices that somebody listens."""
    talk = conversation(bench)
    boss = _listens(bench, talk)
    first = talk.of(boss)[0]
    assert first.change is RoomChange.JOINED and first.muted is True


def a_whisper_is_never_heard_by_the_customer(bench: Bench) -> None:
    """From listening to whispering in one step, and back: at no moment is the supervisor heard by all."""
    needs(bench, Capability.COACH)
    talk = conversation(bench)
    boss = _listens(bench, talk)
    assert bench.carrier.set_mode(talk.room, boss, SupervisorMode.WHISPER, talk.agent_ref) is RoomAnswer.DONE
    talk.hears_of(lambda event: event.ref == boss and event.muted is False and event.coaching is True)
    assert bench.carrier.set_mode(talk.room, boss, SupervisorMode.MONITOR, talk.agent_ref) is RoomAnswer.DONE
    bench.wait_for(lambda: talk.of(boss)[-1].muted is True)
    assert not [event for event in talk.of(boss) if _is_heard_by_the_customer(event)]


def a_supervisor_who_barges_in_is_heard_and_can_step_back(bench: Bench) -> None:
    """Barge, then listen again."""
    needs(bench, Capability.COACH)
    talk = conversation(bench)
    boss = _listens(bench, talk)
    assert bench.carrier.set_mode(talk.room, boss, SupervisorMode.BARGE, talk.agent_ref) is RoomAnswer.DONE
    talk.hears_of(lambda event: event.ref == boss and _is_heard_by_the_customer(event))
    assert bench.carrier.set_mode(talk.room, boss, SupervisorMode.MONITOR, talk.agent_ref) is RoomAnswer.DONE
    bench.wait_for(lambda: talk.of(boss)[-1].muted is True)


def a_leg_put_out_is_gone_and_putting_it_out_again_is_no_fault(bench: Bench) -> None:
    """Done, then gone; the others stay."""
    talk = conversation(bench)
    assert bench.carrier.remove(talk.room, talk.ref) is RoomAnswer.DONE
    talk.hears_of(lambda event: event.ref == talk.ref and event.change is RoomChange.LEFT)
    assert bench.carrier.remove(talk.room, talk.ref) is RoomAnswer.GONE
    assert bench.carrier.mute(talk.room, talk.ref, True) is RoomAnswer.GONE
    assert _is_live(bench, talk.agent_ref)


def a_customer_stays_when_the_agent_s_line_drops(bench: Bench) -> None:
    """The room outlives every leg: our server decides what a leave means."""
    talk = conversation(bench)
    assert bench.carrier.hang_up(talk.agent_ref)
    talk.hears_of(lambda event: event.ref == talk.agent_ref and event.change is RoomChange.LEFT)
    bench.lets_pass()
    assert _is_live(bench, talk.ref)
    assert not [event for event in talk.news() if event.change is RoomChange.ENDED]


def a_room_that_ends_ends_every_leg_and_ends_once(bench: Bench) -> None:
    """Done, then gone, and told."""
    talk = conversation(bench)
    assert bench.carrier.end_room(talk.room) is RoomAnswer.DONE
    talk.hears_of(lambda event: event.change is RoomChange.ENDED)
    bench.wait_for(lambda: not _is_live(bench, talk.ref) and not _is_live(bench, talk.agent_ref))
    assert bench.carrier.end_room(talk.room) is RoomAnswer.GONE


def a_room_nobody_is_in_is_gone(bench: Bench) -> None:
    """A benign race is an answer, not a failure."""
    room, ref = f"agent-{uuid4().hex}", bench.unheard_of()
    assert bench.carrier.end_room(room) is RoomAnswer.GONE
    assert bench.carrier.remove(room, ref) is RoomAnswer.GONE
    assert bench.carrier.mute(room, ref, True) is RoomAnswer.GONE
    assert bench.carrier.unhold(room, ref) is RoomAnswer.GONE


def a_call_that_is_moved_asks_anew_and_joins_the_other_room(bench: Bench) -> None:
    """A transfer: the customer leaves one agent's room for another's; a call that has ended is gone."""
    talk, other = conversation(bench), uuid4()
    room = f"agent-{other.hex}"
    bench.answers(Leg.AGENT, other, JoinRoom(room, other, RoomRole.AGENT))
    placed(bench.carrier.place_agent(other, bench.agent_address(other)))
    bench.answers(Leg.ATTEMPT, talk.attempt, JoinRoom(room, other, RoomRole.CUSTOMER))
    assert bench.carrier.move(talk.ref, talk.attempt) is RoomAnswer.DONE
    talk.hears_of(lambda event: event.ref == talk.ref and event.change is RoomChange.LEFT)
    bench.wait_for(
        lambda: [e for e in room_news(bench, other) if e.ref == talk.ref and e.change is RoomChange.JOINED]
    )
    assert _is_live(bench, talk.ref)
    bench.carrier.hang_up(talk.ref)
    bench.wait_for(lambda: not _is_live(bench, talk.ref))
    assert bench.carrier.move(talk.ref, talk.attempt) is RoomAnswer.GONE


PROMISES = (
    agent_and_customer_meet_and_the_room_says_so,
    a_held_leg_is_told_held_until_it_is_not,
    a_muted_leg_is_told_muted_until_it_is_not,
    a_supervisor_comes_in_unheard,
    a_whisper_is_never_heard_by_the_customer,
    a_supervisor_who_barges_in_is_heard_and_can_step_back,
    a_leg_put_out_is_gone_and_putting_it_out_again_is_no_fault,
    a_customer_stays_when_the_agent_s_line_drops,
    a_room_that_ends_ends_every_leg_and_ends_once,
    a_room_nobody_is_in_is_gone,
    a_call_that_is_moved_asks_anew_and_joins_the_other_room,
)
