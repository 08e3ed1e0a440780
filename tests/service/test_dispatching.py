"""Acts on many call tasks: planned, done in batches, undone within a minute; what others touch is left alone."""

from collections import Counter
from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import SQLModel, col, select

from callcenter import dispatching, pipeline
from callcenter.domain.dispatching import DispatchAct, LeftOut, TaskSieve, Wanted
from callcenter.domain.enums import CancelReason, Presence, TaskState
from callcenter.domain.ids import derived_id
from callcenter.errors import BadInput, Conflict, Forbidden
from callcenter.models import Agent, AuditEntry, CallTask, Dispatch, TriggerFiring
from tests.crowd import a_crowd
from tests.factories import Bank, user_in_arm

RULE = "id-photo-trouble"


def _task(bank: Bank) -> CallTask:
    user = user_in_arm(RULE, held_out=False, at=bank.clock.now)
    bank.knows(user)
    bank.sends(user, "id_photo_front")
    for attempt in (1, 2):
        bank.sends(user, "photo_rejected", reason="glare", attempt=attempt)
    bank.ticks()
    return bank.tasks()[-1]


def _plan(bank: Bank, wanted: Wanted, user: UUID | None = None) -> Dispatch:
    row = dispatching.plan_dispatch(
        bank.session, bank.house, wanted, user or bank.agent_id, bank.clock.go_on(seconds=1)
    )
    bank.session.commit()
    return row


def _do(bank: Bank, row: Dispatch) -> Dispatch:
    now = bank.clock.go_on(seconds=1)
    while dispatching.dispatch_batch(bank.session, bank.house, row.id, bank.agent_id, now):
        bank.session.commit()
    bank.session.commit()
    return row


def _undo(bank: Bank, row: Dispatch) -> Dispatch:
    now = bank.clock.go_on(seconds=1)
    while dispatching.undo_batch(bank.session, row.id, bank.agent_id, now):
        bank.session.commit()
    bank.session.commit()
    return row


def _columns(row: SQLModel) -> dict[str, Any]:
    return {name: getattr(row, name) for name in type(row).model_fields}


def _tasks(bank: Bank) -> list[CallTask]:
    bank.session.expire_all()
    return bank.tasks()


def test_the_oldest_are_given_to_an_agent_and_taken_back_again(bank: Bank) -> None:
    a_crowd(bank.session, _task(bank), 9)
    wanted = Wanted(DispatchAct.ASSIGN_AGENT, count=4, agent_id=bank.agent_id)
    row = _plan(bank, wanted)
    assert (row.matched, len(row.planned), row.refused) == (10, 4, [])
    assert all(task.agent_id is None for task in _tasks(bank)), "looking changes nothing"
    _do(bank, row)
    given = [task for task in _tasks(bank) if task.agent_id == bank.agent_id]
    assert len(given) == 4 and all(task.owner_until == bank.clock.now + timedelta(hours=1) for task in given)
    _undo(bank, row)
    assert (row.lost, [task.agent_id for task in _tasks(bank)]) == ([], [None] * 10)
    acts = bank.session.exec(select(AuditEntry).where(col(AuditEntry.act).startswith("tasks."))).all()
    assert [one.act for one in acts] == ["tasks.assigned", "tasks.restored"]
    assert acts[0].detail["changed"] == 4 and acts[0].detail["wanted"]["count"] == 4


def test_what_was_given_waits_for_its_agent_though_it_has_waited_long(bank: Bank) -> None:
    task = _task(bank)
    bank.clock.go_on(minutes=40)
    other = bank.another_agent()
    _do(bank, _plan(bank, Wanted(DispatchAct.ASSIGN_AGENT, agent_id=bank.agent_id)))
    assert isinstance(bank.offers(task), pipeline.NotOffered), "not to the colleague"
    bank.agent_is_available()
    offer = pipeline.offer_to_agent(bank.session, bank.house, bank.agent_id, bank.clock.now)
    assert isinstance(offer, pipeline.Reserved) and offer.agent_id == bank.agent_id != other


