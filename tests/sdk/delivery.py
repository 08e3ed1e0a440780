"""What every SDK sends, the collector as an SDK meets it, and what must be stored in the end."""

import gzip
import io
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from sqlmodel import select
from werkzeug.datastructures import Headers
from werkzeug.serving import make_server
from werkzeug.test import run_wsgi_app

from callcenter.intake import policy
from callcenter.models import Customer, JourneyEvent, Visit
from callcenter.web.limits import collector_count
from tests.web.collector import KEY, Collector

BEFORE_SIGN_IN = [("page", "Loan"), ("track", "sms_code_late")]
SENT = [*BEFORE_SIGN_IN, ("identify", "identify"), ("page", "Photo"), ("track", "photo_rejected")]
"""What every sender sends, in this order. `test_server_sdks.py`, `send.mjs` and `pages/way.js` say it in the
language of each SDK."""
TRAITS = {"name": "Wei", "phone": "+8613800138000", "time_zone": "Asia/Shanghai"}
TROUBLES = (429, 503)
"""The first request is refused; the second is stored, and its answer is lost on the way."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One request with events: when it was answered (seconds of a steady clock), how, and which events."""

    at: float
    path: str
    status: int
    message_ids: frozenset[str]


class Front:
    """The collector as an SDK meets it: first with the troubles given, then as it is.

    The collector's clock is put to the senders': theirs is the machine's.
    """

    def __init__(self, collector: Collector, troubles: Iterable[int]) -> None:
        self.collector, self.host = collector, ""
        self.answers = list[Answered]()
        self.rows_before, self.quarantined_before = _rows(collector).keys(), collector.totals()[1]
        self._troubles, self._one_at_a_time = list(troubles), threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with self._one_at_a_time:
            self.collector.clock.now = datetime.now(UTC)
            if environ["REQUEST_METHOD"] != "POST" or environ["PATH_INFO"] == "/v1/m":
                status, headers, body = self._pass_on(environ)
            else:
                status, headers, body = self._answer(environ)
        start_response(f"{status} {HTTPStatus(status).phrase}", headers.to_wsgi_list())
        return [body]

    @property
    def delivered(self) -> set[str]:
        """The events the sender was told have arrived."""
        return {one for answer in self.answers if answer.status == 200 for one in answer.message_ids}

    def waited_after_429(self) -> float:
        """Seconds from the 429 until one of its events came again."""
        refused = next(answer for answer in self.answers if answer.status == 429)
        later = self.answers[self.answers.index(refused) + 1 :]
        return next(answer.at for answer in later if answer.message_ids & refused.message_ids) - refused.at

    def _answer(self, environ: dict[str, Any]) -> tuple[int, Headers, bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ = {**environ, "wsgi.input": io.BytesIO(body)}
        trouble = self._troubles.pop(0) if self._troubles else None
        answer = self._asked_too_often(environ) if trouble == 429 else self._pass_on(environ)
        if trouble == 503:
            answer = _lost(answer[1])
        self.answers.append(Answered(time.monotonic(), environ["PATH_INFO"], answer[0], _ids(body)))
        return answer

    def _asked_too_often(self, environ: dict[str, Any]) -> tuple[int, Headers, bytes]:
        """The collector's own 429: its count of this second's requests is full."""
        count = collector_count(KEY, self.collector.clock.now)
        self.collector.runtime.redis.set(count, policy.MAX_REQUESTS_PER_SECOND, ex=2)
        answer = self._pass_on(environ)
        self.collector.runtime.redis.delete(count)
        return answer

    def _pass_on(self, environ: dict[str, Any]) -> tuple[int, Headers, bytes]:
        body, status, headers = run_wsgi_app(self.collector.app.wsgi_app, environ, buffered=True)
        return int(status.split()[0]), headers, b"".join(body)


def _lost(headers: Headers) -> tuple[int, Headers, bytes]:
    body = b'{"code": "unavailable", "message": "Come again."}'
    headers["Content-Length"], headers["Retry-After"] = str(len(body)), "1"
    return 503, headers, body


def _ids(body: bytes) -> frozenset[str]:
    sent = json.loads(gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body)
    return frozenset(event["messageId"] for event in sent.get("batch", [sent]))


@contextmanager
def serving(app: Callable[..., Any]) -> Iterator[str]:
    """Serve a WSGI application on a free port of loopback; its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


@contextmanager
def front_of(collector: Collector, troubles: Iterable[int] = ()) -> Iterator[Front]:
    """The collector at an address of its own, behind the troubles given."""
    front = Front(collector, troubles)
    with serving(front) as host:
        front.host = host
        yield front


def assert_all_is_there_once(front: Front, user: str) -> None:
    """Everything sent through this front is stored once and this customer's, from before the sign-in too."""
    collector = front.collector
    assert len(front.delivered) == len(SENT), "the sender was told that every event arrived"
    assert collector.totals()[1] == front.quarantined_before, "nothing was refused"
    rows = [row for key, row in _rows(collector).items() if key not in front.rows_before]
    with collector.reading() as session:
        person = session.exec(select(Customer).where(Customer.external_id == user)).one()
        visits = session.exec(select(Visit).where(Visit.customer_id == person.id)).all()
    assert sorted((row.kind, row.name) for row in rows) == sorted(SENT)
    assert {row.message_id for row in rows} == front.delivered
    assert {row.customer_id for row in rows} == {person.id}, "what came before the sign-in is theirs too"
    assert (person.name, person.number, person.time_zone) == tuple(TRAITS.values())
    assert {visit.step for visit in visits} == {"register", "id_photo"}
    assert [visit.step for visit in visits if visit.closed_at is None] == ["id_photo"]
    assert [row for row in rows if row.clamped or row.historical] == []


def _rows(collector: Collector) -> dict[Any, JourneyEvent]:
    with collector.reading() as session:
        return {row.id: row for row in session.exec(select(JourneyEvent))}
