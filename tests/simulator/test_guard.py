"""It listens on loopback only, answers only its own, says little, and stops when told."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .sim import CALLER, Product, Simulator, start_simulator, wait_for

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "callcenter.telephony.simulator"]


def refused(*arguments: str) -> str:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    return done.stderr


def test_any_host_but_loopback_is_refused_in_one_line() -> None:
    line = refused("--port", "0", "--host", "0.0.0.0")
    assert line.count("\n") == 1
    assert "127.0.0.1 only" in line


def test_a_port_in_use_is_refused_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        line = refused("--port", str(taken.getsockname()[1]))
    assert line.count("\n") == 1
    assert "choose another --port" in line


def test_it_listens_on_the_loopback_address_alone(simulator: Simulator) -> None:
    port = int(simulator.base_url.rpartition(":")[2])
    listening = []
    for line in Path(f"/proc/{simulator.process.pid}/net/tcp").read_text().splitlines()[1:]:
        address, state = line.split()[1], line.split()[3]
        if state == "0A" and int(address.partition(":")[2], 16) == port:
            listening.append(address.partition(":")[0])
    assert listening == ["0100007F"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_foreign_page_cannot_drive_it(simulator: Simulator, headers: dict[str, str]) -> None:
    assert simulator.control("PUT", "clock", {"speed": 1}, headers=headers).status_code == 403
    assert simulator.control("GET", "calls", headers=headers).status_code == 403
    assert simulator.control("GET", "clock").json()["speed"] == 50.0


def test_its_own_page_can(simulator: Simulator) -> None:
    own = {"Origin": simulator.base_url, "Sec-Fetch-Site": "same-origin"}
    assert simulator.control("PUT", "clock", {"speed": 50}, headers=own).status_code == 200
    page = simulator.control("GET", "../")
    assert "Carrier simulator" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_no_whole_number_reaches_the_log(product: Product, tmp_path: Any) -> None:
    log = tmp_path / "log"
    with log.open("w") as stream:
        simulator = start_simulator(log=stream)
        to = "+12025554903"
        simulator.set_number("+12025554000", outcome="busy")
        callback = f"{product.base_url}/status?to=%2B12025554903"
        call = simulator.twilio.calls.create(to=to, from_=CALLER, url=callback, status_callback=callback)
        wait_for(lambda: product.at("/status"))
        assert simulator.stop() == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {"call.queued", "call.initiated", "call.completed", "webhook.delivered"} <= {
        line["event"] for line in lines
    }
    assert any(line.get("call") == call.sid for line in lines)
    assert not re.search(r"(?<![0-9A-Fa-f])\+?1\d{10}(?!\d)", log.read_text())


def test_it_imports_nothing_of_the_product_or_the_sdk() -> None:
    code = (
        "import sys, callcenter.telephony.simulator.__main__\n"
        "names = [n for n in sys.modules if n.split('.')[0] in ('callcenter', 'twilio', 'flask')]\n"
        "print([n for n in names if not n.startswith('callcenter.telephony.simulator')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stdout.strip() == "['callcenter', 'callcenter.telephony']"


def test_thousands_of_live_calls_need_no_thousands_of_threads(product: Product) -> None:
    simulator = start_simulator(cps=10_000, speed=1)
    try:
        for number in range(300):
            simulator.twilio.calls.create(to=f"+1202556{number:04d}", from_=CALLER, twiml="<Response/>")
        assert simulator.control("GET", "health").json()["live_calls"] > 250
        status = Path(f"/proc/{simulator.process.pid}/status").read_text()
        threads = int(re.search(r"Threads:\s+(\d+)", status)[1])  # type: ignore[index]
        assert threads < 40
    finally:
        assert simulator.stop() == 0
