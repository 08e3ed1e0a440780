"""Rooms at Twilio: changed in one request each, by the name of the room's present life, and races are no fault."""

from collections.abc import Callable
from uuid import UUID

import pytest

from callcenter.domain.enums import SupervisorMode
from callcenter.domain.ports import RoomAnswer
from callcenter.telephony.twilio import TwilioCarrier
from callcenter.telephony.twilio_rooms import KEPT_NAMES
from tests.contract.fake_twilio import (
    AGENT_CALL,
    CALL,
    PUBLIC,
    ROOM_SID,
    FakeTwilio,
    Reply,
    carrier_on,
    refusal,
)

ROOM = "agent-" + UUID(int=7).hex
LATER = "CF" + "9" * 32
LEG = f"POST /Conferences/{ROOM_SID}/Participants/{CALL}.json"
LOOK_UP = "GET /Conferences.json"
NO_ROOM = Reply(200, {"conferences": []})
DONE, GONE, NOT_ASKED = RoomAnswer


@pytest.mark.parametrize(
    ("mode", "form"),
    [
        (SupervisorMode.MONITOR, {"Muted": "True", "Coaching": "False"}),
        (SupervisorMode.WHISPER, {"Muted": "False", "Coaching": "True", "CallSidToCoach": AGENT_CALL}),
        (SupervisorMode.BARGE, {"Muted": "False", "Coaching": "False"}),
    ],
)
def test_a_supervisor_s_mode_changes_in_one_request(mode: SupervisorMode, form: dict[str, str]) -> None:
    fake = FakeTwilio()
    assert carrier_on(fake).set_mode(ROOM, CALL, mode, AGENT_CALL) is DONE
    assert fake.lines == [LOOK_UP, LEG]
    assert {name: value.title() for name, value in fake.sent[1].form if name != "CallSidToCoach"} == {
        name: value for name, value in form.items() if name != "CallSidToCoach"
    }
    assert dict(fake.sent[1].form).get("CallSidToCoach") == form.get("CallSidToCoach")


def test_who_is_on_hold_hears_what_we_say_in_their_language() -> None:
    fake = FakeTwilio()
    carrier = carrier_on(fake)
    assert (carrier.hold(ROOM, CALL, "zh"), carrier.unhold(ROOM, CALL)) == (DONE, DONE)
    held, back = dict(fake.sent[1].form), dict(fake.sent[2].form)
    assert held["HoldUrl"] == f"{PUBLIC}/carrier/twilio/hold/zh#rc=3&rp=ct,rt,5xx"
    assert (held["Hold"].lower(), held["HoldMethod"], back["Hold"].lower()) == ("true", "POST", "false")


def test_a_room_is_looked_up_once_and_then_known_by_name() -> None:
    fake = FakeTwilio()
    carrier = carrier_on(fake)
    for muted in (True, False, True):
        assert carrier.mute(ROOM, CALL, muted) is DONE
    assert fake.lines == [LOOK_UP, LEG, LEG, LEG]
    assert dict(fake.sent[0].query) == {"FriendlyName": ROOM, "Status": "in-progress", "PageSize": "1"}


def test_a_room_in_which_one_leg_waits_is_found_too() -> None:
    fake = FakeTwilio(NO_ROOM)
    assert carrier_on(fake).remove(ROOM, CALL) is DONE
    assert [dict(each.query).get("Status") for each in fake.sent] == ["in-progress", "init", None]


def test_a_room_that_has_begun_a_new_life_is_looked_up_anew() -> None:
    fake = FakeTwilio()
    carrier = carrier_on(fake)
    carrier.mute(ROOM, CALL, True)
    fake.plan = [refusal(20404, 404), Reply(200, {"conferences": [{"sid": LATER}]}), Reply()]
    assert carrier.mute(ROOM, CALL, False) is DONE
    assert fake.lines[2:] == [LEG, LOOK_UP, LEG.replace(ROOM_SID, LATER)]
    assert carrier.mute(ROOM, CALL, True) is DONE
    assert fake.lines[5:] == [LEG.replace(ROOM_SID, LATER)]


def test_a_leg_that_has_left_a_room_that_goes_on_is_gone_and_not_asked_for_again() -> None:
    fake = FakeTwilio()
    carrier = carrier_on(fake)
    carrier.mute(ROOM, CALL, True)
    fake.plan = [refusal(20404, 404)]
    assert carrier.mute(ROOM, CALL, False) is GONE
    assert fake.lines[2:] == [LEG, LOOK_UP]


