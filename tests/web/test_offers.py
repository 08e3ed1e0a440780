"""Offers: kept by a strategist, granted on the console, told over the API; and reasons folded in."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import select

from callcenter import offering
from callcenter.commands.sample import read_sample
from callcenter.domain.enums import Role
from callcenter.journeys import service as journeys
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import Customer, Offer, OfferGrant
from callcenter.triggers import service as triggers
from tests.factories import Bank
from tests.service.test_offers import COUPON
from tests.web.conftest import SignIn
from tests.web.partner import TOKEN, Caller, token_for
from tests.web.scenes import enter, words
from tests.web.test_console import offered, talked

FORM = {
    "code": "rate-30",
    "name_en": "Interest coupon",
    "name_zh": "免息券",
    "words_en": "30 days free of interest.",
    "words_zh": "30 天免息。",
    "currency": "cny",
    "value": "30",
    "cost": "22.5",
    "steps": ["loan/id_photo"],
    "tags": "",
    "valid_from": "2026-11-01T09:00",
    "valid_until": "",
    "time_zone": "Asia/Shanghai",
    "per_customer": "1",
    "per_customer_days": "90",
    "per_agent_day": "",
    "per_day": "5",
}


def catalog(bank: Bank) -> dict[str, Offer]:
    bank.session.expire_all()
    return {one.code: one for one in bank.session.exec(select(Offer))}


@pytest.fixture
def call(desk: FlaskClient, bank: Bank) -> Any:
    """A call that is over, in the wrap-up, with one coupon in the catalog."""
    offering.add_offer(bank.session, "coupon", COUPON, None, bank.clock.now)
    bank.session.commit()
    _, task_id = offered(bank)
    shown = desk.get("/console/state").text
    assert "30 天免息。" in shown and "Grant it once you have spoken" in shown, (
        "what to say, in their language"
    )
    desk.post(f"/console/call-tasks/{task_id}/dial")
    talked(bank)
    return task_id


# -- the catalog ------------------------------------------------------------------------------------------


def test_a_strategist_adds_an_offer_and_changes_it(sign_in: SignIn, bank: Bank) -> None:
    studio = enter(bank, sign_in, Role.STRATEGIST)
    assert "Agents have nothing to grant yet." in studio.get("/studio/offers").text
    assert studio.post("/studio/offers/new", data=FORM).status_code == 303
    row = catalog(bank)["rate-30"]
    assert (row.currency, row.steps, row.per_day, row.per_agent_day) == ("CNY", ["loan/id_photo"], 5, None)
    assert row.valid_from.isoformat() == "2026-11-01T01:00:00+00:00", "typed in the offer's zone"
    shown = words(studio.get("/studio/offers").text)
    assert "Interest coupon" in shown and "1 a customer in 90 days; 5 a day" in shown and "ID photo" in shown
    page = studio.get("/studio/offers/rate-30").text
    assert 'value="2026-11-01T09:00"' in page and re.search(r'value="loan/id_photo" checked', page)
    changed = {**FORM, "cost": "25.00", "version": "1"}
    assert studio.post("/studio/offers/rate-30", data=changed).status_code == 303
    row = catalog(bank)["rate-30"]
    assert (str(row.cost), row.version) == ("25.00", 2)
    assert studio.post("/studio/offers/rate-30", data=changed).status_code == 409, "of a version that is past"
    assert "its cost" in words(studio.get("/studio/offers/rate-30").text)
    assert studio.post("/studio/offers/rate-30/end").status_code == 303
    assert catalog(bank)["rate-30"].ended_at is not None
    assert "Ended" in words(studio.get("/studio/offers").text)
    assert studio.post("/studio/offers/rate-30/resume").status_code == 303
    assert catalog(bank)["rate-30"].ended_at is None


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"cost": "much"}, "Give an amount from 0, with at most two decimals."),
        ({"per_day": "0"}, "Give a whole number from 1, or leave it empty for no limit."),
        ({"per_day": "-3"}, "Give a whole number from 1, or leave it empty for no limit."),
        ({"valid_until": "2026-10-01T09:00"}, "Choose an end after the beginning."),
        ({"valid_until": "soon"}, "Choose a day and a time."),
        ({"time_zone": "Nowhere"}, "Choose a day and a time."),
        ({"name_zh": ""}, "Give a name of at most 60 letters."),
        ({"rules": ["gone"]}, "Something chosen is not there any more. Choose again."),
        ({"code": "Bad Code"}, "Use lower-case letters, digits and -, up to 40 of them."),
        ({"cost": "NaN"}, "Give an amount from 0, with at most two decimals."),
    ],
)
def test_a_form_that_cannot_be_kept_comes_back_as_it_was_typed(
    sign_in: SignIn, bank: Bank, said: dict[str, Any], says: str
) -> None:
    studio = enter(bank, sign_in, Role.STRATEGIST)
    answer = studio.post("/studio/offers/new", data={**FORM, **said})
    assert answer.status_code == 400 and says in words(answer.text)
    assert "30 days free of interest." in answer.text and catalog(bank) == {}


def test_the_pages_of_offers_read_in_chinese(sign_in: SignIn, bank: Bank) -> None:
    studio = enter(bank, sign_in, Role.STRATEGIST, "zh")
    studio.post("/studio/offers/new", data=FORM)
    assert "坐席可以发放什么？" in studio.get("/studio/offers").text
    refused = studio.post("/studio/offers/new", data=FORM)
    assert "该短名已被使用" in refused.text


# -- on the console ---------------------------------------------------------------------------------------


def test_an_agent_grants_sees_it_and_takes_it_back(desk: FlaskClient, bank: Bank, call: Any) -> None:
    url = f"/console/call-tasks/{call}/offers/coupon"
    assert url in desk.get("/console/state").text
    shown = desk.post(url)
    assert shown.status_code == 200 and "Granted" in words(shown.text) and url not in shown.text
    assert desk.post(url).status_code == 200
    bank.session.expire_all()
    (one,) = bank.session.exec(select(OfferGrant)).all()
    back = f"/console/grants/{one.id}/take-back"
    assert back in shown.text
    refused = desk.post(f"/console/call-tasks/{call}/wrap-up", data={"disposition": "machine"})
    assert (refused.status_code, "Take it back" in refused.text) == (400, True)
    assert url in desk.post(back).text
    bank.session.expire_all()
    assert bank.session.exec(select(OfferGrant)).one().taken_back_at == bank.clock.now
    desk.post(url)
    assert (
        desk.post(f"/console/call-tasks/{call}/wrap-up", data={"disposition": "will_finish"}).status_code
        == 200
    )
    assert desk.post(back).status_code in (403, 409)
    assert desk.post(url).status_code in (403, 409)


def test_a_limit_says_why_and_until_when(desk: FlaskClient, bank: Bank, call: Any) -> None:
    row = catalog(bank)["coupon"]
    row.per_day, row.per_customer, row.per_customer_days = 1, 1, 90
    bank.session.commit()
    desk.post(f"/console/call-tasks/{call}/offers/coupon")
    bank.session.expire_all()
    desk.post(f"/console/call-tasks/{call}/wrap-up", data={"disposition": "will_finish"})
    bank.clock.go_on(days=2)
    _, again = offered(bank, name="Wang")
    assert again != call
    shown = words(desk.get("/console/state").text)
    assert "They have had as many as one customer may." in shown and "Again from" in shown
    refused = desk.post(f"/console/call-tasks/{again}/offers/coupon")
    assert refused.status_code == 409


def test_the_api_lists_what_was_granted_with_the_attempt(
    desk: FlaskClient, bank: Bank, app: Flask, call: Any
) -> None:
    token_for(bank.session, bank)
    desk.post(f"/console/call-tasks/{call}/offers/coupon")
    (attempt,) = (Caller(app, TOKEN)("GET", "/attempts").json or {})["items"]
    (offer,) = attempt["offers"]
    assert (offer["offer"], offer["cost"], offer["currency"]) == ("coupon", "22.50", "CNY")
    assert offer["granted_at"] is not None and offer["taken_back_at"] is None


def test_without_a_catalog_the_console_shows_none(desk: FlaskClient, bank: Bank) -> None:
    offered(bank)
    assert 'class="suggestion offers"' not in desk.get("/console/state").text


# -- reasons folded in ------------------------------------------------------------------------------------


def folded(bank: Bank, **said: Any) -> None:
    """Let a rule of the account journey fire for the customer whose call task the agent has."""
    account = read_sample("account.yaml")
    journey = journeys.load_journey(
        bank.session, account, journeys_loaded(bank.session).values(), bank.clock.now
    )
    rule = {
        "rule": "pay", "title": {"en": "Salary has come", "zh": "工资已到"}, "journey": "account", "step": "salary",
        "preset": "moment", "event": "salary_received", "holdout": 0, "moment": "salary", "goal": "arranged",
        **said,
    }  # fmt: skip
    triggers.adopt_rule(bank.session, rule, journey, bank.clock.now)
    bank.session.commit()
    user = bank_user(bank)
    bank.clock.go_on(minutes=1)
    bank.takes({"type": "track", "userId": user, "event": "salary_received", "messageId": "s1",
                "properties": {"product": "p1"}})  # fmt: skip
    bank.ticks()


def bank_user(bank: Bank) -> str:
    """The bank's own id of the one customer there is."""
    return bank.session.exec(select(Customer.external_id)).one() or ""


