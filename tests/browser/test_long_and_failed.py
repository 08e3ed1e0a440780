"""More and longer content than anybody designs for, and a state that cannot be read, on the sample pages."""

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from werkzeug.serving import make_server

from tests.browser.desk import NARROW, WIDE
from tests.browser.test_screens import layout_troubles
from tests.web.preview import create_preview

LONG = {
    "console-long": (".node:not([hidden]) .say-label", "#end button"),
    "console-long-previewing": (".node:not([hidden]) .say-label", "#dial button"),
    "console-long-wrapping": (".button-save",),
    "console-long-idle": (".idle-next .headline",),
    "console-choose-many": (".idle-next .headline",),
    "staff-full": (),
    "teams-full": (),
    "webhook-full": (),
    "gate-ledgers-full": (),
    "gate-trail-full": (),
    "error-500": (".button-primary",),
}
"""A sample page, and what of it has to be in sight without scrolling."""


@pytest.fixture(scope="module")
def samples() -> Iterator[str]:
    """The address of the sample pages: templates and styles, without a system behind them."""
    app = create_preview()
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 600
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def test_long_content_stays_in_the_screen_and_hides_nothing_one_needs(browser: Browser, samples: str) -> None:
    wrong = []
    with browser.new_context(viewport=NARROW, reduced_motion="reduce") as context:
        page = context.new_page()
        for name, controls in LONG.items():
            for language, size in (("en", NARROW), ("zh", NARROW), ("en", WIDE)):
                page.set_viewport_size(size)
                page.goto(f"{samples}?page={name}&lang={language}")
                found = layout_troubles(page, controls if size == WIDE else ())
                wrong += [f"{name} {language} {size['width']}: {each}" for each in found]
    assert wrong == []


def test_a_state_that_cannot_be_read_is_said_until_it_can_though_the_stream_is_open(
    browser: Browser, samples: str
) -> None:
    with browser.new_context(viewport=WIDE) as context:
        page = context.new_page()
        page.clock.install()
        page.goto(f"{samples}?page=console-talking")
        stale = page.locator("#stale")
        expect(stale).to_be_hidden()
        page.route("**/console/state*", lambda route: route.fulfill(status=503, body="away"))
        page.evaluate("document.dispatchEvent(new CustomEvent('state-wanted'))")
        expect(stale).to_be_visible()
        page.unroute("**/console/state*")
        page.clock.fast_forward(6_000)
        expect(stale).to_be_hidden()  # it has asked again by itself


def test_what_is_cut_off_is_read_under_the_pointer(browser: Browser, samples: str) -> None:
    with browser.new_context(viewport=WIDE) as context:
        page = context.new_page()
        page.goto(f"{samples}?page=console-long-previewing")
        name = page.locator("#call-bar h1")
        assert name.get_attribute("title") is None
        name.hover()
        expect(name).to_have_attribute(
            "title", "Maria Theresia Wilhelmine von Hohenberg-Sonderburg-Augustenburg Mr"
        )
