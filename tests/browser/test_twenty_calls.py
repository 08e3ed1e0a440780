"""An agent's morning: twenty customers, everything that can become of a call, and nothing of it is lost."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import RIVAL, Bank, clear_the_desk
from tests.browser.desk import Desk
from tests.faults.console import AgentConsole
from tests.system import Person, System, wait_for

SAID = """
SELECT d.kind_code, d.note, a.result FROM contact_attempt a LEFT JOIN disposition d ON d.attempt_id = a.id
  JOIN customer c ON c.id = a.customer_id WHERE c.external_id = %s ORDER BY a.claimed_at
"""
TASK = "SELECT t.* FROM call_task t JOIN customer c ON c.id = t.customer_id WHERE c.external_id = %s"
CALLBACK = "SELECT b.* FROM callback b JOIN customer c ON c.id = b.customer_id WHERE c.external_id = %s"
LINE_UP = """
SELECT 1 FROM agent_leg l JOIN app_user u ON u.id = l.agent_id WHERE u.login = 'rival' AND l.state = 'answered'
"""
BARRED = """
SELECT s.* FROM suppression s JOIN customer c ON c.id = s.customer_id
 WHERE c.external_id = %s AND s.kind = 'do_not_call'
"""
RINGS_FOR_MS = 60_000
"""More than a call is let ring."""
NOTE = "Wants to look at the rate again; 想再看看利率"


class Morning:
    """The agent's desk, and what a person at it does."""

    def __init__(self, system: System, bank: Bank, desk: Desk) -> None:
        self.system, self.bank, self.desk = system, bank, desk
        self.called: list[Person] = []

    def meets(self, **plan: Any) -> Person:
        """Let a customer get stuck and see them on the screen."""
        person = self.bank.customer(**plan)
        self.bank.deliver(*self.bank.gets_stuck(person))
        self.desk.sees("previewing")
        self.desk.reads(person.name, ".call-bar")
        return person

    def calls(self, phase: str, **plan: Any) -> Person:
        """Dial the next customer and see what comes of it."""
        person = self.meets(**plan)
        self.called.append(person)
        self.desk.press("d")
        self.desk.sees(phase)
        return person

    def hangs_up(self) -> None:
        self.desk.press("e", "e")
        self.desk.sees("wrapping")

    def tags(self, digit: int, *keys: str) -> None:
        """Choose a result by its key, save, and be free again."""
        self.desk.press(*keys, f"Shift+Digit{digit}", "Control+Enter")
        self.desk.is_free()

    def said_of(self, person: Person) -> dict[str, Any]:
        return self.system.row(SAID, person.user)


@pytest.fixture
def morning(system: System, bank: Bank, desk: Desk) -> Morning:
    return Morning(system, bank, desk)


@pytest.fixture
def colleague(browser: Browser, system: System, rival_cookies: dict[str, Any]) -> Iterator[Desk]:
    """A second agent with the console open, not ready yet."""
    console = AgentConsole(system, RIVAL)
    with Desk(browser, system.base_url, RIVAL, storage_state=rival_cookies) as made:
        made.page.goto("/console")
        yield made
        clear_the_desk(console)
        assert made.troubles == []
    console.close()


def _talks(morning: Morning, digit: int, *keys: str, **plan: Any) -> Callable[[], Person]:
    def do() -> Person:
        person = morning.calls("talking", **plan)
        morning.hangs_up()
        morning.tags(digit, *keys)
        return person

    return do


