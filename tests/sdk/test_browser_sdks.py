"""The public browser SDKs, as they are published, send from pages of another site to the collector."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.chromium import ARGUMENTS, chromium_path
from tests.sdk.delivery import (
    BEFORE_SIGN_IN,
    SENT,
    TROUBLES,
    Front,
    assert_all_is_there_once,
    front_of,
    serving,
)
from tests.web.collector import KEY, Collector

pytestmark = [pytest.mark.slow, pytest.mark.browser]
ROOT = Path(__file__).parents[2]
PAGES = Path(__file__).with_name("pages")
BUNDLES = {
    "segment": "@segment/analytics-next/dist/umd/index.js",
    "rudderstack": "@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js",
}
"""The files the packages publish for a page's script element, with everything they need within."""
PATIENCE_S = 30


def _site(sdk: str) -> Callable[..., Iterable[bytes]]:
    """A bank's site: two pages that load one SDK and know the customer's way."""
    bundle = ROOT / "node_modules" / BUNDLES[sdk]
    if not bundle.is_file():
        pytest.skip(f"{BUNDLES[sdk]} is not in node_modules; `make setup` fetches it")
    page, way = (PAGES / "page.html").read_bytes(), (PAGES / "way.js").read_bytes()
    files = {
        "/loan": ("text/html", page),
        "/photo": ("text/html", page),
        "/sdk.js": ("text/javascript", bundle.read_bytes()),
        "/way.js": ("text/javascript", way),
    }

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        kind, body = files.get(environ["PATH_INFO"], ("text/plain", b""))
        start_response("200 OK" if body else "404 Not Found", [("Content-Type", f"{kind}; charset=utf-8")])
        return [body]

    return app


class Browser:
    """A customer's browser: goes the way, and remembers the hosts it asked and the errors of the pages."""

    def __init__(self, page: Page, site: str, told: dict[str, str]) -> None:
        self.page, self.site, self.told = page, site, told
        self.hosts, self.errors = set[str | None](), list[str]()
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname))
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def opens(self, path: str) -> None:
        """Go to a page, and let it tell its part of the way."""
        self.page.goto(self.site + path)
        self.page.evaluate("told => tell(told)", self.told)

    def stays_until(self, is_true: Callable[[], bool]) -> None:
        """Stay on the page until something has come about; after a while, whether or not."""
        for _ in range(PATIENCE_S * 20):
            if is_true():
                return
            self.page.wait_for_timeout(50)


def _walk(setting: str, front: Front, user: str, may_leave: Callable[[], bool]) -> None:
    """Go the whole way in a browser of its own, from the first page to the second when it may leave.

    In a thread of its own: Playwright allows one instance a thread, and the screens' tests have one.
    """

    def walk(site: str) -> Browser:
        told = {"sdk": setting, "host": front.host, "key": KEY, "user": user}
        with sync_playwright() as playwright:
            running = playwright.chromium.launch(executable_path=chromium_path(), args=list(ARGUMENTS))
            browser = Browser(running.new_page(), site, told)
            browser.opens("/loan")
            browser.stays_until(may_leave)
            browser.opens("/photo")
            browser.stays_until(lambda: len(front.delivered) == len(SENT))
            running.close()
        return browser

    with serving(_site(setting.partition(",")[0])) as site, ThreadPoolExecutor(1) as aside:
        browser = aside.submit(walk, site).result()
    assert browser.hosts == {"127.0.0.1"}, "nothing went to anybody else"
    assert browser.errors == []


@pytest.mark.parametrize(
    ("setting", "paths"),
    [
        ("segment", {"/v1/p", "/v1/t", "/v1/i"}),
        ("segment, batching", {"/v1/b"}),
        ("rudderstack", {"/v1/page", "/v1/track", "/v1/identify"}),
        ("rudderstack, batching", {"/v1/batch"}),
        ("rudderstack, beacon", {"/beacon/v1/batch"}),
    ],
)
def test_every_event_is_stored_once_and_the_device_becomes_the_customer(
    collector: Collector, setting: str, paths: set[str]
) -> None:
    user = f"{setting}: user"
    with front_of(collector) as front:
        _walk(setting, front, user, lambda: len(front.delivered) == len(BEFORE_SIGN_IN))
    assert {answer.path for answer in front.answers} == paths
    assert {answer.status for answer in front.answers} == {200}
    assert_all_is_there_once(front, user)


@pytest.mark.parametrize("sdk", BUNDLES)
def test_what_was_refused_or_lost_its_answer_comes_again_from_the_same_page(
    collector: Collector, sdk: str
) -> None:
    """Both try each event again by itself after 429 and after 503.

    After 429 Segment's comes again when it was told to, by Retry-After, which it sees only because the
    collector lets other sites see it. RudderStack's does not read it and comes again after 2 s.
    """
    user = f"{sdk}: user who stays"
    with front_of(collector, TROUBLES) as front:
        _walk(sdk, front, user, lambda: len(front.delivered) == len(BEFORE_SIGN_IN))
    assert [answer.status for answer in front.answers] == [*TROUBLES, *(200 for _ in SENT)]
    assert front.waited_after_429() >= {"segment": 1.0, "rudderstack": 2.0}[sdk]
    assert_all_is_there_once(front, user)


@pytest.mark.parametrize("sdk", BUNDLES)
def test_what_was_refused_or_lost_its_answer_comes_again_from_the_next_page(
    collector: Collector, sdk: str
) -> None:
    """A customer who goes on at once takes what was not delivered along: both SDKs keep it in the browser.

    It arrives after the sign-in and is from before it. Segment's sends it when the next page has loaded,
    whatever Retry-After said on the page before; RudderStack's when the page before has been silent for 10 s.
    """
    user = f"{sdk}: user who goes on"
    with front_of(collector, TROUBLES) as front:
        _walk(sdk, front, user, lambda: len(front.answers) == len(TROUBLES))
    assert [answer.status for answer in front.answers] == [*TROUBLES, *(200 for _ in SENT)]
    assert_all_is_there_once(front, user)
