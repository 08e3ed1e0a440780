"""A better wait, from its evidence to the way back, by the pipeline's verbs and the studio's own routes."""

from datetime import timedelta
from html import unescape
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import col, select

from callcenter import nightly, pipeline
from callcenter.commands.sample import read_sample
from callcenter.domain.draws import in_canary
from callcenter.domain.enums import AttemptState, CallResult, Role, RuleState, TaskState
from callcenter.domain.ids import derived_id
from callcenter.domain.ports import CarrierEvent, Placed
from callcenter.journeys.queries import journeys_loaded
from callcenter.learning.nights import open_run
from callcenter.learning.proposing import milestones
from callcenter.models import BandedVisit, CallTask, Proposal, TriggerFiring, TriggerRule
from callcenter.outcomes.rules import WrapUp
from callcenter.runtime import Runtime
from callcenter.triggers import service as triggers
from callcenter.triggers.queries import current_version
from tests.factories import Bank
from tests.web.conftest import SignIn, signed_in
from tests.web.scenes import HTMX, enter

pytestmark = pytest.mark.slow

RULE = "face-scan-quiet"
BANDED = {
    **next(one for one in read_sample("rules.yaml") if one["rule"] == RULE),
    **{"after": "2m", "band": {"share": 0.5, "waits": ["1m"]}, "holdout": 0.1},
}
VISITS = milestones(0.5 * 0.9)[0]
"""As many as the first look at the evidence needs: fewer would not do, however large the effect."""
AGENTS = 40
TICKS = 4
"""A tick takes so many visits and no more."""
EARLY, LATE = 8, 1
"""Of ten who are called while they still hold their telephone, and a minute later: who goes on."""


@pytest.fixture
def first(bank: Bank, sign_in: SignIn) -> FlaskClient:
    """The strategist's browser."""
    return enter(bank, sign_in, Role.STRATEGIST)


@pytest.fixture
def second(bank: Bank, app: Flask, first: FlaskClient) -> FlaskClient:
    """Another strategist's browser."""
    return signed_in(app.test_client(), bank.another_user("second", Role.STRATEGIST, "The second"))


def _come(bank: Bank, people: range) -> dict[UUID, str]:
    """Customers with a number come to the face scan and stop there; return them by their id."""
    page = {"type": "page", "name": "Loan", "properties": {"step": "face_scan", "application_id": "a1"}}
    events = []
    for number in people:
        told = {"userId": f"w{number}", "timestamp": bank.clock.now.isoformat()}
        traits = {"phone": f"+86139001{number:05d}", "time_zone": "Asia/Shanghai", "language": "zh"}
        known = {"type": "identify", "messageId": f"i{number}", "traits": traits}
        events += [{**known, **told}, {**page, **told, "messageId": f"p{number}"}]
    bank.takes(*events)
    return {derived_id("customer", f"w{number}"): f"w{number}" for number in people}


def _goes_on(bank: Bank, seconds: int) -> None:
    bank.clock.go_on(seconds=seconds)
    for _ in range(TICKS):
        bank.ticks()


def _call_some(bank: Bank, names: dict[UUID, str], agents: list[UUID], of_ten: int) -> None:
    """Every agent calls one who waits for 30 s; `of_ten` of ten go on to the next step while they talk."""
    session, house, clock = bank.session, bank.house, bank.clock
    waiting = select(CallTask).where(CallTask.state == TaskState.PENDING).order_by(col(CallTask.id))
    tasks = session.exec(waiting.limit(AGENTS)).all()
    calls = []
    for task, agent_id in zip(tasks, agents, strict=True):
        pipeline.see_console(session, agent_id, clock.now)
        offer = pipeline.offer_call_task(session, house, task.id, clock.now, only_agent=agent_id)
        assert isinstance(offer, pipeline.Reserved), offer
        dialing = pipeline.place_call(session, house, task.id, agent_id, clock.now)
        assert isinstance(dialing, pipeline.Dialing), dialing
        pipeline.begin_placing(session, dialing.attempt_id, clock.now)
        pipeline.note_placement(session, dialing.attempt_id, Placed(f"CA{task.id}"), clock.now)
        pipeline.answer_call(session, house, dialing.attempt_id, f"CA{task.id}", clock.now)
        calls.append((task, agent_id, dialing.attempt_id))
    clock.go_on(seconds=30)
    for place, (task, agent_id, attempt_id) in enumerate(calls):
        if place % 10 < of_ten:
            bank.sends(names[task.customer_id], "profile")
        ended = CarrierEvent(
            f"CA{task.id}",
            f"{attempt_id}-ended",
            AttemptState.ENDED,
            CallResult.COMPLETED,
            occurred_at=clock.now,
        )
        pipeline.note_call_progress(session, attempt_id, ended, clock.now)
        pipeline.close_call(session, house, task.id, WrapUp("will_finish"), agent_id, clock.now)
    session.commit()


