"""A softphone without a browser, and tokens for one."""

import json
import threading
from dataclasses import dataclass, field
from typing import Any

import requests
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant

from .sim import ACCOUNT_SID, API_KEY_SECRET, API_KEY_SID, APPLICATION_SID, Simulator, wait_for


def a_token(identity: str = "agent_1", *, ttl: int = 600, secret: str = API_KEY_SECRET, **grant: Any) -> str:
    """As the product makes it, with the SDK."""
    token = AccessToken(ACCOUNT_SID, API_KEY_SID, secret, identity=identity, ttl=ttl)
    asked = {"outgoing_application_sid": APPLICATION_SID, "incoming_allow": True} | grant
    token.add_grant(VoiceGrant(**asked))
    return str(token.to_jwt())


@dataclass
class Phone:
    """One session, with its stream read by a thread."""

    simulator: Simulator
    session: str
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    stream: requests.Response | None = None

    def ask(self, path: str, body: Any = None, method: str = "POST", **more: Any) -> requests.Response:
        address = f"{self.simulator.base_url}/_phone/sessions/{self.session}/{path}"
        return requests.request(method, address, json=body or {}, timeout=(5, 30), **more)

    def listen(self) -> None:
        self.stream = self.ask("events", method="GET", stream=True)
        threading.Thread(target=self._read, daemon=True).start()
        wait_for(lambda: self.told("ready"))

    def told(self, name: str) -> list[dict[str, Any]]:
        return [facts for event, facts in self.events if event == name]

    def close(self) -> None:
        self.ask("close")
        if self.stream is not None:
            self.stream.close()

    def _read(self) -> None:
        assert self.stream is not None
        name = ""
        try:
            for line in self.stream.iter_lines(chunk_size=1, decode_unicode=True):
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    self.events.append((name, json.loads(line.removeprefix("data: "))))
        except (requests.RequestException, AttributeError, ValueError):
            return


def open_phone(simulator: Simulator, token: str, *, registered: bool = True, **options: Any) -> Phone:
    asked = {"token": token} | options
    opened = requests.post(f"{simulator.base_url}/_phone/sessions", json=asked, timeout=5)
    assert opened.status_code == 201, opened.text
    phone = Phone(simulator, opened.json()["session"])
    phone.listen()
    if registered:
        assert phone.ask("register").status_code == 204
    return phone
