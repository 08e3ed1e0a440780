"""A supervisor sets an agent's state: offers go back, calls are never cut, the agent is told and may change it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from callcenter import forcing, pipeline
from callcenter.db import make_engine, session_scope
from callcenter.domain.enums import (
    AttemptState,
    CallResult,
    ForceEffect,
    NotReadyReason,
    OutboxKind,
    Presence,
    ReservationEnd,
    Role,
    TaskState,
    WorkState,
)
from callcenter.domain.ports import Placed
from callcenter.errors import BadInput, CallCenterError, Conflict
from callcenter.forcing import Forced
from callcenter.models import Agent, AuditEntry, CallTask, ContactAttempt, OutboxMessage, Reservation
from callcenter.outcomes.rules import WrapUp
from tests.factories import Bank
from tests.service.test_routing import agent_with, task_waiting
from tests.web.scenes import RULE, users_in_arm, waiting_task

BREAK = NotReadyReason.BREAK


@pytest.fixture
def session(fresh_database: Callable[[str], str]) -> Iterator[Session]:
    """A database of the tests' own, which threads can share."""
    engine = make_engine(fresh_database("forcing"), pool_size=8)
    with Session(engine, expire_on_commit=False) as opened:
        yield opened
        opened.rollback()
    engine.dispose()


@pytest.fixture
def boss(bank: Bank) -> UUID:
    """Who forces."""
    return bank.another_user("boss", Role.SUPERVISOR, "Ma Lin")


def _forces(bank: Bank, boss: UUID, wanted: Forced) -> ForceEffect:
    effect = forcing.force_presence(bank.session, bank.agent_id, wanted, boss, bank.clock.now)
    bank.session.commit()
    return effect


def _agent(bank: Bank, agent_id: UUID | None = None) -> Agent:
    return bank.session.get_one(Agent, agent_id or bank.agent_id, populate_existing=True)


def _handed_over(bank: Bank, kind: OutboxKind) -> list[str]:
    rows = bank.session.exec(select(OutboxMessage).where(OutboxMessage.kind == kind))
    return [str(one.subject_id) for one in rows]


def _away(effect: ForceEffect, presence: Presence = Presence.NOT_READY, note: str = "") -> Forced:
    reason = BREAK if presence is Presence.NOT_READY else None
    return Forced(presence, effect, reason, note)


def test_an_idle_agent_is_offered_nothing_any_more_and_the_trail_names_who_set_it(
    bank: Bank, boss: UUID
) -> None:
    bank.agent_is_available()
    assert _forces(bank, boss, _away(ForceEffect.AT_ONCE, note=" Fire drill ")) is ForceEffect.AT_ONCE
    agent = _agent(bank)
    assert (agent.presence, agent.not_ready_reason) == (Presence.NOT_READY, BREAK)
    assert (agent.presence_by, agent.presence_note, agent.presence_at) == (boss, "Fire drill", bank.clock.now)
    assert isinstance(bank.offers(task_waiting(bank)), pipeline.NotOffered)
    entry = bank.session.exec(select(AuditEntry).where(AuditEntry.act == "agent.set")).one()
    assert (entry.user_id, entry.subject) == (boss, str(bank.agent_id))
    assert entry.detail == {"mode": "not_ready", "reason": "break", "effect": "at_once", "note": "Fire drill"}


def test_the_agent_may_change_it_back_and_is_no_longer_told(bank: Bank, boss: UUID) -> None:
    bank.agent_is_available()
    _forces(bank, boss, _away(ForceEffect.AT_ONCE, note="Fire drill"))
    pipeline.set_presence(bank.session, bank.agent_id, Presence.AVAILABLE, None, bank.clock.now)
    agent = _agent(bank)
    assert (agent.presence, agent.presence_by, agent.presence_note) == (Presence.AVAILABLE, None, "")


@pytest.mark.parametrize("presence", [Presence.NOT_READY, Presence.SIGNED_OFF])
def test_an_open_offer_goes_to_somebody_else(bank: Bank, boss: UUID, presence: Presence) -> None:
    bank.agent_is_available()
    task = task_waiting(bank)
    bank.offers(task)
    colleague = agent_with(bank, "colleague")
    assert _forces(bank, boss, _away(ForceEffect.OFFER_BACK, presence)) is ForceEffect.OFFER_BACK
    agent = _agent(bank)
    assert (agent.presence, agent.work_state, agent.call_task_id) == (presence, WorkState.IDLE, None)
    assert bank.session.exec(select(Reservation)).one().end == ReservationEnd.FREED
    released = _handed_over(bank, OutboxKind.RELEASE_AGENT)
    assert released == ([str(bank.agent_id)] if presence is Presence.SIGNED_OFF else [])
    offer = bank.offers(task)
    assert isinstance(offer, pipeline.Reserved) and offer.agent_id == colleague


