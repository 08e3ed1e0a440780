"""Whatever other systems send, the API answers as its document says, and never with a fault of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlmodel import Session

from callcenter.accounts.tokens import MOST_REQUESTS, NewToken
from callcenter.commands.sample import read_sample
from callcenter.db import make_engine
from callcenter.embedded import Servers
from callcenter.intake.directory import Told, keep_told
from callcenter.journeys import service as journeys
from callcenter.partner_acts import COMMAND_LINE, issue_token
from callcenter.runtime import Runtime
from tests.factories import Clock
from tests.web.conftest import app_on, settings_for
from tests.web.partner import EVERYTHING, TOKEN

pytestmark = pytest.mark.slow
CONFORMS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def _document() -> dict[str, Any]:
    """The document, from an application that asks no server."""
    from flask import Flask as Bare

    from callcenter.web.api import document

    bare = Bare("document")
    document.install(bare)
    spec: dict[str, Any] = bare.extensions["callcenter.api"]
    return spec


OPERATIONS = [
    pytest.param(operation.ok(), id=operation.ok().label)
    for operation in schemathesis.openapi.from_dict(_document()).get_all_operations()
]


KNOWN = (
    ("journey", "loan"),
    ("step", "profile"),
    ("external_id", "known"),
    ("url", "https://bank.example/hooks"),
)


def everyday(examples: int) -> settings:
    """Settings of a run that is the same each time."""
    return settings(
        max_examples=examples, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
    )


@pytest.fixture(scope="module")
def app(
    fresh_database: Callable[[str], str], server_pair: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flask]:
    """An application with a journey and a token that may do everything; one for the module."""
    url, clock = fresh_database("api_fuzz"), Clock()
    engine = make_engine(url)
    with Session(engine) as session:
        journeys.load_journey(session, read_sample("loan.yaml"), [], clock.now)
        new = NewToken("fuzz", EVERYTHING, requests_per_minute=MOST_REQUESTS)
        issue_token(session, new, TOKEN, COMMAND_LINE, clock.now)
        told = {"phone": "+8613800138001", "time_zone": "Asia/Shanghai"}
        keep_told(session, [Told("known", told)], clock.now)
        session.commit()
    engine.dispose()
    home: Path = tmp_path_factory.mktemp("api")
    runtime = Runtime(settings_for(home, url, server_pair.redis_url), clock)
    made = app_on(runtime)

    @made.before_request
    def go_on() -> None:
        clock.go_on(seconds=1)

    yield made
    runtime.engine.dispose()
    runtime.redis.close()


@pytest.mark.parametrize("operation", OPERATIONS)
@given(data=st.data(), is_valid=st.booleans(), has_token=st.integers(0, 4), names_what_is_there=st.booleans())
@everyday(25)
def test_every_route_answers_as_the_document_says(
    app: Flask,
    operation: APIOperation[Any, Any, Any, Any],
    data: st.DataObject,
    is_valid: bool,
    has_token: int,
    names_what_is_there: bool,
) -> None:
    mode = GenerationMode.POSITIVE if is_valid else GenerationMode.NEGATIVE
    try:
        case = data.draw(operation.as_strategy(mode))
    except Unsatisfiable:  # nothing that could be sent to this route would break its document
        return
    if names_what_is_there and isinstance(case.body, dict):
        for name, value in KNOWN:
            if name in case.body:
                case.body[name] = value
    headers = {"Authorization": f"Bearer {TOKEN}"} if has_token else {"Authorization": "Bearer nothing"}
    case.call_and_validate(headers=headers, checks=CONFORMS, app=app)


@given(
    body=st.binary(max_size=200),
    head=st.sampled_from([b"", b"PK\x03\x04", b"external_id\n", b"\xef\xbb\xbfexternal_id,phone\n", b'"']),
    dry=st.booleans(),
)
@everyday(60)
def test_a_list_of_any_bytes_is_read_or_refused(app: Flask, body: bytes, head: bytes, dry: bool) -> None:
    query = {"journey": "loan", "step": "profile", "dry_run": "true" if dry else "false"}
    answer = app.test_client().post(
        "/api/v1/lists", query_string=query, data=head + body, headers={"Authorization": f"Bearer {TOKEN}"}
    )
    assert answer.status_code in (202, 422), answer.text
    assert answer.status_code == 202 or answer.json["code"] == "file_refused"
