"""Each fault does what it says, and only that."""

import time
from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator

from .sim import AUTH_TOKEN, CALLER, Product, Simulator, wait_for

pytestmark = pytest.mark.slow

ALL_EVENTS = ["initiated", "ringing", "answered", "completed"]


def place(simulator: Simulator, product: Product, to: str) -> Any:
    return simulator.twilio.calls.create(
        to=to,
        from_=CALLER,
        url=f"{product.base_url}/answer",
        status_callback=f"{product.base_url}/status",
        status_callback_event=ALL_EVENTS,
    )


def statuses(product: Product) -> list[str]:
    return [params["CallStatus"] for params in product.at("/status")]


def made(simulator: Simulator, to: str) -> int:
    return len(simulator.twilio.calls.list(to=to))


@pytest.mark.parametrize(
    ("fault", "status", "calls"),
    [("rest_429", 429, 0), ("rest_500_before", 500, 0), ("rest_500_after", 500, 1)],
)
def test_a_refused_write_was_done_or_not_as_named(
    simulator: Simulator, product: Product, fault: str, status: int, calls: int
) -> None:
    to = f"+120255520{status}" if calls else f"+120255521{status}"
    simulator.control("PUT", "faults", {fault: {"next": 1}})
    with pytest.raises(TwilioRestException) as refused:
        place(simulator, product, to)
    assert refused.value.status == status
    assert made(simulator, to) == calls
    assert place(simulator, product, to).status == "queued"


def test_a_cut_answer_leaves_a_call_behind(simulator: Simulator, product: Product) -> None:
    simulator.control("PUT", "faults", {"drop_after": {"next": 1}})
    with pytest.raises(requests.ConnectionError):
        place(simulator, product, "+12025552201")
    assert made(simulator, "+12025552201") == 1


def test_a_hanging_answer_outlives_the_clients_patience(simulator: Simulator, product: Product) -> None:
    simulator.control("PUT", "faults", {"hang_after": {"seconds": 0.4, "next": 1}})
    with pytest.raises(requests.ReadTimeout):
        simulator.twilio.http_client.timeout = 0.2
        try:
            place(simulator, product, "+12025552202")
        finally:
            simulator.twilio.http_client.timeout = 5
    assert made(simulator, "+12025552202") == 1


def test_lists_lag_and_fetches_do_not(simulator: Simulator, product: Product) -> None:
    simulator.control("PUT", "faults", {"list_lag_s": 0.3})
    call = place(simulator, product, "+12025552203")
    assert made(simulator, "+12025552203") == 0
    assert simulator.twilio.calls(call.sid).fetch().sid == call.sid
    wait_for(lambda: made(simulator, "+12025552203") == 1)


def test_callbacks_can_be_lost(simulator: Simulator, product: Product) -> None:
    simulator.control("PUT", "faults", {"cb_drop": {"next": 2}})
    place(simulator, product, "+12025552902")
    wait_for(lambda: statuses(product) == ["busy"])


def test_callbacks_can_come_twice_with_one_token(simulator: Simulator, product: Product) -> None:
    simulator.control("PUT", "faults", {"cb_dup": 1})
    place(simulator, product, "+12025552903")
    wait_for(lambda: statuses(product) == ["initiated", "initiated", "failed", "failed"])
    assert len({each.headers["I-Twilio-Idempotency-Token"] for each in product.received}) == 2


def test_callbacks_can_change_places(simulator: Simulator, product: Product) -> None:
    simulator.control("PUT", "faults", {"cb_reorder": {"next": 1}})
    place(simulator, product, "+12025552902")
    wait_for(lambda: statuses(product) == ["ringing", "initiated", "busy"])


def test_callbacks_can_be_late(simulator: Simulator, product: Product) -> None:
    simulator.control("PUT", "faults", {"cb_delay_s": 0.3})
    started = time.monotonic()
    place(simulator, product, "+12025552903")
    wait_for(lambda: statuses(product) == ["initiated", "failed"])
    assert time.monotonic() - started > 0.6


def test_the_first_callback_can_beat_the_response(simulator: Simulator, product: Product) -> None:
    simulator.control("PUT", "faults", {"cb_before_response": 1})
    call = place(simulator, product, "+12025552902")
    assert product.at("/status")[0]["CallSid"] == call.sid


def test_a_bad_signature_is_really_bad(simulator: Simulator, product: Product) -> None:
    simulator.control("PUT", "faults", {"bad_signature": {"next": 1}})
    place(simulator, product, "+12025552903")
    wait_for(lambda: len(product.received) == 2)
    url, validator = f"{product.base_url}/status", RequestValidator(AUTH_TOKEN)
    found = [
        validator.validate(url, each.params, each.headers["X-Twilio-Signature"]) for each in product.received
    ]
    assert found == [False, True]


@pytest.mark.parametrize("body", [{"rest_409": 1}, {"cb_drop": 2}, {"cb_drop": {"next": -1}}, ["cb_drop"]])
def test_a_misspelt_fault_is_refused(simulator: Simulator, body: Any) -> None:
    assert simulator.control("PUT", "faults", body).status_code == 400
    assert simulator.control("GET", "faults").json() == {}
