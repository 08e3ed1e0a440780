"""Proposals in the studio: shown with their evidence, taken up, declined, adopted, taken back."""

import csv
from html import unescape
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import StrictUndefined
from sqlmodel import select

from callcenter.domain.enums import ProposalKind, Role, RuleState
from callcenter.domain.ids import derived_id
from callcenter.learning.proposals import Draft, make_proposal
from callcenter.models import AuditEntry, Proposal, TriggerRule
from callcenter.triggers.queries import current_version
from tests.factories import Bank
from tests.web.conftest import SignIn, signed_in
from tests.web.scenes import HTMX, enter

pytestmark = pytest.mark.slow

RULE = "face-scan-quiet"
GAIN = {"conversions": [0.002, 0.014, 0.026], "minutes": [-0.1, 0.3, 0.7], "per_hour": [0.12, 0.84, 1.56]}
EVIDENCE: dict[str, Any] = {
    "wait": 60.0, "wait_now": 120.0, "look": 2, "looks": 10, "visits": 4100, "held_out": 1020,
    "effective_sample": 812, "per_hour_now": 2.1, "gain": {"dr": GAIN, "snips": GAIN, "ips": GAIN},
    "waits": [{"wait": 60.0, "visits": 812, "converted": 148, "minutes": 2600.0, "verdict": "passes"},
              {"wait": 120.0, "visits": 1640, "converted": 263, "minutes": 4700.0, "verdict": None}],
    "load": {"days": 14, "fired": 1498, "fired_now": 1204, "agents": 7, "agents_now": 6},
}  # fmt: skip


@pytest.fixture(autouse=True)
def strict(app: Flask) -> None:
    """What a template asks for and no page has is an error here."""
    app.jinja_env.undefined = StrictUndefined


@pytest.fixture
def first(bank: Bank, sign_in: SignIn) -> FlaskClient:
    """The strategist's browser."""
    return enter(bank, sign_in, Role.STRATEGIST)


@pytest.fixture
def second(bank: Bank, app: Flask, first: FlaskClient) -> FlaskClient:
    """Another strategist's browser."""
    return signed_in(app.test_client(), bank.another_user("second", Role.STRATEGIST, "The second"))


def _proposed(bank: Bank, kind: ProposalKind = ProposalKind.WAIT, **evidence: Any) -> UUID:
    row = current_version(bank.session, RULE)
    assert row is not None
    changed: dict[str, Any] = {
        ProposalKind.WAIT: {**row.definition, "after": "1m"},
        ProposalKind.HOLDOUT: {**row.definition, "holdout": 0.1},
        ProposalKind.PAUSE: {},
    }[kind]
    made = make_proposal(
        bank.session, Draft(RULE, row.id, kind, changed, evidence or EVIDENCE), bank.clock.now
    )
    assert made is not None
    bank.session.commit()
    return made.id


def _state(bank: Bank, proposal_id: UUID) -> str:
    bank.session.expire_all()
    return str(bank.session.get_one(Proposal, proposal_id).state)


