"""The whole way in a browser: a customer stops, is called in time, goes on, and the strategist sees it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Browser
from segment.analytics.client import Client

from callcenter.sample.people import DEMO_WRITE_KEY
from tests.browser.conftest import Bank
from tests.browser.desk import Desk
from tests.system import Person, System, wait_for

ON_SCREEN_WITHIN = timedelta(seconds=2)

TASK = """
SELECT t.* FROM call_task t JOIN customer c ON c.id = t.customer_id WHERE c.external_id = %s
"""
FIRING = """
SELECT f.* FROM trigger_firing f JOIN customer c ON c.id = f.customer_id
 WHERE c.external_id = %s AND f.rule_key = %s
"""
ATTEMPTS = """
SELECT a.* FROM contact_attempt a JOIN customer c ON c.id = a.customer_id WHERE c.external_id = %s
"""
OUTCOME = """
SELECT o.* FROM outcome o JOIN customer c ON c.id = o.customer_id WHERE c.external_id = %s
"""
ARMS = """
SELECT count(*) AS fired, count(*) FILTER (WHERE f.fate = 'held_out') AS held_out,
       count(*) FILTER (WHERE f.fate = 'task') AS treated,
       count(*) FILTER (WHERE f.fate = 'task' AND o.converted_at IS NOT NULL) AS converted
  FROM trigger_firing f JOIN outcome o ON o.firing_id = f.id WHERE f.rule_key = %s
"""
PATH = "SELECT node FROM script_step WHERE call_task_id = %s"
AGENT = "SELECT a.* FROM agent a JOIN app_user u ON u.id = a.id WHERE u.login = 'agent'"


def report_with_the_sdk(system: System, person: Person) -> None:
    """Two rejected ID photos, reported by the public SDK an app would use."""
    untyped: Any = Client
    sdk = untyped(DEMO_WRITE_KEY, host=system.base_url, sync_mode=True)
    about = {"application_id": person.application}
    traits = {"name": person.name, "phone": person.number, "time_zone": person.zone, "language": "zh"}
    sdk.identify(person.user, traits)
    sdk.page(person.user, name="Loan", properties={**about, "step": "id_photo_front"})
    for _ in range(2):
        sdk.track(person.user, "photo_rejected", {**about, "reason": "glare"})


def test_a_customer_who_stopped_is_called_in_time_and_what_they_do_next_is_counted(
    system: System, bank: Bank, desk: Desk, browser: Browser, cookies: dict[str, Any]
) -> None:
    control = bank.customer(held_out=True)
    report_with_the_sdk(system, control)
    wait_for(lambda: system.row(FIRING, control.user, "id-photo-trouble")["fate"], why="the decision")
    assert system.row(FIRING, control.user, "id-photo-trouble")["fate"] == "held_out"
    assert system.rows(TASK, control.user) == []

    person = bank.customer()
    report_with_the_sdk(system, person)
    desk.sees("previewing")
    shown_at = datetime.now(UTC)
    firing = system.row(FIRING, person.user, "id-photo-trouble")
    assert shown_at - firing["due_at"] <= ON_SCREEN_WITHIN
    desk.reads(person.name, ".call-bar")
    task = system.row(TASK, person.user)
    assert desk.call_task_id == str(task["id"])

    desk.press("d")
    desk.sees("talking")
    (call,) = system.calls_to(person.number)
    agent = system.row(AGENT)
    assert (call["status"], call["room"]) == ("in-progress", f"agent-{agent['id'].hex}")

    for taken, digit in enumerate("111", start=1):
        desk.press(digit)
        desk.page.locator("#script-path li").nth(taken - 1).wait_for()
        wait_for(lambda n=taken: len(system.rows(PATH, task["id"])) == n, why="the step's row")  # type: ignore[misc]
    bank.deliver(bank.does(person, "photo_accepted"))
    desk.page.locator("[data-live-note]").wait_for()
    assert desk.page.locator("[data-live-note].live-note-good").count() == 1

    desk.press("e")
    assert desk.page.get_attribute("#state", "data-phase") == "talking"
    desk.press("e")
    desk.sees("wrapping")
    desk.press("Shift+Digit2", "n")
    desk.page.keyboard.type("The light made it glare")
    desk.press("Control+Enter")
    desk.is_free()
    bank.deliver(bank.opens(person, "face_scan"))

    outcome = wait_for(lambda: _converted(system, person), why="the conversion")
    assert outcome["converted_step"] == "face_scan"
    (attempt,) = system.rows(ATTEMPTS, person.user)
    assert (attempt["state"], attempt["result"]) == ("ended", "completed")
    assert attempt["carrier_ref"] == call["sid"]
    said = system.row("SELECT * FROM disposition WHERE attempt_id = %s", attempt["id"])
    assert (said["kind_code"], said["note"]) == ("will_finish", "The light made it glare")
    assert said["agent_id"] == agent["id"]
    assert len(system.calls_to(person.number)) == 1
    assert system.row(TASK, person.user)["state"] == "completed"
    desk.page.reload()
    desk.reads("Passed after 0 min", ".idle-attempts")
    _strategist_sees_it(system, browser, cookies)


def _converted(system: System, person: Person) -> dict[str, Any] | None:
    outcome = system.row(OUTCOME, person.user)
    return outcome if outcome["converted_at"] else None


def _strategist_sees_it(system: System, browser: Browser, cookies: dict[str, Any]) -> None:
    arms = system.row(ARMS, "id-photo-trouble")
    with Desk(browser, system.base_url, storage_state=cookies["strategist"]) as strategist:
        strategist.page.goto("/studio/effects")
        rule = strategist.page.locator("tr", has_text="ID-photo trouble").first
        rule.wait_for()
        told = " ".join(rule.inner_text().split())
        assert told.startswith(f"ID-photo trouble v1 {arms['fired']} {arms['held_out']} ")
        assert f"{arms['converted']} / {arms['treated']}" in told
        assert strategist.troubles == []


def test_a_customer_who_goes_on_while_their_case_is_read_is_not_called(
    system: System, bank: Bank, desk: Desk
) -> None:
    person = bank.customer()
    bank.deliver(*bank.gets_stuck(person))
    desk.sees("previewing")
    bank.deliver(bank.opens(person, "face_scan"))
    desk.sees("gone")
    desk.reads("Call not needed.", "#state")
    agent = system.row(AGENT)
    assert (agent["work_state"], agent["presence"], agent["call_task_id"]) == ("idle", "available", None)
    task = system.row(TASK, person.user)
    assert (task["state"], task["cancel_reason"]) == ("canceled", "advanced")
    assert system.rows(ATTEMPTS, person.user) == []
    desk.press("d")
    assert system.calls_to(person.number) == []


def test_a_customer_who_goes_on_while_it_rings_hears_nobody(system: System, bank: Bank, desk: Desk) -> None:
    person = bank.customer(ring_s=20)
    bank.deliver(*bank.gets_stuck(person))
    desk.sees("previewing")
    desk.press("d")
    desk.sees("dialing")
    wait_for(lambda: [c for c in system.calls_to(person.number) if c["status"] == "ringing"], why="ringing")
    bank.deliver(bank.opens(person, "face_scan"))
    desk.sees("wrapping")
    (call,) = system.calls_to(person.number)
    assert (call["status"], call["answered_at"], call["joined_room_at"]) == ("canceled", None, None)
    (attempt,) = system.rows(ATTEMPTS, person.user)
    assert (attempt["state"], attempt["result"], attempt["bridged_at"]) == ("ended", "canceled", None)
    assert system.sim("GET", "invariants").json()["calls_per_number"][person.number] == 1
