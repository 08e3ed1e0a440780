"""`callcenter sources`: who may send events, each with write keys of its own."""

import secrets
from uuid import UUID

import click
from sqlmodel import Session

from callcenter import acts
from callcenter.commands.here import runtime_here
from callcenter.errors import BadInput, NotFound
from callcenter.intake import inspector
from callcenter.intake.keys import OLD_KEY_ENDS, SourceLimits


@click.group("sources")
def sources() -> None:
    """Add event sources, give them write keys, switch them off and on."""


def source_named(session: Session, name: str) -> UUID:
    """Return the id of the source of this name. Raises NotFound."""
    for source in inspector.sources(session):
        if source.name == name:
            return source.id
    raise NotFound(f"There is no source {name!r}; `callcenter sources list` shows those there are.")


@sources.command("list")
def list_sources() -> None:
    """List the sources with their limits and the last letters of their keys."""
    with runtime_here() as runtime, runtime.reading() as session:
        now = runtime.clock()
        for source in inspector.sources(session):
            state = "on" if source.is_enabled else "off"
            limit = source.requests_per_second or "default"
            click.echo(f"{source.name:24} {state:4} late {source.lateness_seconds:g} s  requests/s {limit}")
            for key, by in inspector.keys_of(session, source.id):
                ends = "works" if key.ends_at is None else f"ends {key.ends_at:%Y-%m-%d %H:%M} UTC"
                ended = key.ends_at is not None and key.ends_at <= now
                made = f"made {key.created_at:%Y-%m-%d %H:%M} UTC by {by or 'the command line'}"
                click.echo(f"    ...{key.hint or '????'}  {'ended' if ended else ends}, {made}")


@sources.command("add")
@click.argument("name")
@click.option("--lateness", default=5.0, show_default=True, help="Seconds by which its events may come late.")
@click.option("--requests-per-second", type=int, help="Of each of its keys; the default without it.")
def add(name: str, lateness: float, requests_per_second: int | None) -> None:
    """Add the source NAME. Its write key is shown once and never again."""
    write_key = secrets.token_urlsafe(24)
    limits = SourceLimits(lateness, requests_per_second)
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        source = acts.create_source(session, name, limits, write_key, None, runtime.clock())
    click.echo(f"{source.name}: write key {write_key}")


@sources.command("rotate")
@click.argument("name")
@click.option(
    "--old-ends",
    type=click.Choice(list(OLD_KEY_ENDS)),
    default="24h",
    show_default=True,
    help="When the keys before it end.",
)
def rotate(name: str, old_ends: str) -> None:
    """Give the source NAME a new write key, shown once; the keys before it work for a while beside it."""
    write_key = secrets.token_urlsafe(24)
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        now = runtime.clock()
        ends_at = now + OLD_KEY_ENDS[old_ends]
        acts.rotate_key(session, source_named(session, name), write_key, ends_at, None, now)
    click.echo(f"{name}: write key {write_key}")


@sources.command("end-key")
@click.argument("name")
@click.argument("hint")
def end_key(name: str, hint: str) -> None:
    """End the key of the source NAME whose last four letters are HINT, now and for good."""
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        now, source_id = runtime.clock(), source_named(session, name)
        working = [
            key.id
            for key, _ in inspector.keys_of(session, source_id)
            if key.hint == hint.removeprefix("...") and (key.ends_at is None or key.ends_at > now)
        ]
        if len(working) != 1 or working[0] is None:
            raise BadInput(f"{len(working)} working keys of {name!r} end with {hint!r}; one must.")
        acts.end_key(session, source_id, working[0], None, now)
    click.echo(f"{name}: the key ...{hint.removeprefix('...')} has ended.")


@sources.command("disable")
@click.argument("name")
def disable(name: str) -> None:
    """Switch the source NAME off: what it sends is refused with 404 source_disabled."""
    _switch(name, enabled=False)


@sources.command("enable")
@click.argument("name")
def enable(name: str) -> None:
    """Switch the source NAME on again."""
    _switch(name, enabled=True)


def _switch(name: str, *, enabled: bool) -> None:
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        source_id = source_named(session, name)
        acts.switch_source(session, source_id, None, runtime.clock(), enabled=enabled)
    click.echo(f"{name} is {'on' if enabled else 'off'}; the collector knows within 5 s.")
