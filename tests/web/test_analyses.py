"""Analyses in the studio: the page, its files, the people behind a number; surges where they are told."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from openpyxl import load_workbook
from sqlmodel import select

from callcenter import surging
from callcenter.domain.enums import Role
from callcenter.models import AuditEntry, Customer, EventArchive, FloorAlert, StepSurge
from callcenter.reporting.analyses.asked import MEASURES, Model, Split
from tests.factories import Bank
from tests.web.conftest import SignIn
from tests.web.scenes import enter, reached_call, waiting_task, words
from tests.web.test_studio import visits_of_a_day


def _table(html: str) -> list[str]:
    return [words(row) for row in re.findall(r"<tr.*?</tr>", html, re.S)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_analysis_opens_without_data_and_with(bank: Bank, sign_in: SignIn, language: str) -> None:
    browser = enter(bank, sign_in, Role.STRATEGIST, language)
    for model in Model:
        html = browser.get(f"/studio/analyses?model={model.value}").text
        assert ("Nobody did this in the window." if language == "en" else "这个窗口内没有人") in html
    reached_call(bank, waiting_task(bank), "done_on_call")
    bank.sends("someone", "loan_withdrawn", amount=900)
    for model in Model:
        for measure in MEASURES.get(model, ("",)):
            for split in (Split.NONE, Split.DEVICE, Split.SEGMENT, Split.SURVEY, Split.RULE, Split.HOUR):
                address = (
                    f"/studio/analyses?model={model.value}&measure={measure}&split={split.value}&days=28"
                )
                answer = browser.get(address)
                assert answer.status_code == 200, address
                assert 'data-chart="' in answer.text or model in (Model.INTERVAL, Model.PATH), address


def test_the_funnel_prints_denominators_and_how_far_behind_it_is(bank: Bank, sign_in: SignIn) -> None:
    visits_of_a_day(bank)
    html = enter(bank, sign_in, Role.STRATEGIST).get("/studio/analyses?model=funnel&days=1").text
    assert "4 of 10 stopped at Register, the most at any step." in html
    assert any(row.startswith("Register 10 100.0 % 10 of 10 4 40.0 % 4 of 10") for row in _table(html))
    assert "10 people counted" in html and "0.0 s behind what customers do" in html
    assert "the newest event came in 6 min 0 s ago" in html


def test_the_same_comes_as_csv_and_as_a_workbook(bank: Bank, sign_in: SignIn) -> None:
    visits_of_a_day(bank)
    browser = enter(bank, sign_in, Role.STRATEGIST)
    answer = browser.get("/studio/analyses.csv?model=funnel&days=1")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert rows[0][:3] == ["Step", "Entered", "Of all seen"] and rows[1][:4] == [
        "Register",
        "10",
        "1.0",
        "10 of 10",
    ]
    book = load_workbook(
        io.BytesIO(browser.get("/studio/analyses.xlsx?model=event&measure=errors&days=1&beside=0").data)
    )
    told = list(book.active.values)
    assert told[0][:3] == ("Event", "Events", "People")
    assert told[1][:3] == ("ID photo · Photo rejected: glare", 2, 2)


def test_a_number_leads_to_its_people_and_a_person_to_their_story(bank: Bank, sign_in: SignIn) -> None:
    for number in range(10):
        bank.knows(f"u{number}", name=f"Customer {number}")
    visits_of_a_day(bank)
    browser = enter(bank, sign_in, Role.STRATEGIST)
    html = browser.get("/studio?days=1&step=id_photo").text
    assert "/studio/rules/new?journey=loan&amp;step=id_photo" in html and "See the 4 people" in html
    (href,) = re.findall(r'href="(/studio/analyses/people[^"]*)"', html)
    listed = browser.get(href.replace("&amp;", "&")).text
    assert words(listed).count("•••• ") == 4 and "Funnel · ID photo · Lost" in listed
    assert bank.customer("u0").number not in listed
    story = words(browser.get(re.findall(r'href="(/studio/people/[^"]*)"', listed)[0]).text)
    assert "Opened Register" in story
    acts = bank.session.exec(select(AuditEntry.act).where(AuditEntry.act.startswith("people."))).all()  # type: ignore[attr-defined]
    assert sorted(acts) == ["people.listed", "people.viewed"]
    assert browser.get("/studio/people/00000000-0000-0000-0000-000000000000").status_code == 404


def test_every_figure_of_a_row_lists_as_many_people_as_it_says(bank: Bank, sign_in: SignIn) -> None:
    visits_of_a_day(bank)
    browser = enter(bank, sign_in, Role.STRATEGIST)
    for model in (Model.FUNNEL, Model.DISTRIBUTION, Model.ATTRIBUTE, Model.PATH):
        html = browser.get(
            f"/studio/analyses?model={model.value}&days=1&split=app_version&step=id_photo"
        ).text
        links = re.findall(r'<a href="(/studio/analyses/people[^"]*)"[^>]*>([\d,]+)</a>', html)
        assert links
        for href, shown in links:
            listed = browser.get(href.replace("&amp;", "&")).text
            assert len(re.findall(r'href="/studio/people/', listed)) == int(shown), href


def test_calls_that_came_before_stand_beside_the_effect_that_is_true(bank: Bank, sign_in: SignIn) -> None:
    task = waiting_task(bank)
    reached_call(bank, task, "done_on_call")
    customer = bank.session.get_one(Customer, task.customer_id)
    bank.sends(customer.external_id, "loan_withdrawn", amount=900)
    html = enter(bank, sign_in, Role.STRATEGIST).get("/studio/analyses?model=attribution&days=7").text
    assert "0 of 1 conversions came without a call before them." in html
    assert any(row.startswith("ID-photo trouble 1 1 1 1 100.0 % 1 of 1 1 1 1 900") for row in _table(html))
    assert "The incremental effect is the true one" in html and "No hold-out" in html


def _weeks(bank: Bank, lost_now: int) -> None:
    """Forty come each week at this hour and four stop at the photo; this week `lost_now` do."""
    for week in range(5):
        lost = lost_now if week == 4 else 4
        for number in range(40):
            user = f"w{week}-{number}"
            bank.sends(user, "id_photo_front", app_version="3.1" if number < lost else "3.0")
            if number >= lost:
                bank.sends(user, "face_scan", app_version="3.0")
        bank.clock.go_on(minutes=10)
        if week < 4:
            bank.clock.go_on(days=7, minutes=-10)


@pytest.mark.slow
def test_a_sudden_loss_is_told_with_who_they_are_until_it_is_over(bank: Bank, sign_in: SignIn) -> None:
    _weeks(bank, lost_now=24)
    assert surging.note_surges(bank.session, bank.clock.now) == 1
    bank.session.commit()
    (surge,) = bank.session.exec(select(StepSurge)).all()
    assert (surge.step, surge.kind, surge.count, surge.of, surge.usual) == ("id_photo", "loss", 24, 40, 0.1)
    assert surge.profile == [{"property": "app_version", "value": "3.1", "count": 24, "of": 24}]
    studio = words(enter(bank, sign_in, Role.STRATEGIST).get("/studio?days=1").text)
    assert (
        "Loss at ID photo has risen 60.0 % stopped in the last hour (24 of 40); usual in this hour is 10.0 %."
        in studio
    )
    assert "Most by app version: 3.1, 100 % of 24." in studio and "Look closer" in studio
    floor = words(enter(bank, sign_in, Role.SUPERVISOR).get("/floor/alerts").text)
    assert "Loss at ID photo has risen" in floor
    assert surging.note_surges(bank.session, bank.clock.now) == 0, "it goes on"
    bank.clock.go_on(hours=2)
    assert surging.note_surges(bank.session, bank.clock.now) == 1, "it is over"
    bank.session.commit()
    assert (
        "Loss at ID photo has risen" not in enter(bank, sign_in, Role.STRATEGIST).get("/studio?days=1").text
    )
    assert bank.session.exec(select(FloorAlert)).all() == []


def test_a_usual_loss_is_no_surge(bank: Bank) -> None:
    _weeks(bank, lost_now=6)
    assert surging.note_surges(bank.session, bank.clock.now) == 0


def test_what_lies_in_the_archive_is_said_on_the_page_and_on_the_map(bank: Bank, sign_in: SignIn) -> None:
    visits_of_a_day(bank)
    monday = datetime(2026, 11, 16, tzinfo=UTC)
    week = EventArchive(
        partition="journey_event_old", since=monday - timedelta(days=42), until=monday, path="old.parquet",
        events=1, archived_at=bank.clock.now,
    )  # fmt: skip
    bank.session.add(week)
    bank.session.commit()
    browser = enter(bank, sign_in, Role.STRATEGIST)
    # In Shanghai the week of UTC ends on Monday at 08:00: that day is not whole.
    left_out = "Older events lie in the archive and are not counted: figures are complete from 17 Nov on."
    html = words(browser.get("/studio/analyses?model=funnel&days=7").text)
    assert left_out in html and "4 earlier spans are not laid beside" in html
    assert left_out in words(browser.get("/studio?days=7").text)
    today = words(browser.get("/studio/analyses?model=funnel&days=1").text)
    assert left_out not in today and "4 earlier spans are not laid beside" in today
