"""`callcenter rules`: check trigger rules and adopt them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from callcenter.accounts import service as accounts
from callcenter.commands.here import read_yaml, runtime_here
from callcenter.errors import BadInput
from callcenter.journeys.queries import journeys_loaded
from callcenter.triggers import service as triggers
from callcenter.triggers.policy import read_rule
from callcenter.triggers.queries import current_rules


@click.group("rules")
def rules() -> None:
    """List, check and adopt trigger rules."""


@rules.command("list")
def list_rules() -> None:
    """List live and paused rules."""
    with runtime_here() as runtime, runtime.reading() as session:
        for rule in current_rules(session, journeys_loaded(session)).all_current():
            spec = rule.spec
            title, where = spec.title.get("en", ""), f"{spec.journey}/{spec.step}"
            click.echo(f"{spec.key:28} v{rule.version:<3} {rule.state:7} {where}  {title}")


def _entries(path: Path) -> list[Mapping[str, Any]]:
    raw = read_yaml(path)
    entries = raw if isinstance(raw, list) else [raw]
    if not all(isinstance(entry, Mapping) for entry in entries):
        raise BadInput(f"{path}: give one rule, or a list of rules")
    return entries


@rules.command("adopt")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Only say whether the rules are right.")
def adopt(file: Path, check: bool) -> None:
    """Check the rules of FILE and make them live as new versions; an unchanged one changes nothing."""
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        journeys = journeys_loaded(session)
        for number, entry in enumerate(_entries(file), 1):
            journey = journeys.get(str(entry.get("journey")))
            if journey is None:
                known = ", ".join(journeys) or "none yet"
                raise BadInput(
                    f"{file}: rule {number}: unknown journey {entry.get('journey')!r}; known: {known}"
                )
            try:
                spec = read_rule(entry, journey)
            except BadInput as error:
                raise BadInput(f"{file}: rule {number}: {error.message}") from None
            if check:
                click.echo(f"{spec.key}: right")
                continue
            now = runtime.clock()
            row = triggers.adopt_rule(session, entry, journey, now)
            if row.created_at == now:
                accounts.record(
                    session, None, "rule.adopted", row.rule_key, runtime.clock(), version=row.version
                )
            click.echo(f"{row.rule_key}: v{row.version} is {row.state}")
