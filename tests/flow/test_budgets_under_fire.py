"""Thirty-two workers and overlapping ticks want the same 200 people for five rules: no cap is ever exceeded."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from callcenter import acts, dialer, moves, pipeline
from callcenter.commands.sample import read_sample
from callcenter.db import make_engine, session_scope
from callcenter.dialing.waiting import lock_waiting
from callcenter.domain.enums import (
    AttemptState,
    BarReason,
    CallResult,
    DialingMode,
    Presence,
    Role,
)
from callcenter.domain.ids import derived_id
from callcenter.domain.ports import CarrierEvent
from callcenter.errors import CallCenterError, Conflict
from callcenter.journeys import service as journeys
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import (
    Agent,
    CallTask,
    ContactAttempt,
    Customer,
    ScreeningDecision,
    TriggerFiring,
    TriggerRule,
    User,
    Visit,
)
from callcenter.moves import House
from callcenter.outcomes import service as outcomes
from callcenter.outcomes.rules import WrapUp
from callcenter.routing import service as routing
from callcenter.triggers.queries import current_rules

pytestmark = pytest.mark.slow

WORKERS = 32
PEOPLE = 200
JOURNEYS = ("loan", "cards", "savings", "insurance", "mortgage")
BEGIN = datetime(2026, 11, 18, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai
ROUNDS = [BEGIN + timedelta(days=day, hours=hours) for day in range(2) for hours in (0, 1, 2, 5, 8, 10)]
TRIES = 6
CAP, WINDOW, GAP = 2, timedelta(hours=24), timedelta(hours=2)
"""What the sample's pack allows for calls of service."""


def _number(person: int) -> str:
    """Every second of the last 80 people shares a telephone with the one before."""
    shared = person - 1 if person >= 120 and person % 2 else person
    return f"+86138002{shared:05d}"


def _fill(session: Session) -> list[UUID]:
    """People with a call task of five rules each; return the agents."""
    outcomes.load_dispositions(session, read_sample("dispositions.yaml"))
    agents = []
    for name in (f"agent-{number}" for number in range(WORKERS)):
        user = User(
            id=derived_id("user", name), login=name, name=name, role=Role.AGENT, password_hash="-",
            created_at=BEGIN,
        )  # fmt: skip
        session.add(user)
        session.flush()
        routing.add_agent(session, user.id, "A", BEGIN)
        agents.append(user.id)
    for journey in JOURNEYS:
        steps = [
            {"id": one, "title": {"en": one, "zh": one}, "enter": [f"{journey}_{one}"]}
            for one in ("s", "done")
        ]
        raw = {
            "journey": journey,
            "title": {"en": journey, "zh": journey},
            "gap": "24h",
            "goal": "done",
            "steps": steps,
        }
        loaded = journeys.load_journey(session, raw, journeys_loaded(session).values(), BEGIN)
        rule = {"rule": journey, "title": {"en": "r", "zh": "r"}, "journey": journey, "step": "s"}
        acts.adopt_rule(session, {**rule, "preset": "dwell", "after": "1m"}, loaded, None, BEGIN)
    for person in range(PEOPLE):
        customer_id = derived_id("customer", person)
        session.add(
            Customer(
                id=customer_id, external_id=f"c{person}", number=_number(person),
                time_zone="Asia/Shanghai", created_at=BEGIN, updated_at=BEGIN,
            )
        )  # fmt: skip
        session.flush()
        for journey in JOURNEYS:
            _open_task(session, customer_id, journey)
    return agents


