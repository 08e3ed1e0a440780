"""`callcenter import-events`: take in journey events from a log, CSV of any shape or XES."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from callcenter.commands.here import read_yaml, runtime_here
from callcenter.errors import BadInput
from callcenter.intake.imports import ImportJob, ImportReport, Place, import_log
from callcenter.intake.logfile import digest_of_file, is_xes
from callcenter.intake.mapping import LogMapping, read_mapping
from callcenter.journeys import queries as journey_queries
from callcenter.journeys import service as journeys
from callcenter.journeys.policy import read_journey
from callcenter.journeys.rules import put_in_place
from callcenter.runtime import Runtime

OnProgress = Callable[[int, int, ImportReport], None]
_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("import-events")
@click.argument("file", type=_file)
@click.option("--mapping", "mapping_path", type=_file, required=True, help="What the columns mean (YAML).")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON, without a progress bar.")
def import_events_command(file: Path, mapping_path: Path, as_json: bool) -> None:
    """Take in the journey events of a CSV file or an XES event log (also gzipped: .csv.gz, .xes.gz).

    A stopped import goes on where it was; a finished one changes nothing. Exit code 2 when the file or the
    mapping is wrong.
    """
    mapping = load_mapping(mapping_path)
    with runtime_here() as runtime, _progress(as_json) as on_progress:
        began = time.perf_counter()
        journey, report = run_import(runtime, file, mapping_path, mapping, on_progress)
        seconds = time.perf_counter() - began
    if as_json:
        click.echo(orjson.dumps(_summary(file, mapping, journey, report, seconds)).decode())
    else:
        _print(file, journey, report, seconds)
    if report.damage is not None:
        raise BadInput(report.damage)


def load_mapping(path: Path) -> LogMapping:
    """Read a mapping's file; raises BadInput naming the file and the entry that is wrong."""
    raw = read_yaml(path)
    try:
        return read_mapping(raw)
    except BadInput as error:
        raise BadInput(f"{path}: {error.message}") from error


def run_import(
    runtime: Runtime,
    file: Path,
    mapping_path: Path,
    mapping: LogMapping,
    on_progress: OnProgress | None = None,
) -> tuple[str, ImportReport]:
    """Load the mapping's journey if it is new and import the file; return the journey's id and the counts."""
    journey, key_property, place = _load_journey(runtime, mapping_path.parent / mapping.journey)
    digest = sha256(f"{digest_of_file(file)} {digest_of_file(mapping_path)}".encode()).hexdigest()
    job = ImportJob(file, mapping, digest, key_property, place)
    return journey, import_log(job, runtime.unit_of_work, runtime.clock, on_progress)


def _load_journey(runtime: Runtime, path: Path) -> tuple[str, str | None, Place]:
    raw = read_yaml(path)
    try:
        wanted = read_journey(raw)
        with runtime.unit_of_work() as session:
            loaded = dict(journey_queries.journeys_loaded(session))
            if wanted.id not in loaded:
                loaded[wanted.id] = journeys.load_journey(session, raw, loaded.values(), runtime.clock())
    except BadInput as error:
        raise BadInput(f"{path}: {error.message}") from error

    return wanted.id, loaded[wanted.id].key_property, partial(put_in_place, loaded)


@contextmanager
def _progress(is_quiet: bool) -> Iterator[OnProgress]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    is_off = is_quiet or not console.is_terminal
    with Progress(*columns, console=console, disable=is_off, transient=True) as progress:
        task = progress.add_task("importing", total=None, rows=0)

        def show(done: int, size: int, report: ImportReport) -> None:
            progress.update(task, completed=done, total=size, rows=report.read)

        yield show


def _summary(
    file: Path, mapping: LogMapping, journey: str, report: ImportReport, seconds: float
) -> dict[str, object]:
    return {
        "file": file.name,
        "source": mapping.source,
        "journey": journey,
        "read": report.read,
        "stored": report.stored,
        "duplicate": report.duplicate,
        "filtered": report.filtered,
        "bad": report.bad,
        "unplaced": report.unplaced,
        "stored_before": report.stored_before,
        "resumed_after_line": report.resumed_after_line,
        "was_finished": report.was_finished,
        "damage": report.damage,
        "first_bad": [
            {"line": one.index, "code": one.code, "reason": one.message} for one in report.first_bad
        ],
        "seconds": round(seconds, 3),
    }


def _print(file: Path, journey: str, report: ImportReport, seconds: float) -> None:
    if report.was_finished:
        click.echo(
            f"{file.name} is imported with this mapping ({report.stored_before:,} events); nothing changed."
        )
        return
    place = "event" if is_xes(file) else "line"
    if report.resumed_after_line:
        click.echo(
            f"Went on after {place} {report.resumed_after_line:,}; {report.stored_before:,} stored before."
        )
    table = Table("rows", "count", title=f"{file.name} -> journey {journey}", title_justify="left")
    table.columns[1].justify = "right"
    for name, count in (
        ("read", report.read),
        ("stored", report.stored),
        ("duplicate", report.duplicate),
        ("filtered out by the mapping", report.filtered),
        ("bad", report.bad),
    ):
        table.add_row(name, f"{count:,}")
    Console().print(table)
    click.echo(f"{seconds:.1f} s, {report.read / max(seconds, 1e-9):,.0f} rows/s.")
    if report.unplaced:
        click.echo(f"{report.unplaced:,} of the events belong to no journey; they are kept all the same.")
    for one in report.first_bad:
        click.echo(f"  {place} {one.index}: {one.message}")
    if report.bad > len(report.first_bad):
        click.echo(f"  and {report.bad - len(report.first_bad):,} more bad rows, all kept in quarantine.")
