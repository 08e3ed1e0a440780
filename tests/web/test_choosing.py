"""The list of an agent who chooses whom to call: what stands in it, in which order, and who takes what."""

import re
import threading
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import select

from callcenter import dialer, outbox, pipeline
from callcenter.domain.enums import CancelReason, DialingMode, Presence, TaskState, WorkState
from callcenter.models import Agent, CallTask, Customer, TriggerRule, User
from callcenter.runtime import Runtime
from callcenter.web.console_choices import SHOWN_LATER, SHOWN_NOW
from tests.factories import Bank
from tests.web.conftest import signed_in
from tests.web.scenes import HTMX, users_in_arm, words
from tests.web.test_live import NOW, START, _next_ring, _stream

RULE = "id-photo-trouble"
NOBODY = "No call task waits."


def dialed(bank: Bank, mode: DialingMode) -> None:
    """Let the supervisor set how the loan is dialed."""
    dialer.set_campaign(bank.session, "loan", mode, bank.agent_id, bank.clock.now)
    bank.session.commit()


def waiting(bank: Bank, many: int = 1, prefix: str = "p", **traits: str) -> list[CallTask]:
    """Let so many customers wait for a call, the first the longest."""
    for user in users_in_arm(RULE, many, held_out=False, at=bank.clock.now, prefix=prefix):
        bank.knows(user, **traits)
        bank.sends(user, "id_photo_front")
        for attempt in (1, 2):
            bank.sends(user, "photo_rejected", reason="glare", attempt=attempt)
        bank.ticks()
        bank.clock.go_on(seconds=1)
    return bank.tasks()[-many:]


def looked(desk: FlaskClient) -> str:
    """What the console shows now."""
    answer = desk.get("/console/state", headers=HTMX)
    assert answer.status_code == 200
    return answer.text


def listed(html: str, part: str = "now") -> list[UUID]:
    """The call tasks of one part of the list, in their order."""
    found = re.search(rf'id="choices-{part}".*?</ol>', html, re.DOTALL)
    return [UUID(each) for each in re.findall(r'id="choice-([0-9a-f-]+)"', found.group())] if found else []


def row(html: str, task: CallTask) -> str:
    """What one row says."""
    found = re.search(rf'id="choice-{task.id}".*?</li>', html, re.DOTALL)
    assert found
    return words(found.group())


@pytest.fixture
def choosing(bank: Bank) -> Bank:
    """A bank whose one campaign is dialed manually, with its agent available."""
    bank.agent_is_available()
    dialed(bank, DialingMode.MANUAL)
    return bank


def test_the_list_is_there_only_for_a_free_agent_of_a_manual_campaign(desk: FlaskClient, bank: Bank) -> None:
    (task,) = waiting(bank)
    assert 'id="choices"' not in looked(desk), "signed off, previewed"
    bank.agent_is_available()
    assert 'id="choices"' not in looked(desk), "in preview nobody chooses"
    dialed(bank, DialingMode.MANUAL)
    html = looked(desk)
    assert listed(html) == [task.id] and f'action="/console/call-tasks/{task.id}/take"' in html
    desk.post("/console/presence", data={"presence": "not_ready", "reason": "break"})
    assert 'id="choices"' not in looked(desk)


def test_a_row_says_who_why_since_when_and_never_the_whole_number(desk: FlaskClient, choosing: Bank) -> None:
    (task,) = waiting(choosing)
    choosing.clock.go_on(seconds=64)
    html = looked(desk)
    number = choosing.session.get_one(Customer, task.customer_id).number
    assert number and number[-8:] not in html
    said = row(html, task)
    for part in ("陈伟", f"138 •••• {number[-4:]}", "Photo rejected: glare, 2 times", "ID photo", "1:05"):
        assert part in said
    assert f"Priority {task.priority}" in said


def test_the_most_urgent_stands_first_and_then_who_waits_longest(desk: FlaskClient, choosing: Bank) -> None:
    first, second, third = waiting(choosing, 3)
    choosing.session.get_one(CallTask, third.id).priority = 90
    choosing.session.commit()
    assert listed(looked(desk)) == [third.id, first.id, second.id]


def test_who_may_not_be_called_yet_says_from_when_in_their_own_hours(
    desk: FlaskClient, choosing: Bank
) -> None:
    (open_one,) = waiting(choosing)
    # 12:00 in Shanghai is 07:30 in Tehran: the gate says no when the rule fires.
    (early,) = waiting(choosing, prefix="t", time_zone="Asia/Tehran")
    html = looked(desk)
    assert (listed(html), listed(html, "later")) == ([open_one.id], [early.id])
    assert "Not before 09:00 in Tehran." in row(html, early) and "Calling hours" in row(html, early)
    assert f"/console/call-tasks/{early.id}/take" not in html


