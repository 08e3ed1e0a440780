"""Waits drawn for each visit, live and played back; proposals from the evidence, tried, adopted and taken back."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import text
from sqlmodel import select

from callcenter import acts, deciding, proposing, trials
from callcenter.backtest.replay import replay
from callcenter.backtest.run import Tried, run_back_test
from callcenter.backtest.store import StoredEvents
from callcenter.backtest.values import CanaryTrial
from callcenter.commands.sample import read_sample
from callcenter.domain.draws import in_canary
from callcenter.domain.enums import FiringFate, ProposalKind, ProposalState, Role, RuleState
from callcenter.domain.ids import derived_id
from callcenter.errors import BadInput, Conflict, Forbidden
from callcenter.journeys.queries import journeys_loaded
from callcenter.learning.service import draw_arm
from callcenter.models import AuditEntry, BandedVisit, Proposal, TriggerFiring, TriggerRule, User
from callcenter.triggers import service as triggers
from callcenter.triggers.banded import settled_visits
from callcenter.triggers.policy import read_rule
from callcenter.triggers.queries import current_rules, current_version
from tests.factories import Bank

RULE = "face-scan-quiet"
BEFORE: Mapping[str, Any] = next(one for one in read_sample("rules.yaml") if one["rule"] == RULE)
BANDED = {**BEFORE, "after": "2m", "band": {"share": 0.6, "waits": ["1m", "3m"]}}
WAITS = {60.0: 0.3, 120.0: 0.4, 180.0: 0.3}


@pytest.fixture
def first(bank: Bank) -> UUID:
    """A strategist."""
    return _person(bank, "first")


@pytest.fixture
def second(bank: Bank) -> UUID:
    """Another strategist."""
    return _person(bank, "second")


def _person(bank: Bank, login: str) -> UUID:
    user = User(
        id=derived_id("user", login),
        login=login,
        name=login.title(),
        role=Role.STRATEGIST,
        password_hash="-",
        created_at=bank.clock.now,
    )
    bank.session.add(user)
    bank.session.commit()
    return user.id


def _adopt(bank: Bank, raw: Mapping[str, Any]) -> TriggerRule:
    bank.clock.go_on(seconds=1)
    journey = journeys_loaded(bank.session)["loan"]
    row = triggers.adopt_rule(bank.session, raw, journey, bank.clock.now)
    bank.session.commit()
    return row


def _come(bank: Bank, people: range) -> None:
    """Customers come to the face scan, a moment after each other."""
    for number in people:
        bank.sends(f"p{number}", "face_scan")
        bank.clock.go_on(milliseconds=100)


def _wait(bank: Bank, seconds: int, every: int = 10) -> None:
    for _ in range(seconds // every):
        bank.clock.go_on(seconds=every)
        bank.ticks()


def _fired(bank: Bank) -> dict[str, tuple[UUID, float]]:
    """Of each customer the version and the wait of the firing."""
    return {
        str(one.customer_id): (one.rule_id, (one.due_at - one.anchor_at).total_seconds())
        for one in bank.session.exec(select(TriggerFiring).where(TriggerFiring.rule_key == RULE))
    }


def test_each_visit_waits_as_drawn_is_kept_once_and_plays_back_alike(bank: Bank) -> None:
    row = _adopt(bank, BANDED)
    _come(bank, range(120))
    bank.clock.go_on(seconds=70)
    bank.ticks()
    for number in range(0, 120, 6):  # some come back before their wait has run out, others after
        bank.sends(f"p{number}", "face_scan_failed")
    _wait(bank, 300)
    bank.sends("later", "sign_in")  # the clock of a back-test ends at the last event

    kept = list(bank.session.exec(select(BandedVisit)))
    assert len(kept) == len({one.visit_id for one in kept}) == 120
    assert {one.wait_seconds: round(one.probability, 6) for one in kept} == WAITS
    counts = Counter(one.wait_seconds for one in kept)
    assert all(abs(counts[wait] - 120 * share) < 4 * (120 * share) ** 0.5 for wait, share in WAITS.items())
    firings = bank.session.exec(select(TriggerFiring).where(TriggerFiring.rule_key == RULE)).all()
    drawn = {one.visit_id: (one.wait_seconds, one.probability) for one in kept}
    assert len(firings) == 120
    for one in firings:
        assert ((one.due_at - one.anchor_at).total_seconds(), one.wait_probability) == drawn[one.visit_id]

    live = {one: seconds for one, (_, seconds) in _fired(bank).items()}
    journey = journeys_loaded(bank.session)["loan"]
    stored = StoredEvents(bank.session, journey, None, bank.clock.now)
    played = run_back_test(stored, journey, Tried(read_rule(row.definition, journey)), until=bank.clock.now)
    assert not played.by_columns
    assert {
        one.customer_id: (one.due_at - one.anchor_at).total_seconds() for one in played.back_test.firings
    } == live


def test_a_visit_that_came_back_before_its_wait_fires_nothing_and_is_judged_all_the_same(bank: Bank) -> None:
    row = _adopt(bank, BANDED)
    _come(bank, range(80))
    bank.clock.go_on(seconds=75)
    bank.ticks()
    waiting = [one for one in bank.session.exec(select(BandedVisit)) if one.wait_seconds > 100]
    assert waiting
    names = {str(derived_id("customer", f"p{number}")): f"p{number}" for number in range(80)}
    for one in waiting:
        bank.sends(names[str(one.customer_id)], "profile")
    _wait(bank, 240)
    assert not {str(one.customer_id) for one in waiting} & set(_fired(bank))

    bank.clock.go_on(days=8)
    said = proposing.propose(bank.session, 0.0, bank.clock.now)
    bank.session.expire_all()
    assert (
        f"{len(list(bank.session.exec(select(BandedVisit))))} visits settled" in said
        and "0 proposals" in said
    )
    rows = list(bank.session.exec(select(BandedVisit).where(BandedVisit.rule_id == row.id)))
    came = {one.visit_id for one in waiting}
    assert {one.converted for one in rows if one.visit_id in came} == {True}
    assert {one.converted for one in rows if one.visit_id not in came} == {False}
    assert proposing.propose(bank.session, 0.0, bank.clock.now).startswith(said.split(",")[0])


def test_the_arm_of_a_visit_is_that_of_its_firing_also_with_a_global_hold_out(bank: Bank) -> None:
    row = _adopt(bank, {**BANDED, "holdout": 0.4})
    bank.house = replace(bank.house, global_holdout=0.3)
    for number in range(120):
        bank.knows(f"p{number}")
    _come(bank, range(120))
    _wait(bank, 420)
    bank.clock.go_on(days=8)
    proposing.propose(bank.session, 0.3, bank.clock.now)
    fates = {
        one.customer_id: one.fate == FiringFate.HELD_OUT
        for one in bank.session.exec(select(TriggerFiring).where(TriggerFiring.rule_key == RULE))
        if one.fate in (FiringFate.TASK, FiringFate.HELD_OUT)
    }
    spec = read_rule(row.definition, journeys_loaded(bank.session)["loan"])
    told = {
        one.customer_id: proposing.is_held_out(spec, one, spec.share_of_all(0.3))
        for one in settled_visits(bank.session, row.id)
    }
    assert len(fates) > 100 and sum(fates.values()) > 20
    assert {one: told[one] for one in fates} == fates
    owed = {**row.definition, "holdout": 0, "exempt": "The law asks for this call."}
    exempt = read_rule(owed, journeys_loaded(bank.session)["loan"])
    assert exempt.share_of_all(0.3) == 0.0


def _log_of_a_bank(bank: Bank, row: TriggerRule, visits: int, lift: Mapping[float, float]) -> None:
    """Settled visits as weeks of work leave them, their truth known: copies of one visit of real customers."""
    chance = np.random.default_rng(7)
    bank.session.execute(
        text(
            "INSERT INTO customer (id, external_id, language, traits, tags, created_at, updated_at)"
            " SELECT md5('v' || n)::uuid, 'v' || n, 'en', '{}', '[]', :now, :now FROM generate_series(1, :visits) n"
        ).bindparams(now=bank.clock.now, visits=visits)
    )
    bank.session.execute(
        text(
            "INSERT INTO visit (id, customer_id, journey, journey_key, visit_seq, step, opened_at, entered_at,"
            " last_activity_at, errors, marks, facts, facts_at, lateness_seconds, looked, fired)"
            " SELECT md5('v' || n)::uuid, md5('v' || n)::uuid, 'loan', '', 1, 'face_scan', :now, :now, :now, 0,"
            " '{}', '{}', '{}', 1, '{}', '[]' FROM generate_series(1, :visits) n"
        ).bindparams(now=bank.clock.now, visits=visits)
    )
    ids = list(bank.session.execute(text("SELECT id FROM customer WHERE external_id LIKE 'v%' ORDER BY id")))
    waits, shares = np.array(list(WAITS.items())).T
    drawn = chance.choice(waits, size=visits, p=shares)
    for place, (customer_id,) in enumerate(ids):
        wait = float(drawn[place])
        at = bank.clock.now + timedelta(seconds=place)
        is_held_out = draw_arm(RULE, customer_id, float(BEFORE.get("holdout", 0.2)), at).held_out
        converts = chance.random() < 0.1 + (0 if is_held_out else lift[wait])
        bank.session.add(
            BandedVisit(
                rule_id=row.id,
                visit_id=customer_id,
                rule_key=RULE,
                customer_id=customer_id,
                at=at,
                until_at=at + timedelta(days=7),
                wait_seconds=wait,
                probability=WAITS[wait],
                settled_at=at + timedelta(days=7),
                converted=bool(converts),
                agent_seconds=0 if is_held_out else int(chance.gamma(2, 120)),
            )
        )
    bank.session.commit()


def _proposal(bank: Bank, kind: ProposalKind = ProposalKind.WAIT) -> Proposal:
    """A proposal to wait 3 minutes, or of another kind, as the nightly run makes it."""
    row = current_version(bank.session, RULE)
    assert row is not None
    changes: dict[ProposalKind, dict[str, Any]] = {
        ProposalKind.WAIT: {**row.definition, "after": "3m"},
        ProposalKind.HOLDOUT: {**row.definition, "holdout": 0.1},
        ProposalKind.VARIANT: {**row.definition, "variant": "B"},
        ProposalKind.PAUSE: {},
    }
    made = proposing.proposals.make_proposal(
        bank.session,
        proposing.proposals.Draft(RULE, row.id, kind, changes[kind], {"wait": 180.0, "wait_now": 120.0}),
        bank.clock.now,
    )
    assert made is not None
    bank.session.commit()
    return made


def test_a_better_wait_is_proposed_once_with_its_evidence_and_its_load(bank: Bank) -> None:
    row = _adopt(bank, BANDED)
    bank.clock.go_on(seconds=1)
    _log_of_a_bank(bank, row, 6_000, {60.0: 0.30, 120.0: 0.06, 180.0: 0.06})
    assert "1 proposals made" in proposing.propose(bank.session, 0.0, bank.clock.now)
    assert "0 proposals made" in proposing.propose(bank.session, 0.0, bank.clock.now), "never two of a kind"
    (made,) = bank.session.exec(select(Proposal))
    assert (made.kind, made.state, made.definition["after"]) == ("wait", "open", "1m")
    assert made.definition["band"] == {"share": 0.6, "waits": ["30s", "90s"]}
    gain = made.evidence["gain"]["dr"]["per_hour"]
    assert 0 < gain[0] < gain[1] < gain[2] and made.evidence["effective_sample"] >= 200
    assert set(made.evidence["gain"]) == {"dr", "snips", "ips"}
    acts_told = [one.act for one in bank.session.exec(select(AuditEntry))]
    assert acts_told.count("rule.proposed") == 1
    bank.session.commit()
    assert proposing.proposal_without_load(bank.session) == made.id
    proposing.note_load(bank.session, made.id, {"days": 14, "fired": 3, "fired_now": 2})
    bank.session.commit()
    assert proposing.proposal_without_load(bank.session) is None


def test_on_equal_waits_nothing_is_proposed(bank: Bank) -> None:
    row = _adopt(bank, BANDED)
    bank.clock.go_on(seconds=1)
    _log_of_a_bank(bank, row, 3_000, dict.fromkeys(WAITS, 0.05))
    assert "0 proposals made" in proposing.propose(bank.session, 0.0, bank.clock.now)


def test_a_canary_holds_a_fifth_of_the_customers_each_visit_with_its_version_live_and_played_back(
    bank: Bank, first: UUID
) -> None:
    old = _adopt(bank, BEFORE | {"after": "2m", "purpose": "service"})
    bank.clock.go_on(seconds=1)
    _come(bank, range(10))  # these began before: they stay with the version they have
    bank.clock.go_on(seconds=1)
    proposal = deciding.accept(bank.session, _proposal(bank).id, first, bank.clock.now, days=14)
    bank.session.commit()
    since = bank.clock.now
    tried = bank.session.get_one(TriggerRule, proposal.trial_rule_id)
    assert (tried.state, tried.canary_share, tried.version) == (RuleState.CANARY, 0.2, old.version + 1)
    _come(bank, range(10, 110))
    _wait(bank, 300)

    fired = _fired(bank)
    assert len(fired) == 110
    for number in range(110):
        person = str(derived_id("customer", f"p{number}"))
        is_tried = number >= 10 and in_canary(RULE, tried.version, person, 0.2)
        assert fired[person] == ((tried.id, 180.0) if is_tried else (old.id, 120.0))
    assert 8 <= sum(version == tried.id for version, _ in fired.values()) <= 36

    journey = journeys_loaded(bank.session)["loan"]
    stored = StoredEvents(bank.session, journey, None, bank.clock.now)
    spec, new = read_rule(old.definition, journey), read_rule(tried.definition, journey)
    events = stored.of_steps({spec.step}, with_properties=False)
    played = replay(
        [spec], journey, events, bank.clock.now, trial=CanaryTrial(new, tried.version, 0.2, since)
    )
    assert {one.customer_id: (one.due_at - one.anchor_at).total_seconds() for one in played[RULE]} == {
        person: wait for person, (_, wait) in fired.items()
    }


def test_adopting_is_a_second_persons_act_and_the_canarys_visits_stay_with_it(
    bank: Bank, first: UUID, second: UUID
) -> None:
    old = _adopt(bank, BEFORE | {"after": "2m"})
    bank.clock.go_on(seconds=1)
    proposal = deciding.accept(bank.session, _proposal(bank).id, first, bank.clock.now, days=7)
    bank.session.commit()
    bank.clock.go_on(seconds=1)
    _come(bank, range(30))
    with pytest.raises(Forbidden, match="second person"):
        deciding.adopt(bank.session, proposal.id, first, bank.clock.now)
    bank.session.rollback()
    deciding.adopt(bank.session, proposal.id, second, bank.clock.now)
    bank.session.commit()
    bank.clock.go_on(seconds=1)
    _come(bank, range(30, 60))
    _wait(bank, 300)
    trial_id, fired = proposal.trial_rule_id, _fired(bank)
    version = old.version + 1
    for number in range(60):
        person = str(derived_id("customer", f"p{number}"))
        on_trial = number >= 30 or in_canary(RULE, version, person, 0.2)
        assert fired[person] == ((trial_id, 180.0) if on_trial else (old.id, 120.0))
    bank.session.expire_all()
    assert bank.session.get_one(Proposal, proposal.id).state == ProposalState.ADOPTED
    current = current_version(bank.session, RULE)
    assert current is not None and (current.id, current.canary_ended_at is not None) == (trial_id, True)


def test_one_person_takes_an_adopted_change_back_while_visits_are_under_way(
    bank: Bank, first: UUID, second: UUID
) -> None:
    _adopt(bank, BEFORE | {"after": "2m"})
    bank.clock.go_on(seconds=1)
    proposal = deciding.accept(bank.session, _proposal(bank).id, first, bank.clock.now, days=7)
    deciding.adopt(bank.session, proposal.id, second, bank.clock.now)
    bank.session.commit()
    bank.clock.go_on(seconds=1)
    _come(bank, range(40))
    bank.clock.go_on(seconds=150)  # 2 minutes have passed, 3 have not
    bank.ticks()
    assert _fired(bank) == {}
    with pytest.raises(BadInput, match="Say why"):
        deciding.roll_back(bank.session, proposal.id, first, bank.clock.now, reason=" ")
    deciding.roll_back(bank.session, proposal.id, first, bank.clock.now, reason="callers complain")
    bank.session.commit()
    _come(bank, range(40, 80))
    _wait(bank, 240)
    current = current_version(bank.session, RULE)
    assert current is not None and current.definition["after"] == "2m" and current.version == 3
    late = {str(derived_id("customer", f"p{number}")) for number in range(40)}
    fired = _fired(bank)
    assert len(fired) == 80 and {version for version, _ in fired.values()} == {current.id}
    reasons = {
        (str(one.customer_id) in late, one.suppress_reason)
        for one in bank.session.exec(select(TriggerFiring).where(TriggerFiring.rule_key == RULE))
    }
    assert (True, "would_have_fired") in reasons and not any(
        reason == "would_have_fired" for is_late, reason in reasons if not is_late
    )
    told = {one.act: one.detail for one in bank.session.exec(select(AuditEntry))}
    assert told["rule.rolled_back"]["reason"] == "callers complain"
    with pytest.raises(Conflict, match="rolled back by now"):
        deciding.roll_back(bank.session, proposal.id, first, bank.clock.now, reason="again")


@pytest.mark.slow
def test_a_canary_that_harms_stops_by_itself_and_its_visits_go_on_under_the_live_version(
    bank: Bank, first: UUID
) -> None:
    _adopt(bank, BEFORE | {"after": "2m"})
    bank.clock.go_on(seconds=1)
    proposal = deciding.accept(bank.session, _proposal(bank).id, first, bank.clock.now, days=7)
    bank.session.commit()
    version = bank.session.get_one(TriggerRule, proposal.trial_rule_id).version
    _come(bank, range(400))
    assert deciding.watch_canaries(bank.session, bank.clock.now) == []
    for number in range(400):
        if not in_canary(RULE, version, derived_id("customer", f"p{number}"), 0.2):
            bank.sends(f"p{number}", "profile")
    bank.clock.go_on(seconds=130)
    bank.session.commit()
    ended = deciding.watch_canaries(bank.session, bank.clock.now)
    assert [(one.version, one.reason) for one in ended] == [(version, "harm")]
    assert deciding.watch_canaries(bank.session, bank.clock.now) == []
    bank.session.commit()
    bank.session.expire_all()
    done = bank.session.get_one(Proposal, proposal.id)
    assert (done.state, done.reason) == (ProposalState.ROLLED_BACK, "harm")
    assert done.canary["verdict"] == "worse" and done.canary["difference"][2] < 0
    bank.ticks()
    waits = {seconds for _, seconds in _fired(bank).values()}
    assert waits == {120.0}, "nobody waits for the canary's three minutes any more"


def test_a_canary_nobody_decides_on_ends_two_weeks_after_its_time(bank: Bank, first: UUID) -> None:
    _adopt(bank, BEFORE | {"after": "2m"})
    proposal = deciding.accept(bank.session, _proposal(bank).id, first, bank.clock.now, days=7)
    bank.session.commit()
    bank.clock.go_on(days=20)
    assert deciding.watch_canaries(bank.session, bank.clock.now) == []
    bank.clock.go_on(days=2)
    (ended,) = deciding.watch_canaries(bank.session, bank.clock.now)
    assert ended.reason == "undecided"
    bank.session.flush()
    assert bank.session.get_one(Proposal, proposal.id).state == ProposalState.EXPIRED


def test_a_hold_out_goes_to_review_and_a_harmful_rule_is_paused_and_let_run_again(
    bank: Bank, first: UUID, second: UUID
) -> None:
    _adopt(bank, BEFORE | {"after": "2m"})
    smaller = deciding.accept(
        bank.session, _proposal(bank, ProposalKind.HOLDOUT).id, first, bank.clock.now, days=7
    )
    assert smaller.state == ProposalState.IN_REVIEW
    with pytest.raises(Forbidden):
        deciding.adopt(bank.session, smaller.id, first, bank.clock.now)
    deciding.adopt(bank.session, smaller.id, second, bank.clock.now)
    spec = current_rules(bank.session, journeys_loaded(bank.session)).spec(RULE)
    assert spec is not None and spec.holdout == 0.1

    script = deciding.accept(
        bank.session, _proposal(bank, ProposalKind.VARIANT).id, first, bank.clock.now, days=7
    )
    deciding.decline(bank.session, script.id, second, bank.clock.now, reason="B is not translated")
    assert script.state == ProposalState.DECLINED
    row = bank.session.get_one(TriggerRule, script.trial_rule_id)
    assert row.state == RuleState.DRAFT

    pause = deciding.accept(
        bank.session, _proposal(bank, ProposalKind.PAUSE).id, first, bank.clock.now, days=7
    )
    assert pause.state == ProposalState.ADOPTED
    current = current_version(bank.session, RULE)
    assert current is not None and current.state == RuleState.PAUSED
    deciding.roll_back(bank.session, pause.id, first, bank.clock.now, reason="the other cause was found")
    bank.session.refresh(current)
    assert current.state == RuleState.LIVE


def test_what_was_declined_is_not_proposed_again_for_a_month_and_what_is_old_expires(
    bank: Bank, first: UUID
) -> None:
    _adopt(bank, BEFORE | {"after": "2m"})
    one = _proposal(bank)
    with pytest.raises(BadInput):
        deciding.decline(bank.session, one.id, first, bank.clock.now, reason="")
    deciding.decline(bank.session, one.id, first, bank.clock.now, reason="busy season")
    bank.session.commit()
    again = proposing.proposals.Draft(RULE, one.rule_id, ProposalKind.WAIT, one.definition, {})
    bank.clock.go_on(days=29)
    assert proposing.proposals.make_proposal(bank.session, again, bank.clock.now) is None
    bank.clock.go_on(days=2)
    made = proposing.proposals.make_proposal(bank.session, again, bank.clock.now)
    assert made is not None
    bank.clock.go_on(days=31)
    assert "1 expired" in proposing.propose(bank.session, 0.0, bank.clock.now)
    assert made.state == ProposalState.EXPIRED
    with pytest.raises(Conflict, match="expired by now"):
        deciding.accept(bank.session, made.id, first, bank.clock.now, days=7)


def test_another_version_that_goes_live_ends_the_canary_and_its_proposal_follows(
    bank: Bank, first: UUID
) -> None:
    _adopt(bank, BEFORE | {"after": "2m"})
    proposal = deciding.accept(bank.session, _proposal(bank).id, first, bank.clock.now, days=7)
    bank.session.commit()
    with pytest.raises(Conflict, match="on trial"):
        trials.try_proposed(
            bank.session, RULE, {**BEFORE, "after": "90s"}, first, bank.clock.now, note="x", days=7
        )
    bank.session.rollback()
    _adopt(bank, BEFORE | {"after": "100s"})
    deciding.watch_canaries(bank.session, bank.clock.now)
    bank.session.flush()
    done = bank.session.get_one(Proposal, proposal.id)
    assert (done.state, done.reason) == (ProposalState.ROLLED_BACK, "elsewhere")


def test_a_canary_by_hand_is_a_second_persons_act_and_keeps_what_is_compared(
    bank: Bank, first: UUID, second: UUID
) -> None:
    _adopt(bank, BEFORE | {"after": "2m"})
    row = trials.write_proposed(
        bank.session, RULE, {**BEFORE, "after": "90s"}, first, bank.clock.now, note="sooner"
    )
    with pytest.raises(Forbidden):
        trials.try_rule(bank.session, RULE, row.version, first, bank.clock.now, days=14)
    with pytest.raises(BadInput, match="days"):
        trials.try_rule(bank.session, RULE, row.version, second, bank.clock.now, days=3)
    trials.try_rule(bank.session, RULE, row.version, second, bank.clock.now, days=14)
    acts.publish_rule(bank.session, RULE, row.version, second, bank.clock.now, migrate=False)
    other = trials.write_proposed(
        bank.session, RULE, {**BEFORE, "holdout": 0.4}, first, bank.clock.now, note="more"
    )
    with pytest.raises(BadInput, match="hold-out"):
        trials.try_rule(bank.session, RULE, other.version, second, bank.clock.now, days=14)


def test_a_rule_that_says_a_variant_draws_none(bank: Bank) -> None:
    _adopt(bank, BEFORE | {"after": "2m", "variant": "B"})
    for number in range(6):
        bank.knows(f"p{number}")
    _come(bank, range(6))
    _wait(bank, 150)
    told = {(one.script_variant, one.script_propensity) for one in bank.tasks() if one.script_id}
    assert told == {("B", 1.0)}
    assert FiringFate.TASK in {one.fate for one in bank.firings()}
