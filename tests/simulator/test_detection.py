"""Answering-machine detection, and what a campaign's model makes of it."""

from typing import Any

import pytest

from .sim import CALLER, Product, Simulator, wait_for

pytestmark = pytest.mark.slow

PAUSE = "<Response><Pause length='600'/></Response>"


def place(simulator: Simulator, product: Product, to: str, **more: Any) -> Any:
    product.answers["/answer"] = PAUSE
    return simulator.twilio.calls.create(
        to=to,
        from_=CALLER,
        url=f"{product.base_url}/answer",
        status_callback=f"{product.base_url}/status",
        machine_detection=more.pop("machine_detection", "Enable"),
        **more,
    )


def test_the_asynchronous_detector_tells_beside_the_call(simulator: Simulator, product: Product) -> None:
    to = "+12025554201"
    simulator.set_number(
        to, outcome="machine", ring_s=0, talk_s=None, amd={"says": "machine_start", "delay_s": 30}
    )
    callback = f"{product.base_url}/amd"
    call = place(simulator, product, to, async_amd="true", async_amd_status_callback=callback)
    wait_for(lambda: product.at("/answer"))
    assert not product.at("/amd")
    [verdict] = wait_for(lambda: product.at("/amd"))
    assert verdict == {
        "CallSid": call.sid,
        "AccountSid": call.account_sid,
        "AnsweredBy": "machine_start",
        "MachineDetectionDuration": "30000",
    }
    assert simulator.twilio.calls(call.sid).fetch().answered_by == "machine_start"
    simulator.twilio.calls(call.sid).update(status="completed")
    wait_for(lambda: product.at("/status"))
    assert product.at("/status")[0]["AnsweredBy"] == "machine_start"


def test_the_synchronous_detector_keeps_the_document_waiting(simulator: Simulator, product: Product) -> None:
    to = "+12025554202"
    simulator.set_number(to, outcome="human", ring_s=0, talk_s=None, amd={"says": "human", "delay_s": 20})
    call = place(simulator, product, to)
    wait_for(lambda: simulator.call(call.sid)["status"] == "in-progress")
    assert not product.at("/answer")
    [asked] = wait_for(lambda: product.at("/answer"))
    assert (asked["AnsweredBy"], asked["MachineDetectionDuration"]) == ("human", "20000")


def test_waiting_for_the_end_of_the_message_tells_how_it_ended(
    simulator: Simulator, product: Product
) -> None:
    to = "+12025554203"
    model = {"accuracy": 1, "unknown": 0, "greeting_s": 5}
    simulator.set_number(to, outcome="machine", ring_s=0, talk_s=None, amd=model)
    call = place(simulator, product, to, machine_detection="DetectMessageEnd")
    wait_for(lambda: simulator.call(call.sid)["answered_by"])
    assert simulator.call(call.sid)["answered_by"].startswith("machine_end_")


def test_a_campaign_draws_outcomes_times_and_verdicts(simulator: Simulator, product: Product) -> None:
    campaign = {
        "shares": {"fax": 1},
        "ring_s": [0, 1],
        "talk_s": {"median": 40, "sigma": 0.6},
        "amd": {"accuracy": 1, "unknown": 0, "delay_s": 1},
    }
    assert simulator.control("PUT", "campaigns/+120255543", campaign).json()["shares"] == {"fax": 1.0}
    assert simulator.control("PUT", "campaigns/+1", {"shares": {"busy": 1}}).ok
    call = place(simulator, product, "+12025554301")
    wait_for(lambda: simulator.call(call.sid)["answered_by"] == "fax")
    busy = place(simulator, product, "+12025554401")
    wait_for(lambda: simulator.call(busy.sid)["status"] == "busy")
    assert set(simulator.control("GET", "campaigns").json()) == {"+120255543", "+1"}
    assert simulator.control("DELETE", "campaigns/+1").status_code == 204


@pytest.mark.parametrize(
    "body",
    [
        {"shares": {"ghost": 1}},
        {"shares": {"human": 0}},
        {"ring_s": [5, 1]},
        {"talk_s": {"median": 40}},
        {"amd": {"accuracy": 2}},
        {"colour": "red"},
    ],
)
def test_a_campaign_that_makes_no_sense_is_refused(simulator: Simulator, body: dict[str, Any]) -> None:
    refused = simulator.control("PUT", "campaigns/+1", body)
    assert refused.status_code == 400
    assert refused.json()["error"]
