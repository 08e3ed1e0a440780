"""Recordings: of a conference, of a call, paused, stopped, told of, listened to, deleted."""

import io
import wave

import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from .rooms import dial, join
from .sim import ACCOUNT_SID, AUTH_TOKEN, CALLER, Product, Simulator, wait_for

pytestmark = pytest.mark.slow


def recorded_room(simulator: Simulator, product: Product, name: str) -> tuple[str, str]:
    """Two legs in a recorded room: the conference's sid, and the second leg's."""
    recording = {
        "record": "record-from-start",
        "recordingStatusCallback": f"{product.base_url}/recording",
        "recordingStatusCallbackEvent": "in-progress completed absent",
    }
    join(simulator, product, "client:agent_1", "/agent", dial(product, name, **recording))
    other = join(simulator, product, "client:agent_2", "/other", dial(product, name))
    [room] = simulator.twilio.conferences.list(friendly_name=name, status="in-progress")
    return room.sid, other.sid


def test_a_conference_is_recorded_from_its_start_to_its_end(simulator: Simulator, product: Product) -> None:
    room, _ = recorded_room(simulator, product, "re-1")
    [running] = simulator.twilio.conferences(room).recordings.list()
    assert (running.status, running.source, running.channels) == ("in-progress", "Conference", 1)
    simulator.twilio.conferences(room).update(status="completed")
    wait_for(lambda: len(product.at("/recording")) == 2)
    began, done = product.at("/recording")
    assert (began["RecordingStatus"], done["RecordingStatus"]) == ("in-progress", "completed")
    assert done["ConferenceSid"] == room
    assert done["RecordingSid"] == running.sid
    assert done["RecordingDuration"] == "1"
    assert "CallSid" not in done
    sound = requests.get(f"{done['RecordingUrl']}.wav", auth=(ACCOUNT_SID, AUTH_TOKEN), timeout=5)
    assert sound.headers["Content-Type"] == "audio/x-wav"
    with wave.open(io.BytesIO(sound.content)) as heard:
        assert heard.getnframes() == heard.getframerate()
    assert requests.get(f"{done['RecordingUrl']}.wav", timeout=5).status_code == 401
    assert running.sid in [each.sid for each in simulator.twilio.recordings.list(conference_sid=room)]
    assert simulator.twilio.recordings(running.sid).delete()
    with pytest.raises(TwilioRestException):
        simulator.twilio.recordings(running.sid).fetch()


def test_the_current_recording_is_paused_resumed_and_stopped(simulator: Simulator, product: Product) -> None:
    room, _ = recorded_room(simulator, product, "re-2")
    current = simulator.twilio.conferences(room).recordings("Twilio.CURRENT")
    assert current.update(status="paused", pause_behavior="skip").status == "paused"
    assert current.update(status="in-progress").status == "in-progress"
    sid = current.update(status="stopped").sid
    with pytest.raises(TwilioRestException) as gone:
        current.update(status="paused")
    assert gone.value.code == 20404
    with pytest.raises(TwilioRestException) as over:
        simulator.twilio.conferences(room).recordings(sid).update(status="paused")
    assert over.value.code == 21220
    wait_for(lambda: simulator.twilio.conferences(room).recordings(sid).fetch().status == "completed")


def test_a_call_is_recorded_as_ordered_and_on_request(simulator: Simulator, product: Product) -> None:
    product.answers["/answer"] = "<Response><Pause length='600'/></Response>"
    call = simulator.twilio.calls.create(
        to="client:agent_1",
        from_=CALLER,
        url=f"{product.base_url}/answer",
        record=True,
        recording_channels="dual",
        recording_status_callback=f"{product.base_url}/recording",
    )
    ordered = wait_for(simulator.twilio.calls(call.sid).recordings.list)
    assert [(each.source, each.channels) for each in ordered] == [("OutboundAPI", 2)]
    asked = simulator.twilio.calls(call.sid).recordings.create()
    assert asked.source == "StartCallRecordingAPI"
    simulator.twilio.calls(call.sid).update(status="completed")
    wait_for(lambda: product.at("/recording"))
    assert product.at("/recording")[0]["CallSid"] == call.sid
    with pytest.raises(TwilioRestException) as over:
        simulator.twilio.calls(call.sid).recordings.create()
    assert over.value.code == 21220