def test_the_console_names_the_other_reasons_and_since_when(desk: FlaskClient, bank: Bank) -> None:
    offered(bank)
    folded(bank)
    shown = words(desk.get("/console/state").text)
    assert "1 more reason: Salary has come" in shown and "Salary received, " in shown
    assert "Photo rejected: glare, 2 times" in shown, "the call is led by what the agent was offered it for"


def test_an_offer_folded_into_a_call_of_help_is_not_mentioned_without_consent(
    desk: FlaskClient, bank: Bank
) -> None:
    offered(bank)
    user = bank_user(bank)
    said = {"purpose": "marketing", "text_version": "v1", "proof": "box", "source": "app"}
    bank.takes(
        {"type": "track", "userId": user, "event": "Consent Given", "messageId": "c1", "properties": said}
    )
    folded(bank, purpose="marketing")
    shown = words(desk.get("/console/state").text)
    assert "1 more reason: Salary has come" in shown and "Do not mention it" not in shown
    bank.clock.go_on(seconds=5)
    bank.takes({"type": "track", "userId": user, "event": "Consent Withdrawn", "messageId": "c2",
                "properties": {"purpose": "marketing"}})  # fmt: skip
    assert "Do not mention it on this call: No consent" in words(desk.get("/console/state").text)


def test_a_reason_of_higher_priority_leads_what_the_console_shows(desk: FlaskClient, bank: Bank) -> None:
    _, task_id = offered(bank)
    desk.post(f"/console/call-tasks/{task_id}/skip", data={"reason": "language"})
    folded(bank, priority=95)
    bank.clock.go_on(minutes=2)
    (task,) = bank.tasks()
    bank.agent_is_available()
    bank.offers(task)
    html = desk.get("/console/state").text
    shown = words(html)
    assert "1 more reason: Photo rejected: glare, 2 times" in shown
    assert "Salary has come" in shown.split("1 more reason", maxsplit=1)[0]
    bank.session.refresh(task)
    assert task.script_id == "salary_received"
    assert timedelta(0) < bank.clock.now - task.created_at
