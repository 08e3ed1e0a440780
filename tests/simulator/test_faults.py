"""Each fault does what it says, and only that."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator

from .rooms import dial, join, told
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


def test_a_late_accept_comes_into_being_after_the_cut(simulator: Simulator, product: Product) -> None:
    simulator.control("PUT", "faults", {"late_accept": {"seconds": 0.5, "next": 1}})
    with pytest.raises(requests.ConnectionError):
        place(simulator, product, "+12025552204")
    assert made(simulator, "+12025552204") == 0
    wait_for(lambda: made(simulator, "+12025552204") == 1)
    wait_for(lambda: "initiated" in statuses(product))


def test_an_agents_leg_drops_in_the_middle_of_a_talk(simulator: Simulator, product: Product) -> None:
    simulator.set_number("+12025552205", outcome="human", ring_s=0, talk_s=None)
    agent = join(simulator, product, "client:agent_1", "/agent", dial(product, "fa-1", reports=True))
    simulator.control("PUT", "faults", {"agent_leg_drop": {"next": 1, "seconds": 10}})
    customer = join(simulator, product, "+12025552205", "/in", dial(product, "fa-1"))
    wait_for(lambda: simulator.call(agent.sid)["status"] == "completed")
    assert simulator.call(customer.sid)["status"] == "in-progress"
    wait_for(lambda: told(product)[-1] == "participant-leave")
    assert product.at("/room")[-1]["CallSid"] == agent.sid


def test_the_end_of_a_conference_can_go_untold(simulator: Simulator, product: Product) -> None:
    call = join(simulator, product, "client:agent_1", "/agent", dial(product, "fa-2", reports=True))
    simulator.control("PUT", "faults", {"conference_end_lost": {"next": 1}})
    simulator.twilio.calls(call.sid).update(status="completed")
    wait_for(lambda: told(product)[-1] == "participant-leave")
    simulator.settle()
    assert "conference-end" not in told(product)


def test_the_carriers_clock_can_be_wrong(simulator: Simulator, product: Product) -> None:
    simulator.control("PUT", "faults", {"clock_skew": -3600})
    call = place(simulator, product, "+12025552903")
    wait_for(lambda: product.at("/status"))
    stamped = parsedate_to_datetime(product.at("/status")[0]["Timestamp"])
    assert timedelta(minutes=59) < datetime.now(UTC) - stamped < timedelta(minutes=61)
    assert datetime.now(UTC) - call.date_created > timedelta(minutes=59)


def test_one_fault_is_taken_away_and_the_others_stay(simulator: Simulator) -> None:
    simulator.control("PUT", "faults", {"cb_drop": 0.5, "list_lag_s": 2, "late_accept": {"next": 1}})
    simulator.control("DELETE", "faults/cb_drop")
    assert simulator.control("GET", "faults").json() == {
        "list_lag": {"seconds": 2.0},
        "late_accept": {"seconds": 3.0, "next": 1},
    }


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
