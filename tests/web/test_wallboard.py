"""The wallboard: the day in large figures and nobody's name; a link shows it, until it ends or is revoked."""

import re
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import select

from callcenter.domain.enums import Role
from callcenter.models import AuditEntry, WallboardLink
from tests.factories import Bank, user_in_arm
from tests.web.conftest import SignIn
from tests.web.scenes import RULE, enter, reached_call, waiting_task, words

FORM = {"name": "Hall", "language": "zh", "theme": "dark", "days": "7"}


def _link(bank: Bank, sign_in: SignIn, **form: str) -> str:
    html = enter(bank, sign_in, Role.SUPERVISOR).post("/floor/wallboard/links", data={**FORM, **form}).text
    found = re.search(r"/wallboard/link#([\w-]{40,})</code>", html)
    assert found, html
    return found.group(1)


def _opened(app: Flask, token: str) -> FlaskClient:
    """A television's browser that has opened a link."""
    television = app.test_client()
    assert television.get("/wallboard/link").status_code == 200
    answer = television.post("/wallboard/link", data={"token": token})
    assert (answer.status_code, answer.location) == (303, "/wallboard/screen")
    return television


def test_it_tells_the_day_and_names_nobody(bank: Bank, sign_in: SignIn) -> None:
    user = user_in_arm(RULE, held_out=False)
    reached_call(bank, waiting_task(bank, user), "will_finish")
    bank.clock.go_on(seconds=30)
    bank.sends(user, "face_scan")
    html = enter(bank, sign_in, Role.SUPERVISOR).get("/wallboard").text
    told = words(html)
    assert "Reached 100 % 1 of 1 attempts" in told and "Verified conversions 1 100 % of 1 contacts" in told
    assert "Wednesday 18 November" in told and "1 agent " in told
    assert 'data-state-url="/wallboard/state"' in html and "data-live=" not in html
    for secret in ("陈伟", "Lin Yue", "138001", user):
        assert secret not in html


def test_a_link_shows_it_without_a_sign_in_in_its_own_language_and_look(
    app: Flask, bank: Bank, sign_in: SignIn
) -> None:
    token = _link(bank, sign_in)
    television = _opened(app, token)
    page = television.get("/wallboard/screen")
    assert page.status_code == 200 and 'data-theme="dark"' in page.text and 'lang="zh-CN"' in page.text
    assert 'data-state-url="/wallboard/screen/state"' in page.text and "等待" in page.text
    assert token not in page.text, "no address of the page holds it"
    assert television.get("/wallboard/screen/state").text.count('id="state"') == 1
    assert television.get("/floor").status_code == 302, "the link opens nothing else"
    row = bank.session.exec(select(WallboardLink)).one()
    assert token not in (row.token_hash, row.hint) and len(row.token_hash) == 64


def test_the_cookie_of_a_link_is_kept_to_the_wallboard_and_ends_with_the_link(
    app: Flask, bank: Bank, sign_in: SignIn
) -> None:
    answer = app.test_client().post("/wallboard/link", data={"token": _link(bank, sign_in)})
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("wallboard="))
    assert "HttpOnly" in cookie and "Path=/wallboard" in cookie and "SameSite=Lax" in cookie
    assert f"Max-Age={7 * 86_400}" in cookie
    wrong = app.test_client().post("/wallboard/link", data={"token": "guess"})
    assert wrong.status_code == 403 and "Ask a supervisor for a new one." in wrong.text
    assert "wallboard=" not in str(wrong.headers.getlist("Set-Cookie"))


def test_a_link_ends_when_it_is_revoked_and_by_itself(app: Flask, bank: Bank, sign_in: SignIn) -> None:
    token = _link(bank, sign_in)
    television = _opened(app, token)
    row = bank.session.exec(select(WallboardLink)).one()
    client = enter(bank, sign_in, Role.SUPERVISOR)
    assert client.post(f"/floor/wallboard/links/{row.id}/revoke").status_code == 302
    assert television.get("/wallboard/screen").status_code == 403
    assert app.test_client().post("/wallboard/link", data={"token": token}).status_code == 403
    assert "revoked" in client.get("/floor/wallboard").text
    acts = bank.session.exec(select(AuditEntry.act).where(AuditEntry.subject == "Hall")).all()
    assert acts == ["wallboard.linked", "wallboard.revoked"]
    other = _opened(app, _link(bank, sign_in, name="Door", days="1"))
    assert other.get("/wallboard/screen").status_code == 200
    bank.clock.now += timedelta(days=1)
    assert other.get("/wallboard/screen/state").status_code == 403


def test_a_link_needs_a_name_and_what_is_offered(bank: Bank, sign_in: SignIn) -> None:
    client = enter(bank, sign_in, Role.SUPERVISOR)
    for wrong in ({"name": " "}, {"days": "900"}, {"language": "la"}, {"theme": "pink"}):
        answer = client.post("/floor/wallboard/links", data={**FORM, **wrong})
        assert answer.status_code == 400 and 'role="alert"' in answer.text, wrong
    assert bank.session.exec(select(WallboardLink)).all() == []
    assert client.post("/floor/wallboard/links/999/revoke").status_code == 404
