"""The collector takes what existing SDKs send, each event once, and says so in their words."""

import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from segment.analytics.client import Client
from sqlmodel import select
from werkzeug.serving import make_server

from callcenter.embedded import Servers
from callcenter.models import Customer, TriggerFiring, Visit
from callcenter.runtime import Runtime
from tests.web.collector import KEY, Collector, basic, collector_on, track, zipped
from tests.web.conftest import app_on, settings_for


@pytest.fixture(scope="module")
def collector(
    fresh_database: Callable[[str], str], server_pair: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Collector]:
    """One for the module; tests keep apart by the ids of their events and users."""
    home = tmp_path_factory.mktemp("collector")
    with collector_on(home, fresh_database("collector"), server_pair.redis_url) as made:
        yield made


def _taken(accepted: int = 1, duplicate: int = 0) -> dict[str, Any]:
    return {"success": True, "accepted": accepted, "duplicate": duplicate, "rejected": []}


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b"])
def test_a_batch_is_stored_and_answered_with_200_and_a_body(collector: Collector, path: str) -> None:
    events = [track(), track()]
    answer = collector.post(path, {"batch": events})
    assert (answer.status_code, answer.json) == (200, _taken(2))
    assert answer.content_type == "application/json"
    assert len(collector.stored(*(event["messageId"] for event in events))) == 2


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        *((f"/v1/{kind}", kind) for kind in ("track", "page", "screen", "identify", "group", "alias")),
        *zip(
            ("/v1/t", "/v1/p", "/v1/s", "/v1/i", "/v1/g", "/v1/a"),
            ("track", "page", "screen", "identify", "group", "alias"),
            strict=True,
        ),
    ],
)
def test_the_type_of_a_single_event_is_in_its_path(collector: Collector, path: str, kind: str) -> None:
    event = track(previousId="before")
    del event["type"]
    assert collector.post(path, event).json == _taken()
    (row,) = collector.stored(event["messageId"])
    assert row.kind == kind


@pytest.mark.parametrize(
    "content_type",
    ["application/json;charset=UTF-8", "text/plain", "application/x-www-form-urlencoded", "", "image/png"],
)
@pytest.mark.parametrize("is_zipped", [False, True], ids=["plain", "gzip"])
def test_the_body_is_read_whatever_its_content_type_says(
    collector: Collector, content_type: str, is_zipped: bool
) -> None:
    body = {"batch": [track()]}
    headers = basic() | ({"Content-Encoding": "gzip"} if is_zipped else {})
    answer = collector.post(
        "/v1/batch", zipped(body) if is_zipped else body, headers, content_type=content_type
    )
    assert answer.json == _taken()


def test_gzip_is_known_by_its_first_bytes_too(collector: Collector) -> None:
    assert collector.post("/v1/batch", zipped({"batch": [track()]})).json == _taken()


@pytest.mark.parametrize(
    ("headers", "in_body", "query"),
    [
        (basic(KEY, ":"), None, ""),
        (basic(KEY, ""), None, ""),
        (basic(KEY, ":password"), None, ""),
        ({}, KEY, ""),
        ({}, None, f"?writeKey={KEY}"),
        ({"Authorization": "Basic !!!"}, KEY, ""),
        ({"Authorization": "Basic é"}, KEY, ""),
        ({"Authorization": "Bearer x"}, KEY, ""),
    ],
)
def test_the_write_key_may_come_by_header_body_or_query(
    collector: Collector, headers: dict[str, str], in_body: str | None, query: str
) -> None:
    body = {"batch": [track()], "writeKey": in_body}
    assert collector.post("/v1/batch" + query, body, headers).json == _taken()


def test_the_same_message_id_is_stored_once_in_a_batch_and_over_batches(collector: Collector) -> None:
    event = track()
    assert collector.batch(event, event, track()).json == _taken(2, 1)
    assert collector.batch(event).json == _taken(0, 1)
    assert len(collector.stored(event["messageId"])) == 1


