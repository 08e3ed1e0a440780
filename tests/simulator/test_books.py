"""The books keep so many ended calls, rooms and recordings and no more; pure parts of the reading of TwiML."""

import io
import wave
from random import Random

import pytest

from callcenter.telephony.simulator.books import Books
from callcenter.telephony.simulator.chance import AmdModel, Outcome, Spread
from callcenter.telephony.simulator.outcomes import SHARES, campaign_of, decide, read_campaign
from callcenter.telephony.simulator.recordings import wav_of
from callcenter.telephony.simulator.records import CallOrder, CallStatus, RecordingOrder
from callcenter.telephony.simulator.settings import BadSettings, read_settings
from callcenter.telephony.simulator.twiml import TwimlError, Verb, read_document


def order(to: str) -> CallOrder:
    return CallOrder(to=to, caller="+15005550006")


def test_ended_calls_are_forgotten_and_live_ones_are_not() -> None:
    books = Books(kept_calls=100)
    agents = [books.open_call(order(f"client:agent_{number}"), 0) for number in range(50)]
    for number in range(1_000):
        call = books.open_call(order(f"+1202555{number:04d}"), 0)
        call.status = CallStatus.COMPLETED
        books.close_call(call)
    assert len(books.calls) == 100
    assert len(books.calls_changed_after(0)) == 100
    assert all(agent.sid in books.calls for agent in agents)
    assert set(books.live) == {agent.sid for agent in agents}
    assert not list(books.calls_newest_first("+12025550000"))
    assert [each.order.to for each in books.calls_newest_first("+12025550999")] == ["+12025550999"]


def test_ended_rooms_and_recordings_are_forgotten() -> None:
    books = Books(kept_calls=10)
    for number in range(50):
        room = books.open_room(f"room-{number}")
        books.open_recording(RecordingOrder("Conference"), None, room.sid).status = "completed"
        room.status = "completed"
        books.close_room(room)
    assert len(books.conferences) <= 10
    assert len(books.recordings) <= 11
    assert books.live_rooms() == []


def test_the_longest_prefix_decides_and_a_campaign_keeps_its_shares() -> None:
    wide, narrow = read_campaign({}), read_campaign({"shares": {"busy": 3, "human": 1}})
    assert campaign_of("+12025550100", {"+1": wide, "+1202": narrow}) is narrow
    assert campaign_of("+442025550100", {"+1": wide}) is None
    drawn = [decide("+12025550900", None, Random(n), narrow).outcome for n in range(400)]
    assert 0.68 < drawn.count(Outcome.BUSY) / 400 < 0.82
    assert wide.as_json()["shares"] == {outcome.value: share for outcome, share in SHARES.items()}


def test_the_same_seed_gives_the_same_fate() -> None:
    fates = [decide("+12025550123", None, Random("7:1")) for _ in range(2)]
    assert fates[0] == fates[1]


def test_a_detector_errs_and_is_unsure_as_often_as_its_model_says() -> None:
    model, chance = AmdModel(accuracy=0.8, unknown=0.1, delay=Spread(1, 2)), Random(5)
    said = [model.verdict(Outcome.MACHINE, 30, False, chance) for _ in range(2_000)]
    verdicts = [verdict for verdict, _ in said]
    assert 0.07 < verdicts.count("unknown") / 2_000 < 0.13
    assert 0.15 < verdicts.count("human") / 2_000 < 0.21
    assert all(1 <= delay <= 2 for _, delay in said)
    late = AmdModel(accuracy=1, unknown=0, delay=Spread(1, 1), greeting=Spread(60, 60))
    assert late.verdict(Outcome.MACHINE, 30, True, chance) == ("unknown", 30)


def test_a_wav_is_as_long_as_its_recording_and_no_longer_than_ten_minutes() -> None:
    for asked, expected in ((3, 3), (7_200, 600)):
        with wave.open(io.BytesIO(wav_of(asked, 2))) as sound:
            assert sound.getnframes() / sound.getframerate() == expected
            assert sound.getnchannels() == 2


def test_a_document_is_read_with_what_it_does_not_know() -> None:
    script = read_document(
        "<Response><Say>Two words<break/></Say><Gather numDigits='1'><Play>x</Play></Gather>"
        "<Dial><Conference colour='red' maxParticipants='2' record='record-from-start'>r</Conference></Dial>"
        "</Response>"
    )
    assert [step.verb for step in script.steps] == [Verb.WAIT, Verb.GATHER, Verb.JOIN_ROOM]
    assert script.warnings == ["<Conference> has no attribute colour"]
    room = script.steps[2].room
    assert room is not None
    assert (room.max_participants, room.is_recorded, room.wait_url) == (2, True, None)
    assert script.steps[1].seconds == 3 + 5


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<Response>", 12100),
        ("<!DOCTYPE x><Response/>", 12100),
        ("<Answer/>", 12200),
        ("<Response><Dial>+1202</Dial></Response>", 12200),
        ("<Response><Dial><Conference/></Dial></Response>", 13213),
        ("<Response><Gather><Dial/></Gather></Response>", 12200),
    ],
)
def test_a_document_that_cannot_be_run_has_twilios_code(text: str, code: int) -> None:
    with pytest.raises(TwimlError) as refused:
        read_document(text)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        ((), {"PUBLIC_BASE_URL": "https://bank.example"}),
        (("--voice-url", "https://bank.example/voice"), {}),
        (("--host", "0.0.0.0"), {}),
        (("--cps", "0"), {}),
        (("--port", "x"), {}),
        ((), {"TWILIO_API_KEY_SID": "SK1"}),
    ],
)
def test_settings_that_would_reach_beyond_this_machine_are_refused(
    arguments: tuple[str, ...], environ: dict[str, str]
) -> None:
    with pytest.raises(BadSettings):
        read_settings(arguments, environ)
