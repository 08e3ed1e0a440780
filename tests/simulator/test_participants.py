"""Participants of a room: dialed straight in, held, labelled, coached, refused."""

from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from .rooms import EVENTS, dial, join, told
from .sim import CALLER, Product, Simulator, wait_for

pytestmark = pytest.mark.slow


def add(simulator: Simulator, room: str, to: str, **more: Any) -> Any:
    return simulator.twilio.conferences(room).participants.create(from_=CALLER, to=to, **more)


def statuses(simulator: Simulator, room: str) -> dict[str, str]:
    return {each.label: each.status for each in simulator.twilio.conferences(room).participants.list()}


def test_a_participant_is_dialed_in_and_listed_from_the_start(simulator: Simulator, product: Product) -> None:
    simulator.set_number("+12025554101", outcome="manual")
    agent = add(
        simulator,
        "pa-1",
        "client:agent_1",
        label="agent",
        conference_status_callback=f"{product.base_url}/room",
        conference_status_callback_event=EVENTS.split(),
        end_conference_on_exit=False,
    )
    wait_for(lambda: statuses(simulator, "pa-1") == {"agent": "connected"})
    customer = add(
        simulator,
        "pa-1",
        "+12025554101",
        label="attempt-7",
        status_callback=f"{product.base_url}/status",
        status_callback_event=["initiated", "ringing", "answered", "completed"],
    )
    assert (customer.status, customer.label) == ("queued", "attempt-7")
    wait_for(lambda: statuses(simulator, "pa-1")["attempt-7"] == "ringing")
    with pytest.raises(TwilioRestException) as taken:
        add(simulator, "pa-1", "+12025554102", label="attempt-7")
    assert taken.value.code == 16026
    simulator.control("POST", f"calls/{customer.call_sid}/answer")
    wait_for(lambda: "conference-start" in told(product))
    by_label = simulator.twilio.conferences("pa-1").participants("attempt-7").fetch()
    assert (by_label.call_sid, by_label.status) == (customer.call_sid, "connected")
    assert [each["CallStatus"] for each in product.at("/status")] == ["initiated", "ringing", "in-progress"]
    simulator.control("POST", f"calls/{customer.call_sid}/hangup")
    wait_for(lambda: told(product)[-1] == "participant-leave")
    assert simulator.call(agent.call_sid)["status"] == "in-progress"
    assert add(simulator, "pa-1", "+12025554102", label="attempt-7").label == "attempt-7"


def test_who_never_came_is_told_as_a_failed_add(simulator: Simulator, product: Product) -> None:
    join(simulator, product, "client:agent_1", "/agent", dial(product, "pa-2", reports=True))
    add(simulator, "pa-2", "+12025554902", label="customer")
    wait_for(lambda: "participant-leave" in told(product))
    assert product.at("/room")[-1]["ReasonParticipantLeft"] == "participant_add_failed"
    assert statuses(simulator, "pa-2") == {None: "connected"}


def test_a_held_customer_hears_the_products_message(simulator: Simulator, product: Product) -> None:
    simulator.set_number("+12025554103", outcome="human", ring_s=0, talk_s=None)
    agent = join(simulator, product, "client:agent_1", "/agent", dial(product, "pa-3", reports=True))
    customer = join(simulator, product, "+12025554103", "/in", dial(product, "pa-3"))
    product.answers["/hold"] = "<Response><Say>One moment please</Say><Play>http://x/m.mp3</Play></Response>"
    leg = simulator.twilio.conferences("pa-3").participants(customer.sid)
    assert leg.update(hold=True, hold_url=f"{product.base_url}/hold", hold_method="GET").hold
    heard = wait_for(lambda: (simulator.call(customer.sid)["hears"] or {}).get("lines"))
    assert heard == ["Say: One moment please", "Play: http://x/m.mp3"]
    [asked] = [each for each in product.received if each.path == "/hold"]
    assert asked.headers["X-Twilio-Signature"]
    assert f"CallSid={customer.sid}" in asked.url
    assert "FriendlyName=pa-3" in asked.url
    assert told(product)[-1] == "participant-hold"
    with pytest.raises(TwilioRestException) as held:
        simulator.twilio.conferences("pa-3").participants(agent.sid).update(
            coaching=True, call_sid_to_coach=customer.sid
        )
    assert held.value.code == 16027
    # endConferenceOnExit is silently kept while held.
    assert not leg.update(end_conference_on_exit=True).end_conference_on_exit
    assert not leg.update(hold=False).hold
    assert simulator.call(customer.sid)["hears"] is None
    wait_for(lambda: told(product)[-1] == "participant-unhold")
    assert leg.update(end_conference_on_exit=True).end_conference_on_exit


