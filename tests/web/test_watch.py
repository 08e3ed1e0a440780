"""Listen, whisper, barge on the floor: offered on a call, true when the carrier says so, one's own alone."""

import re
from itertools import count
from uuid import UUID

from flask.testing import FlaskClient
from sqlmodel import select

from callcenter import pipeline, talk
from callcenter.domain.enums import AttemptState, Role, SupervisorMode
from callcenter.domain.ports import Placed, RoomChange, RoomEvent
from callcenter.models import AuditEntry, ContactAttempt, Watch
from callcenter.moves import room_of
from tests.factories import Bank
from tests.web.conftest import SignIn
from tests.web.scenes import HTMX, enter, waiting_task, words

_seq = count(1)


def talking(bank: Bank) -> UUID:
    """Let the agent, whose line is up, talk with a customer."""
    bank.agent_is_available()
    bank.agent_line_is_up()
    task = waiting_task(bank)
    bank.offers(task)
    dialing = bank.dials(task)
    pipeline.note_placement(bank.session, dialing.attempt_id, Placed("CA1"), bank.clock.now)
    bank.hears(dialing.attempt_id, AttemptState.RINGING)
    bank.picks_up(dialing.attempt_id)
    return UUID(str(dialing.attempt_id))


def the_watch(bank: Bank) -> Watch:
    """The newest watch as the database has it now."""
    bank.session.expire_all()
    return bank.session.exec(select(Watch).order_by(Watch.asked_at.desc())).first()  # type: ignore[attr-defined,return-value]


def carrier_says(bank: Bank, watch: Watch, *, muted: bool, coaching: bool) -> None:
    """Let the supervisor pick up, and the carrier tell how they take part."""
    talk.begin_watching(bank.session, watch.id, bank.clock.now)
    talk.answer_watch(bank.session, watch.id, "CA-boss", bank.clock.now)
    event = RoomEvent(
        room_of(bank.agent_id), f"k{next(_seq)}", RoomChange.JOINED, "CA-boss", muted=muted, coaching=coaching
    )
    talk.note_room_event(bank.session, bank.agent_id, event, bank.clock.now)
    bank.session.commit()


def seat(html: str, bank: Bank) -> str:
    """The agent's seat."""
    found = re.search(rf'<li[^>]*id="seat-{bank.agent_id}".*?</li>', html, re.S)
    assert found
    return found.group()


def bar(html: str) -> str:
    """What the strip of the viewer's own watch says; empty without one."""
    found = re.search(r'<p class="watch-says">(.*?)</p>', html, re.S)
    return words(found.group(1)) if found else ""


def asks(client: FlaskClient, bank: Bank, mode: str = "monitor") -> str:
    """Press one of the seat's buttons."""
    answer = client.post(f"/floor/agents/{bank.agent_id}/watch", data={"mode": mode}, headers=HTMX)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_acts_are_offered_only_while_the_agent_talks_and_say_who_hears(
    bank: Bank, sign_in: SignIn
) -> None:
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    bank.agent_is_available()
    assert "/watch" not in supervisor.get("/floor").text
    refused = supervisor.post(f"/floor/agents/{bank.agent_id}/watch", data={"mode": "monitor"}, headers=HTMX)
    assert refused.status_code == 409 and "not on a call" in refused.text
    talking(bank)
    html = seat(supervisor.get("/floor").text, bank)
    assert 'aria-label="Listen, call of Lin Yue: nobody hears you"' in html
    assert 'aria-label="Barge, call of Lin Yue: the customer hears you"' in html
    assert "Line up" in html


def test_what_is_shown_is_what_the_carrier_said_not_what_was_pressed(bank: Bank, sign_in: SignIn) -> None:
    talking(bank)
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    html = asks(supervisor, bank, "barge")
    assert bar(html).startswith("Connecting you to Lin Yue…") and "watch-connecting" in html
    assert "Barge: connecting…" in words(html) and "You: connecting…" in words(seat(html, bank))
    carrier_says(bank, the_watch(bank), muted=True, coaching=False)
    html = supervisor.get("/floor/state").text
    assert bar(html) == "You listen to Lin Yue. Nobody hears you."
    assert "watch-monitor" in html and "Barge: connecting…" in words(html)
    carrier_says(bank, the_watch(bank), muted=False, coaching=False)
    html = supervisor.get("/floor/state").text
    assert bar(html) == "The customer hears you. You speak to Lin Yue and the customer."
    assert "watch-barge" in html and "connecting…" not in words(html)


