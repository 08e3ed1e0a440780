"""Rules in the studio: drafts and their form, review by a second person, differences, and why one fired."""

import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import StrictUndefined
from sqlmodel import select

from callcenter.domain.enums import Role, RuleState
from callcenter.models import TriggerRule, User
from callcenter.routing import people
from tests.factories import Bank
from tests.web.conftest import People, SignIn, signed_in
from tests.web.scenes import HTMX, enter, words

pytestmark = pytest.mark.slow

RULE = "face-scan-quiet"
PAGE = f"/studio/rules/{RULE}"


@pytest.fixture(autouse=True)
def strict(app: Flask) -> None:
    """What a template asks for and no page has is an error here."""
    app.jinja_env.undefined = StrictUndefined


@pytest.fixture
def author(bank: Bank, sign_in: SignIn) -> FlaskClient:
    """The strategist's browser."""
    return enter(bank, sign_in, Role.STRATEGIST)


@pytest.fixture
def second(bank: Bank, app: Flask, people: People) -> FlaskClient:
    """Another strategist's browser."""
    return signed_in(app.test_client(), _another(bank))


def _another(bank: Bank) -> UUID:
    return bank.another_user("second", Role.STRATEGIST, "The second")


def _versions(bank: Bank, rule_key: str = RULE) -> dict[int, TriggerRule]:
    bank.session.expire_all()
    found = bank.session.exec(select(TriggerRule).where(TriggerRule.rule_key == rule_key))
    return {row.version: row for row in found}


def fields_of(html: str) -> dict[str, Any]:
    """What a browser would send of the draft's form if nothing were changed and no button named."""
    form = html[html.index('id="draft"') : html.index("</form>", html.index('id="draft"'))]
    sent: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and ('type="radio"' not in tag or " checked" in tag):
            sent.setdefault(name[1], []).append(unescape(value[1] if value else ""))
    for name, inside in re.findall(r'<select id="[^"]*" name="([^"]*)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', inside)
        first = re.search(r'<option value="([^"]*)"', inside)
        sent.setdefault(name, []).append(unescape((chosen or first or ["", ""])[1]))
    for name, inside in re.findall(r'<textarea id="[^"]*" name="([^"]*)"[^>]*>(.*?)</textarea>', form, re.S):
        sent.setdefault(name, []).append(unescape(inside.removeprefix("\n")))
    return sent


def _begin(browser: FlaskClient, like: int = 1) -> str:
    """Begin a draft of the rule; return its address."""
    answer = browser.post(f"{PAGE}/drafts", data={"version": like})
    assert answer.status_code == 303
    return str(answer.location)


def _send(browser: FlaskClient, url: str, do: str, **changed: Any) -> Any:
    form = fields_of(browser.get(url).text)
    return browser.post(url, data={**form, "do": do, **changed}, headers=HTMX)


def test_a_rule_is_shown_in_words_and_as_text_with_its_versions(author: FlaskClient, bank: Bank) -> None:
    html = author.get(PAGE).text
    said = words(html)
    assert "When a customer has been quiet on Face scan for 2 min" in said and "after: 2m" in said
    assert "Live v1" in said and f'action="{PAGE}/pause?from=rule"' in html and "End this rule" in said
    assert f'href="{PAGE}"' in author.get("/studio/rules").text
    assert author.get("/studio/rules/none").status_code == 404
    assert author.get(f"{PAGE}/versions/9").status_code == 404


def test_a_draft_saved_as_it_is_shown_says_the_same(author: FlaskClient, bank: Bank) -> None:
    for key in [row.rule_key for row in bank.session.exec(select(TriggerRule))]:
        url = author.post(f"/studio/rules/{key}/drafts", data={"version": 1}).location
        answer = _send(author, url, "save")
        assert answer.status_code == 200, (key, words(answer.text)[:800])
        versions = _versions(bank, key)
        assert "Says the same" in words(author.get(f"/studio/rules/{key}").text), key
        assert versions[2].definition["step"] == versions[1].definition["step"]


