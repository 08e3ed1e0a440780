"""Voice of the customer in the studio: causes, notes without names, suggestions, surveys, their files."""

import csv
import io
import re
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlmodel import col, select

from callcenter.domain.enums import Cause, Role
from callcenter.models import AuditEntry, Suggestion, SuggestionLink, SurveySetting
from tests.factories import Bank
from tests.flow.asked import answers, asks, calls_again, invites, speaks_with
from tests.web.conftest import SignIn
from tests.web.scenes import enter, words

WISH = "Upload the photo from the gallery"


def _studio(bank: Bank, sign_in: SignIn, language: str = "en") -> FlaskClient:
    return enter(bank, sign_in, Role.STRATEGIST, language)


def _rows(client: FlaskClient, path: str) -> list[list[str]]:
    answer = client.get(path)
    assert answer.status_code == 200 and answer.mimetype == "text/csv"
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


def _acts(bank: Bank, prefix: str) -> list[str]:
    bank.session.expire_all()
    found = bank.session.exec(select(AuditEntry.act).order_by(col(AuditEntry.id))).all()
    return [one for one in found if one.startswith(prefix)]


@pytest.fixture
def two_wishes(bank: Bank) -> Bank:
    """Two calls on which something was wished, one of them with a note that names the customer."""
    note = "陈伟 138 0013 8000: glare, try 2"
    speaks_with(bank, causes=(Cause.TECHNICAL, Cause.USABILITY), note=note, suggestion=WISH)
    bank.clock.go_on(days=8)
    calls_again(bank, "Photo upload from gallery, =HYPERLINK(1)")
    return bank


def test_nobody_spoken_with_yet_is_said(bank: Bank, sign_in: SignIn) -> None:
    client = _studio(bank, sign_in)
    assert "Nobody was spoken with in this period." in client.get("/studio/voice").text
    assert "No suggestion yet." in client.get("/studio/voice/suggestions").text
    assert "no link reaches a customer" in client.get("/studio/voice/surveys").text


def test_causes_stand_with_what_they_are_of_and_notes_name_nobody(two_wishes: Bank, sign_in: SignIn) -> None:
    client = _studio(two_wishes, sign_in)
    html = client.get("/studio/voice").text
    told = words(html)
    assert "50 % 1 of 2" in told and "ID photo" in told
    assert "••• •••: glare, try 2" in told
    for secret in ("陈伟", "138 0013", "0013 8000"):
        assert secret not in html
    assert "glare" not in client.get("/studio/voice?cause=price&step=id_photo").text
    assert "glare" in client.get("/studio/voice?days=28&journey=loan&step=id_photo&cause=technical").text
    assert (
        "Nobody was spoken with"
        not in client.get("/studio/voice?days=nonsense&journey=x&step=y&cause=z").text
    )
    head, row = _rows(client, "/studio/voice.csv?days=28")
    assert (head[1], row[1:3]) == ("Spoken with", ["2", "1"])
    assert _acts(two_wishes, "voice.") == ["voice.exported"]


def test_wishes_are_grouped_changed_merged_and_exported(two_wishes: Bank, sign_in: SignIn) -> None:
    bank, client = two_wishes, _studio(two_wishes, sign_in)
    url = "/studio/voice/suggestions"
    wishes = re.findall(r'name="wish" value="([^"]+)"', client.get(url).text)
    assert len(wishes) == 2
    refused = client.post(url, data={"wish": wishes[1:], "title": " "})
    assert refused.status_code == 400 and "Give the suggestion a title" in refused.text
    assert f'value="{wishes[1]}" checked' in refused.text, "what was ticked stays ticked"
    made = client.post(url, data={"wish": wishes[1:], "title": "Gallery upload"})
    assert made.status_code == 303
    assert "looks like: Gallery upload" in words(client.get(url).text)
    one = made.headers["Location"]
    bad = client.post(one, data={"title": "Gallery upload", "state": "declined", "owner": "", "reason": ""})
    assert bad.status_code == 400 and "Say in a word why it is declined." in bad.text
    owner = re.findall(r'<option value="([0-9a-f-]{36})"[^>]*>The strategist', client.get(one).text)[0]
    form = {"title": "=Gallery", "state": "planned", "owner": owner, "reason": ""}
    assert client.post(one, data=form).status_code == 303
    other = client.post(url, data={"wish": wishes[:1], "title": "Other"}).headers["Location"]
    merged = client.post(f"{other}/merge", data={"into": one.rsplit("/", 1)[1]})
    assert merged.headers["Location"] == one
    told = words(client.get(one).text)
    assert "2 calls with 1 customers, 1 with a note; they met 2 errors." in told and "陈伟" not in told
    _, row = _rows(client, f"{url}.csv")
    assert row[:7] == ["'=Gallery", "Planned", "The strategist", "ID photo", "2", "1", "1"]
    assert client.post(f"{one}/wishes/{wishes[0]}/unlink").status_code == 303
    assert len(bank.session.exec(select(SuggestionLink)).all()) == 1
    assert _acts(bank, "suggestion.") == [
        "suggestion.made", "suggestion.changed", "suggestion.made", "suggestion.merged", "suggestion.unlinked",
    ]  # fmt: skip
    assert client.get(other).status_code == 404, "what was merged is shown no more"
    assert "已计划" in _studio(bank, sign_in, "zh").get(url).text


def test_what_is_not_there_is_refused_in_words(two_wishes: Bank, sign_in: SignIn) -> None:
    client = _studio(two_wishes, sign_in)
    url = "/studio/voice/suggestions"
    assert client.get(f"{url}/{uuid4()}").status_code == 404
    assert client.post(url, data={"wish": "no id", "title": "x"}).status_code == 400
    assert client.post(url, data={"wish": str(uuid4()), "title": "x"}).status_code == 400
    assert client.post(url, data={"title": "No wishes"}).status_code == 400
    assert client.post(f"{url}/{uuid4()}/merge", data={"into": str(uuid4())}).status_code == 404
    assert two_wishes.session.exec(select(Suggestion)).all() == []


def test_surveys_say_who_asks_and_what_came_back_with_its_interval(bank: Bank, sign_in: SignIn) -> None:
    client = _studio(bank, sign_in)
    url = "/studio/voice/surveys"
    assert client.post(url, data={"journey": "loan", "rule": "", "asks": "on"}).status_code == 303
    form = {"journey": "loan", "rule": "face-scan-quiet", "asks": "off"}
    assert client.post(url, data=form).status_code == 303
    for wrong in ({**form, "asks": "maybe"}, {**form, "rule": "nobody"}, {**form, "journey": "x"}):
        assert client.post(url, data=wrong).status_code == 400
    bank.session.expire_all()
    kept = {one.rule_key: one.is_on for one in bank.session.exec(select(SurveySetting))}
    assert kept == {"": True, "face-scan-quiet": False}
    speaks_with(bank)
    invites(bank)
    answers(bank, 10, "陈伟: all good, 13800138000")
    html = client.get(url).text
    told = words(html)
    assert "+100.0" in told and "95 % interval −48.5 to +98.5" in told and "100.0 % 1 of 1" in told
    assert "•••: all good, •••" in told and "陈伟" not in html
    assert "as the campaign: asked" in told and 'value="feedback"' not in html
    rows = {row[0]: row[1:] for row in _rows(client, f"{url}.csv?days=28")}
    assert rows["All"] == ["1", "0", "1", "1", "0", "0", "100.0", "-48.5", "98.5"]
    asks(bank, is_on=False)
    assert "survey.set" in _acts(bank, "survey.")
