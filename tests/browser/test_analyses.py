"""A strategist walks along the journey map by arrows, sees a chart, and one customer's story."""

from typing import Any

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Bank
from tests.browser.desk import Desk
from tests.system import System


def test_the_map_is_walked_by_arrows_and_a_number_leads_to_a_story(
    browser: Browser, system: System, bank: Bank, cookies: dict[str, Any]
) -> None:
    bank.deliver(*bank.gets_stuck(bank.customer()))
    with Desk(browser, system.base_url, "strategist", storage_state=cookies["strategist"]) as desk:
        page = desk.page
        page.goto("/studio?days=1")
        steps = page.locator(".map-link")
        steps.first.focus()
        if steps.count() > 1:
            desk.press("ArrowRight")
            expect(steps.nth(1)).to_be_focused()
        page.goto("/studio/analyses?model=event&days=1")
        canvas = page.locator(".chart-canvas canvas")
        expect(canvas).to_be_visible()
        drawn = canvas.evaluate(
            "one => one.getContext('2d').getImageData(0, 0, one.width, one.height).data.some(it => it)"
        )
        assert drawn
        named = page.locator(".chart-canvas").get_attribute("aria-labelledby")
        expect(page.locator(f"#{named}")).to_contain_text("most often")
        page.locator(".analysis-table tbody a").first.click()
        page.locator(".people-table tbody a").first.click()
        expect(page.locator(".story li").first).to_be_visible()
        assert desk.troubles == []
