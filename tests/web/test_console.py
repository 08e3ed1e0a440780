"""The agent console: what each state shows, and what each act answers."""

import re
from datetime import timedelta
from uuid import UUID, uuid4

from flask.testing import FlaskClient
from sqlmodel import select

from callcenter import pipeline
from callcenter.domain.enums import AttemptState, CallResult, Presence, TaskState, WorkState
from callcenter.domain.ports import Placed
from callcenter.models import Agent, Callback, CallTask, Disposition, ScriptStep, User
from tests.factories import Bank, user_in_arm
from tests.web.conftest import SignIn

RULE = "id-photo-trouble"


def phase(html: str) -> str:
    """The state a console shows."""
    found = re.search(r'data-phase="(\w+)"', html)
    assert found
    return found.group(1)


def agent_of(bank: Bank) -> Agent:
    """The agent as the database has them now."""
    bank.session.expire_all()
    return bank.session.get_one(Agent, bank.agent_id)


def task_of(bank: Bank) -> CallTask:
    """The one call task as the database has it now."""
    bank.session.expire_all()
    (task,) = bank.tasks()
    return task


def offered(bank: Bank, **traits: str) -> tuple[str, UUID]:
    """Let a customer have trouble and the agent be offered the call task."""
    user = user_in_arm(RULE, held_out=False, at=bank.clock.now)
    bank.agent_is_available()
    bank.knows(user, **traits)
    bank.sends(user, "id_photo_front")
    for _ in (1, 2):
        bank.sends(user, "photo_rejected", reason="glare")
    bank.ticks()
    task = bank.tasks()[-1]
    assert isinstance(bank.offers(task), pipeline.Reserved)
    return user, task.id


def talked(bank: Bank) -> UUID:
    """Let the carrier connect the dialed call and end it after a minute."""
    bank.session.expire_all()
    attempt = bank.attempts()[-1]
    pipeline.begin_placing(bank.session, attempt.id, bank.clock.now)
    pipeline.note_placement(bank.session, attempt.id, Placed("CA1"), bank.clock.now)
    pipeline.answer_call(bank.session, bank.house, attempt.id, "CA1", bank.clock.now)
    bank.clock.go_on(seconds=60)
    bank.hears(attempt.id, AttemptState.ENDED, CallResult.COMPLETED)
    return attempt.id


def test_an_idle_console_says_why_there_is_no_call(desk: FlaskClient) -> None:
    html = desk.get("/console").text
    assert phase(html) == "idle" and 'data-live="/live/console"' in html
    assert 'data-state-url="/console/state"' in html


def test_presence_is_the_agents_own_and_the_answer_shows_it(desk: FlaskClient, bank: Bank) -> None:
    assert desk.post("/console/presence", data={"presence": "available"}).status_code == 200
    assert agent_of(bank).presence == Presence.AVAILABLE
    desk.post("/console/presence", data={"presence": "not_ready", "reason": "break"})
    assert (agent_of(bank).presence, agent_of(bank).not_ready_reason) == (Presence.NOT_READY, "break")
    for wrong in ({"presence": "asleep"}, {"presence": "not_ready", "reason": "tired"}, {}):
        answer = desk.post("/console/presence", data=wrong)
        assert (answer.status_code, answer.text) == (400, "Choose available, or not ready with a reason.")
    assert agent_of(bank).not_ready_reason == "break"


