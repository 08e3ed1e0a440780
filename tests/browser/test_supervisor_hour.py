"""A supervisor's hour: work handed out and taken back, a stuck offer freed, a transfer let go, a call listened to,
a report taken away and opened again. Everything as the supervisor sees it, the carrier has it and the rows say."""

import csv
import io
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import RIVAL, Bank, clear_the_desk
from tests.browser.desk import Desk
from tests.faults.console import AgentConsole
from tests.system import Person, System, wait_for

AGENT = "SELECT a.* FROM agent a JOIN app_user u ON u.id = a.id WHERE u.login = %s"
TASK = "SELECT t.* FROM call_task t JOIN customer c ON c.id = t.customer_id WHERE c.external_id = %s"
OFFERS = "SELECT * FROM reservation WHERE call_task_id = %s ORDER BY offered_at"
ALERT = "SELECT * FROM floor_alert WHERE key = %s ORDER BY id DESC LIMIT 1"
TRANSFER = "SELECT * FROM task_transfer WHERE call_task_id = %s"
ACTS = """
SELECT e.act, e.detail FROM audit_entry e JOIN app_user u ON u.id = e.user_id
 WHERE u.login = 'supervisor' AND e.id > %s ORDER BY e.id
"""
LAST_ACT = "SELECT coalesce(max(id), 0) AS id FROM audit_entry"
ATTEMPTS = """
SELECT count(*) AS attempts, count(*) FILTER (WHERE k.reached) AS reached
  FROM contact_attempt a LEFT JOIN disposition d ON d.attempt_id = a.id
  LEFT JOIN disposition_kind k ON k.code = d.kind_code
 WHERE a.agent_id = %s AND coalesce(a.result, '') NOT IN ('not_placed', 'rejected')
"""


class Hour:
    """The floor as the supervisor has it before them, and two agents at their consoles."""

    def __init__(self, system: System, bank: Bank, boss: Desk, lin: Desk, wu: Desk) -> None:
        self.system, self.bank, self.boss, self.lin, self.wu = system, bank, boss, lin, wu
        self.page: Page = boss.page
        self.lin_id: UUID = system.row(AGENT, "agent")["id"]
        self.begun = system.row(LAST_ACT)["id"]

    def comes(self) -> Person:
        """A customer gets stuck."""
        person = self.bank.customer()
        self.bank.deliver(*self.bank.gets_stuck(person))
        return person

    def task_of(self, person: Person) -> dict[str, Any]:
        return self.system.row(TASK, person.user)

    def acts(self) -> list[str]:
        """What the audit trail says the supervisor did."""
        return [row["act"] for row in self.system.rows(ACTS, self.begun)]

    def looks_first(self, told: str) -> None:
        """Ask what would happen."""
        self.page.get_by_role("button", name="Look first…").click()
        expect(self.page.locator(".headline")).to_have_text(told)

    def is_refused(self, why: str) -> None:
        """Ask, and read what is missing."""
        self.page.get_by_role("button", name="Look first…").click()
        expect(self.page.get_by_role("alert").filter(has_text=why)).to_be_visible()

    def does_it(self, told: str) -> None:
        self.page.get_by_role("button", name="Do it with").click()
        expect(self.page.locator(".headline")).to_have_text(told)

    def heard_in_the_room(self) -> dict[str, Any] | None:
        """How the carrier has the supervisor in Lin Yue's room."""
        rooms = self.system.sim("GET", "rooms").json()["rooms"]
        legs = [leg for room in rooms if room["name"] == f"agent-{self.lin_id.hex}" for leg in room["legs"]]
        watch = self.system.rows("SELECT carrier_ref FROM watch WHERE ended_at IS NULL")
        found = [leg for leg in legs if watch and leg["call"] == watch[0]["carrier_ref"] and leg["joined"]]
        return found[0] if found else None


