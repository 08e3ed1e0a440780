"""What tests build on: a clock to turn by hand, a bank with the sample set-up, customers who do things."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from callcenter import pipeline, talk
from callcenter.commands.sample import read_sample
from callcenter.compliance.policies import Gate
from callcenter.db import make_engine
from callcenter.domain.enums import (
    AttemptState,
    CallResult,
    Presence,
    Role,
    SuppressionKind,
    SuppressionScope,
)
from callcenter.domain.ids import derived_id
from callcenter.domain.ports import Answer, CarrierEvent
from callcenter.intake import service as intake
from callcenter.intake.rules import read_batch
from callcenter.journeys import service as journeys
from callcenter.models import (
    CallTask,
    ContactAttempt,
    Customer,
    EventSource,
    Suppression,
    TriggerFiring,
    User,
)
from callcenter.moves import House
from callcenter.outcomes import service as outcomes
from callcenter.routing import people
from callcenter.routing import service as routing
from callcenter.sample.people import DEMO_SKILLS
from callcenter.triggers import service as triggers
from scripts_library.catalog import load_catalog

NOON_IN_SHANGHAI = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
NUMBER = "+8613800138000"
_numbers = count(1)


@dataclass
class Clock:
    """A clock that goes on only when told to."""

    now: datetime = NOON_IN_SHANGHAI

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, **span: float) -> datetime:
        """Let time pass."""
        self.now += timedelta(**span)
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Noon in Shanghai on a Wednesday."""
    return Clock()


@pytest.fixture(scope="session")
def house() -> House:
    """The bank's scripts, policy pack and caller id."""
    return House(load_catalog(), Gate(("cn-bank",), b"a key of the tests alone, 32 bytes"), "+15005550006")


@pytest.fixture(scope="session")
def one_engine(fresh_database: Callable[[str], str]) -> Iterator[Engine]:
    """The engine of the database that tests of one session share; each leaves it as it was."""
    engine = make_engine(fresh_database("one_session"))
    yield engine
    engine.dispose()


@pytest.fixture
def session(one_engine: Engine) -> Iterator[Session]:
    """A session on an empty, migrated database; what a test commits is undone after it."""
    with one_engine.connect() as connection, connection.begin() as everything:
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as opened:
            yield opened
        everything.rollback()


