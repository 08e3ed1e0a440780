"""Callbacks and follow-ups on the console: moved, given over, canceled with a reason, noted; none gets lost."""

import re
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import select

from callcenter import pipeline
from callcenter.domain.enums import CancelReason, Role, TaskState
from callcenter.domain.ids import derived_id
from callcenter.models import Agent, AuditEntry, Callback, FollowUp, User
from callcenter.runtime import Runtime
from tests.factories import Bank
from tests.web.conftest import SignIn, app_on, settings_for, signed_in
from tests.web.scenes import words
from tests.web.test_console import offered, talked, task_of


def promised(desk: FlaskClient, bank: Bank, owner: str = "personal", hours: int = 4) -> tuple[str, Callback]:
    """Let a customer be called, and promise to call again."""
    user, task_id = offered(bank)
    desk.get("/console/state")
    desk.post(f"/console/call-tasks/{task_id}/dial")
    talked(bank)
    at = (bank.clock.now + timedelta(hours=hours)).replace(minute=0, second=0, microsecond=0)
    form = {
        "disposition": "callback",
        "callback_at": at.isoformat(),
        "callback_owner": owner,
        "note": "has the card then",
    }
    answer = desk.post(f"/console/call-tasks/{task_id}/wrap-up", data=form)
    assert answer.status_code == 200, answer.text
    return user, callback_of(bank)


def callback_of(bank: Bank) -> Callback:
    """The one callback as the database has it now."""
    bank.session.expire_all()
    return bank.session.exec(select(Callback)).one()


def row(html: str, callback: Callback) -> str:
    """What the console says of a callback; empty where it is not shown."""
    found = re.search(rf'<li[^>]*id="callback-{callback.id}".*?</li>', html, re.S)
    return found.group() if found else ""


def acts(bank: Bank) -> list[str]:
    """The acts on callbacks, follow-ups and hands in the audit trail."""
    found = bank.session.exec(select(AuditEntry).order_by(AuditEntry.at, AuditEntry.id)).all()  # type: ignore[arg-type]
    return [one.act for one in found if one.act.partition(".")[0] in ("callback", "follow_up", "help")]


def colleague(bank: Bank, app: Flask) -> tuple[UUID, FlaskClient]:
    """Another agent, signed in."""
    user_id = derived_id("user", "colleague")
    now = bank.clock.now
    bank.session.add(
        User(
            id=user_id, login="colleague", name="Wu Jing", role=Role.AGENT, password_hash="x", created_at=now
        )
    )
    bank.session.flush()
    mine = bank.session.get_one(Agent, bank.agent_id)
    bank.session.add(
        Agent(id=user_id, team=mine.team, address="client:wu", presence_at=now, work_state_at=now)
    )
    bank.session.commit()
    return user_id, signed_in(app.test_client(), user_id)


def test_a_callback_says_when_in_both_zones_who_and_what_was_said(desk: FlaskClient, bank: Bank) -> None:
    _, callback = promised(desk, bank)
    shown = words(row(desk.get("/console").text, callback))
    local = callback.due_at.astimezone(bank.clock.now.tzinfo)
    assert "has the card then" in shown and "Mine" in shown and "••••" in shown
    assert f"{(callback.due_at + timedelta(hours=8)):%H:%M} in" in shown, (shown, local)


def test_a_callback_moves_to_an_allowed_time_only(desk: FlaskClient, bank: Bank) -> None:
    _, callback = promised(desk, bank)
    before, url = callback.due_at, f"/console/callbacks/{callback.id}/move"
    offered_times = re.findall(r'name="at"[^>]*value="([^"]+)"', row(desk.get("/console").text, callback))
    assert offered_times
    night = (bank.clock.now + timedelta(hours=11)).isoformat()
    for wrong in (
        "",
        "soon",
        "2026-01-01T10:00:00",
        night,
        (bank.clock.now - timedelta(hours=1)).isoformat(),
    ):
        answer = desk.post(url, data={"at": wrong})
        assert answer.status_code == 400, wrong
    assert callback_of(bank).due_at == before
    assert desk.post(url, data={"at": offered_times[-1]}).status_code == 200
    moved, task = callback_of(bank), task_of(bank)
    assert moved.due_at != before and moved.due_at == task.not_before_at
    assert (task.agent_id, task.state) == (bank.agent_id, TaskState.PENDING)
    assert acts(bank) == ["callback.moved"]


def test_a_callback_goes_to_anyone_and_back(desk: FlaskClient, bank: Bank, app: Flask) -> None:
    _, callback = promised(desk, bank)
    other_id, other = colleague(bank, app)
    url = f"/console/callbacks/{callback.id}"
    assert row(other.get("/console").text, callback) == ""
    for act, form in (("give", {"anyone": "1"}), ("cancel", {"reason": "other"}), ("noted", {})):
        refused = other.post(f"{url}/{act}", data=form)
        assert (refused.status_code, refused.text) == (403, "This callback is a colleague's."), act
    assert desk.post(f"{url}/give", data={"anyone": "1"}).status_code == 200
    assert (callback_of(bank).agent_id, task_of(bank).agent_id) == (None, None)
    assert "Anyone" in words(row(other.get("/console").text, callback))
    assert other.post(f"{url}/give", data={"anyone": "0"}).status_code == 200
    assert (callback_of(bank).agent_id, task_of(bank).agent_id) == (other_id, other_id)
    assert desk.post(f"{url}/give", data={"anyone": "1"}).status_code == 403
    assert acts(bank) == ["callback.released", "callback.taken"]


