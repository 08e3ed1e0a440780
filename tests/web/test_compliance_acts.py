"""What compliance officers do: bar at once, ask for what gives permission, decide what another asked for."""

import re
from uuid import uuid4

from flask.testing import FlaskClient
from sqlmodel import select

from callcenter.compliance.ledgers import NewSuppression
from callcenter.compliance.packs_drafting import text_to_begin_with
from callcenter.domain.enums import ChangeState, Role, SuppressionKind, SuppressionScope
from callcenter.models import Campaign, ComplianceChange, Consent, Customer, Suppression
from tests.factories import Bank
from tests.web.conftest import SignIn
from tests.web.scenes import HTMX, enter, waiting_task, words

NUMBER = "+86 138 0013 8999"


def barred_customer(bank: Bank) -> tuple[Customer, int]:
    customer = bank.knows("u1")
    bank.bars(customer.id)
    (entry,) = bank.session.exec(select(Suppression)).all()
    assert entry.id
    return customer, entry.id


def draft(bank: Bank) -> str:
    day = bank.clock.now.date()
    return text_to_begin_with(bank.session, bank.house.gate.home_packs, "cn-bank", day, bank.clock.now)


def changes(bank: Bank) -> list[ComplianceChange]:
    bank.session.expire_all()
    return list(bank.session.exec(select(ComplianceChange)))


def test_a_bar_is_lifted_by_two_people_and_whoever_asked_sees_why_not(bank: Bank, sign_in: SignIn) -> None:
    officer, admin = enter(bank, sign_in, Role.COMPLIANCE), enter(bank, sign_in, Role.ADMIN)
    customer, entry = barred_customer(bank)
    asked = officer.post(f"/compliance/suppressions/{entry}/lift", data={"why": "A mix-up."}, headers=HTMX)
    href = asked.headers["HX-Redirect"]
    own = officer.get(href).text
    assert "A second person decides." in own and "/approve" not in own
    assert officer.post(f"{href}/approve").status_code == 403
    assert "lifting waits for a decision" in officer.get(f"/compliance/people/{customer.id}").text
    assert "/approve" in admin.get(href).text
    assert admin.post(f"{href}/approve", data={"note": "Seen."}).status_code == 303
    assert "Lifted by The admin: A mix-up." in words(officer.get(f"/compliance/people/{customer.id}").text)
    assert [one.state for one in changes(bank)] == [ChangeState.APPROVED]
    assert "decided already" in admin.post(f"{href}/refuse", data={"note": "x"}).text


def test_a_change_that_cannot_be_any_more_says_so_before_anybody_presses(bank: Bank, sign_in: SignIn) -> None:
    officer, admin = enter(bank, sign_in, Role.COMPLIANCE), enter(bank, sign_in, Role.ADMIN)
    _, entry = barred_customer(bank)
    officer.post(f"/compliance/suppressions/{entry}/lift", data={"why": "A mix-up."})
    (change,) = changes(bank)
    bank.session.add(
        Suppression(
            kind=SuppressionKind.DO_NOT_CALL,
            scope=SuppressionScope.GLOBAL,
            source="elsewhere",
            created_at=bank.clock.now,
            lifts_id=entry,
        )
    )
    bank.session.commit()
    page = words(admin.get(f"/compliance/changes/{change.id}").text)
    assert "This entry is lifted already. It can only be refused." in page
    assert admin.post(f"/compliance/changes/{change.id}/approve").status_code == 409


