"""`callcenter funnel`: how many reached each step of a journey."""

from datetime import UTC, datetime

import click
import orjson
from rich.console import Console
from rich.table import Table

from callcenter.commands.here import runtime_here
from callcenter.errors import NotFound
from callcenter.journeys import queries


def parse_moment(_context: click.Context, _option: click.Parameter, raw: str | None) -> datetime | None:
    """Read an option that is a moment: ISO 8601; without a zone it is UTC."""
    if raw is None:
        return None
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError:
        raise click.BadParameter(f"{raw!r} is not a moment such as 2026-11-21 or 2026-11-21T14:20Z") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


@click.command("funnel")
@click.argument("journey")
@click.option(
    "--from", "since", callback=parse_moment, help="Events at or after this moment (ISO 8601, UTC)."
)
@click.option("--to", "until", callback=parse_moment, help="Events before this moment.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def funnel_command(journey: str, since: datetime | None, until: datetime | None, as_json: bool) -> None:
    """Show how many distinct customers (per journey key) reached each step."""
    with runtime_here() as runtime, runtime.reading() as session:
        definitions = queries.journeys_loaded(session)
        if journey not in definitions:
            known = ", ".join(definitions) or "none"
            raise NotFound(f"there is no journey {journey!r}; loaded are: {known}")
        counts = queries.funnel_counts(session, journey, since, until)
    steps = [(step.id, counts.get(step.id, 0)) for step in definitions[journey].steps]
    if as_json:
        rows = [{"step": step, "reached": reached} for step, reached in steps]
        click.echo(orjson.dumps({"journey": journey, "steps": rows}).decode())
        return
    table = Table("step", "reached", "of the first", "of the one before", title=journey, title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    first = before = steps[0][1]
    for step, reached in steps:
        table.add_row(step, f"{reached:,}", _share(reached, first), _share(reached, before))
        before = reached
    Console().print(table)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"
