"""Targets and points: set and shown on the floor, kept as files, and an agent's own on the console."""

import io

import openpyxl
from flask.testing import FlaskClient
from sqlmodel import select

from callcenter.domain.enums import Role
from callcenter.models import WorkTarget
from tests.factories import Bank
from tests.service.test_reviews_and_checks import call, people
from tests.web.conftest import SignIn
from tests.web.scenes import enter, words


def test_a_target_is_set_shown_with_its_progress_and_taken_away(bank: Bank, sign_in: SignIn) -> None:
    call(bank, "will_finish", user="u-1")
    client = enter(bank, sign_in, Role.SUPERVISOR)
    form = {"subject": "member:Loan desk A", "measure": "right_party", "for": "week", "value": "4"}
    assert client.post("/floor/targets", data=form).status_code == 302
    assert (
        client.post("/floor/targets", data={**form, "subject": "team:Loan desk A", "value": "40"}).status_code
        == 302
    )
    told = words(client.get("/floor/targets?period=week").text)
    assert "Loan desk A together 1 1 of 40" in told and "Lin Yue 1 1 of 4 0 of 1" in told
    assert "Points = right-party contacts × 2 + verified conversions × 20" in told
    assert "1 of 4 " not in words(client.get("/floor/targets?period=day").text)
    own = {**form, "subject": f"agent:{bank.agent_id}", "value": "1"}
    client.post("/floor/targets", data=own)
    assert "Lin Yue 1 1 of 1 reached" in words(client.get("/floor/targets").text)
    client.post("/floor/targets", data={**own, "value": ""})
    assert "Lin Yue 1 1 of 4" in words(client.get("/floor/targets").text)
    assert len(bank.session.exec(select(WorkTarget)).all()) == 3


def test_what_cannot_be_taken_comes_back_with_why(bank: Bank, sign_in: SignIn) -> None:
    client = enter(bank, sign_in, Role.SUPERVISOR)
    form = {"subject": "member:Loan desk A", "measure": "quality", "for": "week", "value": "101"}
    wrong = client.post("/floor/targets", data=form)
    assert wrong.status_code == 400 and "from 1 to 100." in wrong.text and 'value="101"' in wrong.text
    assert client.post("/floor/targets", data={**form, "value": "much"}).status_code == 400
    assert client.post("/floor/targets", data={**form, "for": "year"}).status_code == 400
    assert client.post("/floor/targets", data={**form, "subject": "x"}).status_code == 400
    assert (
        client.post("/floor/targets", data={**form, "subject": "team:Nobody", "value": "5"}).status_code
        == 404
    )
    assert client.post("/floor/targets/points", data={"points-verified": "5"}).status_code == 400
    assert client.get("/floor/targets?on=0001-01-01&period=month").status_code == 200
    assert client.get("/floor/targets?on=9999-12-31&period=month").status_code == 200


def test_the_files_say_what_the_page_says(bank: Bank, sign_in: SignIn) -> None:
    call(bank, "will_finish", user="u-1")
    client = enter(bank, sign_in, Role.SUPERVISOR)
    client.post(
        "/floor/targets",
        data={"subject": "member:Loan desk A", "measure": "attempts", "for": "week", "value": "60"},
    )
    file = client.get("/floor/targets.csv?period=week")
    rows = file.data.decode("utf-8-sig").splitlines()
    assert rows[0].startswith("Team or agent,Attempts,") and rows[0].endswith(",Points")
    assert rows[2].startswith("Lin Yue,1.0,60,1.0,,0.0,,,,0.0,,2")
    book = openpyxl.load_workbook(io.BytesIO(client.get("/floor/targets.xlsx").data))
    assert [cell.value for cell in book.worksheets[0][3]][:3] == ["Lin Yue", 1, 60]


def test_points_are_set_and_the_formula_follows(bank: Bank, sign_in: SignIn) -> None:
    client = enter(bank, sign_in, Role.SUPERVISOR)
    points = {"attempts": 0, "right_party": 0, "verified": 30, "quality": 0, "kept_callbacks": 0}
    sent = {f"points-{name}": value for name, value in points.items()}
    assert client.post("/floor/targets/points", data=sent).status_code == 302
    assert "Points = verified conversions × 30." in words(client.get("/floor/targets").text)


def test_an_agent_sees_their_own_progress_beside_the_median(
    bank: Bank, sign_in: SignIn, desk: FlaskClient
) -> None:
    call(bank, "done_on_call", user="u-1")
    assert "Your targets" not in desk.get("/console").text, "nothing is set yet"
    client = enter(bank, sign_in, Role.SUPERVISOR)
    client.post(
        "/floor/targets",
        data={"subject": "member:Loan desk A", "measure": "verified", "for": "day", "value": "4"},
    )
    told = words(desk.get("/console").text)
    assert "Verified conversions, day 0 of 4; median 0" in told
    assert "Your points this week 2 team median 2" in told
    bank.sends(people(bank)[1], "face_scan")
    told = words(desk.get("/console").text)
    assert "Verified conversions, day 1 of 4; median 1" in told and "Your points this week 22" in told
