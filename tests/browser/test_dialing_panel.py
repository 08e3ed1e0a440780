"""The supervisor's dialing panel in a browser: by keyboard, over refreshes of the page, back to how it was."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.desk import Desk
from tests.browser.test_screens import axe
from tests.system import System

REFRESHED = """now => {
    document.dispatchEvent(new CustomEvent("state-wanted"));
    return document.getElementById("state").dataset.now !== now;
}"""
"""A state that was just made for somebody else serves for a moment: ask until there is a newer one."""


@pytest.fixture
def floor(browser: Browser, system: System, cookies: dict[str, Any]) -> Iterator[Desk]:
    """The supervisor before the floor; afterwards the loan is dialed in preview and the switch is off."""
    with Desk(browser, system.base_url, "supervisor", storage_state=cookies["supervisor"]) as desk:
        desk.page.goto("/floor")
        desk.prefers("light", "en")
        yield desk
        token = desk.page.get_attribute('meta[name="csrf-token"]', "content") or ""
        for path, form in (("switch", {"allowed": "false"}), ("loan", {"mode": "preview"})):
            answer = desk.context.request.post(
                f"/floor/dialing/{path}",
                form={**form, "csrf_token": token},
                headers={"Referer": desk.page.url},
            )
            assert answer.ok
        desk.prefers("auto", "en")
        assert desk.troubles == []


def test_a_form_half_filled_in_survives_a_refresh_and_is_saved_by_keyboard(floor: Desk) -> None:
    page = floor.page
    page.focus("#mode-of-loan summary")
    floor.press("Enter")
    page.check("#mode-loan-power")
    page.fill("#lines-loan", "2.5")
    now = page.get_attribute("#state", "data-now")
    page.wait_for_function(REFRESHED, arg=now, polling=200)
    expect(page.locator("#mode-loan-power")).to_be_checked()
    expect(page.locator("#lines-loan")).to_have_value("2.5")
    assert axe(page) == []
    page.focus("#lines-loan")
    floor.press("Enter")
    expect(page.locator("#campaign-loan")).to_contain_text("Power is set and waits for the switch")
    expect(page.locator("#mode-of-loan form")).to_be_hidden()
    page.click("#mode-of-loan summary")
    expect(page.locator("#lines-loan")).to_have_value("2.5")
    expect(page.locator("#mode-loan-power")).to_be_checked()


def test_switching_on_takes_a_tick_and_switching_off_one_click(floor: Desk) -> None:
    page = floor.page
    page.click("#switch-on summary")
    page.click("#switch-on form button")
    expect(page.locator(".dialing")).to_contain_text("Automatic: off")
    page.check('#switch-on input[name="confirmed"]')
    page.click("#switch-on form button")
    expect(page.locator(".dialing")).to_contain_text("Automatic: on")
    page.click('.dialing button:has-text("Switch off now")')
    expect(page.locator(".dialing")).to_contain_text("Automatic: off")