def test_a_draft_is_written_sent_reviewed_and_published_by_two_people(
    author: FlaskClient, second: FlaskClient, bank: Bank
) -> None:
    url = _begin(author)
    saved = _send(author, url, "save", after="5m", unless=["photo_accepted"])
    assert saved.status_code == 200 and "after: 2 min → 5 min" in saved.text
    refused = _send(author, url, "submit")
    assert refused.status_code == 422 and "Say why this version is wanted" in refused.text
    sent = _send(author, url, "submit", note="They come back by themselves until then.")
    assert (sent.status_code, sent.headers["HX-Redirect"]) == (200, url)
    own = words(author.get(url).text)
    assert "A second person must publish it." in own and "Publish v2" not in own
    assert author.post(f"{url}/publish").status_code == 403
    review = words(second.get(url).text)
    assert "after: 2 min → 5 min" in review and "unless added: Photo accepted" in review
    assert "They come back by themselves until then." in review and "0 visits are open" in review
    assert "You may publish it" in words(second.get("/studio/rules").text)
    bank.clock.go_on(seconds=1)
    assert second.post(f"{url}/publish", data={"open_visits": "pin"}).status_code == 303
    assert [row.state for _, row in sorted(_versions(bank).items())] == [RuleState.RETIRED, RuleState.LIVE]
    page = words(second.get(PAGE).text)
    assert "The second published v2; open visits stay with theirs" in page
    assert "The strategist sent v2 for review" in page and "v1 Retired" in page


def test_a_version_is_sent_back_with_a_reason_and_edited_again(
    author: FlaskClient, second: FlaskClient, bank: Bank
) -> None:
    url = _begin(author)
    _send(author, url, "submit", note="try", after="4m")
    assert author.post(url, data={"do": "save", "seen": "x"}).status_code == 409
    assert second.post(f"{url}/send-back", data={"reason": ""}).status_code == 400
    assert second.post(f"{url}/send-back", data={"reason": "too late by then"}).status_code == 303
    assert "sent v2 back: too late by then" in words(author.get(PAGE).text)
    assert 'name="after" value="4m"' in author.get(url).text
    assert "A draft is changed by its author." in words(second.get(url).text)
    assert second.post(url, data={"do": "look"}).status_code == 409
    assert second.post(url, data=fields_of(author.get(url).text) | {"do": "save"}).status_code == 403


def test_everything_that_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    author: FlaskClient, bank: Bank
) -> None:
    url = _begin(author)
    answer = _send(
        author,
        url,
        "save",
        **{
            "after": "soon",
            "priority": "high",
            "holdout": "120",
            "conditions-field": ["customer.credit_limit", "visit.device"],
            "conditions-op": [">=", "starts with"],
            "conditions-value": ["much", "iPhone"],
            "more": "nonsense: 1",
        },
    )
    html = answer.text
    assert answer.status_code == 422 and "Not saved: 5 things to put right." in words(html)
    for slot in ("after", "priority", "holdout", "conditions-0", "more"):
        assert not re.search(rf'id="problem-{slot}" hidden', html), slot
    assert 'id="problem-conditions-1" hidden' in html and 'value="soon"' in html and 'value="much"' in html
    assert _versions(bank)[2].definition["after"] == "2m"
    chinese = author.post("/preferences", data={"language": "zh"})
    assert chinese.status_code < 400


def test_rows_come_and_go_and_the_words_follow(author: FlaskClient, bank: Bank) -> None:
    url = _begin(author)
    added = _send(author, url, "add-conditions")
    assert added.text.count('class="comparison"') == 1
    form = fields_of(added.text)
    form |= {"conditions-field": "customer.credit_limit", "conditions-op": "=", "conditions-value": "50,000"}
    looked = author.post(url, data={**form, "do": "look"}, headers=HTMX)
    assert "if the customer" in words(looked.text) and "credit limit is 50,000" in words(looked.text)
    assert 'id="state"' in looked.text and "<html" not in looked.text
    form = fields_of(looked.text)
    assert author.post(url, data={**form, "do": "save"}, headers=HTMX).status_code == 200
    saved = _versions(bank)[2].definition["conditions"]
    assert saved == {"field": "customer.credit_limit", "op": "=", "value": 50000}
    gone = author.post(url, data={**form, "do": "remove-conditions-0"}, headers=HTMX)
    assert 'class="comparison"' not in gone.text
    for odd in ("remove-conditions-99", "remove-nothing-1", "add-", "remove-unless-x"):
        assert author.post(url, data={**form, "do": odd}, headers=HTMX).status_code == 200


