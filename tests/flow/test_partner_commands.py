"""`callcenter api-tokens` and `callcenter webhooks` at the shell: shown once, listed without secrets."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlmodel import col, select

from callcenter.accounts.tokens import token_shown
from callcenter.cli import main
from callcenter.domain.partners import DeliveryState
from callcenter.models import AuditEntry, Suppression, WebhookDelivery, WebhookEndpoint
from callcenter.runtime import Runtime
from tests.factories import NOON_IN_SHANGHAI as NOW
from tests.servers import test_settings

Shell = Callable[..., Result]


@pytest.fixture
def runtime(tmp_path: Path, fresh_database: Callable[[str], str], redis_url: str) -> Iterator[Runtime]:
    """An empty instance."""
    address = fresh_database("partner_commands")
    runtime = Runtime(test_settings(tmp_path / "home", DATABASE_URL=address, REDIS_URL=redis_url))
    yield runtime
    runtime.engine.dispose()


@pytest.fixture
def shell(runtime: Runtime) -> Shell:
    """Run a command against that instance."""

    def run(*words: object) -> Result:
        env = {"DATABASE_URL": runtime.database_url, "REDIS_URL": runtime.redis_url, "DEMO": "0"}
        return CliRunner().invoke(main, list(map(str, words)), env=env)

    return run


def acts(runtime: Runtime) -> list[str]:
    """What the audit trail holds, in order."""
    with runtime.reading() as session:
        return list(session.exec(select(AuditEntry.act).order_by(col(AuditEntry.id))))


def test_a_token_is_issued_listed_and_revoked(runtime: Runtime, shell: Shell) -> None:
    made = shell("api-tokens", "add", "crm", "--scope", "tasks:read", "--scope", "tasks:write", "--days", 30)
    assert made.exit_code == 0, made.output
    token = made.output.split()[-1]
    with runtime.reading() as session:
        row = token_shown(session, token)
    assert row is not None and row.scopes == ["tasks:read", "tasks:write"]
    again = shell("api-tokens", "add", "crm", "--scope", "tasks:read")
    assert again.exit_code == 2 and "There is a token of this name" in again.output
    listed = shell("api-tokens", "list").output
    assert token not in listed and f"...{token[-4:]}" in listed and "tasks:read tasks:write" in listed
    assert shell("api-tokens", "revoke", "crm").output == "crm: revoked.\n"
    assert "revoked 20" in shell("api-tokens", "list").output
    assert shell("api-tokens", "revoke", "crm").exit_code == 2
    assert acts(runtime) == ["api_token.issued", "api_token.revoked"]


def test_a_webhook_is_added_listed_replayed_and_removed(runtime: Runtime, shell: Shell) -> None:
    assert shell("webhooks", "add", "http://bank.example/hooks").exit_code == 2
    made = shell("webhooks", "add", "https://bank.example/hooks", "--kind", "customer.opted_out")
    assert made.exit_code == 0, made.output
    secret = made.output.split()[-1]
    with runtime.unit_of_work() as session:
        (endpoint,) = session.exec(select(WebhookEndpoint)).all()
        who = endpoint.id  # any id does
        session.add(
            Suppression(kind="do_not_call", scope="global", customer_id=who, source="t", created_at=NOW)
        )
        session.flush()
        (row,) = session.exec(select(WebhookDelivery)).all()
        row.state, row.last_error = DeliveryState.FAILED, "timeout"
    start = str(endpoint.id)[:8]
    listed = shell("webhooks", "list").output
    assert secret not in listed and "waiting 0, failed 1, delivered 0" in listed
    assert "timeout" in shell("webhooks", "failed", start).output
    assert shell("webhooks", "replay", start).output == "1 due again.\n"
    assert shell("webhooks", "replay", start).exit_code == 2
    assert shell("webhooks", "disable", start).exit_code == 0
    assert shell("webhooks", "enable", start).exit_code == 0
    assert shell("webhooks", "remove", start).exit_code == 0
    assert shell("webhooks", "list").output == ""
    assert acts(runtime)[-1] == "webhook.removed"