def test_a_callback_is_canceled_with_a_reason_and_leaves_the_list(desk: FlaskClient, bank: Bank) -> None:
    _, callback = promised(desk, bank)
    url = f"/console/callbacks/{callback.id}/cancel"
    for wrong in ({}, {"reason": "tired"}):
        refused = desk.post(url, data=wrong)
        assert (refused.status_code, refused.text) == (400, "Say why the callback is canceled.")
    assert desk.post(url, data={"reason": "customer_asked"}).status_code == 200
    task = task_of(bank)
    assert (task.state, task.cancel_reason) == (TaskState.CANCELED, CancelReason.WITHDRAWN)
    assert row(desk.get("/console").text, callback) == ""
    again = desk.post(url, data={"reason": "other"})
    assert (again.status_code, again.text) == (409, "This callback has been kept or taken back.")


def test_an_overdue_callback_is_flagged_and_stays(desk: FlaskClient, bank: Bank) -> None:
    _, callback = promised(desk, bank, hours=4)
    assert "overdue" not in row(desk.get("/console").text, callback)
    bank.clock.go_on(hours=5)
    html = desk.get("/console").text
    assert "overdue" in row(html, callback) and "1 overdue" in words(html)
    bank.clock.go_on(days=20)
    assert "overdue" in row(desk.get("/console").text, callback)


def test_a_callback_whose_customer_went_on_says_so_until_it_is_noted(desk: FlaskClient, bank: Bank) -> None:
    user, callback = promised(desk, bank)
    url = f"/console/callbacks/{callback.id}/noted"
    early = desk.post(url)
    assert (early.status_code, early.text) == (409, "This callback is still to be kept.")
    bank.sends(user, "face_scan")
    assert callback_of(bank).lost_because == CancelReason.ADVANCED
    bank.clock.go_on(days=3)
    shown = words(row(desk.get("/console").text, callback))
    assert "Not kept" in shown and "They went on by themselves." in shown
    assert desk.post(f"/console/callbacks/{callback.id}/cancel", data={"reason": "other"}).status_code == 409
    assert desk.post(url).status_code == 200
    assert row(desk.get("/console").text, callback) == "" and acts(bank) == ["callback.noted"]


def test_a_callback_that_is_kept_is_not_lost(desk: FlaskClient, bank: Bank) -> None:
    _, callback = promised(desk, bank)
    bank.clock.go_on(hours=4)
    bank.agent_is_available()
    assert isinstance(bank.offers(task_of(bank)), pipeline.Reserved)
    busy = desk.post(f"/console/callbacks/{callback.id}/give", data={"anyone": "1"})
    assert (busy.status_code, busy.text) == (409, "This callback is with an agent just now.")
    assert desk.post(f"/console/call-tasks/{task_of(bank).id}/dial").status_code == 200
    kept = callback_of(bank)
    assert kept.closed_at is not None and kept.lost_because is None


def test_only_agents_act_on_callbacks(desk: FlaskClient, bank: Bank, sign_in: SignIn) -> None:
    _, callback = promised(desk, bank, owner="anyone")
    refused = sign_in(Role.ADMIN).post(f"/console/callbacks/{callback.id}/give", data={"anyone": "0"})
    assert (refused.status_code, refused.text) == (403, "Only agents keep callbacks.")
    for act, form in (("move", {"at": bank.clock.now.isoformat()}), ("noted", {})):
        assert desk.post(f"/console/callbacks/{uuid4()}/{act}", data=form).status_code == 404


def _form(bank: Bank, **changes: str) -> dict[str, str]:
    tomorrow = (bank.clock.now + timedelta(days=1)).date().isoformat()
    base = {
        "follow_up_kind": "visit",
        "follow_up_text": "wants advice on a mortgage",
        "follow_up_on": tomorrow,
    }
    return {**base, **changes}


def follow_ups(bank: Bank) -> list[FollowUp]:
    """The follow-ups as the database has them now."""
    bank.session.expire_all()
    return list(bank.session.exec(select(FollowUp).order_by(FollowUp.created_at)))  # type: ignore[arg-type]


def on_a_call(desk: FlaskClient, bank: Bank) -> UUID:
    """Let the agent be in the wrap-up of a call."""
    _, task_id = offered(bank)
    desk.get("/console/state")
    early = desk.post(f"/console/call-tasks/{task_id}/follow-ups", data=_form(bank))
    assert early.status_code == 409, "nobody was called yet"
    desk.post(f"/console/call-tasks/{task_id}/dial")
    talked(bank)
    return task_id


