"""The queue page: sieve, look first, do, undo, and what is said about what was left out."""

import re

from flask.testing import FlaskClient
from sqlmodel import Session, select

from callcenter.domain.enums import Role, TaskState
from callcenter.models import Agent, AuditEntry, CallTask, Customer, Dispatch
from tests.crowd import a_crowd
from tests.factories import Bank
from tests.web.conftest import SignIn
from tests.web.scenes import enter, waiting_task, words

FORM = {"which": "count", "count": "3", "share": "30", "act": "priority_up"}


def _look(client: FlaskClient, **form: object) -> str:
    answer = client.post("/floor/queue/preview", data={**FORM, **form})
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"])


def test_an_empty_queue_says_so_and_offers_nothing(bank: Bank, sign_in: SignIn) -> None:
    html = enter(bank, sign_in, Role.SUPERVISOR).get("/floor/queue").text
    assert "No call task waits that fits." in html and re.search(
        r"<button[^>]*button-primary[^>]*disabled", html
    )


def test_the_sieve_lets_through_what_fits(bank: Bank, sign_in: SignIn) -> None:
    task = waiting_task(bank)
    a_crowd(bank.session, task, 3, language="ug")
    client = enter(bank, sign_in, Role.SUPERVISOR)
    assert "All 4" in client.get("/floor/queue").text
    assert "All 3" in client.get("/floor/queue?language=ug").text
    assert "No call task waits that fits." in client.get("/floor/queue?older=5").text
    bank.clock.go_on(minutes=6)
    assert "All 4" in client.get("/floor/queue?older=5&why=no_agent&rule=id-photo-trouble").text
    wrong = client.get("/floor/queue?older=soon")
    assert wrong.status_code == 400 and "Minutes are a whole number" in wrong.text


def test_a_preview_names_how_many_whose_and_what_is_left_out_then_it_is_done_and_undone(
    bank: Bank, sign_in: SignIn
) -> None:
    task = waiting_task(bank)
    a_crowd(bank.session, task, 4)
    a_crowd(bank.session, task, 2, language="ug", prefix="ug", first=50)
    client = enter(bank, sign_in, Role.SUPERVISOR)
    href = _look(client, which="all", act="assign_agent", agent=str(bank.agent_id))
    told = words(client.get(href).text)
    assert "5 call tasks would be changed." in told and "Chosen from 7 that fit." in told
    assert "2 Nobody chosen speaks their language" in told and "5 Lin Yue" in told and "5 Nobody" in told
    assert client.post(f"{href}/do").status_code == 302
    told = words(client.get(href).text)
    assert "5 call tasks were changed." in told and "Undo 1:00" in told
    bank.session.expire_all()
    assert sum(one.agent_id == bank.agent_id for one in bank.tasks()) == 5
    assert client.post(f"{href}/do").status_code == 302, "twice is once"
    assert client.post(f"{href}/undo").status_code == 302
    assert "5 call tasks were put back." in words(client.get(href).text)
    bank.session.expire_all()
    assert not any(one.agent_id for one in bank.tasks())
    acts = [one.act for one in bank.session.exec(select(AuditEntry)) if one.act.startswith("tasks.")]
    assert acts == ["tasks.assigned", "tasks.restored"]
    assert "Assign to an agent: 5 of 7" in words(client.get("/floor/queue").text)


def test_ticked_rows_alone_are_meant(bank: Bank, sign_in: SignIn) -> None:
    task = waiting_task(bank)
    a_crowd(bank.session, task, 4)
    client = enter(bank, sign_in, Role.SUPERVISOR)
    href = _look(client, which="ticked", ids=[str(task.id)], act="expire", reason="A test call")
    client.post(f"{href}/do")
    bank.session.expire_all()
    assert [one.id for one in bank.tasks() if one.state == TaskState.CANCELED] == [task.id]
    assert "Reason: A test call" in client.get(href).text


def test_a_form_that_lacks_something_comes_back_with_what_was_typed(bank: Bank, sign_in: SignIn) -> None:
    waiting_task(bank)
    client = enter(bank, sign_in, Role.SUPERVISOR, "zh")
    answer = client.post("/floor/queue/preview", data={**FORM, "act": "expire", "count": "7"})
    assert (
        answer.status_code == 400 and 'value="7"' in answer.text and "请说明这些任务为何过期" in answer.text
    )
    for wrong in ({"act": "sing"}, {"count": "0"}, {"which": "share", "share": "200"}, {"which": "ticked"}):
        assert client.post("/floor/queue/preview", data={**FORM, **wrong}).status_code == 400
    assert bank.session.exec(select(Dispatch)).all() == []


def test_somebody_elses_preview_can_be_read_and_not_done(bank: Bank, sign_in: SignIn) -> None:
    waiting_task(bank)
    href = _look(enter(bank, sign_in, Role.SUPERVISOR))
    other = enter(bank, sign_in, Role.ADMIN)
    html = other.get(href).text
    assert "1 call task would be changed." in html and f'action="{href}/do"' not in html
    assert other.post(f"{href}/do").status_code == 403
    assert other.get("/floor/queue/8f7c5f0a-53a1-4f5e-9d52-6a4f0e7b1c11").status_code == 404


