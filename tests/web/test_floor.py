"""The supervisor's floor: true figures, why no call, what needs a person, and freeing an agent."""

import re
from datetime import timedelta

from flask import Flask
from sqlmodel import select

from callcenter import pipeline
from callcenter.domain.enums import Presence, Role, TaskState
from callcenter.models import Agent, AuditEntry, Incident
from tests.factories import Bank, user_in_arm
from tests.web.conftest import PASSWORD, SignIn
from tests.web.scenes import HTMX, RULE, enter, figure, reached_call, users_in_arm, waiting_task


def test_an_empty_floor_says_so_and_shows_no_rate(bank: Bank, sign_in: SignIn) -> None:
    html = enter(bank, sign_in, Role.SUPERVISOR).get("/floor").text
    assert "No customer waits." in html and "Nothing needs you." in html and "Lin Yue" in html
    assert figure(html, "reached") == "Reached – none yet"
    assert figure(html, "occupancy") == "Occupancy –"
    assert 'data-live="/live/floor"' in html and 'data-state-url="/floor/state"' in html


def test_only_supervisors_and_administrators_see_the_floor(app: Flask, bank: Bank, sign_in: SignIn) -> None:
    assert app.test_client().get("/floor").status_code == 302
    assert enter(bank, sign_in, Role.STRATEGIST).get("/floor").status_code == 403
    assert enter(bank, sign_in, Role.AGENT).get("/floor/state").status_code == 403
    assert enter(bank, sign_in, Role.ADMIN).get("/floor").status_code == 200


def test_the_strip_tells_the_day_with_its_denominators(bank: Bank, sign_in: SignIn) -> None:
    user = user_in_arm(RULE, held_out=False)
    reached_call(bank, waiting_task(bank, user), "will_finish")
    bank.clock.go_on(seconds=30)
    bank.sends(user, "face_scan")
    html = enter(bank, sign_in, Role.SUPERVISOR).get("/floor/state").text
    assert figure(html, "speed_to_call").startswith(
        "Speed to call 0:20 p50 0:20 p90 1 ring; p90 promise 1:00"
    )
    assert figure(html, "attempts").startswith("Attempts 1")
    assert figure(html, "reached").startswith("Reached 100.0 % 1 of 1 attempts")
    assert figure(html, "right_party").startswith("Right-party contact 100.0 % 1 of 1 reached")
    assert figure(html, "verified").startswith("Verified conversions 100.0 % 1 of 1 contacts")
    assert figure(html, "abandonment") == "Abandonment 0.0 % of 3 % budget 0 of 1 in 30 days"


def test_the_day_is_the_viewers_own(bank: Bank, sign_in: SignIn) -> None:
    reached_call(bank, waiting_task(bank), "will_finish")
    bank.clock.go_on(hours=13)  # past midnight in Shanghai, still the same day in UTC
    assert figure(enter(bank, sign_in, Role.SUPERVISOR).get("/floor").text, "attempts").startswith(
        "Attempts 0"
    )
    abroad = enter(bank, sign_in, Role.ADMIN, time_zone="UTC").get("/floor").text
    assert figure(abroad, "attempts").startswith("Attempts 1")


def test_the_queue_says_why_nobody_calls_and_from_when_in_the_customers_hours(
    bank: Bank, sign_in: SignIn
) -> None:
    waiting_task(bank)
    bank.clock.go_on(hours=8, minutes=30)  # 20:30 in Shanghai, after calling hours
    (late,) = users_in_arm("face-scan-quiet", 1, held_out=False, at=bank.clock.now)
    bank.knows(late, name="阿依努尔", city="Urumqi", time_zone="Asia/Urumqi")
    bank.sends(late, "face_scan")
    bank.clock.go_on(hours=3, minutes=30)  # 22:00 in Urumqi
    bank.ticks()
    html = enter(bank, sign_in, Role.SUPERVISOR).get("/floor").text
    assert "Queue, 2 call tasks" in html
    assert "Urumqi, from Tomorrow 09:00" in html and "阿依努尔" in html
    assert "No free agent" in html and "ID-photo trouble" in html
    assert figure(html, "waiting").startswith("Waiting 2 1 callable now")


