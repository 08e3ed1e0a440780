"""The scheduler stops canaries and weighs proposals; going back under load loses and doubles nothing."""

import threading
from datetime import timedelta

import pytest
from sqlmodel import select

from callcenter import acts, deciding, trials
from callcenter.domain.draws import in_canary
from callcenter.domain.enums import ProposalKind, ProposalState, Role, RuleState
from callcenter.domain.ids import derived_id
from callcenter.learning.proposals import Draft, make_proposal
from callcenter.models import Proposal, TriggerFiring, TriggerRule, User
from callcenter.triggers.queries import current_version
from tests.jobs.conftest import Floor
from workers import ticks

RULE = "face-scan-quiet"


def _person(floor: Floor) -> User:
    user = User(
        id=derived_id("user", "strategist"),
        login="strategist",
        name="A strategist",
        role=Role.STRATEGIST,
        password_hash="-",
        created_at=floor.now,
    )
    floor.bank.session.add(user)
    floor.bank.session.commit()
    return user


def _proposed(floor: Floor, after: str) -> Proposal:
    session = floor.bank.session
    row = current_version(session, RULE)
    assert row is not None
    changed = {**row.definition, "after": after}
    evidence = {"wait": 180.0, "wait_now": 120.0}
    made = make_proposal(
        session, Draft(RULE, row.id, ProposalKind.WAIT, changed, evidence), floor.now - timedelta(minutes=1)
    )
    assert made is not None
    session.commit()
    return made


@pytest.mark.slow
def test_schedulers_stop_a_harmful_canary_once_and_weigh_what_is_open(floor: Floor) -> None:
    bank = floor.bank
    user = _person(floor)
    for number in range(40):
        bank.sends(f"p{number}", "face_scan")
    bank.clock.go_on(minutes=10)
    ticks.fire(floor.runtime)
    bank.sends("later", "sign_in")
    made = _proposed(floor, "8m")
    ticks.weigh_proposals(floor.runtime)
    bank.session.refresh(made)
    load = made.evidence["load"]
    assert (load["fired_now"], load["fired"], load["days"]) == (40, 40, 14) and load["agents"] > 0

    deciding.accept(bank.session, made.id, user.id, floor.now, days=7)
    bank.session.commit()
    version = bank.session.get_one(TriggerRule, made.trial_rule_id).version
    for number in range(300):
        bank.sends(f"q{number}", "face_scan")
        bank.clock.go_on(milliseconds=100)
        if not in_canary(RULE, version, derived_id("customer", f"q{number}"), 0.2):
            bank.sends(f"q{number}", "profile")
    bank.clock.go_on(minutes=1)
    threads = [threading.Thread(target=ticks.watch_canaries, args=(floor.runtime,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    ticks.watch_canaries(floor.runtime)
    bank.session.expire_all()
    assert bank.session.get_one(TriggerRule, made.trial_rule_id).state == RuleState.RETIRED
    done = bank.session.get_one(Proposal, made.id)
    assert (done.state, done.reason) == (ProposalState.ROLLED_BACK, "harm")


def test_going_back_while_visits_come_and_fire_loses_and_doubles_none(floor: Floor) -> None:
    bank = floor.bank
    user = _person(floor)
    for number in range(120):
        bank.sends(f"p{number}", "face_scan")
        bank.clock.go_on(milliseconds=500)
    trial = trials.write_proposed(
        bank.session, RULE, {**_definition(floor), "after": "90s"}, user.id, floor.now, note="sooner"
    )
    other = derived_id("user", "agent")
    acts.publish_rule(bank.session, RULE, trial.version, other, floor.now, migrate=True)
    bank.session.commit()
    broken: list[BaseException] = []

    def fires() -> None:
        try:
            for _ in range(12):
                ticks.fire(floor.runtime)
        except BaseException as error:
            broken.append(error)

    bank.clock.go_on(seconds=50)
    threads = [threading.Thread(target=fires) for _ in range(2)]
    for thread in threads:
        thread.start()
    with floor.runtime.unit_of_work() as session:
        trials.roll_back_rule(session, RULE, user.id, floor.now, reason="too many calls")
    for thread in threads:
        thread.join(60)
    bank.clock.go_on(minutes=5)
    ticks.fire(floor.runtime)
    assert broken == []
    bank.session.expire_all()
    firings = bank.session.exec(select(TriggerFiring).where(TriggerFiring.rule_key == RULE)).all()
    assert len(firings) == len({one.visit_id for one in firings}) == 120
    current = current_version(bank.session, RULE)
    assert current is not None and current.definition["after"] == "2m"
    assert {one.rule_id for one in firings} <= {current.id, trial.id}


def _definition(floor: Floor) -> dict[str, object]:
    row = current_version(floor.bank.session, RULE)
    assert row is not None
    return dict(row.definition)
