"""The browser's half of the softphone, in a real browser, from a page of another port."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from .phones import a_token
from .rooms import dial
from .sim import CALLER, Product, Simulator, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SCRIPTS = Path(__file__).parents[2] / "callcenter" / "static" / "js"
PAGE = """<!doctype html><html lang="en"><title>softphone</title><script type="module">
import { Device, Call } from "/js/softphone_simulator.js";
window.seen = [];
const events = { device: ["registering", "registered", "unregistered", "destroyed", "tokenWillExpire"],
  call: ["accept", "disconnect", "cancel", "reject", "ringing", "reconnecting", "reconnected"] };
window.watch = (call) => {
  window.call = call;
  for (const name of events.call) call.on(name, () => seen.push(`call ${name}`));
  call.on("mute", (muted) => seen.push(`call mute ${muted}`));
  call.on("warning", (name) => seen.push(`call warning ${name}`));
  call.on("error", (error) => seen.push(`call error ${error.code}`));
};
window.begin = (token, options) => {
  window.device = new Device(token, options);
  for (const name of events.device) device.on(name, () => seen.push(name));
  device.on("error", (error) => seen.push(`error ${error.code}`));
  device.on("incoming", (call) => { seen.push("incoming"); watch(call); });
};
window.Call = Call;
window.ready = true;
</script></html>"""


@pytest.fixture
def page(browser: Browser, product: Product) -> Iterator[Page]:
    product.answers["/page"] = PAGE
    product.types["/page"] = "text/html"
    for script in SCRIPTS.glob("softphone_simulator*.js"):
        product.answers[f"/js/{script.name}"] = script.read_text()
        product.types[f"/js/{script.name}"] = "text/javascript"
    context = browser.new_context()
    made = context.new_page()
    troubles: list[str] = []
    made.on("pageerror", lambda error: troubles.append(str(error)))
    made.goto(f"{product.base_url}/page")
    made.wait_for_function("window.ready")
    yield made
    made.evaluate("window.device?.destroy()")
    context.close()
    assert troubles == []


def begin(page: Page, simulator: Simulator, token: str, **options: Any) -> None:
    page.evaluate(
        "([token, options]) => begin(token, options)", [token, {"url": simulator.base_url, **options}]
    )


def sees(page: Page, what: str) -> None:
    page.wait_for_function("(what) => seen.includes(what)", arg=what, timeout=8_000)


def ring(simulator: Simulator, product: Product) -> Any:
    product.answers["/answer"] = dial(product, "browser")
    return simulator.twilio.calls.create(
        to="client:agent_1", from_=CALLER, url=f"{product.base_url}/answer", timeout=600
    )


def test_it_registers_takes_a_call_mutes_and_hangs_up(
    page: Page, simulator: Simulator, product: Product
) -> None:
    begin(page, simulator, a_token())
    page.evaluate("device.register()")
    assert page.evaluate("[device.state, device.identity, device.isBusy]") == ["registered", "agent_1", False]
    call = ring(simulator, product)
    sees(page, "incoming")
    assert page.evaluate(
        "[call.status(), call.parameters.CallSid, call.parameters.From, call.direction]"
    ) == [
        "pending",
        call.sid,
        CALLER,
        "INCOMING",
    ]
    assert page.evaluate("device.calls.length") == 1
    page.evaluate("call.accept()")
    sees(page, "call accept")
    wait_for(lambda: simulator.call(call.sid)["room"] == "browser")
    assert page.evaluate("call.mute(true), [call.isMuted(), call.status(), device.isBusy]") == [
        True,
        "open",
        True,
    ]
    [leg] = simulator.twilio.conferences("browser").participants.list()
    assert not leg.muted, "a softphone's mute is its own"
    simulator.control("POST", "softphones/agent_1/warn", {"name": "high-rtt"})
    sees(page, "call warning high-rtt")
    page.evaluate("call.disconnect()")
    wait_for(lambda: simulator.call(call.sid)["status"] == "completed")
    page.evaluate("device.unregister()")
    assert page.evaluate("seen") == [
        "registering",
        "registered",
        "incoming",
        "call accept",
        "call mute true",
        "call warning high-rtt",
        "call disconnect",
        "unregistered",
    ]


def test_it_rejects_and_hears_that_the_caller_gave_up(
    page: Page, simulator: Simulator, product: Product
) -> None:
    begin(page, simulator, a_token())
    page.evaluate("device.register()")
    first = ring(simulator, product)
    sees(page, "incoming")
    page.evaluate("call.reject()")
    wait_for(lambda: simulator.call(first.sid)["status"] == "busy")
    page.evaluate("seen.length = 0")
    second = ring(simulator, product)
    sees(page, "incoming")
    simulator.twilio.calls(second.sid).update(status="canceled")
    sees(page, "call cancel")
    assert page.evaluate("call.status()") == "closed"


def test_it_calls_out_and_is_told_when_the_other_side_ends_it(
    page: Page, simulator: Simulator, product: Product
) -> None:
    product.answers["/voice"] = dial(product, "browser-out")
    simulator.twilio.applications("AP00000000000000000000000000000510").update(
        voice_url=f"{product.base_url}/voice"
    )
    begin(page, simulator, a_token())
    sid = page.evaluate(
        "device.connect({params: {session: '7'}}).then((call) => { watch(call); return call.parameters.CallSid; })"
    )
    sees(page, "call accept")
    assert product.at("/voice")[0]["session"] == "7"
    page.evaluate("call.sendDigits('12#')")
    simulator.twilio.calls(sid).update(status="completed")
    sees(page, "call disconnect")
    assert page.evaluate("seen") == ["call ringing", "call accept", "call disconnect"]


def test_a_token_about_to_expire_is_announced_and_an_expired_one_costs_the_registration(
    page: Page, simulator: Simulator
) -> None:
    begin(page, simulator, a_token(ttl=3), tokenRefreshMs=2_000)
    page.evaluate("device.register()")
    sees(page, "tokenWillExpire")
    sees(page, "error 20104")
    assert page.evaluate("device.state") == "unregistered"
    page.evaluate("(token) => { seen.length = 0; device.updateToken(token); }", a_token())
    page.wait_for_timeout(200)
    page.evaluate("device.register()")
    sees(page, "registered")


def test_a_bad_token_and_an_absent_simulator_are_errors_with_codes(page: Page, simulator: Simulator) -> None:
    caught = (
        "device.register().then(() => null, (error) => [error.code, error instanceof Error, device.state])"
    )
    begin(page, simulator, "nonsense")
    assert page.evaluate(caught) == [20101, True, "unregistered"]
    page.evaluate("(token) => begin(token, {url: 'http://127.0.0.1:9'})", a_token())
    assert page.evaluate(caught) == [31005, True, "unregistered"]
    assert page.evaluate("seen.filter((each) => each.startsWith('error'))") == ["error 20101", "error 31005"]


def test_a_broken_line_is_found_again_during_a_call(
    page: Page, simulator: Simulator, product: Product
) -> None:
    begin(page, simulator, a_token())
    page.evaluate("device.register()")
    call = ring(simulator, product)
    sees(page, "incoming")
    page.evaluate("call.accept()")
    sees(page, "call accept")
    simulator.control("POST", "softphones/agent_1/cut")
    sees(page, "call reconnecting")
    sees(page, "call reconnected")
    assert simulator.call(call.sid)["status"] == "in-progress"
    assert page.evaluate("call.status()") == "open"
