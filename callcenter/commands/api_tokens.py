"""`callcenter api-tokens`: which of the bank's other systems may use the API, and for what."""

import secrets
from datetime import timedelta

import click

from callcenter import partner_acts
from callcenter.accounts.tokens import USUAL_REQUESTS, NewToken, tokens
from callcenter.commands.here import runtime_here
from callcenter.domain.partners import Scope
from callcenter.errors import BadInput
from callcenter.partner_acts import COMMAND_LINE


@click.group("api-tokens")
def api_tokens() -> None:
    """Issue tokens for the API, list and revoke them."""


@api_tokens.command("list")
def list_tokens() -> None:
    """List the tokens with what they may do; a token itself is kept nowhere."""
    with runtime_here() as runtime, runtime.reading() as session:
        now = runtime.clock()
        for one in tokens(session):
            if one.revoked_at is not None:
                state = f"revoked {one.revoked_at:%Y-%m-%d %H:%M} UTC"
            elif one.expires_at is None:
                state = "works until it is revoked"
            else:
                verb = "ended" if one.expires_at <= now else "works until"
                state = f"{verb} {one.expires_at:%Y-%m-%d %H:%M} UTC"
            used = f"{one.last_used_at:%Y-%m-%d %H:%M} UTC" if one.last_used_at else "never"
            click.echo(f"{one.id:4} {one.name:24} ...{one.hint}  {state}, last used {used}")
            click.echo(f"     {' '.join(one.scopes)}, {one.requests_per_minute} requests a minute")


@api_tokens.command("add")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="What it may do; give it several times.",
)
@click.option(
    "--days", type=click.IntRange(1, 3650), help="It works so long; without it until it is revoked."
)
@click.option("--requests-per-minute", default=USUAL_REQUESTS, show_default=True)
def add(name: str, scopes: tuple[str, ...], days: int | None, requests_per_minute: int) -> None:
    """Issue a token for the system NAME. It is shown once and never again."""
    token = "cc_" + secrets.token_urlsafe(32)
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        now = runtime.clock()
        ends_at = now + timedelta(days=days) if days else None
        new = NewToken(name, scopes, ends_at, requests_per_minute)
        row = partner_acts.issue_token(session, new, token, COMMAND_LINE, now)
    click.echo(f"{row.name}: token {token}")


@api_tokens.command("revoke")
@click.argument("name")
def revoke(name: str) -> None:
    """Take the token of the system NAME back, at once and for good."""
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        found = [one for one in tokens(session) if one.name == name and one.revoked_at is None]
        if not found or found[0].id is None:
            raise BadInput(f"There is no working token {name!r}; `callcenter api-tokens list` shows them.")
        partner_acts.revoke_token(session, found[0].id, COMMAND_LINE, runtime.clock())
    click.echo(f"{name}: revoked.")
