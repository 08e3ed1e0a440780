"""The administrator's pages about other systems: tokens and webhooks, shown once, taken back, told again."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import Session, select

from callcenter.domain.enums import Role
from callcenter.domain.partners import DeliveryState
from callcenter.models import ApiToken, AuditEntry, User, WebhookDelivery, WebhookEndpoint
from tests.factories import Bank
from tests.web.conftest import People, SignIn
from tests.web.partner import Caller


@pytest.fixture
def admin(sign_in: SignIn, people: People) -> FlaskClient:
    """The administrator's browser."""
    return sign_in(Role.ADMIN)


def secret_in(html: str) -> str:
    """The secret a page shows."""
    found = re.search(r'class="secret"[^>]*>([^<]+)<', html)
    assert found, html
    return found.group(1)


def test_a_token_is_issued_shown_once_and_taken_back(
    app: Flask, admin: FlaskClient, session: Session, bank: Bank
) -> None:
    assert "No other system has a token yet." in admin.get("/admin/api-tokens").text
    form = {"name": "crm", "scopes": ["tasks:read"], "days": "30", "requests": ""}
    shown = admin.post("/admin/api-tokens", data=form)
    token = secret_in(shown.text)
    assert Caller(app, token)("GET", "/call-tasks").status_code == 200
    listed = admin.get("/admin/api-tokens").text
    assert token not in listed and token[-4:] in listed and "tasks:read" in listed
    (row,) = session.exec(select(ApiToken)).all()
    assert row.expires_at == bank.clock.now + timedelta(days=30)
    admin.post(f"/admin/api-tokens/{row.id}/revoke")
    assert Caller(app, token)("GET", "/call-tasks").status_code == 401
    acts = session.exec(select(AuditEntry)).all()
    assert [one.act for one in acts if one.act.startswith("api_token.")] == [
        "api_token.issued",
        "api_token.revoked",
    ]
    assert token not in str([one.detail for one in acts])


@pytest.mark.parametrize(
    "form",
    [
        {"name": "", "scopes": ["tasks:read"], "days": ""},
        {"name": "crm", "scopes": [], "days": ""},
        {"name": "crm", "scopes": ["everything"], "days": ""},
        {"name": "crm", "scopes": ["tasks:read"], "days": "1000"},
        {"name": "crm", "scopes": ["tasks:read"], "days": "", "requests": "many"},
        {"name": "crm", "scopes": ["tasks:read"], "days": "", "requests": "0"},
    ],
)
def test_a_form_that_cannot_be_accepted_comes_back_with_why(
    admin: FlaskClient, session: Session, form: dict[str, object]
) -> None:
    again = admin.post("/admin/api-tokens", data=form)
    assert again.status_code == 400 and 'class="field-error"' in again.text
    assert session.exec(select(ApiToken)).all() == []


def test_a_webhook_is_added_shown_switched_rotated_and_removed(
    admin: FlaskClient, session: Session, bank: Bank
) -> None:
    assert "Nobody is told of what happens here yet." in admin.get("/admin/webhooks").text
    refused = admin.post("/admin/webhooks", data={"url": "https://10.0.0.1/", "kinds": ["call_task.opened"]})
    assert refused.status_code == 400 and "private network" in refused.text
    form = {"url": "https://bank.example/hooks", "kinds": ["customer.opted_out"]}
    secret = secret_in(admin.post("/admin/webhooks", data=form).text)
    (row,) = session.exec(select(WebhookEndpoint)).all()
    assert row.secret == secret
    page = admin.get(f"/admin/webhooks/{row.id}").text
    assert secret not in page and "Nothing here." in page
    assert secret_in(admin.post(f"/admin/webhooks/{row.id}/secret").text) != secret
    admin.post(f"/admin/webhooks/{row.id}/disable")
    assert "Switched off" in admin.get(f"/admin/webhooks/{row.id}").text
    admin.post(f"/admin/webhooks/{row.id}/enable")
    assert admin.post(f"/admin/webhooks/{row.id}/remove").status_code == 302
    assert admin.get(f"/admin/webhooks/{row.id}").status_code == 404


def test_what_failed_is_listed_and_told_again(admin: FlaskClient, session: Session, bank: Bank) -> None:
    admin.post("/admin/webhooks", data={"url": "https://bank.example/hooks", "kinds": ["customer.opted_out"]})
    for user in ("c1", "c2"):
        bank.bars(bank.knows(user).id)
    (endpoint,) = session.exec(select(WebhookEndpoint)).all()
    rows = session.exec(select(WebhookDelivery)).all()
    for one in rows:
        one.state, one.last_status, one.response = DeliveryState.FAILED, 500, "<script>alert(1)</script>"
    session.commit()
    page = admin.get(f"/admin/webhooks/{endpoint.id}?show=failed").text
    assert "Replay all 2 that failed" in page and "&lt;script&gt;" in page and "<script>alert" not in page
    admin.post(f"/admin/webhooks/{endpoint.id}/replay", data={"delivery": rows[0].id})
    session.expire_all()
    assert [one.state for one in session.exec(select(WebhookDelivery)).all()].count(
        DeliveryState.PENDING
    ) == 1
    part = admin.post(f"/admin/webhooks/{endpoint.id}/replay", headers={"HX-Request": "true"})
    assert 'id="state"' in part.text and "<html" not in part.text
    assert admin.post(f"/admin/webhooks/{endpoint.id}/replay").status_code == 409
    assert admin.post(f"/admin/webhooks/{endpoint.id}/replay", data={"delivery": "x"}).status_code == 400
    assert admin.get(f"/admin/webhooks/{UUID(int=0)}").status_code == 404


@pytest.mark.parametrize(
    "path", ["/admin/api-tokens", "/admin/api-tokens/new", "/admin/webhooks", "/admin/webhooks/new"]
)
def test_the_pages_speak_chinese(admin: FlaskClient, session: Session, people: People, path: str) -> None:
    session.get_one(User, people.ids[Role.ADMIN]).language = "zh"
    session.commit()
    page = admin.get(path).text
    assert 'lang="zh-CN"' in page and "系统" in page
