"""Segments in the studio and tags in the console: forms, sizes, masked customers, files, who may do what."""

import csv
import io
import re
from time import monotonic
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from callcenter import segmenting
from callcenter.domain.enums import Role
from callcenter.models import AgentTag, AuditEntry, Segment
from callcenter.segments import queries
from callcenter.segments.queries import TookTooLong
from callcenter.web.segment_form import COLUMNS
from tests.factories import Bank
from tests.web.conftest import SignIn
from tests.web.scenes import enter, waiting_task, words

HEAD = {"key": "vips", "title.en": "Dear ones", "title.zh": "", "joined": "all"}


def _form(*rows: dict[str, str], do: str = "save", **head: str) -> dict[str, Any]:
    """A form as a browser sends it: every row has one field of each kind."""
    filled = [{"has": "has", **dict.fromkeys(COLUMNS, ""), **row} for row in rows]
    return {**HEAD, **head, "do": do} | {f"row-{name}": [row[name] for row in filled] for name in COLUMNS}


TAGGED = {"form": "tag", "tag": "vip", "has": "has"}
MOVED = {"form": "did", "event": "face_scan", "days": "30", "times": "1"}


def _works_out(bank: Bank, key: str = "vips") -> None:
    found = segmenting.work_out(bank.session, key, bank.clock.go_on(seconds=1), monotonic)
    assert found
    segmenting.change_members(bank.session, key, found.changes.joined, is_member=True)
    segmenting.note_settled(bank.session, found, len(found.changes.joined))
    bank.session.commit()


@pytest.fixture
def client(bank: Bank, sign_in: SignIn) -> FlaskClient:
    """A strategist's browser; two customers are known, one of them dear."""
    bank.knows("dear", tags=["vip"])
    bank.knows("plain")
    return enter(bank, sign_in, Role.STRATEGIST)


def test_a_segment_is_drafted_counted_saved_worked_out_and_taken_out(bank: Bank, client: FlaskClient) -> None:
    assert "No segment yet." in client.get("/studio/segments").text
    assert client.get("/studio/segments/new").status_code == 200
    more = client.post("/studio/segments/new", data=_form(TAGGED, do="add-row")).text
    assert more.count('name="row-form"') == 2
    less = client.post("/studio/segments/new", data=_form(TAGGED, MOVED, do="remove-row-0")).text
    assert less.count('name="row-form"') == 1 and re.search(r'value="face_scan" selected', less)
    looked = words(client.post("/studio/segments/new", data=_form(TAGGED, do="look", key="")).text)
    assert "Customers with: the tag vip. 1 customer now of 2" in looked
    assert bank.session.exec(select(Segment)).all() == []
    saved = client.post("/studio/segments/new", data=_form(TAGGED))
    assert (saved.status_code, saved.headers["Location"]) == (303, "/studio/segments/vips")
    assert "Being counted" in client.get("/studio/segments/vips").text
    _works_out(bank)
    html = client.get("/studio/segments/vips").text
    told = words(html)
    assert "1 customer of 2" in told and "陈•••" in told
    assert "陈伟" not in html and str(bank.customer("dear").number)[3:] not in html.replace(" ", "")
    listed = words(client.get("/studio/segments").text)
    assert "Dear ones" in listed and "Customers with: the tag vip." in listed
    file = client.get("/studio/segments/vips/customers.csv")
    assert list(csv.reader(io.StringIO(file.data.decode("utf-8-sig"))))[1:] == [["dear", "zh", ""]]
    acts = [one.act for one in bank.session.exec(select(AuditEntry)) if one.act.startswith("segment")]
    assert acts == ["segment.made", "segment.exported"]


def test_a_kept_segment_is_changed_and_ended(bank: Bank, client: FlaskClient) -> None:
    client.post("/studio/segments/new", data=_form(TAGGED))
    page = client.get("/studio/segments/vips").text
    assert re.search(r'name="row-tag" value="vip"', page) and "End this segment" in page
    changed = client.post("/studio/segments/vips", data=_form(TAGGED, MOVED, joined="any", key="other"))
    assert changed.headers["Location"] == "/studio/segments/vips"
    bank.session.expire_all()
    assert bank.session.get_one(Segment, "vips").definition["any"] is True
    assert client.post("/studio/segments/vips/end").status_code == 303
    assert client.get("/studio/segments/vips").status_code == 404
    assert client.post("/studio/segments/vips", data=_form(TAGGED)).status_code == 404
    assert client.get("/studio/segments/vips/customers.csv").status_code == 404


