"""`callcenter journeys` and `callcenter dispositions`: load what a bank sets for itself."""

from pathlib import Path

import click

from callcenter.accounts import service as accounts
from callcenter.commands.here import read_yaml, runtime_here
from callcenter.errors import BadInput
from callcenter.journeys import service
from callcenter.journeys.queries import journeys_loaded
from callcenter.outcomes import service as outcomes
from callcenter.triggers.queries import current_rules

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("journeys")
def journeys() -> None:
    """List and load journeys."""


@journeys.command("list")
def list_journeys() -> None:
    """List the journeys that are loaded."""
    with runtime_here() as runtime, runtime.reading() as session:
        for journey in journeys_loaded(session).values():
            click.echo(f"{journey.id:20} {' > '.join(journey.order)}")


@journeys.command("load")
@click.argument("file", type=_FILE)
def load(file: Path) -> None:
    """Load FILE as a journey, or over the one of its name; says which rules no longer fit it."""
    raw = read_yaml(file)
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        try:
            journey = service.load_journey(session, raw, journeys_loaded(session).values(), runtime.clock())
        except BadInput as error:
            raise BadInput(f"{file}: {error.message}") from error
        accounts.record(session, None, "journey.loaded", journey.id, runtime.clock())
        for rule_key, problem in current_rules(session, journeys_loaded(session)).broken.items():
            click.echo(f"rule {rule_key} does not fit any more and fires nothing: {problem}", err=True)
    click.echo(f"{journey.id}: {len(journey.steps)} steps")


@click.group("dispositions")
def dispositions() -> None:
    """Load what agents can say of an attempt."""


@dispositions.command("load")
@click.argument("file", type=_FILE)
def load_dispositions(file: Path) -> None:
    """Load the dispositions of FILE; those missing in it are switched off."""
    rows = read_yaml(file)
    if not isinstance(rows, list) or not all(isinstance(row, dict) and row.get("code") for row in rows):
        raise BadInput(f"{file}: give a list of entries with code, label and flags")
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        outcomes.load_dispositions(session, rows)
        accounts.record(session, None, "dispositions.loaded", str(len(rows)), runtime.clock())
    click.echo(f"{len(rows)} dispositions")
