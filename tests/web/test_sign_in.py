"""Signing in and out, preferences, and what the session's cookie gives away."""

from http import HTTPStatus

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from callcenter.domain.enums import Presence, Role
from callcenter.models import Agent, AuditEntry, User
from callcenter.runtime import Runtime
from tests.factories import Bank
from tests.web.conftest import PASSWORD, PUBLIC, SignIn, app_on

HTTPS = {"base_url": PUBLIC}


def _sign_in(client: FlaskClient, login: str = "agent", password: str = PASSWORD, **form: str):
    return client.post("/sign-in", data={"email": login, "password": password, **form}, **HTTPS)


def _cookies(response) -> list[str]:
    return [value for value in response.headers.getlist("Set-Cookie") if value.startswith("callcenter=")]


def test_signing_in_opens_the_persons_own_page_and_is_written_down(client: FlaskClient, bank: Bank) -> None:
    answer = _sign_in(client, " Agent ")
    assert (answer.status_code, answer.location) == (HTTPStatus.FOUND, "/console")
    assert client.get("/console", **HTTPS).status_code == HTTPStatus.OK
    assert [entry.act for entry in bank.session.exec(select(AuditEntry))] == ["user.signed_in"]


def test_the_session_cookie_is_kept_from_scripts_other_sites_and_plain_http(
    client: FlaskClient, bank: Bank
) -> None:
    (cookie,) = _cookies(_sign_in(client))
    assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("agent", "wrong-password"),
        ("nobody", PASSWORD),
        ("", ""),
        ("agent\x00", PASSWORD),
        ("' OR 1=1 --", "x"),
        ("é" * 5000, "密" * 5000),
    ],
)
def test_a_wrong_login_or_password_is_told_apart_by_nobody(
    client: FlaskClient, bank: Bank, login: str, password: str
) -> None:
    answer = _sign_in(client, login, password)
    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert "Login or password is not right. Try again." in answer.text
    assert client.get("/console", **HTTPS).status_code == HTTPStatus.FOUND


def test_a_user_who_was_switched_off_is_signed_out_at_the_next_request(
    client: FlaskClient, bank: Bank
) -> None:
    _sign_in(client)
    bank.session.exec(select(User)).one().is_active = False
    bank.session.commit()
    assert client.get("/console", **HTTPS).status_code == HTTPStatus.FOUND
    assert _sign_in(client).status_code == HTTPStatus.UNAUTHORIZED


def test_too_many_tries_are_refused_even_with_the_right_password_and_only_for_that_login(
    client: FlaskClient, bank: Bank, sign_in: SignIn
) -> None:
    for _ in range(10):
        assert _sign_in(client, "agent", "wrong").status_code == HTTPStatus.UNAUTHORIZED
    answer = _sign_in(client)
    assert answer.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert "Too many attempts. Wait a minute and try again." in answer.text
    assert _sign_in(client, "supervisor").location == "/floor"


def test_tries_are_forgotten_after_a_minute_even_when_a_count_was_left_without_an_end(
    client: FlaskClient, bank: Bank, runtime: Runtime
) -> None:
    runtime.redis.set("sign-in:127.0.0.1:agent", 4)  # as a process would that died between two commands
    _sign_in(client)
    assert 0 < runtime.redis.ttl("sign-in:127.0.0.1:agent") <= 60


@pytest.mark.parametrize(
    ("wanted", "opened"),
    [
        ("/floor", "/floor"),
        ("/console?x=1", "/console?x=1"),
        ("//evil.example", "/console"),
        ("/\\evil.example", "/console"),
        ("/\t/evil.example", "/console"),
        ("https://evil.example/", "/console"),
        ("javascript:alert(1)", "/console"),
        ("", "/console"),
    ],
)
def test_next_leads_to_a_page_of_this_site_or_nowhere(
    client: FlaskClient, bank: Bank, wanted: str, opened: str
) -> None:
    assert _sign_in(client, next=wanted).location == opened


def test_a_stranger_comes_back_to_the_page_they_wanted(client: FlaskClient, bank: Bank) -> None:
    asked = client.get("/floor", **HTTPS)
    assert asked.location == "/sign-in?next=/floor"
    assert 'value="/floor"' in client.get(asked.location, **HTTPS).text


def test_somebody_signed_in_does_not_see_the_form_again(sign_in: SignIn) -> None:
    assert sign_in(Role.STRATEGIST).get("/sign-in").location == "/studio"


def test_signing_out_ends_the_session_and_takes_the_agent_off_the_floor(
    desk: FlaskClient, bank: Bank
) -> None:
    bank.agent_is_available()
    assert desk.post("/sign-out").location == "/sign-in"
    assert desk.get("/console").location == "/sign-in?next=/console"
    agent = bank.session.get_one(Agent, bank.agent_id, populate_existing=True)
    assert agent.presence == Presence.SIGNED_OFF


def test_preferences_are_kept_and_lead_back_to_the_page(desk: FlaskClient, bank: Bank) -> None:
    back = {"Referer": "http://localhost/console?tab=1"}
    answer = desk.post("/preferences", data={"theme": "dark", "language": "zh"}, headers=back)
    assert answer.location == "/console"
    user = bank.session.exec(select(User).execution_options(populate_existing=True)).one()
    assert (user.theme, user.language) == ("dark", "zh")


def test_preferences_from_elsewhere_lead_to_the_own_page(desk: FlaskClient) -> None:
    answer = desk.post(
        "/preferences", data={"theme": "light"}, headers={"Referer": "https://evil.example//evil.example"}
    )
    assert answer.location == "/console"


def test_a_theme_there_is_not_is_refused_and_nothing_changes(desk: FlaskClient, bank: Bank) -> None:
    answer = desk.post("/preferences", data={"theme": "neon", "language": "zh"})
    assert (answer.status_code, answer.text) == (400, "Theme is one of auto, light, dark.")
    assert bank.session.exec(select(User).execution_options(populate_existing=True)).one().language == "en"


def test_the_form_asks_for_a_token_of_its_own(runtime: Runtime, bank: Bank) -> None:
    client = app_on(runtime, csrf=True).test_client()
    assert _sign_in(client).status_code in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED)
    assert client.get("/console", **HTTPS).status_code == HTTPStatus.FOUND
    page = client.get("/sign-in", **HTTPS).text
    token = page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    referer = {"Referer": f"{PUBLIC}/sign-in"}
    form = {"email": "agent", "password": PASSWORD, "csrf_token": token}
    assert client.post("/sign-in", data=form, headers=referer, **HTTPS).location == "/console"
