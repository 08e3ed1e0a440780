"""Who is in the room: hold, mute, transfer, an agent whose line drops, supervisors who listen, closed consoles."""

from datetime import timedelta
from itertools import count
from uuid import UUID

import pytest
from sqlmodel import select

from callcenter import pipeline, talk
from callcenter.calls.policy import AGENT_BACK_WITHIN
from callcenter.domain.enums import (
    AnsweredBy,
    AttemptState,
    CallResult,
    NotReadyReason,
    OutboxKind,
    Presence,
    Role,
    SupervisorMode,
    TaskState,
    WorkState,
)
from callcenter.domain.ids import derived_id
from callcenter.domain.ports import HangUp, JoinRoom, MachineHeard, Placed, RoomChange, RoomEvent, RoomRole
from callcenter.errors import Conflict, Forbidden
from callcenter.models import (
    Agent,
    AgentLeg,
    AuditEntry,
    CallTask,
    ContactAttempt,
    OutboxMessage,
    User,
    Watch,
)
from callcenter.moves import room_of
from callcenter.routing.policy import SILENT_BROWSER, WRAP_UP
from tests.factories import Bank, user_in_arm

RULE = "id-photo-trouble"
_seq = count(1)


def _talking(bank: Bank) -> ContactAttempt:
    """An agent in their room, talking to a customer."""
    bank.agent_line_is_up()
    attempt_id = bank.is_placing(RULE)
    pipeline.note_placement(bank.session, attempt_id, Placed("CA1"), bank.clock.now)
    bank.hears(attempt_id, AttemptState.RINGING)
    assert bank.picks_up(attempt_id) == JoinRoom(room_of(bank.agent_id), bank.agent_id)
    return _row(bank, attempt_id)


def _row(bank: Bank, attempt_id: UUID) -> ContactAttempt:
    return bank.session.get_one(ContactAttempt, attempt_id, populate_existing=True)


def _agent(bank: Bank, agent_id: UUID | None = None) -> Agent:
    return bank.session.get_one(Agent, agent_id or bank.agent_id, populate_existing=True)


def _in_room(bank: Bank, change: RoomChange, ref: str, agent: UUID | None = None, **flags: bool) -> None:
    number = next(_seq)
    event = RoomEvent(
        room_of(agent or bank.agent_id), f"k{number}", change, ref, sequence=number, room_ref="CF1", **flags
    )
    talk.note_room_event(bank.session, agent or bank.agent_id, event, bank.clock.now)
    bank.session.commit()


def _left(bank: Bank, kind: OutboxKind) -> int:
    rows = bank.session.exec(select(OutboxMessage).where(OutboxMessage.kind == kind))
    return sum(message.done_at is None for message in rows)


def test_hold_is_wished_settled_and_believed_when_the_carrier_says_so(bank: Bank) -> None:
    attempt = _talking(bank)
    talk.hold_customer(bank.session, attempt.id, bank.agent_id, bank.clock.now, on=True)
    found = talk.call_to_settle(bank.session, attempt.id)
    assert found is not None and found.wishes.hold is True and found.room == room_of(bank.agent_id)
    assert not attempt.is_held
    _in_room(bank, RoomChange.CHANGED, "CA1", held=True)
    assert _row(bank, attempt.id).is_held
    assert talk.call_to_settle(bank.session, attempt.id) is None, "nothing is left to ask"
    talk.hold_customer(bank.session, attempt.id, bank.agent_id, bank.clock.now, on=False)
    again = talk.call_to_settle(bank.session, attempt.id)
    assert again is not None and again.wishes.hold is False


def test_only_the_agent_on_the_call_may_touch_it_and_only_while_it_lasts(bank: Bank) -> None:
    attempt = _talking(bank)
    other = bank.another_agent()
    with pytest.raises(Forbidden):
        talk.hold_customer(bank.session, attempt.id, other, bank.clock.now, on=True)
    bank.hears(attempt.id, AttemptState.ENDED, CallResult.COMPLETED)
    with pytest.raises(Conflict):
        talk.hold_customer(bank.session, attempt.id, bank.agent_id, bank.clock.now, on=True)


