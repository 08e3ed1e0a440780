"""What a person at a browser does and sees. Waits for what is shown, never for a time."""

from types import TracebackType
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, ViewportSize

from tests.system import sign_in_form

WIDE: ViewportSize = {"width": 1366, "height": 768}
NARROW: ViewportSize = {"width": 390, "height": 844}
PATIENCE_MS = 10_000
_REFUSALS = ("Failed to load resource", "Response Status Error Code")


class Desk:
    """One browser context with one page; `login` names a user of the sample set-up."""

    def __init__(self, browser: Browser, base_url: str, login: str = "agent", **context: Any) -> None:
        self.context = browser.new_context(
            base_url=base_url, **{"viewport": WIDE, "locale": "en-US", "reduced_motion": "reduce", **context}
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.login = login
        self.troubles: list[str] = []
        self.page = self.new_page()

    def __enter__(self) -> "Desk":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.context.close()

    def new_page(self) -> Page:
        """Open a tab; what goes wrong in its scripts is kept in `troubles`."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", self._note)
        return page

    def _note(self, message: ConsoleMessage) -> None:
        # A refusal's status is logged as an error by the browser and by htmx; those are the tests' own business.
        if message.type == "error" and not any(known in message.text for known in _REFUSALS):
            self.troubles.append(message.text)

    def signs_in(self, page: Page | None = None) -> None:
        """Fill in the form and send it."""
        page = page or self.page
        form = sign_in_form(self.login)
        page.goto("/sign-in")
        page.fill("#email", form["email"])
        page.fill("#password", form["password"])
        page.press("#password", "Enter")
        page.wait_for_selector("#sign-in", state="detached")

    def becomes_available(self) -> None:
        """Choose it in the menu of the rail."""
        self.page.click("#presence > summary")
        self.page.click('#presence form:has(input[value="available"]) button')
        self.page.wait_for_selector(".presence-available")

    def prefers(self, theme: str, language: str) -> None:
        """Change how all pages of this user look, and load the page anew."""
        token = self.page.get_attribute('meta[name="csrf-token"]', "content")
        assert token
        form: dict[str, str | float | bool] = {"theme": theme, "language": language, "csrf_token": token}
        answer = self.context.request.post("/preferences", form=form, headers={"Referer": self.page.url})
        assert answer.ok
        self.page.reload()

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def sees(self, *phases: str, page: Page | None = None) -> Locator:
        """Wait until the console shows one of these phases."""
        wanted = ", ".join(f'#state[data-phase="{phase}"]' for phase in phases)
        found = (page or self.page).locator(wanted)
        found.wait_for()
        return found

    def is_free(self) -> None:
        """Wait until no call task is before the agent; one just withdrawn may still be told."""
        self.sees("idle", "gone")

    def reads(self, text: str, within: str = "body") -> None:
        """Wait until a text can be read."""
        self.page.locator(within).get_by_text(text).first.wait_for()

    @property
    def call_task_id(self) -> str:
        """The call task before the agent."""
        found = self.page.get_attribute("#state", "data-call-task")
        assert found
        return found

    @property
    def note(self) -> Locator:
        """The wrap-up's note."""
        return self.page.locator('textarea[name="note"]')
