"""A strategist's whole way: the worst step, why, a rule from it, two waits compared, published by a second person,
customers called, the effect, a proposal on trial, and taken back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Browser, expect

from callcenter.domain.ids import derived_id
from callcenter.learning.service import draw_arm
from tests.browser.conftest import Bank, clear_the_desk
from tests.browser.desk import Desk
from tests.faults.console import AgentConsole
from tests.system import Person, System, person_to_call, wait_for

RULE = "profile-stops"
NAME = "Stops at the profile"
STOPPED, QUIET, CAME = 60, 20, 56
NOTE = "The form lost what they typed"
FIRINGS = """
SELECT c.external_id AS user, f.fate, t.script_variant AS variant FROM trigger_firing f
  JOIN customer c ON c.id = f.customer_id LEFT JOIN call_task t ON t.firing_id = f.id WHERE f.rule_key = %s
"""
PROPOSALS = "SELECT kind, state FROM proposal WHERE rule_key = %s ORDER BY kind"
BACK_TESTS = (
    "SELECT (figures->>'fired')::int AS fired FROM back_test_run WHERE rule_key = %s ORDER BY asked_at"
)
VERSIONS = "SELECT version, state FROM trigger_rule WHERE rule_key = %s ORDER BY version"


def _people(many: int, prefix: str) -> list[Person]:
    found = [person_to_call("id-photo-trouble") for _ in range(many)]
    return [Person(f"{prefix}-{one.user}", one.number, one.name, one.zone, one.application) for one in found]


def _lose_them_a_while_ago(bank: Bank) -> None:
    """Sixty stop at the profile after a system error; half go on three minutes later, all are gone by now."""
    at, events = datetime.now(UTC) - timedelta(minutes=40), []
    for number, person in enumerate(_people(STOPPED, "past")):
        told = [(0, bank.opens(person, "profile")), (20, bank.does(person, "system_error", code="503"))]
        if number % 2:
            told.append((200, bank.opens(person, "bind_card")))
        told.append((1200, bank.does(person, "application_closed")))
        events += [{**event, "timestamp": (at + timedelta(seconds=s)).isoformat()} for s, event in told]
    bank.deliver(*events)


@contextmanager
def _without_the_rule_after(strategist: Desk) -> Iterator[None]:
    """Whatever happens, the rule calls nobody of another test."""
    try:
        yield
    finally:
        strategist.page.goto(f"/studio/rules/{RULE}")
        token = strategist.page.get_attribute('meta[name="csrf-token"]', "content")
        form: dict[str, str | float | bool] = {"csrf_token": str(token), "reason": "the story is over"}
        strategist.context.request.post(f"/studio/rules/{RULE}/retire", form=form)


def test_a_drop_becomes_a_rule_with_an_effect_and_a_proposal_that_is_taken_back(
    browser: Browser, system: System, bank: Bank, cookies: dict[str, Any], second_console: AgentConsole
) -> None:
    _lose_them_a_while_ago(bank)
    quiet = _people(QUIET, "quiet")
    bank.deliver(*(bank.opens(person, "profile") for person in quiet))

    def desk(login: str) -> Desk:
        return Desk(browser, system.base_url, login, storage_state=cookies[login])

    with (
        desk("strategist") as one,
        desk("admin") as second,
        desk("agent") as agent,
        _without_the_rule_after(one),
    ):
        _makes_a_rule_of_the_drop(
            one, lambda: bank.deliver(*(bank.does(q, "application_closed") for q in quiet))
        )
        patient, hasty = (row["fired"] for row in system.rows(BACK_TESTS, RULE))
        assert hasty >= patient + QUIET
        _publishes(second)
        _customers_come_and_some_go_on(system, bank)
        try:
            _is_called(system, bank, agent)
        finally:
            clear_the_desk(second_console)
        _reads_what_came_of_it(one)
        _tries_a_proposal_and_takes_it_back(system, one, second)
        assert one.troubles == second.troubles == agent.troubles == []


def _makes_a_rule_of_the_drop(one: Desk, they_close: Callable[[], None]) -> None:
    """Of those who are quiet just now each was so for more than a second, and none for two minutes."""
    page = one.page
    page.goto("/studio?days=7")
    page.locator(".funnel-table").get_by_role("link", name="Profile").click()
    expect(page.locator("#drop-title")).to_contain_text("stopped at Profile")
    one.reads("System error", ".drop")
    expect(page.get_by_role("link", name="What they said")).to_be_visible()
    page.get_by_role("link", name="Create a rule from this").click()
    page.fill("#f-key", RULE)
    page.fill("#f-en", NAME)
    page.fill("#f-zh", "停在资料页")
    page.get_by_role("button", name="Begin the draft").click()
    page.wait_for_url(f"**/rules/{RULE}/versions/1")  # with its scripts, which the keys need
    page.get_by_label("Hold-out in percent").fill("50")
    page.get_by_label("Priority, 0 to 100").fill("95")
    page.get_by_label("Time in which a conversion counts").fill("1h")
    they_close()
    for wait in ("2m", "1s"):
        page.get_by_label("How long", exact=True).fill(wait)
        one.press("Escape")
        page.keyboard.press("Control+b")
        expect(page.locator("#back-test")).to_contain_text(f"wait {wait}", timeout=15_000)
        expect(page.locator("#back-test")).to_contain_text("It would have fired")
    expect(page.locator("#back-test")).to_contain_text("before, wait 2m")
    page.fill("#f-note", "Half of those who stop at the profile never come back")
    page.get_by_role("button", name="Send for review").click()
    one.reads("In review")


def _publishes(second: Desk) -> None:
    page = second.page
    page.goto("/studio/rules")
    page.get_by_role("link", name=f"{NAME} v1").click()
    expect(page.locator("#back-test")).to_contain_text("before, wait 2m")
    page.get_by_role("button", name="Publish v1").click()
    second.reads("published v1")


def _customers_come_and_some_go_on(system: System, bank: Bank) -> None:
    """Half are held out. Of the others those whose words are variant A go on, before anybody could dial."""
    people = {one.user: one for one in _people(CAME, "now")}
    bank.people += people.values()
    bank.deliver(
        *(event for one in people.values() for event in (bank.identifies(one), bank.opens(one, "profile")))
    )

    def decided() -> list[dict[str, Any]] | None:
        rows = system.rows(FIRINGS, RULE)
        return rows if len(rows) >= CAME and all(row["fate"] for row in rows) else None

    rows = wait_for(decided, 20, "the firings of everybody")
    assert {row["fate"] for row in rows} == {"task", "held_out"}
    bank.deliver(*(bank.opens(people[row["user"]], "bind_card") for row in rows if row["variant"] == "A"))
    bank.deliver(*(bank.does(one, "application_closed") for one in people.values()))


def _is_called(system: System, bank: Bank, agent: Desk) -> None:
    person = _to_be_called(bank)
    agent.page.goto("/console")
    agent.becomes_available()
    bank.deliver(bank.identifies(person), bank.opens(person, "profile"))
    agent.sees("previewing")
    agent.reads(person.name, ".call-bar")
    agent.press("d")
    agent.sees("talking")
    agent.press("e", "e")
    agent.sees("wrapping")
    agent.press("Shift+Digit2", "n")
    agent.page.keyboard.type(NOTE)
    agent.press("Control+Enter")
    agent.is_free()
    assert len(system.calls_to(person.number)) == 1
    bank.deliver(bank.opens(person, "bind_card"))


def _to_be_called(bank: Bank) -> Person:
    """A customer whom the rule, which holds out half, does not hold out."""
    while True:
        person = bank.customer()
        who, now = derived_id("customer", person.user), datetime.now(UTC)
        moments = (now, now + timedelta(hours=1))
        if not any(draw_arm(RULE, who, 0.5, at).held_out for at in moments):
            return person


def _reads_what_came_of_it(one: Desk) -> None:
    page = one.page
    page.goto(f"/studio/effects?rule={RULE}")
    row = page.locator("tr", has_text=NAME).first
    expect(row).to_contain_text("Calling helps")
    expect(row).to_have_class("is-chosen")
    page.goto("/studio/voice?journey=loan&step=profile")
    one.reads(NOTE)


def _tries_a_proposal_and_takes_it_back(system: System, one: Desk, second: Desk) -> None:
    page = one.page
    page.goto("/studio/learning")
    page.get_by_role("button", name="Learn now").click()

    def states() -> dict[str, str]:
        return {row["kind"]: row["state"] for row in system.rows(PROPOSALS, RULE)}

    def is_proposed(*kinds: str) -> Callable[[], bool]:
        return lambda: set(states()) >= set(kinds)

    wait_for(is_proposed("holdout", "variant"), 30, "the proposals")
    page.goto("/studio/proposals")
    row = page.locator(".proposal-row", has_text=NAME).filter(has_text="variant")
    row.get_by_role("link").click()
    page.get_by_role("button", name="Accept").click()
    wait_for(lambda: states()["variant"] == "in_review", why="the proposal in review")
    second.page.goto(f"/studio/rules/{RULE}/versions/2")
    second.page.get_by_role("button", name="Try it on 20 %").click()
    second.reads("Stop the trial")
    page.reload()
    page.fill("#back-reason", "too soon")
    page.get_by_role("button", name="Stop the trial").click()
    one.reads("Taken back")
    wait_for(lambda: states()["variant"] == "rolled_back", why="the proposal taken back")
    assert [(row["version"], row["state"]) for row in system.rows(VERSIONS, RULE)][:2] == [
        (1, "live"),
        (2, "retired"),
    ]
