"""Another system of the bank: a token and a client that sends it."""

from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlmodel import Session
from werkzeug.test import TestResponse

from callcenter import partner_acts
from callcenter.accounts.tokens import NewToken
from callcenter.domain.partners import Scope
from callcenter.partner_acts import COMMAND_LINE
from tests.factories import Bank

TOKEN = "cc_a-token-for-tests-of-forty-letters-or-so"
EVERYTHING = tuple(scope.value for scope in Scope)


@dataclass
class Caller:
    """Sends requests with a token."""

    app: Flask
    token: str | None

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> TestResponse:
        headers = dict(more.pop("headers", {}))
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if key := more.pop("key", None):
            headers["Idempotency-Key"] = key
        sent = {"json": body} if body is not None else {}
        return self.app.test_client().open(f"/api/v1{path}", method=method, headers=headers, **sent, **more)


def token_for(
    session: Session, bank: Bank, *scopes: str, token: str = TOKEN, name: str = "crm", **more: Any
) -> int:
    """Give another system a token; return its id."""
    new = NewToken(name, scopes or EVERYTHING, **more)
    row = partner_acts.issue_token(session, new, token, COMMAND_LINE, bank.clock.now)
    session.commit()
    assert row.id is not None
    return row.id