def test_a_share_goes_to_a_team_evenly_in_languages_they_speak(bank: Bank) -> None:
    task = _task(bank)
    a_crowd(bank.session, task, 9)
    a_crowd(bank.session, task, 10, language="ug", prefix="ug-", first=100)
    other = bank.another_agent()
    bank.agent_is_available()
    agents = {bank.agent_id: 0, other: 0}
    row = _plan(bank, Wanted(DispatchAct.ASSIGN_TEAM, share=100, team="Loan desk A"))
    assert [why for _, why in row.refused] == [LeftOut.LANGUAGE] * 10
    for _, to, _ in row.planned:
        agents[UUID(str(to))] += 1
    assert set(agents.values()) == {5}
    half = _plan(
        bank, Wanted(DispatchAct.ASSIGN_TEAM, TaskSieve(language="zh"), share=30, team="Loan desk A")
    )
    assert (half.matched, len(half.planned)) == (10, 3)


def test_they_go_evenly_to_who_has_a_skill_at_a_level_and_is_signed_in(bank: Bank) -> None:
    a_crowd(bank.session, _task(bank), 5)
    able, beginner, away = (bank.another_agent(name) for name in ("able", "beginner", "away"))
    for agent_id, level in ((bank.agent_id, 4), (able, 3), (beginner, 1), (away, 5)):
        agent = bank.session.get_one(Agent, agent_id)
        agent.skills = {"loans": level}
        agent.presence = Presence.SIGNED_OFF if agent_id == away else Presence.AVAILABLE
    bank.session.commit()

    def who(level: int) -> Counter[str | None]:
        row = _plan(bank, Wanted(DispatchAct.ASSIGN_SKILL, share=100, skill="loans", level=level))
        return Counter(to for _, to, _ in row.planned)

    assert who(3) == {str(bank.agent_id): 3, str(able): 3}
    assert who(1) == {str(bank.agent_id): 2, str(able): 2, str(beginner): 2}
    with pytest.raises(BadInput, match="Nobody of this choice is signed in"):
        who(5)
    with pytest.raises(BadInput, match="Choose the skill"):
        _plan(bank, Wanted(DispatchAct.ASSIGN_SKILL))
    row = _do(bank, _plan(bank, Wanted(DispatchAct.ASSIGN_SKILL, count=2, skill="loans", level=3)))
    assert row.wanted["skill"] == "loans" and row.wanted["level"] == 3
    assert {task.agent_id for task in _tasks(bank) if task.agent_id} == {bank.agent_id, able}
    _undo(bank, row)
    assert not any(task.agent_id for task in _tasks(bank))


def test_the_gate_bars_what_it_would_bar_at_the_offer(bank: Bank) -> None:
    task = _task(bank)
    a_crowd(bank.session, task, 2)
    bank.bars(task.customer_id)
    row = _plan(bank, Wanted(DispatchAct.ASSIGN_AGENT, agent_id=bank.agent_id))
    assert row.refused == [[str(task.id), "do_not_call"]] and len(row.planned) == 2
    bank.clock.go_on(hours=11)
    late = _plan(bank, Wanted(DispatchAct.ASSIGN_AGENT, agent_id=bank.agent_id))
    assert {why for _, why in late.refused} == {"do_not_call", "outside_calling_hours"} and not late.planned


def test_what_somebody_takes_meanwhile_is_left_alone_and_named(bank: Bank) -> None:
    first = _task(bank)
    a_crowd(bank.session, first, 3)
    row = _plan(bank, Wanted(DispatchAct.EXPIRE, reason="campaign over"))
    bank.agent_is_available()
    bank.offers(first)
    _do(bank, row)
    assert row.refused == [[str(first.id), LeftOut.TAKEN]]
    states = sorted(task.state for task in _tasks(bank))
    assert states == ["canceled", "canceled", "canceled", "reserved"]
    assert {task.cancel_reason for task in _tasks(bank) if task.closed_at} == {CancelReason.EXPIRED}


def test_undo_restores_what_nobody_has_touched_and_says_what_is_lost(bank: Bank) -> None:
    a_crowd(bank.session, _task(bank), 4)
    row = _do(bank, _plan(bank, Wanted(DispatchAct.PRIORITY_UP)))
    assert {task.priority for task in _tasks(bank)} == {90} or len(row.changed) == 5
    touched = _tasks(bank)[0]
    bank.agent_is_available()
    bank.offers(touched)
    was = row.changed[0]["was"]["priority"]
    _undo(bank, row)
    assert row.lost == [[str(touched.id), LeftOut.TAKEN]]
    assert [task.priority for task in _tasks(bank) if task.id != touched.id] == [was] * 4


