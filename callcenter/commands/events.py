"""`callcenter events`: where the events lie, and moving old weeks to the archive."""

from datetime import timedelta

import click
import orjson
from rich import filesize
from rich.console import Console
from rich.table import Table

from callcenter.commands.here import runtime_here
from callcenter.config import archive_folder
from callcenter.intake.archive import archive_old_weeks, archived_weeks, partitions


@click.group("events")
def events() -> None:
    """See where the events lie; archive old weeks."""


@events.command("partitions")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_partitions(as_json: bool) -> None:
    """List the weeks of events: those in the database, and those in the archive."""
    with runtime_here() as runtime, runtime.reading() as session:
        folder = archive_folder(runtime.settings)
        rows = [
            {
                "week": week.partition,
                "since": week.since,
                "until": week.until,
                "in": "archive",
                "events": week.events,
                "bytes": path.stat().st_size if (path := folder / week.path).is_file() else None,
                "path": str(path),
            }
            for week in archived_weeks(session)
        ] + [
            {
                "week": week.name,
                "since": week.since,
                "until": week.until,
                "in": "database",
                "events": week.events,
                "bytes": week.size_bytes,
                "path": None,
            }
            for week in partitions(session)
        ]
    if as_json:
        click.echo(orjson.dumps(rows, option=orjson.OPT_UTC_Z).decode())
        return
    table = Table("week", "from", "in", "events", "size", title="Events by week (in the database: estimates)")
    for row in rows:
        since, size = row["since"], row["bytes"]
        table.add_row(
            str(row["week"]),
            f"{since:%Y-%m-%d}" if since else "any other time",
            str(row["in"]),
            f"{row['events']:,}",
            filesize.decimal(int(str(size))) if size is not None else "missing!",
        )
    Console().print(table)


@events.command("archive")
@click.option(
    "--keep-days", type=click.IntRange(0), help="Keep this many days; default EVENT_RETENTION_DAYS."
)
def archive(keep_days: int | None) -> None:
    """Move the weeks that are older than the retention to Parquet files. Safe to stop and to run again."""
    with runtime_here() as runtime:
        days = runtime.settings.event_retention_days if keep_days is None else keep_days
        before = runtime.clock() - timedelta(days=days)
        count = 0
        for week in archive_old_weeks(
            runtime.unit_of_work, archive_folder(runtime.settings), before, runtime.clock
        ):
            count += 1
            size = filesize.decimal(week.size_bytes)
            click.echo(f"{week.partition}: {week.events:,} events, {size}, {week.path}")
        click.echo(f"{count} weeks archived; events of the last {days} days stay in the database.")
