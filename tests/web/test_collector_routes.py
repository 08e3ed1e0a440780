"""The collector's other routes: what SDKs fetch first, send on leaving, and ask before they send."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import orjson
import pytest
from sqlmodel import select

from callcenter.embedded import Servers
from callcenter.intake import policy
from callcenter.models import Customer, EventSource
from callcenter.runtime import Runtime
from callcenter.web.limits import collector_count, collector_limit
from tests.web.collector import KEY, Collector, basic, collector_on, track, zipped
from tests.web.conftest import app_on, settings_for

SITE = {"Origin": "https://app.bank.example"}
TAKEN = {"success": True, "accepted": 1, "duplicate": 0, "rejected": []}


@pytest.fixture(scope="module")
def collector(
    fresh_database: Callable[[str], str], server_pair: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Collector]:
    """One for the module; tests keep apart by the ids of their events and users."""
    home = tmp_path_factory.mktemp("collector")
    with collector_on(home, fresh_database("collector_routes"), server_pair.redis_url) as made:
        yield made


def test_an_import_is_taken_like_a_batch(collector: Collector) -> None:
    event = track(timestamp="2026-01-05T10:00:00Z")
    assert collector.post("/v1/import", {"batch": [event]}).json == TAKEN
    (row,) = collector.stored(event["messageId"])
    assert row.historical and row.event_time.isoformat() == "2026-01-05T10:00:00+00:00"


def test_a_page_that_is_left_sends_plain_text_without_a_header(collector: Collector) -> None:
    event = track()
    answer = collector.post(
        f"/beacon/v1/batch?writeKey={KEY}", {"batch": [event]}, SITE, content_type="text/plain"
    )
    assert answer.json == TAKEN and answer.headers["Access-Control-Allow-Origin"] == SITE["Origin"]
    assert len(collector.stored(event["messageId"])) == 1


def test_the_browser_sdk_of_segment_learns_to_send_here_and_to_load_nothing(collector: Collector) -> None:
    answer = collector.client.get(f"/v1/projects/{KEY}/settings", headers=SITE)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, SITE["Origin"])
    assert answer.json == {
        "integrations": {"Segment.io": {"apiKey": KEY}},
        "plan": {},
        "edgeFunction": {},
        "metrics": {"sampleRate": 0},
    }


@pytest.mark.parametrize(
    ("query", "headers"), [(f"?p=npm&v=3.34.1&writeKey={KEY}", {}), ("?p=npm&v=3.34.1", basic())]
)
def test_the_browser_sdk_of_rudderstack_learns_that_its_source_is_on(
    collector: Collector, query: str, headers: dict[str, str]
) -> None:
    answer = collector.client.get("/sourceConfig/" + query, headers=headers | SITE)
    assert answer.status_code == 200 and answer.json is not None
    assert answer.headers["Access-Control-Allow-Origin"] == SITE["Origin"]
    source = answer.json["source"]
    with collector.reading() as session:
        row = session.exec(select(EventSource)).one()
    assert (source["id"], source["name"], source["writeKey"]) == (str(row.id), "app", KEY)
    assert source["enabled"] is True and source["destinations"] == []
    assert source["config"]["statsCollection"] == {
        "errors": {"enabled": False},
        "metrics": {"enabled": False},
    }


def test_what_an_sdk_tells_about_itself_is_dropped(collector: Collector) -> None:
    before = collector.totals()
    answer = collector.client.post("/v1/m", data=b'{"series": []}', content_type="text/plain")
    assert (answer.status_code, answer.json) == (200, {"success": True})
    assert collector.client.post("/v1/m", data=b"\xff").status_code == 200
    assert collector.totals() == before


def test_a_picture_brings_an_event_in_its_address(collector: Collector) -> None:
    query = urlencode(
        {
            "writeKey": KEY,
            "anonymousId": "mail",
            "messageId": "pixel-1",
            "event": "mail_opened",
            "properties.campaign": "spring",
        }
    )
    answer = collector.client.get("/pixel/v1/track?" + query)
    assert (answer.status_code, answer.content_type) == (200, "image/gif")
    assert answer.data.startswith(b"GIF89a") and len(answer.data) == 42
    (row,) = collector.stored("pixel-1")
    assert (row.kind, row.name, row.properties) == ("track", "mail_opened", {"campaign": "spring"})


def test_a_picture_brings_a_whole_event_in_base64(collector: Collector) -> None:
    page = {"writeKey": KEY, "userId": "pixel", "messageId": "pixel-2", "properties": {"step": "profile"}}
    data = base64.urlsafe_b64encode(orjson.dumps(page)).decode().rstrip("=")
    assert collector.client.get(f"/pixel/v1/page?data={data}").status_code == 200
    (row,) = collector.stored("pixel-2")
    assert (row.kind, row.step) == ("page", "profile")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 401, "unknown_write_key"),
        ("?data=%21", 400, "invalid_json"),
        ("?data=W10", 400, "invalid_json"),
        (f"?writeKey={KEY}&context=a&context.page.path=b", 400, "bad_query"),
    ],
    ids=["no key", "not base64", "a list", "text and object"],
)
def test_a_picture_that_cannot_be_read_is_refused(
    collector: Collector, query: str, status: int, code: str
) -> None:
    answer = collector.client.get("/pixel/v1/track" + query)
    assert (answer.status_code, (answer.json or {})["code"]) == (status, code)


def test_a_picture_with_a_bad_event_is_a_picture_and_the_event_is_in_quarantine(collector: Collector) -> None:
    _, before = collector.totals()
    answer = collector.client.get(f"/pixel/v1/track?writeKey={KEY}&userId=u")
    assert (answer.status_code, answer.content_type) == (200, "image/gif")
    (kept,) = collector.refused(before)
    assert kept.code == "no_event_name"
    assert "writeKey" not in kept.raw["text"]


@pytest.mark.parametrize(
    "path", ["/v1/projects/unknown/settings", "/sourceConfig/", "/sourceConfig/?writeKey=no"]
)
def test_an_unknown_key_learns_nothing(collector: Collector, path: str) -> None:
    answer = collector.client.get(path)
    assert (answer.status_code, (answer.json or {})["code"]) == (401, "unknown_write_key")


def test_a_source_switched_off_learns_so_before_it_sends(collector: Collector) -> None:
    collector.switch(on=False)
    try:
        answer = collector.client.get(f"/v1/projects/{KEY}/settings")
    finally:
        collector.switch(on=True)
    assert (answer.status_code, (answer.json or {})["code"]) == (404, "source_disabled")


@pytest.mark.parametrize(
    "path",
    ["/v1/batch", "/v1/t", "/v1/page", "/v1/m", "/beacon/v1/batch", "/sourceConfig/", "/v1/cloudevents"],
)
def test_a_browser_that_asks_first_is_told_what_it_may_send(collector: Collector, path: str) -> None:
    asked = collector.client.options(path, headers=SITE | {"Access-Control-Request-Method": "POST"})
    assert (asked.status_code, asked.data) == (204, b"")
    headers = asked.headers
    assert headers["Access-Control-Allow-Origin"] == SITE["Origin"] and "Origin" in headers["Vary"]
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert headers["Access-Control-Allow-Methods"] == "GET,POST,OPTIONS"
    allowed = set(headers["Access-Control-Allow-Headers"].split(","))
    assert {"authorization", "content-type", "anonymousid", "sentat", "x-retry-count"} <= allowed
    assert headers["Access-Control-Max-Age"] == "900"
    assert headers["Access-Control-Expose-Headers"] == "Retry-After, X-RateLimit-Reset"


def test_a_key_that_sends_too_often_is_told_when_to_come_again_and_others_are_not(
    collector: Collector,
) -> None:
    collector.clock.go_on(seconds=60)
    now = collector.clock.now
    redis = collector.runtime.redis
    redis.set(collector_count(KEY, now), policy.MAX_REQUESTS_PER_SECOND - 1, ex=60)
    event = track()
    assert collector.batch(track()).status_code == 200, "the last one of this second"
    for answer in (
        collector.post("/v1/batch", zipped({"batch": [event]}), basic() | SITE),
        collector.post(f"/beacon/v1/batch?writeKey={KEY}", {"batch": [event]}, SITE),
        collector.client.get(f"/v1/projects/{KEY}/settings", headers=SITE),
    ):
        assert (answer.status_code, (answer.json or {})["code"]) == (429, "too_many_requests")
        assert answer.headers["Retry-After"] == "1"
        assert answer.headers["X-RateLimit-Reset"] == str(int(now.timestamp()) + 1)
        assert answer.headers["Access-Control-Allow-Origin"] == SITE["Origin"], "else no page can read it"
    assert collector.stored(event["messageId"]) == []
    assert collector_limit(collector.runtime, "another key", now) is None
    collector.clock.go_on(seconds=1)
    assert collector.batch(event).json == TAKEN


def test_the_count_of_a_key_ends_by_itself_and_does_not_hold_the_key(collector: Collector) -> None:
    now = collector.clock.now
    name = collector_count("a key nobody may read", now)
    assert collector_limit(collector.runtime, "a key nobody may read", now) is None
    assert 0 < int(collector.runtime.redis.ttl(name)) <= 2
    assert "nobody" not in name


def test_without_the_doorbell_nothing_is_limited(collector: Collector, tmp_path: Path) -> None:
    deaf = Runtime(
        settings_for(tmp_path, collector.runtime.database_url, "redis://127.0.0.1:1"), collector.clock
    )
    answer = app_on(deaf).test_client().post("/v1/t", json=track("deaf"), headers=basic())
    deaf.engine.dispose()
    assert answer.json == TAKEN
    with collector.reading() as session:
        assert session.exec(select(Customer).where(Customer.external_id == "deaf")).one()


@pytest.mark.parametrize("path", ["/beacon/v1/batch?writeKey=key", "/v1/cloudevents?writeKey=key"])
def test_a_database_that_is_away_is_json_on_every_route(
    collector: Collector, tmp_path: Path, path: str
) -> None:
    away = "postgresql://nobody:nothing@127.0.0.1:1/none"
    runtime = Runtime(settings_for(tmp_path, away, collector.runtime.redis_url), collector.clock)
    reader = SITE | {"Accept": "*/*"}
    answer = app_on(runtime).test_client().post(path, json={"batch": []}, headers=reader)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert set(answer.json or {}) == {"code", "message"}
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
