"""Who may open what: every route, every role; and what guards each answer."""

import re
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from callcenter.domain.enums import Role
from callcenter.runtime import Runtime
from tests.factories import Bank, user_in_arm
from tests.web.conftest import People, SignIn, app_on, settings_for, signed_in

OPEN = "open"
"""To everybody. Where roles are named, a stranger is sent to sign in and other roles are refused."""
GUARDED = "guarded"
"""By a write key or a signature: roles mean nothing there."""
DROPPED = "dropped"
"""To programs of everybody, and nothing of it is kept."""
AGENT, SUPERVISOR, STRATEGIST, COMPLIANCE, ADMIN = (
    Role.AGENT,
    Role.SUPERVISOR,
    Role.STRATEGIST,
    Role.COMPLIANCE,
    Role.ADMIN,
)
EVERYBODY = (AGENT, SUPERVISOR, STRATEGIST, COMPLIANCE, ADMIN)
DESK, FLOOR, STUDIO = (AGENT, ADMIN), (SUPERVISOR, ADMIN), (STRATEGIST, ADMIN)
GATE = (COMPLIANCE, ADMIN)
HOUSE = (ADMIN,)

ACCESS: dict[str, str | tuple[Role, ...]] = {
    "GET /": OPEN,
    "GET /static/<path:filename>": OPEN,
    "GET /healthz": OPEN,
    "GET /health": OPEN,
    "GET /readyz": OPEN,
    "GET /metrics": OPEN,
    "GET /sign-in": OPEN,
    "POST /sign-in": OPEN,
    "POST /sign-out": EVERYBODY,
    "POST /preferences": EVERYBODY,
    "POST /v1/batch": GUARDED,
    "POST /v1/b": GUARDED,
    "POST /v1/<any(track, page, screen, identify, group, alias):kind>": GUARDED,
    "POST /v1/<any(t, p, s, i, g, a):short>": GUARDED,
    "POST /v1/import": GUARDED,
    "POST /beacon/v1/batch": GUARDED,
    "POST /v1/cloudevents": GUARDED,
    "POST /v1/m": DROPPED,
    "GET /v1/openapi.json": OPEN,
    "GET /v1/projects/<write_key>/settings": GUARDED,
    "GET /sourceConfig/": GUARDED,
    "GET /pixel/v1/<any(track, page):kind>": GUARDED,
    "POST /carrier/twilio/attempt/<uuid:attempt_id>/status": GUARDED,
    "POST /carrier/twilio/attempt/<uuid:attempt_id>/answer": GUARDED,
    "POST /carrier/twilio/attempt/<uuid:attempt_id>/amd": GUARDED,
    "POST /carrier/twilio/attempt/<uuid:attempt_id>/recording": GUARDED,
    "POST /carrier/twilio/watch/<uuid:watch_id>/status": GUARDED,
    "POST /carrier/twilio/watch/<uuid:watch_id>/answer": GUARDED,
    "POST /carrier/twilio/room/<uuid:agent_id>/events": GUARDED,
    "POST /carrier/twilio/hold/<language>": GUARDED,
    "POST /carrier/twilio/agent/<uuid:agent_id>/status": GUARDED,
    "POST /carrier/twilio/agent/<uuid:agent_id>/answer": GUARDED,
    "GET /api/docs": OPEN,
    "GET /api/v1/openapi.json": OPEN,
    "GET /api/v1/customers/<external_id>": GUARDED,
    "PUT /api/v1/customers/<external_id>": GUARDED,
    "POST /api/v1/customers/bulk": GUARDED,
    "POST /api/v1/customers/<external_id>/tags": GUARDED,
    "DELETE /api/v1/customers/<external_id>/tags/<tag>": GUARDED,
    "GET /api/v1/customers/<external_id>/suppressions": GUARDED,
    "POST /api/v1/suppressions": GUARDED,
    "GET /api/v1/call-tasks": GUARDED,
    "POST /api/v1/call-tasks": GUARDED,
    "GET /api/v1/call-tasks/<uuid:call_task_id>": GUARDED,
    "POST /api/v1/call-tasks/<uuid:call_task_id>/cancel": GUARDED,
    "POST /api/v1/call-tasks/<uuid:call_task_id>/expire": GUARDED,
    "GET /api/v1/callbacks": GUARDED,
    "POST /api/v1/callbacks": GUARDED,
    "DELETE /api/v1/callbacks/<uuid:callback_id>": GUARDED,
    "GET /api/v1/attempts": GUARDED,
    "GET /api/v1/dispositions": GUARDED,
    "GET /api/v1/outcomes": GUARDED,
    "GET /api/v1/lists": GUARDED,
    "POST /api/v1/lists": GUARDED,
    "GET /api/v1/lists/<uuid:list_id>": GUARDED,
    "GET /api/v1/webhooks": GUARDED,
    "POST /api/v1/webhooks": GUARDED,
    "PATCH /api/v1/webhooks/<uuid:webhook_id>": GUARDED,
    "DELETE /api/v1/webhooks/<uuid:webhook_id>": GUARDED,
    "GET /api/v1/webhooks/<uuid:webhook_id>/deliveries": GUARDED,
    "POST /api/v1/webhooks/<uuid:webhook_id>/replay": GUARDED,
    "GET /console": DESK,
    "GET /console/state": DESK,
    "POST /console/presence": DESK,
    "POST /console/more-time": DESK,
    "POST /console/call-tasks/<uuid:call_task_id>/dial": DESK,
    "POST /console/call-tasks/<uuid:call_task_id>/skip": DESK,
    "POST /console/call-tasks/<uuid:call_task_id>/script": DESK,
    "POST /console/call-tasks/<uuid:call_task_id>/wrap-up": DESK,
    "POST /console/attempts/<uuid:attempt_id>/end": DESK,
    "POST /console/attempts/<uuid:attempt_id>/hold": DESK,
    "POST /console/attempts/<uuid:attempt_id>/mute": DESK,
    "POST /console/attempts/<uuid:attempt_id>/recording": DESK,
    "POST /console/attempts/<uuid:attempt_id>/transfer": DESK,
    "POST /console/attempts/<uuid:attempt_id>/machine": DESK,
    "POST /console/call-tasks/<uuid:call_task_id>/take": DESK,
    "POST /console/attempts/<uuid:attempt_id>/help": DESK,
    "POST /console/callbacks/<uuid:callback_id>/move": DESK,
    "POST /console/callbacks/<uuid:callback_id>/give": DESK,
    "POST /console/callbacks/<uuid:callback_id>/cancel": DESK,
    "POST /console/callbacks/<uuid:callback_id>/noted": DESK,
    "POST /console/call-tasks/<uuid:call_task_id>/follow-ups": DESK,
    "POST /console/follow-ups/<uuid:follow_up_id>": DESK,
    "POST /console/follow-ups/<uuid:follow_up_id>/<any(close,reopen):act>": DESK,
    "POST /console/call-tasks/<uuid:call_task_id>/offers/<code>": DESK,
    "POST /console/grants/<uuid:grant_id>/take-back": DESK,
    "POST /console/call-tasks/<uuid:call_task_id>/pass-on": DESK,
    "POST /console/callbacks/<uuid:callback_id>/pass-on": DESK,
    "POST /console/transfers/<uuid:transfer_id>/<any(recall,noted):act>": DESK,
    "POST /floor/transfers/<uuid:transfer_id>/<any(approve,decline):act>": FLOOR,
    "GET /admin/people": HOUSE,
    "GET /admin/people/new": HOUSE,
    "POST /admin/people": HOUSE,
    "GET /admin/people/<uuid:person_id>": HOUSE,
    "POST /admin/people/<uuid:person_id>": HOUSE,
    "POST /admin/people/<uuid:person_id>/<any(activate,deactivate):act>": HOUSE,
    "GET /admin/teams": HOUSE,
    "POST /admin/teams": HOUSE,
    "POST /admin/teams/settings": HOUSE,
    "POST /admin/skills": HOUSE,
    "POST /admin/skills/<key>/<any(on,off):act>": HOUSE,
    "POST /floor/help/<uuid:help_id>/<any(acknowledge,close):act>": FLOOR,
    "POST /console/softphone": DESK,
    "POST /console/softphone/ready": DESK,
    "GET /live/console": DESK,
    "GET /live/floor": FLOOR,
    "GET /live/studio": STUDIO,
    "GET /floor": FLOOR,
    "GET /floor/state": FLOOR,
    "POST /floor/agents/<uuid:agent_id>/free": FLOOR,
    "GET /floor/agents/<uuid:agent_id>": FLOOR,
    "POST /floor/agents/<uuid:agent_id>/presence": FLOOR,
    "POST /floor/find": FLOOR,
    "POST /floor/agents/<uuid:agent_id>/watch": FLOOR,
    "POST /floor/watches/<uuid:watch_id>": FLOOR,
    "POST /floor/watches/<uuid:watch_id>/leave": FLOOR,
    "POST /floor/dialing/switch": FLOOR,
    "POST /floor/dialing/<campaign>": FLOOR,
    "POST /floor/dialing/<campaign>/<any(pause,resume):act>": FLOOR,
    "POST /floor/dialing/<campaign>/hours": FLOOR,
    "GET /floor/queue": FLOOR,
    "POST /floor/queue/preview": FLOOR,
    "GET /floor/queue/<uuid:dispatch_id>": FLOOR,
    "POST /floor/queue/<uuid:dispatch_id>/do": FLOOR,
    "POST /floor/queue/<uuid:dispatch_id>/undo": FLOOR,
    "GET /floor/alerts": FLOOR,
    "POST /floor/alerts/acknowledge": FLOOR,
    "POST /floor/alerts/thresholds": FLOOR,
    "GET /floor/reports": FLOOR,
    "GET /floor/reports.csv": FLOOR,
    "GET /floor/reports.xlsx": FLOOR,
    "GET /floor/quality": FLOOR,
    "POST /floor/quality/plan": FLOOR,
    "GET /floor/quality/attempts/<uuid:attempt_id>": FLOOR,
    "POST /floor/quality/attempts/<uuid:attempt_id>": FLOOR,
    "GET /floor/quality/attempts/<uuid:attempt_id>/recording": FLOOR,
    "GET /floor/quality/tags": FLOOR,
    "POST /floor/quality/tags/<uuid:attempt_id>": FLOOR,
    "GET /floor/quality/report": FLOOR,
    "GET /floor/quality/report.csv": FLOOR,
    "GET /floor/quality/scorecards": FLOOR,
    "POST /floor/quality/scorecards": FLOOR,
    "GET /floor/quality/scorecards/new": FLOOR,
    "POST /floor/quality/scorecards/<uuid:scorecard_id>/end": FLOOR,
    "GET /floor/targets": FLOOR,
    "GET /floor/targets.csv": FLOOR,
    "GET /floor/targets.xlsx": FLOOR,
    "POST /floor/targets": FLOOR,
    "POST /floor/targets/points": FLOOR,
    "GET /floor/lists": FLOOR,
    "POST /floor/lists": FLOOR,
    "GET /floor/lists/<uuid:list_id>": FLOOR,
    "GET /floor/lists/<uuid:list_id>/state": FLOOR,
    "GET /floor/lists/<uuid:list_id>/refused.csv": FLOOR,
    "POST /floor/lists/<uuid:list_id>/do": FLOOR,
    "POST /floor/lists/<uuid:list_id>/undo": FLOOR,
    "POST /console/reviews/<uuid:review_id>/acknowledge": DESK,
    "POST /console/reviews/<uuid:review_id>/dispute": DESK,
    "GET /floor/wallboard": FLOOR,
    "POST /floor/wallboard/links": FLOOR,
    "POST /floor/wallboard/links/<int:link_id>/revoke": FLOOR,
    "GET /wallboard": FLOOR,
    "GET /wallboard/state": FLOOR,
    "GET /wallboard/link": OPEN,
    "POST /wallboard/link": GUARDED,
    "GET /wallboard/screen": GUARDED,
    "GET /wallboard/screen/state": GUARDED,
    "GET /compliance": GATE,
    "GET /compliance/state": GATE,
    "GET /compliance/changes/<int:change_id>": GATE,
    "POST /compliance/changes/<int:change_id>/<any(approve,refuse):act>": GATE,
    "GET /compliance/packs": GATE,
    "GET /compliance/packs/new": GATE,
    "POST /compliance/packs/new": GATE,
    "GET /compliance/ledgers": GATE,
    "POST /compliance/ledgers": GATE,
    "GET /compliance/people/<uuid:customer_id>": GATE,
    "POST /compliance/people/<uuid:customer_id>/consents": GATE,
    "POST /compliance/people/<uuid:customer_id>/withdraw": GATE,
    "POST /compliance/suppressions": GATE,
    "POST /compliance/suppressions/<int:suppression_id>/lift": GATE,
    "POST /compliance/lists/<int:list_id>/retire": GATE,
    "POST /compliance/campaigns/<campaign>/<any(pause,resume):act>": GATE,
    "POST /compliance/campaigns/<campaign>/hours": GATE,
    "POST /compliance/clock": GATE,
    "GET /compliance/decisions": GATE,
    "GET /compliance/decisions.csv": GATE,
    "GET /compliance/audit": GATE,
    "GET /compliance/what-if": GATE,
    "POST /compliance/what-if": GATE,
    "GET /studio": STUDIO,
    "GET /studio/state": STUDIO,
    "GET /studio/analyses": STUDIO,
    "GET /studio/analyses.<any(csv,xlsx):kind>": STUDIO,
    "GET /studio/analyses/people": STUDIO,
    "GET /studio/people/<uuid:customer_id>": STUDIO,
    "GET /studio/rules": STUDIO,
    "GET /studio/rules/state": STUDIO,
    "GET /studio/effects": STUDIO,
    "GET /studio/effects/state": STUDIO,
    "GET /studio/effects/people": STUDIO,
    "GET /studio/rules/<rule_key>/versions/<int:version>/back-test": STUDIO,
    "POST /studio/rules/<rule_key>/versions/<int:version>/back-test": STUDIO,
    "GET /studio/effects/<any(scripts,branches):by>": STUDIO,
    "GET /studio/effects.csv": STUDIO,
    "GET /studio/rules.csv": STUDIO,
    "GET /studio/scripts.csv": STUDIO,
    "GET /studio/segments.csv": STUDIO,
    "GET /studio/offers.csv": STUDIO,
    "GET /studio/scripts": STUDIO,
    "GET /studio/scripts/<script_id>": STUDIO,
    "GET /studio/scripts/<script_id>/results.csv": STUDIO,
    "GET /studio/scripts/what-helps": STUDIO,
    "GET /studio/scripts/what-helps.csv": STUDIO,
    "POST /studio/rules/<rule_key>/<any(pause,resume):act>": STUDIO,
    "GET /studio/rules/new": STUDIO,
    "POST /studio/rules/new": STUDIO,
    "GET /studio/rules/<rule_key>": STUDIO,
    "POST /studio/rules/<rule_key>/retire": STUDIO,
    "POST /studio/rules/<rule_key>/drafts": STUDIO,
    "GET /studio/rules/<rule_key>/versions/<int:version>": STUDIO,
    "POST /studio/rules/<rule_key>/versions/<int:version>": STUDIO,
    "POST /studio/rules/<rule_key>/versions/<int:version>/publish": STUDIO,
    "POST /studio/rules/<rule_key>/versions/<int:version>/send-back": STUDIO,
    "POST /studio/rules/<rule_key>/roll-back": STUDIO,
    "POST /studio/rules/<rule_key>/versions/<int:version>/try": STUDIO,
    "POST /studio/rules/<rule_key>/versions/<int:version>/stop-trial": STUDIO,
    "GET /studio/proposals": STUDIO,
    "GET /studio/proposals.csv": STUDIO,
    "GET /studio/proposals/<uuid:proposal_id>": STUDIO,
    "POST /studio/proposals/<uuid:proposal_id>/accept": STUDIO,
    "POST /studio/proposals/<uuid:proposal_id>/decline": STUDIO,
    "POST /studio/proposals/<uuid:proposal_id>/adopt": STUDIO,
    "POST /studio/proposals/<uuid:proposal_id>/roll-back": STUDIO,
    "GET /studio/why": STUDIO,
    "GET /studio/learning": STUDIO,
    "GET /studio/learning/state": STUDIO,
    "GET /studio/learning/<any(worth,steps,measures,calibration,runs):table>.<any(csv,xlsx):kind>": STUDIO,
    "POST /studio/learning/run": STUDIO,
    "GET /studio/offers": STUDIO,
    "GET /studio/offers/state": STUDIO,
    "GET /studio/offers/new": STUDIO,
    "POST /studio/offers/new": STUDIO,
    "GET /studio/offers/<code>": STUDIO,
    "POST /studio/offers/<code>": STUDIO,
    "POST /studio/offers/<code>/<any(end,resume):act>": STUDIO,
    "GET /studio/voice": STUDIO,
    "GET /studio/voice.csv": STUDIO,
    "GET /studio/voice/suggestions": STUDIO,
    "GET /studio/voice/suggestions.csv": STUDIO,
    "POST /studio/voice/suggestions": STUDIO,
    "GET /studio/voice/suggestions/<uuid:suggestion_id>": STUDIO,
    "POST /studio/voice/suggestions/<uuid:suggestion_id>": STUDIO,
    "POST /studio/voice/suggestions/<uuid:suggestion_id>/merge": STUDIO,
    "POST /studio/voice/suggestions/<uuid:suggestion_id>/wishes/<uuid:attempt_id>/unlink": STUDIO,
    "GET /studio/voice/surveys": STUDIO,
    "GET /studio/voice/surveys.csv": STUDIO,
    "POST /studio/voice/surveys": STUDIO,
    "GET /studio/segments": STUDIO,
    "GET /studio/segments/new": STUDIO,
    "POST /studio/segments/new": STUDIO,
    "GET /studio/segments/<key>": STUDIO,
    "POST /studio/segments/<key>": STUDIO,
    "POST /studio/segments/<key>/end": STUDIO,
    "GET /studio/segments/<key>/customers.csv": STUDIO,
    "POST /studio/segments/tags": STUDIO,
    "POST /studio/segments/tags/<code>/give-up": STUDIO,
    "POST /console/call-tasks/<uuid:call_task_id>/tags": DESK,
    "GET /s/<token>": GUARDED,
    "POST /s/<token>": GUARDED,
    "GET /admin/sources": STUDIO,
    "GET /admin/sources/state": STUDIO,
    "GET /admin/sources/<uuid:source_id>": STUDIO,
    "GET /admin/sources/<uuid:source_id>/state": STUDIO,
    "GET /admin/sources/new": HOUSE,
    "POST /admin/sources": HOUSE,
    "GET /admin/api-tokens": HOUSE,
    "GET /admin/api-tokens/new": HOUSE,
    "POST /admin/api-tokens": HOUSE,
    "POST /admin/api-tokens/<int:token_id>/revoke": HOUSE,
    "GET /admin/webhooks": HOUSE,
    "GET /admin/webhooks/new": HOUSE,
    "POST /admin/webhooks": HOUSE,
    "GET /admin/webhooks/<uuid:endpoint_id>": HOUSE,
    "GET /admin/webhooks/<uuid:endpoint_id>/state": HOUSE,
    "POST /admin/webhooks/<uuid:endpoint_id>/<any(enable,disable):act>": HOUSE,
    "POST /admin/webhooks/<uuid:endpoint_id>/secret": HOUSE,
    "POST /admin/webhooks/<uuid:endpoint_id>/remove": HOUSE,
    "POST /admin/webhooks/<uuid:endpoint_id>/replay": HOUSE,
    "POST /admin/sources/<uuid:source_id>/keys": HOUSE,
    "POST /admin/sources/<uuid:source_id>/keys/<int:key_id>/end": HOUSE,
    "POST /admin/sources/<uuid:source_id>/<any(enable,disable):act>": HOUSE,
    "POST /admin/sources/<uuid:source_id>/limits": HOUSE,
    "POST /admin/sources/<uuid:source_id>/rejected/<any(redrive,dismiss):act>": HOUSE,
}
READER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
NOT_THEIRS = {302, 401, 403}