def test_a_whisper_is_heard_by_the_agent_alone_and_leaving_is_seen_through(
    bank: Bank, sign_in: SignIn
) -> None:
    talking(bank)
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    asks(supervisor, bank, "whisper")
    watch = the_watch(bank)
    carrier_says(bank, watch, muted=False, coaching=True)
    assert bar(supervisor.get("/floor/state").text).startswith("Only Lin Yue hears you.")
    changed = supervisor.post(f"/floor/watches/{watch.id}", data={"mode": "monitor"}, headers=HTMX)
    assert bar(changed.text).startswith("Only Lin Yue hears you."), "not before the carrier says so"
    left = supervisor.post(f"/floor/watches/{watch.id}/leave", headers=HTMX)
    assert bar(left.text).startswith("Leaving the call of Lin Yue…")
    talk.note_watch(bank.session, watch.id, "CA-boss", AttemptState.ENDED, bank.clock.now)
    bank.session.commit()
    html = supervisor.get("/floor/state").text
    assert bar(html) == "" and "watch-bar" not in html
    assert "The supervisor left" not in html and "12:00 You left the call of Lin Yue." in html
    entries = bank.session.exec(select(AuditEntry).order_by(AuditEntry.id)).all()  # type: ignore[arg-type]
    acts = [(entry.act, entry.subject, entry.detail) for entry in entries]
    agent = str(bank.agent_id)
    assert acts == [
        ("watch.begun", agent, {"mode": "whisper"}),
        ("watch.changed", agent, {"mode": "monitor"}),
        ("watch.left", agent, {}),
    ]


def test_others_see_who_listens_and_cannot_touch_it(bank: Bank, sign_in: SignIn) -> None:
    talking(bank)
    asks(enter(bank, sign_in, Role.SUPERVISOR), bank)
    watch = the_watch(bank)
    carrier_says(bank, watch, muted=True, coaching=False)
    other = enter(bank, sign_in, Role.ADMIN)
    html = other.get("/floor").text
    assert "The supervisor listens" in words(seat(html, bank)) and bar(html) == ""
    for address in (f"/floor/watches/{watch.id}", f"/floor/watches/{watch.id}/leave"):
        answer = other.post(address, data={"mode": "barge"}, headers=HTMX)
        assert answer.status_code == 403 and "another supervisor" in answer.text
    kept = the_watch(bank)
    assert (kept.mode_wanted, kept.end_asked_at) == (SupervisorMode.MONITOR, None)
    assert "/watch" in seat(html, bank), "they may listen too"


def test_a_mode_nobody_knows_is_refused_with_what_to_do(bank: Bank, sign_in: SignIn) -> None:
    talking(bank)
    address = f"/floor/agents/{bank.agent_id}/watch"
    answer = enter(bank, sign_in, Role.SUPERVISOR).post(address, data={"mode": "shout"}, headers=HTMX)
    assert (answer.status_code, answer.text) == (400, "Choose one of the modes shown.")
    chinese = enter(bank, sign_in, Role.SUPERVISOR, "zh").post(address, headers=HTMX)
    assert chinese.text == "请选择所列方式之一。"
    plain = enter(bank, sign_in, Role.SUPERVISOR).post(address, data={"mode": "monitor"})
    assert (plain.status_code, plain.headers["Location"]) == (302, "/floor")


def test_a_telephone_that_is_not_reached_is_told_for_a_minute(bank: Bank, sign_in: SignIn) -> None:
    talking(bank)
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    asks(supervisor, bank)
    watch = the_watch(bank)
    talk.note_watch(bank.session, watch.id, "CA-boss", AttemptState.ENDED, bank.clock.now)
    bank.session.commit()
    bank.clock.go_on(seconds=10)
    html = supervisor.get("/floor").text
    assert bar(html).startswith("You were not connected to Lin Yue.")
    assert "/watch" in seat(html, bank), "trying again is offered at once"
    bank.clock.go_on(seconds=60)
    assert bar(supervisor.get("/floor").text) == ""


def test_a_customer_whose_agents_line_dropped_is_the_first_need(bank: Bank, sign_in: SignIn) -> None:
    attempt_id = talking(bank)
    talk.note_agent_leg(bank.session, bank.agent_id, "CA-agent", AttemptState.ENDED, bank.clock.now)
    bank.session.commit()
    assert bank.session.get_one(ContactAttempt, attempt_id).agent_lost_at is not None
    bank.clock.go_on(seconds=3)
    html = enter(bank, sign_in, Role.SUPERVISOR).get("/floor").text
    first = re.search(r'<article class="need.*?</article>', html, re.S)
    assert first and "The line of Lin Yue dropped; the customer waits" in first.group()
    assert "After 20 s another free agent takes over" in words(first.group())
    assert "no line" in words(seat(html, bank)) and "/watch" not in seat(html, bank)
