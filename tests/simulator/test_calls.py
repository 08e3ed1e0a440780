"""The unmodified Twilio SDK against the simulator: create, fetch, list, update, callbacks."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator, get_signature_algorithm
from twilio.rest import Client

from .sim import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    CALLER,
    Product,
    RedirectingHttpClient,
    Simulator,
    start_simulator,
    wait_for,
)

pytestmark = pytest.mark.slow

ALL_EVENTS = ["initiated", "ringing", "answered", "completed"]
SAY = "<Response><Say>Good morning, one moment please</Say><Pause length='30'/></Response>"
numbers = (f"+1202555{number:04d}" for number in itertools.count(1000))


def a_number(suffix: str = "") -> str:
    return f"+120255512{suffix}" if suffix else next(numbers)


def place(simulator: Simulator, product: Product, to: str, **more: Any) -> Any:
    product.answers.setdefault("/answer", SAY)
    asked: dict[str, Any] = {
        "url": f"{product.base_url}/answer",
        "status_callback": f"{product.base_url}/status/a1#rc=3&rp=ct,rt,5xx",
        "status_callback_event": ALL_EVENTS,
        "timeout": 25,
    }
    return simulator.twilio.calls.create(to=to, from_=CALLER, **(asked | more))


def statuses(product: Product) -> list[str]:
    return [params["CallStatus"] for params in product.at("/status/a1")]


def ending(product: Product) -> dict[str, str]:
    def last() -> Any:
        return next((params for params in product.at("/status/a1") if "CallDuration" in params), None)

    found: dict[str, str] = wait_for(last)
    return found


@pytest.mark.parametrize(
    ("suffix", "expected", "sip_code"),
    [
        ("900", ["initiated", "ringing", "in-progress", "completed"], "200"),
        ("901", ["initiated", "ringing", "no-answer"], "487"),
        ("902", ["initiated", "ringing", "busy"], "486"),
        ("903", ["initiated", "failed"], "404"),
        ("904", ["initiated", "ringing", "in-progress", "completed"], "200"),
        ("905", ["initiated", "ringing", "in-progress", "completed"], "200"),
    ],
)
def test_each_ending_is_told_in_order_and_numbered(
    simulator: Simulator, product: Product, suffix: str, expected: list[str], sip_code: str
) -> None:
    call = place(simulator, product, a_number(suffix))
    assert call.status == "queued"
    end = ending(product)
    assert statuses(product) == expected
    told = product.at("/status/a1")
    assert [params["SequenceNumber"] for params in told] == [str(n) for n in range(len(expected))]
    assert end["SipResponseCode"] == sip_code
    assert {params["CallSid"] for params in told} == {call.sid}
    assert {params["CallbackSource"] for params in told} == {"call-progress-events"}
    was_answered = "in-progress" in expected
    assert (end["CallDuration"] != "0") == was_answered
    assert end["Duration"] == ("1" if was_answered else "0")
    assert simulator.twilio.calls(call.sid).fetch().status == expected[-1]


def test_only_the_events_asked_for_are_sent(simulator: Simulator, product: Product) -> None:
    place(simulator, product, a_number("902"), status_callback_event=["ringing", "completed"])
    ending(product)
    assert statuses(product) == ["ringing", "busy"]


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_every_webhook_is_signed_as_the_sdk_checks_it(product: Product, algorithm: str) -> None:
    simulator = start_simulator(arguments=("--signature", algorithm))
    try:
        place(simulator, product, a_number("905"), url=f"{product.base_url}/answer?attempt=a%2F1&x=y")
        ending(product)
    finally:
        assert simulator.stop() == 0
    validator = RequestValidator(AUTH_TOKEN)
    raw = {"/answer": "/answer?attempt=a%2F1&x=y", "/status/a1": "/status/a1"}
    assert {each.path for each in product.received} == set(raw)
    for each in product.received:
        named = get_signature_algorithm(each.headers.get("X-Twilio-Webhooks-Signature-Settings"))
        url = product.base_url + raw[each.path]
        assert validator.validate(url, each.params, each.headers["X-Twilio-Signature"], named)
        assert each.headers["I-Twilio-Idempotency-Token"]
        assert "#" not in each.url


def test_a_fragment_that_asks_for_retries_gets_them_with_the_same_token(
    simulator: Simulator, product: Product
) -> None:
    product.statuses["/status/a1"] = [503, 503]
    place(simulator, product, a_number("903"), status_callback_event=["completed"])
    wait_for(lambda: len(product.received) == 3)
    assert len({each.headers["I-Twilio-Idempotency-Token"] for each in product.received}) == 1


def test_without_a_fragment_a_server_error_is_not_retried(simulator: Simulator, product: Product) -> None:
    product.statuses["/status/a1"] = [503]
    callback = f"{product.base_url}/status/a1"
    call = place(simulator, product, a_number("902"), status_callback=callback)
    wait_for(lambda: statuses(product)[-1:] == ["busy"])
    assert statuses(product) == ["initiated", "ringing", "busy"]
    assert simulator.twilio.calls(call.sid).fetch().duration == "0"


def test_calls_are_listed_newest_first_by_filter_and_page(simulator: Simulator, product: Product) -> None:
    to = a_number("903")
    made = [place(simulator, product, to).sid for _ in range(5)]
    wait_for(lambda: all(simulator.call(sid)["status"] == "failed" for sid in made))
    calls = simulator.twilio.calls
    assert [call.sid for call in calls.list(to=to, page_size=2) if call.sid in made] == made[::-1]
    assert calls.list(to=to, status="busy") == []
    assert calls.list(to=to, from_="+12025550100") == []
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert calls.list(to=to, start_time_after=tomorrow) == []
    assert {call.sid for call in calls.list(to=to, start_time_before=tomorrow)} >= set(made)
    assert calls.list(to=to, start_time=datetime.now(UTC).date())


def test_a_ringing_call_is_canceled_and_a_talking_one_completed(
    simulator: Simulator, product: Product
) -> None:
    to = a_number()
    simulator.set_number(to, outcome="manual")
    call = place(simulator, product, to)
    wait_for(lambda: simulator.call(call.sid)["status"] == "ringing")
    assert simulator.twilio.calls(call.sid).update(status="canceled").status == "canceled"
    assert ending(product)["SipResponseCode"] == "487"
    with pytest.raises(TwilioRestException) as refused:
        simulator.twilio.calls(call.sid).update(status="completed")
    assert (refused.value.status, refused.value.code) == (400, 21220)

    again = place(simulator, product, to)
    wait_for(lambda: simulator.control("POST", f"calls/{again.sid}/answer").ok)
    assert simulator.twilio.calls(again.sid).update(status="canceled").status == "in-progress"
    ended = simulator.twilio.calls(again.sid).update(status="completed")
    assert ended.status == "completed"
    assert simulator.call(again.sid)["ended_by"] == "product"


def test_a_manual_number_rings_until_somebody_presses_a_button(
    simulator: Simulator, product: Product
) -> None:
    to = a_number()
    simulator.set_number(to, outcome="manual")
    call = place(simulator, product, to, timeout=600)
    wait_for(lambda: simulator.call(call.sid)["status"] == "ringing")
    seq = simulator.control("GET", "calls").json()["seq"]
    assert simulator.control("POST", f"calls/{call.sid}/answer").status_code == 200
    changes = simulator.control("GET", f"calls?after={seq}").json()
    assert [each["sid"] for each in changes["calls"]] == [call.sid]
    assert changes["seq"] > seq
    assert simulator.control("POST", f"calls/{call.sid}/hangup").status_code == 200
    assert simulator.control("POST", f"calls/{call.sid}/hangup").status_code == 409
    assert simulator.call(call.sid)["ended_by"] == "customer"


def test_a_number_plan_sets_ring_and_talk_time(simulator: Simulator, product: Product) -> None:
    to = a_number()
    simulator.set_number(to, outcome="human", ring_s=5, talk_s=20)
    call = place(simulator, product, to)
    ending(product)
    seen = simulator.call(call.sid)
    ringing, answered = (datetime.fromisoformat(seen[name]) for name in ("ringing_at", "answered_at"))
    assert 0.09 < (answered - ringing).total_seconds() < 0.4
    assert 0.39 < seen["duration_s"] < 0.8
    assert seen["ended_by"] == "customer"


def test_a_live_call_takes_new_instructions(simulator: Simulator, product: Product) -> None:
    product.answers["/next"] = "<Response><Hangup/></Response>"
    call = place(simulator, product, "client:agent_7")
    wait_for(lambda: simulator.call(call.sid)["status"] == "in-progress")
    simulator.twilio.calls(call.sid).update(url=f"{product.base_url}/next", method="POST")
    wait_for(lambda: simulator.call(call.sid)["status"] == "completed")
    assert len(product.at("/next")) == 1


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"to": "12345"}, 21211),
        ({"from_": "12345"}, 21212),
        ({"from_": "+15005550001"}, 21212),
        ({"to": "+15005550001"}, 21217),
        ({"to": "+15005550002"}, 21214),
        ({"to": "+15005550003"}, 21215),
        ({"to": "+15005550004"}, 21216),
        ({"url": "ftp://127.0.0.1/x"}, 21205),
        ({"url": "https://example.com/x"}, 21205),
        ({"status_callback": "http://under_score.example/x"}, 21609),
    ],
)
def test_a_bad_request_is_refused_with_twilios_code(
    simulator: Simulator, bad: dict[str, str], code: int
) -> None:
    asked = {"to": a_number(), "from_": CALLER, "url": "http://127.0.0.1:9/x"} | bad
    with pytest.raises(TwilioRestException) as refused:
        simulator.twilio.calls.create(**asked)
    assert (refused.value.status, refused.value.code) == (400, code)


def test_an_unknown_call_is_404_and_a_wrong_token_401(simulator: Simulator) -> None:
    with pytest.raises(TwilioRestException) as missing:
        simulator.twilio.calls("CA" + "0" * 32).fetch()
    assert (missing.value.status, missing.value.code) == (404, 20404)
    http = RedirectingHttpClient(simulator.base_url)
    with pytest.raises(TwilioRestException) as stranger:
        Client(ACCOUNT_SID, "wrong", http_client=http).calls("CA" + "0" * 32).fetch()
    http.close()
    assert (stranger.value.status, stranger.value.code) == (401, 20003)


def test_calls_beyond_the_rate_wait_and_say_how_long(product: Product) -> None:
    simulator = start_simulator(cps=5)
    try:
        waits = [int(place(simulator, product, a_number("903")).queue_time) for _ in range(3)]
    finally:
        simulator.stop()
    assert waits[0] == 0
    assert 100 < waits[1] <= 200
    assert 250 < waits[2] <= 400


def test_a_failed_document_is_fetched_from_the_fallback(simulator: Simulator, product: Product) -> None:
    product.answers |= {"/answer": (500, ""), "/spare": "<Response><Hangup/></Response>"}
    place(simulator, product, "client:agent_8", fallback_url=f"{product.base_url}/spare")
    wait_for(lambda: product.at("/spare"))
    assert product.at("/spare")[0]["ErrorCode"] == "11200"


def test_an_unknown_verb_raises_an_alert_and_hangs_up(simulator: Simulator, product: Product) -> None:
    product.answers["/answer"] = "<Response><Sing/></Response>"
    call = place(simulator, product, "client:agent_9")
    ending(product)
    alerts = simulator.control("GET", "log?event=alert.raised").json()["lines"]
    assert [alert["code"] for alert in alerts if alert["call"] == call.sid] == [12200]