def test_ending_a_room_never_trusts_a_remembered_name() -> None:
    fake = FakeTwilio()
    carrier = carrier_on(fake)
    carrier.mute(ROOM, CALL, True)
    fake.plan = [Reply(200, {"conferences": [{"sid": LATER}]}), Reply()]
    assert carrier.end_room(ROOM) is DONE
    assert fake.lines[2:] == [LOOK_UP, f"POST /Conferences/{LATER}.json"]
    assert fake.sent[-1].form == [("Status", "completed")]


def test_a_call_s_recording_is_paused_as_silence_and_goes_on() -> None:
    fake = FakeTwilio()
    carrier = carrier_on(fake)
    assert (carrier.pause_recording(CALL, True), carrier.pause_recording(CALL, False)) == (DONE, DONE)
    path = f"POST /Calls/{CALL}/Recordings/Twilio.CURRENT.json"
    assert fake.lines == [path, path], "and no room is looked up"
    assert [dict(each.form) for each in fake.sent] == [
        {"Status": "paused", "PauseBehavior": "silence"},
        {"Status": "in-progress"},
    ]


WISHES: list[Callable[[TwilioCarrier], RoomAnswer]] = [
    lambda carrier: carrier.hold(ROOM, CALL, "en"),
    lambda carrier: carrier.mute(ROOM, CALL, True),
    lambda carrier: carrier.set_mode(ROOM, CALL, SupervisorMode.WHISPER, AGENT_CALL),
    lambda carrier: carrier.remove(ROOM, CALL),
    lambda carrier: carrier.end_room(ROOM),
]


ANSWERS = pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (refusal(20404, 404), GONE),
        (Reply(404, b"not json"), GONE),
        (refusal(21220), GONE),
        (refusal(16027), NOT_ASKED),
        (refusal(99999), NOT_ASKED),
        (refusal(20003, 401), NOT_ASKED),
        (refusal(20429, 429), NOT_ASKED),
        (Reply(500, {}), NOT_ASKED),
        (Reply(error=OSError("cut")), NOT_ASKED),
    ],
    ids=["404", "404 of a proxy", "ended", "coached leg on hold", "unknown", "key", "rate", "500", "cut"],
)


@pytest.mark.parametrize("wish", WISHES)
@ANSWERS
def test_a_race_is_no_fault_and_anything_else_is_asked_again(
    wish: Callable[[TwilioCarrier], RoomAnswer], reply: Reply, answer: RoomAnswer
) -> None:
    fake = FakeTwilio(Reply(200, {"conferences": [{"sid": ROOM_SID}]}), reply)
    assert wish(carrier_on(fake)) is answer
    assert len(fake.sent) == 2


@ANSWERS
@pytest.mark.parametrize("paused", [True, False])
def test_a_recording_that_is_not_there_is_gone_and_one_that_cannot_be_asked_for_is_not(
    reply: Reply, answer: RoomAnswer, paused: bool
) -> None:
    fake = FakeTwilio(reply)
    assert carrier_on(fake).pause_recording(CALL, paused) is answer
    assert len(fake.sent) == 1


@pytest.mark.parametrize("wish", WISHES)
def test_a_room_that_is_not_there_is_gone_and_one_that_cannot_be_looked_up_is_not(
    wish: Callable[[TwilioCarrier], RoomAnswer],
) -> None:
    assert wish(carrier_on(FakeTwilio(NO_ROOM, NO_ROOM))) is GONE
    assert wish(carrier_on(FakeTwilio(Reply(503, {})))) is NOT_ASKED


def test_a_call_that_ended_before_it_could_be_moved_is_gone() -> None:
    fake = FakeTwilio()
    attempt = UUID(int=1)
    assert carrier_on(fake).move(CALL, attempt) is DONE
    assert dict(fake.sent[0].form)["Url"].startswith(f"{PUBLIC}/carrier/twilio/attempt/{attempt}/answer")
    assert carrier_on(FakeTwilio(refusal(21220))).move(CALL, attempt) is GONE
    assert carrier_on(FakeTwilio(Reply(500, {}))).move(CALL, attempt) is NOT_ASKED


def test_not_every_room_there_ever_was_is_remembered() -> None:
    fake = FakeTwilio()
    carrier = carrier_on(fake)
    for number in range(KEPT_NAMES + 1):
        carrier.mute(f"agent-{number}", CALL, True)
    before = len(fake.sent)
    carrier.mute("agent-1", CALL, True)
    carrier.mute("agent-0", CALL, True)
    assert fake.lines[before:] == [LEG, LOOK_UP, LEG]
