"""Many calls at once: the rate is kept, every webhook arrives, threads and memory do not follow the calls."""

import re
import threading
import time
from pathlib import Path

import pytest
import requests

from .sim import ACCOUNT_SID, AUTH_TOKEN, CALLER, Product, Simulator, start_simulator, wait_for

pytestmark = pytest.mark.slow

CALLS = 600
CALLERS = 6
EVENTS = ("initiated", "ringing", "answered", "completed")


def process_facts(simulator: Simulator) -> tuple[int, int]:
    """Threads and megabytes."""
    status = Path(f"/proc/{simulator.process.pid}/status").read_text()
    found = {name: int(re.search(rf"{name}:\s+(\d+)", status)[1]) for name in ("Threads", "VmRSS")}  # type: ignore[index]
    return found["Threads"], found["VmRSS"] // 1_024


def place_some(simulator: Simulator, product: Product, caller: int) -> None:
    with requests.Session() as http:
        http.auth = (ACCOUNT_SID, AUTH_TOKEN)
        address = f"{simulator.base_url}/2010-04-01/Accounts/{ACCOUNT_SID}/Calls.json"
        for number in range(CALLS // CALLERS):
            form = [
                ("To", f"+1202{caller:02d}{number:05d}"),
                ("From", CALLER),
                ("Url", f"{product.base_url}/answer"),
                ("StatusCallback", f"{product.base_url}/status"),
                *[("StatusCallbackEvent", event) for event in EVENTS],
            ]
            assert http.post(address, data=form, timeout=20).status_code == 201


def test_hundreds_of_calls_at_once_cost_no_threads_and_lose_nothing(product: Product) -> None:
    product.answers["/answer"] = "<Response><Pause length='600'/></Response>"
    simulator = start_simulator(cps=10_000, speed=1)
    try:
        campaign = {"shares": {"human": 1}, "ring_s": 1, "talk_s": 600, "patience_s": 600}
        simulator.control("PUT", "campaigns/+1", campaign)
        began = time.monotonic()
        threads = [
            threading.Thread(target=place_some, args=(simulator, product, caller))
            for caller in range(CALLERS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert CALLS / (time.monotonic() - began) > 50, "calls a second, on a machine that may be busy"
        wait_for(lambda: len(product.at("/answer")) == CALLS, 60)
        assert simulator.control("GET", "health").json()["live_calls"] == CALLS
        count, megabytes = process_facts(simulator)
        assert count < 40
        assert megabytes < 120
        facts = simulator.control("GET", "invariants").json()
        assert (facts["most_calls_to_one_number"], facts["webhooks_undelivered"]) == (1, 0)
    finally:
        assert simulator.stop() == 0
