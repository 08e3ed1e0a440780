import threading
import time
from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import create_engine, inspect

from callcenter.commands.migrate import check_drift, migrate
from callcenter.errors import Unavailable
from tests.servers import fresh_database, plain_url, server_pair  # noqa: F401


@pytest.fixture
def database(fresh_database: Callable[[str], str]) -> str:  # noqa: F811
    return fresh_database("migrate")


def test_migrations_say_what_the_models_say(database: str) -> None:
    check_drift(database)


def test_migrating_again_changes_nothing(database: str) -> None:
    before = tables(database)
    migrate(database)
    assert tables(database) == before


def test_migrations_at_once_wait_for_each_other(database: str) -> None:
    """One holds the turn: the other is still waiting after a while, and goes through when it is free."""
    with psycopg.connect(plain_url(database), autocommit=True) as first:
        first.execute("SELECT pg_advisory_lock(4155237301)")
        second = threading.Thread(target=migrate, args=(database,))
        second.start()
        second.join(0.5)
        assert second.is_alive()
        first.execute("SELECT pg_advisory_unlock(4155237301)")
        second.join(20)
        assert not second.is_alive()


def test_a_database_that_is_away_is_said_in_one_line_without_its_password() -> None:
    with pytest.raises(Unavailable) as away:
        migrate("postgresql+psycopg://app:hunter2@127.0.0.1:1/none")
    assert "\n" not in away.value.message
    assert "hunter2" not in away.value.message


def test_a_fresh_database_costs_a_fraction_of_a_second(
    fresh_database: Callable[[str], str],  # noqa: F811
) -> None:
    fresh_database("warm")
    began = time.perf_counter()
    fresh_database("quick")
    assert time.perf_counter() - began < 1.0


def tables(database: str) -> list[str]:
    engine = create_engine(database)
    try:
        return sorted(inspect(engine).get_table_names())
    finally:
        engine.dispose()
