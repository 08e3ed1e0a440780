"""Thirty-two agents grant at once: no limit of a customer, an agent or a day is overrun, and nothing is lost."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from callcenter import offering
from callcenter.db import make_engine, session_scope
from callcenter.domain.enums import Role
from callcenter.domain.ids import derived_id
from callcenter.errors import CallCenterError
from callcenter.models import CallTask, ContactAttempt, OfferGrant, User
from callcenter.routing import service as routing
from tests.crowd import a_crowd
from tests.factories import Bank
from tests.service.test_offers import COUPON, spoken, task_waiting

AGENTS = 32


@pytest.fixture
def session(fresh_database: Callable[[str], str]) -> Iterator[Session]:
    """A database of the test's own, which threads can share."""
    engine = make_engine(fresh_database("offers"), pool_size=AGENTS)
    with Session(engine, expire_on_commit=False) as opened:
        yield opened
        opened.rollback()
    engine.dispose()


def a_floor(bank: Bank) -> list[tuple[UUID, UUID]]:
    """Thirty-two agents, each in the wrap-up of a call of their own; return (call task, agent)."""
    first = task_waiting(bank)
    a_crowd(bank.session, first, AGENTS - 1)
    bank.session.expire_all()
    pairs = []
    for number, task in enumerate(bank.tasks()):
        user_id = derived_id("user", f"agent-{number}")
        bank.session.add(
            User(id=user_id, login=f"agent-{number}", name=f"A{number}", role=Role.AGENT, password_hash="-",
                 created_at=bank.clock.now)
        )  # fmt: skip
        bank.session.flush()
        routing.add_agent(bank.session, user_id, "A", bank.clock.now)
        spoken(bank.session, task, user_id, bank.clock.now, f"+86137{number:08d}")
        pairs.append((task.id, user_id))
    bank.session.commit()
    return pairs


def at_once(engine: Engine, bank: Bank, pressed: list[tuple[UUID, UUID]]) -> list[UUID | str]:
    """Let all press at once; return grants and refusals."""

    def press(pair: tuple[UUID, UUID]) -> UUID | str:
        try:
            with session_scope(engine) as session:
                return offering.grant_offer(session, pair[0], "coupon", pair[1], bank.clock.now).id
        except CallCenterError as error:
            return error.message

    with ThreadPoolExecutor(AGENTS) as pool:
        return list(pool.map(press, pressed))


def granted(bank: Bank) -> int:
    return bank.session.exec(
        select(func.count()).select_from(OfferGrant).where(col(OfferGrant.taken_back_at).is_(None))
    ).one()


def test_thirty_two_agents_at_once_overrun_no_limit_of_a_day(bank: Bank, session: Session) -> None:
    pairs = a_floor(bank)
    offering.add_offer(session, "coupon", replace(COUPON, per_day=10), None, bank.clock.now)
    session.commit()
    found = at_once(session.get_bind().engine, bank, pairs * 2)
    assert granted(bank) == 10
    assert len({one for one in found if isinstance(one, UUID)}) == 10
    assert all("may not be granted now" in one for one in found if isinstance(one, str))
    bank.clock.now += timedelta(days=1)
    at_once(session.get_bind().engine, bank, pairs)
    assert granted(bank) == 10 + 10, "the next day has its own"


def test_one_press_sent_thirty_two_times_is_one_grant(bank: Bank, session: Session) -> None:
    pairs = a_floor(bank)
    offering.add_offer(session, "coupon", COUPON, None, bank.clock.now)
    session.commit()
    found = at_once(session.get_bind().engine, bank, [pairs[0]] * AGENTS)
    assert granted(bank) == 1 and len(set(found)) == 1


def test_calls_of_one_customer_at_once_share_their_limit(bank: Bank, session: Session) -> None:
    pairs = a_floor(bank)
    offering.add_offer(
        session, "coupon", replace(COUPON, per_customer=2, per_agent_day=1), None, bank.clock.now
    )
    customer_id = session.get_one(CallTask, pairs[0][0]).customer_id
    for number, (task_id, _) in enumerate(pairs):
        task = session.get_one(CallTask, task_id)
        task.customer_id, task.journey = customer_id, f"j{number}" if number else task.journey
        attempt = session.get_one(ContactAttempt, derived_id("attempt", task_id, 1))
        attempt.customer_id = customer_id
    session.commit()
    at_once(session.get_bind().engine, bank, pairs)
    assert granted(bank) == 2
