"""`callcenter webhooks`: whom we tell what happened, and telling it again."""

import secrets
from uuid import UUID

import click
from sqlmodel import Session

from callcenter import partner_acts
from callcenter.commands.here import runtime_here
from callcenter.domain.partners import DeliveryState, WebhookKind
from callcenter.errors import BadInput
from callcenter.partner_acts import COMMAND_LINE
from callcenter.webhooks import queries
from callcenter.webhooks.queries import Counts
from callcenter.webhooks.rules import NewEndpoint


@click.group("webhooks")
def webhooks() -> None:
    """Add webhooks, see how they go, tell again what failed."""


def _endpoint(session: Session, start: str) -> UUID:
    found = [one.id for one in queries.endpoints(session) if str(one.id).startswith(start.lower())]
    if len(found) != 1:
        raise BadInput(f"{len(found)} webhooks have an id that begins with {start!r}; one must.")
    return found[0]


@webhooks.command("list")
def list_webhooks() -> None:
    """List the webhooks with what waits and what failed."""
    with runtime_here() as runtime, runtime.reading() as session:
        counts = queries.counts(session)
        for one in queries.endpoints(session):
            many = counts.get(one.id, Counts())
            state = "on" if one.is_enabled else "off"
            click.echo(f"{one.id}  {state:3} {one.url}")
            figures = f"waiting {many.pending}, failed {many.failed}, delivered {many.delivered}"
            click.echo(f"    {figures}: {' '.join(one.kinds)}")


@webhooks.command("add")
@click.argument("url")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice([kind.value for kind in WebhookKind]),
    help="What to tell; give it several times. Without it, everything.",
)
def add(url: str, kinds: tuple[str, ...]) -> None:
    """Tell URL of what happens from now on. Its secret is shown once and never again."""
    secret = "whsec_" + secrets.token_urlsafe(32)
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        new = NewEndpoint(url, kinds or tuple(kind.value for kind in WebhookKind))
        is_demo = runtime.settings.environment == "demo"
        row = partner_acts.add_endpoint(
            session, new, secret, COMMAND_LINE, runtime.clock(), allows_loopback=is_demo
        )
    click.echo(f"{row.id}: secret {secret}")


@webhooks.command("failed")
@click.argument("webhook")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
def failed(webhook: str, limit: int) -> None:
    """List what could not be told to WEBHOOK (the beginning of its id is enough)."""
    with runtime_here() as runtime, runtime.reading() as session:
        endpoint_id = _endpoint(session, webhook)
        for one in queries.deliveries(session, endpoint_id, DeliveryState.FAILED, limit=limit):
            said = one.last_status or one.last_error or "-"
            click.echo(f"{one.id:8} {one.created_at:%Y-%m-%d %H:%M:%S} {one.kind:20} {one.event_id}  {said}")


@webhooks.command("replay")
@click.argument("webhook")
@click.option("--delivery", type=int, help="One delivery, by its number; without it all that have failed.")
def replay(webhook: str, delivery: int | None) -> None:
    """Tell WEBHOOK again what failed, under the event ids it had."""
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        endpoint_id = _endpoint(session, webhook)
        many = partner_acts.replay(session, endpoint_id, delivery, COMMAND_LINE, runtime.clock())
    click.echo(f"{many} due again.")


@webhooks.command("enable")
@click.argument("webhook")
def enable(webhook: str) -> None:
    """Switch WEBHOOK on again."""
    _switch(webhook, enabled=True)


@webhooks.command("disable")
@click.argument("webhook")
def disable(webhook: str) -> None:
    """Switch WEBHOOK off: what happens meanwhile is not told."""
    _switch(webhook, enabled=False)


def _switch(webhook: str, *, enabled: bool) -> None:
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        endpoint_id = _endpoint(session, webhook)
        partner_acts.switch_endpoint(session, endpoint_id, COMMAND_LINE, runtime.clock(), enabled=enabled)
    click.echo(f"{endpoint_id} is {'on' if enabled else 'off'}.")


@webhooks.command("remove")
@click.argument("webhook")
def remove(webhook: str) -> None:
    """Tell WEBHOOK nothing any more."""
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        endpoint_id = _endpoint(session, webhook)
        partner_acts.remove_endpoint(session, endpoint_id, COMMAND_LINE, runtime.clock())
    click.echo(f"{endpoint_id}: removed.")