def test_a_call_from_offer_to_saved_wrap_up(desk: FlaskClient, bank: Bank) -> None:
    _, task_id = offered(bank)
    html = desk.get("/console/state").text
    assert phase(html) == "previewing" and f'data-call-task="{task_id}"' in html
    assert agent_of(bank).work_state == WorkState.PREVIEWING
    url = f"/console/call-tasks/{task_id}"
    assert phase(desk.post(f"{url}/dial").text) == "dialing"
    second = desk.post(f"{url}/dial")
    assert (second.status_code, second.text) == (409, "This call task is assigned by now.")
    early = desk.post(f"{url}/wrap-up", data={"disposition": "will_finish"})
    assert early.status_code == 409
    attempt_id = talked(bank)
    assert phase(desk.get("/console/state").text) == "wrapping"

    missing = desk.post(f"{url}/wrap-up", data={"note": "typed text"})
    assert missing.status_code == 400
    assert missing.text == "Look at the fields marked; nothing you typed is lost."
    unknown = desk.post(f"{url}/wrap-up", data={"disposition": "sold_a_house"})
    assert (unknown.status_code, unknown.text) == (400, "Choose a result for this call.")
    for wrong in (
        {"causes": ["weather"]},
        {"note": "n" * 2001},
        {"callback_at": "tomorrow"},
        {"callback_owner": "x"},
    ):
        assert desk.post(f"{url}/wrap-up", data={"disposition": "will_finish", **wrong}).status_code == 400, (
            wrong
        )
    assert bank.session.exec(select(Disposition)).all() == []
    assert desk.post("/console/more-time").status_code == 200

    form = {
        "disposition": "will_finish",
        "causes": ["technical", "usability"],
        "note": " 灯光 ",
        "suggestion": "s",
    }
    saved = desk.post(f"{url}/wrap-up", data=form)
    assert saved.status_code == 200 and task_of(bank).state == TaskState.COMPLETED
    kept = bank.session.exec(select(Disposition)).one()
    assert (kept.attempt_id, kept.note, kept.causes) == (attempt_id, "灯光", ["technical", "usability"])
    again = desk.post(f"{url}/wrap-up", data=form)
    assert again.status_code == 409 and "completed" in again.text
    assert agent_of(bank).work_state == WorkState.IDLE
    assert desk.post("/console/more-time").status_code == 409


def _is_found_abroad(bank: Bank, user: str) -> None:
    """Let the customer be found in Tehran, where it is half past seven and nobody is called before nine."""
    bank.takes({"type": "identify", "userId": user, "traits": {"time_zone": "Asia/Tehran"}})


def test_a_dial_barred_for_now_is_not_made_and_its_task_waits(desk: FlaskClient, bank: Bank) -> None:
    user, task_id = offered(bank)
    desk.get("/console/state")
    _is_found_abroad(bank, user)
    answer = desk.post(f"/console/call-tasks/{task_id}/dial")
    assert answer.status_code == 200 and bank.attempts() == []
    assert task_of(bank).not_before_at == bank.clock.now + timedelta(hours=1, minutes=30)
    assert agent_of(bank).work_state == WorkState.IDLE


def test_a_barred_dial_says_from_when_in_the_customers_place(desk: FlaskClient, bank: Bank) -> None:
    user, task_id = offered(bank)
    desk.get("/console/state")
    _is_found_abroad(bank, user)
    html = desk.post(f"/console/call-tasks/{task_id}/dial").text
    for shown in (html, desk.get("/console/state").text):
        assert "They finished by themselves" not in shown and "Call not needed" not in shown
        assert "09:00" in shown and "Tehran" in shown


def test_a_dial_barred_for_good_ends_the_task(desk: FlaskClient, bank: Bank) -> None:
    _, task_id = offered(bank)
    desk.get("/console/state")
    customer_id = task_of(bank).customer_id
    bank.bars(customer_id)
    answer = desk.post(f"/console/call-tasks/{task_id}/dial")
    assert answer.status_code == 200 and bank.attempts() == []
    assert "They finished by themselves" not in answer.text
    assert task_of(bank).state == TaskState.CANCELED and agent_of(bank).work_state == WorkState.IDLE


def test_a_customer_who_moved_on_is_not_called(desk: FlaskClient, bank: Bank) -> None:
    user, task_id = offered(bank)
    desk.get("/console/state")
    bank.sends(user, "face_scan")
    html = desk.get("/console/state").text
    assert phase(html) == "gone" and "Call not needed." in html
    dialed = desk.post(f"/console/call-tasks/{task_id}/dial")
    assert dialed.status_code in (403, 409) and bank.attempts() == []
    bank.clock.go_on(seconds=30)
    assert phase(desk.get("/console/state").text) == "idle"


