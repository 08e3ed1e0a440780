"""`callcenter sources`: who may send events, each with a write key of its own."""

import secrets

import click

from callcenter.accounts import service as accounts
from callcenter.commands.here import runtime_here
from callcenter.intake import service as intake


@click.group("sources")
def sources() -> None:
    """Add event sources and give them write keys."""


@sources.command("add")
@click.argument("name")
@click.option("--lateness", default=5.0, show_default=True, help="Seconds by which its events may come late.")
def add(name: str, lateness: float) -> None:
    """Add the source NAME, or give the one there is a new key. The key is shown once and never again."""
    write_key = secrets.token_urlsafe(24)
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        intake.add_source(session, name, write_key, lateness, runtime.clock())
        accounts.record(session, None, "source.keyed", name, runtime.clock())
    click.echo(f"{name}: write key {write_key}")
