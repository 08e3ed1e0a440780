"""The softphone's SDK as a stand-in: what a browser test makes it do, and what the console did with it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Browser, Page, Route

from tests.browser.desk import PATIENCE_MS, Desk
from tests.system import free_port, wait_for

SDK = """
class Emitter {
  on(name, act) { ((this.acts ??= {})[name] ??= []).push(act); return this; }
  emit(name, ...heard) { for (const act of this.acts?.[name] ?? []) act(...heard); }
}
class Call extends Emitter {
  constructor() { super(); this.now = "pending"; this.muted = false; this.digits = ""; }
  accept() { this.now = "open"; this.emit("accept", this); }
  reject() { this.now = "closed"; this.emit("reject"); }
  disconnect() { if (this.now !== "closed") { this.now = "closed"; this.emit("disconnect", this); } }
  mute(muted = true) { this.muted = muted; this.emit("mute", muted, this); }
  isMuted() { return this.muted; }
  sendDigits(digits) { this.digits += digits; }
  status() { return this.now; }
}
class Device extends Emitter {
  static isSupported = true;
  constructor(token, options) {
    super();
    Object.assign(this, { token, options, state: "unregistered", tokens: [token] });
    (window.phones ??= []).push(this);
  }
  async register() {
    this.state = "registering";
    await null;
    if (window.noNetwork) { this.emit("error", { code: 31005 }); return; }
    this.state = "registered";
    this.emit("registered");
  }
  async unregister() { this.state = "unregistered"; this.emit("unregistered"); }
  updateToken(token) { this.tokens.push(token); }
  destroy() { this.state = "destroyed"; }
  rings() { const call = new Call(); (window.lines ??= []).push(call); this.emit("incoming", call); }
}
"""
TWILIO = SDK + "window.Twilio = { Device, Call };"
MICROPHONE = """
window.microphone = "%s";
navigator.permissions.query = async () => ({
  state: { refused: "denied", asked: "prompt" }[window.microphone] ?? "granted",
});
navigator.mediaDevices.getUserMedia = async () => {
  if (window.microphone === "refused") throw new DOMException("", "NotAllowedError");
  if (window.microphone === "none") throw new DOMException("", "NotFoundError");
  return new MediaStream();
};
"""


@contextmanager
def sample_console() -> Iterator[str]:
    """Serve the sample pages from a process of their own; gives where."""
    port = free_port()
    command = [sys.executable, "-m", "tests.web.preview", str(port)]
    with subprocess.Popen(
        command, cwd=Path(__file__).parents[2], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        base_url = f"http://127.0.0.1:{port}"
        try:
            wait_for(lambda: _answers(base_url), 30, "the sample console")
            yield base_url
        finally:
            server.terminate()


def _answers(base_url: str) -> bool:
    with suppress(requests.RequestException):
        return requests.get(base_url, timeout=5).ok
    return False


class PhoneDesk(Desk):
    """An agent's browser on a sample page, whose softphone rests on the stand-in."""

    def __init__(self, browser: Browser, base_url: str, microphone: str = "granted") -> None:
        self.kind, self.sdk, self.answer = "twilio", TWILIO, 200
        self.tokens_asked = 0
        super().__init__(browser, base_url)
        self.context.add_init_script(MICROPHONE % microphone)
        self.context.route("**/vendor/twilio.min.js", self._give_sdk)
        self.context.route("**/js/softphone_simulator.js", self._give_sdk)
        self.context.route("**/console/softphone", self._give_token)

    def _give_sdk(self, route: Route) -> None:
        if self.sdk:
            route.fulfill(body=self.sdk, content_type="text/javascript")
        else:
            route.fulfill(status=404, body="")

    def _give_token(self, route: Route) -> None:
        self.tokens_asked += 1
        answer: dict[str, Any] = {"message": "It is not for you."}
        if self.answer == 200:
            url = "http://127.0.0.1:9/" if self.kind == "simulator" else None
            token = f"token-{self.tokens_asked}"
            answer = {"kind": self.kind, "token": token, "identity": "agent_1", "url": url}
            answer["expires_at"] = "2126-11-19T07:22:05+00:00"
        route.fulfill(status=self.answer, body=json.dumps(answer), content_type="application/json")

    def opens(self, sample: str, page: Page | None = None) -> Page:
        """Open a sample page of the console."""
        page = page or self.page
        page.goto(f"/?page=console-{sample}")
        return page

    def turns_into(self, sample: str) -> None:
        """Let the console be refreshed by the state of another sample."""
        self.page.route("**/console/state", lambda route: route.continue_(url=self._state_url(sample)))
        self.page.evaluate(
            """() => new Promise((done) => {
                document.addEventListener("state-changed", () => done(), { once: true });
                document.dispatchEvent(new CustomEvent("state-wanted"));
            })"""
        )

    def _state_url(self, sample: str) -> str:
        return f"{self.page.url.split('/?')[0]}/console/state?page=console-{sample}"

    def phone_is(self, state: str, page: Page | None = None) -> None:
        """Wait until the softphone is in a state."""
        (page or self.page).wait_for_selector(f'html[data-phone="{state}"]')

    def rings(self) -> None:
        """Let the product call the agent into their room."""
        self.phone_is("ready")
        self.page.evaluate("phones.at(-1).rings()")
        self.phone_is("talking")

    def sees_that(self, claim: str) -> None:
        """Wait until an expression in the page is true; the page's own policy bars waiting inside it."""
        wait_for(lambda: bool(self.asks(claim)), PATIENCE_MS / 1000, claim)

    def asks(self, expression: str) -> Any:
        """Evaluate something in the page."""
        return self.page.evaluate(expression)