def test_who_is_to_be_available_keeps_the_offer_before_them(bank: Bank, boss: UUID) -> None:
    bank.agent_is_available()
    task = task_waiting(bank)
    bank.offers(task)
    pipeline.set_presence(bank.session, bank.agent_id, Presence.NOT_READY, BREAK, bank.clock.now)
    assert _forces(bank, boss, _away(ForceEffect.AT_ONCE, Presence.AVAILABLE)) is ForceEffect.AT_ONCE
    assert (_agent(bank).call_task_id, task.state) == (task.id, TaskState.RESERVED)


@pytest.mark.parametrize("presence", [Presence.NOT_READY, Presence.SIGNED_OFF])
def test_a_call_is_not_cut_and_it_counts_after_the_wrap_up(
    bank: Bank, boss: UUID, presence: Presence
) -> None:
    bank.agent_is_available()
    task = task_waiting(bank)
    bank.offers(task)
    dialing = bank.dials(task)
    assert isinstance(dialing, pipeline.Dialing)
    pipeline.note_placement(bank.session, dialing.attempt_id, Placed("CA1"), bank.clock.now)
    bank.hears(dialing.attempt_id, AttemptState.RINGING, ref="CA1")
    assert _forces(bank, boss, _away(ForceEffect.AFTER_CALL, presence)) is ForceEffect.AFTER_CALL
    attempt = bank.session.get_one(ContactAttempt, dialing.attempt_id, populate_existing=True)
    assert attempt.cancel_asked_at is None and attempt.state == AttemptState.RINGING
    assert _handed_over(bank, OutboxKind.RELEASE_AGENT) == []
    bank.hears(dialing.attempt_id, AttemptState.ENDED, CallResult.NO_ANSWER, ref="CA1")
    assert _agent(bank).work_state == WorkState.WRAPPING
    pipeline.close_call(bank.session, bank.house, task.id, WrapUp("no_answer"), bank.agent_id, bank.clock.now)
    agent = _agent(bank)
    assert (agent.work_state, agent.presence, agent.presence_by) == (WorkState.IDLE, presence, boss)
    assert isinstance(bank.offers(task_waiting(bank)), pipeline.NotOffered)
    released = _handed_over(bank, OutboxKind.RELEASE_AGENT)
    assert released == ([str(bank.agent_id)] if presence is Presence.SIGNED_OFF else [])


def test_what_has_changed_since_it_was_looked_at_is_not_done(bank: Bank, boss: UUID) -> None:
    bank.agent_is_available()
    bank.offers(task_waiting(bank))
    with pytest.raises(Conflict, match="changed meanwhile"):
        _forces(bank, boss, _away(ForceEffect.AT_ONCE))
    bank.session.rollback()
    agent = _agent(bank)
    assert (agent.presence, agent.work_state) == (Presence.AVAILABLE, WorkState.RESERVED)
    assert bank.session.exec(select(AuditEntry).where(AuditEntry.act == "agent.set")).first() is None


def test_whoever_has_closed_the_console_is_not_made_available(bank: Bank, boss: UUID) -> None:
    with pytest.raises(Conflict, match="console is not open"):
        _forces(bank, boss, _away(ForceEffect.AT_ONCE, Presence.AVAILABLE))
    bank.session.rollback()
    pipeline.set_presence(bank.session, bank.agent_id, Presence.SIGNED_OFF, None, bank.clock.now)
    with pytest.raises(Conflict, match="already"):
        _forces(bank, boss, _away(ForceEffect.AT_ONCE, Presence.SIGNED_OFF))
    bank.session.rollback()
    pipeline.see_consoles(bank.session, [bank.agent_id], bank.clock.now)
    _forces(bank, boss, _away(ForceEffect.AT_ONCE, Presence.AVAILABLE))
    assert _handed_over(bank, OutboxKind.OFFER_TO_AGENT) == [str(bank.agent_id)]


@pytest.mark.parametrize("reason", [None, NotReadyReason.AWAY, NotReadyReason.MISSED_OFFER])
def test_not_ready_takes_a_reason_that_a_person_may_give(
    bank: Bank, boss: UUID, reason: NotReadyReason | None
) -> None:
    bank.agent_is_available()
    with pytest.raises(BadInput, match="why they are not ready"):
        _forces(bank, boss, Forced(Presence.NOT_READY, ForceEffect.AT_ONCE, reason))