@pytest.fixture
def hour(
    browser: Browser,
    system: System,
    bank: Bank,
    cookies: dict[str, Any],
    rival_cookies: dict[str, Any],
    second_console: AgentConsole,
) -> Iterator[Hour]:
    """The supervisor's floor and two consoles whose agents are signed off."""
    rival = AgentConsole(system, RIVAL)
    for console in (second_console, rival):
        clear_the_desk(console)
    with (
        Desk(browser, system.base_url, "supervisor", storage_state=cookies["supervisor"]) as boss,
        Desk(browser, system.base_url, storage_state=cookies["agent"]) as lin,
        Desk(browser, system.base_url, RIVAL, storage_state=rival_cookies) as wu,
    ):
        boss.page.goto("/floor")
        boss.prefers("light", "en")
        lin.page.goto("/console")
        wu.page.goto("/console")
        yield Hour(system, bank, boss, lin, wu)
        bank.forget_all()
        for console in (second_console, rival):
            clear_the_desk(console)
        boss.page.goto("/floor")
        boss.prefers("auto", "en")
        assert boss.troubles + lin.troubles + wu.troubles == []
    rival.close()


def test_a_supervisors_hour(hour: Hour) -> None:
    _hands_work_out_and_takes_it_back(hour)
    freed = _frees_what_nobody_looks_at(hour)
    _lets_a_transfer_go(hour, freed)
    _listens_whispers_and_speaks(hour, freed)
    _takes_a_report_away(hour)


def _takes_a_break(desk: Desk) -> None:
    desk.page.click("#presence > summary")
    desk.page.locator("#presence button", has_text="Break").first.click()
    desk.page.wait_for_selector(".presence-not_ready")


def _hands_work_out_and_takes_it_back(hour: Hour) -> None:
    """By count, to who has the skill; a row does not move under the hand meanwhile."""
    page = hour.page
    people = [hour.comes(), hour.comes()]
    rows = page.locator("#queue-rows > tr")
    expect(rows).to_have_count(2, timeout=20_000)
    page.get_by_label("Hand out…").check()
    page.select_option("#bulk-act", "assign_skill:loans")
    page.select_option("#bulk-level", "3")
    hour.is_refused("Nobody of this choice is signed in.")
    _takes_a_break(hour.lin)  # signed in: may be given work, is offered none
    page.goto("/floor")
    rows.first.locator("input").focus()
    hour.boss.press("x")
    people.append(hour.comes())
    held = page.locator("#queue-held")
    expect(held).to_contain_text("1 change, show")
    expect(page.locator("#queue-title")).to_have_text("Queue, 3 call tasks")
    assert rows.count() == 2, "nothing is put under the hand"
    hour.boss.press("s")
    expect(rows).to_have_count(3)
    expect(held).to_be_hidden()
    expect(page.locator("#queue-rows input:checked")).to_have_count(1)
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("Hand out…").check()
    page.fill('#bulk-bar input[name="count"]', "2")
    page.select_option("#bulk-act", "assign_skill:loans")
    page.select_option("#bulk-level", "3")
    hour.looks_first("2 call tasks would be changed.")
    hour.boss.reads("Skill: Loans, level 3 or higher")
    expect(page.locator(".dispatch-parts")).to_contain_text(["2 Nobody", "2 Lin Yue"])
    hour.does_it("2 call tasks were changed.")
    given = [hour.task_of(person)["agent_id"] for person in people]
    assert given == [hour.lin_id, hour.lin_id, None], "the oldest two"
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".headline")).to_have_text("2 call tasks were put back.")
    assert [hour.task_of(person)["agent_id"] for person in people] == [None] * 3
    page.get_by_role("link", name="Back to the floor").first.click()
    expect(rows).to_have_count(3)
    _looks_for_one_of_them(hour, people[1])
    page.get_by_label("Hand out…").check()
    page.get_by_label("Share", exact=True).check()
    page.fill('#bulk-bar input[name="share"]', "100")
    page.select_option("#bulk-act", "expire")
    page.fill(".bulk-reason", "They were called by the branch")
    hour.looks_first("3 call tasks would be changed.")
    hour.does_it("3 call tasks were changed.")
    page.get_by_role("link", name="Back to the floor").first.click()
    expect(page.locator("#queue-title")).to_have_text("Queue, 0 call tasks")
    assert {hour.task_of(person)["cancel_reason"] for person in people} == {"expired"}
    assert hour.acts() == ["tasks.assigned", "tasks.restored", "tasks.expired"]


