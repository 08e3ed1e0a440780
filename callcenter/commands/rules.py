"""`callcenter rules`: check trigger rules, adopt them, compare versions, ask why one fired for a customer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from callcenter import acts, proposing, trials
from callcenter.commands.here import read_yaml, runtime_here
from callcenter.domain.trace import Way
from callcenter.errors import BadInput, NotFound
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import TriggerRule
from callcenter.reporting.changes_in_words import change_in_words
from callcenter.reporting.trace_in_words import trace_words
from callcenter.rule_needs import require_needs
from callcenter.traces import story_of
from callcenter.triggers.differences import differences
from callcenter.triggers.policy import read_rule
from callcenter.triggers.queries import current_rules, versions_of

_MARKS = {Way.FOR: "+", Way.AGAINST: "-", Way.WAITS: "~", Way.NOTE: " "}
_language = click.option("--language", type=click.Choice(["en", "zh"]), default="en", help="Of what is told.")


@click.group("rules")
def rules() -> None:
    """List, check and adopt trigger rules; compare their versions; ask why one fired."""


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
                require_needs(session, entry)
            except BadInput as error:
                raise BadInput(f"{file}: rule {number}: {error.message}") from None
            if check:
                click.echo(f"{spec.key}: right")
                continue
            now = runtime.clock()
            row = acts.adopt_rule(session, entry, journey, None, now)
            click.echo(f"{row.rule_key}: v{row.version} is {row.state}")


@rules.command("diff")
@click.argument("rule")
@click.argument("before", type=int, required=False)
@click.argument("after", type=int, required=False)
@_language
def diff(rule: str, before: int | None, after: int | None, language: str) -> None:
    """Say in words what differs between versions BEFORE and AFTER of RULE.

    Without AFTER it is the newest version, without BEFORE the one before it.
    """
    with runtime_here() as runtime, runtime.reading() as session:
        versions = {row.version: row for row in versions_of(session, rule)}
        journeys = journeys_loaded(session)
        if not versions:
            raise NotFound(f"There is no rule {rule!r}.")
        newer = _version(versions, after if after is not None else max(versions))
        older = _version(versions, before if before is not None else newer.version - 1)
        if newer.journey not in journeys:
            raise BadInput(f"Journey {newer.journey!r} is not loaded any more.")
        for row in (older, newer):
            click.echo(f"v{row.version:<3} {row.state:10} {row.note}".rstrip())
        changes = differences(older.definition, newer.definition)
        for change in changes:
            click.echo("  " + change_in_words(change, journeys[newer.journey], language))
        if not changes:
            click.echo("  no difference" if language == "en" else "  没有差异")


def _version(versions: Mapping[int, TriggerRule], number: int) -> TriggerRule:
    if number not in versions:
        known = ", ".join(map(str, sorted(versions)))
        raise NotFound(f"There is no version {number}; there is {known}.")
    return versions[number]


@rules.command("propose")
def propose() -> None:
    """Look at the evidence now, as the nightly run does, and make the proposals it speaks for."""
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        click.echo(proposing.propose(session, runtime.house.global_holdout, runtime.clock()))


@rules.command("back")
@click.argument("rule")
@click.option("--to", "to_version", type=int, help="The version to go back to; the one before if not given.")
@click.option("--reason", default="", help="Why, for the audit trail.")
def back(rule: str, to_version: int | None, reason: str) -> None:
    """Publish what an earlier version of RULE says as a new one, at once, to stop harm."""
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        row = trials.roll_back_rule(
            session, rule, None, runtime.clock(), to_version=to_version, reason=reason
        )
        click.echo(f"{row.rule_key}: v{row.version} is {row.state}, as {row.note} was")


@rules.command("why")
@click.argument("rule")
@click.argument("customer")
@click.option("--zone", default="UTC", help="Time zone of the times told, such as Asia/Shanghai.")
@_language
def why(rule: str, customer: str, zone: str, language: str) -> None:
    """Say why RULE fired for CUSTOMER (the bank's own id), or what is missing."""
    try:
        chosen = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise BadInput(f"--zone: {zone!r} is not a time zone such as Asia/Shanghai") from None
    with runtime_here() as runtime, runtime.reading() as session:
        now = runtime.clock()
        story = story_of(session, rule, customer, now)
        words = trace_words(story.journey, language, now, chosen)
        click.echo(words.headline(story.trace))
        for line in words.lines(story.trace):
            click.echo(f"  {_MARKS[line.way]} {'  ' * line.depth}{line.text}")
