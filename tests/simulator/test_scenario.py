"""Scenarios, limits and invariants."""

from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from .phones import a_token, open_phone
from .rooms import dial, join
from .sim import (
    ACCOUNT_SID,
    API_KEY_SECRET,
    API_KEY_SID,
    CALLER,
    Product,
    RedirectingHttpClient,
    Simulator,
    start_simulator,
    wait_for,
)

pytestmark = pytest.mark.slow

SCENARIO = """
clock: manual
limits: {cps: 100}
campaigns:
  "+1202": {shares: {human: 1}, ring_s: 1, talk_s: 600, patience_s: 600}
events:
  - {at: 10, do: hangup, to: "+12025557001"}
  - {at: 5, do: faults, with: {cb_drop: 1}}
  - {at: 20, do: end_room, room: nowhere}
  - {at: 30, do: faults, with: {ghost: 1}}
  - {at: 40, do: no_faults}
"""


def results(simulator: Simulator) -> list[tuple[float, str]]:
    shown = simulator.control("GET", "scenario").json()["events"]
    return [(event["at"], event["result"]) for event in shown]


def test_a_scenario_file_plays_itself(tmp_path: Any, product: Product) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(SCENARIO)
    simulator = start_simulator(speed=1, arguments=("--scenario", str(file)))
    try:
        product.answers["/answer"] = "<Response><Pause length='600'/></Response>"
        call = simulator.twilio.calls.create(
            to="+12025557001",
            from_=CALLER,
            url=f"{product.base_url}/answer",
            status_callback=f"{product.base_url}/status",
            status_callback_event=["answered", "completed"],
        )
        simulator.control("POST", "clock/advance", {"seconds": 4})
        assert simulator.call(call.sid)["status"] == "in-progress"
        simulator.control("POST", "clock/advance", {"seconds": 60})
        assert simulator.call(call.sid)["status"] == "completed"
        assert len(product.at("/status")) == 1, "the second callback was dropped"
        assert results(simulator)[:3] == [(5, "done"), (10, "done"), (20, "no such room")]
        assert results(simulator)[3][1].startswith("refused: unknown faults: ghost")
        assert simulator.control("GET", "faults").json() == {}
    finally:
        assert simulator.stop() == 0


def test_a_scenario_can_be_sent_and_stopped(simulator: Simulator) -> None:
    sent = simulator.control("POST", "scenario", {"events": [{"at": 3600, "do": "no_faults"}]})
    assert (sent.status_code, sent.json()["left"]) == (201, 1)
    assert simulator.control("DELETE", "scenario").status_code == 204
    assert simulator.control("GET", "scenario").json()["events"] == []


@pytest.mark.parametrize(
    "text",
    [
        "events: [{do: sing}]",
        "events: [{at: -1, do: no_faults}]",
        "moon: full",
        "just words",
        "a: [",
        "limits: {cps: 0}",
        "numbers: {x: {outcome: ghost}}",
    ],
)
def test_a_scenario_that_makes_no_sense_is_refused(simulator: Simulator, text: str) -> None:
    refused = requests.post(f"{simulator.base_url}/_sim/scenario", data=text, timeout=5)
    assert refused.status_code == 400, refused.text
    assert refused.json()["error"]


def test_more_calls_at_once_than_allowed_are_refused(simulator: Simulator, product: Product) -> None:
    simulator.control("PUT", "limits", {"concurrency": 1})
    try:
        call = join(simulator, product, "client:agent_1", "/agent", dial(product, "li-1"))
        with pytest.raises(TwilioRestException) as refused:
            simulator.twilio.calls.create(to="+12025557101", from_=CALLER, twiml="<Response/>")
        assert (refused.value.status, refused.value.code) == (429, 10004)
        simulator.twilio.calls(call.sid).update(status="completed")
        assert simulator.twilio.calls.create(to="+12025557903", from_=CALLER, twiml="<Response/>").sid
    finally:
        simulator.control("PUT", "limits", {"concurrency": 0})


def test_an_api_key_opens_the_account_too(simulator: Simulator) -> None:
    from twilio.rest import Client

    http = RedirectingHttpClient(simulator.base_url)
    keyed = Client(API_KEY_SID, API_KEY_SECRET, ACCOUNT_SID, http_client=http)
    assert keyed.calls.list(limit=1) is not None
    with pytest.raises(TwilioRestException) as refused:
        Client(API_KEY_SID, "wrong", ACCOUNT_SID, http_client=http).calls("CA" + "0" * 32).fetch()
    assert refused.value.status == 401
    http.close()


def test_the_events_of_a_call_tell_who_asked_for_it(simulator: Simulator, product: Product) -> None:
    call = simulator.twilio.calls.create(
        to="+12025557902",
        from_=CALLER,
        url=f"{product.base_url}/answer?attempt=42",
        status_callback=f"{product.base_url}/status",
        status_callback_event=["initiated", "completed"],
    )
    wait_for(lambda: len(product.at("/status")) == 2)
    wait_for(lambda: len(simulator.twilio.calls(call.sid).events.list()) == 3)
    created, *webhooks = simulator.twilio.calls(call.sid).events.list()
    assert created.request["parameters"]["url"].endswith("attempt=42")
    assert created.request["parameters"]["status_callback_event"] == "initiated completed"
    assert [each.request["parameters"]["call_status"] for each in webhooks] == ["initiated", "busy"]
    assert [each.response["response_code"] for each in webhooks] == [200, 200]


def test_signatures_taken_wrongly_are_counted(product: Product) -> None:
    simulator = start_simulator()
    try:
        simulator.control("PUT", "faults", {"bad_signature": {"next": 1}})
        for status in (200, 403):
            product.answers["/status"] = (status, "")
            simulator.twilio.calls.create(
                to="+12025557902",
                from_=CALLER,
                twiml="<Response/>",
                status_callback=f"{product.base_url}/status",
            )
            count = len(product.received)
            wait_for(lambda before=count: len(product.received) > before)
        wait_for(lambda: simulator.control("GET", "invariants").json()["webhooks_sent"] == 2)
        facts = simulator.control("GET", "invariants").json()
        assert (facts["forged_but_accepted"], facts["signed_but_refused"]) == (1, 1)
        assert facts["webhooks_undelivered"] == 1
        assert facts["numbers_called_more_than_once"] == ["+12025557902"]
        assert facts["live_calls"] == facts["calls_over_their_limit"] == facts["legs_left_in_rooms"] == []
    finally:
        assert simulator.stop() == 0


def test_a_scenario_may_cut_a_softphone_and_press_keys(simulator: Simulator) -> None:
    phone = open_phone(simulator, a_token("agent_6"))
    events = [
        {"do": "cut_softphone", "identity": "agent_6"},
        {"do": "keys", "to": "+12025557333", "digits": "1"},
        {"do": "number", "to": "+12025557334", "with": {"outcome": "busy"}},
        {"do": "softphones", "with": {"absent": "answer"}},
    ]
    simulator.control("POST", "scenario", {"events": events})
    wait_for(lambda: simulator.control("GET", "scenario").json()["left"] == 0)
    assert [each[1] for each in results(simulator)] == ["done", "no such call", "done", "done"]
    assert "+12025557334" in simulator.control("GET", "numbers").json()
    phone.close()
