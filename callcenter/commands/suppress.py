"""`callcenter suppress`: whom not to call. Import lists, add entries, see who stands in them and why."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

import click
from sqlmodel import Session, select

from callcenter.accounts import service as accounts
from callcenter.commands.funnel import parse_moment
from callcenter.commands.here import runtime_here
from callcenter.commands.list_words import print_entries, print_lists, print_refusals, progress
from callcenter.compliance import ledger_queries, ledgers
from callcenter.compliance.csv_lines import Refusals, open_list
from callcenter.compliance.fast_numbers import read_number
from callcenter.compliance.imports import Imported, NumberList, import_numbers, read_only
from callcenter.compliance.ledgers import NewSuppression
from callcenter.compliance.number_key import ENTRIES, fingerprint_of, unreadable_lists
from callcenter.compliance.person_imports import import_people
from callcenter.compliance.rekeying import rekey_entries
from callcenter.domain.enums import Purpose, SuppressionKind, SuppressionScope
from callcenter.domain.ids import derived_id
from callcenter.errors import BadInput
from callcenter.models import Customer
from callcenter.runtime import Runtime

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_out = click.Path(dir_okay=False, writable=True, path_type=Path)
_purpose = click.Choice([one.value for one in Purpose])


@click.group("suppress")
def suppress() -> None:
    """Import lists of whom not to call, add entries, see who stands in them and why."""


@suppress.command("import")
@click.argument("file", type=_file)
@click.option(
    "--list", "key", help="The list it is a copy of, such as us-dnc; it takes the former copy's place."
)
@click.option("--source", required=True, help="Where it comes from; shown beside every call it bars.")
@click.option("--as-of", callback=parse_moment, help="As of when it was complete (ISO 8601, UTC).")
@click.option("--purpose", type=_purpose, help="Bar calls for this purpose only; otherwise all.")
@click.option("--column", "columns", multiple=True, help="The number's column; several are put together.")
@click.option("--no-header", is_flag=True, help="The first line names no columns; they are 1, 2, 3 ...")
@click.option("--region", help="Whose numbers those without a country code are, such as US.")
@click.option("--report", "report_path", type=_out, help="Write every refused line here (CSV).")
@click.option("--anyway", is_flag=True, help="Also a list much shorter than the former, or mostly refused.")
@click.option("--dry-run", is_flag=True, help="Read the file, change nothing.")
def import_list(
    file: Path,
    key: str | None,
    source: str,
    as_of: datetime | None,
    purpose: str | None,
    columns: tuple[str, ...],
    no_header: bool,
    region: str | None,
    report_path: Path | None,
    anyway: bool,
    dry_run: bool,
) -> None:
    """Import a CSV of numbers as a list, or of customers (column customer_id) into the ledger.

    All of it comes into force at once, or nothing. Exit code 2 when it does not.
    """
    meant = Purpose(purpose) if purpose else None
    if not columns and not no_header:
        columns = _column_of(file)
    refusals_to = report_to(file, report_path)
    if columns == ("customer_id",):
        with refusals_to as refusals:
            _import_people(file, source, meant, refusals, is_dry=dry_run)
        return
    if not key or as_of is None:
        raise BadInput("A list of numbers needs --list and --as-of: which list, complete as of when.")
    wanted = NumberList(
        path=file,
        key=key,
        source=source,
        as_of=as_of,
        purpose=meant,
        columns=columns or ("1",),
        has_header=not no_header,
        region=region.upper() if region else None,
        anyway=anyway,
    )
    with refusals_to as refusals:
        _import_numbers(wanted, refusals, is_dry=dry_run)


def _column_of(file: Path) -> tuple[str, ...]:
    """Return the column that is meant when none is named: number, customer_id, or the only one."""
    with open_list(file) as opened:
        header = opened.header
    found = [name for name in ("number", "customer_id") if name in map(str.lower, header)]
    if len(found) == 1:
        return (found[0],)
    if len(header) == 1:
        return (header[0],)
    raise BadInput(
        f"{file.name}: say which column is meant with --column: {', '.join(name[:40] for name in header[:30])}"
    )


@contextmanager
def report_to(file: Path, path: Path | None) -> Iterator[Refusals]:
    """Lend what refused lines are told to, and write them to `path` if there is one."""
    if path is None:
        yield Refusals()
        return
    if path.exists() and path.samefile(file):
        raise BadInput("--report would overwrite the file that is imported.")
    report: IO[str]
    with path.open("w", encoding="utf-8") as report:
        yield Refusals(report)


def _import_numbers(wanted: NumberList, refusals: Refusals, *, is_dry: bool) -> None:
    with runtime_here() as runtime, progress(f"importing {wanted.key}") as on_progress:
        began, key, done = time.perf_counter(), _key_of(runtime), None
        try:
            if is_dry:
                done = read_only(wanted, key, refusals, runtime.clock())
            else:
                done = import_numbers(wanted, key, refusals, runtime.unit_of_work, runtime.clock, on_progress)
                with runtime.unit_of_work() as session:
                    accounts.record(
                        session, None, "suppression_list.imported", wanted.key, runtime.clock(),
                        source=wanted.source, as_of=wanted.as_of.isoformat(), accepted=done.accepted,
                        refused=refusals.total,
                    )  # fmt: skip
                    unread = unreadable_lists(session, key, runtime.clock())
        finally:
            print_refusals(refusals)
        seconds = time.perf_counter() - began
    _print_import(wanted, done, refusals, seconds, is_dry=is_dry)
    if not is_dry and unread:
        click.echo(f"Made under another NUMBER_KEY, so that nobody is called: {', '.join(unread)}.", err=True)


def _print_import(
    wanted: NumberList, done: Imported, refusals: Refusals, seconds: float, *, is_dry: bool
) -> None:
    words = f"{done.read:,} lines: {done.accepted:,} numbers"
    if is_dry:
        click.echo(f"{words} can be read, {refusals.total:,} lines cannot. Nothing was changed.")
        return
    click.echo(
        f"{words}, {done.duplicates:,} twice, {refusals.total:,} refused; {seconds:.1f} s,"
        f" {done.read / max(seconds, 1e-9):,.0f} lines/s."
    )
    former = f" in the place of {done.replaced:,} numbers" if done.replaced is not None else ""
    click.echo(f"{wanted.key} is in force{former}.")


def _import_people(
    file: Path, source: str, purpose: Purpose | None, refusals: Refusals, *, is_dry: bool
) -> None:
    entry = NewSuppression(
        kind=SuppressionKind.DO_NOT_CALL,
        scope=SuppressionScope.PURPOSE if purpose else SuppressionScope.GLOBAL,
        purpose=purpose,
        source=source,
    )
    with runtime_here() as runtime, progress(f"importing {file.name}") as on_progress:
        lend = runtime.reading if is_dry else runtime.unit_of_work
        try:
            with lend() as session:
                now = runtime.clock()
                done = import_people(session, file, "customer_id", entry, refusals, now, on_progress)
                accounts.record(
                    session, None, "suppression.imported", file.name[:80], now,
                    source=source, accepted=done.accepted, refused=refusals.total,
                )  # fmt: skip
        finally:
            print_refusals(refusals)
    click.echo(
        f"{done.read:,} lines: {done.accepted:,} customers barred, {done.known:,} stood there before or twice,"
        f" {refusals.total:,} refused. Not met yet: {done.strangers:,}; check that these are the bank's ids."
        + (" Nothing was changed." if is_dry else "")
    )


@suppress.command("add")
@click.option("--customer", help="The bank's own id of a customer.")
@click.option("--number", help="A number with its country code; - reads it from the input, not the command.")
@click.option(
    "--kind",
    type=click.Choice([one.value for one in SuppressionKind]),
    default="do_not_call",
    show_default=True,
)
@click.option("--purpose", type=_purpose, help="Bar calls for this purpose only.")
@click.option("--campaign", help="Bar calls of this campaign only.")
@click.option("--source", required=True, help="Where it comes from: a letter, a branch, a court.")
@click.option("--reason", default="", help="Why.")
@click.option("--proof", default="", help="Where that can be seen.")
@click.option("--expires-at", callback=parse_moment, help="Until when (ISO 8601, UTC); otherwise for good.")
def add(
    customer: str | None,
    number: str | None,
    kind: str,
    purpose: str | None,
    campaign: str | None,
    source: str,
    reason: str,
    proof: str,
    expires_at: datetime | None,
) -> None:
    """Let a customer or a number not be called from now on."""
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        entry = NewSuppression(
            kind=SuppressionKind(kind),
            scope=_scope(customer, purpose, campaign),
            customer_id=derived_id("customer", customer) if customer else None,
            number=_number(number) if number else None,
            purpose=Purpose(purpose) if purpose else None,
            campaign=campaign,
            source=source,
            reason=reason,
            proof=proof,
            expires_at=expires_at,
        )
        row = ledgers.add_suppression(session, _key_of(runtime), entry, runtime.clock())
        accounts.record(session, None, "suppression.added", str(row.id), runtime.clock(), kind=kind)
        if customer and _customer(session, customer) is None:
            click.echo("No such customer has been met yet; the entry waits for them.", err=True)
    click.echo(f"Entry {row.id} is in force.")


def _scope(customer: str | None, purpose: str | None, campaign: str | None) -> SuppressionScope:
    if campaign:
        return SuppressionScope.CAMPAIGN
    if purpose:
        return SuppressionScope.PURPOSE
    return SuppressionScope.GLOBAL if customer else SuppressionScope.NUMBER


@suppress.command("rekey")
@click.option(
    "--former-key-file", "path", type=_file, required=True, help="A file with the former NUMBER_KEY."
)
def rekey(path: Path) -> None:
    """After a change of NUMBER_KEY: keep the entries of known numbers anew under the key in use.

    Imported lists are imported again from their files.
    """
    former = path.read_text(encoding="utf-8").strip().encode()
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        key, now = _key_of(runtime), runtime.clock()
        done = rekey_entries(session, former, key, now)
        accounts.record(
            session, None, "suppression.rekeyed", fingerprint_of(key), now,
            former=fingerprint_of(former), moved=done.moved, left=len(done.left),
        )  # fmt: skip
        lists = [one for one in unreadable_lists(session, key, now) if one != ENTRIES]
    click.echo(f"{done.moved:,} entries are kept anew under the key in use.")
    if done.left:
        first = ", ".join(map(str, done.left[:10]))
        click.echo(
            f"{len(done.left):,} are of numbers nobody here knows (entries {first}): add them again by number"
            " and lift these. Until then nobody is called.",
            err=True,
        )
    if lists:
        click.echo(f"Import again: {', '.join(lists)}. Until then nobody is called.", err=True)


@suppress.command("show")
@click.option("--customer", help="The bank's own id of a customer.")
@click.option("--number", help="A number with its country code; - reads it from the input.")
def show(customer: str | None, number: str | None) -> None:
    """Show what stands or stood against a customer or a number; without either, the imported lists."""
    with runtime_here() as runtime, runtime.reading() as session:
        key, now, listed = _key_of(runtime), runtime.clock(), []
        if not customer and not number:
            print_lists(session, unreadable_lists(session, key, now))
            return
        if customer:
            row = _customer(session, customer)
            entries = (
                ledger_queries.entries_of_customer(session, key, row, now)
                if row is not None
                else ledger_queries.entries_of_person(session, derived_id("customer", customer), now)
            )
            e164 = row.number if row is not None else None
        else:
            e164 = _number(number or "")
            entries = ledger_queries.entries_of_number(session, key, e164, now)
        if e164:
            listed = ledger_queries.lists_with(session, key, e164)
    print_entries(entries, listed)


def _number(text: str) -> str:
    number = read_number(sys.stdin.readline().strip() if text == "-" else text)
    if number is None:
        raise BadInput("This is no valid number; write +, country code and number.")
    return number


def _customer(session: Session, external_id: str) -> Customer | None:
    return session.exec(select(Customer).where(Customer.external_id == external_id)).first()


def _key_of(runtime: Runtime) -> bytes:
    return runtime.house.gate.number_key
