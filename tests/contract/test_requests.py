"""Every request the adapter makes, as Twilio's published OpenAPI allows it: names, types, values, paths."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from callcenter.domain.enums import SupervisorMode
from callcenter.domain.ports import AmdPolicy, CallWish, Carrier, RecordPolicy
from callcenter.telephony.twilio import TwilioCarrier
from tests.contract.fake_twilio import (
    AGENT_CALL,
    CALL,
    CALLER,
    PUBLIC,
    RECORDING,
    FakeTwilio,
    Sent,
    carrier_on,
)
from tests.contract.openapi import OPENAPI, faults_of, load

ATTEMPT, AGENT, WATCH = (UUID(int=number) for number in (1, 2, 3))
ROOM = "agent-" + AGENT.hex
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
WISH = CallWish(ATTEMPT, "+12025550123", timedelta(seconds=25), timedelta(hours=2))
LISTENING, RECORDED = replace(WISH, amd=AmdPolicy.LISTEN), replace(WISH, record=RecordPolicy.ON)
BOTH = replace(LISTENING, record=RecordPolicy.ON)
WISHES: dict[str, Callable[[TwilioCarrier], object]] = {
    "place": lambda carrier: carrier.place(WISH),
    "place, listening": lambda carrier: carrier.place(LISTENING),
    "place, recorded": lambda carrier: carrier.place(RECORDED),
    "place, listening and recorded": lambda carrier: carrier.place(BOTH),
    "place_agent, softphone": lambda carrier: carrier.place_agent(AGENT, "client:agent_" + AGENT.hex),
    "place_agent, telephone": lambda carrier: carrier.place_agent(AGENT, "+12025550124"),
    "place_supervisor": lambda carrier: carrier.place_supervisor(WATCH, "client:agent_" + WATCH.hex),
    "hang_up": lambda carrier: carrier.hang_up(CALL),
    "move": lambda carrier: carrier.move(CALL, ATTEMPT),
    "hold": lambda carrier: carrier.hold(ROOM, CALL, "en"),
    "unhold": lambda carrier: carrier.unhold(ROOM, CALL),
    "mute": lambda carrier: carrier.mute(ROOM, CALL, True),
    "monitor": lambda carrier: carrier.set_mode(ROOM, CALL, SupervisorMode.MONITOR, AGENT_CALL),
    "whisper": lambda carrier: carrier.set_mode(ROOM, CALL, SupervisorMode.WHISPER, AGENT_CALL),
    "barge": lambda carrier: carrier.set_mode(ROOM, CALL, SupervisorMode.BARGE, AGENT_CALL),
    "remove": lambda carrier: carrier.remove(ROOM, CALL),
    "end_room": lambda carrier: carrier.end_room(ROOM),
    "pause_recording": lambda carrier: carrier.pause_recording(CALL, True),
    "pause_recording, on again": lambda carrier: carrier.pause_recording(CALL, False),
    "lookup": lambda carrier: carrier.lookup(CALL),
    "find": lambda carrier: carrier.find("+12025550123", NOW),
    "calls_between": lambda carrier: carrier.calls_between(NOW - timedelta(days=1), NOW),
    "identify": lambda carrier: carrier.identify(CALL),
    "recording": lambda carrier: carrier.recording(RECORDING),
}
NOT_ASKED_OF_TWILIO = {"softphone_credentials", "verify", "parse", "answer", "capabilities"}
MEDIA = re.compile(
    r"https://api\.twilio\.com/2010-04-01/Accounts/AC[0-9a-f]{32}/Recordings/RE[0-9a-f]{32}\.wav"
)
"""A recording's sound has an address in the documentation and none in the OpenAPI."""


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    if not OPENAPI.is_file():
        pytest.skip(f"{OPENAPI} is absent; set CALLCENTER_SHARED_DATA to check against the published OpenAPI")
    return load()


def _sent(name: str) -> list[Sent]:
    fake = FakeTwilio()
    WISHES[name](carrier_on(fake))
    return fake.sent


def test_every_wish_of_the_port_is_checked() -> None:
    checked = {name.partition(",")[0] for name in WISHES} | NOT_ASKED_OF_TWILIO
    modes = {mode.value for mode in SupervisorMode}
    assert checked - modes | {"set_mode"} == {name for name in vars(Carrier) if not name.startswith("_")}


