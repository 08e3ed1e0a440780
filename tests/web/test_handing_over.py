"""Handing a call task over on the screens: the form, the supervisor's word, what the agent then reads."""

from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import select

from callcenter import pipeline, transferring
from callcenter.domain.enums import Presence, Role, TaskState, TransferState
from callcenter.models import Agent, AuditEntry, TaskTransfer
from callcenter.routing import people
from tests.factories import Bank
from tests.web.conftest import SignIn
from tests.web.scenes import HTMX, enter, words
from tests.web.test_agenda import colleague, promised
from tests.web.test_console import offered, talked, task_of


def _form(agent_id: UUID, note: str = "") -> dict[str, str]:
    return {"pass_to": f"agent:{agent_id}", "pass_reason": "skill_needed", "pass_note": note}


def _the_transfer(bank: Bank) -> TaskTransfer:
    bank.session.expire_all()
    return bank.session.exec(select(TaskTransfer)).one()


def _frees(bank: Bank, agent_id: UUID) -> None:
    agent = bank.session.get_one(Agent, agent_id)
    agent.team = "Loan desk B"
    people.add_team(bank.session, "Loan desk B", bank.clock.now)
    pipeline.set_presence(bank.session, agent_id, Presence.AVAILABLE, None, bank.clock.now)
    bank.session.commit()


def test_a_previewed_call_task_goes_to_a_colleague_who_reads_why(
    desk: FlaskClient, bank: Bank, app: Flask
) -> None:
    other, console = colleague(bank, app)
    _frees(bank, other)
    pipeline.set_presence(bank.session, other, Presence.NOT_READY, None, bank.clock.now)
    _, task_id = offered(bank)
    html = desk.get("/console/state").text
    assert "Why you Best fit of the free agents: Simplified Chinese" in words(html)
    assert f'value="agent:{other}"' in html and 'value="team:Loan desk B"' in html
    assert "Your supervisor decides first." not in html
    answer = desk.post(
        f"/console/call-tasks/{task_id}/pass-on", data=_form(other, "Wants a fixed rate."), headers=HTMX
    )
    assert answer.status_code == 200 and "Waits for Wu Jing." in words(answer.text)
    pipeline.set_presence(bank.session, other, Presence.AVAILABLE, None, bank.clock.now)
    bank.session.commit()
    bank.offers(task_of(bank))
    shown = words(console.get("/console").text)
    assert "From Lin Yue: Another skill is needed." in shown and "“Wants a fixed rate.”" in shown
    console.post(f"/console/call-tasks/{task_id}/dial", headers=HTMX)
    transferring.settle_transfer(bank.session, _the_transfer(bank).id, bank.clock.now)
    bank.session.commit()
    html = desk.get("/console").text
    assert "Wu Jing has taken it." in words(html)
    done = desk.post(f"/console/transfers/{_the_transfer(bank).id}/noted", headers=HTMX)
    assert done.status_code == 200 and "has taken it" not in done.text


def test_a_supervisor_decides_on_the_floor_and_the_agent_reads_the_word(
    desk: FlaskClient, bank: Bank, app: Flask, sign_in: SignIn
) -> None:
    people.set_team(bank.session, "Loan desk A", transfers_need_approval=True)
    other, _ = colleague(bank, app)
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    _, task_id = offered(bank)
    assert "Your supervisor decides first." in desk.get("/console/state").text
    desk.post(f"/console/call-tasks/{task_id}/pass-on", data=_form(other, "Ask her."), headers=HTMX)
    row = _the_transfer(bank)
    html = supervisor.get("/floor").text
    need = words(html.split(f'id="need-transfer-{row.id}"')[1].split("</article>")[0])
    assert "Lin Yue hands a call task over" in need and "to Wu Jing: Another skill is needed." in need
    assert "“Ask her.”" in need
    assert "Waits for approval" in words(html)
    refused = supervisor.post(f"/floor/transfers/{row.id}/decline", data={"answer": " "}, headers=HTMX)
    assert (refused.status_code, refused.text) == (
        400,
        "Say why not, in at most 200 characters. The agent reads it.",
    )
    said = supervisor.post(
        f"/floor/transfers/{row.id}/decline", data={"answer": "Yours to do."}, headers=HTMX
    )
    assert said.status_code == 200 and f"need-transfer-{row.id}" not in said.text
    late = supervisor.post(f"/floor/transfers/{row.id}/approve", headers=HTMX)
    assert late.status_code == 409 and "decided on this already" in late.text
    assert "said no: “Yours to do.” It is yours again." in words(desk.get("/console").text)
    found = bank.session.exec(select(AuditEntry)).all()
    assert [one.act for one in found if one.act.startswith("transfer.")] == [
        "transfer.asked",
        "transfer.declined",
    ]
    assert all("Ask her" not in str(one.detail) for one in found), "notes stay out of the trail"


