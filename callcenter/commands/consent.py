"""`callcenter consent`: import what customers consented to, and see it."""

from pathlib import Path

import click

from callcenter.accounts import service as accounts
from callcenter.commands.here import runtime_here
from callcenter.commands.list_words import print_refusals, progress, written_by
from callcenter.commands.suppress import report_to
from callcenter.compliance import ledger_queries
from callcenter.compliance.person_imports import import_consents
from callcenter.domain.ids import derived_id

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_out = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.group("consent")
def consent() -> None:
    """Import what customers consented to, and see it."""


@consent.command("import")
@click.argument("file", type=_file)
@click.option("--source", help="Where the consents come from; otherwise the file's name.")
@click.option("--report", "report_path", type=_out, help="Write every refused line here (CSV).")
@click.option("--dry-run", is_flag=True, help="Read the file, change nothing.")
def import_file(file: Path, source: str | None, report_path: Path | None, dry_run: bool) -> None:
    """Import consents from a CSV: customer_id, purpose, text_version, given_at, expires_at, proof.

    All valid lines are kept at once, or none. One that is kept already is not doubled.
    """
    where = source or f"file {file.name}"[:200]
    with (
        report_to(file, report_path) as refusals,
        runtime_here() as runtime,
        progress(f"importing {file.name}") as on_progress,
    ):
        lend = runtime.reading if dry_run else runtime.unit_of_work
        try:
            with lend() as session:
                now = runtime.clock()
                done = import_consents(session, file, where, refusals, now, on_progress=on_progress)
                accounts.record(
                    session, None, "consent.imported", file.name[:80], now,
                    source=where, accepted=done.accepted, refused=refusals.total,
                )  # fmt: skip
        finally:
            print_refusals(refusals)
    click.echo(
        f"{done.read:,} lines: {done.accepted:,} consents kept, {done.known:,} kept before or twice,"
        f" {refusals.total:,} refused. Of customers not met yet: {done.strangers:,}."
        + (" Nothing was changed." if dry_run else "")
    )


@consent.command("show")
@click.option("--customer", required=True, help="The bank's own id of a customer.")
def show(customer: str) -> None:
    """Show a customer's consents and withdrawals, and when each consent was last used for a call."""
    with runtime_here() as runtime, runtime.reading() as session:
        rows = ledger_queries.consents_of(session, derived_id("customer", customer), runtime.clock())
    for one in rows:
        until = f" until {one.expires_at:%Y-%m-%d %H:%M} UTC" if one.expires_at else ""
        state = "stands" if one.stands else "past"
        used = f"{one.last_used_at:%Y-%m-%d %H:%M} UTC" if one.last_used_at else "never"
        click.echo(
            f"{state:7} {one.purpose} {one.act} {one.at:%Y-%m-%d %H:%M} UTC{until}, text {one.text_version or '-'},"
            f" proof {one.proof or '-'}, by {written_by(one.by, one.source)}"
            + (f", last used {used}" if one.act == "given" else "")
        )
    if not rows:
        click.echo("Nothing is on record: calls that need a consent are barred.")
