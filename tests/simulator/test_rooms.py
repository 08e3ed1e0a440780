"""Rooms: who is in, what is told about it, and how they end."""

import pytest
from twilio.base.exceptions import TwilioRestException

from .rooms import dial, join, told
from .sim import Product, Simulator, wait_for

pytestmark = pytest.mark.slow


def test_agent_and_customer_meet_talk_and_part(simulator: Simulator, product: Product) -> None:
    customer_number = "+12025553001"
    simulator.set_number(customer_number, outcome="human", ring_s=1, talk_s=15)
    agent = join(simulator, product, "client:agent_1", "/agent", dial(product, "as-1", reports=True))
    customer_twiml = dial(product, "as-1", participantLabel="customer")
    customer = join(simulator, product, customer_number, "/customer", customer_twiml)
    [room] = simulator.twilio.conferences.list(friendly_name="as-1", status="in-progress")
    labels = {p.call_sid: p.label for p in simulator.twilio.conferences(room.sid).participants.list()}
    assert labels == {agent.sid: None, customer.sid: "customer"}
    wait_for(lambda: "participant-leave" in told(product))
    assert told(product) == ["participant-join", "participant-join", "conference-start", "participant-leave"]
    leave = product.at("/room")[-1]
    assert leave["CallSid"] == customer.sid
    assert leave["ReasonParticipantLeft"] == "participant_hung_up"
    assert leave["ParticipantLabel"] == "customer"
    assert [params["SequenceNumber"] for params in product.at("/room")] == ["0", "1", "2", "3"]
    seen = simulator.call(customer.sid)
    assert (seen["status"], seen["ended_by"]) == ("completed", "customer")
    assert 0.25 < seen["talked_s"] < 0.8

    simulator.twilio.calls(agent.sid).update(status="completed")
    wait_for(lambda: told(product)[-1] == "conference-end")
    end = product.at("/room")[-1]
    assert end["ReasonConferenceEnded"] == "last-participant-left"
    assert end["CallSidEndingConference"] == agent.sid
    assert simulator.twilio.conferences(room.sid).fetch().status == "completed"


def test_a_waiting_customer_gives_up_and_is_counted(simulator: Simulator, product: Product) -> None:
    simulator.control("PUT", "clock", {"speed": 1})
    try:
        simulator.set_number("+12025553002", outcome="human", ring_s=0, talk_s=30, patience_s=2.2)
        call = join(simulator, product, "+12025553002", "/customer", dial(product, "nobody-there"))
        wait_for(lambda: simulator.call(call.sid)["status"] == "completed")
    finally:
        simulator.control("PUT", "clock", {"speed": 50})
    assert simulator.call(call.sid)["talked_s"] == 0
    facts = simulator.control("GET", "invariants").json()
    assert call.sid in facts["answered_alone_over_2_s"]
    assert facts["calls_per_number"]["+12025553002"] == 1


def test_end_on_exit_takes_everybody_along(simulator: Simulator, product: Product) -> None:
    agent = join(
        simulator, product, "client:agent_2", "/agent", dial(product, "as-2", endConferenceOnExit="true")
    )
    other = join(simulator, product, "client:agent_3", "/other", dial(product, "as-2"))
    simulator.twilio.calls(agent.sid).update(status="completed")
    wait_for(lambda: simulator.call(other.sid)["status"] == "completed")
    [room] = simulator.twilio.conferences.list(friendly_name="as-2")
    assert room.reason_conference_ended == "participant-with-end-conference-on-exit-left"


def test_monitor_whisper_and_barge_are_one_update_each(simulator: Simulator, product: Product) -> None:
    agent = join(simulator, product, "client:agent_4", "/agent", dial(product, "as-4", reports=True))
    monitor = dial(product, "as-4", muted="true", startConferenceOnEnter="false")
    supervisor = join(simulator, product, "client:lead_1", "/lead", monitor)
    [room] = simulator.twilio.conferences.list(friendly_name="as-4")
    assert room.status == "in-progress"
    leg = simulator.twilio.conferences(room.sid).participants(supervisor.sid)
    assert leg.fetch().muted
    whisper = leg.update(coaching=True, call_sid_to_coach=agent.sid, muted=False)
    assert (whisper.coaching, whisper.call_sid_to_coach, whisper.muted) == (True, agent.sid, False)
    barge = leg.update(coaching=False, muted=False)
    assert (barge.coaching, barge.call_sid_to_coach) == (False, None)
    held = leg.update(hold=True, hold_url="http://127.0.0.1:9/hold")
    assert held.hold
    wait_for(lambda: "participant-hold" in told(product))
    assert told(product)[3:] == [
        "participant-unmute",
        "participant-modify",
        "participant-modify",
        "participant-hold",
    ]
    assert leg.delete()
    wait_for(lambda: simulator.call(supervisor.sid)["status"] == "completed")
    with pytest.raises(TwilioRestException) as gone:
        leg.fetch()
    assert gone.value.code == 20404
    ended = simulator.twilio.conferences(room.sid).update(status="completed")
    assert (ended.status, ended.reason_conference_ended) == ("completed", "conference-ended-via-api")


def test_an_ejected_leg_runs_on_after_its_dial(simulator: Simulator, product: Product) -> None:
    product.answers["/after"] = "<Response><Pause length='600'/></Response>"
    document = '<Response><Dial action="/after"><Conference>as-5</Conference></Dial></Response>'
    call = join(simulator, product, "client:agent_5", "/agent", document)
    [room] = simulator.twilio.conferences.list(friendly_name="as-5")
    simulator.twilio.conferences(room.sid).participants(call.sid).delete()
    wait_for(lambda: product.at("/after"))
    assert product.at("/after")[0]["DialCallStatus"] == "answered"
    assert simulator.call(call.sid)["status"] == "in-progress"
    simulator.twilio.calls(call.sid).update(status="completed")
