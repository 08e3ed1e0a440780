"""`callcenter quarantine`: events that were refused, to look at, drive in again or dismiss."""

from uuid import UUID

import click
import orjson
from sqlmodel import Session

from callcenter import acts
from callcenter.commands.here import runtime_here
from callcenter.commands.sources import source_named
from callcenter.domain.enums import QuarantineState
from callcenter.errors import BadInput
from callcenter.intake import inspector
from callcenter.intake.quarantine import MOST_AT_ONCE, Wanted
from callcenter.intake.schema import masked, masked_text


@click.group("quarantine")
def quarantine() -> None:
    """Look at refused events, drive them in again, or dismiss them."""


@quarantine.command("list")
@click.option("--source", help="Of this source only.")
@click.option("--code", help="Of this reason only, for example bad_time.")
@click.option(
    "--state",
    type=click.Choice([state.value for state in QuarantineState]),
    default=QuarantineState.OPEN.value,
)
@click.option("--limit", default=50, show_default=True)
def list_refused(source: str | None, code: str | None, state: str, limit: int) -> None:
    """List refused events, the last ones first, with their numbers."""
    with runtime_here() as runtime, runtime.reading() as session:
        names = {one.id: one.name for one in inspector.sources(session)}
        source_id = source_named(session, source) if source else None
        for row in inspector.refused_events(
            session, source_id, code=code, state=QuarantineState(state), limit=limit
        ):
            came = f"{row.received_at:%Y-%m-%d %H:%M:%S}"
            click.echo(f"{row.id:8} {came} {names[row.source_id]:20} {row.code:20} {row.message}")


@quarantine.command("show")
@click.argument("number", type=int)
def show(number: int) -> None:
    """Show the refused event NUMBER; what may tell who somebody is stays hidden."""
    with runtime_here() as runtime, runtime.reading() as session:
        row, by = inspector.refused_event(session, number)
        source = inspector.source_of(session, row.source_id).name
    click.echo(f"{row.id} of {source}, {row.received_at:%Y-%m-%d %H:%M:%S} UTC: {row.code}: {row.message}")
    settled = f" {row.state_at:%Y-%m-%d %H:%M:%S} UTC by {by or 'the command line'}" if row.state_at else ""
    click.echo(f"{row.state}{settled}")
    if row.body is not None:
        click.echo(orjson.dumps(masked(row.body), option=orjson.OPT_INDENT_2).decode())
    else:
        click.echo(masked_text(str((row.raw or {}).get("text", ""))))


@quarantine.command("redrive")
@click.argument("numbers", nargs=-1, type=int)
@click.option("--source", required=True, help="The source that sent them.")
@click.option("--code", help="All of this reason.")
def redrive(numbers: tuple[int, ...], source: str, code: str | None) -> None:
    """Take refused events in again: those of these NUMBERS, or all of one reason."""
    with runtime_here() as runtime:
        taken = refused = not_kept = 0
        while True:
            with runtime.unit_of_work() as session:
                wanted = _wanted(session, numbers, source, code)
                done = acts.redrive(session, wanted, None, runtime.clock())
            taken, refused = taken + done.taken, refused + done.refused
            not_kept += done.not_kept
            # What is refused again stays open and comes up last: go on while anything is still taken.
            if done.taken + done.refused + done.not_kept < MOST_AT_ONCE or not done.taken:
                break
    click.echo(f"{taken} taken in, {refused} refused again, {not_kept} not kept as whole events.")


@quarantine.command("dismiss")
@click.argument("numbers", nargs=-1, type=int)
@click.option("--source", required=True, help="The source that sent them.")
@click.option("--code", help="All of this reason.")
def dismiss(numbers: tuple[int, ...], source: str, code: str | None) -> None:
    """Say that nobody will mend refused events: those of these NUMBERS, or all of one reason."""
    with runtime_here() as runtime:
        dismissed = 0
        while True:
            with runtime.unit_of_work() as session:
                wanted = _wanted(session, numbers, source, code)
                now_dismissed = acts.dismiss_refused(session, wanted, None, runtime.clock())
            dismissed += now_dismissed
            if now_dismissed < MOST_AT_ONCE:
                break
    click.echo(f"{dismissed} dismissed.")


def _wanted(session: Session, numbers: tuple[int, ...], source: str, code: str | None) -> Wanted:
    if bool(numbers) == bool(code):
        raise BadInput("Give the numbers of refused events, or --code for all of one reason.")
    source_id: UUID = source_named(session, source)
    return Wanted(source_id, numbers, code)