def test_an_older_word_on_the_room_changes_nothing(bank: Bank) -> None:
    _talking(bank)
    for number, muted in ((9, True), (8, False)):
        event = RoomEvent(
            "r", f"m{number}", RoomChange.CHANGED, "CA-agent", muted=muted, sequence=number, room_ref="CF1"
        )
        talk.note_room_event(bank.session, bank.agent_id, event, bank.clock.now)
    leg = bank.session.get_one(AgentLeg, bank.agent_id, populate_existing=True)
    assert leg.is_muted


def test_a_call_handed_to_a_colleague_takes_its_task_along_and_moves_the_customer(bank: Bank) -> None:
    attempt = _talking(bank)
    other = bank.another_agent()
    talk.transfer_call(bank.session, attempt.id, bank.agent_id, other, bank.clock.now)
    bank.session.commit()
    found = talk.call_to_settle(bank.session, attempt.id)
    assert found is not None and found.wishes.is_moved
    assert bank.picks_up(attempt.id) == JoinRoom(room_of(other), other), "the carrier asks anew where to go"
    _in_room(bank, RoomChange.LEFT, "CA1")
    _in_room(bank, RoomChange.JOINED, "CA1", other)
    assert talk.call_to_settle(bank.session, attempt.id) is None, "nothing is left to move"
    assert (_agent(bank).work_state, _agent(bank, other).work_state) == (WorkState.IDLE, WorkState.TALKING)
    assert bank.tasks()[0].agent_id == other
    bank.hears(attempt.id, AttemptState.ENDED, CallResult.COMPLETED)
    assert (_agent(bank).work_state, _agent(bank, other).work_state) == (WorkState.IDLE, WorkState.WRAPPING)
    acts = [entry.act for entry in bank.session.exec(select(AuditEntry))]
    assert acts == ["call.transferred"]


def test_a_call_is_not_handed_to_one_who_is_not_free_or_not_on_the_line(bank: Bank) -> None:
    attempt = _talking(bank)
    other = bank.another_agent()
    for spoil in (
        lambda: pipeline.set_presence(
            bank.session, other, Presence.NOT_READY, NotReadyReason.BREAK, bank.clock.now
        ),
        lambda: talk.note_agent_leg(bank.session, other, "CA-other", AttemptState.ENDED, bank.clock.now),
    ):
        spoil()
        with pytest.raises(Conflict, match="not free"):
            talk.transfer_call(bank.session, attempt.id, bank.agent_id, other, bank.clock.now)
        pipeline.set_presence(bank.session, other, Presence.AVAILABLE, None, bank.clock.now)
    assert _row(bank, attempt.id).agent_id == bank.agent_id


def _drops(bank: Bank, how: str) -> None:
    if how == "left the room":
        _in_room(bank, RoomChange.LEFT, "CA-agent")
    else:
        talk.note_agent_leg(bank.session, bank.agent_id, "CA-agent", AttemptState.ENDED, bank.clock.now)
        bank.session.commit()


@pytest.mark.parametrize("how", ["left the room", "hung up"])
def test_a_customer_whose_agent_drops_is_held_and_has_them_back(bank: Bank, how: str) -> None:
    attempt = _talking(bank)
    _drops(bank, how)
    assert _row(bank, attempt.id).agent_lost_at == bank.clock.now
    found = talk.call_to_settle(bank.session, attempt.id)
    assert found is not None and found.wishes.hold is True and found.waits_for_agent
    assert _left(bank, OutboxKind.SETTLE_CALL) and _left(bank, OutboxKind.CONNECT_AGENT)
    assert _agent(bank).work_state == WorkState.TALKING
    talk.note_settled(bank.session, attempt.id, bank.clock.now, hold=True)
    bank.clock.go_on(seconds=8)
    if how == "hung up":
        bank.agent_line_is_up(ref="CA-agent-2")
    else:
        _in_room(bank, RoomChange.JOINED, "CA-agent")
    assert _row(bank, attempt.id).agent_lost_at is None
    settled = talk.call_to_settle(bank.session, attempt.id)
    assert settled is not None and settled.wishes.hold is False, "the customer is taken off hold"
    bank.clock.go_on(seconds=60)
    assert talk.rescue_call(bank.session, attempt.id, bank.clock.now) == "nothing"


