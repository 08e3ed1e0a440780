"""A whole call without a mouse."""

from tests.browser.conftest import Bank
from tests.browser.desk import Desk
from tests.system import System, sign_in_form

MOST_TABS = 25


def tab_to(desk: Desk, selector: str) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(MOST_TABS):
        desk.press("Tab")
        if desk.page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} is not within {MOST_TABS} presses of Tab")


def test_a_call_from_sign_in_to_wrap_up_needs_no_mouse(system: System, bank: Bank, empty_desk: Desk) -> None:
    desk, form = empty_desk, sign_in_form("agent")
    desk.page.goto("/")
    tab_to(desk, "#email")
    desk.page.keyboard.type(form["email"])
    tab_to(desk, "#password")
    desk.page.keyboard.type(form["password"])
    desk.press("Enter")
    desk.sees("idle", "gone")
    tab_to(desk, ".button-large")
    desk.press("Enter")
    desk.page.wait_for_selector(".presence-available")

    person = bank.customer()
    bank.deliver(*bank.gets_stuck(person))
    desk.sees("previewing")
    desk.press("d")
    desk.sees("talking")
    desk.press("1")
    desk.page.locator("#script-path li").first.wait_for()
    desk.press("e", "e")
    desk.sees("wrapping")
    desk.press("Shift+Digit4", "n")
    desk.page.keyboard.type("d e 1")
    assert desk.note.input_value() == "d e 1", "keys rest while someone types"
    desk.press("Control+Enter")
    desk.is_free()
    said = system.row(
        "SELECT d.kind_code, d.note FROM disposition d JOIN contact_attempt a ON a.id = d.attempt_id "
        "JOIN customer c ON c.id = a.customer_id WHERE c.external_id = %s",
        person.user,
    )
    assert said == {"kind_code": "not_interested", "note": "d e 1"}
    assert desk.troubles == []


def test_the_keys_are_told_at_the_press_of_one(desk: Desk) -> None:
    desk.press("?")
    desk.page.locator("dialog#keys[open]").wait_for()
    desk.press("Escape")
    desk.page.locator("dialog#keys:not([open])").wait_for(state="attached")
