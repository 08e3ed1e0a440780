"""Whatever is sent, the collector answers as its document says, and never with a fault of its own."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from callcenter.embedded import Servers
from callcenter.web.collector_openapi import DOCUMENT
from tests.web.collector import Collector, basic, collector_on, track

pytestmark = pytest.mark.slow

CONFORMS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
"""What every answer is held to. What is refused with 200 is ours to say: the SDKs' contract."""
CONTRACT = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = [
    pytest.param(operation.ok(), id=operation.ok().label) for operation in CONTRACT.get_all_operations()
]


def everyday(examples: int) -> settings:
    """Settings of a run that is the same each time."""
    return settings(
        max_examples=examples, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
    )


@pytest.fixture(scope="module")
def collector(
    fresh_database: Callable[[str], str], server_pair: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Collector]:
    """One for the module; what it keeps is of no interest."""
    home = tmp_path_factory.mktemp("collector")
    with collector_on(home, fresh_database("collector_fuzz"), server_pair.redis_url) as made:
        # One second a request: how many may come in a second is not what is asked here.
        @made.app.before_request
        def go_on() -> None:
            made.clock.go_on(seconds=1)

        yield made


@pytest.mark.parametrize("operation", OPERATIONS)
@given(data=st.data(), is_valid=st.booleans(), has_key=st.integers(0, 3))
@everyday(8)
def test_every_route_answers_as_the_document_says(
    collector: Collector,
    operation: APIOperation[Any, Any, Any, Any],
    data: st.DataObject,
    is_valid: bool,
    has_key: int,
) -> None:
    mode = GenerationMode.POSITIVE if is_valid else GenerationMode.NEGATIVE
    try:
        case = data.draw(operation.as_strategy(mode))
    except Unsatisfiable:  # nothing that could be sent to this route would break its document
        return
    headers = basic() if has_key else None
    case.call_and_validate(headers=headers, checks=CONFORMS, app=collector.app)


TEXTS = st.text(st.characters(codec=None), max_size=20) | st.sampled_from(
    [
        "",
        "\x00",
        "\ud800",
        "2026-11-21T14:20:53Z",
        "9999-12-31T23:59:59-12:00",
        "-0",
        "page",
        "register",
        "u" * 300,
    ]
)
NUMBERS = st.integers() | st.floats() | st.sampled_from([2**63, -(2**63) - 1, 10**30, 1e308, -1e-300, 2**53])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)
MEMBERS = (
    *("type", "messageId", "userId", "anonymousId", "previousId", "event", "name", "properties", "traits"),
    *("context", "timestamp", "originalTimestamp", "sentAt", "integrations"),
)
KINDS = st.sampled_from(["track", "page", "screen", "identify", "alias", "group"])


@given(
    kind=KINDS,
    odd=st.dictionaries(st.sampled_from(MEMBERS), VALUES, max_size=3),
    inside=st.dictionaries(
        st.sampled_from(["step", "path", "application_id", "phone", "tags", "page"]), VALUES
    ),
    place=st.sampled_from(["properties", "traits", "context"]),
    batch=st.dictionaries(
        st.sampled_from(["context", "sentAt", "timestamp", "integrations"]), VALUES, max_size=1
    ),
)
@everyday(120)
def test_an_odd_value_anywhere_spoils_at_most_its_own_event(
    collector: Collector, kind: str, odd: Any, inside: Any, place: str, batch: Any
) -> None:
    odd_one = {**track("odd"), "type": kind, place: inside, **odd}
    body = json.dumps({"batch": [track("before"), odd_one, track("after")], **batch}).encode()
    answer = collector.post("/v1/batch", body)
    assert answer.status_code == 200 and answer.json is not None, answer.text
    refused = {one["index"] for one in answer.json["rejected"]}
    assert answer.json["accepted"] + answer.json["duplicate"] + len(refused) == 3
    assert refused <= {1} or batch, answer.json


CLOUD = ("specversion", "id", "source", "type", "subject", "time", "data", "data_base64", "datacontenttype")


@given(odd=st.dictionaries(st.sampled_from(CLOUD), VALUES, max_size=3))
@everyday(40)
def test_an_odd_cloud_event_is_refused_alone(collector: Collector, odd: Any) -> None:
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "subject": "c", **odd}
    answer = collector.post("/v1/cloudevents", json.dumps([event]).encode())
    assert answer.status_code == 200 and answer.json is not None, answer.text
    assert answer.json["accepted"] + answer.json["duplicate"] + len(answer.json["rejected"]) == 1


PATHS = ("/v1/batch", "/v1/t", "/v1/import", "/v1/cloudevents", "/beacon/v1/batch", "/v1/m")


@given(
    path=st.sampled_from(PATHS),
    body=st.binary(max_size=200),
    head=st.sampled_from([b"", b"\x1f\x8b", b'{"batch":']),
)
@everyday(60)
def test_bytes_that_are_no_json_are_refused_in_the_contracts_words(
    collector: Collector, path: str, body: bytes, head: bytes
) -> None:
    answer = collector.post(path, head + body)
    assert answer.status_code in (200, 400) and answer.json is not None
    assert answer.status_code == 200 or set(answer.json) == {"code", "message"}


@given(
    query=st.dictionaries(
        st.sampled_from(MEMBERS).flatmap(lambda one: TEXTS.map(lambda x: f"{one}.{x}")) | TEXTS, TEXTS
    )
)
@everyday(40)
def test_an_odd_address_of_a_picture_is_no_fault(collector: Collector, query: Any) -> None:
    sent = {name.encode("utf-8", "replace"): text.encode("utf-8", "replace") for name, text in query.items()}
    answer = collector.client.get("/pixel/v1/page", query_string=sent, headers=basic())
    assert answer.status_code in (200, 400)