@pytest.mark.parametrize(
    ("rows", "head", "words_shown"),
    [
        ([{**MOVED, "days": "many"}], {}, "Give the days: a whole number from 1 to 365."),
        ([TAGGED, {**MOVED, "event": ""}], {}, "Choose what they did from the list."),
        ([TAGGED], {"key": "Not one"}, "Give a key of lower-case letters"),
        ([TAGGED], {"key": "new"}, "Give a key of lower-case letters"),
        ([TAGGED], {"title.en": ""}, "Give a name in one language at least"),
        ([], {}, "Give one row at least, and at most 8."),
        ([TAGGED] * 9, {}, "Give one row at least, and at most 8."),
        (
            [{"form": "attribute", "field": "customer.city", "op": "has", "value": "x"}],
            {},
            "Choose an attribute",
        ),
        ([{"form": "worth", **MOVED, "amount": "", "least": "1"} | {"form": "worth"}], {}, "Choose the sum"),
        ([{"form": "drop table", "tag": "x"}], {}, "Choose what the row asks for."),
    ],
)
def test_what_is_wrong_is_said_beside_it_and_what_was_typed_stays(
    client: FlaskClient, bank: Bank, rows: list[dict[str, str]], head: dict[str, str], words_shown: str
) -> None:
    page = client.post("/studio/segments/new", data=_form(*rows, **head))
    assert page.status_code == 400 and words_shown in page.text
    if "title.en" not in head:
        assert 'value="Dear ones"' in page.text
    assert bank.session.exec(select(Segment)).all() == []


def test_a_key_that_is_taken_is_refused_beside_its_field(client: FlaskClient) -> None:
    client.post("/studio/segments/new", data=_form(TAGGED))
    page = client.post("/studio/segments/new", data=_form(MOVED))
    assert page.status_code == 409 and "There is a segment of this key." in page.text


def test_every_form_can_be_typed_and_comes_back_as_it_was(client: FlaskClient) -> None:
    rows: list[dict[str, str]] = [
        MOVED,
        {**MOVED, "form": "did_not", "times": ""},
        {**MOVED, "form": "last", "times": ""},
        {**MOVED, "form": "worth", "recent_days": "7", "amount": "amount", "least": "1,000.5"},
        {"form": "attribute", "field": "customer.city", "op": "in", "value": "Chengdu, 成都"},
        {"form": "attribute", "field": "customer.credit_limit", "op": ">=", "value": "50000"},
        {"form": "tag", "tag": "staff", "has": "has not"},
        {"form": "survey", "group": "promoter", "has": "has"},
    ]
    assert client.post("/studio/segments/new", data=_form(*rows)).status_code == 303
    page = client.get("/studio/segments/vips").text
    for typed in ("1000.5", "Chengdu, 成都", "50000", "staff"):
        assert f'value="{typed}"' in page
    assert page.count("<fieldset") == 8 and "Add a row" not in page


def test_counting_that_takes_too_long_is_given_up_with_a_word(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tires(*_: object) -> int:
        raise TookTooLong

    monkeypatch.setattr("callcenter.web.segments.size_of", tires)
    page = client.post("/studio/segments/new", data=_form(TAGGED, do="look"))
    assert page.status_code == 200 and "Counting took too long." in page.text


def test_agents_give_only_tags_of_the_list_and_only_to_their_customer(
    bank: Bank, client: FlaskClient, sign_in: SignIn
) -> None:
    tags = "/studio/segments/tags"
    assert client.post(tags, data={"code": "Bad Code", "en": "x", "zh": ""}).status_code == 400
    assert client.post(tags, data={"code": "hurried", "en": "", "zh": ""}).status_code == 400
    assert client.post(tags, data={"code": "hurried", "en": "In a hurry", "zh": "赶时间"}).status_code == 303
    again = client.post(tags, data={"code": "hurried", "en": "x", "zh": ""})
    assert again.status_code == 409 and 'value="hurried"' in again.text
    bank.agent_is_available()
    task = waiting_task(bank)
    agent = enter(bank, sign_in, Role.AGENT)
    url = f"/console/call-tasks/{task.id}/tags"
    assert agent.post(url, data={"tag": "hurried", "on": "1"}).status_code == 403, "not theirs yet"
    bank.offers(task)
    assert "In a hurry" in agent.get("/console").text
    given = agent.post(url, data={"tag": "hurried", "on": "1"}, headers={"HX-Request": "true"})
    assert given.status_code == 200 and 'aria-pressed="true"' in given.text
    assert agent.post(url, data={"tag": "invented", "on": "1"}).status_code == 400
    bank.session.expire_all()
    customer = bank.session.get_one(type(bank.customer("dear")), task.customer_id)
    assert customer.agent_tags == ["hurried"] and customer.tags == []
    bank.takes(
        {"type": "identify", "userId": customer.external_id, "messageId": "z", "traits": {"tags": ["bank"]}}
    )
    bank.session.expire_all()
    assert (customer.tags, customer.agent_tags) == (["bank"], ["hurried"])
    assert queries.tags_in_use(bank.session) == {"hurried": 1}
    assert client.post(f"{tags}/hurried/give-up").status_code == 303
    assert client.post(f"{tags}/nobody/give-up").status_code == 404
    assert "given up; who has it keeps it" in client.get("/studio/segments").text
    assert agent.post(url, data={"tag": "hurried", "on": "0"}).status_code == 200, "may still be taken away"
    bank.session.expire_all()
    assert customer.agent_tags == [] and bank.session.get_one(AgentTag, "hurried").is_active is False
    acts = [one.act for one in bank.session.exec(select(AuditEntry)) if "tag" in one.act]
    assert acts == [
        "agent_tag.added", "customer.tagged_by_agent", "agent_tag.given_up", "customer.untagged_by_agent",
    ]  # fmt: skip