def test_events_without_an_id_are_told_apart_by_what_they_say_and_when(collector: Collector) -> None:
    def nameless(**more: Any) -> dict[str, Any]:
        return {key: value for key, value in track("nameless", **more).items() if key != "messageId"}

    at = collector.clock.now.isoformat()
    assert collector.batch(nameless(timestamp=at), nameless(timestamp=at)).json == _taken(1, 1)
    traits = [nameless(type="identify", timestamp=at, traits={"city": city}) for city in ("Wuxi", "Suzhou")]
    assert collector.batch(*traits).json == _taken(2)
    collector.clock.go_on(seconds=5)
    assert collector.batch(nameless(), nameless()).json == _taken(1, 1)
    collector.clock.go_on(seconds=5)
    assert collector.batch(nameless()).json == _taken(), "nobody said that it is the same one"


def test_batch_context_and_sending_time_are_inherited(collector: Collector) -> None:
    now = collector.clock.now
    page = {"type": "page", "userId": "inherits", "messageId": "inherits-1", "name": "Loan"}
    page["timestamp"] = (now - timedelta(minutes=61)).isoformat()
    sent_at = (now - timedelta(minutes=60)).isoformat()  # the sender's clock is an hour slow
    collector.batch(page, context={"page": {"path": "profile"}}, sentAt=sent_at)
    (row,) = collector.stored("inherits-1")
    assert (row.step, row.event_time) == ("profile", now - timedelta(minutes=1))


@pytest.mark.parametrize(
    ("sent", "happened", "stored", "clamped", "historical"),
    [
        pytest.param(None, -30, -30, False, False, id="no sending time: the event's own time"),
        pytest.param(-1.9, -30, -30, False, False, id="a skew under two seconds is left alone"),
        pytest.param(-100, -130, -30, False, False, id="a slow clock is put right"),
        pytest.param(900, 870, -30, False, False, id="a fast clock is put right"),
        pytest.param(None, 119, 119, False, False, id="a little ahead is left alone"),
        pytest.param(None, 3600, 0, True, False, id="far ahead is set to now"),
        pytest.param(None, -86_401, -86_401, False, True, id="older than a day is history"),
    ],
)
def test_the_senders_clock_is_corrected_by_its_own_differences(
    collector: Collector, sent: float | None, happened: float, stored: float, clamped: bool, historical: bool
) -> None:
    now = collector.clock.now
    event = track(timestamp=(now + timedelta(seconds=happened)).isoformat())
    if sent is not None:
        event["sentAt"] = (now + timedelta(seconds=sent)).isoformat()
    assert collector.batch(event).json == _taken()
    (row,) = collector.stored(event["messageId"])
    assert (row.event_time, row.clamped, row.historical) == (
        now + timedelta(seconds=stored),
        clamped,
        historical,
    )


def test_history_is_stored_and_fires_nothing(collector: Collector) -> None:
    at = (collector.clock.now - timedelta(days=2)).isoformat()
    events = [
        track("historian", event=name, timestamp=at, properties={"application_id": "old"})
        for name in ("id_photo_front", "photo_rejected", "photo_rejected", "photo_rejected")
    ]
    assert collector.batch(*events).json == _taken(4)
    with collector.reading() as session:
        person = session.exec(select(Customer).where(Customer.external_id == "historian")).one()
        assert session.exec(select(TriggerFiring).where(TriggerFiring.customer_id == person.id)).all() == []
        visits = session.exec(select(Visit).where(Visit.customer_id == person.id)).all()
        assert [visit.wake_at for visit in visits] in ([], [None])
    assert {row.historical for row in collector.stored(*(e["messageId"] for e in events))} == {True}


