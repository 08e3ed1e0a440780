"""How lists and ledgers are told at the command line: what stands in them, and which lines were refused."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from sqlmodel import Session

from callcenter.compliance import ledger_queries
from callcenter.compliance.csv_lines import WHAT_TO_DO, Refusals
from callcenter.compliance.ledger_queries import Entry, Listed


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on a terminal; call what is lent with the bytes done and those there are."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, size: bar.update(task, completed=done, total=size)


def print_refusals(refusals: Refusals) -> None:
    """Tell how many lines were refused for what, and where the first ones are: never what stood in them."""
    for code, count in refusals.by_code.most_common():
        click.echo(f"  {count:,} refused: {code}: {WHAT_TO_DO[code]}", err=True)
    if refusals.total:
        lines = ", ".join(str(line) for line, _ in refusals.first)
        more = "" if refusals.report is not None else "; --report FILE writes all of them"
        click.echo(f"  first in lines {lines}{more}", err=True)


def written_by(login: str | None, source: str) -> str:
    """Return who made an entry, and where it comes from."""
    return f"{login} ({source})" if login else source


def print_entries(entries: Sequence[Entry], listed: Sequence[Listed]) -> None:
    """Tell what stands or stood against somebody."""
    for entry in entries:
        limits = " ".join(word for word in (entry.purpose, entry.campaign) if word)
        until = f" until {entry.expires_at:%Y-%m-%d %H:%M} UTC" if entry.expires_at else ""
        about = " and ".join(
            word for word, is_it in (("person", entry.about_person), ("number", entry.about_number)) if is_it
        )
        state = "in force" if entry.in_force else "past"
        click.echo(
            f"{entry.id:8} {state:8} {entry.kind} {entry.scope} {limits} ({about}) since"
            f" {entry.created_at:%Y-%m-%d %H:%M} UTC{until}, by {written_by(entry.by, entry.source)}"
        )
        if entry.lifted_at:
            click.echo(
                f"         lifted {entry.lifted_at:%Y-%m-%d %H:%M} UTC by"
                f" {written_by(entry.lifted_by, entry.lift_source or '')}: {entry.lift_reason}"
            )
    for one in listed:
        click.echo(
            f"    list {one.key} as of {one.as_of:%Y-%m-%d} ({one.source}) bars {one.purpose or 'all'} calls"
        )
    if not entries and not listed:
        click.echo("Nothing stands against them.")


def print_lists(session: Session, unreadable: Sequence[str]) -> None:
    """Tell every import of a list; those made under another key are named."""
    for one in ledger_queries.lists(session):
        state = "in force" if one.in_force else "past"
        state = "OTHER KEY" if one.in_force and one.key in unreadable else state
        click.echo(
            f"{one.key:16} {state:9} bars {one.purpose or 'all'} calls to {one.accepted:,} numbers as of"
            f" {one.as_of:%Y-%m-%d}, imported {one.imported_at:%Y-%m-%d %H:%M} UTC, {one.refused:,} refused,"
            f" from {one.source}"
        )
