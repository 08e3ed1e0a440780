"""The demo's past, lived through by the product's own verbs, leaves something to learn from and nothing to do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from sqlmodel import Session, col, select

from callcenter import nightly
from callcenter.accounts import service as accounts
from callcenter.commands.past import live_past
from callcenter.demo.past import A_DAY, NEWEST, OLDEST, days_before
from callcenter.domain.enums import (
    FiringFate,
    OutboxKind,
    Presence,
    ProposalKind,
    ProposalState,
    Role,
    SuppressReason,
    TaskState,
)
from callcenter.intake import service as intake
from callcenter.learning.nights import open_run
from callcenter.models import (
    Agent,
    AuditEntry,
    CallTask,
    ContactAttempt,
    Disposition,
    OutboxMessage,
    Proposal,
    ScriptStep,
    SurveyInvite,
    TriggerFiring,
    Visit,
)
from callcenter.moves import House
from callcenter.routing import service as routing
from callcenter.runtime import Runtime
from callcenter.sample.people import DEMO_AGENTS
from tests.factories import NOON_IN_SHANGHAI, Bank

RULE = "sign-in-trouble"


@dataclass
class Here:
    """What living the past asks of a runtime, in the test's transaction."""

    bank: Bank
    survey_key: bytes = b"a key of the tests alone, 32 bytes"

    @property
    def house(self) -> House:
        return self.bank.house

    def clock(self) -> datetime:
        return self.bank.clock.now

    @contextmanager
    def unit_of_work(self) -> Iterator[Session]:
        with self.bank.session.begin_nested():
            yield self.bank.session


def _all(bank: Bank, table: Any) -> list[Any]:
    return list(bank.session.exec(select(table)))


@pytest.fixture
def demo(bank: Bank) -> Bank:
    """The sample set-up with the demo's source, strategist and agents."""
    session, now = bank.session, bank.clock.now
    intake.add_source(session, "demo-app", "demo-key", 1.0, now)
    accounts.add_user(session, "strategist", "Gao Yan", Role.STRATEGIST, "harbour-demo", now)
    for login, name in DEMO_AGENTS:
        user = accounts.add_user(session, login, name, Role.AGENT, "harbour-demo", now)
        routing.add_agent(session, user.id, "Loan desk B", now)
    session.flush()
    return bank


@pytest.mark.slow
def test_the_past_leads_to_a_proposal_script_draws_and_answers_and_leaves_nothing_to_do(demo: Bank) -> None:
    now, here = demo.clock.now, cast(Runtime, Here(demo))
    came = A_DAY * (OLDEST - NEWEST + 1)
    assert live_past(here, threading.Event()) == came
    assert live_past(here, threading.Event()) == 0, "a bank has one past"

    firings = _all(demo, TriggerFiring)
    assert {one.rule_key for one in firings} == {RULE} and len(firings) == came
    counted = [one for one in firings if one.fate in (FiringFate.TASK, FiringFate.HELD_OUT)]
    assert {one.suppress_reason for one in firings if one not in counted} <= {SuppressReason.RECOVERED}
    assert len(counted) > 0.95 * came and all(one.fired_at < now - timedelta(days=1) for one in firings)
    tasks = _all(demo, CallTask)
    assert {one.state for one in tasks} == {TaskState.COMPLETED, TaskState.CANCELED}
    assert {one.script_variant for one in tasks} == {"A", "B"}
    assert all(one.script_propensity == 0.5 for one in tasks)
    attempts = _all(demo, ContactAttempt)
    assert len(attempts) == len(_all(demo, Disposition)) > came / 3
    assert {one.state for one in attempts} == {"ended"} and _all(demo, ScriptStep)
    assert all(one.claimed_at < now - timedelta(days=1) for one in attempts)
    scores = [one.score for one in _all(demo, SurveyInvite) if one.score is not None]
    assert len(scores) >= 20 and min(scores) <= 6 and max(scores) >= 9

    assert all(one.wake_at is None for one in _all(demo, Visit)), "no clock of theirs runs on"
    agents = demo.session.exec(select(Agent).where(col(Agent.id) != demo.agent_id)).all()
    assert {(one.presence, one.work_state) for one in agents} == {(Presence.SIGNED_OFF, "idle")}
    open_messages = [one.kind for one in _all(demo, OutboxMessage) if one.done_at is None]
    assert open_messages == [OutboxKind.LEARN]

    run_id = open_run(demo.session)
    assert run_id is not None
    done = list(nightly.carry_out(here.unit_of_work, demo.house, run_id, demo.clock))
    assert done[:2] == ["scripts", "proposals"]
    (proposal,) = _all(demo, Proposal)
    assert (proposal.rule_key, proposal.kind, proposal.state) == (
        RULE,
        ProposalKind.HOLDOUT,
        ProposalState.OPEN,
    )
    assert proposal.evidence["evidence"] >= 20 and proposal.evidence["share"] == 0.25
    assert proposal.evidence["assigned"][1] + proposal.evidence["held_out"][1] == len(counted)
    assert {one.act for one in _all(demo, AuditEntry)} >= {"survey.set", "learning.asked", "rule.proposed"}


def test_the_days_before_are_the_same_at_every_telling_and_in_order() -> None:
    told = [list(day) for day in days_before(1, NOON_IN_SHANGHAI)]
    assert told == [list(day) for day in days_before(1, NOON_IN_SHANGHAI)]
    everybody = [one for day in told for one in day]
    assert [one.at for one in everybody] == sorted(one.at for one in everybody)
    assert len({one.person.user_id for one in everybody}) == len({one.person.phone for one in everybody})
    assert all(sum(deed.name == "password_wrong" for deed in one.deeds) > 1 for one in everybody)


def test_asked_to_stop_it_lives_no_further_day(demo: Bank) -> None:
    stopping = threading.Event()
    stopping.set()
    assert live_past(cast(Runtime, Here(demo)), stopping) == 0
    assert _all(demo, TriggerFiring) == []