@pytest.mark.parametrize("name", WISHES)
def test_a_wish_is_put_as_twilio_declares_it(openapi: dict[str, Any], name: str) -> None:
    sent = _sent(name)
    assert sent
    assert [
        fault for each in sent if not MEDIA.fullmatch(each.url) for fault in faults_of(openapi, each)
    ] == []


def test_the_checker_sees_what_is_wrong(openapi: dict[str, Any]) -> None:
    [right] = _sent("place")
    path = right.url.removesuffix(".json")

    def faults(form: list[tuple[str, str]], url: str = right.url, method: str = "POST") -> list[str]:
        return faults_of(openapi, Sent(method, url, form, []))

    changed = dict(right.form) | {"Timeout": "soon", "Method": "PUT", "Url": "calls.bank.example"}
    assert len(faults(list(changed.items()))) == 3
    assert len(faults([*right.form, ("CallerID", CALLER)])) == 1
    assert len(set(faults([*right.form, ("To", CALLER)]))) == 1
    assert len(faults([pair for pair in right.form if pair[0] not in ("To", "Url")])) == 2
    assert len(faults([("Status", "gone")], f"{path}/{CALL}.json")) == 1
    assert len(faults([("Status", "completed")], f"{path}/CA1.json")) == 1
    assert len(faults([], f"{path}/{CALL}/Colour.json")) == 1
    assert len(faults([], method="PUT")) == 1


def test_a_call_names_every_callback_and_has_an_end() -> None:
    [sent] = _sent("place, listening and recorded")
    base, again = f"{PUBLIC}/carrier/twilio/attempt/{ATTEMPT}", "#rc=3&rp=ct,rt,5xx"
    told = {"StatusCallbackEvent": list[str](), "RecordingStatusCallbackEvent": list[str]()}
    for name, value in sent.form:
        if name in told:
            told[name].append(value)
    assert told == {
        "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"],
        "RecordingStatusCallbackEvent": ["in-progress", "completed", "absent"],
    }
    assert {name: value for name, value in sent.form if name not in told} == {
        "To": "+12025550123",
        "From": CALLER,
        "Url": f"{base}/answer{again}",
        "Method": "POST",
        "FallbackUrl": f"{base}/answer",
        "FallbackMethod": "POST",
        "StatusCallback": f"{base}/status{again}",
        "StatusCallbackMethod": "POST",
        "Timeout": "25",
        "TimeLimit": "7200",
        "MachineDetection": "Enable",
        "AsyncAmd": "true",
        "AsyncAmdStatusCallback": f"{base}/amd{again}",
        "AsyncAmdStatusCallbackMethod": "POST",
        "Record": "true",
        "RecordingChannels": "dual",
        "RecordingStatusCallback": f"{base}/recording{again}",
        "RecordingStatusCallbackMethod": "POST",
    }


def test_nobody_listens_for_machines_unless_wished() -> None:
    for name in ("place", "place, recorded", "place_agent, softphone", "place_supervisor"):
        [sent] = _sent(name)
        assert not [key for key, _ in sent.form if "Machine" in key or "Amd" in key]


def test_nothing_is_recorded_but_a_customer_s_call_when_wished() -> None:
    for name in set(WISHES) - {"place, recorded", "place, listening and recorded"}:
        for sent in _sent(name):
            assert not [key for key, _ in sent.form if "Record" in key]


@pytest.mark.parametrize(
    ("ring", "longest", "timeout", "limit"),
    [(1, 60, "15", "60"), (20.9, 0, "20", "1"), (9_999, 999_999, "600", "14400")],
)
def test_a_call_rings_long_enough_and_never_for_ever(
    ring: float, longest: float, timeout: str, limit: str
) -> None:
    fake = FakeTwilio()
    carrier_on(fake).place(
        CallWish(ATTEMPT, "+12025550123", timedelta(seconds=ring), timedelta(seconds=longest))
    )
    form = dict(fake.sent[0].form)
    assert (form["Timeout"], form["TimeLimit"]) == (timeout, limit)


@pytest.mark.parametrize(
    ("name", "kind", "subject"),
    [("place_agent, softphone", "agent", AGENT), ("place_supervisor", "watch", WATCH)],
)
def test_our_own_people_s_calls_are_told_apart_by_their_callbacks(
    name: str, kind: str, subject: UUID
) -> None:
    [sent] = _sent(name)
    form = dict(sent.form)
    assert form["Url"].startswith(f"{PUBLIC}/carrier/twilio/{kind}/{subject}/answer")
    assert form["StatusCallback"].startswith(f"{PUBLIC}/carrier/twilio/{kind}/{subject}/status")
