# ruff: noqa: F811 - fixtures from elsewhere bear the names of the arguments that ask for them
"""The workers' own runtime, as a worker process makes it, on the test's database and the carrier simulator."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlmodel import Session, col, select

from callcenter import pipeline
from callcenter.domain.enums import OutboxKind
from callcenter.models import ContactAttempt, OutboxMessage
from callcenter.runtime import Runtime, get_runtime
from tests.factories import Bank, Clock, user_in_arm
from tests.simulator.conftest import product, running_simulator, simulator  # noqa: F401
from tests.simulator.sim import ACCOUNT_SID, AUTH_TOKEN, Product, Simulator
from tests.web.conftest import session, settings_for  # noqa: F401

RULE = "id-photo-trouble"


@pytest.fixture
def clock() -> Clock:
    """The latest noon in Shanghai: the simulator's calls, which bear the real time, come after it."""
    now = datetime.now(UTC)
    noon = now.replace(hour=4, minute=0, second=0, microsecond=0)
    return Clock(noon if noon < now else noon - timedelta(days=1))


@pytest.fixture
def worker_runtime(
    session: Session,
    redis_url: str,
    clock: Clock,
    simulator: Simulator,
    product: Product,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Runtime]:
    """What `get_runtime()` gives to jobs, with a clock to turn by hand."""
    url = session.get_bind().engine.url.render_as_string(hide_password=False)
    carrier = {"TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_AUTH_TOKEN": AUTH_TOKEN}
    settings = settings_for(
        tmp_path,
        url,
        redis_url,
        **carrier,
        CARRIER_BASE_URL=simulator.base_url,
        PUBLIC_BASE_URL=product.base_url,
    )
    for name, value in settings.as_environ().items():
        monkeypatch.setenv(name, value)
    get_runtime.cache_clear()
    made = get_runtime()
    made.clock = clock
    yield made
    get_runtime.cache_clear()
    made.engine.dispose()
    made.redis.close()


@dataclass
class Floor:
    """The bank with the workers' runtime beside it."""

    bank: Bank
    runtime: Runtime
    simulator: Simulator

    def has_waiting_task(self) -> UUID:
        """Let a customer have trouble, and the tick open a call task."""
        user = user_in_arm(RULE, held_out=False, at=self.bank.clock.now)
        customer = self.bank.knows(user)
        assert customer.number is not None
        self.simulator.set_number(customer.number, outcome="no-answer", ring_s=10_000)
        self.bank.sends(user, "id_photo_front")
        for attempt in (1, 2):
            self.bank.sends(user, "photo_rejected", reason="glare", attempt=attempt)
        self.bank.ticks()
        return self.bank.tasks()[-1].id

    def has_claimed_attempt(self) -> ContactAttempt:
        """Let the agent press Dial; nobody has asked the carrier yet."""
        self.bank.agent_is_available()
        task_id = self.has_waiting_task()
        (task,) = [one for one in self.bank.tasks() if one.id == task_id]
        self.bank.offers(task)
        pipeline.place_call(self.bank.session, self.bank.house, task_id, self.bank.agent_id, self.now)
        self.bank.session.commit()
        return self.attempt()

    @property
    def now(self) -> datetime:
        """The time."""
        return self.bank.clock.now

    def attempt(self) -> ContactAttempt:
        """The one attempt, as it is now."""
        self.bank.session.expire_all()
        (attempt,) = self.bank.attempts()
        return attempt

    def message(self, kind: OutboxKind) -> OutboxMessage:
        """The newest message of a kind, as it is now."""
        self.bank.session.expire_all()
        statement = (
            select(OutboxMessage).where(OutboxMessage.kind == kind).order_by(col(OutboxMessage.id).desc())
        )
        found = self.bank.session.exec(statement).first()
        assert found is not None, kind
        return found

    def runs(self, job: object, kind: OutboxKind) -> OutboxMessage:
        """Run a job on the newest message of its kind, as a worker would."""
        message = self.message(kind)
        self.bank.session.commit()
        job(message.id, str(message.subject_id))  # type: ignore[operator]
        return self.message(kind)

    def calls_to(self, number: str) -> int:
        """How many calls the carrier has had to a number."""
        found = self.simulator.control("GET", "calls").json()["calls"]
        return sum(call["to"] == number for call in found)


@pytest.fixture
def floor(bank: Bank, worker_runtime: Runtime, simulator: Simulator) -> Floor:
    """An empty floor with one agent."""
    return Floor(bank, worker_runtime, simulator)