def _open_task(session: Session, customer_id: UUID, journey: str) -> None:
    rule_id = session.exec(select(TriggerRule.id).where(TriggerRule.rule_key == journey)).one()
    visit = Visit(
        id=derived_id("visit", customer_id, journey), customer_id=customer_id, journey=journey, visit_seq=1,
        step="s", opened_at=BEGIN, entered_at=BEGIN, last_activity_at=BEGIN,
    )  # fmt: skip
    session.add(visit)
    session.flush()
    firing = TriggerFiring(
        id=derived_id("firing", customer_id, journey), rule_id=rule_id, rule_key=journey,
        visit_id=visit.id, customer_id=customer_id, journey=journey, step="s", visit_seq=1, anchor_at=BEGIN,
        due_at=BEGIN, wake_at=BEGIN, fired_at=BEGIN,
    )  # fmt: skip
    session.add(firing)
    session.flush()
    session.add(
        CallTask(
            id=derived_id("call-task", firing.id), firing_id=firing.id, rule_key=journey,
            customer_id=customer_id, visit_id=visit.id, journey=journey, step="s", state_at=BEGIN,
            created_at=BEGIN, not_before_at=BEGIN, expires_at=BEGIN + timedelta(days=9),
        )
    )  # fmt: skip


@dataclass
class Worker:
    """One of many who want to call: as an agent by hand, or as a tick that dials ahead of agents."""

    engine: Engine
    house: House
    agent_id: UUID
    chance: Random

    def goes_for(self, people: list[int], now: datetime) -> None:
        """Try some of these people, for any of the rules, in any way."""
        with session_scope(self.engine) as session:
            agent = session.get_one(Agent, self.agent_id)
            agent.presence, agent.seen_at = Presence.AVAILABLE, now
        for _ in range(TRIES):
            customer_id = derived_id("customer", self.chance.choice(people))
            journey = self.chance.choice(JOURNEYS)
            task_id = derived_id("call-task", derived_id("firing", customer_id, journey))
            try:
                attempt_id = self._dials(task_id, now)
            except (CallCenterError, OperationalError):
                continue  # somebody else was faster
            if attempt_id is not None:
                self._nobody_answers(attempt_id, task_id, now)

    def _dials(self, task_id: UUID, now: datetime) -> UUID | None:
        if self.chance.random() < 0.3:
            with session_scope(self.engine) as session:
                rules = current_rules(session, journeys_loaded(session))
                found = lock_waiting(session, [task_id], now)
                if not dialer._dial(session, self.house, rules, found, DialingMode.PREVIEW, now):
                    return None
                live = select(ContactAttempt.id).where(ContactAttempt.call_task_id == task_id)
                return session.exec(live.where(ContactAttempt.state != AttemptState.ENDED)).one()
        with session_scope(self.engine) as session:
            pipeline.take_call_task(session, self.house, task_id, self.agent_id, now)
        with session_scope(self.engine) as session:
            placed = pipeline.place_call(session, self.house, task_id, self.agent_id, now)
        return placed.attempt_id if isinstance(placed, pipeline.Dialing) else None

    def _nobody_answers(self, attempt_id: UUID, task_id: UUID, now: datetime) -> None:
        with session_scope(self.engine) as session:
            pipeline.begin_placing(session, attempt_id, now)
        end = CarrierEvent(f"CA{attempt_id}", f"{attempt_id}", AttemptState.ENDED, CallResult.NO_ANSWER)
        with session_scope(self.engine) as session:
            pipeline.note_call_progress(session, attempt_id, end, now)
            agent_id = session.get_one(ContactAttempt, attempt_id).agent_id
        with session_scope(self.engine) as session:
            if agent_id is not None:
                pipeline.close_call(session, self.house, task_id, WrapUp("no_answer"), agent_id, now)
            else:
                dialer.close_unattended(session, self.house, attempt_id, now)


@pytest.fixture
def engine(fresh_database: Callable[[str], str]) -> Iterator[Engine]:
    """A database of its own: what is committed stays."""
    engine = make_engine(fresh_database("budgets"), pool_size=WORKERS)
    yield engine
    engine.dispose()


def _assert_within_budget(attempts: dict[object, list[datetime]]) -> None:
    for whom, unsorted in attempts.items():
        tried = sorted(unsorted)
        for place, at in enumerate(tried):
            assert sum(at - WINDOW < other <= at for other in tried) <= CAP, whom
            assert place == 0 or at - tried[place - 1] >= GAP, whom


