"""Who may open what, seen from a browser."""

from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.desk import Desk
from tests.system import System

AGENTS = ("/console",)
SUPERVISORS = ("/floor", "/floor/quality", "/floor/targets")
STRATEGISTS = (
    "/studio",
    "/studio/analyses",
    "/studio/rules",
    "/studio/why",
    "/studio/effects",
    "/studio/effects/scripts",
    "/studio/proposals",
    "/studio/scripts",
    "/studio/scripts/what-helps",
    "/studio/offers",
    "/studio/offers/new",
    "/studio/voice",
    "/studio/segments",
    "/admin/sources",
)
OFFICERS = (
    "/compliance",
    "/compliance/packs",
    "/compliance/ledgers",
    "/compliance/decisions",
    "/compliance/what-if",
    "/compliance/audit",
)
PAGES = AGENTS + SUPERVISORS + STRATEGISTS + OFFICERS


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_sent_to_sign_in(browser: Browser, system: System, path: str) -> None:
    with Desk(browser, system.base_url) as stranger:
        stranger.page.goto(path)
        assert stranger.page.url.endswith(f"/sign-in?next={path}")
        stranger.page.wait_for_selector("#sign-in")


@pytest.mark.parametrize(
    "path", ["/live/console", "/live/floor", "/live/studio", "/console/presence", "/sign-out"]
)
def test_a_stranger_hears_and_changes_nothing(browser: Browser, system: System, path: str) -> None:
    with Desk(browser, system.base_url) as stranger:
        stranger.page.goto("/sign-in")
        token = stranger.page.get_attribute('meta[name="csrf-token"]', "content")
        assert token
        request = stranger.context.request
        if path.startswith("/live"):
            answer = request.get(path, max_redirects=0)
        else:
            answer = request.post(path, form={"csrf_token": token, "presence": "available"}, max_redirects=0)
        assert answer.status == 401


@pytest.mark.parametrize(
    ("login", "paths"),
    [
        ("agent", SUPERVISORS + STRATEGISTS + OFFICERS),
        ("supervisor", AGENTS + STRATEGISTS + OFFICERS),
        ("strategist", AGENTS + SUPERVISORS + OFFICERS),
        ("compliance", AGENTS + SUPERVISORS + STRATEGISTS),
    ],
)
def test_a_role_cannot_open_what_is_not_its_own(
    browser: Browser, system: System, cookies: dict[str, Any], login: str, paths: tuple[str, ...]
) -> None:
    with Desk(browser, system.base_url, login, storage_state=cookies[login]) as desk:
        for path in paths:
            answer = desk.page.goto(path)
            assert answer is not None
            assert answer.status == 403, path
            desk.reads("Your role may not open this.")


def test_a_form_without_the_pages_token_changes_nothing(desk: Desk, system: System) -> None:
    presence = "SELECT presence FROM agent a JOIN app_user u ON u.id = a.id WHERE u.login = 'agent'"
    answer = desk.context.request.post("/console/presence", form={"presence": "signed_off"})
    assert answer.status == 400
    assert system.row(presence) == {"presence": "available"}
