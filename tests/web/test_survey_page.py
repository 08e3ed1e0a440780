"""The page a customer answers on: one link, one answer, nobody's name, and nothing for whoever guesses."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import select

from callcenter.models import Customer, JourneyEvent, SurveyInvite
from callcenter.runtime import Runtime
from tests.factories import Bank
from tests.flow.asked import asks, invites, speaks_with, surveys, token_of
from tests.web.conftest import app_on


@pytest.fixture
def path(bank: Bank, runtime: Runtime) -> str:
    """The link that a customer has got."""
    asks(bank)
    speaks_with(bank)
    assert invites(bank) == 1
    link = runtime.survey_link(surveys(bank)[0].id)
    assert link.startswith("https://calls.bank.example/s/")
    return link.removeprefix("https://calls.bank.example")


def _answer(bank: Bank) -> SurveyInvite:
    return surveys(bank)[0]


def test_it_asks_two_questions_in_the_customers_language_and_names_only_the_bank(
    app: Flask, bank: Bank, path: str
) -> None:
    page = app.test_client().get(path)
    assert page.status_code == 200 and 'lang="zh-CN"' in page.text and "推荐我们" in page.text
    assert page.text.count('type="radio"') == 11 and "<textarea" in page.text
    english = app.test_client().get(f"{path}?language=en").text
    assert "How likely is it that you would recommend us" in english and 'lang="en"' in english
    for html in (page.text, english):
        assert "<script" not in html and "style=" not in html and not re.search(r"\son[a-z]+=", html)
        ids = re.findall(r'\sid="([^"]+)"', html)
        assert sorted(ids) == sorted(set(ids)) and 'id="main"' in html
        customer = bank.session.get_one(Customer, _answer(bank).customer_id)
        for secret in (customer.name, customer.number, customer.external_id, "Lin Yue", str(customer.id)):
            assert str(secret) not in html
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert page.headers["Referrer-Policy"] == "no-referrer" and page.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in page.headers


def test_one_answer_is_taken_and_no_second(runtime: Runtime, bank: Bank, path: str) -> None:
    browser = app_on(runtime, csrf=True).test_client()
    for _ in range(2):
        assert browser.get(path).status_code == 200, "looking, as filters of messages do, changes nothing"
    done = browser.post(path, data={"score": "3", "answer": "太慢了\x00", "language": "zh"})
    assert done.status_code == 200 and "谢谢您" in done.text and "<form" not in done.text
    again = browser.post(path, data={"score": "10", "answer": "x"})
    assert again.status_code == 409 and browser.get(path).status_code == 409
    row = _answer(bank)
    assert (row.score, row.answer) == (3, "太慢了")
    assert bank.session.get_one(Customer, row.customer_id).survey_group == "detractor"
    events = bank.session.exec(select(JourneyEvent).where(JourneyEvent.name == "survey_answered")).all()
    assert [one.properties["group"] for one in events] == ["detractor"]


@pytest.mark.parametrize("score", ["", "11", "-1", "3.5", "٣", "1e1", "nine", "100000000000000000000"])
def test_what_is_no_score_is_refused_and_what_was_typed_stays(
    client: FlaskClient, bank: Bank, path: str, score: str
) -> None:
    page = client.post(path, data={"score": score, "answer": "typed <b>before</b>", "language": "en"})
    assert page.status_code == 400 and "Choose a number from 0 to 10." in page.text
    assert "typed &lt;b&gt;before&lt;/b&gt;" in page.text and _answer(bank).answered_at is None


def test_whoever_guesses_finds_nothing(client: FlaskClient, bank: Bank, path: str) -> None:
    token = path.removeprefix("/s/")
    other = token_of(_answer(bank), b"another key")
    for wrong in (
        token[:-1],
        token + "A",
        token[::-1],
        other,
        str(_answer(bank).id),
        "1",
        "%00",
        "a" * 5_000,
    ):
        for answer in (client.get(f"/s/{wrong}"), client.post(f"/s/{wrong}", data={"score": "0"})):
            assert answer.status_code in (403, 404), wrong
            assert "<form" not in answer.text
    assert _answer(bank).answered_at is None


def test_an_old_link_and_a_withheld_survey_ask_nobody(client: FlaskClient, bank: Bank, path: str) -> None:
    bank.clock.go_on(days=8)
    page = client.get(f"{path}?language=en")
    assert page.status_code == 403 and "too old" in page.text
    assert client.post(path, data={"score": "9"}).status_code == 403
    row = _answer(bank)
    row.withheld, row.expires_at = "objection", bank.clock.go_on(days=0).replace(year=2030)
    bank.session.commit()
    assert client.get(path).status_code == 403
    assert client.post(path, data={"score": "9"}).status_code == 403


def test_who_asks_again_and_again_waits(client: FlaskClient, bank: Bank, path: str) -> None:
    codes = [client.get(path).status_code for _ in range(12)]
    assert codes == [200] * 10 + [429] * 2
    page = client.post(path, data={"score": "9", "language": "en"})
    assert page.status_code == 429 and page.headers["Retry-After"] == "60" and "Wait a minute" in page.text
    assert _answer(bank).answered_at is None


def test_a_much_too_long_answer_is_cut_not_lost(client: FlaskClient, bank: Bank, path: str) -> None:
    assert client.post(path, data={"score": "8", "answer": "好" * 1_500}).status_code == 200
    assert len(_answer(bank).answer) == 1_000