def test_an_agent_who_does_not_come_back_is_replaced_by_one_who_is_free(bank: Bank) -> None:
    attempt = _talking(bank)
    other = bank.another_agent()
    _drops(bank, "hung up")
    bank.clock.go_on(seconds=AGENT_BACK_WITHIN.total_seconds() - 1)
    assert talk.rescue_call(bank.session, attempt.id, bank.clock.now) == "nothing"
    bank.clock.go_on(seconds=1)
    assert talk.rescue_call(bank.session, attempt.id, bank.clock.now) == "handed over"
    bank.session.commit()
    row = _row(bank, attempt.id)
    assert (row.agent_id, row.agent_lost_at) == (other, None)
    assert _agent(bank, other).work_state == WorkState.TALKING
    lost = _agent(bank)
    assert (lost.work_state, lost.presence, lost.not_ready_reason) == (
        WorkState.IDLE,
        Presence.NOT_READY,
        NotReadyReason.AWAY,
    )


def test_a_customer_nobody_can_take_over_is_let_go_with_a_tag(bank: Bank) -> None:
    attempt = _talking(bank)
    _drops(bank, "hung up")
    bank.clock.go_on(seconds=20)
    assert talk.rescue_call(bank.session, attempt.id, bank.clock.now) == "ended"
    assert _left(bank, OutboxKind.HANG_UP_ATTEMPT) == 1
    bank.hears(attempt.id, AttemptState.ENDED, CallResult.COMPLETED)
    row = _row(bank, attempt.id)
    assert (row.result, row.result_detail) == (CallResult.COMPLETED, "agent_lost")
    assert _agent(bank).work_state == WorkState.WRAPPING


def test_a_wrong_belief_that_the_agent_is_gone_is_corrected_before_the_customer_is_held(bank: Bank) -> None:
    attempt = _talking(bank)
    _in_room(bank, RoomChange.LEFT, "CA-agent")
    talk.agent_was_there(bank.session, attempt.id, bank.clock.now)
    assert _row(bank, attempt.id).agent_lost_at is None


def test_a_customer_who_answers_before_the_agents_line_is_up_waits_for_it_with_a_clock(bank: Bank) -> None:
    attempt = _talking(bank)
    bank.hears(attempt.id, AttemptState.ENDED, CallResult.COMPLETED)
    talk.note_agent_leg(bank.session, bank.agent_id, "CA-agent", AttemptState.ENDED, bank.clock.now)
    wrap = pipeline.WrapUp(disposition="no_answer")
    pipeline.close_call(bank.session, bank.house, bank.tasks()[0].id, wrap, bank.agent_id, bank.clock.now)
    bank.session.commit()
    bank.clock.go_on(hours=3)
    bank.agent_is_available()
    (task,) = bank.tasks()
    if task.state != TaskState.PENDING:
        pytest.skip("the sample's disposition does not try again")
    bank.offers(task)
    dialing = bank.dials(task)
    bank.picks_up(dialing.attempt_id, "CA2")
    assert _row(bank, dialing.attempt_id).agent_lost_at == bank.clock.now
    bank.agent_line_is_up(ref="CA-agent-3")
    assert _row(bank, dialing.attempt_id).agent_lost_at is None


def test_a_machine_heard_is_told_and_one_key_drops_the_call_as_a_machine(bank: Bank) -> None:
    attempt = _talking(bank)
    heard = MachineHeard("CA1", "amd1", AnsweredBy.MACHINE, 3400)
    for _ in range(2):
        talk.note_machine_heard(bank.session, attempt.id, heard, bank.clock.now)
    row = _row(bank, attempt.id)
    assert (row.answered_by, row.cancel_asked_at) == (AnsweredBy.MACHINE, None), (
        "an agent is on it: they decide"
    )
    talk.report_machine(bank.session, attempt.id, bank.agent_id, bank.clock.now)
    assert _left(bank, OutboxKind.HANG_UP_ATTEMPT) == 1
    bank.hears(attempt.id, AttemptState.ENDED, CallResult.COMPLETED)
    assert _row(bank, attempt.id).result == CallResult.MACHINE


