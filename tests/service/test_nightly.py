"""The nightly learning: each step once, one that fails stops no other, a process that dies stops nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, select

from callcenter import nightly
from callcenter.domain.enums import OutboxKind
from callcenter.errors import BadInput, Conflict
from callcenter.learning import learned, nights
from callcenter.models import AuditEntry, LearningRun, LearningStep, OutboxMessage
from callcenter.moves import House
from tests.factories import Bank


class Work:
    """Units of work in the test's transaction; what a failing one wrote is undone."""

    def __init__(self, bank: Bank) -> None:
        self.session, self.clock = bank.session, bank.clock

    @contextmanager
    def __call__(self) -> Iterator[Session]:
        with self.session.begin_nested():
            yield self.session


def _steps(bank: Bank) -> dict[str, LearningStep]:
    bank.session.flush()
    bank.session.expire_all()
    return {one.name: one for one in bank.session.exec(select(LearningStep))}


def test_a_step_that_fails_is_told_and_stops_no_other(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def fails(session: Session, house: House, now: datetime) -> str:
        session.add(LearningRun(id=nights.run_id_of("stray", now), asked_at=now, ended_at=now))
        session.flush()
        raise BadInput("The data is not there. Load it.")

    def breaks(session: Session, house: House, now: datetime) -> str:
        raise ZeroDivisionError

    def works(session: Session, house: House, now: datetime) -> str:
        done.append("works")
        return "2 things learned."

    monkeypatch.setattr(nightly, "STEPS", (("fails", fails), ("breaks", breaks), ("works", works)))
    run_id = nightly.ask_for_run(bank.session, None, bank.clock.now)
    names = list(nightly.carry_out(Work(bank), bank.house, run_id, bank.clock))
    steps = _steps(bank)
    assert (names, done) == (["fails", "breaks", "works"], ["works"])
    assert steps["fails"].error == "The data is not there. Load it."
    assert (steps["breaks"].error, steps["breaks"].summary) == ("ZeroDivisionError", None)
    assert (steps["works"].summary, steps["works"].error) == ("2 things learned.", None)
    assert len(bank.session.exec(select(LearningRun)).all()) == 1, "what the failing step wrote is undone"
    assert nights.open_run(bank.session) is None


def test_a_run_carried_out_twice_does_each_step_once(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(nightly, "STEPS", (("one", lambda *_: done.append("one") or "1 done."),))
    run_id = nightly.ask_for_run(bank.session, None, bank.clock.now)
    assert list(nightly.carry_out(Work(bank), bank.house, run_id, bank.clock)) == ["one"]
    assert list(nightly.carry_out(Work(bank), bank.house, run_id, bank.clock)) == []
    assert done == ["one"]


def test_a_step_under_way_is_left_to_its_process_until_that_must_have_died(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "STEPS", (("one", lambda *_: "1 done."),))
    run_id = nightly.ask_for_run(bank.session, None, bank.clock.now)
    for starts in range(1, nights.MAX_STARTS + 1):
        claimed = nights.claim_step(bank.session, run_id, bank.clock.now)
        assert claimed is not None and claimed.step == "one"
        assert _steps(bank)["one"].starts == starts
        assert nightly.do_next_step(Work(bank), bank.house, run_id, bank.clock) == ""
        bank.clock.now += learned.STEP_LEASE + timedelta(seconds=1)
    assert nightly.do_next_step(Work(bank), bank.house, run_id, bank.clock) is None
    assert (_steps(bank)["one"].error or "").startswith("The step has taken its process down")
    assert nights.open_run(bank.session) is None


def test_one_run_is_open_at_a_time_and_an_abandoned_one_makes_way(bank: Bank) -> None:
    nightly.ask_for_run(bank.session, bank.agent_id, bank.clock.now)
    bank.clock.go_on(minutes=1)
    with pytest.raises(Conflict):
        nightly.ask_for_run(bank.session, None, bank.clock.now)
    assert not nightly.begin_night(bank.session, 18, bank.clock.now)
    bank.clock.go_on(hours=7)
    nightly.ask_for_run(bank.session, None, bank.clock.now)
    asked = bank.session.exec(select(AuditEntry).where(AuditEntry.act == "learning.asked")).all()
    assert [one.user_id for one in asked] == [bank.agent_id, None]
    messages = bank.session.exec(select(OutboxMessage).where(OutboxMessage.kind == OutboxKind.LEARN)).all()
    assert len(messages) == 2


def test_the_night_begins_at_its_hour_and_a_missed_one_is_made_up_for() -> None:
    at = datetime.fromisoformat
    assert learned.night_of(18, at("2026-11-18T18:00:00+00:00")) == at("2026-11-18T18:00:00+00:00")
    assert learned.night_of(18, at("2026-11-18T17:59:59+00:00")) == at("2026-11-17T18:00:00+00:00")


def test_with_nothing_to_learn_from_every_step_says_so(bank: Bank) -> None:
    run_id = nightly.ask_for_run(bank.session, None, bank.clock.now)
    list(nightly.carry_out(Work(bank), bank.house, run_id, bank.clock))
    steps = _steps(bank)
    assert set(steps) == {name for name, _ in nightly.STEPS}
    assert all(one.error is None and one.summary for one in steps.values())
    assert (steps["propensity"].summary or "").startswith("0 firings, 0 of them converted: too few")