def test_the_page_reads_in_chinese(bank: Bank, sign_in: SignIn) -> None:
    waiting_task(bank)
    html = enter(bank, sign_in, Role.SUPERVISOR, "zh").get("/floor").text
    assert 'lang="zh-CN"' in html and "为何未呼" in html and "证件照受阻" in html


def test_a_stuck_agent_needs_the_supervisor_and_freeing_is_logged(bank: Bank, sign_in: SignIn) -> None:
    bank.agent_is_available()
    task = waiting_task(bank)
    bank.offers(task)
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    assert "Nothing needs you." in supervisor.get("/floor").text
    bank.clock.go_on(seconds=50)
    html = supervisor.get("/floor").text
    assert "Lin Yue is stuck in reserved" in html and "Browser silent since 12:00:00." in html
    assert "Reserved, Lin Yue" in html and "Stuck reserved" in html

    address = f"/floor/agents/{bank.agent_id}/free"
    answer = supervisor.post(address, headers=HTMX)
    assert answer.status_code == 200 and 'id="state"' in answer.text
    assert "is stuck in reserved" not in answer.text
    assert "You freed Lin Yue at 12:00. Acts are logged." in answer.text
    entry = bank.session.exec(select(AuditEntry).where(AuditEntry.act == "agent.freed")).one()
    assert (entry.subject, entry.detail) == (str(bank.agent_id), {"freed": "reservation"})
    bank.session.expire_all()
    agent = bank.session.get_one(Agent, bank.agent_id)
    assert (agent.presence, bank.tasks()[0].state) == (Presence.NOT_READY, TaskState.PENDING)
    assert supervisor.post(address).status_code == 302  # without scripts the plain form leads back


def test_an_agent_on_a_call_is_not_freed(bank: Bank, sign_in: SignIn) -> None:
    bank.agent_is_available()
    task = waiting_task(bank)
    bank.offers(task)
    bank.dials(task)
    answer = enter(bank, sign_in, Role.SUPERVISOR).post(f"/floor/agents/{bank.agent_id}/free", headers=HTMX)
    assert answer.status_code == 409 and "on a call" in answer.text
    assert bank.session.exec(select(AuditEntry).where(AuditEntry.act == "agent.freed")).first() is None


def test_late_tasks_are_a_need_while_agents_are_not_ready(bank: Bank, sign_in: SignIn) -> None:
    waiting_task(bank)
    bank.clock.go_on(minutes=3)
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    assert "past twice its promise" not in supervisor.get("/floor").text
    pipeline.set_presence(bank.session, bank.agent_id, Presence.NOT_READY, None, bank.clock.now)
    bank.session.commit()
    html = supervisor.get("/floor").text
    assert "1 call task is past twice its promise" in html
    assert "1 call task waits for an agent; 1 agent is not ready." in html


def test_an_incident_comes_first_and_stays_until_it_is_resolved(bank: Bank, sign_in: SignIn) -> None:
    incident = Incident(at=bank.clock.now - timedelta(days=2), kind="second_call_for_attempt")
    bank.session.add(incident)
    bank.session.commit()
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    assert "A customer may have been called twice" in supervisor.get("/floor").text
    incident.resolved_at = bank.clock.now
    bank.session.commit()
    assert "Nothing needs you." in supervisor.get("/floor").text


def test_a_form_without_its_token_is_refused(app: Flask, bank: Bank, sign_in: SignIn) -> None:
    client = enter(bank, sign_in, Role.SUPERVISOR)
    app.config["WTF_CSRF_ENABLED"] = True
    address = f"/floor/agents/{bank.agent_id}/free"
    assert client.post(address).status_code == 400
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/floor").text)
    assert found
    assert client.post(address, data={"csrf_token": found.group(1)}).status_code == 302
    fresh = app.test_client()
    assert fresh.post("/sign-in", data={"email": "supervisor", "password": PASSWORD}).status_code == 401