def _read(client: FlaskClient, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def test_without_proposals_the_page_says_when_there_will_be_some(first: FlaskClient) -> None:
    assert "Nothing is proposed." in _read(first, "/studio/proposals")
    assert first.get(f"/studio/proposals/{derived_id('proposal', 'none')}").status_code == 404


def test_a_wait_is_told_with_evidence_load_and_change_and_goes_all_the_way(
    bank: Bank, first: FlaskClient, second: FlaskClient
) -> None:
    one = _proposed(bank)
    url = f"/studio/proposals/{one}"
    html = _read(first, "/studio/proposals")
    for said in ("2 min → 1 min", "+0.84", "+0.12", "+1.56", "after: 2 min → 1 min", "812", "1,204", "1,498"):
        assert said in html, said
    assert 'data-key="ctrl+enter"' in html and "1 waits for you" in html

    answer = first.post(f"{url}/accept", data={"days": "7"}, headers=HTMX)
    assert answer.status_code == 200 and "second person must adopt" in unescape(answer.text)
    assert _state(bank, one) == "canary"
    assert first.post(f"{url}/accept", data={"days": "7"}).status_code == 409
    assert first.post(f"{url}/adopt").status_code == 403
    rule = _read(second, f"/studio/rules/{RULE}")
    assert "On trial" in rule and "stop-trial" in rule
    trial = _read(second, f"/studio/rules/{RULE}/versions/2")
    assert "of the customers since" in trial and "Publish v2" in trial
    assert "Adopt for everybody" in _read(second, url)
    assert second.post(f"{url}/adopt").status_code == 303
    assert _state(bank, one) == "adopted"

    assert first.post(f"{url}/roll-back", data={"reason": ""}).status_code == 400
    assert first.post(f"{url}/roll-back", data={"reason": "too many calls"}).status_code == 303
    current = current_version(bank.session, RULE)
    assert _state(bank, one) == "rolled_back" and current is not None and current.definition["after"] == "2m"
    trail = _read(first, f"/studio/rules/{RULE}")
    assert "went back to what v1 says, as v3: too many calls" in trail and "took a proposal back" in trail


def test_a_decline_needs_a_reason_and_is_shown_with_it(bank: Bank, first: FlaskClient) -> None:
    one = _proposed(bank)
    url = f"/studio/proposals/{one}"
    assert first.post(f"{url}/decline", data={"reason": " "}).status_code == 400
    assert first.post(f"{url}/decline", data={"reason": "busy season"}).status_code == 303
    html = _read(first, url)
    assert "busy season" in html and "/accept" not in html and _state(bank, one) == "declined"


def test_a_hold_out_goes_to_review_and_a_harmful_rule_is_paused(
    bank: Bank, first: FlaskClient, second: FlaskClient
) -> None:
    told = {"assigned": [40, 400], "held_out": [18, 90], "evidence": 31.0, "difference": [-0.17, -0.1, -0.03]}
    smaller = _proposed(bank, ProposalKind.HOLDOUT, share=0.1, share_now=0.2, verdict="helps", **told)
    assert "20 % → 10 %" in _read(first, f"/studio/proposals/{smaller}")
    assert first.post(f"/studio/proposals/{smaller}/accept").status_code == 303
    assert second.post(f"/studio/proposals/{smaller}/adopt").status_code == 303
    harmful = _proposed(bank, ProposalKind.PAUSE, verdict="harms", **told)
    html = _read(first, f"/studio/proposals/{harmful}")
    assert "−10.0" in html and "paused at once" in html
    assert first.post(f"/studio/proposals/{harmful}/accept").status_code == 303
    row = current_version(bank.session, RULE)
    bank.session.expire_all()
    assert row is not None and row.state == RuleState.PAUSED


def test_a_version_is_tried_by_hand_stopped_and_a_live_one_taken_back(
    bank: Bank, first: FlaskClient, second: FlaskClient
) -> None:
    first.post(f"/studio/rules/{RULE}/drafts", data={"version": "1"})
    row = bank.session.exec(
        select(TriggerRule).where(TriggerRule.rule_key == RULE, TriggerRule.version == 2)
    ).one()
    row.definition, row.state = {**row.definition, "after": "3m"}, RuleState.IN_REVIEW
    bank.session.commit()
    url = f"/studio/rules/{RULE}/versions/2"
    assert first.post(f"{url}/try", data={"days": "14"}).status_code == 403
    assert "Try it first?" in _read(second, url)
    assert second.post(f"{url}/try", data={"days": "14"}, headers=HTMX).headers["HX-Redirect"] == url
    assert first.post(f"{url}/stop-trial", data={"reason": "wrong step"}).status_code == 303
    bank.session.refresh(row)
    assert row.state == RuleState.RETIRED
    acts = [one.act for one in bank.session.exec(select(AuditEntry)) if one.subject == RULE]
    assert acts[-2:] == ["rule.tried", "rule.trial_stopped"]
    assert first.post(f"/studio/rules/{RULE}/roll-back", data={"reason": "x"}).status_code == 409


def test_the_file_holds_every_proposal_unrounded_and_no_formula(bank: Bank, first: FlaskClient) -> None:
    one = _proposed(bank)
    first.post(f"/studio/proposals/{one}/decline", data={"reason": "=1+1"})
    answer = first.get("/studio/proposals.csv")
    (row,) = csv.DictReader(StringIO(answer.text))
    assert (row["wait_s"], row["gain_low"], row["state"], row["reason"]) == (
        "60.0",
        "0.12",
        "declined",
        "'=1+1",
    )
    assert row["gain_unit"] == "conversions_per_agent_hour" and row["fired"] == "1498"


def test_the_form_of_a_draft_takes_a_band_and_shows_what_is_wrong_with_it(
    bank: Bank, first: FlaskClient
) -> None:
    from tests.web.test_rules import fields_of

    first.post(f"/studio/rules/{RULE}/drafts", data={"version": "1"})
    url = f"/studio/rules/{RULE}/versions/2"
    fields = fields_of(_read(first, url))
    wrong = {**fields, "band.share": "40", "band.waits": "9m", "do": "save"}
    answer = first.post(url, data=wrong)
    assert answer.status_code == 422 and "From half the set wait" in unescape(answer.text)
    right = {**fields, "band.share": "40", "band.waits": "1m, 3m", "do": "save"}
    html = unescape(first.post(url, data=right).text)
    assert "40 % of the visits wait 1 min or 3 min instead" in html
    row = bank.session.exec(
        select(TriggerRule).where(TriggerRule.rule_key == RULE, TriggerRule.version == 2)
    ).one()
    bank.session.refresh(row)
    assert row.definition["band"] == {"share": 0.4, "waits": ["1m", "3m"]}