def test_a_minute_later_nothing_can_be_undone(bank: Bank, sign_in: SignIn) -> None:
    waiting_task(bank)
    client = enter(bank, sign_in, Role.SUPERVISOR)
    href = _look(client)
    client.post(f"{href}/do")
    bank.clock.go_on(seconds=61)
    assert "The minute for undoing is over." in client.get(href).text
    assert client.post(f"{href}/undo").status_code == 409


def test_what_another_process_holds_is_left_alone_at_once_and_named(bank: Bank, sign_in: SignIn) -> None:
    task = waiting_task(bank)
    a_crowd(bank.session, task, 2)
    client = enter(bank, sign_in, Role.SUPERVISOR)
    href = _look(client)
    with Session(bank.session.get_bind()) as other:
        other.execute(select(Customer.id).where(Customer.id == task.customer_id).with_for_update())
        client.post(f"{href}/do")
    told = words(client.get(href).text)
    assert "2 call tasks were changed." in told and "1 Being worked on this moment" in told
    with Session(bank.session.get_bind()) as other:
        other.execute(select(CallTask.id).with_for_update())
        client.post(f"{href}/undo")
    assert "2 Being worked on this moment" in words(client.get(href).text)


def test_the_floors_own_queue_has_ticks_and_a_bar_of_acts(bank: Bank, sign_in: SignIn) -> None:
    task = waiting_task(bank)
    a_crowd(bank.session, task, 4)
    bank.agent_is_available()
    client = enter(bank, sign_in, Role.SUPERVISOR)
    html = client.get("/floor").text
    assert f'name="ids" value="{task.id}"' in html and f'value="assign_agent:{bank.agent_id}"' in html
    form = {"which": "ticked", "ids": [str(task.id)], "act": f"assign_agent:{bank.agent_id}", "reason": ""}
    href = str(client.post("/floor/queue/preview", data=form).headers["Location"])
    told = words(client.get(href).text)
    assert "1 call task would be changed." in told and "1 Lin Yue" in told
    client.post(f"{href}/do")
    assert f'href="{href}?from=floor"' in client.get("/floor").text, "from the floor to its undo"
    bank.session.expire_all()
    assert [one.id for one in bank.tasks() if one.agent_id == bank.agent_id] == [task.id]
    lacking = client.post("/floor/queue/preview", data={**form, "act": "expire"})
    assert lacking.status_code == 400 and "Say why these call tasks shall expire" in lacking.text


def test_the_floors_bar_gives_by_count_or_share_to_a_team_or_a_skill_and_leads_back(
    bank: Bank, sign_in: SignIn
) -> None:
    task = waiting_task(bank)
    a_crowd(bank.session, task, 9)
    bank.agent_is_available()
    agent = bank.session.get_one(Agent, bank.agent_id)
    agent.skills = {"loans": 3}
    bank.session.commit()
    client = enter(bank, sign_in, Role.SUPERVISOR)
    html = client.get("/floor").text
    assert "To Loan desk A, 1 signed in" in html and "To Loans, 1 signed in" in html
    form = {"from": "floor", "which": "share", "count": "10", "share": "30", "level": "3", "reason": ""}
    href = _look(client, **form, act="assign_skill:loans")
    told = words(client.get(href).text)
    assert "3 call tasks would be changed." in told and "3 Lin Yue" in told
    assert "Skill: Loans, level 3 or higher" in told and "The oldest 30 % of them" in told
    assert 'href="/floor"' in client.get(href).text and "Back to the floor" in told
    id_of = href.partition("?")[0]
    assert client.post(f"{id_of}/do", data={"from": "floor"}).headers["Location"] == href
    assert client.post(f"{id_of}/undo", data={"from": "floor"}).headers["Location"] == href
    assert "3 call tasks were put back." in words(client.get(href).text)
    bank.clock.go_on(seconds=1)
    href = _look(client, **{**form, "which": "count", "count": "4"}, act="assign_team:Loan desk A")
    assert "Team: Loan desk A" in (told := words(client.get(href).text)) and "4 Lin Yue" in told


def test_what_the_floors_bar_lacks_is_said_with_its_choice_kept(bank: Bank, sign_in: SignIn) -> None:
    waiting_task(bank)
    bank.session.commit()
    client = enter(bank, sign_in, Role.SUPERVISOR, "zh")
    form = {"from": "floor", "which": "count", "count": "4", "act": "assign_skill:loans", "level": "3"}
    answer = client.post("/floor/queue/preview", data=form)
    assert answer.status_code == 400 and "所选范围内无人已登录" in answer.text
    for kept in ("assign_skill", "loans", "3"):
        assert f'<option value="{kept}" selected>' in answer.text
    assert client.post("/floor/queue/preview", data={**form, "level": "6"}).status_code == 400
    assert client.post("/floor/queue/preview", data={**form, "act": "assign_skill"}).status_code == 400