def _routes(app: Flask) -> list[str]:
    return sorted(
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    )


def method_of(route: str) -> str:
    """The method of a route's name."""
    return route.split(" ", maxsplit=1)[0]


def _path(route: str) -> str:
    path = route.split(" ", 1)[1]
    path = path.replace("<path:filename>", "app.css").replace("<any(t, p, s, i, g, a):short>", "t")
    path = re.sub(r"<any\((\w+),[^>]*>", r"\1", path)
    path = re.sub(r"<uuid:[^>]*>", str(uuid4()), path)
    return re.sub(r"<[^>]*>", "1", path)


def _asks(client: FlaskClient, route: str) -> int:
    answer = client.open(_path(route), method=method_of(route), buffered=False)
    answer.close()
    return answer.status_code


def test_every_route_has_an_entry_and_every_entry_a_route(app: Flask) -> None:
    routes = _routes(app)
    assert [route for route in routes if route not in ACCESS] == [], "say who may open these"
    assert [entry for entry in ACCESS if entry not in routes] == [], "these are gone"


def test_each_route_lets_in_the_roles_of_its_entry_and_nobody_else(
    app: Flask, sign_in: SignIn, people: People
) -> None:
    stranger = app.test_client()
    wrong: list[str] = []
    for route in _routes(app):
        entry = ACCESS.get(route)
        if entry == GUARDED:
            if _asks(stranger, route) not in (400, 401, 403):
                wrong.append(f"{route} takes what nobody has signed")
            continue
        if entry in (OPEN, DROPPED, None):
            continue
        status = _asks(stranger, route)
        if status not in (302, 401):
            wrong.append(f"{route} answers a stranger with {status}")
        for role in Role:
            status = _asks(sign_in(role), route)
            if role in entry and status in NOT_THEIRS and method_of(route) == "GET":
                wrong.append(f"{route} keeps {role} out with {status}")
            if role not in entry and status != 403:
                wrong.append(f"{route} answers {role} with {status}")
            if status >= 500:
                wrong.append(f"{route} breaks for {role} with {status}")
    assert wrong == []


