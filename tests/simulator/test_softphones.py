"""Softphones: tokens, registering, ringing, answering, calling out, and what a lost page means."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from .phones import Phone, a_token, open_phone
from .rooms import dial
from .sim import CALLER, Product, Simulator, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def phone(simulator: Simulator) -> Iterator[Phone]:
    opened = open_phone(simulator, a_token())
    yield opened
    opened.close()


def ring(simulator: Simulator, product: Product, to: str = "client:agent_1", **more: Any) -> Any:
    product.answers["/answer"] = dial(product, "sp-1")
    return simulator.twilio.calls.create(
        to=to,
        from_=CALLER,
        url=f"{product.base_url}/answer",
        status_callback=f"{product.base_url}/status",
        status_callback_event=["ringing", "answered", "completed"],
        **more,
    )


def statuses(product: Product) -> list[str]:
    return [params["CallStatus"] for params in product.at("/status")]


def test_a_call_rings_at_the_registered_softphone_until_it_accepts(
    simulator: Simulator, product: Product, phone: Phone
) -> None:
    call = ring(simulator, product)
    [incoming] = wait_for(lambda: phone.told("incoming"))
    assert (incoming["call_sid"], incoming["from"], incoming["to"]) == (call.sid, CALLER, "client:agent_1")
    assert simulator.call(call.sid)["status"] == "ringing"
    assert phone.ask(f"calls/{call.sid}/accept").status_code == 204
    wait_for(lambda: statuses(product) == ["ringing", "in-progress"])
    assert phone.told("accepted") == [{"call_sid": call.sid}]
    wait_for(lambda: simulator.call(call.sid)["room"] == "sp-1")
    assert phone.ask(f"calls/{call.sid}/hangup").status_code == 204
    wait_for(lambda: statuses(product)[-1] == "completed")


def test_it_can_reject_and_the_caller_can_give_up(
    simulator: Simulator, product: Product, phone: Phone
) -> None:
    first = ring(simulator, product)
    wait_for(lambda: phone.told("incoming"))
    assert phone.ask(f"calls/{first.sid}/reject").status_code == 204
    assert simulator.call(first.sid)["status"] == "busy"
    second = ring(simulator, product)
    wait_for(lambda: len(phone.told("incoming")) == 2)
    simulator.twilio.calls(second.sid).update(status="canceled")
    wait_for(lambda: phone.told("canceled") == [{"call_sid": second.sid}])
    assert phone.ask(f"calls/{second.sid}/accept").status_code == 409


def test_a_call_nobody_accepts_rings_out(simulator: Simulator, product: Product, phone: Phone) -> None:
    call = ring(simulator, product, timeout=15)
    wait_for(lambda: simulator.call(call.sid)["status"] == "no-answer")
    wait_for(lambda: phone.told("canceled"))


def test_two_pages_of_one_agent_both_ring_and_the_first_wins(
    simulator: Simulator, product: Product, phone: Phone
) -> None:
    other = open_phone(simulator, a_token())
    call = ring(simulator, product)
    wait_for(lambda: phone.told("incoming") and other.told("incoming"))
    other.ask(f"calls/{call.sid}/accept")
    wait_for(lambda: phone.told("canceled") == [{"call_sid": call.sid}])
    other.close()
    wait_for(lambda: simulator.call(call.sid)["status"] == "completed")


def test_a_softphone_in_a_call_is_busy(simulator: Simulator, product: Product, phone: Phone) -> None:
    first = ring(simulator, product)
    wait_for(lambda: phone.told("incoming"))
    phone.ask(f"calls/{first.sid}/accept")
    second = ring(simulator, product)
    wait_for(lambda: simulator.call(second.sid)["status"] == "busy")
    simulator.twilio.calls(first.sid).update(status="completed")
    wait_for(lambda: phone.told("ended") == [{"call_sid": first.sid, "status": "completed"}])


def test_one_that_allows_it_is_rung_while_busy(simulator: Simulator, product: Product) -> None:
    phone = open_phone(simulator, a_token("agent_4"), allowIncomingWhileBusy=True)
    calls = []
    for number in (1, 2):
        calls.append(ring(simulator, product, "client:agent_4").sid)
        wait_for(lambda wanted=number: len(phone.told("incoming")) == wanted)
        assert phone.ask(f"calls/{calls[-1]}/accept").status_code == 204
    [shown] = simulator.control("GET", "softphones").json()["sessions"]
    assert shown["talking"] == sorted(calls)
    phone.ask(f"calls/{calls[0]}/hangup")
    assert simulator.call(calls[1])["status"] == "in-progress"
    phone.close()
    wait_for(lambda: simulator.call(calls[1])["status"] == "completed")


def test_without_a_softphone_the_leg_is_answered_at_once_or_as_told(
    simulator: Simulator, product: Product
) -> None:
    call = ring(simulator, product, "client:agent_9")
    wait_for(lambda: simulator.call(call.sid)["status"] == "in-progress")
    simulator.control("PUT", "softphones", {"absent": "unreachable"})
    try:
        gone = ring(simulator, product, "client:agent_9")
        wait_for(lambda: simulator.call(gone.sid)["status"] == "no-answer")
    finally:
        simulator.control("PUT", "softphones", {"absent": "answer"})


def test_a_softphone_calls_the_application_as_who_it_is(
    simulator: Simulator, product: Product, phone: Phone
) -> None:
    product.answers["/voice"] = dial(product, "sp-2")
    simulator.twilio.applications("AP00000000000000000000000000000510").update(
        voice_url=f"{product.base_url}/voice"
    )
    made = phone.ask("calls", {"params": {"session": "7", "From": "client:somebody_else"}})
    assert made.status_code == 201
    sid = made.json()["call_sid"]
    wait_for(lambda: phone.told("accepted") == [{"call_sid": sid}])
    [asked] = product.at("/voice")
    assert (asked["From"], asked["session"], asked["Direction"]) == ("client:agent_1", "7", "inbound")
    assert asked["CallStatus"] == "ringing"
    assert phone.ask("calls", {"params": {}}).status_code == 409
    assert simulator.twilio.calls(sid).fetch().direction == "inbound"
    phone.ask(f"calls/{sid}/hangup")
    wait_for(lambda: simulator.call(sid)["status"] == "completed")


def test_keys_reach_a_gather(simulator: Simulator, product: Product, phone: Phone) -> None:
    product.answers["/voice"] = (
        '<Response><Gather numDigits="1" action="/keys" timeout="600"><Say>Press one</Say></Gather></Response>'
    )
    product.answers["/keys"] = "<Response><Hangup/></Response>"
    simulator.twilio.applications("AP00000000000000000000000000000510").update(
        voice_url=f"{product.base_url}/voice"
    )
    sid = phone.ask("calls", {"params": {}}).json()["call_sid"]
    wait_for(
        lambda: simulator.call(sid)["hears"] == {"kind": "twiml", "url": None, "lines": ["Say: Press one"]}
    )
    assert phone.ask(f"calls/{sid}/digits", {"digits": "x"}).status_code == 400
    assert phone.ask(f"calls/{sid}/digits", {"digits": "12"}).status_code == 204
    wait_for(lambda: product.at("/keys"))
    assert product.at("/keys")[0]["Digits"] == "1"


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (lambda: "nonsense", 20101),
        (lambda: a_token(secret="another-secret-of-thirty-two-bytes-and-more"), 20107),
        (lambda: a_token(ttl=-5), 20104),
        (lambda: a_token(ttl=90_000), 20157),
        (lambda: a_token("agent@bank.example"), 20106),
        (lambda: a_token(outgoing_application_sid="AP" + "1" * 32), 20106),
    ],
)
def test_a_token_that_is_not_right_is_refused_by_its_code(
    simulator: Simulator, token: Callable[[], str], code: int
) -> None:
    address = f"{simulator.base_url}/_phone/sessions"
    refused = requests.post(address, json={"token": token()}, timeout=5)
    assert (refused.status_code, refused.json()["code"]) == (401, code)


def test_a_token_without_incoming_does_not_register(simulator: Simulator) -> None:
    phone = open_phone(simulator, a_token(incoming_allow=False), registered=False)
    assert phone.ask("register").status_code == 403
    phone.close()


def test_an_expired_token_takes_the_registration_away_unless_renewed(simulator: Simulator) -> None:
    phone = open_phone(simulator, a_token(ttl=2))
    kept = open_phone(simulator, a_token("agent_2", ttl=2))
    assert kept.ask("token", {"token": a_token("agent_3")}, "PUT").status_code == 403
    assert kept.ask("token", {"token": a_token("agent_2")}, "PUT").status_code == 200
    [expired] = wait_for(lambda: phone.told("expired"))
    assert expired["code"] == 20104
    assert not kept.told("expired")
    shown = {each["identity"]: each for each in simulator.control("GET", "softphones").json()["sessions"]}
    assert (shown["agent_1"]["registered"], shown["agent_2"]["registered"]) == (False, True)
    phone.close()
    kept.close()


def test_a_cut_stream_may_come_back_and_a_lost_page_ends_its_call(
    simulator: Simulator, product: Product, phone: Phone
) -> None:
    call = ring(simulator, product)
    wait_for(lambda: phone.told("incoming"))
    phone.ask(f"calls/{call.sid}/accept")
    assert simulator.control("POST", "softphones/agent_1/cut").json() == {"cut": 1}
    phone.events.clear()
    phone.listen()
    assert simulator.call(call.sid)["status"] == "in-progress"
    assert simulator.control("POST", "softphones/agent_1/warn", {"name": "high-jitter"}).json() == {
        "warned": 1
    }
    assert wait_for(lambda: phone.told("warning"))[0]["name"] == "high-jitter"
    simulator.control("POST", "softphones/agent_1/cut")
    wait_for(lambda: simulator.call(call.sid)["status"] == "completed", 8)
    assert phone.ask("register").status_code == 404


def test_only_pages_of_this_machine_are_let_in(simulator: Simulator) -> None:
    address = f"{simulator.base_url}/_phone/sessions"
    own = requests.options(address, headers={"Origin": "http://localhost:8000"}, timeout=5)
    assert own.headers["Access-Control-Allow-Origin"] == "http://localhost:8000"
    for origin in ("https://evil.example", "null", "http://localhost.evil.example"):
        headers = {"Origin": origin}
        refused = requests.post(address, json={"token": a_token()}, headers=headers, timeout=5)
        assert refused.status_code == 403
        assert "Access-Control-Allow-Origin" not in refused.headers


def test_softphones_need_no_threads(simulator: Simulator) -> None:
    def threads() -> int:
        status = Path(f"/proc/{simulator.process.pid}/status").read_text()
        return int(status.partition("Threads:")[2].split()[0])

    phones = [open_phone(simulator, a_token(f"crowd_{number}")) for number in range(30)]
    time.sleep(0.2)
    assert threads() < 40
    for phone in phones:
        phone.close()
