"""Agents of a manual campaign choose whom to call: a live list, by keyboard, and each task is one agent's."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.conftest import Bank
from tests.browser.desk import Desk
from tests.browser.test_screens import LOOKS, Looker, axe
from tests.system import ZONES, Person, System, number_in

ROWS = "#choices-now .choice"


def _sets(desk: Desk, mode: str) -> None:
    """Let a supervisor say how the loan is dialed."""
    desk.page.goto("/floor")
    token = desk.page.get_attribute('meta[name="csrf-token"]', "content") or ""
    answer = desk.context.request.post(
        "/floor/dialing/loan", form={"mode": mode, "csrf_token": token}, headers={"Referer": desk.page.url}
    )
    assert answer.ok


@pytest.fixture
def supervisor(browser: Browser, system: System, cookies: dict[str, Any]) -> Iterator[Desk]:
    """The supervisor; the loan is dialed in preview again afterwards."""
    with Desk(browser, system.base_url, "supervisor", storage_state=cookies["supervisor"]) as boss:
        yield boss
        _sets(boss, "preview")


def _gets_stuck(bank: Bank) -> Person:
    person = bank.customer()
    bank.deliver(*bank.gets_stuck(person))
    return person


def _sleeping_zone() -> str:
    """A zone where it is night, so that nobody there is called."""
    now = datetime.now(UTC)
    return max(ZONES, key=lambda zone: abs(now.astimezone(ZoneInfo(zone)).hour - 14))


def test_two_agents_want_the_same_customer_and_the_second_is_told_and_takes_another(
    system: System, bank: Bank, desk: Desk, rival: Desk, supervisor: Desk
) -> None:
    expect(desk.page.locator("#choices")).to_have_count(0)
    _sets(supervisor, "manual")
    for each in (desk, rival):
        expect(each.page.locator("#choices-none")).to_contain_text("No call task waits.")
    _gets_stuck(bank)
    for each in (desk, rival):
        expect(each.page.locator(ROWS)).to_have_count(1)

    # By keyboard: D leads into the list, Enter takes what has the focus.
    desk.press("d")
    expect(desk.page.locator("#choices-now [data-choice]")).to_be_focused()
    desk.press("Enter")
    desk.sees("previewing")
    expect(rival.page.locator(ROWS)).to_have_count(0), "and the other's list knows at once"
    desk.page.click("#skip summary")
    desk.page.click('#skip form:has(input[value="other"]) button')
    desk.is_free()

    bank.forget_all()
    for each in (desk, rival):
        expect(each.page.locator(ROWS)).to_have_count(0)
    _gets_stuck(bank)
    _gets_stuck(bank)
    for each in (desk, rival):
        expect(each.page.locator(ROWS)).to_have_count(2)

    # The rival's list stands still while the first is taken: they press what is gone.
    rival.page.route("**/console/state", lambda route: route.abort())
    first, second = (row.get_attribute("id") for row in rival.page.locator(ROWS).all())
    desk.page.click(f"#{first} [data-choice]")
    desk.sees("previewing")
    assert f"choice-{desk.call_task_id}" == first
    expect(rival.page.locator(f"#{first}")).to_be_visible()
    rival.page.unroute("**/console/state")
    rival.page.click(f"#{first} [data-choice]")
    expect(rival.page.locator("#notice")).to_contain_text("A colleague took this call task a moment ago.")
    expect(rival.page.locator(f"#{first}")).to_have_count(0)
    rival.page.click(f"#{second} [data-choice]")
    rival.sees("previewing")
    assert f"choice-{rival.call_task_id}" == second
    expect(rival.page.locator("#notice")).to_be_hidden()
    holders = system.rows(
        "SELECT call_task_id, count(*) AS n FROM reservation WHERE ended_at IS NULL GROUP BY call_task_id"
    )
    assert [row["n"] for row in holders] == [1, 1]


def test_who_is_told_no_after_the_row_is_gone_reads_it_all_the_same(
    bank: Bank, desk: Desk, rival: Desk, supervisor: Desk
) -> None:
    _sets(supervisor, "manual")
    _gets_stuck(bank)
    for each in (desk, rival):
        expect(each.page.locator(ROWS)).to_have_count(1)
    on_its_way: list[Route] = []

    def holds(route: Route) -> None:
        on_its_way.append(route)

    rival.page.route("**/take", holds)
    with rival.page.expect_request("**/take"):
        rival.page.click(f"{ROWS} [data-choice]")
    desk.page.click(f"{ROWS} [data-choice]")
    desk.sees("previewing")
    expect(rival.page.locator(ROWS)).to_have_count(0)
    on_its_way[0].continue_()
    expect(rival.page.locator("#notice")).to_contain_text("A colleague took this call task a moment ago.")


def test_a_focus_in_the_list_stays_with_its_customer_and_never_slips_to_another(
    bank: Bank, desk: Desk, rival: Desk, supervisor: Desk
) -> None:
    _sets(supervisor, "manual")
    for _ in range(3):
        _gets_stuck(bank)
    expect(desk.page.locator(ROWS)).to_have_count(3)
    first, second, third = (
        f"#take-{(row.get_attribute('id') or '')[7:]}" for row in desk.page.locator(ROWS).all()
    )
    desk.press("d", "ArrowDown", "ArrowDown", "ArrowUp")
    expect(desk.page.locator(second)).to_be_focused()
    rival.page.click(first)
    expect(desk.page.locator(first)).to_have_count(0)
    expect(desk.page.locator(second)).to_be_focused()
    rival.sees("previewing")
    rival.page.click("#skip summary")
    rival.page.click('#skip form:has(input[value="other"]) button')
    rival.is_free()
    rival.page.click(second)
    expect(desk.page.locator(second)).to_have_count(0)
    expect(desk.page.locator("#choices")).to_be_focused()
    desk.press("Enter")
    desk.press("End")
    expect(desk.page.locator(third)).to_be_focused()
    assert desk.page.locator('#state[data-phase="idle"]').count() == 1, (
        "Enter on the list itself takes nobody"
    )


@pytest.mark.parametrize(("theme", "language"), LOOKS)
def test_the_list_fits_and_is_accessible(
    bank: Bank, desk: Desk, supervisor: Desk, theme: str, language: str
) -> None:
    _sets(supervisor, "manual")
    looker = Looker(desk, theme, language)
    desk.page.locator("#choices-none").wait_for()
    wrong = looker.looks_at("console-choose-empty", ".call-bar")
    for _ in range(3):
        _gets_stuck(bank)
    zone = _sleeping_zone()
    asleep = replace(bank.customer(), zone=zone, number=number_in(zone, 4321))
    bank.deliver(*bank.gets_stuck(asleep))
    expect(desk.page.locator(ROWS)).to_have_count(3)
    expect(desk.page.locator("#choices-later .choice")).to_have_count(1)
    wrong += looker.looks_at("console-choose", ".call-bar", "#choices-now .button")
    desk.press("d")
    wrong += looker.looks_at("console-choose-focus")
    desk.press("?")
    desk.page.locator("dialog#keys[open]").wait_for()
    wrong += looker.looks_at("console-choose-keys")
    desk.press("Escape")
    assert wrong == [] and axe(desk.page) == []