def test_a_gate_that_has_closed_meanwhile_is_seen_without_being_asked_to_call(
    desk: FlaskClient, choosing: Bank
) -> None:
    (task,) = waiting(choosing)
    customer = choosing.session.get_one(Customer, task.customer_id)
    customer.number, customer.time_zone = "+12125550142", "America/New_York"  # 23:00 there
    choosing.session.commit()
    html = looked(desk)
    assert (listed(html), listed(html, "later")) == ([], [task.id])
    assert "Not before 09:00 tomorrow in New York." in row(html, task)
    assert "Nobody may be called just now." in html
    assert choosing.tasks()[0].why_no_call != ["outside_calling_hours"], "a look writes nothing"


def test_the_list_looks_again_when_the_next_may_be_called(desk: FlaskClient, choosing: Bank) -> None:
    (task,) = waiting(choosing)
    at = choosing.clock.now + timedelta(seconds=20)
    choosing.session.get_one(CallTask, task.id).not_before_at = at
    choosing.session.commit()
    assert f'data-refresh-at="{int(at.timestamp() * 1000)}"' in looked(desk)
    choosing.clock.go_on(seconds=21)
    assert listed(looked(desk)) == [task.id]


def test_a_paused_rule_s_tasks_cannot_be_taken_and_say_so(desk: FlaskClient, choosing: Bank) -> None:
    (task,) = waiting(choosing)
    rule = choosing.session.exec(select(TriggerRule).where(TriggerRule.rule_key == RULE)).one()
    rule.state = "paused"  # type: ignore[assignment]
    choosing.session.commit()
    html = looked(desk)
    assert (listed(html), listed(html, "later")) == ([], [task.id])
    assert "Rule paused" in row(html, task) and "Not before" not in row(html, task)


def test_what_has_run_out_or_is_under_way_is_not_in_the_list(desk: FlaskClient, choosing: Bank) -> None:
    gone, held, left = waiting(choosing, 3)
    choosing.session.get_one(CallTask, gone.id).expires_at = choosing.clock.now
    choosing.session.get_one(CallTask, held.id).state = TaskState.ASSIGNED
    choosing.session.commit()
    assert listed(looked(desk)) == [left.id]


def test_who_speaks_another_language_is_left_to_a_colleague_who_does(
    desk: FlaskClient, choosing: Bank
) -> None:
    (task,) = waiting(choosing)
    choosing.session.get_one(Customer, task.customer_id).language = "kk"
    choosing.session.commit()
    html = looked(desk)
    assert listed(html) == [task.id], "nobody available speaks it better"
    assert "Kazakh" in row(html, task)
    other = choosing.session.get_one(Agent, choosing.another_agent())
    other.languages, other.seen_at = "kk,ru", choosing.clock.now
    choosing.session.commit()
    html = looked(desk)
    assert listed(html) == [] and "1 is left to a colleague" in words(html)
    other.presence = Presence.NOT_READY
    choosing.session.commit()
    assert listed(looked(desk)) == [task.id]


def test_a_promise_is_kept_by_who_gave_it_for_a_while(desk: FlaskClient, choosing: Bank) -> None:
    (task,) = waiting(choosing)
    promised = choosing.session.get_one(CallTask, task.id)
    promised.agent_id, promised.not_before_at = choosing.another_agent(), choosing.clock.now
    choosing.session.commit()
    assert listed(looked(desk)) == []
    choosing.clock.go_on(minutes=16)
    assert listed(looked(desk)) == [task.id]


def test_a_long_list_is_capped_and_counts_the_rest(desk: FlaskClient, choosing: Bank) -> None:
    tasks = waiting(choosing, SHOWN_NOW + SHOWN_LATER + 7)
    for task in tasks[: SHOWN_LATER + 4]:
        choosing.session.get_one(CallTask, task.id).not_before_at = choosing.clock.now + timedelta(hours=1)
    choosing.session.commit()
    html = looked(desk)
    assert (len(listed(html)), len(listed(html, "later"))) == (SHOWN_NOW, SHOWN_LATER)
    assert "And 7 more wait." in words(html)


def test_an_empty_list_says_so(desk: FlaskClient, choosing: Bank) -> None:
    html = looked(desk)
    assert NOBODY in html and "Nobody to call yet" in html and "data-choose" not in html


def test_who_takes_a_task_has_it_before_them(desk: FlaskClient, choosing: Bank) -> None:
    first, second = waiting(choosing, 2)
    answer = desk.post(f"/console/call-tasks/{second.id}/take", headers=HTMX)
    assert answer.status_code == 200 and f'data-call-task="{second.id}"' in answer.text
    refused = desk.post(f"/console/call-tasks/{first.id}/take", headers=HTMX)
    assert (refused.status_code, refused.text) == (
        409,
        "Become available first, and finish the call task before you.",
    )


