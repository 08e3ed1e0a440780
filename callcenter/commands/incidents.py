"""`callcenter incidents`: what must never happen and did, until a person has looked into it."""

import click
from sqlmodel import col, select

from callcenter import pipeline
from callcenter.commands.here import runtime_here
from callcenter.models import Incident


@click.group("incidents")
def incidents() -> None:
    """List incidents and close those looked into."""


@incidents.command("list")
def list_incidents() -> None:
    """List open incidents; their customers are not called until they are resolved."""
    with runtime_here() as runtime, runtime.reading() as session:
        for one in session.exec(
            select(Incident).where(col(Incident.resolved_at).is_(None)).order_by(col(Incident.id))
        ):
            click.echo(f"{one.id:6} {one.at:%Y-%m-%d %H:%M:%S} {one.kind} attempt={one.attempt_id}")


@incidents.command("resolve")
@click.argument("number", type=int)
def resolve(number: int) -> None:
    """Close incident NUMBER; the last one of a customer lets them be called again."""
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        pipeline.resolve_incident(session, number, None, runtime.clock())
    click.echo(f"incident {number} is resolved")
