"""`callcenter audit`: verify the ledgers, hand evidence out, erase one person's data."""

import sys
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import click
import orjson
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlmodel import Session

from callcenter import erasure, ledgers
from callcenter.commands.funnel import parse_moment
from callcenter.commands.here import runtime_here
from callcenter.compliance.numbers import hash_number
from callcenter.config import archive_folder
from callcenter.errors import BadInput, NotFound
from callcenter.evidence.export import Format, Manifest, Wanted
from callcenter.evidence.queries import head_of_chain
from callcenter.evidence.rules import read_head
from callcenter.evidence.verify import Report, verify_chain
from callcenter.intake.forgetting import everyone_named, person_named
from callcenter.models import Erasure
from callcenter.runtime import Runtime

_ONE_MOMENT = {"isolation_level": "REPEATABLE READ"}
"""Everything is read as it was when the command began, whatever is written meanwhile."""


@click.group("audit")
def audit() -> None:
    """Verify the ledgers, export evidence, erase one person's data."""


@audit.command("head")
def head() -> None:
    """Print the head of the chain. Write it down where whoever can change this database cannot."""
    with runtime_here() as runtime, runtime.reading() as session:
        click.echo(str(head_of_chain(session)))


@audit.command("verify")
@click.option("--from", "after", default=0, type=click.IntRange(0), help="Trust the chain up to this link.")
@click.option("--expect", metavar="SEQ:HASH", help="A head that was written down: is it still in the chain?")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(after: int, expect: str | None, as_json: bool) -> None:
    """Recompute the chain over the ledgers; exit code 1 when anything is not as it was sealed."""
    expected = read_head(expect) if expect else None
    with runtime_here() as runtime, runtime.reading() as session:
        session.connection(execution_options=_ONE_MOMENT)
        total = max(head_of_chain(session).seq - after, 0)
        began = perf_counter()
        bar = nullcontext() if as_json or not sys.stderr.isatty() else Progress(console=Console(stderr=True))
        with bar as shown:
            task = shown.add_task("links", total=total) if shown else None
            report = verify_chain(
                session,
                runtime.clock(),
                after=after,
                expected=expected,
                progress=lambda links: shown.advance(task, links) if shown and task is not None else None,
            )
        seconds = perf_counter() - began
    click.echo(orjson.dumps(_document(report, seconds)).decode() if as_json else _sentences(report, seconds))
    if not report.holds:
        sys.exit(1)


def _document(report: Report, seconds: float) -> dict[str, Any]:
    return {
        "holds": report.holds,
        "head": str(report.head),
        "links": report.links,
        "seconds": round(seconds, 3),
        "links_per_second": round(report.links / seconds),
        "faults": report.faults,
        "findings": report.findings,
        "removed_after_keeping": report.removed,
        "waiting": report.waiting,
        "not_sealed_for_long": report.stale,
    }


def _sentences(report: Report, seconds: float) -> str:
    lines = [finding.text for finding in report.findings]
    if report.faults > len(lines):
        lines.append(f"... and {report.faults - len(lines):,} faults more")
    lines += [
        f"{name}: {rows:,} rows removed after keeping; their links are there"
        for name, rows in report.removed.items()
    ]
    lines += [
        f"{name}: {rows:,} rows just came and are not sealed yet" for name, rows in report.waiting.items()
    ]
    lines += [
        f"{name}: {rows:,} rows were not sealed for long: is a scheduler running?"
        for name, rows in report.stale.items()
    ]
    rate = f"{report.links:,} links in {seconds:.1f} s, {report.links / seconds:,.0f}/s"
    lines.append(f"{'the chain holds' if report.holds else f'BROKEN: {report.faults:,} faults'}: {rate}")
    return "\n".join([*lines, f"head to write down: {report.head}"])


@audit.command("export")
@click.option("--customer", metavar="EXTERNAL_ID", help="Everything about this person.")
@click.option("--from", "since", callback=parse_moment, help="Everything at or after this moment (UTC).")
@click.option("--to", "until", callback=parse_moment, help="... and before this one.")
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="A zip file.")
@click.option("--with-numbers", is_flag=True, help="Show numbers; without it they are masked.")
def export(
    customer: str | None,
    since: datetime | None,
    until: datetime | None,
    form: Format,
    out: Path,
    with_numbers: bool,
) -> None:
    """Write a zip of one file per kind of record, with a manifest; the export is in the audit trail."""
    if bool(customer) == bool(since and until):
        raise BadInput("Name a person by --customer, or a period by --from and --to.")
    draft = out.with_name(f"{out.name}.part")
    try:
        draft.unlink(missing_ok=True)
        draft.touch(0o600)
        with runtime_here() as runtime, runtime.unit_of_work() as session, draft.open("wb") as target:
            session.connection(execution_options=_ONE_MOMENT)
            wanted = _of_person(runtime, session, customer, form) if customer else None
            manifest = ledgers.hand_out(
                session,
                wanted or Wanted(form, since=since, until=until),
                target,
                None,
                runtime.clock(),
                with_numbers=with_numbers,
            )
        draft.rename(out)
    except OSError as error:
        raise BadInput(f"{out}: cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    _show(manifest, out)


def _of_person(runtime: Runtime, session: Session, external_id: str, form: Format) -> Wanted:
    person = person_named(session, external_id)
    if person is None:
        raise NotFound("Nobody is known by this id. Give the bank's own id, as the app reports it.")
    key = runtime.house.gate.number_key
    also = (one for one in everyone_named(session, external_id) if one != person.id)
    return Wanted(form, person.id, tuple(also), hash_number(key, person.number) if person.number else None)


def _show(manifest: Manifest, out: Path) -> None:
    table = Table("file", "rows", "SHA-256", title=f"{out}; numbers {manifest.numbers}", title_justify="left")
    for one in manifest.files:
        table.add_row(one.name, f"{one.rows:,}", one.sha256)
    Console(width=120).print(table)
    click.echo(f"head of the chain: {manifest.chain_head}")


@audit.command("erase")
@click.option("--customer", metavar="EXTERNAL_ID", required=True, help="The bank's own id of the person.")
@click.option("--why", required=True, help="Kept for good: name no person in it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(customer: str, why: str, yes: bool) -> None:
    """Erase one person's data and say what went, and what stays and why. It cannot be taken back."""
    if not yes:
        click.confirm("This cannot be taken back. Erase this person's data?", abort=True)
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        row = _erase(runtime, session, customer, why)
    click.echo(f"person {row.customer_id}, first erased {row.at:%Y-%m-%d %H:%M} UTC")
    for name, count in row.erased.items():
        click.echo(f"erased  {name.replace('_', ' ')}: {count:,}")
    for name, one in row.kept.items():
        rows = "" if one["rows"] is None else f" {one['rows']:,},"
        until = f" (until {one['until']})" if one["until"] else ""
        click.echo(f"kept    {name.replace('_', ' ')}:{rows} {one['why']}{until}")


def _erase(runtime: Runtime, session: Session, customer: str, why: str) -> Erasure:
    return erasure.erase_customer(
        session,
        runtime.house,
        customer,
        why,
        None,
        runtime.clock(),
        archive=archive_folder(runtime.settings),
        keeping=timedelta(days=runtime.settings.screening_retention_days),
    )