def test_a_hold_document_that_fails_raises_an_alert_and_nothing_else(
    simulator: Simulator, product: Product
) -> None:
    call = join(simulator, product, "client:agent_1", "/agent", dial(product, "pa-4"))
    product.answers["/hold"] = (500, "")
    leg = simulator.twilio.conferences("pa-4").participants(call.sid)
    leg.update(hold=True, hold_url=f"{product.base_url}/hold")
    wait_for(lambda: simulator.alerts(call.sid) == [11200])
    assert leg.fetch().hold
    assert simulator.call(call.sid)["status"] == "in-progress"


def test_who_waits_alone_hears_the_wait_document(simulator: Simulator, product: Product) -> None:
    product.answers["/wait"] = "<Response><Say>Please wait</Say></Response>"
    document = dial(product, "pa-5", waitUrl=f"{product.base_url}/wait", waitMethod="POST")
    call = join(simulator, product, "client:agent_1", "/agent", document)
    wait_for(lambda: (simulator.call(call.sid)["hears"] or {}).get("lines") == ["Say: Please wait"])
    silent = join(simulator, product, "client:agent_2", "/silent", dial(product, "pa-6", waitUrl=""))
    assert simulator.call(silent.sid)["hears"] == {"kind": "wait", "url": None, "lines": []}
    join(simulator, product, "client:agent_3", "/third", dial(product, "pa-5"))
    assert simulator.call(call.sid)["hears"] is None


def test_an_announcement_is_heard_once(simulator: Simulator, product: Product) -> None:
    call = join(simulator, product, "client:agent_1", "/agent", dial(product, "pa-7", waitUrl=""))
    product.answers["/say"] = "<Response><Pause length='10'/></Response>"
    simulator.twilio.conferences("pa-7").participants(call.sid).update(announce_url=f"{product.base_url}/say")
    wait_for(lambda: (simulator.call(call.sid)["hears"] or {}).get("lines") == ["Pause: 10 s"])
    wait_for(lambda: simulator.call(call.sid)["hears"] is None)


@pytest.mark.parametrize(
    ("attributes", "code"),
    [({"coach": "CA" + "0" * 32}, 13240), ({"participantLabel": "agent"}, 16026)],
)
def test_a_leg_that_may_not_enter_goes_to_its_action(
    simulator: Simulator, product: Product, attributes: dict[str, str], code: int
) -> None:
    agent = join(
        simulator, product, "client:agent_1", "/agent", dial(product, "pa-8", participantLabel="agent")
    )
    product.answers["/lead"] = dial(product, "pa-8", **attributes).replace("<Dial>", '<Dial action="/after">')
    call = simulator.twilio.calls.create(to="client:lead_1", from_=CALLER, url=f"{product.base_url}/lead")
    wait_for(lambda: product.at("/after"))
    assert simulator.alerts(call.sid) == [code]
    assert [each.call_sid for each in simulator.twilio.conferences("pa-8").participants.list()] == [agent.sid]


def test_a_full_room_takes_nobody(simulator: Simulator, product: Product) -> None:
    join(simulator, product, "client:agent_1", "/agent", dial(product, "pa-9", maxParticipants="1"))
    with pytest.raises(TwilioRestException) as full:
        add(simulator, "pa-9", "client:agent_2")
    assert full.value.code == 16020


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"label": "a/b"}, 20001),
        ({"coaching": True}, 20001),
        ({"machine_detection": "Enable"}, 21262),
        ({"to": "+15005550001"}, 21217),
        ({"conference_status_callback": "https://example.com/"}, 21609),
    ],
)
def test_a_bad_participant_is_refused(simulator: Simulator, bad: dict[str, Any], code: int) -> None:
    with pytest.raises(TwilioRestException) as refused:
        add(simulator, "pa-10", **({"to": "client:agent_1"} | bad))
    assert (refused.value.status, refused.value.code) == (400, code)


def test_ending_the_room_takes_along_who_still_rings(simulator: Simulator, product: Product) -> None:
    simulator.set_number("+12025554104", outcome="manual")
    agent = add(simulator, "pa-11", "client:agent_1")
    late = add(simulator, "pa-11", "+12025554104")
    wait_for(lambda: simulator.call(late.call_sid)["status"] == "ringing")
    simulator.twilio.conferences(agent.conference_sid).update(status="completed")
    assert simulator.call(late.call_sid)["status"] == "canceled"
    assert simulator.call(agent.call_sid)["status"] == "completed"
