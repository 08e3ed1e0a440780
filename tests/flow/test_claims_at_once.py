"""Thirty-two workers bring call tasks and agents together from both sides: nobody gets two, nothing is lost."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session, col, select

from callcenter import pipeline
from callcenter.calltasks.queries import need_of
from callcenter.db import make_engine, session_scope
from callcenter.domain.enums import Presence, Role, TaskState, WorkState
from callcenter.domain.ids import derived_id
from callcenter.domain.needs import suits
from callcenter.errors import CallCenterError
from callcenter.models import Agent, CallTask, Reservation, User
from callcenter.routing import people
from callcenter.routing import service as routing
from callcenter.routing.queries import able_of
from tests.crowd import a_crowd
from tests.factories import Bank
from tests.service.test_routing import task_waiting

WORKERS = 32
AGENTS, TASKS = 24, 40
NEEDS = (
    {"skill": "loans", "skill_level": 3},
    {"skill": "loans", "skill_level": 1},
    {"skill": "cards", "skill_level": 2},
    {"team": "B"},
    {},
)


@pytest.fixture
def session(fresh_database: Callable[[str], str]) -> Iterator[Session]:
    """A session on a database of its own: workers have theirs beside it."""
    engine = make_engine(fresh_database("claims"), pool_size=WORKERS + 2)
    with Session(engine, expire_on_commit=False) as opened:
        yield opened
    engine.dispose()


def _floor(bank: Bank) -> list[UUID]:
    now, session = bank.clock.now, bank.session
    for key in ("loans", "cards"):
        people.put_skill(session, key, key, key, now)
    found = []
    for number in range(AGENTS):
        user = User(
            id=derived_id("user", f"a{number}"), login=f"a{number}", name=f"A{number}", role=Role.AGENT,
            password_hash="-", created_at=now,
        )  # fmt: skip
        session.add(user)
        session.flush()
        agent = routing.add_agent(session, user.id, "AB"[number % 2], now)
        levels = {"loans": number % 6, "cards": number % 4}
        held = {key: level for key, level in levels.items() if level}
        people.set_abilities(session, agent, ("en", "zh") if number % 3 else ("en",), held)
        pipeline.set_presence(session, user.id, Presence.AVAILABLE, None, now)
        agent.work_state_at = now - timedelta(seconds=number)
        found.append(user.id)
    session.commit()
    return found


def _tasks(bank: Bank) -> list[UUID]:
    first = task_waiting(bank)
    a_crowd(bank.session, first, TASKS - 1)
    bank.session.expire_all()
    for number, task in enumerate(bank.session.exec(select(CallTask).order_by(col(CallTask.id)))):
        for name, value in NEEDS[number % len(NEEDS)].items():
            setattr(task, name, value)
    bank.session.commit()
    return [one.id for one in bank.tasks()]


def test_no_agent_gets_two_call_tasks_and_no_call_task_two_agents(bank: Bank) -> None:
    agents, tasks = _floor(bank), _tasks(bank)
    engine = bank.session.get_bind()
    assert isinstance(engine, Engine)
    now = bank.clock.now

    def offers(call_task_id: UUID) -> None:
        with suppress(CallCenterError), session_scope(engine) as session:
            pipeline.offer_call_task(session, bank.house, call_task_id, now)

    def looks(agent_id: UUID) -> None:
        with suppress(CallCenterError), session_scope(engine) as session:
            pipeline.offer_to_agent(session, bank.house, agent_id, now)

    with ThreadPoolExecutor(WORKERS) as pool:
        jobs = [pool.submit(offers, one) for one in tasks * 2] + [
            pool.submit(looks, one) for one in agents * 2
        ]
        for job in jobs:
            job.result()
    for _ in range(3):  # as the tick does that looks after what was locked when somebody looked
        with session_scope(engine) as session:
            found = pipeline.agents_to_offer(session, now)
        for one in found:
            looks(one)
    bank.session.expire_all()
    open_offers = bank.session.exec(select(Reservation).where(col(Reservation.ended_at).is_(None))).all()
    assert len({one.agent_id for one in open_offers}) == len(open_offers)
    assert len({one.call_task_id for one in open_offers}) == len(open_offers) > AGENTS / 2
    for offer in open_offers:
        task, agent = (
            bank.session.get_one(CallTask, offer.call_task_id),
            bank.session.get_one(Agent, offer.agent_id),
        )
        assert (task.state, task.agent_id, agent.call_task_id) == (TaskState.RESERVED, agent.id, task.id)
        assert agent.work_state == WorkState.RESERVED
        assert suits(able_of(agent), need_of(task, task.language)), (task, agent)
        assert offer.why["way"] == "best_fit"
    free = bank.session.exec(select(Agent).where(Agent.work_state == WorkState.IDLE)).all()
    waiting = bank.session.exec(select(CallTask).where(CallTask.state == TaskState.PENDING)).all()
    assert len(free) + len(open_offers) == len(agents) + 1, "the bank's own agent is signed off"
    left = [(one, task) for one in free for task in waiting if one.presence == Presence.AVAILABLE]
    assert not any(suits(able_of(one), need_of(task, task.language)) for one, task in left), (
        "nobody was forgotten"
    )


def test_noting_open_consoles_waits_for_nobody(bank: Bank) -> None:
    agents = _floor(bank)
    engine = bank.session.get_bind()
    assert isinstance(engine, Engine)
    before = bank.clock.now
    bank.clock.go_on(seconds=20)
    with Session(engine) as busy:
        busy.exec(select(Agent).where(Agent.id == agents[0]).with_for_update()).one()
        with session_scope(engine) as session:
            session.execute(text("SET LOCAL lock_timeout = '100ms'"))
            assert pipeline.see_consoles(session, agents, bank.clock.now) == []
    bank.session.expire_all()
    seen = {one: bank.session.get_one(Agent, one).seen_at for one in agents}
    assert seen.pop(agents[0]) == before, "who is worked on is noted with the next beat"
    assert set(seen.values()) == {bank.clock.now}
