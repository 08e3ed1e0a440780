"""Real servers for tests: one embedded pair per test session, and a fresh migrated database for each test.

Import the fixtures in `tests/conftest.py`:

    from tests.servers import database_url, fresh_database, redis_url, server_pair  # noqa: F401
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from psycopg import sql

from callcenter.commands.migrate import migrate
from callcenter.config import Settings, load_settings
from callcenter.embedded import Servers, servers
from tests.reuse import as_new, make_as_new

TEMPLATE = "template_migrated"


def test_settings(home: Path, **environ: str) -> Settings:
    """Settings of a demo in `home`, whatever the real environment says."""
    given = {"CALLCENTER_HOME": str(home), "MIN_FREE_MB": "50", "DEMO": "0", "CALLS_PER_SECOND": "100"}
    given["GLOBAL_HOLDOUT"] = "0"  # who is held out is the test's to say
    return load_settings({**given, **environ})


test_settings.__test__ = False  # type: ignore[attr-defined]  # a helper, not a test


@pytest.fixture(scope="session")
def server_pair() -> Iterator[Servers]:
    """PostgreSQL and Valkey without durability, gone after the session. Nothing is migrated in them."""
    with tempfile.TemporaryDirectory(prefix="callcenter-tests-") as folder:
        # Root's servers run under an ordinary account, which must get through to its own directory.
        Path(folder).chmod(0o711 if os.geteuid() == 0 else 0o700)
        with servers(test_settings(Path(folder) / "home"), durable=False) as running:
            yield running


@pytest.fixture(scope="session")
def fresh_database(server_pair: Servers) -> Callable[[str], str]:
    """Call it with a name to get the address of a new, migrated, otherwise empty database.

    One of that name is emptied, or thrown away where a test changed more than rows. The template is migrated once
    per session.
    """
    template_url = _with_database(server_pair.database_url, TEMPLATE)
    _execute(server_pair, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
    migrate(template_url)
    new = as_new(plain_url(template_url))
    made: set[str] = set()
    admin_url = plain_url(_with_database(server_pair.database_url, "postgres"))

    def create(name: str) -> str:
        url = _with_database(server_pair.database_url, name)
        if name in made and make_as_new(admin_url, name, plain_url(url), new):
            return url
        made.add(name)
        database = sql.Identifier(name)
        _execute(server_pair, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
        _execute(
            server_pair,
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(database, sql.Identifier(TEMPLATE)),
        )
        return url

    return create


@pytest.fixture(scope="session")
def database_url(fresh_database: Callable[[str], str]) -> str:
    """One migrated database for the whole session; tests share it and keep apart by their own rows."""
    return fresh_database("session")


@pytest.fixture
def redis_url(server_pair: Servers) -> str:
    """The session's Valkey, emptied for this test."""
    with redis.Redis.from_url(server_pair.redis_url) as client:
        client.flushall()
    return server_pair.redis_url


def plain_url(database_url: str) -> str:
    """The address as psycopg and libpq read it (SQLAlchemy's names its driver)."""
    return database_url.replace("postgresql+psycopg://", "postgresql://", 1)


def _with_database(url: str, name: str) -> str:
    before, _, after = url.partition("@/")
    return f"{before}@/{name}?{after.partition('?')[2]}"


def _execute(running: Servers, statement: sql.Composed) -> None:
    url = plain_url(_with_database(running.database_url, "postgres"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)