def test_expired_tasks_come_back_unless_another_is_open_for_them(bank: Bank) -> None:
    first = _task(bank)
    a_crowd(bank.session, first, 2)
    row = _do(bank, _plan(bank, Wanted(DispatchAct.EXPIRE, reason="by mistake")))
    assert {task.state for task in _tasks(bank)} == {TaskState.CANCELED}
    _undo(bank, row)
    assert {(task.state, task.closed_at, task.cancel_reason) for task in _tasks(bank)} == {
        (TaskState.PENDING, None, None)
    }


def test_who_has_another_call_task_by_now_keeps_that_one(bank: Bank) -> None:
    first = _task(bank)
    row = _do(bank, _plan(bank, Wanted(DispatchAct.EXPIRE, reason="by mistake")))
    firing = bank.session.get_one(TriggerFiring, first.firing_id)
    ids = {"id": derived_id("firing", "next"), "due_at": bank.clock.now, "visit_seq": firing.visit_seq + 1}
    bank.session.add(TriggerFiring(**{**_columns(firing), **ids}))
    bank.session.flush()
    told = {
        "id": derived_id("call-task", "next"),
        "firing_id": ids["id"],
        "state": "pending",
        "closed_at": None,
    }
    bank.session.add(CallTask(**{**_columns(first), **told}))
    bank.session.commit()
    _undo(bank, row)
    assert row.lost == [[str(first.id), LeftOut.ANOTHER_OPEN]]


def test_bringing_back_ends_an_offer_and_its_undo_leaves_it_to_that_agent(bank: Bank) -> None:
    task = _task(bank)
    bank.agent_is_available()
    bank.offers(task)
    row = _plan(bank, Wanted(DispatchAct.BRING_BACK))
    _do(bank, row)
    (back,) = _tasks(bank)
    assert (back.state, back.agent_id) == (TaskState.PENDING, None)
    assert bank.session.get_one(Agent, bank.agent_id).work_state == "idle"
    _undo(bank, row)
    (again,) = _tasks(bank)
    assert (row.lost, again.agent_id) == ([], bank.agent_id)


def test_the_minute_for_undoing_ends_and_so_does_a_preview(bank: Bank) -> None:
    _task(bank)
    row = _do(bank, _plan(bank, Wanted(DispatchAct.PRIORITY_DOWN)))
    bank.clock.go_on(seconds=61)
    with pytest.raises(Conflict):
        _undo(bank, row)
    stale = _plan(bank, Wanted(DispatchAct.PRIORITY_DOWN))
    bank.clock.go_on(minutes=11)
    with pytest.raises(Conflict):
        _do(bank, stale)
    bank.session.rollback()
    fresh = _plan(bank, Wanted(DispatchAct.PRIORITY_DOWN), bank.another_agent())
    bank.session.get_one(Dispatch, fresh.id)
    other = bank.another_agent("third")
    foreign = _plan(bank, Wanted(DispatchAct.PRIORITY_DOWN), other)
    with pytest.raises(Forbidden):
        _do(bank, foreign)


@pytest.mark.parametrize("act", [DispatchAct.ASSIGN_AGENT, DispatchAct.ASSIGN_TEAM, DispatchAct.EXPIRE])
def test_an_act_that_lacks_something_says_what(bank: Bank, act: DispatchAct) -> None:
    with pytest.raises(BadInput):
        _plan(bank, Wanted(act))
    assert bank.session.get_one(Agent, bank.agent_id).presence == Presence.SIGNED_OFF


def test_five_hundred_are_looked_at_and_done_in_a_moment(bank: Bank) -> None:
    a_crowd(bank.session, _task(bank), 499)
    begun = monotonic()
    row = _plan(bank, Wanted(DispatchAct.ASSIGN_AGENT, agent_id=bank.agent_id))
    _do(bank, row)
    done = monotonic()
    _undo(bank, row)
    assert len(row.changed) == 500 and row.lost == []
    assert done - begun < 6, "a second or two on a machine of its own"