def test_nested_conditions_are_kept_as_text_and_can_be_edited_there(author: FlaskClient, bank: Bank) -> None:
    url = _begin(author)
    nested = (
        "conditions:\n  any:\n  - not: {field: visit.errors, op: '>', value: 3}\n"
        "  - {field: visit.minutes, op: '<', value: 9}\n"
    )
    assert _send(author, url, "save", more=nested).status_code == 200
    html = author.get(url).text
    assert "They are set in groups" in html and "not:" in html
    assert _send(author, url, "save").status_code == 200
    assert "not" in _versions(bank)[2].definition["conditions"]["any"][0]
    both = _send(author, url, "save", more="after: 3m")
    assert both.status_code == 422 and "is in the form already" in both.text
    for odd in ("a: [", "[" * 2000, "a: &x [1]\nb: *x", "- 1", "1: 2", "x" * 20_000, "date: 2026-13-45"):
        assert _send(author, url, "save", more=odd).status_code == 422, odd[:20]


def test_two_tabs_are_told_of_each_other(author: FlaskClient, bank: Bank) -> None:
    url = _begin(author)
    first, other = fields_of(author.get(url).text), fields_of(author.get(url).text)
    assert author.post(url, data={**first, "do": "save", "after": "3m"}, headers=HTMX).status_code == 200
    clash = author.post(url, data={**other, "do": "save", "after": "9m"}, headers=HTMX)
    assert clash.status_code == 409 and 'id="state"' in clash.text
    assert "after: 3 min → 9 min" in clash.text and 'name="after" value="9m"' in clash.text
    assert _versions(bank)[2].definition["after"] == "3m"
    again = fields_of(clash.text)
    assert author.post(url, data={**again, "do": "save"}, headers=HTMX).status_code == 409
    assert author.post(url, data={**again, "do": "overwrite"}, headers=HTMX).status_code == 200
    assert _versions(bank)[2].definition["after"] == "9m"


def test_an_overtaken_version_says_what_to_do(author: FlaskClient, second: FlaskClient, bank: Bank) -> None:
    slow, quick = _begin(author), _begin(author)
    _send(author, slow, "submit", note="slow", after="4m")
    _send(author, quick, "submit", note="quick", after="6m")
    assert second.post(f"{quick}/publish").status_code == 303
    refused = second.post(f"{slow}/publish", headers=HTMX)
    assert refused.status_code == 409 and "Begin a new draft from it" in refused.text
    assert "v3 went live meanwhile." in words(second.get(slow).text)


def test_of_two_people_who_publish_at_once_one_is_told(
    author: FlaskClient, app: Flask, bank: Bank, people: People
) -> None:
    url = _begin(author)
    _send(author, url, "submit", note="at once", after="4m")
    browsers = [signed_in(app.test_client(), user) for user in (_another(bank), people.ids[Role.ADMIN])]
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(one.post, f"{url}/publish", headers=HTMX) for one in browsers]
    assert sorted(one.result().status_code for one in answers) == [200, 409]
    assert [row.state for _, row in sorted(_versions(bank).items())] == [RuleState.RETIRED, RuleState.LIVE]


def test_going_back_begins_a_draft_that_says_what_an_older_version_said(
    author: FlaskClient, second: FlaskClient, bank: Bank
) -> None:
    url = _begin(author)
    _send(author, url, "submit", note="later", after="8m")
    second.post(f"{url}/publish", data={"open_visits": "migrate"})
    page = second.get(PAGE).text
    assert "Go back to v1" in page
    back = _begin(second, like=1)
    assert back.endswith("/versions/3") and 'name="after" value="2m"' in second.get(back).text
    assert "after: 8 min → 2 min" in second.get(back).text


def test_a_new_rule_begins_with_its_name_and_place(author: FlaskClient, bank: Bank) -> None:
    form = author.get("/studio/rules/new?journey=loan&step=profile").text
    assert 'value="loan/profile" selected' in form
    data = {
        "key": "profile-long",
        "place": "loan/profile",
        "title.en": "Long profile",
        "title.zh": "资料太久",
    }
    answer = author.post("/studio/rules/new", data=data)
    assert answer.location == "/studio/rules/profile-long/versions/1"
    assert "When a customer has been quiet on Profile for 5 min" in words(author.get(answer.location).text)
    for wrong, status in (
        ({"key": "Profile"}, 400),
        ({"key": "new"}, 400),
        ({"place": "loan/none"}, 400),
        ({}, 409),
    ):
        assert author.post("/studio/rules/new", data={**data, **wrong}).status_code == status
    given_up = author.post(answer.location, data={"do": "discard"})
    assert given_up.status_code == 303 and "Given up" in author.get("/studio/rules/profile-long").text