def test_every_state_changing_route_of_a_person_asks_for_the_forms_token(
    runtime: Runtime, people: People
) -> None:
    app = app_on(runtime, csrf=True)
    for route in _routes(app):
        entry = ACCESS.get(route)
        if method_of(route) == "GET" or entry in (GUARDED, DROPPED):
            continue
        client = signed_in(app.test_client(), people.ids[ADMIN])
        assert _asks(client, route) == 400, route


def test_a_get_changes_nothing_of_a_person(app: Flask) -> None:
    for path in ("/sign-out", "/preferences", "/console/presence", "/console/more-time"):
        assert app.test_client().get(path).status_code == 405


@pytest.mark.parametrize("path", ["/sign-in", "/console", "/healthz", "/nowhere", "/static/app.css"])
def test_every_answer_carries_the_headers_that_keep_it_to_itself(desk: FlaskClient, path: str) -> None:
    answer = desk.get(path)
    answer.close()
    headers = answer.headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "script-src" not in headers["Content-Security-Policy"], "no inline scripts by default-src"
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "same-origin")
    if not path.startswith("/static"):
        assert headers["Cache-Control"] == "no-store"
    assert "Server" not in headers or "Werkzeug" not in headers["Server"]


def test_errors_are_a_page_for_a_reader_a_sentence_for_a_form_and_json_for_a_program(
    desk: FlaskClient, client: FlaskClient
) -> None:
    page = desk.get("/nowhere", headers=READER)
    assert page.status_code == 404 and page.content_type.startswith("text/html")
    assert 'href="/console"' in page.text and "Traceback" not in page.text
    assert 'href="/sign-in"' in client.get("/nowhere", headers=READER).text
    form = desk.post("/console/presence", data={"presence": "asleep"})
    assert (form.status_code, form.text) == (400, "Choose available, or not ready with a reason.")
    part = desk.get("/nowhere", headers={**READER, "HX-Request": "true"})
    assert part.content_type.startswith("text/plain")
    program = desk.get("/nowhere", headers={"Accept": "application/json"})
    assert set(program.json or {}) == {"code", "message"}
    assert desk.get("/floor").status_code == 403
    chinese = client.get("/nowhere", headers={**READER, "Accept-Language": "zh-CN,zh;q=0.9"})
    assert 'lang="zh' in chinese.text and "链接已失效或有误" in chinese.text
    assert "The requested URL" not in chinese.text, "the framework explains itself in English only"


