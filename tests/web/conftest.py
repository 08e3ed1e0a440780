"""The application on an empty, migrated database, with the sample set-up and somebody signed in."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import Session, select

from callcenter.app import create_app
from callcenter.config import Settings
from callcenter.db import make_engine
from callcenter.domain.enums import Role
from callcenter.domain.ids import derived_id
from callcenter.models import User
from callcenter.runtime import Runtime
from tests.factories import NOON_IN_SHANGHAI, Bank, Clock
from tests.servers import test_settings

PUBLIC = "https://calls.bank.example"
AUTH_TOKEN = "a-token-for-tests"
CLOSED_PORT = "1"
"""Nothing listens there: a server at this port of loopback is away."""
PASSWORD = "a-long-password"

_CHEAP_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)

SignIn = Callable[..., FlaskClient]


def settings_for(home: Path, database_url: str, redis_url: str, **more: str) -> Settings:
    """Settings of an application on these servers, whose carrier is nowhere."""
    values = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": "a-secret-for-tests-of-thirty-two-or-more",
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "PUBLIC_BASE_URL": PUBLIC,
        "CARRIER_BASE_URL": f"http://127.0.0.1:{CLOSED_PORT}",
        **more,
    }
    return test_settings(home, **values)


def app_on(runtime: Runtime, *, csrf: bool = False) -> Flask:
    """The application as it is served; tests of forms leave the CSRF token out unless they ask for it."""
    app = create_app(runtime)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=csrf)
    # Cookies go over https only; browsers then send a Referer, test clients do not.
    app.config.update(PREFERRED_URL_SCHEME="https", WTF_CSRF_SSL_STRICT=False)
    return app


def _the_agent() -> User:
    """The agent the bank will find already there: a real password's hash costs each test a quarter second."""
    return User(
        id=derived_id("user", "agent"),
        login="agent",
        name="Lin Yue",
        role=Role.AGENT,
        password_hash=_CHEAP_HASH,
        created_at=NOON_IN_SHANGHAI,
    )


@pytest.fixture
def session(fresh_database: Callable[[str], str]) -> Iterator[Session]:
    """A session on a database of the test's own: what it commits, the application sees over its own engine."""
    engine = make_engine(fresh_database("one_test"))
    with Session(engine, expire_on_commit=False) as opened:
        opened.add(_the_agent())
        opened.commit()
        yield opened
        opened.rollback()
    engine.dispose()


@pytest.fixture
def settings(session: Session, redis_url: str, tmp_path: Path) -> Settings:
    """Settings for the test's own database and the session's Valkey."""
    url = session.get_bind().engine.url.render_as_string(hide_password=False)
    return settings_for(tmp_path, url, redis_url)


@pytest.fixture
def runtime(settings: Settings, clock: Clock) -> Iterator[Runtime]:
    """The product on the test's database, with a clock to turn by hand."""
    made = Runtime(settings, clock)
    yield made
    made.engine.dispose()
    made.redis.close()


@pytest.fixture
def app(runtime: Runtime) -> Flask:
    """The application on an otherwise empty database; ask for `bank` too to have the sample set-up in it."""
    return app_on(runtime)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser nobody has signed in with."""
    return app.test_client()


@dataclass(frozen=True)
class People:
    """One user of each role, by role; the agent is the bank's own."""

    ids: dict[Role, UUID]


@pytest.fixture
def people(bank: Bank) -> People:
    """Add a user of each other role to the bank's agent, all with one password."""
    agent = bank.session.exec(select(User).where(User.login == "agent")).one()
    ids = {Role.AGENT: agent.id}
    for role in (Role.SUPERVISOR, Role.STRATEGIST, Role.COMPLIANCE, Role.ADMIN):
        user = User(
            id=derived_id("user", role.value),
            login=role.value,
            name=f"The {role.value}",
            role=role,
            password_hash=agent.password_hash,  # hashing anew costs a tenth of a second each
            created_at=bank.clock.now,
        )
        bank.session.add(user)
        ids[role] = user.id
    bank.session.commit()
    return People(ids)


def signed_in(client: FlaskClient, user_id: UUID) -> FlaskClient:
    """Put a user's session into a browser, as signing in would."""
    with client.session_transaction() as kept:
        kept["_user_id"], kept["_fresh"] = str(user_id), True
    return client


@pytest.fixture
def sign_in(app: Flask, people: People) -> SignIn:
    """Call it with a role to get a browser in which a user of that role is signed in."""
    return lambda role: signed_in(app.test_client(), people.ids[Role(role)])


@pytest.fixture
def desk(app: Flask, bank: Bank) -> FlaskClient:
    """The agent's browser."""
    return signed_in(app.test_client(), bank.agent_id)
