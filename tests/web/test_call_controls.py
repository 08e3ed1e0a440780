"""The console's call controls over HTTP: hold, mute, pause, hand over, machine; what the page then shows."""

from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from callcenter import pipeline
from callcenter.domain.enums import AnsweredBy, DialingMode
from callcenter.domain.ports import Placed
from callcenter.models import AgentLeg, Campaign, ContactAttempt, OutboxMessage, Reservation, User
from tests.factories import Bank
from tests.web.scenes import waiting_task
from tests.web.test_console import offered, phase


@pytest.fixture
def call(desk: FlaskClient, bank: Bank) -> UUID:
    """A call on which the agent talks, their line up."""
    desk.get("/console")
    _, task_id = offered(bank)
    bank.agent_line_is_up()
    assert desk.post(f"/console/call-tasks/{task_id}/dial").status_code == 200
    bank.session.expire_all()
    attempt = bank.attempts()[-1]
    pipeline.begin_placing(bank.session, attempt.id, bank.clock.now)
    pipeline.note_placement(bank.session, attempt.id, Placed("CA1"), bank.clock.now)
    bank.picks_up(attempt.id)
    return attempt.id


def _row(bank: Bank, call: UUID) -> ContactAttempt:
    bank.session.expire_all()
    return bank.session.get_one(ContactAttempt, call)


def _settles(bank: Bank) -> int:
    kinds = [message.kind for message in bank.session.exec(select(OutboxMessage))]
    return kinds.count("settle-call")


def test_each_control_writes_a_wish_and_a_job_settles_it(desk: FlaskClient, bank: Bank, call: UUID) -> None:
    base = f"/console/attempts/{call}"
    assert phase(desk.post(f"{base}/hold", data={"on": "1"}).text) == "talking"
    assert _row(bank, call).hold_wanted and _settles(bank) == 1
    desk.post(f"{base}/hold", data={"on": "0"})
    assert not _row(bank, call).hold_wanted
    desk.post(f"{base}/mute", data={"on": "1"})
    assert bank.session.get_one(AgentLeg, bank.agent_id, populate_existing=True).mute_wanted
    desk.post(f"{base}/recording", data={"paused": "1"})
    assert _row(bank, call).pause_wanted and _settles(bank) == 4


def test_nonsense_is_refused_and_says_what_to_send(desk: FlaskClient, bank: Bank, call: UUID) -> None:
    for path, form in (("hold", {"on": "yes"}), ("mute", {}), ("recording", {"paused": ""})):
        answer = desk.post(f"/console/attempts/{call}/{path}", data=form)
        assert answer.status_code == 400 and "as 1 or 0" in answer.text
    answer = desk.post(f"/console/attempts/{call}/transfer", data={"agent_id": "nobody"})
    assert answer.status_code == 400 and "colleague" in answer.text
    assert desk.post(f"/console/attempts/{uuid4()}/hold", data={"on": "1"}).status_code == 404
    assert _settles(bank) == 0


def test_a_call_is_handed_over_and_the_console_is_free(desk: FlaskClient, bank: Bank, call: UUID) -> None:
    other = bank.another_agent()
    shown = desk.get("/console/state").text
    assert str(other) in shown and "Other" in shown, "the colleague is offered"
    answer = desk.post(f"/console/attempts/{call}/transfer", data={"agent_id": str(other)})
    assert (answer.status_code, phase(answer.text)) == (200, "idle")
    assert _row(bank, call).agent_id == other
    again = desk.post(f"/console/attempts/{call}/hold", data={"on": "1"})
    assert again.status_code == 403, "the call is the colleague's now"


def test_a_machine_is_told_and_dropped(desk: FlaskClient, bank: Bank, call: UUID) -> None:
    row = _row(bank, call)
    row.answered_by = AnsweredBy.MACHINE
    bank.session.commit()
    assert "answering machine" in desk.get("/console/state").text
    assert desk.post(f"/console/attempts/{call}/machine").status_code == 200
    assert _row(bank, call).cancel_asked_at is not None


def test_a_waiting_task_is_taken_by_choice(desk: FlaskClient, bank: Bank) -> None:
    desk.get("/console")
    bank.agent_is_available()
    now = bank.clock.now
    bank.session.add(Campaign(key="loan", mode=DialingMode.MANUAL, changed_at=now))
    bank.session.commit()
    task = waiting_task(bank)
    answer = desk.post(f"/console/call-tasks/{task.id}/take")
    assert phase(answer.text) in ("reserved", "previewing")
    (reservation,) = bank.session.exec(select(Reservation))
    assert reservation.call_task_id == task.id
    assert desk.post(f"/console/call-tasks/{task.id}/take").status_code == 409


def test_a_refusal_reads_in_the_agents_language(desk: FlaskClient, bank: Bank, call: UUID) -> None:
    other = bank.another_agent()
    bank.session.get_one(User, bank.agent_id).language = "zh"
    pipeline.sign_off(bank.session, other, bank.clock.now)
    bank.session.commit()
    answer = desk.post(f"/console/attempts/{call}/transfer", data={"agent_id": str(other)})
    assert (answer.status_code, "这位同事现在没有空" in answer.text) == (409, True)