def _looks_for_one_of_them(hour: Hour, person: Person) -> None:
    """By keyboard; queue and seats are narrowed, and stay so when the floor changes and rows stand by rule."""
    page, row = hour.page, page_row(hour, person)
    page.wait_for_load_state()
    hour.boss.press("/")
    expect(page.locator("#find-words")).to_be_focused()
    page.keyboard.type(person.user)
    shown = page.locator("#queue-rows > tr[id^='row-']:visible")
    expect(page.locator("#found .found")).to_have_count(1)
    expect(shown).to_have_count(1)
    expect(page.locator(".seat:visible")).to_have_count(0)
    hour.wu.page.evaluate("document.querySelector('#presence [value=break] + button').click()")
    hour.wu.page.wait_for_selector(".presence-not_ready")
    expect(page.locator(".seat-not_ready")).to_have_count(2)
    assert shown.count() == 1 and page.locator(".seat:visible").count() == 0
    hour.boss.press("Escape")
    expect(shown).to_have_count(3)
    expect(page.locator("#found")).to_be_hidden()
    page.click("#group-by-rule")
    expect(page.locator(".group-row")).to_have_count(1)
    expect(shown).to_have_count(0)
    page.locator("[data-open-group]").click()
    expect(shown).to_have_count(3)
    expect(page.locator(row)).to_be_visible()
    page.click("#group-by-rule")
    expect(page.locator(".group-row")).to_have_count(0)


def page_row(hour: Hour, person: Person) -> str:
    """The queue's row of a customer's call task."""
    return f"#row-{hour.task_of(person)['id']}"


def _frees_what_nobody_looks_at(hour: Hour) -> Person:
    """An agent's browser goes away while a call is offered: the supervisor is told, takes it and ends it."""
    page, system = hour.page, hour.system
    hour.lin.becomes_available()
    hour.lin.page.goto("about:blank")
    person = hour.comes()
    need = page.locator(".need", has_text="Lin Yue is stuck in reserved")
    need.wait_for(timeout=25_000)
    expect(need).to_contain_text("No console has shown the offer")
    expect(page.locator("#queue-rows .tone-bad")).to_contain_text("Reserved, Lin Yue")
    key = f"stuck-{hour.lin_id}"
    need.get_by_role("button", name="I take it").click()
    expect(need).to_contain_text("Ma Lin has it")
    alert = system.row(ALERT, key)
    assert (alert["acknowledged_at"] is not None, alert["cleared_at"]) == (True, None)
    need.get_by_role("button", name="Free the reservation").click()
    expect(need).to_have_count(0)
    (offer,) = system.rows(OFFERS, hour.task_of(person)["id"])
    assert (offer["agent_id"], offer["end"]) == (hour.lin_id, "freed")
    assert system.row(AGENT, "agent")["not_ready_reason"] == "missed_offer"
    wait_for(lambda: system.row(ALERT, key)["cleared_at"], why="the end of the alert")
    page.goto("/floor/alerts")
    expect(page.locator("main")).to_contain_text("Lin Yue")
    page.goto("/floor")
    return person


def _lets_a_transfer_go(hour: Hour, person: Person) -> None:
    """Wu Jing is offered it next, knows that Lin Yue does this better, and may not decide that alone."""
    page, wu, lin = hour.page, hour.wu, hour.lin
    wu.becomes_available()
    wu.sees("previewing")
    assert wu.call_task_id == str(hour.task_of(person)["id"])
    lin.page.goto("/console")
    wu.press("t")
    sheet = wu.page.locator("#pass-on .pass-sheet")
    sheet.locator('select[name="pass_to"]').select_option(f"agent:{hour.lin_id}")
    sheet.locator('select[name="pass_reason"]').select_option("skill_needed")
    sheet.locator('input[name="pass_note"]').fill("Asks about the loan's rate")
    sheet.get_by_role("button", name="Hand it over").click()
    wu.is_free()
    need = page.locator('.need[id^="need-transfer"]')
    need.wait_for()
    expect(need).to_contain_text("Wu Jing")
    assert need.get_by_role("button", name="I take it").count() == 0, "it is decided, not taken"
    _takes_a_break(wu)
    lin.becomes_available()
    need.get_by_role("button", name="Approve").click()
    expect(need).to_have_count(0)
    lin.sees("previewing")
    lin.reads(person.name, ".call-bar")
    row = hour.system.row(TRANSFER, hour.task_of(person)["id"])
    assert (row["to_agent_id"], row["state"]) == (hour.lin_id, "on_its_way")
    assert hour.acts()[-1] == "transfer.approved"


