"""A console is asked for at every change of its agent, by thousands: it reads what there is, and little else."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from flask.testing import FlaskClient

from callcenter.reporting.desk import team_day
from tests.factories import Bank

Statements = list[str]


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[Statements]:
    """What is asked of the database, by whichever way."""
    asked: Statements = []
    ask = psycopg.Cursor.execute

    def execute(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(" ".join(str(query).split()))
        return ask(self, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.Cursor, "execute", execute)
    yield asked


def _looked(desk: FlaskClient) -> None:
    assert desk.get("/console/state").status_code == 200


def test_an_agent_with_an_empty_desk_is_asked_for_in_few_statements(
    desk: FlaskClient, bank: Bank, statements: Statements
) -> None:
    bank.agent_is_available()
    bank.session.commit()
    _looked(desk)
    statements.clear()
    _looked(desk)
    assert len(statements) <= 8, statements


def test_the_team_s_day_is_asked_for_once_in_half_a_minute(
    desk: FlaskClient, bank: Bank, statements: Statements
) -> None:
    _looked(desk)
    statements.clear()
    _looked(desk)
    assert not [one for one in statements if "GROUP BY a.agent_id" in one]
    bank.clock.go_on(seconds=31)
    _looked(desk)
    assert len([one for one in statements if "GROUP BY a.agent_id" in one]) == 1
    assert team_day(bank.session, "nobody's", bank.clock()) == {}