@pytest.mark.timeout(240)
def test_no_cap_and_no_gap_is_ever_broken_however_many_want_to_call_at_once(
    engine: Engine, house: House
) -> None:
    house = replace(house, retry_after=timedelta(0))
    with session_scope(engine) as session:
        agents = _fill(session)
    crew = [Worker(engine, house, one, Random(place)) for place, one in enumerate(agents)]
    with ThreadPoolExecutor(WORKERS) as pool:
        for place, now in enumerate(ROUNDS):
            people = Random(place).sample(range(PEOPLE - 80), 10) + Random(place).sample(
                range(120, PEOPLE), 16
            )
            for done in [pool.submit(worker.goes_for, people, now) for worker in crew]:
                done.result()

    by_person: dict[object, list[datetime]] = defaultdict(list)
    by_number: dict[object, list[datetime]] = defaultdict(list)
    with Session(engine) as session:
        for attempt in session.exec(select(ContactAttempt)):
            by_person[attempt.customer_id].append(attempt.claimed_at)
            by_number[attempt.to_number].append(attempt.claimed_at)
        barred = [reason for one in session.exec(select(ScreeningDecision)) for reason in one.reasons]
    _assert_within_budget(by_person)
    _assert_within_budget(by_number)
    assert sum(map(len, by_person.values())) > 100, "enough calls were made to prove something"
    assert {"minimum_gap", "attempt_cap_reached", "number_cap_reached"} <= set(barred)


def test_two_people_with_one_telephone_share_its_budget_also_when_both_are_dialed_at_once(
    engine: Engine, house: House
) -> None:
    with session_scope(engine) as session:
        one, other = _fill(session)[:2]
    first, second = (
        derived_id("call-task", derived_id("firing", derived_id("customer", person), "loan"))
        for person in (120, 121)
    )
    for agent_id, task_id in ((one, first), (other, second)):
        with session_scope(engine) as session:
            agent = session.get_one(Agent, agent_id)
            agent.presence, agent.seen_at = Presence.AVAILABLE, BEGIN
        with session_scope(engine) as session:
            pipeline.take_call_task(session, house, task_id, agent_id, BEGIN)

    with session_scope(engine) as session:
        placed = pipeline.place_call(session, house, first, one, BEGIN)
        assert isinstance(placed, pipeline.Dialing)
        with pytest.raises(Conflict, match="number is on another call"), session_scope(engine) as meanwhile:
            pipeline.place_call(meanwhile, house, second, other, BEGIN)
    Worker(engine, house, one, Random(0))._nobody_answers(placed.attempt_id, first, BEGIN)
    with session_scope(engine) as session:
        barred = pipeline.place_call(session, house, second, other, BEGIN)
    assert isinstance(barred, pipeline.NotDialed) and barred.verdict is not None
    assert barred.verdict.reasons == (BarReason.MINIMUM_GAP,)


def test_an_agents_own_choice_waits_for_whoever_holds_the_customer_for_a_moment(
    engine: Engine, house: House
) -> None:
    with session_scope(engine) as session:
        agent_id = _fill(session)[0]
        customer_id = derived_id("customer", 0)
    with session_scope(engine) as session:
        agent = session.get_one(Agent, agent_id)
        agent.presence, agent.seen_at = Presence.AVAILABLE, BEGIN
    task_id = derived_id("call-task", derived_id("firing", customer_id, "loan"))

    def takes() -> bool:
        with session_scope(engine) as session:
            return pipeline.take_call_task(session, house, task_id, agent_id, BEGIN)

    with ThreadPoolExecutor(1) as pool:
        with session_scope(engine) as holding:
            moves.lock_customer(holding, customer_id)
            taking = pool.submit(takes)
            with pytest.raises(TimeoutError):
                taking.result(0.5)
        assert taking.result(10) is True
