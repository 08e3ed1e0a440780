"""Setting an agent's state: what would happen is told first, the console says who did it."""

from sqlmodel import select

from callcenter.domain.enums import Presence, Role, TaskState, WorkState
from callcenter.models import Agent, AuditEntry
from tests.factories import Bank
from tests.web.conftest import SignIn
from tests.web.scenes import enter, waiting_task, words


def _agent(bank: Bank) -> Agent:
    bank.session.expire_all()
    return bank.session.get_one(Agent, bank.agent_id)


def test_the_seat_leads_to_what_each_state_would_do(bank: Bank, sign_in: SignIn) -> None:
    bank.agent_is_available()
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    address = f"/floor/agents/{bank.agent_id}"
    assert f'href="{address}"' in supervisor.get("/floor").text
    html = words(supervisor.get(address).text)
    assert "Lin Yue" in html and "At once: nothing is offered to them until they are available again." in html
    assert "At once: nothing is offered to them, and their line is let go." in html
    task = waiting_task(bank)
    bank.offers(task)
    html = words(supervisor.get(address).text)
    assert "At once: the offer before them goes back to the queue and to somebody else." in html
    bank.dials(task)
    assert "The call is not cut. It takes effect after the wrap-up." in words(supervisor.get(address).text)
    assert supervisor.get("/floor/agents/00000000-0000-4000-8000-000000000000").status_code == 404


def test_it_is_set_told_on_the_console_and_changed_back(bank: Bank, sign_in: SignIn) -> None:
    bank.agent_is_available()
    task = waiting_task(bank)
    bank.offers(task)
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    form = {"state": "not_ready:training", "work_state": "reserved", "note": "Room 3 <b>now</b>"}
    answer = supervisor.post(f"/floor/agents/{bank.agent_id}/presence", data=form)
    assert (answer.status_code, answer.location) == (302, "/floor")
    agent = _agent(bank)
    assert (agent.presence, agent.work_state) == (Presence.NOT_READY, WorkState.IDLE)
    assert bank.tasks()[0].state == TaskState.PENDING
    assert "You set Lin Yue to: Not ready. Acts are logged." in words(supervisor.get("/floor").text)
    entry = bank.session.exec(select(AuditEntry).where(AuditEntry.act == "agent.set")).one()
    assert entry.detail["effect"] == "offer_back"

    console = enter(bank, sign_in, Role.AGENT)
    html = console.get("/console").text
    assert "Set by your supervisor" in words(html) and "Room 3 &lt;b&gt;now&lt;/b&gt;" in html
    console.post("/console/presence", data={"presence": "available"})
    assert _agent(bank).presence == Presence.AVAILABLE
    assert "Set by your supervisor" not in console.get("/console").text


def test_what_has_changed_or_lacks_something_comes_back_with_what_was_typed(
    bank: Bank, sign_in: SignIn
) -> None:
    bank.agent_is_available()
    bank.offers(waiting_task(bank))
    supervisor = enter(bank, sign_in, Role.SUPERVISOR, "zh")
    address = f"/floor/agents/{bank.agent_id}/presence"
    stale = supervisor.post(address, data={"state": "signed_off", "work_state": "idle", "note": "去会议室"})
    assert stale.status_code == 409 and "坐席的情况已有变化" in stale.text and "去会议室" in stale.text
    for form in ({}, {"state": "gone", "work_state": "idle"}, {"state": "available", "work_state": "asleep"}):
        answer = supervisor.post(address, data=form)
        assert answer.status_code == 400 and "请选择一种状态" in answer.text
    reasonless = supervisor.post(address, data={"state": "not_ready", "work_state": "reserved"})
    assert reasonless.status_code == 400 and "请选择未就绪的原因" in reasonless.text
    assert _agent(bank).work_state == WorkState.RESERVED