def test_a_rule_is_paused_and_ended_on_its_page(author: FlaskClient, bank: Bank) -> None:
    paused = author.post(f"{PAGE}/pause?from=rule", headers=HTMX)
    assert paused.status_code == 200 and "Paused v1" in words(paused.text) and 'id="state"' in paused.text
    assert "The strategist paused the rule" in words(paused.text)
    ended = author.post(f"{PAGE}/retire", data={"reason": "rebuilt"}, headers=HTMX)
    assert "Retired v1" in words(ended.text) and "ended the rule: rebuilt" in words(ended.text)
    assert author.post(f"{PAGE}/retire", data={"reason": "again"}).status_code == 409


def test_why_is_answered_for_a_customer(author: FlaskClient, bank: Bank) -> None:
    number = bank.knows("u1").number or ""
    bank.sends("u1", "face_scan")
    bank.clock.go_on(seconds=40)
    html = author.get(f"/studio/why?rule={RULE}&customer=u1").text
    assert "It has not fired yet. Still 1 min 20 s to go, until 12:02:00." in words(html)
    assert number[3:] not in html
    assert "Which customer?" in author.get("/studio/why").text
    unknown = author.get(f"/studio/why?rule={RULE}&customer=nobody")
    assert unknown.status_code == 404 and "No customer" in unknown.text
    assert author.get("/studio/why?rule=none&customer=u1").status_code == 404
    assert author.get(f"/studio/why?rule={RULE}&customer=u1&visit=odd").status_code == 400


@pytest.mark.parametrize("preset", ["gone_quiet", "dwell", "absence", "trouble", "moment"])
def test_every_kind_of_rule_has_its_form(author: FlaskClient, bank: Bank, preset: str) -> None:
    url = _begin(author)
    more = {"event": "face_scan"} if preset in ("absence", "moment") else {}
    form = fields_of(author.get(url).text) | {"preset": preset}
    shown = author.post(url, data={**form, "do": "look"}, headers=HTMX)
    again = fields_of(shown.text) | more
    saved = author.post(url, data={**again, "do": "save"}, headers=HTMX)
    assert saved.status_code == 200, words(saved.text)[:600]
    assert _versions(bank)[2].preset == preset


def test_pages_of_rules_read_in_chinese(bank: Bank, sign_in: SignIn) -> None:
    browser = enter(bank, sign_in, Role.STRATEGIST, "zh")
    bank.knows("u1")
    bank.sends("u1", "face_scan")
    url = _begin(browser)
    saved = _send(browser, url, "save", after="5m")
    assert "等待：2 分钟 → 5 分钟" in saved.text
    wrong = _send(browser, url, "save", after="soon", priority="x", more="odd: 1")
    assert wrong.status_code == 422
    for address in (
        "/studio/rules",
        PAGE,
        url,
        f"{PAGE}/versions/1",
        "/studio/rules/new",
        f"/studio/why?rule={RULE}&customer=u1",
    ):
        html = browser.get(address).text
        assert 'lang="zh-CN"' in html
    assert "尚未触发" in html


def test_every_form_on_the_pages_of_rules_carries_the_token(author: FlaskClient, bank: Bank) -> None:
    url = _begin(author)
    for address in ("/studio/rules", PAGE, url, f"{PAGE}/versions/1", "/studio/rules/new"):
        html = author.get(address).text
        for form in re.findall(r"<form\b.*?</form>", html, re.S):
            assert 'method="post"' not in form or 'name="csrf_token"' in form
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|javascript:", html)
        ids = re.findall(r'\sid="([^"]+)"', html)
        assert sorted(ids) == sorted(set(ids)), address


def test_a_draft_that_asks_for_a_skill_or_team_that_is_gone_says_which_and_what_to_do(
    author: FlaskClient, bank: Bank
) -> None:
    url = _begin(author)
    moon = {"skill": "moon", "level": "1", "team": "Moon desk"}
    answer = _send(author, url, "save", **moon)
    assert answer.status_code == 422
    assert "There is no skill moon. Add it under Teams and skills, or choose another one." in words(
        answer.text
    )
    assert "There is no team Moon desk." in words(answer.text)
    assert _send(author, url, "save", skill="cards", level="2", team="Loan desk A").status_code == 200
    people.switch_skill(bank.session, "cards", is_active=False)
    for one in bank.session.exec(select(User).where(User.role == Role.STRATEGIST)):
        one.language = "zh"
    bank.session.commit()
    assert "技能 cards 已停用。" in words(author.get(url).text), "an author is told before pressing anything"
