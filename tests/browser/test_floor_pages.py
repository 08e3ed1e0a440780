"""A supervisor's hour in a browser: many call tasks given by keyboard and taken back, an alert taken, a report, a
television."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Bank, clear_the_desk
from tests.browser.desk import Desk
from tests.browser.test_screens import LOOKS, Looker, axe
from tests.faults.console import AgentConsole
from tests.system import System

PAGES = (
    "/floor/queue",
    "/floor/alerts",
    "/floor/reports?by=rule",
    "/floor/quality",
    "/floor/targets",
    "/floor/lists",
    "/floor/wallboard",
    "/wallboard",
)


@pytest.fixture
def boss(
    browser: Browser, system: System, cookies: dict[str, Any], second_console: AgentConsole
) -> Iterator[Desk]:
    """The supervisor, while no agent is there: what fires waits."""
    clear_the_desk(second_console)
    with Desk(browser, system.base_url, "supervisor", storage_state=cookies["supervisor"]) as desk:
        desk.page.goto("/floor")
        desk.prefers("light", "en")
        yield desk
        desk.page.goto("/floor")
        desk.prefers("auto", "en")
        assert desk.troubles == []


def _waits(boss: Desk, bank: Bank, many: int) -> None:
    for _ in range(many):
        bank.deliver(*bank.gets_stuck(bank.customer()))
    expect(boss.page.locator(".queue-table tbody tr")).to_have_count(many, timeout=20_000)


def test_ticked_call_tasks_are_given_by_keyboard_and_taken_back(
    boss: Desk, bank: Bank, browser: Browser
) -> None:
    page = boss.page
    _waits(boss, bank, 3)
    expect(page.locator("#bulk-bar")).to_be_hidden()
    boss.press("j", "j", "x")
    expect(page.locator("#bulk-bar")).to_be_visible()
    expect(page.locator("[data-bulk-count]")).to_have_text("1")
    assert axe(page) == []
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#bulk-bar")).to_be_hidden()
    page.get_by_role("link", name="Act on many…").click()
    expect(page.locator(".queue-tasks tbody tr")).to_have_count(3)
    page.locator('.queue-tasks input[name="ids"]').first.focus()
    boss.press("Space")
    expect(page.locator("#which-ticked")).to_be_checked()
    expect(page.locator("[data-ticked]")).to_have_text("1")
    page.locator("#act").focus()
    expect(page.locator("#agent")).to_be_visible()
    page.select_option("#agent", index=1)
    assert axe(page) == []
    page.get_by_role("button", name="Look first…").focus()
    boss.press("Enter")
    expect(page.locator(".headline")).to_have_text("1 call task would be changed.")
    expect(page.get_by_role("button", name="Do it with 1")).to_be_focused()
    boss.press("Enter")
    expect(page.locator(".headline")).to_have_text("1 call task was changed.")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    assert axe(page) == []
    boss.press("Enter")
    expect(page.locator(".headline")).to_have_text("1 call task was put back.")
    page.get_by_role("link", name="Back to the queue").first.click()
    expect(page.locator(".done-acts")).to_contain_text("Assign to an agent: 1 of 1")
    page.check("#which-share")
    page.fill('input[name="share"]', "100")
    page.select_option("#act", "expire")
    page.fill("#reason", "The story is over")
    page.get_by_role("button", name="Look first…").click()
    page.get_by_role("button", name="Do it with 3").click()
    expect(page.locator(".headline")).to_have_text("3 call tasks were changed.")
    page.goto("/floor")
    expect(page.locator("#queue-title")).to_have_text("Queue, 0 call tasks")
    expect(page.locator(".seats-foot")).to_contain_text("You let 3 call tasks expire.")


def test_a_link_shows_the_wallboard_to_a_television_until_it_is_revoked(
    boss: Desk, browser: Browser, system: System
) -> None:
    page = boss.page
    page.goto("/floor/wallboard")
    page.fill("#name", "Hall")
    page.get_by_role("button", name="Make a link").click()
    address = page.locator(".secret").inner_text()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == address
    television = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
    television.goto(system.base_url + "/" + address.split("/", 3)[3])
    expect(television.locator(".wallboard h1")).to_be_visible()
    assert axe(television) == []
    before = television.get_attribute("#state", "data-now")
    television.wait_for_selector(f'#state:not([data-now="{before}"])', timeout=15_000)
    page.get_by_role("button", name="Revoke the link of Hall").first.click()
    expect(page.locator(".sources-table")).to_contain_text("revoked")
    expect(television.locator("#stale")).to_be_visible(timeout=15_000)
    television.context.close()


@pytest.mark.parametrize(("theme", "language"), LOOKS)
def test_the_floors_pages_fit_and_are_accessible(boss: Desk, bank: Bank, theme: str, language: str) -> None:
    wrong = []
    looker = Looker(boss, theme, language)
    for path in PAGES:
        boss.page.goto(path)
        boss.page.locator("main").wait_for()
        wrong += looker.looks_at(path.strip("/").split("?")[0].replace("/", "-"))
    assert wrong == []