def test_twenty_calls_of_every_kind(morning: Morning, system: System, bank: Bank, colleague: Desk) -> None:
    desk, expected = morning.desk, dict[str, tuple[str | None, str | None]]()

    def notes(person: Person, code: str | None, result: str | None) -> None:
        expected[person.user] = (code, result)

    # Reached: helped, will go on alone, refused, wrong person.
    for digit, code in ((1, "done_on_call"), (2, "will_finish"), (4, "not_interested"), (5, "wrong_person")):
        notes(_talks(morning, digit)(), code, "completed")
    # Not reached: busy twice, a machine twice, one who lets it ring, one whose call the agent takes back.
    for _ in range(2):
        person = morning.calls("wrapping", outcome="busy")
        morning.tags(6)
        notes(person, "no_answer", "busy")
        person = morning.calls("talking", outcome="machine")
        morning.hangs_up()
        morning.tags(7)
        notes(person, "machine", "completed")
    silent = morning.calls("dialing", outcome="no-answer")
    desk.page.locator('#state[data-phase="wrapping"]').wait_for(timeout=RINGS_FOR_MS)
    morning.tags(6)
    notes(silent, "no_answer", "no_answer")
    canceled = morning.calls("dialing", ring_s=20)
    morning.hangs_up()
    morning.tags(6)
    notes(canceled, "no_answer", "canceled")
    # A callback at one of the times offered, and never again.
    promised = _talks(morning, 3, "b")()
    notes(promised, "callback", "completed")
    never = _talks(morning, 8)()
    notes(never, "do_not_call", "completed")
    # Two need no call any more: one while their case is read, one while it rings.
    recovered = morning.meets()
    bank.deliver(bank.opens(recovered, "face_scan"))
    desk.sees("gone")
    ringing = morning.calls("dialing", ring_s=20)
    wait_for(lambda: [c for c in system.calls_to(ringing.number) if c["status"] == "ringing"], why="ringing")
    bank.deliver(bank.opens(ringing, "face_scan"))
    desk.sees("wrapping")
    morning.tags(6)
    notes(ringing, "no_answer", "canceled")
    # The network is cut during a call, and during a wrap-up.
    notes(_without_network(morning, during="talking"), "will_finish", "completed")
    notes(_without_network(morning, during="wrapping"), "will_finish", "completed")
    # One is skipped with a reason, one is handed to a colleague.
    skipped = morning.meets()
    desk.press("x")
    desk.page.locator("#skip button", has_text="I know this person").click()
    desk.is_free()
    bank.deliver(bank.does(skipped, "application_closed"))
    handed = _hands_over(morning, colleague)
    for digit, code in ((2, "will_finish"), (4, "not_interested"), (1, "done_on_call")):
        notes(_talks(morning, digit)(), code, "completed")
    # The page is loaded anew during the last call.
    reloaded = morning.calls("talking")
    desk.page.reload()
    desk.sees("talking")
    morning.hangs_up()
    morning.tags(1)
    notes(reloaded, "done_on_call", "completed")

    for user, (code, result) in expected.items():
        (said,) = system.rows(SAID, user)
        assert (said["kind_code"], said["result"]) == (code, result), user
    assert len(morning.called) == 20
    calls = system.sim("GET", "invariants").json()["calls_per_number"]
    assert {person.user: calls[person.number] for person in morning.called} == {
        person.user: 1 for person in morning.called
    }
    assert system.calls_to(recovered.number) == [] == system.calls_to(skipped.number)
    assert system.row(CALLBACK, promised.user)["closed_at"] is None
    assert system.row(TASK, promised.user)["state"] == "pending"
    assert len(system.rows(BARRED, never.user)) == 1
    (first, second) = (
        system.rows(SAID, handed.user) if len(system.rows(SAID, handed.user)) == 2 else (None, None)
    )
    assert second is None or first is not None
    _own_numbers_are_right(desk, system)


def _without_network(morning: Morning, *, during: str) -> Person:
    """The network is cut while the agent types; what they typed is there when it is back, and is saved then."""
    desk, page = morning.desk, morning.desk.page
    person = morning.calls("talking")
    if during == "wrapping":
        morning.hangs_up()
    desk.context.set_offline(True)
    desk.press("Shift+Digit2")
    desk.note.fill(NOTE)
    if during == "wrapping":
        desk.press("Control+Enter")
        page.locator("#notice:not([hidden])").wait_for()
        # What htmx itself says of it in the browser's log.
        desk.troubles[:] = [one for one in desk.troubles if not one.startswith("htmx:")]
    desk.context.set_offline(False)
    desk.note.blur()
    if during == "talking":
        morning.hangs_up()
    assert desk.note.input_value() == NOTE
    desk.press("Control+Enter")
    desk.is_free()
    assert morning.said_of(person)["note"] == NOTE
    return person


def _hands_over(morning: Morning, colleague: Desk) -> Person:
    """A call goes on with a colleague, who tags it; the agent's part is over."""
    desk = morning.desk
    person = morning.calls("talking")
    colleague.becomes_available()
    wait_for(
        lambda: morning.system.rows(LINE_UP), 20, "the colleague's line"
    )  # only then a call can be theirs
    transfer = desk.page.locator("details#transfer")
    if transfer.count() == 0:
        desk.press("t")  # as of the last refresh nobody was free; pressing asks
        transfer.wait_for()
    desk.press("t")
    free = desk.page.locator("#transfer-sheet .colleague:not(.is-busy)", has_text="Wu Jing")
    free.locator("input").check()
    desk.page.locator("#transfer-sheet button", has_text="Transfer the call").click()
    colleague.sees("talking")
    colleague.reads(person.name, ".call-bar")
    desk.sees("wrapping", "idle", "gone")
    if desk.page.get_attribute("#state", "data-phase") == "wrapping":
        morning.tags(1)
    colleague.press("e", "e")
    colleague.sees("wrapping")
    colleague.press("Shift+Digit1", "Control+Enter")
    colleague.is_free()
    colleague.page.click("#presence > summary")
    colleague.page.locator("#presence button", has_text="Break").first.click()
    colleague.page.wait_for_selector(".presence-not_ready")
    return person


def _own_numbers_are_right(desk: Desk, system: System) -> None:
    """The rail says what the rows say."""
    counted = system.row(
        "SELECT count(*) AS n FROM contact_attempt a JOIN app_user u ON u.id = a.agent_id"
        " WHERE u.login = 'agent' AND a.claimed_at >= date_trunc('day', now())"
        " AND coalesce(a.result, '') NOT IN ('not_placed', 'rejected')"
    )["n"]
    desk.page.reload()
    expect(desk.page.locator(".rail")).to_contain_text(f"{counted}")