# -- closed consoles ------------------------------------------------------------------------------------------


def test_a_closed_console_is_not_available_for_long(bank: Bank) -> None:
    bank.agent_is_available()
    bank.clock.now += SILENT_BROWSER - timedelta(seconds=1)
    assert pipeline.note_away(bank.session, bank.agent_id, bank.clock.now) is None
    bank.clock.go_on(seconds=1)
    assert pipeline.note_away(bank.session, bank.agent_id, bank.clock.now) == "presence"
    agent = _agent(bank)
    assert (agent.presence, agent.not_ready_reason) == (Presence.NOT_READY, NotReadyReason.AWAY)
    assert _left(bank, OutboxKind.RELEASE_AGENT) == 1


def test_an_overdue_wrap_up_nobody_looks_at_is_closed_and_one_being_typed_is_not(bank: Bank) -> None:
    attempt = _talking(bank)
    bank.hears(attempt.id, AttemptState.ENDED, CallResult.COMPLETED)
    bank.clock.now += WRAP_UP + SILENT_BROWSER
    pipeline.see_console(bank.session, bank.agent_id, bank.clock.now)
    assert pipeline.note_away(bank.session, bank.agent_id, bank.clock.now) is None
    assert _agent(bank).work_state == WorkState.WRAPPING
    bank.clock.now += SILENT_BROWSER
    assert pipeline.note_away(bank.session, bank.agent_id, bank.clock.now) == "wrap-up"
    bank.session.commit()
    agent = _agent(bank)
    assert (agent.work_state, agent.presence) == (WorkState.IDLE, Presence.NOT_READY)
    assert bank.session.get_one(CallTask, attempt.call_task_id).state == TaskState.COMPLETED


def test_an_idle_agent_whose_line_drops_is_offered_nothing_until_they_are_back(bank: Bank) -> None:
    bank.agent_is_available()
    bank.agent_line_is_up()
    talk.note_agent_leg(bank.session, bank.agent_id, "CA-agent", AttemptState.ENDED, bank.clock.now)
    assert _agent(bank).presence == Presence.NOT_READY


# -- supervisors ------------------------------------------------------------------------------------------------


def _supervisor(bank: Bank, name: str = "boss") -> UUID:
    user = User(
        id=derived_id("user", name),
        login=name,
        name=name,
        role=Role.SUPERVISOR,
        password_hash="-",
        created_at=bank.clock.now,
    )
    bank.session.add(user)
    bank.session.commit()
    return user.id


def _watch(bank: Bank, watch_id: UUID) -> Watch:
    return bank.session.get_one(Watch, watch_id, populate_existing=True)


def test_a_supervisor_enters_unheard_and_whispers_only_when_the_carrier_says_so(bank: Bank) -> None:
    _talking(bank)
    boss = _supervisor(bank)
    watch_id = talk.begin_watch(bank.session, boss, bank.agent_id, SupervisorMode.WHISPER, bank.clock.now)
    assert talk.begin_watching(bank.session, watch_id, bank.clock.now) == f"client:agent_{boss.hex}"
    assert talk.begin_watching(bank.session, watch_id, bank.clock.now) is None, "asked for once"
    talk.note_watch(bank.session, watch_id, "CA-boss", AttemptState.PLACED, bank.clock.now)
    entry = talk.answer_watch(bank.session, watch_id, "CA-boss", bank.clock.now)
    assert entry == JoinRoom(room_of(bank.agent_id), bank.agent_id, RoomRole.SUPERVISOR)
    _in_room(bank, RoomChange.JOINED, "CA-boss", muted=True, coaching=False)
    assert _watch(bank, watch_id).mode == SupervisorMode.MONITOR
    assert _left(bank, OutboxKind.SETTLE_WATCH) == 1
    _in_room(bank, RoomChange.CHANGED, "CA-boss", muted=False, coaching=True)
    assert _watch(bank, watch_id).mode == SupervisorMode.WHISPER
    talk.change_watch(bank.session, watch_id, boss, SupervisorMode.BARGE, bank.clock.now)
    assert _watch(bank, watch_id).mode == SupervisorMode.WHISPER, "not before the carrier says so"
    talk.leave_watch(bank.session, watch_id, boss, bank.clock.now)
    talk.note_watch(bank.session, watch_id, "CA-boss", AttemptState.ENDED, bank.clock.now)
    assert _watch(bank, watch_id).ended_at == bank.clock.now
    acts = [entry.act for entry in bank.session.exec(select(AuditEntry))]
    assert acts == ["watch.begun", "watch.changed", "watch.left"]