def test_a_callback_is_kept_at_an_allowed_time_and_refused_at_another(desk: FlaskClient, bank: Bank) -> None:
    _, task_id = offered(bank)
    desk.get("/console/state")
    desk.post(f"/console/call-tasks/{task_id}/dial")
    talked(bank)
    url = f"/console/call-tasks/{task_id}/wrap-up"
    night = (bank.clock.now + timedelta(hours=10)).isoformat()
    refused = desk.post(url, data={"disposition": "callback", "callback_at": night})
    assert refused.status_code == 400
    assert refused.text == "This customer may not be called at that time. Choose one of the times offered."
    for wrong in ("", (bank.clock.now - timedelta(hours=1)).isoformat()):
        refused = desk.post(url, data={"disposition": "callback", "callback_at": wrong})
        assert (refused.status_code, refused.text) == (400, "Choose when to call back.")
    assert bank.session.exec(select(Callback)).all() == [] and task_of(bank).state == TaskState.WRAPPING
    day = (bank.clock.now + timedelta(hours=24)).isoformat()
    assert desk.post(url, data={"disposition": "callback", "callback_at": day}).status_code == 200
    assert bank.session.exec(select(Callback)).one().agent_id == bank.agent_id
    assert task_of(bank).state == TaskState.PENDING


def test_a_step_through_the_script_is_kept_and_shown_in_the_path(desk: FlaskClient, bank: Bank) -> None:
    _, task_id = offered(bank)
    html = desk.get("/console/state").text
    posts = re.findall(r'hx-vals=\'({"[^\']*)\'', html)
    desk.post(f"/console/call-tasks/{task_id}/dial")
    answer = desk.post(
        f"/console/call-tasks/{task_id}/script", data={"node": "opening", "branch": "yes" * 60}
    )
    assert answer.status_code == 200, posts
    (step,) = bank.session.exec(select(ScriptStep)).all()
    assert (step.node, len(step.branch or ""), step.objection) == ("opening", 80, None)


def test_skipping_needs_a_reason_and_gives_the_task_back(desk: FlaskClient, bank: Bank) -> None:
    _, task_id = offered(bank)
    desk.get("/console/state")
    url = f"/console/call-tasks/{task_id}/skip"
    assert (desk.post(url).status_code, desk.post(url).text) == (400, "Say why you skip this call task.")
    assert desk.post(url, data={"reason": "knows_me"}).status_code == 200
    assert (task_of(bank).state, task_of(bank).agent_id) == (TaskState.PENDING, None)


def test_what_is_another_agents_or_nobodys_is_refused(desk: FlaskClient, bank: Bank, sign_in: SignIn) -> None:
    _, task_id = offered(bank)
    admin = sign_in("admin")
    for act, form in (
        ("dial", {}),
        ("skip", {"reason": "x"}),
        ("wrap-up", {"disposition": "machine"}),
        ("script", {}),
    ):
        assert admin.post(f"/console/call-tasks/{task_id}/{act}", data=form).status_code == 403, act
        missing = desk.post(f"/console/call-tasks/{uuid4()}/{act}", data=form)
        assert missing.status_code in (403, 404), act
    assert desk.post(f"/console/attempts/{uuid4()}/end").status_code == 404
    assert admin.get("/console").status_code == 409
    assert task_of(bank).state == TaskState.RESERVED


def test_the_console_reads_in_chinese(desk: FlaskClient, bank: Bank) -> None:
    bank.session.get_one(User, bank.agent_id).language = "zh"
    bank.session.commit()
    english = (
        "Skip…",
        "Dial",
        "Wrap-up",
        "Why they stopped",
        "Choose a result",
        "Save, next task",
        "More time",
        "Place in line",
        "Available",
        "Callback",
        "Customer",
        "Script",
        "Sign out",
    )

    def words_left(html: str) -> list[str]:
        text = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", "\n", html, flags=re.S)
        lines = {line.strip() for line in text.splitlines()}
        return [word for word in english if word in lines]

    assert words_left(desk.get("/console").text) == []
    _, task_id = offered(bank)
    assert words_left(desk.get("/console/state").text) == []
    desk.post(f"/console/call-tasks/{task_id}/dial")
    talked(bank)
    html = desk.get("/console").text
    assert words_left(html) == [] and 'lang="zh' in html
    refused = desk.post(f"/console/call-tasks/{task_id}/wrap-up", data={})
    assert refused.status_code == 400
