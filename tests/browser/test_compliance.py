"""Two people: stricter hours and a lifted bar, neither by one alone; and a dial that is barred with words."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Bank
from tests.browser.desk import Desk
from tests.browser.test_screens import LOOKS, Looker, axe
from tests.system import System

PAGES = (
    "/compliance",
    "/compliance/packs",
    "/compliance/packs?pack=us-tcpa",
    "/compliance/packs/new?pack=cn-bank",
    "/compliance/ledgers",
    "/compliance/decisions",
    "/compliance/what-if",
    "/compliance/audit",
)


@pytest.fixture
def officer(browser: Browser, system: System, cookies: dict[str, Any]) -> Iterator[Desk]:
    """The compliance officer before the overview."""
    with Desk(browser, system.base_url, "compliance", storage_state=cookies["compliance"]) as desk:
        desk.page.goto("/compliance")
        desk.prefers("light", "en")
        yield desk
        assert desk.troubles == []


@pytest.fixture
def admin(browser: Browser, system: System, cookies: dict[str, Any]) -> Iterator[Desk]:
    """The second person."""
    with Desk(browser, system.base_url, "admin", storage_state=cookies["admin"]) as desk:
        desk.page.goto("/compliance")
        desk.prefers("light", "en")
        yield desk
        assert desk.troubles == []


def test_stricter_hours_and_a_lifted_bar_need_a_second_person(officer: Desk, admin: Desk, bank: Bank) -> None:
    person = bank.customer()
    bank.deliver(*bank.gets_stuck(person))
    page = officer.page
    page.goto("/compliance/ledgers")
    page.fill("#who", person.user)
    page.press("#who", "Enter")
    page.wait_for_selector("#add-bar")
    page.click("#add-bar summary")
    page.fill("#bar-source", "letter of today")
    page.press("#bar-source", "Enter")
    entry = page.locator(".entry-in_force")
    expect(entry).to_contain_text("letter of today")
    expect(entry).to_contain_text("Petra Lang")
    assert axe(page) == []
    entry.locator("summary").click()
    entry.locator('input[name="why"]').fill("It was somebody else.")
    officer.press("Enter")
    expect(page.locator(".rule-side")).to_contain_text("You asked for this. A second person decides.")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    href = page.url

    far = (datetime.now(UTC) + timedelta(days=400)).date()
    page.goto("/compliance/packs/new?pack=cn-bank")
    text = page.input_value("#text")
    tomorrow = text.split("valid_from: '")[1][:10]
    page.fill("#text", text.replace("09:00-20:00", "nine").replace(tomorrow, far.isoformat()))
    page.get_by_role("button", name="Check").click()
    expect(page.locator(".proposal-problem")).to_contain_text("'nine' is not a window")
    page.fill("#text", page.input_value("#text").replace("nine", "10:00-17:00"))
    page.get_by_role("button", name="Check").click()
    expect(page.locator(".figures-changed")).to_contain_text("every day 10:00–17:00")
    page.fill("#why", "The regulator's letter.")
    page.get_by_role("button", name="Ask for it").click()
    page.wait_for_url("**/compliance/changes/*")
    assert axe(page) == []

    for change, shows in ((href, "It was somebody else."), (page.url, "every day 10:00–17:00")):
        admin.page.goto(change)
        admin.reads(shows)
        admin.page.get_by_role("button", name="Approve").click()
        expect(admin.page.locator(".page-head")).to_contain_text("Approved")
    page.goto("/compliance/packs?pack=cn-bank")
    expect(page.locator(".pack-versions")).to_contain_text(f"cn-bank@{far} to come · approved by Zhang Bei")
    page.goto("/compliance/audit?family=change")
    expect(page.locator(".trail-table")).to_contain_text("Zhang Bei approved a change")


def test_a_dial_is_barred_with_the_hours_of_the_customers_place(
    officer: Desk, admin: Desk, desk: Desk, bank: Bank
) -> None:
    """The campaign's own hours end while the customer is before the agent; the dial says from when, and where."""
    person = bank.customer()
    bank.deliver(*bank.gets_stuck(person))
    desk.sees("previewing")
    local = datetime.now(UTC).astimezone(ZoneInfo(person.zone))
    opens = f"{(local + timedelta(hours=1)):%H}:00"
    token = officer.page.get_attribute('meta[name="csrf-token"]', "content") or ""

    def set_hours(opens: str, closes: str) -> None:
        answer = officer.context.request.post(
            "/compliance/campaigns/loan/hours",
            form={"opens": opens, "closes": closes, "csrf_token": token},
            headers={"Referer": officer.page.url},
        )
        assert answer.ok, answer.text()

    set_hours(opens, "23:59")
    try:
        desk.press("d")
        note = desk.page.locator("#call-note")
        expect(note).to_contain_text(f"Not before {opens} in ")
        expect(note).to_contain_text("It is outside the campaign's own hours where they are.")
    finally:
        set_hours("", "")


@pytest.mark.parametrize(("theme", "language"), LOOKS)
def test_the_compliance_pages_fit_and_are_accessible(officer: Desk, theme: str, language: str) -> None:
    looker, wrong = Looker(officer, theme, language), []
    for path in PAGES:
        officer.page.goto(path)
        officer.page.locator("main").wait_for()
        wrong += looker.looks_at(path.strip("/").replace("/", "-").replace("?pack=", "-"))
    officer.page.goto("/compliance/what-if")
    officer.page.fill("#who", "+1 305 555 0143")
    officer.page.select_option("#purpose", "marketing")
    officer.page.click(".sieve button")
    officer.page.locator(".answer-said").wait_for()
    wrong += looker.looks_at("compliance-what-if-asked")
    officer.prefers("light", "en")
    assert wrong == []
