"""The softphone in a browser: what it does with its SDK, and that the console works on without it."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

import callcenter
from tests.browser.conftest import Bank
from tests.browser.desk import Desk
from tests.browser.softphone import SDK, PhoneDesk, sample_console
from tests.browser.test_screens import axe
from tests.system import System

VENDORED = Path(callcenter.__file__).parent / "static" / "vendor" / "twilio.min.js"


@pytest.fixture(scope="module")
def console() -> Iterator[str]:
    """Where the sample pages are."""
    with sample_console() as base_url:
        yield base_url


@pytest.fixture
def phone(browser: Browser, console: str) -> Iterator[PhoneDesk]:
    """An agent whose browser has a microphone and may use it."""
    with PhoneDesk(browser, console) as desk:
        yield desk
        assert desk.troubles == [], "the page reported errors"


def chosen_step(desk: PhoneDesk) -> str | None:
    """Which step of the script is open."""
    return desk.page.locator("form.node:not([hidden])").get_attribute("data-node")


def test_the_agents_line_is_taken_at_once_and_its_end_is_noticed(phone: PhoneDesk) -> None:
    phone.opens("phone-idle")
    phone.phone_is("ready")
    phone.reads("Softphone ready", "#rail-phone")
    phone.rings()
    assert phone.asks("lines[0].status()") == "open"
    phone.asks("lines[0].disconnect()")
    phone.phone_is("ready")
    phone.rings()
    phone.asks("phones[0].rings()")
    assert phone.asks("lines.map(line => line.status())") == ["closed", "closed", "open"], "the newest counts"
    assert phone.asks("phones.length") == 1


def test_mute_is_local_survives_a_refresh_and_ends_with_the_call(phone: PhoneDesk) -> None:
    phone.opens("phone-talking")
    mute = phone.page.locator("#mute")
    phone.phone_is("ready")
    assert mute.get_attribute("aria-disabled") == "true"
    phone.press("m")
    phone.reads("Your softphone is not on the line.", "#notice")
    phone.rings()
    phone.press("m")
    assert phone.asks("lines[0].isMuted()") is True
    phone.turns_into("phone-talking")
    assert mute.get_attribute("aria-pressed") == "true"
    phone.reads("Muted", "#call-bar")
    phone.asks("lines[0].disconnect()")
    phone.rings()
    assert phone.asks("lines[1].isMuted()") is True, "a line that comes back in the same call is still muted"
    phone.turns_into("phone-wrapping")
    phone.page.wait_for_selector("html:not([data-phone-muted])")
    assert phone.asks("lines[1].isMuted()") is False, "the next customer must not meet silence"


def test_digits_go_to_the_line_only_while_the_keypad_is_open(phone: PhoneDesk) -> None:
    phone.opens("phone-talking")
    phone.rings()
    phone.press("k", "1", "2", "#", "*")
    phone.turns_into("phone-talking")
    phone.page.click('[data-phone-digit="0"]')
    assert phone.asks("lines[0].digits") == "12#*0"
    assert phone.page.locator("#keypad-sent").text_content() == "12#*0"
    assert chosen_step(phone) == "glare", "the script did not move"
    phone.press("Escape")
    expect(phone.page.locator("#keypad-sent")).to_have_text("")
    phone.press("1")
    phone.page.wait_for_selector('form.node[data-node="tilt"]:not([hidden])')
    assert phone.asks("lines[0].digits") == "12#*0"


def test_the_microphone_is_asked_for_by_a_click_after_the_reason(browser: Browser, console: str) -> None:
    with PhoneDesk(browser, console, microphone="asked") as desk:
        desk.opens("phone-idle")
        desk.phone_is("wanted")
        assert desk.tokens_asked == 0
        desk.page.click("[data-phone-microphone]:visible")
        desk.phone_is("ready")


@pytest.mark.parametrize(("microphone", "state"), [("refused", "refused"), ("none", "no-microphone")])
def test_without_a_microphone_the_console_works_on(
    browser: Browser, console: str, microphone: str, state: str
) -> None:
    with PhoneDesk(browser, console, microphone=microphone) as desk:
        desk.opens("phone-talking")
        desk.phone_is(state)
        desk.press("1")
        desk.page.wait_for_selector('form.node[data-node="tilt"]:not([hidden])')
        desk.asks("window.microphone = 'granted'")
        desk.page.click("[data-phone-microphone]:visible")
        desk.phone_is("ready")
        assert desk.troubles == []


def test_without_the_sdk_the_console_works_on(phone: PhoneDesk) -> None:
    phone.sdk = ""
    phone.opens("phone-talking")
    phone.phone_is("failed")
    phone.press("t")
    phone.page.wait_for_selector("#transfer[open]")


def test_a_refusal_of_the_server_is_read_out_and_not_repeated(phone: PhoneDesk) -> None:
    phone.answer = 409
    phone.opens("phone-idle")
    phone.phone_is("failed")
    phone.reads("It is not for you.", ".call-strip:visible")
    assert phone.tokens_asked == 1


def test_after_a_fault_of_the_network_it_signs_on_again_by_itself(phone: PhoneDesk) -> None:
    phone.context.add_init_script("window.noNetwork = true")
    phone.opens("phone-idle")
    phone.phone_is("away")
    phone.sees_that("phones.length > 1")
    phone.asks("window.noNetwork = false")
    phone.phone_is("ready")
    assert phone.asks("phones.slice(0, -1).every(phone => phone.state === 'destroyed')")
    assert phone.tokens_asked == 1, "the token is still good"
    before = phone.asks("phones.length")
    phone.rings()
    phone.asks("phones.at(-1).emit('error', {code: 31005})")
    phone.asks("phones.at(-1).emit('unregistered')")
    assert phone.asks("lines.at(-1).status()") == "open", "a running line is never cut to sign on again"
    assert phone.asks("phones.length") == before


def test_a_new_token_is_taken_between_calls(phone: PhoneDesk) -> None:
    phone.opens("phone-talking")
    phone.rings()
    phone.asks("phones[0].emit('tokenWillExpire')")
    phone.turns_into("phone-talking")
    assert phone.tokens_asked == 1
    phone.turns_into("phone-wrapping")
    phone.sees_that("phones[0].tokens.length === 2")
    assert phone.asks("phones[0].tokens") == ["token-1", "token-2"]
    assert phone.asks("lines[0].status()") == "open"


def test_a_token_that_is_refused_is_replaced(phone: PhoneDesk) -> None:
    phone.opens("phone-idle")
    phone.phone_is("ready")
    phone.asks("phones[0].emit('error', {code: 20104})")
    phone.sees_that("phones.length === 2 && phones[1].state === 'registered'")
    phone.phone_is("ready")
    assert phone.asks("phones[1].token") == "token-2"


def test_one_tab_holds_the_softphone_and_another_may_take_it_over(phone: PhoneDesk) -> None:
    phone.opens("phone-idle")
    phone.phone_is("ready")
    second = phone.opens("phone-idle", phone.new_page())
    phone.phone_is("elsewhere", second)
    second.click("[data-phone-take]:visible")
    phone.phone_is("ready", second)
    phone.phone_is("elsewhere")
    assert phone.asks("phones.map(phone => phone.state)") == ["destroyed"]
    second.close()
    phone.phone_is("ready")


def test_it_is_off_while_the_agent_is_signed_off(phone: PhoneDesk) -> None:
    phone.opens("phone-signed-off")
    phone.phone_is("off")
    assert phone.tokens_asked == 0
    phone.turns_into("phone-idle")
    phone.phone_is("ready")
    phone.turns_into("phone-signed-off")
    phone.phone_is("off")
    assert phone.asks("phones[0].state") == "destroyed"


def test_an_agent_with_a_telephone_has_no_softphone(phone: PhoneDesk) -> None:
    phone.opens("talking")
    phone.page.wait_for_selector("#end")
    assert phone.tokens_asked == 0
    assert phone.page.get_attribute("html", "data-phone") is None


def test_the_simulators_softphone_is_loaded_by_its_kind_and_needs_no_microphone(
    browser: Browser, console: str
) -> None:
    with PhoneDesk(browser, console, microphone="none") as desk:
        desk.kind, desk.sdk = "simulator", SDK + "export { Device, Call };"
        desk.opens("phone-empty")
        desk.rings()
        assert desk.asks("phones[0].options.url") == "http://127.0.0.1:9/"
        assert desk.troubles == []


def test_a_page_with_a_customer_on_it_is_not_closed_by_mistake(phone: PhoneDesk) -> None:
    leave = """() => {
        const leaving = new Event("beforeunload", { cancelable: true });
        window.dispatchEvent(leaving);
        return leaving.defaultPrevented;
    }"""
    phone.opens("phone-talking")
    phone.rings()
    assert phone.asks(leave) is True
    phone.turns_into("phone-idle")
    assert phone.asks(leave) is False, "between calls the page may be left"


def test_the_list_of_colleagues_rests_while_one_chooses(phone: PhoneDesk) -> None:
    phone.opens("phone-talking")
    phone.press("t")
    first = phone.page.locator("input[name=agent_id]").first
    expect(first).to_be_focused()
    phone.press("Space")
    phone.page.locator("#transfer-sheet b").first.evaluate("b => { b.textContent = 'As it was'; }")
    phone.turns_into("phone-talking")
    expect(first).to_be_checked()
    phone.reads("As it was", "#transfer-sheet")
    with phone.page.expect_request("**/transfer") as sent:
        phone.press("Enter")
    assert "agent_id=5a1f" in (sent.value.post_data or "")
    phone.page.wait_for_selector("#transfer:not([open])")


@pytest.mark.parametrize(
    ("control", "act", "fields"),
    [("h", "hold", "on=1"), ("r", "recording", "paused=1"), ("v", "machine", "")],
)
def test_a_key_does_what_its_control_says(phone: PhoneDesk, control: str, act: str, fields: str) -> None:
    phone.opens("phone-machine")
    with phone.page.expect_request(f"**/console/attempts/a1/{act}") as sent:
        phone.press(control)
    assert fields in (sent.value.post_data or "")


@pytest.mark.parametrize("microphone", ["granted", "asked", "refused", "none"])
def test_the_softphones_words_are_accessible(browser: Browser, console: str, microphone: str) -> None:
    with PhoneDesk(browser, console, microphone=microphone) as desk:
        for sample, key in (("phone-idle", None), ("phone-talking", "k"), ("phone-lost", "t")):
            desk.opens(sample)
            desk.page.wait_for_selector('html[data-phone]:not([data-phone="starting"])')
            if key:
                desk.press(key)
            assert axe(desk.page) == []


def test_the_sdk_itself_is_loaded_and_without_a_network_the_console_works_on(
    browser: Browser, console: str
) -> None:
    if not VENDORED.is_file():
        pytest.skip("the SDK is not installed: run make setup")
    with PhoneDesk(browser, console) as desk:
        desk.sdk = VENDORED.read_text("utf-8")
        desk.opens("phone-talking")
        desk.phone_is("away")
        assert desk.asks("Twilio.Device.isSupported") is True
        desk.press("1")
        desk.page.wait_for_selector('form.node[data-node="tilt"]:not([hidden])')


def _line_rings_in_this_browser(system: System, desk: Desk) -> None:
    """A line that was up before this page was a telephone never rings here: end it, and be called anew."""
    with suppress(PlaywrightTimeout):
        desk.page.wait_for_selector('html[data-phone="talking"]', timeout=4_000)
        return
    for call in system.sim("GET", "calls").json()["calls"]:
        if call["to"].startswith("client:") and call["ended_at"] is None:
            system.sim("POST", f"calls/{call['sid']}/hangup")
    desk.page.wait_for_selector(".presence-not_ready")
    desk.becomes_available()
    desk.page.wait_for_selector('html[data-phone="talking"]')


def test_an_agent_talks_through_the_browser_against_the_simulator(
    system: System, bank: Bank, desk: Desk
) -> None:
    page = desk.page
    _line_rings_in_this_browser(system, desk)
    person = bank.customer()
    bank.deliver(*bank.gets_stuck(person))
    desk.sees("previewing")
    desk.press("d")
    desk.sees("talking")
    page.wait_for_selector('html[data-phone="talking"]')
    desk.press("m")
    expect(page.locator("#mute")).to_have_attribute("aria-pressed", "true")
    desk.press("h")
    desk.reads("On hold", "#call-bar")
    desk.press("h")
    desk.reads("Muted", "#call-bar")
    desk.press("k", "5", "6")
    expect(page.locator("#keypad-sent")).to_have_text("56")
    desk.press("Escape", "e", "e")
    desk.sees("wrapping")
    page.wait_for_selector("html:not([data-phone-muted])")
