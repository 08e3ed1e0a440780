"""What compliance officers see: what needs a decision, packs, decisions, the audit trail, what if."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import func, select

from callcenter.accounts import service as accounts
from callcenter.domain.enums import BarReason, Role, ScreeningPoint, SuppressionKind
from callcenter.models import AuditEntry, Customer, ScreeningDecision, SuppressionList
from tests.factories import Bank
from tests.web.conftest import SignIn
from tests.web.scenes import enter, waiting_task, words

LATE_IN_SHANGHAI = datetime(2026, 11, 18, 14, 30, tzinfo=UTC)


def decisions_kept(bank: Bank) -> int:
    return bank.session.exec(select(func.count()).select_from(ScreeningDecision)).one()


def test_an_empty_house_needs_nothing_and_every_page_says_so(bank: Bank, sign_in: SignIn) -> None:
    officer = enter(bank, sign_in, Role.COMPLIANCE)
    for path, says in (
        ("", "Nothing waits for a decision."),
        ("/packs", "Bank, mainland China"),
        ("/ledgers", "No list was imported yet."),
        ("/decisions", "No decision fits."),
        ("/audit", "No act fits."),
        ("/what-if", "Ask about a call before anybody makes it."),
    ):
        answer = officer.get(f"/compliance{path}")
        assert answer.status_code == 200 and says in words(answer.text), path


def test_the_overview_tells_why_the_gate_barred_in_the_last_hour(bank: Bank, sign_in: SignIn) -> None:
    officer = enter(bank, sign_in, Role.COMPLIANCE)
    task = waiting_task(bank)
    bank.bars(task.customer_id, SuppressionKind.COMPLAINT)
    bank.agent_is_available()
    bank.offers(task)
    page = words(officer.get("/compliance").text)
    assert "1 of 2 asked were allowed" in page and "Complaint open 1" in page
    bank.clock.go_on(hours=2)
    assert "It was not asked." in words(officer.get("/compliance").text)


def test_a_clock_that_was_set_back_is_urgent_until_somebody_confirms_it(bank: Bank, sign_in: SignIn) -> None:
    officer = enter(bank, sign_in, Role.COMPLIANCE)
    waiting_task(bank)
    bank.clock.go_on(hours=-3)
    assert "The clock was set back" in officer.get("/compliance").text
    assert officer.post("/compliance/clock").status_code == 303
    assert "The clock was set back" not in officer.get("/compliance").text
    assert officer.post("/compliance/clock").status_code == 409


def test_a_registry_that_is_too_old_is_told_once_somebody_has_imported_it(
    bank: Bank, sign_in: SignIn
) -> None:
    officer = enter(bank, sign_in, Role.COMPLIANCE)
    now = bank.clock.now
    bank.session.add(
        SuppressionList(
            key="us-dnc",
            source="file",
            imported_at=now,
            as_of=now - timedelta(days=60),
            accepted=3,
            refused=1,
            in_force=True,
        )
    )
    bank.session.commit()
    assert "Registry us-dnc is too old" in officer.get("/compliance").text
    assert "too old" in officer.get("/compliance/ledgers").text


def test_every_figure_of_a_pack_names_its_source(bank: Bank, sign_in: SignIn) -> None:
    officer = enter(bank, sign_in, Role.COMPLIANCE)
    page = words(officer.get("/compliance/packs").text)
    assert "every day 09:00–20:00" in page and "Rest hours are to be avoided" in page
    assert "CBIRC Order 9/2022" in page and "at most 2 calls in any 24 h" in page
    french = words(officer.get("/compliance/packs?pack=fr").text)
    assert "; on holidays of FR" in french and "closed" in french
    assert officer.get("/compliance/packs?pack=nowhere").status_code == 404
    chinese = enter(bank, sign_in, Role.COMPLIANCE, "zh")
    assert "每天 09:00–20:00" in words(chinese.get("/compliance/packs").text)


def test_decisions_are_sieved_read_and_paged(bank: Bank, sign_in: SignIn) -> None:
    officer = enter(bank, sign_in, Role.COMPLIANCE)
    task = waiting_task(bank)
    customer = bank.session.get_one(Customer, task.customer_id)
    for minute in range(60):
        bank.session.add(
            ScreeningDecision(
                asked_at=bank.clock.now + timedelta(minutes=minute),
                for_at=bank.clock.now,
                point=ScreeningPoint.DIAL,
                customer_id=customer.id,
                may_call=False,
                reasons=[BarReason.TALKED_LATELY],
                policy_version="cn-bank@2023-03-01",
            )
        )
    bank.session.commit()
    bank.clock.go_on(hours=2)
    first = officer.get("/compliance/decisions").text
    assert first.count("Talked lately") == 50 + 1 and "Older" in first
    assert first.count("<option") > 25
    allowed = officer.get(f"/compliance/decisions?said=yes&person={customer.external_id}").text
    assert allowed.count("said-yes") == 1 and "said-no" not in allowed
    last = bank.session.exec(select(func.max(ScreeningDecision.id))).one()
    read = words(officer.get(f"/compliance/decisions?decision={last}").text)
    assert "Somebody talked with them a short time ago." in read
    assert officer.get("/compliance/decisions?before=12").status_code == 200
    for wrong in (
        "reason=nothing",
        "since=yesterday",
        "task=1",
        "before=x",
        "person=nobody",
        "decision=99999",
    ):
        assert officer.get(f"/compliance/decisions?{wrong}").status_code == 400, wrong


def test_the_table_of_decisions_has_neither_name_nor_number(bank: Bank, sign_in: SignIn) -> None:
    officer = enter(bank, sign_in, Role.COMPLIANCE)
    task = waiting_task(bank)
    answer = officer.get("/compliance/decisions.csv")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["point"], row["may_call"], row["customer_id"]) == ("opening", "True", str(task.customer_id))
    assert "陈伟" not in answer.text and "138001" not in answer.text
    assert officer.get("/compliance/decisions.csv?reason=nothing").status_code == 400


@pytest.mark.parametrize(
    ("who", "purpose", "says"),
    [
        ("+86 138 0013 8000", "service", "Not before 09:00 tomorrow in Shanghai."),
        ("+86 138 0013 8000", "marketing", "No consent"),
        ("+1 305 555 0143", "marketing", "us-fl@2021-07-01"),
        ("nobody", "service", "Give the bank's id of a customer"),
        ("+86 138 0013 8000", "fun", "Choose a purpose."),
    ],
)
def test_what_if_tells_what_the_gate_would_say_and_keeps_nothing(
    bank: Bank, sign_in: SignIn, who: str, purpose: str, says: str
) -> None:
    bank.clock.now = LATE_IN_SHANGHAI
    officer = enter(bank, sign_in, Role.COMPLIANCE)
    answer = officer.post("/compliance/what-if", data={"who": who, "purpose": purpose})
    assert says in words(answer.text).replace("&#39;", "'")
    assert decisions_kept(bank) == 0 and not bank.attempts()
    assert bank.session.exec(select(AuditEntry.act)).all() == []


def test_what_if_asks_about_a_moment_to_come_and_not_about_the_past(bank: Bank, sign_in: SignIn) -> None:
    officer = enter(bank, sign_in, Role.COMPLIANCE)
    bank.knows("u1")
    asked = {"who": "u1", "purpose": "service", "campaign": "loan"}
    open_now = officer.post("/compliance/what-if", data=asked).text
    assert "This call may be placed." in open_now
    at_night = officer.post("/compliance/what-if", data={**asked, "at": "2026-11-18T23:00"}).text
    assert "Not before 09:00 tomorrow in Shanghai." in at_night
    past = officer.post("/compliance/what-if", data={**asked, "at": "2026-11-01T10:00"})
    assert past.status_code == 400 and "Give a moment to come." in past.text


def test_the_audit_trail_is_sieved_by_act_and_person(bank: Bank, sign_in: SignIn) -> None:
    officer = enter(bank, sign_in, Role.COMPLIANCE)
    officer.post("/compliance/campaigns/loan/pause")
    trail = words(officer.get("/compliance/audit").text)
    assert "The compliance paused a campaign loan" in trail
    assert "paused a campaign" not in officer.get("/compliance/audit?family=rule").text
    assert "paused a campaign" not in officer.get("/compliance/audit?by=system").text
    assert officer.get("/compliance/audit?family=nothing").status_code == 400
    assert officer.get("/compliance/audit?by=me").status_code == 400


def test_an_administrator_has_one_place_for_all_of_it(bank: Bank, sign_in: SignIn) -> None:
    page = enter(bank, sign_in, Role.ADMIN).get("/compliance/packs").text
    assert 'class="gate-tabs"' in page and page.count('href="/compliance"') == 3, (
        "navigation, its sheet, tabs"
    )
    assert 'class="gate-tabs"' not in enter(bank, sign_in, Role.COMPLIANCE).get("/compliance/packs").text


def test_a_ledger_that_is_not_as_it_was_sealed_is_urgent_until_a_night_finds_it_good(
    bank: Bank, sign_in: SignIn
) -> None:
    officer = enter(bank, sign_in, Role.COMPLIANCE)

    def night(holds: bool) -> None:
        found = [] if holds else ["screening_decision 12: not as it was sealed"]
        told = {
            "holds": holds,
            "faults": len(found),
            "findings": found,
            "head": "9:ab",
            "after": 0,
            "links": 9,
        }
        accounts.record(bank.session, None, "ledger.verified", "chain", bank.clock.now, **told)
        bank.session.commit()
        bank.clock.go_on(minutes=1)

    night(holds=True)
    assert "not as they were sealed" not in officer.get("/compliance").text
    night(holds=False)
    page = words(officer.get("/compliance").text)
    assert "The ledgers are not as they were sealed: 1 fault" in page
    assert "screening_decision 12: not as it was sealed" in page and "callcenter audit verify" in page
    night(holds=True)
    assert "not as they were sealed" not in officer.get("/compliance").text
    bank.clock.go_on(days=3)
    assert "The ledgers are not verified any more" in words(officer.get("/compliance").text)


def test_an_act_on_a_customer_leads_to_their_ledgers_however_it_names_them(
    bank: Bank, sign_in: SignIn
) -> None:
    officer = enter(bank, sign_in, Role.COMPLIANCE)
    ids = [bank.knows(name).id for name in ("old", "new", "other")]
    accounts.record(bank.session, None, "customer.tagged", f"customer {ids[0]}", bank.clock.now)
    accounts.record(bank.session, None, "consent.withdrawn", str(ids[1]), bank.clock.now)
    accounts.record(bank.session, None, "rule.paused", str(ids[2]), bank.clock.now)
    bank.session.commit()
    html = officer.get("/compliance/audit").text
    found = [f'href="/compliance/people/{one}"' in html for one in ids]
    assert found == [True, True, False], "what is no act on a customer leads to nobody"
