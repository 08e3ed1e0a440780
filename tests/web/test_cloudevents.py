"""CloudEvents in their three modes become events of the customer in `subject`, each once."""

import base64
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from sqlmodel import select

from callcenter.embedded import Servers
from callcenter.intake.cloudevents import attributes_of_headers, read_cloud_events
from callcenter.models import Customer
from tests.factories import NOON_IN_SHANGHAI
from tests.web.collector import Collector, basic, collector_on, zipped

PATH = "/v1/cloudevents"
_ids = count(1)


@pytest.fixture(scope="module")
def collector(
    fresh_database: Callable[[str], str], server_pair: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Collector]:
    """One for the module; tests keep apart by the ids of their events and users."""
    home = tmp_path_factory.mktemp("collector")
    with collector_on(home, fresh_database("cloudevents"), server_pair.redis_url) as made:
        yield made


def _event(**more: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"e{next(_ids)}",
        "source": "/core/accounts",
        "type": "asset_moved",
        "subject": "c-1",
        "time": NOON_IN_SHANGHAI.isoformat(),
        "data": {"amount": 250_000},
        **more,
    }


def _answer(accepted: int = 1, duplicate: int = 0) -> dict[str, Any]:
    return {"success": True, "accepted": accepted, "duplicate": duplicate, "rejected": []}


def _message_id(event: dict[str, Any]) -> str:
    (value,) = read_cloud_events([event], NOON_IN_SHANGHAI).events
    return value.message_id


@pytest.mark.parametrize("content_type", ["application/cloudevents+json", "application/json", "text/plain"])
def test_a_structured_event_is_stored_with_its_customer_name_time_and_data(
    collector: Collector, content_type: str
) -> None:
    at = collector.clock.now - timedelta(seconds=90)
    event = _event(subject=f"structured-{content_type}", time=at.isoformat())
    assert collector.post(PATH, event, content_type=content_type).json == _answer()
    (row,) = collector.stored(_message_id(event))
    assert (row.kind, row.name, row.event_time) == ("track", "asset_moved", at)
    assert row.properties == {"amount": 250_000}
    with collector.reading() as session:
        assert session.get_one(Customer, row.customer_id).external_id == event["subject"]


@pytest.mark.parametrize("is_zipped", [False, True], ids=["plain", "gzip"])
def test_a_batch_is_a_list_and_each_event_is_stored_once(collector: Collector, is_zipped: bool) -> None:
    first, second = _event(), _event()
    body: Any = [first, second, first]
    answer = collector.post(
        PATH, zipped(body) if is_zipped else body, content_type="application/cloudevents-batch+json"
    )
    assert answer.json == _answer(2, 1)
    assert collector.post(PATH, first).json == _answer(0, 1)
    assert collector.post(PATH, []).json == _answer(0)


def test_binary_mode_has_the_attributes_in_headers_and_the_data_in_the_body(collector: Collector) -> None:
    event = _event(subject="客户 7")
    data = event.pop("data")
    headers = {f"ce-{name}": value for name, value in event.items()} | {
        "ce-subject": "%E5%AE%A2%E6%88%B7%207",
        "ce-type": '"asset_moved"',
    }
    assert collector.post(PATH, data, basic() | headers, content_type="application/json").json == _answer()
    assert collector.post(PATH, {**event, "data": data}).json == _answer(0, 1), "the same in another mode"
    (row,) = collector.stored(_message_id(event))
    assert row.properties == data
    with collector.reading() as session:
        assert (
            session.exec(select(Customer).where(Customer.external_id == "客户 7")).one().id == row.customer_id
        )
    bare = _event()
    del bare["data"]
    headers = {f"CE-{name.title()}": value for name, value in bare.items()}
    assert collector.post(PATH, b"", basic() | headers).json == _answer(), "an event may have no data"


def test_the_write_key_may_stand_in_the_query(collector: Collector) -> None:
    assert collector.post(PATH + "?writeKey=key", _event(), {}).json == _answer()
    assert collector.post(PATH, _event(), {}).status_code == 401


def test_the_same_id_of_two_sources_is_two_events(collector: Collector) -> None:
    one = _event(source="a#b", id="c")
    assert collector.post(PATH, [one, {**one, "source": "a", "id": "b#c"}]).json == _answer(2)