def test_an_event_no_journey_knows_is_stored_without_a_place(collector: Collector) -> None:
    event = track("lost", event="never_heard_of", properties={"application_id": "a"})
    page = {**track("lost", name="Somewhere", properties={"step": "step-99"}), "type": "page"}
    assert collector.batch(event, page).json == _taken(2)
    rows = collector.stored(event["messageId"], page["messageId"])
    assert [(row.journey, row.step, row.properties) for row in rows] == [
        (None, None, {"application_id": "a"}),
        (None, None, {"step": "step-99"}),
    ]


def test_traits_are_read_from_the_call_or_from_its_context(collector: Collector) -> None:
    collector.post("/v1/identify", {"userId": "t1", "traits": {"name": "One", "vip": True}})
    collector.post("/v1/identify", {"userId": "t2", "context": {"traits": {"name": "Two"}}})
    with collector.reading() as session:
        people = {row.external_id: row for row in session.exec(select(Customer))}
    assert (people["t1"].name, people["t1"].traits["vip"], people["t2"].name) == ("One", True, "Two")


def test_a_browser_on_another_site_may_send_and_read_when_to_come_again(collector: Collector) -> None:
    site = {"Origin": "https://app.bank.example", "Access-Control-Request-Method": "POST"}
    asked = collector.client.options("/v1/t", headers=site)
    assert asked.status_code in (200, 204)
    assert asked.headers["Access-Control-Allow-Origin"] == "https://app.bank.example"
    assert "authorization" in asked.headers["Access-Control-Allow-Headers"]
    sent = collector.post("/v1/t", track(), basic() | {"Origin": "https://app.bank.example"})
    assert "Retry-After" in sent.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Origin" not in collector.post("/v1/t", track()).headers


class _AwayOnce:
    """Answers the first request with 503 and a time to come again; the application answers the others."""

    def __init__(self, app: Any) -> None:
        self.app, self.asked = app, 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.asked += 1
        if self.asked > 1:
            return self.app(environ, start_response)  # type: ignore[no-any-return]
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response("503 Service Unavailable", [("Retry-After", "0"), ("Content-Length", "0")])
        return [b""]


@pytest.mark.parametrize("is_zipped", [False, True], ids=["plain", "gzip"])
def test_the_public_python_sdk_delivers_each_event_once_though_we_were_away(
    collector: Collector, is_zipped: bool
) -> None:
    front = _AwayOnce(collector.app.wsgi_app)
    server = make_server("127.0.0.1", 0, front, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    user = f"sdk-{is_zipped}"
    try:
        sdk = Client(
            KEY, host=f"http://127.0.0.1:{server.port}", gzip=is_zipped, upload_interval=0.05, timeout=5
        )
        sdk.identify(user, {"name": "Wei", "phone": "+8613800138000", "time_zone": "Asia/Shanghai"})
        sdk.page(user, "Loan", "register", {"step": "register", "application_id": "a1"})
        sdk.track(user, "sms_code_late", {"application_id": "a1"})
        sdk.shutdown()
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
    assert front.asked >= 2
    with collector.reading() as session:
        person = session.exec(select(Customer).where(Customer.external_id == user)).one()
        visit = session.exec(select(Visit).where(Visit.customer_id == person.id)).one()
    assert (person.name, person.number, person.time_zone) == ("Wei", "+8613800138000", "Asia/Shanghai")
    assert (visit.step, visit.errors, visit.last_error) == ("register", 1, "sms_code_late")


def test_a_database_that_is_away_is_said_so_and_nothing_is_accepted(
    collector: Collector, tmp_path: Path
) -> None:
    away = "postgresql://nobody:nothing@127.0.0.1:1/none"
    runtime = Runtime(settings_for(tmp_path, away, collector.runtime.redis_url), collector.clock)
    event = track()
    answer = app_on(runtime).test_client().post("/v1/t", json=event, headers=basic())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json == {
        "code": "unavailable",
        "message": "The database does not answer. Try again in a few seconds.",
    }
    assert collector.stored(event["messageId"]) == []
    assert collector.batch(event).json == _taken(), "the same event is taken when the database is back"