def test_a_supervisor_is_on_one_call_at_a_time_and_only_on_calls(bank: Bank) -> None:
    boss, other = _supervisor(bank), _supervisor(bank, "other-boss")
    with pytest.raises(Conflict, match="not on a call"):
        talk.begin_watch(bank.session, boss, bank.agent_id, SupervisorMode.MONITOR, bank.clock.now)
    _talking(bank)
    watch_id = talk.begin_watch(bank.session, boss, bank.agent_id, SupervisorMode.MONITOR, bank.clock.now)
    with pytest.raises(Conflict, match="Leave that one first"):
        talk.begin_watch(bank.session, boss, bank.agent_id, SupervisorMode.MONITOR, bank.clock.now)
    with pytest.raises(Forbidden):
        talk.change_watch(bank.session, watch_id, other, SupervisorMode.BARGE, bank.clock.now)
    talk.leave_watch(bank.session, watch_id, boss, bank.clock.now)
    assert talk.begin_watching(bank.session, watch_id, bank.clock.now) is None, "left before it was placed"
    assert _watch(bank, watch_id).ended_at is not None
    assert talk.answer_watch(bank.session, watch_id, "CA-boss", bank.clock.now) == HangUp()


def test_an_available_agent_whose_browser_has_just_become_a_telephone_is_called_once(bank: Bank) -> None:
    def asked() -> int:
        bank.session.expire_all()
        kinds = bank.session.exec(
            select(OutboxMessage.kind).where(OutboxMessage.kind == OutboxKind.CONNECT_AGENT)
        )
        return len(kinds.all())

    talk.ask_for_line(bank.session, bank.agent_id, bank.clock.now)
    assert asked() == 0, "who takes no call tasks needs no line"
    bank.agent_is_available()
    before = asked()
    for message in bank.session.exec(select(OutboxMessage)).all():
        message.done_at = bank.clock.now  # the call made while the browser was no telephone came to nothing
    bank.session.flush()
    for _ in range(2):
        talk.ask_for_line(bank.session, bank.agent_id, bank.clock.now)
    assert asked() == before + 1
    bank.agent_line_is_up()
    for message in bank.session.exec(select(OutboxMessage)).all():
        message.done_at = bank.clock.now
    talk.ask_for_line(bank.session, bank.agent_id, bank.clock.now)
    assert asked() == before + 1, "a line that is up is not called again"


def test_open_consoles_are_noted_together_and_an_offer_is_then_a_preview(bank: Bank) -> None:
    bank.agent_is_available()
    other = bank.another_agent()
    both = [bank.agent_id, other]
    bank.session.commit()
    bank.clock.go_on(seconds=20)
    assert pipeline.see_consoles(bank.session, both, bank.clock.now) == []
    bank.session.commit()
    assert {bank.session.get_one(Agent, one).seen_at for one in both} == {bank.clock.now}

    user = user_in_arm(RULE, held_out=False, at=bank.clock.now)
    bank.knows(user)
    bank.sends(user, "id_photo_front")
    for _ in (1, 2):
        bank.sends(user, "photo_rejected", reason="glare")
    bank.ticks()
    offer = bank.offers(bank.tasks()[-1])
    assert isinstance(offer, pipeline.Reserved)
    assert pipeline.see_consoles(bank.session, both, bank.clock.now) == [offer.agent_id]
    pipeline.see_console(bank.session, offer.agent_id, bank.clock.now)
    assert _agent(bank, offer.agent_id).work_state == WorkState.PREVIEWING
