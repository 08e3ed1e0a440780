"""The control page in a real browser: calls, faults, the clock and both logs, without an error."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from .rooms import dial
from .sim import CALLER, Product, Simulator, start_simulator, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture
def fresh() -> Iterator[Simulator]:
    simulator = start_simulator(speed=50)
    yield simulator
    assert simulator.stop() == 0


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, browser: Browser, fresh: Simulator) -> Iterator[Page]:
    context = browser.new_context(color_scheme=request.param, viewport={"width": 1280, "height": 900})
    made = context.new_page()
    troubles: list[str] = []
    made.on("pageerror", lambda error: troubles.append(str(error)))
    made.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    made.goto(fresh.base_url)
    yield made
    context.close()
    assert troubles == []


def test_a_person_plays_the_far_end(page: Page, fresh: Simulator, product: Product) -> None:
    page.get_by_text("No call yet").wait_for()
    fresh.set_number("+12025558001", outcome="manual")
    product.answers["/answer"] = dial(product, "page", waitUrl="")
    call = fresh.twilio.calls.create(
        to="+12025558001", from_=CALLER, url=f"{product.base_url}/answer", timeout=600
    )
    page.get_by_role("button", name="Answer +12025558001").click()
    wait_for(lambda: fresh.call(call.sid)["room"] == "page")
    page.get_by_text("wait: silence").wait_for()
    page.locator("#rooms").get_by_text("page init").wait_for()
    page.get_by_role("button", name="Hang up +12025558001").click()
    wait_for(lambda: fresh.call(call.sid)["ended_by"] == "customer")
    page.locator("#deliveries").get_by_text("/answer").wait_for()
    page.locator("#log").get_by_text("call.completed").wait_for()


def test_faults_and_the_clock_are_switched_there(page: Page, fresh: Simulator) -> None:
    page.get_by_label("cb_drop").fill("0.5")
    page.get_by_label("cb_drop").press("Tab")
    wait_for(lambda: fresh.control("GET", "faults").json() == {"cb_drop": {"probability": 0.5}})
    page.get_by_role("button", name="All off").click()
    wait_for(lambda: fresh.control("GET", "faults").json() == {})
    page.locator("#clock select").select_option("manual")
    wait_for(lambda: fresh.control("GET", "clock").json()["mode"] == "manual")
    before = fresh.control("GET", "clock").json()["now"]
    page.get_by_role("button", name="+10 s").click()
    wait_for(lambda: fresh.control("GET", "clock").json()["now"] != before)