def test_business_met_on_a_call_is_noted_once_and_listed_until_it_is_done(
    desk: FlaskClient, bank: Bank
) -> None:
    task_id = on_a_call(desk, bank)
    url = f"/console/call-tasks/{task_id}/follow-ups"
    for _ in (1, 2):
        noted = desk.post(url, data=_form(bank))
        assert noted.status_code == 200 and "wants advice on a mortgage" in noted.text
    (one,) = follow_ups(bank)
    assert (one.owner_id, one.created_by, one.closed_at) == (bank.agent_id, bank.agent_id, None)
    desk.post(f"/console/call-tasks/{task_id}/wrap-up", data={"disposition": "will_finish"})
    assert f'id="follow-up-{one.id}"' in desk.get("/console").text

    change = _form(bank, follow_up_kind="branch_appointment", follow_up_text="comes on Friday")
    assert desk.post(f"/console/follow-ups/{one.id}", data=change).status_code == 200
    assert (follow_ups(bank)[0].kind, follow_ups(bank)[0].text) == ("branch_appointment", "comes on Friday")
    assert desk.post(f"/console/follow-ups/{one.id}/close").status_code == 200
    html = words(desk.get("/console").text)
    assert "1 done in the last 7 days" in html
    refused = desk.post(f"/console/follow-ups/{one.id}", data=change)
    assert refused.status_code == 409 and "Open it again" in refused.text
    assert desk.post(f"/console/follow-ups/{one.id}/reopen").status_code == 200
    assert follow_ups(bank)[0].closed_at is None
    assert [act for act in acts(bank) if act != "follow_up.noted"] == [
        "follow_up.changed", "follow_up.closed", "follow_up.reopened",
    ]  # fmt: skip


def test_what_stands_in_the_wrap_up_is_kept_with_it(desk: FlaskClient, bank: Bank) -> None:
    task_id = on_a_call(desk, bank)
    url = f"/console/call-tasks/{task_id}/wrap-up"
    yesterday = (bank.clock.now - timedelta(days=1)).date().isoformat()
    wrong = {"disposition": "will_finish", **_form(bank, follow_up_on=yesterday)}
    assert desk.post(url, data=wrong).status_code == 400
    assert follow_ups(bank) == [] and task_of(bank).state == TaskState.WRAPPING
    right = {"disposition": "will_finish", **_form(bank)}
    assert desk.post(url, data=right).status_code == 200
    assert len(follow_ups(bank)) == 1 and task_of(bank).state == TaskState.COMPLETED


@pytest.mark.parametrize(
    "wrong",
    [
        {"follow_up_kind": "party"},
        {"follow_up_text": ""},
        {"follow_up_text": "  "},
        {"follow_up_text": "x" * 501},
        {"follow_up_on": "soon"},
        {"follow_up_on": "2020-01-01"},
        {"follow_up_on": "2099-01-01"},
        {"follow_up_owner": "nobody"},
        {"follow_up_owner": str(uuid4())},
    ],
)
def test_a_follow_up_that_says_too_little_is_refused(
    desk: FlaskClient, bank: Bank, wrong: dict[str, str]
) -> None:
    task_id = on_a_call(desk, bank)
    answer = desk.post(f"/console/call-tasks/{task_id}/follow-ups", data=_form(bank, **wrong))
    assert answer.status_code == 400 and answer.text.startswith("Say what is to be done"), answer.text
    assert follow_ups(bank) == []


def test_a_follow_up_of_a_colleagues_is_theirs(desk: FlaskClient, bank: Bank, app: Flask) -> None:
    other_id, other = colleague(bank, app)
    task_id = on_a_call(desk, bank)
    assert other.post(f"/console/call-tasks/{task_id}/follow-ups", data=_form(bank)).status_code == 403
    desk.post(f"/console/call-tasks/{task_id}/follow-ups", data=_form(bank))
    (one,) = follow_ups(bank)
    for act in ("", "/close", "/reopen"):
        assert other.post(f"/console/follow-ups/{one.id}{act}", data=_form(bank)).status_code == 403, act
    given = desk.post(f"/console/follow-ups/{one.id}", data=_form(bank, follow_up_owner=str(other_id)))
    assert given.status_code == 200
    assert f'id="follow-up-{one.id}"' in other.get("/console").text
    assert other.post(f"/console/follow-ups/{one.id}/close").status_code == 200


def test_the_link_to_the_banks_own_system_carries_the_customers_id(
    desk: FlaskClient, bank: Bank, runtime: Runtime, tmp_path: Path
) -> None:
    user, _ = offered(bank)
    assert '<a class="link pane-act"' not in desk.get("/console").text
    settings = settings_for(
        tmp_path,
        runtime.database_url,
        runtime.redis_url,
        CRM_URL_TEMPLATE="https://crm.bank.example/people/{customer_id}?from=console",
    )
    with_crm = Runtime(settings, bank.clock)
    html = signed_in(app_on(with_crm).test_client(), bank.agent_id).get("/console").text
    with_crm.engine.dispose()
    link = re.search(r'<a class="link pane-act".*?>', html, re.S)
    assert link and f'href="https://crm.bank.example/people/{user}?from=console"' in link.group()
    assert 'target="_blank"' in link.group() and 'rel="noopener' in link.group()