def second_desk(app: Flask, bank: Bank) -> FlaskClient:
    """Another agent's browser."""
    agent = bank.session.get_one(Agent, bank.another_agent())
    agent.seen_at = bank.clock.now
    bank.session.commit()
    return signed_in(app.test_client(), agent.id)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "A colleague took this call task a moment ago. Take another one."),
        ("zh", "同事刚刚领取了该任务，请另选一个。"),
    ],
)
def test_who_comes_second_is_told_and_sees_the_list_without_it(
    app: Flask, desk: FlaskClient, choosing: Bank, language: str, sentence: str
) -> None:
    first, second = waiting(choosing, 2)
    other = second_desk(app, choosing)
    choosing.session.get_one(User, choosing.agent_id).language = language
    choosing.session.commit()
    assert other.post(f"/console/call-tasks/{first.id}/take", headers=HTMX).status_code == 200
    answer = desk.post(f"/console/call-tasks/{first.id}/take", headers=HTMX)
    assert (answer.status_code, answer.text) == (409, sentence)
    assert answer.mimetype == "text/plain"
    assert listed(looked(desk)) == [second.id]


def test_of_two_at_the_same_moment_one_has_it_and_the_other_is_told(
    app: Flask, desk: FlaskClient, choosing: Bank
) -> None:
    (task,) = waiting(choosing)
    other, start = second_desk(app, choosing), threading.Barrier(2)
    answers: list[tuple[int, str]] = []

    def takes(browser: FlaskClient) -> None:
        start.wait(5)
        answer = browser.post(f"/console/call-tasks/{task.id}/take", headers=HTMX)
        answers.append((answer.status_code, answer.text))

    threads = [threading.Thread(target=takes, args=(browser,)) for browser in (desk, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    (won, _), (lost, said) = sorted(answers)
    assert (won, lost) == (200, 409) and said.startswith("A colleague took this call task")
    choosing.session.expire_all()
    states = sorted(agent.work_state for agent in choosing.session.exec(select(Agent)))
    assert states in (["idle", "previewing"], ["idle", "reserved"])


def test_a_task_whose_reason_has_died_needs_no_call(desk: FlaskClient, choosing: Bank) -> None:
    (task,) = waiting(choosing)
    dead = choosing.session.get_one(CallTask, task.id)
    dead.state, dead.cancel_reason = TaskState.CANCELED, CancelReason.RECOVERED
    choosing.session.commit()
    answer = desk.post(f"/console/call-tasks/{task.id}/take", headers=HTMX)
    assert (answer.status_code, answer.text) == (
        409,
        "This call task needs no call any more. Take another one.",
    )


def test_a_console_with_a_list_hears_of_the_floor_s_changes_and_another_does_not(
    desk: FlaskClient, choosing: Bank, runtime: Runtime
) -> None:
    answer, chunks = _stream(desk, "/live/console")
    assert next(chunks) == START
    assert _next_ring(runtime, chunks, outbox.FLOOR, outbox.FLOOR) == NOW
    answer.close()  # type: ignore[attr-defined]
    own = outbox.agent_channel(choosing.agent_id)
    agent = choosing.session.get_one(Agent, choosing.agent_id)
    agent.work_state = WorkState.WRAPPING
    choosing.session.commit()
    answer, chunks = _stream(desk, "/live/console")
    assert next(chunks) == START
    rung = threading.Timer(2.5, lambda: runtime.tell(own))
    rung.start()
    before = runtime.clock()
    assert _next_ring(runtime, chunks, outbox.FLOOR) == NOW
    rung.join(5)
    assert runtime.clock() == before and not rung.is_alive(), "it was its own ring that it heard"
    answer.close()  # type: ignore[attr-defined]


def test_a_look_at_the_list_reserves_nothing(desk: FlaskClient, choosing: Bank) -> None:
    (task,) = waiting(choosing)
    for _ in range(3):
        looked(desk)
    assert choosing.offers(task) == pipeline.NotOffered("agents choose")


def test_a_task_that_is_found_barred_for_good_is_ended_when_somebody_wants_it(
    desk: FlaskClient, choosing: Bank
) -> None:
    (task,) = waiting(choosing)
    choosing.bars(task.customer_id)
    answer = desk.post(f"/console/call-tasks/{task.id}/take", headers=HTMX)
    assert (answer.status_code, answer.text) == (
        409,
        "This call task needs no call any more. Take another one.",
    )
    choosing.session.expire_all()
    assert choosing.tasks()[0].state == TaskState.CANCELED
    assert listed(looked(desk)) == listed(looked(desk), "later") == []