def _lived(bank: Bank) -> TriggerRule:
    """The evidence: visits whose wait was drawn, some of them called, until their windows are over."""
    journey = journeys_loaded(bank.session)["loan"]
    row = triggers.adopt_rule(bank.session, BANDED, journey, bank.clock.now)
    bank.session.commit()
    agents = [bank.another_agent(f"caller{number}") for number in range(AGENTS)]
    bank.clock.go_on(seconds=1)
    names = _come(bank, range(VISITS))
    _goes_on(bank, 66)
    _call_some(bank, names, agents, EARLY)
    for task in bank.session.exec(select(CallTask).where(CallTask.state == TaskState.PENDING)).all():
        pipeline.expire_task(bank.session, task, bank.clock.now)  # nobody is free for them
    _goes_on(bank, 30)
    _call_some(bank, names, agents, LATE)
    bank.clock.go_on(days=1, minutes=5)
    return row


def _learns(bank: Bank, runtime: Runtime, browser: FlaskClient) -> None:
    """Somebody asks for a learning run, and its job carries it out."""
    assert browser.post("/studio/learning/run").status_code == 303
    bank.session.rollback()
    run_id = open_run(bank.session)
    assert run_id is not None
    bank.session.rollback()
    assert list(nightly.carry_out(runtime.unit_of_work, bank.house, run_id, bank.clock))[1] == "proposals"


def _fired(bank: Bank, names: dict[UUID, str]) -> dict[UUID, tuple[UUID, timedelta]]:
    """Of each customer the version that fired, and after how long."""
    _goes_on(bank, 66)
    _goes_on(bank, 60)
    bank.session.expire_all()
    found = select(TriggerFiring).where(col(TriggerFiring.customer_id).in_(list(names)))
    return {one.customer_id: (one.rule_id, one.due_at - one.anchor_at) for one in bank.session.exec(found)}


def test_a_wait_that_finds_more_people_is_proposed_tried_on_a_fifth_and_taken_back(
    bank: Bank, runtime: Runtime, first: FlaskClient, second: FlaskClient
) -> None:
    live = _lived(bank)
    _learns(bank, runtime, first)
    told = unescape(first.get(f"/studio/rules/{RULE}").text)
    assert "Waits being tried" in told and f"{VISITS:,} of {milestones(0.45)[1]:,} visits" in told
    bank.session.expire_all()
    assert len(bank.session.exec(select(BandedVisit)).all()) == VISITS
    (proposal,) = bank.session.exec(select(Proposal).where(Proposal.rule_key == RULE)).all()
    assert (proposal.kind, proposal.state, proposal.definition["after"]) == ("wait", "open", "1m")
    low, _, _ = proposal.evidence["gain"]["dr"]["per_hour"]
    assert low > 0 and proposal.evidence["visits"] + proposal.evidence["held_out"] == VISITS

    url = f"/studio/proposals/{proposal.id}"
    assert "2 min → 1 min" in unescape(first.get("/studio/proposals").text)
    accepted = first.post(f"{url}/accept", data={"days": "7"}, headers=HTMX)
    assert accepted.status_code == 200 and "second person must adopt" in unescape(accepted.text)
    assert first.post(f"{url}/adopt").status_code == 403, "nobody adopts what they have accepted"
    bank.session.expire_all()
    trial = bank.session.get_one(TriggerRule, proposal.trial_rule_id)
    assert (trial.state, trial.canary_share) == (RuleState.CANARY, 0.2)

    bank.clock.go_on(seconds=1)
    names = _come(bank, range(VISITS, VISITS + 80))
    fired = _fired(bank, names)
    assert set(fired) == set(names)
    minute, half, two = timedelta(minutes=1), timedelta(seconds=30), timedelta(minutes=2)
    on_trial = {one for one in names if in_canary(RULE, trial.version, one, 0.2)}
    assert 6 <= len(on_trial) <= 28
    assert {fired[one][0] for one in on_trial} == {trial.id}
    assert {fired[one][0] for one in set(names) - on_trial} == {live.id}
    assert {fired[one][1] for one in on_trial} == {minute, half}, "the band goes with the wait"
    assert {fired[one][1] for one in set(names) - on_trial} == {two, minute}

    back = second.post(f"{url}/roll-back", data={"reason": "the morning is short of agents"}, headers=HTMX)
    assert back.status_code == 200 and "the morning is short of agents" in unescape(back.text)
    bank.session.expire_all()
    assert bank.session.get_one(Proposal, proposal.id).state == "rolled_back"
    current = current_version(bank.session, RULE)
    assert current is not None and (current.id, current.definition["after"]) == (live.id, "2m")
    bank.clock.go_on(seconds=1)
    after = _fired(bank, _come(bank, range(VISITS + 80, VISITS + 120)))
    assert {rule_id for rule_id, _ in after.values()} == {live.id} and len(after) == 40
