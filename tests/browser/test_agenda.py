"""The agent's day in a browser: help on a call, business noted by the way, a callback promised and given over."""

from typing import Any

from playwright.sync_api import Browser

from tests.browser.conftest import Bank
from tests.browser.desk import Desk
from tests.system import System, wait_for

HELP = """
SELECT h.* FROM help_request h JOIN contact_attempt a ON a.id = h.attempt_id
  JOIN customer c ON c.id = a.customer_id WHERE c.external_id = %s
"""
FOLLOW_UP = "SELECT f.* FROM follow_up f JOIN customer c ON c.id = f.customer_id WHERE c.external_id = %s"
CALLBACK = "SELECT b.* FROM callback b JOIN customer c ON c.id = b.customer_id WHERE c.external_id = %s"


def test_an_agent_is_helped_on_a_call_and_keeps_what_was_promised(
    system: System, bank: Bank, desk: Desk, browser: Browser, cookies: dict[str, Any]
) -> None:
    person = bank.customer()
    bank.deliver(*bank.gets_stuck(person))
    desk.sees("previewing")
    desk.press("d")
    desk.sees("talking")
    with Desk(browser, system.base_url, storage_state=cookies["supervisor"]) as floor:
        floor.page.goto("/floor")
        floor.page.wait_for_selector("#state")
        desk.press("a")
        desk.reads("You asked for help", "#help-strip")
        need = floor.page.locator('.need:has-text("asks for help")')
        need.wait_for()
        floor.page.locator(".seat-hand").wait_for()
        need.get_by_role("button", name="Seen").click()
        desk.reads("has seen it and will be with you.", "#help-strip")
        assert floor.troubles == []

    desk.press("f")
    desk.page.keyboard.type("Wants a debit card for her daughter")
    desk.page.get_by_role("button", name="Note it now").click()
    wait_for(lambda: system.rows(FOLLOW_UP, person.user), why="the follow-up")
    desk.page.locator(".extras-count").wait_for()
    assert desk.page.locator(".follow-up-new[open]").count() == 0, "there is room for the next one"

    desk.press("e", "e")
    desk.sees("wrapping")
    wait_for(lambda: system.row(HELP, person.user)["end"] == "call_over", why="the hand to be down")
    desk.press("Shift+Digit3", "b", "n")
    desk.page.keyboard.type("Has the card at home then")
    desk.press("Control+Enter")
    desk.is_free()
    desk.page.reload()

    promised = system.row(CALLBACK, person.user)
    callback = desk.page.locator(f"#callback-{promised['id']}")
    callback.locator("summary").click()
    callback.get_by_role("button", name="Hand over to anyone").click()
    callback.locator(".promise-owner", has_text="Anyone").wait_for()
    assert system.row(CALLBACK, person.user)["agent_id"] is None
    callback.locator("select").select_option("customer_asked")
    callback.get_by_role("button", name="Cancel it").click()
    callback.wait_for(state="detached")

    noted = system.row(FOLLOW_UP, person.user)
    follow_up = desk.page.locator(f"#follow-up-{noted['id']}")
    follow_up.locator("summary").click()
    follow_up.get_by_role("button", name="Done").click()
    desk.reads("1 done in the last 7 days", ".promises-done")
    assert system.row(FOLLOW_UP, person.user)["closed_at"] is not None