def test_an_event_of_a_journey_opens_its_visit(collector: Collector) -> None:
    event = _event(subject="journeyer", type="id_photo_front", data={"application_id": "a"})
    collector.post(PATH, event)
    (row,) = collector.stored(_message_id(event))
    assert (row.journey, row.journey_key) == ("loan", "a")


REFUSED: list[Any] = [
    pytest.param("text", "not_an_object", id="text"),
    pytest.param(_event(id=""), "missing_attribute", id="no id"),
    pytest.param(_event(source=None), "missing_attribute", id="no source"),
    pytest.param(_event(type=5), "missing_attribute", id="type is a number"),
    pytest.param(_event(subject=None), "missing_attribute", id="no subject"),
    pytest.param(_event(specversion="0.3"), "unknown_specversion", id="an old version"),
    pytest.param(_event(time=1_800_000_000), "bad_time", id="time is a number"),
    pytest.param(_event(time="yesterday"), "bad_time", id="a time in words"),
    pytest.param(_event(data=[1]), "wrong_type", id="data is a list"),
    pytest.param(_event(data="x"), "wrong_type", id="data is text"),
    pytest.param(_event(data=None, data_base64="!"), "wrong_type", id="not base64"),
    pytest.param(_event(data=None, data_base64=5), "wrong_type", id="base64 is a number"),
    pytest.param(_event(data=None, data_base64="AAEC"), "wrong_type", id="no JSON in base64"),
    pytest.param(_event(id="\ud800"), "not_json", id="a lone surrogate"),
    pytest.param(_event(subject="s" * 257), "bad_id", id="a subject of 257 letters"),
    pytest.param(_event(data={"text": "x" * 33_000}), "event_too_large", id="over 32 KB"),
    pytest.param(_event(data={"amount": float("nan")}), "not_finite", id="not finite"),
]


@pytest.mark.parametrize(("bad", "code"), REFUSED)
def test_a_bad_event_is_refused_alone_with_its_own_place(bad: Any, code: str) -> None:
    found = read_cloud_events([_event(), bad, _event()], NOON_IN_SHANGHAI)
    assert len(found.events) == 2
    (refused,) = found.rejections
    assert (refused.index, refused.code, refused.raw) == (1, code, bad)


def test_what_is_refused_is_told_and_kept(collector: Collector) -> None:
    _, before = collector.totals()
    answer = collector.post(PATH, [_event(), _event(subject="")])
    assert answer.status_code == 200 and answer.json is not None
    assert answer.json["accepted"] == 1
    assert [(one["index"], one["code"]) for one in answer.json["rejected"]] == [(1, "missing_attribute")]
    assert [kept.code for kept in collector.refused(before)] == ["missing_attribute"]


def test_data_in_base64_is_read() -> None:
    packed = base64.b64encode(b'{"amount": 5}').decode()
    (value,) = read_cloud_events([_event(data=None, data_base64=packed)], NOON_IN_SHANGHAI).events
    assert value.properties == {"amount": 5}


def test_an_event_without_a_time_happened_when_it_came() -> None:
    event = _event()
    del event["time"]
    (value,) = read_cloud_events([event], NOON_IN_SHANGHAI).events
    assert value.event_time == NOON_IN_SHANGHAI


@pytest.mark.parametrize("body", [b"", b"5", b"{", b"\xff"])
def test_a_body_that_is_no_event_is_refused_whole(collector: Collector, body: bytes) -> None:
    answer = collector.post(PATH, body)
    assert (answer.status_code, (answer.json or {})["code"]) == (400, "invalid_json")


def test_a_header_that_is_not_utf_8_is_refused(collector: Collector) -> None:
    headers = basic() | {"ce-specversion": "1.0", "ce-subject": "%ff"}
    answer = collector.post(PATH, b"{}", headers)
    assert (answer.status_code, (answer.json or {})["code"]) == (400, "bad_header")


def test_only_ce_headers_are_attributes() -> None:
    headers = [("Content-Type", "application/json"), ("Ce-Id", "a%20b"), ("CE-SUBJECT", '"x"')]
    assert attributes_of_headers(headers) == {"id": "a b", "subject": "x"}