def test_a_pack_version_is_checked_line_by_line_and_told_in_words(bank: Bank, sign_in: SignIn) -> None:
    officer, admin = enter(bank, sign_in, Role.COMPLIANCE), enter(bank, sign_in, Role.ADMIN)
    text = draft(bank)
    wrong = text.replace("09:00-20:00", "nine")
    said = words(officer.post("/compliance/packs/new?pack=cn-bank", data={"text": wrong}).text)
    line = next(n for n, one in enumerate(wrong.split("\n"), 1) if "nine" in one)
    assert f"Line {line} is not right" in said
    right = text.replace("09:00-20:00", "10:00-18:00")
    said = words(officer.post("/compliance/packs/new?pack=cn-bank", data={"text": right}).text)
    assert "Differences to cn-bank@2023-03-01" in said
    assert "every day 09:00–20:00 → every day 10:00–18:00" in said
    no_reason = officer.post("/compliance/packs/new?pack=cn-bank", data={"text": right, "do": "propose"})
    assert no_reason.status_code == 400 and "Say why" in no_reason.text and "10:00-18:00" in no_reason.text
    form = {"text": right.replace("\n", "\r\n"), "why": "The letter.", "do": "propose"}
    href = officer.post("/compliance/packs/new?pack=cn-bank", data=form).headers["Location"]
    assert "10:00–18:00" in admin.get(href).text
    assert admin.post(f"{href}/approve").status_code == 303
    packs = words(officer.get("/compliance/packs").text)
    assert "approved by The admin" in packs and "every day 10:00–18:00" in packs


def test_a_file_takes_the_place_of_the_text(bank: Bank, sign_in: SignIn) -> None:
    import io

    officer = enter(bank, sign_in, Role.COMPLIANCE)
    sent = {"text": "", "file": (io.BytesIO(draft(bank).encode()), "cn-bank.yaml")}
    said = officer.post(
        "/compliance/packs/new?pack=cn-bank", data=sent, content_type="multipart/form-data"
    ).text
    assert "Every figure stays as it is." in said


def looked_up(browser: FlaskClient, who: str) -> str:
    answer = browser.post("/compliance/ledgers", data={"who": who})
    return browser.get(answer.headers["Location"]).text if answer.status_code == 302 else answer.text


def test_somebody_is_found_by_the_banks_id_or_a_number_and_no_address_holds_it(
    bank: Bank, sign_in: SignIn
) -> None:
    officer = enter(bank, sign_in, Role.COMPLIANCE)
    customer = bank.knows("u1")
    assert "No consent is on record." in looked_up(officer, "u1")
    by_number = officer.post("/compliance/ledgers", data={"who": customer.number})
    assert by_number.status_code == 200 and f"/compliance/people/{customer.id}" in by_number.text
    assert "Nobody is known by this id." in looked_up(officer, "u404")
    assert officer.get(f"/compliance/people/{uuid4()}").status_code == 404


def test_a_person_is_barred_at_once_and_a_number_too(bank: Bank, sign_in: SignIn) -> None:
    officer = enter(bank, sign_in, Role.COMPLIANCE)
    task = waiting_task(bank)
    form = {
        "customer_id": task.customer_id,
        "kind": "objection",
        "reach": "purpose:marketing",
        "source": "letter",
    }
    assert officer.post("/compliance/suppressions", data=form).status_code == 303
    number = {"number": NUMBER, "kind": "do_not_call", "reach": "global", "source": "regulator"}
    page = words(officer.post("/compliance/suppressions", data={**number, "until": "2026-12-24"}).text)
    assert "The bar counts from now on." in page and "This number" in page and "The compliance" in page
    person, alone = bank.session.exec(select(Suppression).order_by(Suppression.id)).all()  # type: ignore[arg-type]
    assert (person.kind, person.scope, person.purpose) == ("objection", "purpose", "marketing")
    assert (alone.scope, alone.customer_id, alone.number_hash is not None) == ("number", None, True)
    assert alone.created_by is not None and alone.expires_at is not None
    for wrong in (
        {**form, "source": ""},
        {**form, "kind": "x"},
        {**form, "reach": "purpose:x"},
        {**number, "number": "1"},
    ):
        assert officer.post("/compliance/suppressions", data=wrong).status_code == 400, wrong


