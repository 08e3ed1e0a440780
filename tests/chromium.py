"""The one browser of a test session: Playwright drives one at a time in a process."""

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def chromium_path() -> str | None:
    """The Chromium that CHROMIUM names, else the machine's; None for Playwright's own."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or None


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """A Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium_path(), args=list(ARGUMENTS))
        yield running
        running.close()
