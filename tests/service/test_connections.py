"""Connections to the database that have died, and reads without a transaction."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from callcenter import db
from callcenter.db import make_engine, read_scope, without_transactions
from tests.factories import Bank


@pytest.fixture
def engine(bank: Bank) -> Iterator[Engine]:
    """An engine of our own on the test's database, with few connections."""
    made = make_engine(_url(bank), pool_size=2)
    yield made
    made.dispose()


def _url(bank: Bank) -> str:
    bind = bank.session.get_bind()
    return bind.engine.url.render_as_string(hide_password=False)


def _pid(engine: Engine) -> int:
    with read_scope(engine) as session:
        return int(session.execute(text("SELECT pg_backend_pid()")).scalar_one())


def _cut_off(bank: Bank, pid: int) -> None:
    with psycopg.connect(_url(bank).replace("+psycopg", "", 1), autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))


def test_a_connection_that_died_while_idle_is_made_anew(
    bank: Bank, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _pid(engine)
    assert _pid(engine) == first
    monkeypatch.setattr(db, "_TRUSTED_SECONDS", 0.0)
    _cut_off(bank, first)
    assert _pid(engine) != first


def test_one_that_died_a_moment_after_its_use_is_said_to_be_away_once(bank: Bank, engine: Engine) -> None:
    first = _pid(engine)
    _cut_off(bank, first)
    with pytest.raises(OperationalError):
        _pid(engine)
    assert _pid(engine) != first


def test_reads_without_a_transaction_see_each_what_is_committed_by_then(bank: Bank, engine: Engine) -> None:
    began = text("SELECT now()")  # when the transaction began
    with read_scope(engine) as session:
        assert session.execute(began).scalar_one() == session.execute(began).scalar_one()
    with read_scope(without_transactions(engine)) as session:
        assert session.execute(began).scalar_one() < session.execute(began).scalar_one()
    with read_scope(engine) as session:
        assert session.execute(began).scalar_one() == session.execute(began).scalar_one()
