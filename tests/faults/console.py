"""An agent's console without a browser: the same pages and forms, over HTTP."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import requests

from tests.system import System, sign_in_form, wait_for


@dataclass(frozen=True)
class Shown:
    """What the console shows."""

    phase: str
    call_task_id: str | None
    attempt_id: str | None
    presence: str
    html: str


class AgentConsole:
    """One signed-in agent. Every act is a form of the page; what it shows is read from the page."""

    def __init__(self, system: System, login: str = "agent") -> None:
        self._base = system.base_url
        self.http = requests.Session()
        self._csrf = ""
        self.sign_in(login)

    def close(self) -> None:
        self.http.close()

    def sign_in(self, login: str) -> None:
        """Sign in through the form."""
        form = self.http.get(f"{self._base}/sign-in", timeout=10).text
        answer = self.http.post(
            f"{self._base}/sign-in",
            data={**sign_in_form(login), "csrf_token": _token(form)},
            timeout=10,
        )
        assert answer.ok and 'id="state"' in answer.text, answer.status_code
        self._csrf = _token(answer.text)

    def look(self) -> Shown:
        """Ask for the state, as the page does when it is rung."""
        answer = self.http.get(f"{self._base}/console/state", timeout=10, allow_redirects=False)
        if answer.status_code != 200:
            raise requests.ConnectionError(f"status {answer.status_code}")
        return shown_in(answer.text)

    def post(self, path: str, **form: str) -> requests.Response:
        """Press a button once. Raises requests.RequestException when the line breaks."""
        return self.http.post(
            f"{self._base}{path}",
            data=form,
            headers={"X-CSRFToken": self._csrf, "HX-Request": "true", "Referer": f"{self._base}/console"},
            timeout=10,
        )

    def insist(self, path: str, done: Callable[[], bool], seconds: float = 40.0, **form: str) -> int:
        """Press a button until what it is for has happened, as a person would; return the number of presses."""
        presses = 0
        deadline = time.monotonic() + seconds
        while True:
            presses += 1
            try:
                self.post(path, **form)
                if done():
                    return presses
            except requests.RequestException:
                pass
            assert time.monotonic() < deadline, f"{path} did not come to its end"
            time.sleep(0.2)

    def shows(self, *phases: str, call_task_id: str | None = None, seconds: float = 40.0) -> Shown:
        """Wait until the console shows one of these phases (of this call task); outages are sat out."""

        def seen() -> Shown | None:
            try:
                shown = self.look()
            except requests.RequestException:
                return None
            is_it = call_task_id in (None, shown.call_task_id)
            return shown if shown.phase in phases and is_it else None

        return wait_for(seen, seconds, f"the console showing {' or '.join(phases)}")

    def becomes_available(self) -> None:
        """Say that call tasks are wanted."""
        self.insist("/console/presence", lambda: self.look().presence == "available", presence="available")

    def dials(self, call_task_id: str) -> Shown:
        """Dial until it is dialed, and not once more."""
        path = f"/console/call-tasks/{call_task_id}/dial"
        self.insist(path, lambda: self.look().phase in ("dialing", "talking", "wrapping", "gone"))
        return self.look()

    def ends(self, attempt_id: str) -> None:
        """End the call until it has ended."""
        self.insist(f"/console/attempts/{attempt_id}/end", lambda: self.look().phase in ("wrapping", "idle"))

    def wraps_up(self, call_task_id: str, disposition: str, note: str = "") -> None:
        """Save a wrap-up until it is saved: the console goes on to something else."""
        path = f"/console/call-tasks/{call_task_id}/wrap-up"
        self.insist(
            path,
            lambda: self.look().phase != "wrapping" or self.look().call_task_id != call_task_id,
            disposition=disposition,
            note=note,
        )


def shown_in(html: str) -> Shown:
    """Read the state from the page."""
    phase = re.search(r'data-phase="(\w+)"', html)
    assert phase, "no console in the answer"
    task = re.search(r'data-call-task="([0-9a-f-]{36})"', html)
    attempt = re.search(r'action="/console/attempts/([0-9a-f-]{36})/end"', html)
    presence = re.search(r"presence presence-(\w+)", html)
    return Shown(
        phase[1],
        task[1] if task else None,
        attempt[1] if attempt else None,
        presence[1] if presence else "",
        html,
    )


def _token(html: str) -> str:
    found = re.search(r'name="csrf-token"\s+content="([^"]+)"', html)
    assert found, "no CSRF token in the page"
    return found[1]
