"""The public server SDKs, as they are published, deliver every event once, whatever is answered first."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from time import sleep
from typing import Any

import pytest
import rudderstack.analytics.client
import segment.analytics.client

from tests.sdk.delivery import TRAITS, TROUBLES, assert_all_is_there_once, front_of
from tests.web.collector import KEY, Collector

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]

Send = Callable[[str, str, str], None]
"""Sends it all to a collector's address, for a user on a device, and comes back when it is delivered."""


def _by_python(client: Callable[..., Any]) -> Send:
    def send(host: str, user: str, device: str) -> None:
        sdk = client(KEY, host=host, upload_interval=0.2, timeout=5)
        register = {"step": "register", "application_id": "a1"}
        sdk.page(None, None, "Loan", register, anonymous_id=device)
        sleep(0.005)  # what happens in one millisecond has no order: Segment's writes times in whole ones
        sdk.track(None, "sms_code_late", register, anonymous_id=device)
        sleep(0.005)
        sdk.identify(user, TRAITS, anonymous_id=device)
        sleep(0.005)
        photo = {"step": "id_photo_front", "application_id": "a1"}
        sdk.page(user, None, "Photo", photo, anonymous_id=device)
        sleep(0.005)
        sdk.track(user, "photo_rejected", {"application_id": "a1"})
        sdk.shutdown()

    return send


def _node() -> str:
    """The machine's Node, else the virtual environment's."""
    found = shutil.which("node") or shutil.which(str(ROOT / ".venv" / "bin" / "node"))
    if not found:
        pytest.skip("there is no node on the PATH and none in .venv/bin")
    return found


def _by_node(sdk: str, package: str) -> Send:
    def send(host: str, user: str, device: str) -> None:
        node = _node()
        if not (ROOT / "node_modules" / package).is_dir():
            pytest.skip(f"{package} is not in node_modules; `make setup` fetches it")
        ran = subprocess.run(
            [node, str(Path(__file__).with_name("send.mjs")), sdk, host, KEY, user, device],
            env={"PATH": os.environ.get("PATH", ""), "NO_PROXY": "127.0.0.1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr

    return send


SENDERS = {
    "segment-python": _by_python(segment.analytics.client.Client),
    "segment-node": _by_node("segment", "@segment/analytics-node"),
    "rudderstack-python": _by_python(rudderstack.analytics.client.Client),
    "rudderstack-node": _by_node("rudderstack", "@rudderstack/rudder-sdk-node"),
}


@pytest.mark.parametrize("sender", SENDERS)
def test_every_event_is_stored_once_and_the_device_becomes_the_customer(
    collector: Collector, sender: str
) -> None:
    user = f"{sender}-user"
    with front_of(collector) as front:
        SENDERS[sender](front.host, user, f"{user}-device")
    assert {(answer.path, answer.status) for answer in front.answers} == {("/v1/batch", 200)}
    assert_all_is_there_once(front, user)


@pytest.mark.parametrize("sender", SENDERS)
def test_what_was_refused_or_lost_its_answer_comes_again_and_is_stored_once(
    collector: Collector, sender: str
) -> None:
    """All four try again after 429 and after 503, with the same ids.

    After 429 they come again when they were told to, by Retry-After; but RudderStack's for Python, which
    does not read it, comes again after a time of its own, drawn between 0 and 1 s.
    """
    user = f"{sender}-user-in-trouble"
    with front_of(collector, TROUBLES) as front:
        SENDERS[sender](front.host, user, f"{user}-device")
    statuses = [answer.status for answer in front.answers]
    assert statuses[:2] == list(TROUBLES) and set(statuses[2:]) == {200}
    assert front.waited_after_429() >= (0.0 if sender == "rudderstack-python" else 1.0)
    assert_all_is_there_once(front, user)