# -- at the same moment -----------------------------------------------------------------------------------


def _tasks(bank: Bank, many: int) -> list[CallTask]:
    """Let call tasks of different customers wait."""
    for user in users_in_arm(RULE, many, held_out=False, at=bank.clock.now):
        waiting_task(bank, user)
    assert len(bank.tasks()) == many
    return bank.tasks()


def _at_once(bank: Bank, *acts: Callable[[Session], object]) -> list[object]:
    """Let acts happen at the same moment, each in a transaction; return what each gave, or its refusal."""
    engine, start = bank.session.get_bind(), Barrier(len(acts))
    assert isinstance(engine, Engine)

    def does(act: Callable[[Session], object]) -> object:
        try:
            with session_scope(engine) as session:
                start.wait(timeout=10)
                return act(session)
        except CallCenterError as refusal:
            return refusal

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(does, acts))


def test_dialing_and_forcing_at_once_end_in_one_of_the_two(bank: Bank, boss: UUID) -> None:
    ways, wanted = set(), _away(ForceEffect.OFFER_BACK)
    bank.agent_is_available()
    for round_no, task in enumerate(_tasks(bank, 8)):
        now = bank.clock.go_on(seconds=1)
        agent_id = bank.agent_id if round_no == 0 else agent_with(bank, f"agent-{round_no}")
        offer = bank.offers(task)
        assert isinstance(offer, pipeline.Reserved) and offer.agent_id == agent_id
        task_id = task.id

        def force(session: Session, agent_id: UUID = agent_id, now: datetime = now) -> object:
            return forcing.force_presence(session, agent_id, wanted, boss, now)

        def dial(
            session: Session, agent_id: UUID = agent_id, task_id: UUID = task_id, now: datetime = now
        ) -> object:
            return pipeline.place_call(session, bank.house, task_id, agent_id, now)

        forced, dialed = _at_once(bank, force, dial)
        bank.session.expire_all()
        attempts = bank.session.exec(
            select(ContactAttempt).where(ContactAttempt.call_task_id == task_id)
        ).all()
        agent, row = _agent(bank, agent_id), bank.session.get_one(CallTask, task_id)
        if forced is ForceEffect.OFFER_BACK:
            assert isinstance(dialed, CallCenterError) and not attempts
            assert (row.state, row.agent_id) == (TaskState.PENDING, None)
            assert (agent.presence, agent.work_state) == (Presence.NOT_READY, WorkState.IDLE)
        else:
            assert isinstance(forced, Conflict) and isinstance(dialed, pipeline.Dialing)
            assert len(attempts) == 1 and row.state == TaskState.ASSIGNED
            assert (agent.presence, agent.work_state) == (Presence.AVAILABLE, WorkState.DIALING)
            pipeline.set_presence(bank.session, agent_id, Presence.NOT_READY, BREAK, now)
        bank.session.commit()
        ways.add(forced is ForceEffect.OFFER_BACK)
    assert ways, "every round ended in one of the two"


def test_an_offer_and_forcing_at_once_leave_nobody_not_ready_with_an_offer(bank: Bank, boss: UUID) -> None:
    bank.agent_is_available()
    for round_no, task in enumerate(_tasks(bank, 8)):
        now = bank.clock.go_on(seconds=1)
        agent_id = bank.agent_id if round_no == 0 else agent_with(bank, f"agent-{round_no}")
        task_id = task.id

        def force(session: Session, agent_id: UUID = agent_id, now: datetime = now) -> object:
            return forcing.force_presence(session, agent_id, _away(ForceEffect.AT_ONCE), boss, now)

        def offer(session: Session, task_id: UUID = task_id, now: datetime = now) -> object:
            return pipeline.offer_call_task(session, bank.house, task_id, now)

        forced, offered = _at_once(bank, force, offer)
        bank.session.expire_all()
        agent = _agent(bank, agent_id)
        if forced is ForceEffect.AT_ONCE:
            assert isinstance(offered, pipeline.NotOffered)
            assert (agent.presence, agent.work_state) == (Presence.NOT_READY, WorkState.IDLE)
        else:
            assert isinstance(forced, Conflict) and isinstance(offered, pipeline.Reserved)
            assert (agent.presence, agent.work_state) == (Presence.AVAILABLE, WorkState.RESERVED)
            forcing.force_presence(bank.session, agent_id, _away(ForceEffect.OFFER_BACK), boss, now)
        bank.session.commit()
    open_offers = bank.session.exec(select(Reservation).where(col(Reservation.ended_at).is_(None))).all()
    assert open_offers == []