def test_a_fault_is_a_page_whose_number_finds_it_in_the_log_and_which_can_be_tried_again(
    bank: Bank, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    app = app_on(runtime)
    app.add_url_rule("/broken", "broken", lambda: 1 // 0, methods=["GET", "POST"])
    app.config["PROPAGATE_EXCEPTIONS"] = False
    page = app.test_client().get("/broken?day=2", headers={**READER, "Accept-Language": "zh-CN"})
    assert page.status_code == 500 and "ZeroDivisionError" not in page.text
    number = re.search(r"编号 ([\d-]+)", page.text)
    assert number and f"request.failed {number.group(1)} broken ZeroDivisionError" in caplog.text
    assert 'href="/broken?day=2"' in page.text
    assert ">重试<" not in app.test_client().post("/broken", headers=READER).text


def test_a_database_that_is_away_is_a_page_too_even_for_somebody_signed_in(
    bank: Bank, runtime: Runtime, tmp_path: Path
) -> None:
    away = "postgresql://nobody:nothing@127.0.0.1:1/none"
    settings = settings_for(tmp_path, away, runtime.redis_url)
    client = signed_in(app_on(Runtime(settings, bank.clock)).test_client(), bank.agent_id)
    page = client.get("/console", headers=READER)
    assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
    assert page.content_type.startswith("text/html")
    assert 'href="/console"' in page.text, "it can be tried again"
    chinese = client.get("/console", headers={**READER, "Accept-Language": "zh-CN,zh;q=0.9"})
    assert "数据库没有响应" in chinese.text and "does not answer" not in chinese.text
    form = client.post("/console/more-time")
    assert form.status_code == 503 and form.text.startswith("The database does not answer.")
    ready = client.get("/readyz")
    assert (ready.status_code, (ready.json or {})["database"]) == (503, "away")
    assert client.get("/healthz").status_code == 200


def test_readiness_tells_of_the_doorbell_and_does_without_it(
    bank: Bank, runtime: Runtime, tmp_path: Path
) -> None:
    settings = settings_for(tmp_path, runtime.database_url, "redis://127.0.0.1:1")
    deaf = Runtime(settings, bank.clock)
    answer = app_on(deaf).test_client().get("/readyz")
    deaf.engine.dispose()
    assert (answer.status_code, answer.json) == (200, {"status": "ok", "database": "ok", "doorbell": "away"})


def test_no_console_page_shows_a_customers_number_whole(desk: FlaskClient, bank: Bank) -> None:
    user = user_in_arm("id-photo-trouble", held_out=False)
    customer = bank.knows(user)
    number = customer.number or ""
    bank.agent_is_available()
    bank.sends(user, "id_photo_front")
    for _ in range(2):
        bank.sends(user, "photo_rejected", reason="glare")
    bank.ticks()
    (task,) = bank.tasks()
    seen = []
    bank.offers(task)
    seen += [desk.get("/console").text, desk.get("/console/state").text]
    assert customer.name and customer.name in seen[0], "the customer is on the page"
    seen.append(desk.post(f"/console/call-tasks/{task.id}/dial").text)
    (attempt,) = bank.attempts()
    seen.append(desk.post(f"/console/attempts/{attempt.id}/end").text)
    for html in seen:
        digits = re.sub(r"[\s\-().]|&nbsp;|\u00a0", "", re.sub(r"<[^>]+>", "", html))
        for secret in (number, number[1:], number[3:], number[3:10]):
            assert secret not in html and secret not in digits