def test_save_with_a_colleague_named_hands_the_call_task_over(
    desk: FlaskClient, bank: Bank, app: Flask
) -> None:
    other, _ = colleague(bank, app)
    _, task_id = offered(bank)
    desk.get("/console/state")
    desk.post(f"/console/call-tasks/{task_id}/dial")
    talked(bank)
    assert "Save hands the call task over" in desk.get("/console/state").text
    form = {"disposition": "not_interested", **_form(other)}
    halfway = desk.post(
        f"/console/call-tasks/{task_id}/wrap-up", data={**form, "pass_reason": ""}, headers=HTMX
    )
    assert halfway.status_code == 400 and task_of(bank).state == TaskState.WRAPPING
    answer = desk.post(f"/console/call-tasks/{task_id}/wrap-up", data=form, headers=HTMX)
    assert answer.status_code == 200, answer.text
    assert (task_of(bank).state, task_of(bank).agent_id) == (TaskState.PENDING, other)


def test_an_own_callback_is_handed_over_and_taken_back(desk: FlaskClient, bank: Bank, app: Flask) -> None:
    other, console = colleague(bank, app)
    _, promise = promised(desk, bank)
    assert f"/console/callbacks/{promise.id}/pass-on" in desk.get("/console").text
    answer = desk.post(f"/console/callbacks/{promise.id}/pass-on", data=_form(other), headers=HTMX)
    assert answer.status_code == 200, answer.text
    assert f'id="callback-{promise.id}"' in console.get("/console").text
    row = _the_transfer(bank)
    theirs = console.post(f"/console/transfers/{row.id}/recall", headers=HTMX)
    assert theirs.status_code == 403
    assert desk.post(f"/console/transfers/{row.id}/recall", headers=HTMX).status_code == 200
    assert _the_transfer(bank).state == TransferState.TAKEN_BACK
    assert f'id="callback-{promise.id}"' in desk.get("/console").text


def test_who_and_why_are_asked_for(desk: FlaskClient, bank: Bank) -> None:
    _, task_id = offered(bank)
    url = f"/console/call-tasks/{task_id}/pass-on"
    for form in ({}, {"pass_to": "agent:me", "pass_reason": "other"}, {"pass_to": "team:Loan desk B"}):
        answer = desk.post(url, data=form, headers=HTMX)
        assert (answer.status_code, answer.text) == (400, "Choose who takes the call task over, and say why.")
    nobody = desk.post(url, data={"pass_to": "", "pass_reason": "other"}, headers=HTMX)
    assert nobody.status_code == 400 and "Choose a colleague or a team" in nobody.text


def test_the_queue_says_whom_a_call_task_lacks(desk: FlaskClient, bank: Bank, sign_in: SignIn) -> None:
    from callcenter import staffing

    people.put_skill(bank.session, "loans", "Loans", "贷款", bank.clock.now)
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    offered(bank)
    task = task_of(bank)
    pipeline.skip_call_task(bank.session, task.id, bank.agent_id, "other", bank.clock.now)
    task.skill, task.skill_level = "loans", 3
    bank.session.commit()
    bank.clock.go_on(seconds=61)
    desk.get("/console/state")
    staffing.relax_needs(bank.session, bank.clock.now)
    bank.session.commit()
    assert "No agent with Loans 3 signed on" in words(supervisor.get("/floor").text)
