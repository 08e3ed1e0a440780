"""What an agent has typed stays theirs: through a reload, a lost session, a refusal."""

from playwright.sync_api import Page

from tests.browser.conftest import Bank
from tests.browser.desk import Desk
from tests.faults.console import AgentConsole
from tests.system import Person, System

SAID = """
SELECT d.kind_code, d.note FROM disposition d JOIN contact_attempt a ON a.id = d.attempt_id
  JOIN customer c ON c.id = a.customer_id WHERE c.external_id = %s
"""
NOTE = "Moves house on Friday; 周五搬家"


def reach(bank: Bank, desk: Desk, *, until: str) -> Person:
    """Bring a new customer's call to a phase."""
    person = bank.customer()
    bank.deliver(*bank.gets_stuck(person))
    desk.sees("previewing")
    for key, phase in (("d", "talking"), ("e", "wrapping")):
        if desk.page.get_attribute("#state", "data-phase") != until:
            desk.press(key)
            if key == "e":
                desk.press(key)
            desk.sees(phase)
    return person


def test_a_reload_loses_nothing(system: System, bank: Bank, desk: Desk) -> None:
    person = reach(bank, desk, until="talking")
    desk.note.fill(NOTE)
    desk.page.locator(".disposition", has_text="Not interested").click()
    desk.page.reload()
    desk.sees("talking")
    assert desk.note.input_value() == NOTE
    assert desk.page.locator('input[name="disposition"]:checked').get_attribute("value") == "not_interested"
    desk.note.blur()
    desk.press("e", "e")
    desk.sees("wrapping")
    assert desk.note.input_value() == NOTE
    desk.press("Control+Enter")
    desk.is_free()
    assert system.row(SAID, person.user) == {"kind_code": "not_interested", "note": NOTE}


def test_a_lost_session_loses_nothing(system: System, bank: Bank, desk: Desk) -> None:
    person = reach(bank, desk, until="wrapping")
    desk.press("Shift+Digit2")
    desk.note.fill(NOTE)
    desk.context.clear_cookies()
    desk.press("Control+Enter")
    desk.reads("You are signed out.", "#notice")
    assert desk.note.input_value() == NOTE
    assert system.rows(SAID, person.user) == []
    other: Page = desk.new_page()
    desk.signs_in(other)
    desk.sees("wrapping", page=other)
    other.close()
    key = desk.page.locator('#state input[name="csrf_token"]').first
    old = key.get_attribute("value")
    desk.press("Control+Enter")
    # The page gets its new key with the next refresh; a press before that is answered with "press again".
    desk.page.locator(
        f'#state:not([data-phase="wrapping"]), #state:not(:has(input[name="csrf_token"][value="{old}"]))'
    ).wait_for()
    if desk.page.get_attribute("#state", "data-phase") == "wrapping":
        desk.press("Control+Enter")
    desk.is_free()
    assert system.row(SAID, person.user) == {"kind_code": "will_finish", "note": NOTE}


def test_a_refusal_because_it_has_changed_loses_nothing(
    system: System, bank: Bank, desk: Desk, second_console: AgentConsole
) -> None:
    person = bank.customer()
    bank.deliver(*bank.gets_stuck(person))
    desk.sees("previewing")
    desk.note.fill(NOTE)
    desk.note.blur()
    # This tab no longer hears that something changed; the same agent dials from another place.
    desk.page.route("**/console/state", lambda route: route.abort())
    second_console.dials(desk.call_task_id)
    with desk.page.expect_response("**/dial") as refused:
        desk.press("d")
    assert refused.value.status == 409
    desk.reads("by now", "#notice")
    assert desk.note.input_value() == NOTE
    desk.page.unroute("**/console/state")
    desk.page.evaluate("document.dispatchEvent(new CustomEvent('state-wanted'))")
    desk.sees("talking")
    assert desk.note.input_value() == NOTE
    assert len(system.calls_to(person.number)) == 1