def _listens_whispers_and_speaks(hour: Hour, person: Person) -> None:
    """What the bar says is how the carrier has the supervisor in the room."""
    page, lin = hour.page, hour.lin
    lin.press("d")
    lin.sees("talking")
    row = hour.system.row(TRANSFER, hour.task_of(person)["id"])
    assert (row["taken_by"], row["state"]) == (hour.lin_id, "taken")
    seat = page.locator(f"#seat-{hour.lin_id}")
    listen = seat.get_by_role("button", name="Listen, call of Lin Yue: nobody hears you")
    listen.wait_for(state="attached", timeout=15_000)
    seat.hover()
    listen.click()
    bar = page.locator(".watch-says")
    expect(bar).to_contain_text("You listen to Lin Yue. Nobody hears you.", timeout=15_000)
    leg = wait_for(hour.heard_in_the_room, why="the supervisor in the room")
    assert (leg["muted"], leg["coaching"]) == (True, False)
    hour.boss.press("w")
    expect(bar).to_contain_text("Only Lin Yue hears you.")
    leg = wait_for(hour.heard_in_the_room, why="the whisper")
    assert (leg["muted"], leg["coaching"]) == (False, True)
    page.locator(".watch-modes").get_by_role("button", name="Barge").click()
    expect(bar).to_contain_text("The customer hears you.")
    leg = wait_for(hour.heard_in_the_room, why="speaking to both")
    assert (leg["muted"], leg["coaching"]) == (False, False)
    page.get_by_role("button", name="Leave").click()
    expect(bar).to_have_count(0)
    wait_for(lambda: hour.heard_in_the_room() is None, why="an empty chair")
    (call,) = hour.system.calls_to(person.number)
    assert call["status"] == "in-progress", "the customer's call goes on"
    lin.press("e", "e")
    lin.sees("wrapping")
    lin.press("Shift+Digit2", "Control+Enter")
    lin.is_free()
    acts = [act for act in hour.acts() if act.startswith("watch.")]
    assert acts == ["watch.begun", "watch.changed", "watch.changed", "watch.left"]


def _takes_a_report_away(hour: Hour) -> None:
    """The table on the page, the CSV and the workbook tell the same, and it is what the rows say."""
    page = hour.page
    page.goto("/floor/reports?by=agent")
    row = page.locator("#report-table tr", has_text="Lin Yue")
    shown = [row.locator(f'[data-c="{name}"]').get_attribute("data-v") for name in ("attempts", "reached")]
    counted = hour.system.row(ATTEMPTS, hour.lin_id)
    assert shown == [str(counted["attempts"]), str(counted["reached"])] and counted["reached"] > 0
    read = csv.reader(io.StringIO(_downloads(page, "CSV").decode("utf-8-sig")))
    table = {line[0]: line for line in read}
    book = load_workbook(io.BytesIO(_downloads(page, "XLSX")), read_only=True)
    sheet = {str(line[0]): line for line in book.worksheets[0].iter_rows(values_only=True)}
    for name in ("Lin Yue", "All"):
        assert table[name][1:3] == [str(value) for value in sheet[name][1:3]]
    assert table["Lin Yue"][1:3] == shown
    shares = page.locator("#report-table tfoot tr [data-c=reached] b").inner_text()
    assert f"{100 * float(table['All'][3]):.1f} %" == shares.replace("\N{NO-BREAK SPACE}", " ")
    assert float(table["All"][3]) == pytest.approx(float(str(sheet["All"][3])))


def _downloads(page: Page, kind: str) -> bytes:
    with page.expect_download() as kept:
        page.get_by_role("link", name=kind).click()
    return kept.value.path().read_bytes()
