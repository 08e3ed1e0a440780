"""The errand that plays a back-test: figures of the events that are stored, once, and why there are none."""

from datetime import timedelta
from uuid import UUID

import pytest

from callcenter.backtest import asked
from callcenter.domain.enums import OutboxKind, Presence, Role, WorkState
from callcenter.domain.ids import derived_id
from callcenter.models import AgentState, BackTestRun, User
from callcenter.triggers.queries import current_version
from tests.jobs.conftest import Floor
from workers import jobs

RULE = "face-scan-quiet"


def _asked(floor: Floor, **changed: str) -> UUID:
    bank, user_id = floor.bank, derived_id("user", "strategist")
    if bank.session.get(User, user_id) is None:
        bank.session.add(
            User(
                id=user_id,
                login="strategist",
                name="A",
                role=Role.STRATEGIST,
                password_hash="-",
                created_at=floor.now,
            )
        )
        bank.session.commit()
    row = current_version(bank.session, RULE)
    assert row is not None
    definition = {**row.definition, **changed}
    run_id = asked.ask(bank.session, RULE, 2, definition, "Asia/Shanghai", user_id, floor.now)
    bank.session.commit()
    return run_id


def _run(floor: Floor, run_id: UUID) -> BackTestRun:
    floor.bank.session.expire_all()
    return floor.bank.session.get_one(BackTestRun, run_id)


def test_a_longer_wait_fires_for_fewer_and_the_gate_is_asked(floor: Floor) -> None:
    bank = floor.bank
    for number in range(20):
        bank.knows(f"p{number}")
        bank.sends(f"p{number}", "face_scan")
        bank.clock.go_on(seconds=150 if number % 2 else 400)
        bank.sends(f"p{number}", "profile")
        bank.sends(f"p{number}", "application_closed")
    bank.clock.go_on(minutes=30)
    bank.sends("later", "sign_in")
    found = {}
    for after in ("2m", "5m"):
        run_id = _asked(floor, after=after)
        message = floor.runs(jobs.back_test, OutboxKind.BACK_TEST)
        assert message.done_at is not None
        run = _run(floor, run_id)
        assert run.ended_at is not None and run.error is None
        found[after] = run.figures
        bank.clock.go_on(seconds=1)
    assert [one["fired"] for one in found.values()] == [20, 10]
    assert [one["fired_live"] for one in found.values()] == [20, 20]
    assert [one["after_s"] for one in found.values()] == [120, 300]
    assert found["2m"]["back"] == found["2m"]["back_of"] > 0 and found["2m"]["agents"] > 0
    assert found["2m"]["allowed"] + found["2m"]["waiting"] + found["2m"]["barred"] == 20
    assert sum(found["2m"]["per_hour"]) == 20 and len(found["5m"]["samples"]) == 10
    assert found["2m"]["load"] is None, "nobody has been on duty for a whole day"


def test_the_calls_stand_beside_the_agents_who_were_on_duty(floor: Floor) -> None:
    bank = floor.bank
    for number in range(20):
        bank.knows(f"p{number}")
        bank.sends(f"p{number}", "face_scan")
        bank.clock.go_on(seconds=400)
    noon = bank.clock.now.replace(minute=0, second=0, microsecond=0)
    began = noon - timedelta(days=14)
    for at, presence in ((began, Presence.AVAILABLE), (began + timedelta(hours=2), Presence.SIGNED_OFF)):
        row = AgentState(agent_id=bank.agent_id, at=at, presence=presence, work_state=WorkState.IDLE)
        bank.session.add(row)
        bank.session.flush()
    run_id = _asked(floor, after="2m")
    floor.runs(jobs.back_test, OutboxKind.BACK_TEST)
    figures = _run(floor, run_id).figures
    load = figures["load"]
    assert load["days"] == 14 and (load["minutes"], load["is_assumed"]) == (4, True)
    calls = sum(one["calls"] for one in load["hours"])
    assert calls == pytest.approx((figures["allowed"] + figures["waiting"]) * 0.8 / 28) and calls > 0
    # The live version waits as long: it makes the same calls, so that nothing comes on top.
    assert all(one["more"] == pytest.approx(0) and one["short"] == 0 for one in load["hours"])
    assert sum(one["on_duty"] for one in load["hours"]) == pytest.approx(2 / 14)
    bank.clock.go_on(seconds=1)
    fewer = _asked(floor, after="2m", holdout=0.6)
    floor.runs(jobs.back_test, OutboxKind.BACK_TEST)
    # One that holds out 60 % makes half the calls of the live one, which holds out 20 %.
    held = _run(floor, fewer).figures["load"]["hours"]
    assert sum(one["calls"] for one in held) == pytest.approx(calls / 2)
    assert sum(one["more"] for one in held) == pytest.approx(-calls / 2)


def test_a_definition_that_fits_its_journey_no_more_ends_with_the_reason(floor: Floor) -> None:
    run_id = _asked(floor, step="nowhere")
    floor.runs(jobs.back_test, OutboxKind.BACK_TEST)
    run = _run(floor, run_id)
    assert run.figures == {} and run.error is not None and "step" in run.error
