"""A raised hand: shown at once at the seat and among the needs, seen, answered, taken down, over with the call."""

from uuid import UUID, uuid4

from flask.testing import FlaskClient
from sqlmodel import select

from callcenter import outbox
from callcenter.domain.enums import AttemptState, CallResult, HelpEnd, Role, SupervisorMode, WorkState
from callcenter.models import HelpRequest
from tests.factories import Bank
from tests.web.conftest import SignIn
from tests.web.scenes import HTMX, enter, words
from tests.web.test_agenda import acts
from tests.web.test_console import agent_of
from tests.web.test_watch import asks, carrier_says, seat, talking, the_watch


def the_hand(bank: Bank) -> HelpRequest:
    """The newest request as the database has it now."""
    bank.session.expire_all()
    return bank.session.exec(select(HelpRequest).order_by(HelpRequest.asked_at.desc())).first()  # type: ignore[attr-defined,return-value]


def raises_hand(desk: FlaskClient, attempt_id: UUID, on: str = "1") -> str:
    """Press the button on the console."""
    answer = desk.post(f"/console/attempts/{attempt_id}/help", data={"on": on}, headers=HTMX)
    assert answer.status_code == 200, answer.text
    return words(answer.text)


def test_a_raised_hand_is_on_the_floor_with_how_long_and_a_way_to_listen(
    desk: FlaskClient, bank: Bank, sign_in: SignIn
) -> None:
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    attempt_id = talking(bank)
    assert "asks for help" not in supervisor.get("/floor").text
    assert "You asked for help" in raises_hand(desk, attempt_id)
    raises_hand(desk, attempt_id)
    bank.clock.go_on(seconds=41)
    html = supervisor.get("/floor/state").text
    hand = the_hand(bank)
    need = html.split(f'id="need-help-{hand.id}"')[1].split("</article>")[0]
    assert "Lin Yue asks for help" in need and "0:41" in need
    assert f'action="/floor/agents/{bank.agent_id}/watch"' in need and 'value="whisper"' in need
    assert "/floor/alerts/acknowledge" not in need, "a hand is seen, or taken down; it is no alert"
    assert "asks for help" in seat(html, bank) and acts(bank) == ["help.asked"]


def test_the_agent_hears_that_it_is_seen_and_who_listens(
    desk: FlaskClient, bank: Bank, sign_in: SignIn
) -> None:
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    attempt_id = talking(bank)
    raises_hand(desk, attempt_id)
    hand = the_hand(bank)
    for _ in (1, 2):
        seen = supervisor.post(f"/floor/help/{hand.id}/acknowledge", headers=HTMX)
        assert seen.status_code == 200 and "has seen it" in seen.text
    assert "has seen it and will be with you." in words(desk.get("/console").text)
    asks(supervisor, bank, "whisper")
    carrier_says(bank, the_watch(bank), muted=False, coaching=True)
    assert the_watch(bank).mode == SupervisorMode.WHISPER
    assert "whispers." in words(desk.get("/console").text)
    assert "is on the call." in words(supervisor.get("/floor").text)
    assert supervisor.post(f"/floor/help/{hand.id}/close", headers=HTMX).status_code == 200
    assert (the_hand(bank).end, the_hand(bank).acknowledged_by is not None) == (HelpEnd.CLOSED, True)
    assert "whispers." not in words(desk.get("/console").text)
    late = supervisor.post(f"/floor/help/{hand.id}/acknowledge", headers=HTMX)
    assert (late.status_code, late.text) == (409, "This request for help is over.")
    assert acts(bank) == ["help.asked", "help.acknowledged", "help.closed"]


def test_an_agent_takes_the_hand_down_and_may_raise_it_again(desk: FlaskClient, bank: Bank) -> None:
    attempt_id = talking(bank)
    raises_hand(desk, attempt_id)
    bank.clock.go_on(seconds=5)
    assert "You asked for help" not in raises_hand(desk, attempt_id, "0")
    assert the_hand(bank).end == HelpEnd.LOWERED
    raises_hand(desk, attempt_id, "0")
    bank.clock.go_on(seconds=5)
    raises_hand(desk, attempt_id)
    assert the_hand(bank).ended_at is None
    assert acts(bank) == ["help.asked", "help.lowered", "help.asked"]


def test_a_hand_is_down_when_the_call_is_over(desk: FlaskClient, bank: Bank, sign_in: SignIn) -> None:
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    attempt_id = talking(bank)
    raises_hand(desk, attempt_id)
    bank.hears(attempt_id, AttemptState.ENDED, CallResult.COMPLETED)
    assert agent_of(bank).work_state == WorkState.WRAPPING
    assert the_hand(bank).end == HelpEnd.CALL_OVER
    assert "asks for help" not in supervisor.get("/floor").text
    refused = desk.post(f"/console/attempts/{attempt_id}/help", data={"on": "1"}, headers=HTMX)
    assert refused.status_code == 409


def test_help_is_ones_own_and_on_a_call(desk: FlaskClient, bank: Bank, sign_in: SignIn) -> None:
    attempt_id = talking(bank)
    for wrong in ({}, {"on": "yes"}):
        assert desk.post(f"/console/attempts/{attempt_id}/help", data=wrong).status_code == 400
    stranger = sign_in(Role.ADMIN).post(f"/console/attempts/{attempt_id}/help", data={"on": "1"})
    assert stranger.status_code == 403
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    assert supervisor.post(f"/floor/help/{uuid4()}/close", headers=HTMX).status_code == 404
    assert desk.post(f"/floor/help/{uuid4()}/close").status_code == 403


def test_console_and_floor_are_rung_when_a_hand_goes_up(bank: Bank) -> None:
    from callcenter import helping

    attempt_id = talking(bank)
    bank.session.info.pop("rings", None)
    helping.ask_for_help(bank.session, attempt_id, bank.agent_id, bank.clock.now)
    assert {outbox.FLOOR, outbox.agent_channel(bank.agent_id)} <= outbox.rings_of(bank.session)