def test_a_consent_needs_two_people_and_its_withdrawal_one(bank: Bank, sign_in: SignIn) -> None:
    officer, admin = enter(bank, sign_in, Role.COMPLIANCE), enter(bank, sign_in, Role.ADMIN)
    customer = bank.knows("u1")
    form = {
        "purpose": "marketing",
        "text_version": "v3",
        "proof": "form 12",
        "given_on": "2026-11-17",
        "why": "Signed.",
    }
    asked = officer.post(f"/compliance/people/{customer.id}/consents", data=form)
    assert admin.post(f"{asked.headers['Location']}/approve").status_code == 303
    assert "Text v3 · form 12" in words(officer.get(f"/compliance/people/{customer.id}").text)
    assert (
        officer.post(f"/compliance/people/{customer.id}/withdraw", data={"purpose": "marketing"}).status_code
        == 303
    )
    assert [one.act for one in bank.session.exec(select(Consent).order_by(Consent.id))] == [
        "given",
        "withdrawn",
    ]  # type: ignore[arg-type]
    assert (
        officer.post(f"/compliance/people/{customer.id}/consents", data={**form, "proof": ""}).status_code
        == 400
    )


def test_officers_and_supervisors_pause_a_campaign_and_set_its_hours(bank: Bank, sign_in: SignIn) -> None:
    officer, supervisor = enter(bank, sign_in, Role.COMPLIANCE), enter(bank, sign_in, Role.SUPERVISOR)
    assert supervisor.post("/floor/dialing/loan/pause", headers=HTMX).status_code == 200
    assert "Paused since" in supervisor.get("/floor").text and "Paused" in officer.get("/compliance").text
    assert (
        officer.post(
            "/compliance/campaigns/loan/hours", data={"opens": "10:00", "closes": "18:00"}
        ).status_code
        == 303
    )
    assert "Own hours 10:00–18:00" in supervisor.get("/floor").text
    assert (
        supervisor.post("/floor/dialing/loan/hours", data={"opens": "18:00", "closes": "9:00"}).status_code
        == 400
    )
    officer.post("/compliance/campaigns/loan/resume")
    supervisor.post("/floor/dialing/loan/hours", data={"opens": "", "closes": ""})
    bank.session.expire_all()
    row = bank.session.get_one(Campaign, "loan")
    assert (row.paused_at, row.hours) == (None, [])
    assert officer.post("/compliance/campaigns/nothing/pause").status_code == 404


def test_why_nobody_calls_a_waiting_customer_is_told_for_a_paused_campaign(
    bank: Bank, sign_in: SignIn
) -> None:
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    task = waiting_task(bank)
    supervisor.post("/floor/dialing/loan/pause")
    bank.agent_is_available()
    bank.offers(task)
    floor = supervisor.get("/floor").text
    assert re.search(r"<b[^>]*>1</b>\s*Campaign paused", floor)
    assert "Its call tasks wait until somebody lets it go on." in floor


def test_budgets_of_a_person_are_told_by_purpose(bank: Bank, sign_in: SignIn) -> None:
    officer = enter(bank, sign_in, Role.COMPLIANCE)
    bank.is_placing("id-photo-trouble")
    (attempt,) = bank.attempts()
    page = words(officer.get(f"/compliance/people/{attempt.customer_id}").text)
    assert (
        "Calls to the person in any 24 h 1 of 2 free now" in page
        and "Minimum gap 2 h free again 14:00" in page
    )
    collection = words(officer.get(f"/compliance/people/{attempt.customer_id}?purpose=collection").text)
    assert "1 of 3" in collection


def test_the_entry_of_a_number_under_no_persons_name_can_be_lifted_too(bank: Bank, sign_in: SignIn) -> None:
    officer = enter(bank, sign_in, Role.COMPLIANCE)
    new = NewSuppression(
        kind=SuppressionKind.DO_NOT_CALL, scope=SuppressionScope.NUMBER, number="+8613800138999", source="x"
    )
    from callcenter import gatekeeping

    row = gatekeeping.bar(bank.session, bank.house, new, bank.agent_id, bank.clock.now)
    bank.session.commit()
    officer.post(f"/compliance/suppressions/{row.id}/lift", data={"why": "Another owner now."})
    (change,) = changes(bank)
    assert "Lift “Do not call” of a number" in officer.get(f"/compliance/changes/{change.id}").text