@dataclass
class Bank:
    """The sample set-up with one agent, and handles to play the loop by hand."""

    session: Session
    house: House
    clock: Clock
    source: EventSource
    agent_id: UUID
    sent: Iterator[int] = field(default_factory=lambda: count(1))

    def sends(
        self, user: str | None, name: str, *, at: datetime | None = None, **properties: Any
    ) -> pipeline.Intake:
        """Let the app report one event of a customer: a page of the journey, or a tracked event."""
        pages = {key for step in read_sample("loan.yaml")["steps"] for key in step.get("enter", [])}
        pages -= {"credit_granted", "loan_withdrawn"}
        is_page = name in pages
        raw = {
            "type": "page" if is_page else "track",
            "messageId": properties.pop("message_id", f"m{next(self.sent)}"),
            "timestamp": (at or self.clock.now).isoformat(),
            "anonymousId": properties.pop("device", None),
            "properties": {"application_id": "a1", **properties, **({"step": name} if is_page else {})},
        }
        raw |= {"name": "Loan"} if is_page else {"event": name}
        return self.takes({**raw, "userId": user})

    def takes(self, *raw: Any) -> pipeline.Intake:
        """Take a batch of raw events in and commit."""
        batch = read_batch(list(raw), {}, self.clock.now)
        result = pipeline.take_events(self.session, self.source, batch, self.clock.now)
        self.session.commit()
        return result

    def knows(self, user: str, **traits: Any) -> Customer:
        """Let the app identify a customer with a callable number in Shanghai."""
        number = f"+86138001{next(_numbers):05d}"
        profile = {"name": "陈伟", "phone": number, "time_zone": "Asia/Shanghai", "language": "zh", **traits}
        self.takes({"type": "identify", "userId": user, "traits": profile, "messageId": f"i-{user}"})
        return self.customer(user)

    def customer(self, user: str) -> Customer:
        """Return a customer by the bank's own id."""
        return self.session.exec(select(Customer).where(Customer.external_id == user)).one()

    def ticks(self) -> None:
        """Let the scheduler's tick run once."""
        pipeline.fire_due_visits(self.session, self.clock.now)
        pipeline.decide_firings(self.session, self.house, self.clock.now)
        self.session.commit()

    def firings(self) -> list[TriggerFiring]:
        """All firings, oldest first."""
        return list(self.session.exec(select(TriggerFiring).order_by(TriggerFiring.fired_at)))  # type: ignore[arg-type]

    def tasks(self) -> list[CallTask]:
        """All call tasks, oldest first."""
        return list(self.session.exec(select(CallTask).order_by(CallTask.created_at)))  # type: ignore[arg-type]

    def attempts(self) -> list[ContactAttempt]:
        """All attempts, oldest first."""
        return list(self.session.exec(select(ContactAttempt).order_by(ContactAttempt.claimed_at)))  # type: ignore[arg-type]

    def bars(self, customer_id: UUID, kind: SuppressionKind = SuppressionKind.DO_NOT_CALL) -> None:
        """Put a customer into the suppression ledger."""
        self.session.add(
            Suppression(
                kind=kind,
                scope=SuppressionScope.GLOBAL,
                customer_id=customer_id,
                source="test",
                created_at=self.clock.now,
            )
        )
        self.session.commit()

    def agent_is_available(self) -> None:
        """Let the agent be available with an open console."""
        pipeline.set_presence(self.session, self.agent_id, Presence.AVAILABLE, None, self.clock.now)
        self.session.commit()

    def offers(self, task: CallTask) -> Any:
        """Offer a call task as its job would."""
        offer = pipeline.offer_call_task(self.session, self.house, task.id, self.clock.now)
        self.session.commit()
        return offer

    def dials(self, task: CallTask) -> Any:
        """Let the agent dial, and the job take the permission to ask the carrier."""
        result = pipeline.place_call(self.session, self.house, task.id, self.agent_id, self.clock.now)
        if isinstance(result, pipeline.Dialing):
            pipeline.begin_placing(self.session, result.attempt_id, self.clock.now)
        self.session.commit()
        return result

    def is_placing(self, rule_key: str) -> UUID:
        """Let the agent dial somebody in trouble; return the attempt, whose request is on its way."""
        user = user_in_arm(rule_key, held_out=False)
        self.agent_is_available()
        self.knows(user)
        self.sends(user, "id_photo_front")
        for attempt in (1, 2):
            self.sends(user, "photo_rejected", reason="glare", attempt=attempt)
        self.ticks()
        (task,) = self.tasks()
        self.offers(task)
        dialing = self.dials(task)
        assert isinstance(dialing, pipeline.Dialing)
        return dialing.attempt_id

    def agent_line_is_up(self, agent_id: UUID | None = None, ref: str = "CA-agent") -> None:
        """Let an agent sit in their room, as the carrier says."""
        agent_id = agent_id or self.agent_id
        talk.begin_connecting(self.session, agent_id, self.clock.now)
        talk.note_agent_leg(self.session, agent_id, ref, AttemptState.ANSWERED, self.clock.now)
        self.session.commit()

    def another_agent(self, name: str = "other") -> UUID:
        """Let one more agent be available, with their line up."""
        user_id = self.another_user(name, Role.AGENT)
        routing.add_agent(self.session, user_id, "Loan desk A", self.clock.now)
        pipeline.set_presence(self.session, user_id, Presence.AVAILABLE, None, self.clock.now)
        self.agent_line_is_up(user_id, f"CA-{name}")
        return user_id

    def another_user(self, login: str, role: Role, name: str = "") -> UUID:
        """Add somebody of a role, who is not signed in."""
        user = User(
            id=derived_id("user", login),
            login=login,
            name=name or login.title(),
            role=role,
            password_hash="-",
            created_at=self.clock.now,
        )
        self.session.add(user)
        self.session.commit()
        return user.id

    def picks_up(self, attempt_id: UUID, ref: str = "CA1") -> Answer:
        """Let the customer answer and the carrier ask what they shall hear."""
        answer = pipeline.answer_call(self.session, self.house, attempt_id, ref, self.clock.now)
        self.session.commit()
        return answer

    def hears(
        self, attempt_id: UUID, state: AttemptState, result: CallResult | None = None, ref: str = "CA1"
    ) -> bool:
        """Let the carrier report on a call."""
        event = CarrierEvent(ref=ref, key=f"{attempt_id}{ref}{state}{result}", state=state, result=result)
        moved = pipeline.note_call_progress(self.session, attempt_id, event, self.clock.now)
        self.session.commit()
        return moved


def user_in_arm(rule_key: str, *, held_out: bool, at: datetime = NOON_IN_SHANGHAI, share: float = 0.2) -> str:
    """Return the name of a customer whom a rule's hold-out draw puts into the arm wanted."""
    from callcenter.domain.ids import derived_id
    from callcenter.learning.service import draw_arm

    names = (f"customer-{number}" for number in count())
    return next(
        n for n in names if draw_arm(rule_key, derived_id("customer", n), share, at).held_out is held_out
    )


@pytest.fixture
def bank(session: Session, house: House, clock: Clock) -> Bank:
    """The sample set-up in an empty database, with one agent."""
    now = clock.now
    outcomes.load_dispositions(session, read_sample("dispositions.yaml"))
    journey = journeys.load_journey(session, read_sample("loan.yaml"), [], now)
    for key, name, name_zh in DEMO_SKILLS:
        people.put_skill(session, key, name, name_zh, now)
    for rule in read_sample("rules.yaml"):
        triggers.adopt_rule(session, rule, journey, now)
    source = intake.add_source(session, "app", "key", 1.0, now)
    user = session.get(User, derived_id("user", "agent")) or User(
        id=derived_id("user", "agent"),
        login="agent",
        name="Lin Yue",
        role=Role.AGENT,
        password_hash="-",
        created_at=now,
    )
    session.add(user)
    session.flush()
    routing.add_agent(session, user.id, "Loan desk A", now)
    session.commit()
    return Bank(session, house, clock, source, user.id)
