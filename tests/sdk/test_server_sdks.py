"""The public SDKs, as they are published, deliver every event once, whatever the collector answered first."""

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import rudderstack.analytics.client
import segment.analytics.client
from sqlmodel import select
from werkzeug.serving import make_server

from callcenter.embedded import Servers
from callcenter.models import Customer, JourneyEvent, Visit
from tests.web.collector import KEY, Collector, collector_on

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
SENT = [
    ("page", "Loan"),
    ("track", "sms_code_late"),
    ("identify", "identify"),
    ("page", "Photo"),
    ("track", "photo_rejected"),
]
"""What each sender below and `send.mjs` send, in this order: the first two before the sign-in."""
TRAITS = {"name": "Wei", "phone": "+8613800138000", "time_zone": "Asia/Shanghai"}

Send = Callable[[str, str, str], None]
"""Sends it all to a collector's address, for a user on a device, and comes back when it is delivered."""


@pytest.fixture(scope="module")
def collector(
    fresh_database: Callable[[str], str], server_pair: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Collector]:
    """One for the module; tests keep apart by user and device."""
    home = tmp_path_factory.mktemp("collector")
    with collector_on(home, fresh_database("sdk"), server_pair.redis_url) as made:
        yield made


class _Troubled:
    """Refuses the first request with 429; stores the second, and its answer is lost on the way: 503.

    The collector's clock is put to the senders': theirs is the machine's.
    """

    def __init__(self, collector: Collector) -> None:
        self.app, self.clock, self.answers = collector.app.wsgi_app, collector.clock, list[int]()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.clock.now = datetime.now(UTC)
        if not self.answers:
            environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            return self._refuse(429, "429 Too Many Requests", start_response)
        if len(self.answers) == 1:
            for _ in self.app(environ, lambda *_: None):
                pass
            return self._refuse(503, "503 Service Unavailable", start_response)
        self.answers.append(200)
        return self.app(environ, start_response)  # type: ignore[no-any-return]

    def _refuse(self, status: int, line: str, start_response: Any) -> Iterable[bytes]:
        self.answers.append(status)
        body = b'{"code": "come_again", "message": "Come again."}'
        start_response(
            line,
            [
                ("Retry-After", "1"),
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(body))),
            ],
        )
        return [body]


@contextmanager
def _serving(app: Any) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def _by_python(client: Callable[..., Any]) -> Send:
    def send(host: str, user: str, device: str) -> None:
        sdk = client(KEY, host=host, upload_interval=0.2, timeout=5)
        register = {"step": "register", "application_id": "a1"}
        sdk.page(None, None, "Loan", register, anonymous_id=device)
        sdk.track(None, "sms_code_late", register, anonymous_id=device)
        sdk.identify(user, TRAITS, anonymous_id=device)
        photo = {"step": "id_photo_front", "application_id": "a1"}
        sdk.page(user, None, "Photo", photo, anonymous_id=device)
        sdk.track(user, "photo_rejected", {"application_id": "a1"})
        sdk.shutdown()

    return send


def _node() -> str:
    """The machine's Node, else the virtual environment's."""
    found = shutil.which("node") or shutil.which(str(ROOT / ".venv" / "bin" / "node"))
    if not found:
        pytest.skip("there is no node on the PATH and none in .venv/bin")
    return found


def _by_node(package: str) -> Send:
    def send(host: str, user: str, device: str) -> None:
        node = _node()
        if not (ROOT / "node_modules" / package).is_dir():
            pytest.skip(f"{package} is not in node_modules; `make setup` fetches it")
        ran = subprocess.run(
            [node, str(Path(__file__).with_name("send.mjs")), host, KEY, user, device],
            env={"PATH": os.environ.get("PATH", ""), "NO_PROXY": "127.0.0.1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr

    return send


@pytest.mark.parametrize(
    "send",
    [
        pytest.param(_by_python(segment.analytics.client.Client), id="segment-python"),
        pytest.param(_by_python(rudderstack.analytics.client.Client), id="rudderstack-python"),
        pytest.param(_by_node("@segment/analytics-node"), id="segment-node"),
    ],
)
def test_every_event_is_stored_once_and_the_device_becomes_the_customer(
    collector: Collector, send: Send, request: pytest.FixtureRequest
) -> None:
    sender = request.node.callspec.id
    user, device = f"{sender}-user", f"{sender}-device"
    with collector.reading() as session:
        before = set(session.exec(select(JourneyEvent.id)))
    front = _Troubled(collector)
    with _serving(front) as host:
        send(host, user, device)
    assert front.answers[:2] == [429, 503] and 200 in front.answers[2:]
    with collector.reading() as session:
        rows = [row for row in session.exec(select(JourneyEvent)) if row.id not in before]
        person = session.exec(select(Customer).where(Customer.external_id == user)).one()
        visits = session.exec(select(Visit).where(Visit.customer_id == person.id)).all()
    assert sorted((row.kind, row.name) for row in rows) == sorted(SENT)
    assert {row.customer_id for row in rows} == {person.id}, "what came before the sign-in is theirs too"
    assert (person.name, person.number, person.time_zone) == tuple(TRAITS.values())
    assert {visit.step for visit in visits} == {"register", "id_photo"}
    assert [row for row in rows if row.clamped or row.historical] == []
