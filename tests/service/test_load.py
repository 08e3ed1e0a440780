"""Agents on duty by hour of the day, and a back-test's calls beside them, on days made by hand."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete

from callcenter.domain.enums import CallResult, Presence, WorkState
from callcenter.models import AgentState
from callcenter.reporting.duty import duty_of_days
from tests.factories import Bank
from tests.service.test_reporting import attempt, task

SHANGHAI = ZoneInfo("Asia/Shanghai")


def _shift(bank: Bank, day: datetime) -> None:
    """Signed on from 9 to 11, at work from 9:30 to 10, away from 10:30 to 10:45."""
    ready, busy = (Presence.AVAILABLE, WorkState.IDLE), (Presence.AVAILABLE, WorkState.TALKING)
    away, off = (Presence.NOT_READY, WorkState.IDLE), (Presence.SIGNED_OFF, WorkState.IDLE)
    for minutes, (presence, work_state) in (
        (0, ready), (30, busy), (60, ready), (90, away), (105, ready), (120, off),
    ):  # fmt: skip
        at = day.replace(hour=9) + timedelta(minutes=minutes)
        row = AgentState(agent_id=bank.agent_id, at=at, presence=presence, work_state=work_state)
        bank.session.add(row)
        bank.session.flush()


@pytest.fixture
def midnight(bank: Bank) -> datetime:
    """The midnight in Shanghai before now; nobody has been on duty yet."""
    bank.session.execute(delete(AgentState))
    return bank.clock.now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)


def test_the_average_day_counts_who_was_at_work_or_ready_for_it(bank: Bank, midnight: datetime) -> None:
    for days_ago in (4, 3):
        _shift(bank, midnight - timedelta(days=days_ago))
    for number in range(6):
        at = midnight - timedelta(days=3) + timedelta(hours=9, minutes=30 + number)
        attempt(bank, task(bank, number, at), 5, CallResult.NO_ANSWER)
    duty = duty_of_days(bank.session, 28, SHANGHAI, bank.clock.now)
    assert duty is not None and duty.days == 4, "no more days than are known"
    assert duty.on_duty[9] == pytest.approx(2 / 4) and duty.on_duty[10] == pytest.approx(0.75 * 2 / 4)
    assert duty.busy[9] == pytest.approx(0.5 * 2 / 4) and duty.busy[10] == 0 == duty.on_duty[11]
    assert duty.minutes_a_call == pytest.approx(60 / 6)


def test_only_whole_days_in_the_asked_ones_count(bank: Bank, midnight: datetime) -> None:
    for days_ago in (9, 1, 0):
        _shift(bank, midnight - timedelta(days=days_ago))
    duty = duty_of_days(bank.session, 5, SHANGHAI, bank.clock.now)
    assert duty is not None and duty.days == 5 and duty.on_duty[9] == pytest.approx(1 / 5)
    assert duty.minutes_a_call is None


def test_before_the_first_whole_day_nothing_is_known(bank: Bank, midnight: datetime) -> None:
    assert duty_of_days(bank.session, 28, SHANGHAI, bank.clock.now) is None
    _shift(bank, midnight)
    assert duty_of_days(bank.session, 28, SHANGHAI, bank.clock.now) is None
