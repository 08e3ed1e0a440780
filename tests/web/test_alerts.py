"""Alerts: kept with who has them, quiet until they get worse, over when their reason is; thresholds by team."""

from datetime import timedelta

import pytest
from sqlmodel import select

from callcenter import alerting
from callcenter.domain.alerts import has_worsened, steps_of
from callcenter.domain.enums import NotReadyReason, Presence, Role
from callcenter.models import Agent, AuditEntry, FloorAlert, Incident
from callcenter.pipeline import set_presence
from tests.factories import Bank
from tests.web.conftest import SignIn
from tests.web.scenes import HTMX, enter, waiting_task, words


def _tick(bank: Bank) -> int:
    moved = alerting.note_alerts(bank.session, bank.clock.now)
    bank.session.commit()
    return moved


def _incident(bank: Bank) -> Incident:
    row = Incident(at=bank.clock.now, kind="second_call_for_attempt")
    bank.session.add(row)
    bank.session.commit()
    return row


@pytest.mark.parametrize(("had", "now", "worse"), [(1, 1, False), (1, 2, True), (4, 5, False), (4, 6, True)])
def test_half_as_bad_again_is_worse(had: int, now: int, worse: bool) -> None:
    assert has_worsened(had, now) is worse
    assert steps_of(timedelta(minutes=4)) == 1 and steps_of(timedelta(minutes=11)) == 3


def test_an_alert_is_taken_stays_quiet_and_is_told_again_when_it_gets_worse(
    bank: Bank, sign_in: SignIn
) -> None:
    first = _incident(bank)
    assert _tick(bank) == 1 and _tick(bank) == 0
    client = enter(bank, sign_in, Role.SUPERVISOR)
    assert "1 urgent" in words(client.get("/floor").text)
    key = "incident-second_call_for_attempt"
    answer = client.post("/floor/alerts/acknowledge", data={"key": key, "note": "asking them"}, headers=HTMX)
    assert answer.status_code == 200 and 'id="state"' in answer.text
    assert "The supervisor has it: asking them" in words(answer.text) and "urgent</span>" not in answer.text
    entry = bank.session.exec(select(AuditEntry).where(AuditEntry.act == "alert.acknowledged")).one()
    assert (entry.subject, entry.detail["note"]) == (key, "asking them")
    second = _incident(bank)
    assert _tick(bank) == 1
    again = words(client.get("/floor").text)
    assert "Worse since The supervisor took it." in again and "1 urgent" in again
    for one in (first, second):
        one.resolved_at = bank.clock.go_on(minutes=2)
    bank.session.commit()
    assert _tick(bank) == 1
    html = words(client.get("/floor/alerts").text)
    assert "Nothing needs you." in html and "Incident: second call for attempt" in html
    assert client.post("/floor/alerts/acknowledge", data={"key": key}).status_code == 409


def test_an_alert_the_tick_has_not_seen_yet_can_be_taken(bank: Bank, sign_in: SignIn) -> None:
    _incident(bank)
    client = enter(bank, sign_in, Role.SUPERVISOR)
    form = {"key": "incident-second_call_for_attempt", "from": "alerts"}
    answer = client.post("/floor/alerts/acknowledge", data=form)
    assert answer.headers["Location"] == "/floor/alerts"
    row = bank.session.exec(select(FloorAlert)).one()
    assert row.acknowledged_measure == 1 and row.cleared_at is None


def test_who_takes_an_alert_keeps_the_team_they_look_at(bank: Bank, sign_in: SignIn) -> None:
    _incident(bank)
    bank.session.get_one(Agent, bank.another_agent()).team = "Loan desk B"
    bank.session.commit()
    client = enter(bank, sign_in, Role.SUPERVISOR)
    form = {"key": "incident-second_call_for_attempt"}
    shown = {**HTMX, "HX-Current-URL": "http://localhost/floor?team=Loan+desk+B"}
    html = client.post("/floor/alerts/acknowledge", data=form, headers=shown).text
    assert 'class="chip is-chosen" href="/floor?team=Loan+desk+B"' in html


def test_the_alerts_refresh_themselves_unless_something_was_refused(bank: Bank, sign_in: SignIn) -> None:
    client = enter(bank, sign_in, Role.SUPERVISOR)
    assert 'data-state-url="/floor/alerts"' in client.get("/floor/alerts").text
    form = {"team": "", "wrap_up": "soon", "not_ready": "", "talk": "", "overdue": "1"}
    refused = client.post("/floor/alerts/thresholds", data=form)
    assert refused.status_code == 400 and "data-state-url" not in refused.text and "soon" in refused.text


def test_a_teams_thresholds_say_from_when_it_is_told(bank: Bank, sign_in: SignIn) -> None:
    set_presence(bank.session, bank.agent_id, Presence.NOT_READY, NotReadyReason.BREAK, bank.clock.now)
    bank.session.commit()
    bank.clock.go_on(minutes=12)
    client = enter(bank, sign_in, Role.SUPERVISOR)
    assert "is long not ready" not in client.get("/floor").text
    form = {"team": "Loan desk A", "wrap_up": "60", "not_ready": "10", "talk": "", "overdue": "1"}
    assert client.post("/floor/alerts/thresholds", data=form).status_code == 302
    html = client.get("/floor/alerts").text
    assert "Lin Yue is long not ready" in html and 'value="10"' in html
    assert bank.session.exec(select(AuditEntry).where(AuditEntry.act == "alert.thresholds")).one()
    for wrong in ({"not_ready": "soon"}, {"wrap_up": "9999"}, {"team": "Nobody"}, {"overdue": "0" * 5}):
        answer = client.post("/floor/alerts/thresholds", data={**form, **wrong})
        assert answer.status_code in (302, 400), wrong
    bad = client.post("/floor/alerts/thresholds", data={**form, "not_ready": "soon"})
    assert bad.status_code == 400 and 'value="soon"' in bad.text and "Give whole numbers" in bad.text


def test_the_queue_is_told_of_from_as_many_late_tasks_as_is_set(bank: Bank, sign_in: SignIn) -> None:
    waiting_task(bank)
    set_presence(bank.session, bank.agent_id, Presence.NOT_READY, None, bank.clock.now)
    bank.session.commit()
    bank.clock.go_on(minutes=3)
    client = enter(bank, sign_in, Role.SUPERVISOR)
    assert "1 call task is past twice its promise" in client.get("/floor").text
    form = {"team": "", "wrap_up": "180", "not_ready": "", "talk": "", "overdue": "2"}
    client.post("/floor/alerts/thresholds", data=form)
    assert "past twice its promise" not in client.get("/floor").text
