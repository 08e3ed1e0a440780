"""Every screen in both themes, both languages and both sizes: nothing cut off, nothing out of reach.

Pictures go to `test-results/`; nobody compares them pixel by pixel.
"""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.conftest import RESULTS, Bank
from tests.browser.desk import NARROW, WIDE, Desk
from tests.system import System

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
SIZES: tuple[ViewportSize, ...] = (WIDE, NARROW)
ADMIN = dict.fromkeys(("/admin/people", "/admin/people/new", "/admin/teams"), "main")
LOOKS = [(theme, language) for theme in ("light", "dark") for language in ("en", "zh")]
SUPERVISED = dict.fromkeys(("/floor", "/floor?group=rule"), "main")
STUDIO = dict.fromkeys(
    (
        "/studio",
        "/studio/analyses",
        "/studio/rules",
        "/studio/rules/new",
        "/studio/rules/face-scan-quiet",
        "/studio/why",
        "/studio/effects",
        "/studio/effects?window=7",
        "/studio/effects/scripts",
        "/studio/effects/branches",
        "/studio/proposals",
        "/studio/scripts",
        "/studio/learning",
        "/studio/scripts/id_photo_glare.zh",
        "/studio/scripts/what-helps",
        "/studio/offers",
        "/studio/offers/new",
        "/studio/voice",
        "/studio/voice/suggestions",
        "/studio/voice/surveys",
        "/studio/segments",
        "/studio/segments/new",
        "/admin/sources",
    ),
    "main",
)


class Looker:
    """Looks at pages in one theme and language, in every size."""

    def __init__(self, desk: Desk, theme: str, language: str) -> None:
        self.desk, self.page, self.name = desk, desk.page, f"{theme}-{language}"
        desk.prefers(theme, language)

    def looks_at(self, what: str, *controls: str) -> list[str]:
        """Take a picture in every size; return what is wrong with the page."""
        wrong = []
        for size in SIZES:
            self.page.set_viewport_size(size)
            where = f"{what} {self.name} {size['width']}"
            RESULTS.mkdir(exist_ok=True)
            self.page.screenshot(path=RESULTS / f"{where.replace(' ', '-')}.png")
            wrong += [f"{where}: {each}" for each in (*layout_troubles(self.page, controls), *axe(self.page))]
        self.page.set_viewport_size(WIDE)
        return wrong


def layout_troubles(page: Page, controls: tuple[str, ...]) -> list[str]:
    """What sticks out of the screen sideways, and which main controls cannot be seen without scrolling."""
    width, inner = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    troubles = [f"scrolls sideways, {width} in {inner}"] if width > inner else []
    size = page.viewport_size
    assert size
    for control in controls:
        box = page.locator(control).first.bounding_box()
        if box is None:
            troubles.append(f"{control} is not shown")
        elif (
            min(box["x"], box["y"]) < 0
            or box["x"] + box["width"] > size["width"] + 0.5
            or box["y"] + box["height"] > size["height"] + 0.5
        ):
            troubles.append(f"{control} is out of the screen: {box}")
    return troubles


def axe(page: Page) -> list[str]:
    """Serious and critical findings of axe-core."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run make setup")
    # Run in the page's own world by the browser, past the policy that bars inline scripts.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = page.evaluate(
        "axe.run({resultTypes: ['violations']}).then(found => found.violations"
        ".filter(one => ['serious', 'critical'].includes(one.impact))"
        ".map(one => ({id: one.id, nodes: one.nodes.slice(0, 3).map(node => node.html.slice(0, 160))})))"
    )
    return [f"axe {one['id']}: {' '.join('; '.join(one['nodes']).split())}" for one in found]


@pytest.mark.parametrize(("theme", "language"), LOOKS)
def test_the_console_fits_and_is_accessible(
    system: System, bank: Bank, desk: Desk, theme: str, language: str
) -> None:
    looker = Looker(desk, theme, language)
    desk.sees("idle", "gone")
    wrong = looker.looks_at("console-idle", ".call-bar")
    person = bank.customer()
    bank.deliver(*bank.gets_stuck(person))
    desk.sees("previewing")
    wrong += looker.looks_at("console-preview", "#dial button", "#skip summary")
    desk.press("d")
    desk.sees("talking")
    wrong += looker.looks_at("console-talking", "#end button", ".say")
    desk.press("e", "e")
    desk.sees("wrapping")
    wrong += looker.looks_at("console-wrapping", ".call-bar")
    assert wrong == []


@pytest.mark.parametrize(("theme", "language"), LOOKS)
def test_floor_and_studio_fit_and_are_accessible(
    browser: Browser, system: System, cookies: dict[str, Any], theme: str, language: str
) -> None:
    wrong = []
    for login, pages in (("supervisor", SUPERVISED), ("strategist", STUDIO), ("admin", ADMIN)):
        with Desk(browser, system.base_url, login, storage_state=cookies[login]) as desk:
            desk.page.goto(next(iter(pages)))
            looker = Looker(desk, theme, language)
            for path, control in pages.items():
                desk.page.goto(path)
                desk.page.locator(control).first.wait_for()
                wrong += looker.looks_at(path.strip("/").replace("/", "-"))
            desk.prefers("auto", "en")
            assert desk.troubles == []
    assert wrong == []


@pytest.mark.parametrize(("theme", "language"), LOOKS)
def test_sign_in_fits_and_is_accessible(browser: Browser, system: System, theme: str, language: str) -> None:
    scheme: Any = theme
    locale = {"en": "en-US", "zh": "zh-CN"}[language]
    with Desk(browser, system.base_url, color_scheme=scheme, locale=locale) as desk:
        desk.page.goto("/sign-in")
        wrong = []
        for size in SIZES:
            desk.page.set_viewport_size(size)
            RESULTS.mkdir(exist_ok=True)
            desk.page.screenshot(path=RESULTS / f"sign-in-{theme}-{language}-{size['width']}.png")
            wrong += layout_troubles(desk.page, ("#email", "#password", "#sign-in button")) + axe(desk.page)
    assert wrong == []
