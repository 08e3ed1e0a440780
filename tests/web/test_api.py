"""The bank's other systems over the API: tokens, customers, calls asked for, promised, barred."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlmodel import Session, col, select

from callcenter import acts, partner_acts
from callcenter.domain.enums import FiringFate, TaskState
from callcenter.errors import Conflict
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import ApiToken, AuditEntry, CallTask, Customer, Suppression, TriggerFiring, Visit
from callcenter.partner_acts import COMMAND_LINE
from callcenter.runtime import Runtime
from tests.factories import Bank, user_in_arm
from tests.web.partner import TOKEN, Caller, token_for

CHEN = {"name": "陈伟", "phone": "+8613800138001", "time_zone": "Asia/Shanghai", "language": "zh"}


@pytest.fixture
def api(app: Flask, session: Session, bank: Bank) -> Caller:
    """A system that may do everything."""
    token_for(session, bank)
    return Caller(app, TOKEN)


def code_of(answer: Any) -> str:
    """The code of a refusal, which is problem JSON with what to do."""
    assert answer.content_type == "application/problem+json", answer.text
    assert {"type", "title", "status", "code", "message"} <= set(answer.json)
    assert answer.json["status"] == answer.status_code
    return str(answer.json["code"])


def test_a_token_is_kept_by_its_hash_and_ends_at_once(api: Caller, session: Session, bank: Bank) -> None:
    (row,) = session.exec(select(ApiToken)).all()
    assert TOKEN not in row.model_dump_json() and row.hint == TOKEN[-4:]
    assert api("GET", "/call-tasks").status_code == 200
    session.refresh(row)
    assert row.last_used_at == bank.clock.now
    assert row.id is not None
    partner_acts.revoke_token(session, row.id, COMMAND_LINE, bank.clock.now)
    session.commit()
    refused = api("GET", "/call-tasks")
    assert (refused.status_code, code_of(refused)) == (401, "unknown_token")
    assert refused.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer x", "Basic abc", "Bearer " + "x" * 60, "Bearer \xff"]
)
def test_whoever_shows_no_token_is_a_stranger(app: Flask, bank: Bank, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    refused = app.test_client().get("/api/v1/call-tasks", headers=headers)
    assert (refused.status_code, code_of(refused)) == (401, "unknown_token")


def test_a_token_past_its_end_opens_nothing(app: Flask, session: Session, bank: Bank) -> None:
    token_for(session, bank, expires_at=bank.clock.now + timedelta(hours=1))
    assert Caller(app, TOKEN)("GET", "/call-tasks").status_code == 200
    bank.clock.go_on(hours=1)
    assert Caller(app, TOKEN)("GET", "/call-tasks").status_code == 401


def test_a_token_does_what_its_scopes_say_and_no_more(app: Flask, session: Session, bank: Bank) -> None:
    token_for(session, bank, "tasks:read")
    caller = Caller(app, TOKEN)
    assert caller("GET", "/call-tasks").status_code == 200
    for method, path in (
        ("POST", "/call-tasks"),
        ("GET", "/customers/c1"),
        ("GET", "/attempts"),
        ("POST", "/lists"),
    ):
        refused = caller(method, path)
        assert (refused.status_code, code_of(refused)) == (403, "missing_scope"), path


def test_a_token_asks_as_often_as_it_may(app: Flask, session: Session, bank: Bank) -> None:
    token_for(session, bank, requests_per_minute=2)
    caller = Caller(app, TOKEN)
    answers = [caller("GET", "/call-tasks") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert [one.headers["X-RateLimit-Remaining"] for one in answers] == ["1", "0", "0"]
    assert code_of(answers[2]) == "too_many_requests" and int(answers[2].headers["Retry-After"]) > 0
    bank.clock.go_on(seconds=60)
    assert caller("GET", "/call-tasks").status_code == 200


def test_a_customer_is_told_read_tagged_and_audited(api: Caller, session: Session) -> None:
    made = api("PUT", "/customers/c1", {**CHEN, "tags": ["vip"], "traits": {"credit_limit": 5000}})
    assert (made.status_code, made.json["is_new"]) == (200, True), made.text
    changed = api("PUT", "/customers/c1", {"city": "上海"})
    assert changed.json == {**made.json, "is_new": False}
    shown = api("GET", "/customers/c1").json
    assert (shown["agent_tags"], shown["segments"], shown["survey_group"]) == ([], [], None)
    assert (shown["phone"], shown["city"], shown["traits"]) == (
        "+8613800138001",
        "上海",
        {"credit_limit": 5000},
    )
    assert api("POST", "/customers/c1/tags", {"tags": ["a", "vip"]}).json["tags"] == ["vip", "a"]
    assert api("DELETE", "/customers/c1/tags/vip").json["tags"] == ["a"]
    acts = session.exec(select(AuditEntry).where(col(AuditEntry.act).startswith("customer."))).all()
    assert {one.act for one in acts} == {"customer.told", "customer.tagged"}
    assert {one.detail["token"] for one in acts} == {"crm"}
    assert {one.subject for one in acts} == {made.json["customer_id"]}, "as an export looks for them"
    assert "陈伟" not in str([one.detail for one in acts])
    assert code_of(api("GET", "/customers/c2")) == "unknown_customer"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"phone": "12"}, "invalid_phone"),
        ({"time_zone": "Shanghai"}, "unknown_time_zone"),
        ({"language": "fr"}, "invalid_request"),
        ({"nmae": "x"}, "invalid_request"),
        ({"name": "a\x00b"}, "invalid_request"),
        ({"traits": {"x": "y" * 40_000}}, "invalid_request"),
    ],
)
def test_a_wrong_customer_is_refused_and_not_kept(
    api: Caller, session: Session, wrong: dict[str, Any], code: str
) -> None:
    refused = api("PUT", "/customers/c1", {**CHEN, **wrong})
    assert (refused.status_code, code_of(refused)) == (422, code)
    assert refused.json["fields"]
    assert session.exec(select(Customer)).all() == []


def test_of_many_customers_a_wrong_one_harms_no_other(api: Caller, session: Session) -> None:
    rows: list[Any] = [
        {"external_id": f"c{n}", "phone": f"+86138001{n:05d}", "time_zone": "Asia/Shanghai"}
        for n in range(50)
    ]
    rows[3]["phone"], rows[4], rows[5]["time_zone"] = "3", {"name": "nobody"}, "Mars"
    told = api("POST", "/customers/bulk", {"customers": rows}).json
    assert (told["stored"], told["refused"]) == (47, 3)
    assert [(one["index"], one["code"]) for one in told["results"] if one["code"]] == [
        (3, "invalid_phone"),
        (4, "invalid_request"),
        (5, "unknown_time_zone"),
    ]
    assert len(session.exec(select(Customer)).all()) == 47
    again = api("POST", "/customers/bulk", {"customers": [*rows[:2], rows[0]]}).json
    assert [one["is_new"] for one in again["results"]] == [False] * 3
    assert api("POST", "/customers/bulk", {"customers": rows * 21}).status_code == 422


def test_the_same_request_is_done_once(api: Caller, session: Session, bank: Bank) -> None:
    bank.knows("c1")
    wanted = {"external_id": "c1", "journey": "loan", "step": "profile"}
    first = api("POST", "/call-tasks", wanted, key="k1")
    again = api("POST", "/call-tasks", wanted, key="k1")
    assert (first.status_code, again.status_code) == (201, 201), first.text
    assert again.json == first.json and again.headers["Idempotent-Replayed"] == "true"
    assert len(bank.tasks()) == 1
    other = api("POST", "/call-tasks", {**wanted, "priority": 60}, key="k1")
    assert (other.status_code, code_of(other)) == (422, "idempotency_key_reused")
    assert code_of(api("POST", "/call-tasks", wanted, key="k2")) == "open_task_exists"
    bank.clock.go_on(hours=24)
    assert "Idempotent-Replayed" not in api("POST", "/call-tasks", wanted, key="k1").headers


def test_of_two_at_once_one_is_done_and_the_other_told_to_come_again(
    api: Caller, session: Session, bank: Bank
) -> None:
    bank.knows("c1")
    together, answers = threading.Barrier(6), []

    def ask() -> None:
        together.wait()
        answers.append(
            api("POST", "/call-tasks", {"external_id": "c1", "journey": "loan", "step": "profile"}, key="k")
        )

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert {one.status_code for one in answers} <= {201, 409}
    assert {code_of(one) for one in answers if one.status_code == 409} <= {"request_in_progress"}
    assert len({one.json["call_task_id"] for one in answers if one.status_code == 201}) == 1
    session.expire_all()
    assert len(bank.tasks()) == 1


def test_a_call_is_asked_for_offered_with_its_reason_and_no_effect_is_measured_on_it(
    api: Caller, session: Session, bank: Bank
) -> None:
    bank.knows("c1")
    bank.agent_is_available()
    made = api(
        "POST",
        "/call-tasks",
        {
            "external_id": "c1",
            "journey": "loan",
            "step": "profile",
            "reason": "Asked at the branch",
            "priority": 90,
        },
    )
    assert made.status_code == 201, made.text
    (task,) = bank.tasks()
    (firing,) = bank.firings()
    assert (task.rule_key, task.priority, task.script_id is not None) == ("by-hand", 90, True)
    assert (firing.fate, firing.facts["source"]) == (FiringFate.TASK, "api")
    bank.offers(task)
    session.refresh(task)
    assert task.state == TaskState.RESERVED
    from callcenter.learning.queries import counts_per_rule

    assert "by-hand" not in counts_per_rule(session)
    refused = api("POST", f"/call-tasks/{task.id}/cancel")
    assert (refused.status_code, refused.json["cancel_reason"]) == (200, "withdrawn")
    assert code_of(api("POST", f"/call-tasks/{task.id}/expire")) == "conflict"
    partner_acts.tidy(session, bank.clock.now)
    session.commit()
    assert [one.end for one in session.exec(select(Visit)).all()] == ["exit"]


def test_the_built_in_rule_cannot_be_made_live(api: Caller, session: Session, bank: Bank) -> None:
    bank.knows("c1")
    api("POST", "/call-tasks", {"external_id": "c1", "journey": "loan", "step": "profile"})
    rule = {"rule": "by-hand", "journey": "loan", "step": "profile", "preset": "dwell", "after": "5m"}
    with pytest.raises(Conflict):
        acts.begin_rule(session, rule, bank.agent_id, bank.clock.now)
    with pytest.raises(Conflict):
        acts.draft_rule(session, "by-hand", 1, bank.agent_id, bank.clock.now)
    with pytest.raises(Conflict):
        acts.adopt_rule(session, rule, journeys_loaded(session)["loan"], None, bank.clock.now)


def test_the_console_says_why_the_bank_wants_the_call(
    api: Caller, session: Session, bank: Bank, desk: Any
) -> None:
    bank.knows("c1")
    bank.agent_is_available()
    api(
        "POST",
        "/call-tasks",
        {"external_id": "c1", "journey": "loan", "step": "profile", "reason": "Branch asks"},
    )
    bank.offers(bank.tasks()[0])
    page = desk.get("/console")
    assert page.status_code == 200 and "Branch asks" in page.text


def test_a_call_asked_for_dies_when_the_customer_goes_on(api: Caller, session: Session, bank: Bank) -> None:
    user = user_in_arm("id-photo-trouble", held_out=False)
    bank.knows(user)
    bank.sends(user, "id_photo_front")
    made = api("POST", "/call-tasks", {"external_id": user, "journey": "loan"})
    assert (made.status_code, made.json["step"]) == (201, "id_photo"), made.text
    bank.sends(user, "id_photo_front")
    session.expire_all()
    assert bank.tasks()[0].state == TaskState.PENDING
    bank.sends(user, "face_scan")
    session.expire_all()
    assert (bank.tasks()[0].state, bank.tasks()[0].cancel_reason) == (TaskState.CANCELED, "advanced")
    again = api("POST", "/call-tasks", {"external_id": user, "journey": "loan", "step": "id_photo"})
    assert again.status_code == 201, again.text


def test_the_gate_bars_a_call_of_another_system_too(api: Caller, session: Session, bank: Bank) -> None:
    customer = bank.knows("c1")
    kept = api("POST", "/suppressions", {"external_id": "c1", "reason": "said so at the branch"})
    assert kept.status_code == 201, kept.text
    (entry,) = session.exec(select(Suppression)).all()
    assert (entry.customer_id, entry.source) == (customer.id, "api: crm")
    refused = api("POST", "/call-tasks", {"external_id": "c1", "journey": "loan", "step": "profile"})
    assert (refused.status_code, code_of(refused)) == (409, "barred")
    assert refused.json["reasons"] == ["do_not_call"]
    assert session.exec(select(TriggerFiring)).all() == []
    shown = api("GET", "/customers/c1/suppressions").json
    assert [one["kind"] for one in shown["items"]] == ["do_not_call"]
    number = api("POST", "/suppressions", {"number": "+8613800138009", "scope": "number"})
    assert number.status_code == 201, number.text
    assert code_of(api("POST", "/suppressions", {"number": "12"})) == "invalid_request"
    assert api("POST", "/suppressions", {}).status_code == 400


def test_a_call_waits_for_the_hours_it_is_allowed_in(api: Caller, session: Session, bank: Bank) -> None:
    bank.knows("c1")
    bank.clock.go_on(hours=10)
    made = api("POST", "/call-tasks", {"external_id": "c1", "journey": "loan", "step": "profile"})
    assert made.json["why_no_call"] == ["outside_calling_hours"], made.text
    assert made.json["not_before_at"] > made.json["created_at"]
    soon = (bank.clock.now + timedelta(hours=1)).isoformat()
    bank.knows("c2")
    late = api(
        "POST", "/call-tasks", {"external_id": "c2", "journey": "loan", "step": "profile", "expires_at": soon}
    )
    assert code_of(late) == "barred"


def test_a_callback_is_promised_at_an_allowed_time_only(api: Caller, session: Session, bank: Bank) -> None:
    bank.knows("c1")
    task = api("POST", "/call-tasks", {"external_id": "c1", "journey": "loan", "step": "profile"}).json
    night = (bank.clock.now + timedelta(hours=14)).isoformat()
    refused = api("POST", "/callbacks", {"call_task_id": task["call_task_id"], "at": night})
    assert (refused.status_code, code_of(refused)) == (409, "time_not_allowed")
    assert refused.json["reasons"] == ["outside_calling_hours"] and refused.json["next_allowed_at"]
    at = (bank.clock.now + timedelta(hours=2)).isoformat()
    kept = api("POST", "/callbacks", {"call_task_id": task["call_task_id"], "at": at})
    assert kept.status_code == 201, kept.text
    shown = api("GET", "/callbacks?external_id=c1&is_open=true").json["items"]
    assert [one["callback_id"] for one in shown] == [kept.json["callback_id"]]
    assert api("GET", f"/call-tasks/{task['call_task_id']}").json["why_no_call"] == ["callback"]
    gone = api("DELETE", f"/callbacks/{kept.json['callback_id']}")
    assert gone.status_code == 200 and gone.json["closed_at"], gone.text
    assert api("GET", f"/call-tasks/{task['call_task_id']}").json["state"] == "canceled"
    assert code_of(api("DELETE", f"/callbacks/{kept.json['callback_id']}")) == "conflict"


def test_lists_come_in_pages_that_lose_and_double_nothing(api: Caller, session: Session, bank: Bank) -> None:
    for n in range(5):
        bank.knows(f"c{n}")
        api("POST", "/call-tasks", {"external_id": f"c{n}", "journey": "loan", "step": "profile"})
    seen, cursor = [], ""
    while cursor is not None:
        page = api("GET", f"/call-tasks?limit=2&state=pending&journey=loan{cursor}").json
        seen += [one["external_id"] for one in page["items"]]
        cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
    assert sorted(seen) == [f"c{n}" for n in range(5)]
    assert code_of(api("GET", "/call-tasks?cursor=nonsense")) == "invalid_request"
    assert code_of(api("GET", "/call-tasks?limt=2")) == "invalid_request"
    later = (bank.clock.now + timedelta(seconds=1)).isoformat().replace("+", "%2B")
    assert api("GET", f"/call-tasks?since={later}").json["items"] == []


def test_what_became_of_a_call_can_be_read(api: Caller, session: Session, bank: Bank) -> None:
    attempt_id = bank.is_placing("id-photo-trouble")
    (one,) = api("GET", "/attempts").json["items"]
    assert (one["attempt_id"], one["state"]) == (str(attempt_id), "placing")
    assert "+86" not in api("GET", "/attempts").text
    assert api("GET", "/dispositions").json["items"] == []
    assert api("GET", "/outcomes?journey=loan").json["items"] == []


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("POST", "/customers/c1", 405, "method_not_allowed"),
        ("GET", "/call-tasks/1", 404, "not_found"),
        ("GET", "/call-tasks/00000000-0000-0000-0000-000000000000", 404, "not_found"),
        ("GET", "/customers/a%00b", 422, "invalid_request"),
    ],
)
def test_what_is_not_there_is_a_problem_too(
    api: Caller, method: str, path: str, status: int, code: str
) -> None:
    refused = api(method, path)
    assert (refused.status_code, code_of(refused)) == (status, code)


@pytest.mark.parametrize("raw", [b"", b"{", b"[" * 100_000, b"\xff", b'{"name": NaN}', b'"\\ud800"'])
def test_what_is_no_json_is_refused(api: Caller, raw: bytes) -> None:
    refused = api("PUT", "/customers/c1", data=raw)
    assert (refused.status_code, code_of(refused)) == (400, "invalid_json")


def test_a_database_that_is_away_is_said_so(app: Flask, bank: Bank, runtime: Runtime, tmp_path: Any) -> None:
    from tests.web.conftest import app_on, settings_for

    settings = settings_for(tmp_path, "postgresql://nobody:nothing@127.0.0.1:1/none", runtime.redis_url)
    refused = Caller(app_on(Runtime(settings, bank.clock)), TOKEN)("GET", "/call-tasks")
    assert (refused.status_code, code_of(refused)) == (503, "unavailable")


def test_the_document_and_its_page_are_for_everybody_and_load_nothing_from_elsewhere(
    app: Flask, bank: Bank
) -> None:
    spec = app.test_client().get("/api/v1/openapi.json").json
    assert spec["openapi"] == "3.1.0" and "/api/v1/customers/{external_id}" in spec["paths"]
    page = app.test_client().get("/api/docs", headers={"Accept": "text/html"})
    assert page.status_code == 200 and "/api/v1/call-tasks" in page.text
    assert "http://" not in page.text.replace("http://www.w3.org", "") and "script>" not in page.text.replace(
        "></script>", ""
    )


def test_a_task_of_a_stranger_is_none(api: Caller, session: Session, bank: Bank) -> None:
    refused = api("POST", "/call-tasks", {"external_id": "nobody", "journey": "loan", "step": "profile"})
    assert (refused.status_code, code_of(refused)) == (404, "unknown_customer")
    bank.knows("c1")
    assert api("POST", "/call-tasks", {"external_id": "c1", "journey": "nowhere"}).status_code == 400
    assert (
        api("POST", "/call-tasks", {"external_id": "c1", "journey": "loan", "step": "nowhere"}).status_code
        == 400
    )
    assert api("POST", "/call-tasks", {"external_id": "c1", "journey": "loan"}).status_code == 400
    assert session.exec(select(CallTask)).all() == []
