"""The collector's document says what its routes are; it is valid, and nobody has to sign in to read it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from flask import Flask

from callcenter.embedded import Servers
from callcenter.web.collector_openapi import DOCUMENT
from tests.web.collector import Collector, collector_on


@pytest.fixture(scope="module")
def collector(
    fresh_database: Callable[[str], str], server_pair: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Collector]:
    """One for the module."""
    home = tmp_path_factory.mktemp("collector")
    with collector_on(home, fresh_database("collector_document"), server_pair.redis_url) as made:
        yield made


def _matches(app: Flask, path: str, method: str) -> str | None:
    adapter = app.url_map.bind("localhost")
    return adapter.match(path, method=method)[0] if adapter.test(path, method=method) else None


def test_the_document_is_served_to_everybody_and_is_valid_openapi(collector: Collector) -> None:
    answer = collector.client.get("/v1/openapi.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.json == DOCUMENT
    schemathesis.openapi.from_dict(DOCUMENT).validate()


def test_every_path_of_the_document_is_a_route_and_every_route_is_in_it(collector: Collector) -> None:
    told: set[Any] = set()
    for path, methods in DOCUMENT["paths"].items():
        for method in methods:
            endpoint = _matches(collector.app, path.replace("{writeKey}", "key"), method.upper())
            assert endpoint is not None, f"{method} {path} is no route"
            told.add(endpoint)
    ours = {
        rule.endpoint for rule in collector.app.url_map.iter_rules() if rule.endpoint.startswith("events.")
    }
    assert told == ours
    kinds = [
        rule
        for rule in collector.app.url_map.iter_rules()
        if rule.endpoint in ("events.single", "events.short")
    ]
    for rule in kinds:
        for kind in rule.rule.partition("any(")[2].partition(")")[0].split(", "):
            assert f"/v1/{kind}" in DOCUMENT["paths"]
