"""`callcenter back-test`: ask what a trigger rule would have done with the events that are stored."""

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import orjson
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlmodel import Session

from callcenter.backtest import BackTest, StoredEvents, back_test
from callcenter.commands.funnel import parse_moment
from callcenter.commands.here import read_yaml, runtime_here
from callcenter.domain.durations import duration_text
from callcenter.domain.journey import JourneyDefinition
from callcenter.errors import BadInput, NotFound
from callcenter.journeys import queries as journey_queries
from callcenter.models import Customer
from callcenter.runtime import Runtime
from callcenter.triggers.policy import RuleSpec, read_rule

SPANS = (("1h", timedelta(hours=1)), ("24h", timedelta(hours=24)))
SAMPLES = 10


@click.command("back-test")
@click.argument("rule", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--after", help="Use this duration instead of the rule's own: 90s, 5m, 24h, 7d.")
@click.option("--from", "since", callback=parse_moment, help="Leave out what fires before (ISO 8601, UTC).")
@click.option("--to", "until", callback=parse_moment, help="Stop the clock at this moment.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, without a progress bar.")
def back_test_command(
    rule: Path, after: str | None, since: datetime | None, until: datetime | None, as_json: bool
) -> None:
    """Run the trigger rule in a YAML file over the stored events. Nothing is written, nobody is called."""
    raw = read_yaml(rule)
    if not isinstance(raw, dict):
        raise BadInput(f"{rule}: a rule has the entries rule, journey, step, preset ...")
    with runtime_here() as runtime, _progress(as_json) as on_progress:
        began = time.perf_counter()
        spec, result = run_back_test(
            runtime, {**raw, "after": after} if after else raw, str(rule), since, until, on_progress
        )
        seconds = time.perf_counter() - began
    if as_json:
        click.echo(orjson.dumps(_summary(spec, result, seconds), option=orjson.OPT_UTC_Z).decode())
    else:
        _print(spec, result, seconds)


def run_back_test(
    runtime: Runtime,
    raw: Mapping[str, Any],
    where: str = "rule",
    since: datetime | None = None,
    until: datetime | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[RuleSpec, BackTest]:
    """Run a rule's definition over the stored events of its journey.

    Raises NotFound when the journey is not loaded, BadInput when the definition is wrong.
    """
    with runtime.reading() as session:
        journey = _journey(session, raw.get("journey"), where)
        try:
            spec = read_rule(raw, journey)
        except BadInput as error:
            raise BadInput(f"{where}: {error.message}") from error
        stored = StoredEvents(session, journey, until)
        extent = stored.extent()
        has_conditions = bool(raw.get("conditions"))
        with _collector_paused():
            result = back_test(
                spec,
                journey,
                stored.of_step(spec.step, with_properties=has_conditions),
                extent,
                since=since,
                until=until,
                attributes=_attributes(session) if has_conditions else None,
                on_progress=partial(on_progress, extent.events) if on_progress else None,
            )
    return spec, result


@contextmanager
def _collector_paused() -> Iterator[None]:
    """A back-test makes no cycles; looking for some among all its visits would take a third of its time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _journey(session: Session, journey: Any, where: str) -> JourneyDefinition:
    loaded = journey_queries.journeys_loaded(session)
    if journey not in loaded:
        raise NotFound(
            f"{where}: journey {journey!r} is not loaded; import its events first: "
            "callcenter import-events FILE --mapping MAPPING.yaml"
        )
    return loaded[journey]


def _attributes(session: Session) -> Callable[[str], Mapping[str, Any]]:
    @lru_cache(maxsize=10_000)
    def read(customer_id: str) -> Mapping[str, Any]:
        customer = session.get(Customer, UUID(customer_id))
        if customer is None:
            return {}
        session.expunge(customer)
        return {
            **customer.traits,
            "language": customer.language,
            "city": customer.city,
            "tags": customer.tags,
        }

    return read


@contextmanager
def _progress(is_quiet: bool) -> Iterator[Callable[[int, int], None]]:
    console = Console(stderr=True)
    is_off = is_quiet or not console.is_terminal
    with Progress(console=console, disable=is_off, transient=True) as progress:
        task = progress.add_task("back-test", total=None)
        yield lambda total, done: progress.update(task, completed=done, total=total)


def _per_day(result: BackTest) -> list[tuple[str, int]]:
    return sorted(Counter(one.fired_at.date().isoformat() for one in result.firings).items())


def _peak_hour(result: BackTest) -> tuple[datetime, int] | None:
    hours = Counter(one.fired_at.replace(minute=0, second=0, microsecond=0) for one in result.firings)
    return min(hours.items(), key=lambda hour: (-hour[1], hour[0]), default=None)


def _summary(spec: RuleSpec, result: BackTest, seconds: float) -> dict[str, Any]:
    peak = _peak_hour(result)
    return {
        "rule": spec.key,
        "journey": spec.journey,
        "after": duration_text(spec.after),
        "events": result.extent.events,
        "first_event_at": result.extent.first_at,
        "clock_ended_at": result.clock_ended_at,
        "fired": len(result.firings),
        "per_day": [{"day": day, "fired": fired} for day, fired in _per_day(result)],
        "peak_hour": {"at": peak[0], "fired": peak[1]} if peak else None,
        "came_back": {
            name: dict(zip(("back", "of"), result.came_back(span), strict=True)) for name, span in SPANS
        },
        "seconds": round(seconds, 3),
        "firings": [
            {
                "customer": one.customer,
                "journey_key": one.journey_key,
                "anchor_at": one.anchor_at,
                "due_at": one.due_at,
            }
            for one in result.firings
        ],
    }


def _print(spec: RuleSpec, result: BackTest, seconds: float) -> None:
    days, peak = _per_day(result), _peak_hour(result)
    table = Table("", "", title=f"{spec.key}, after {duration_text(spec.after)}", show_header=False)
    table.columns[1].justify = "right"
    table.add_row("events read", f"{result.extent.events:,}")
    table.add_row("firings", f"{len(result.firings):,}")
    if days and peak:
        table.add_row(f"days with firings ({days[0][0]} to {days[-1][0]})", f"{len(days):,}")
        table.add_row("firings on such a day", f"{len(result.firings) / len(days):,.1f}")
        top_day = max(days, key=lambda day: day[1])
        table.add_row(f"most on one day ({top_day[0]})", f"{top_day[1]:,}")
        table.add_row(f"most in one hour ({peak[0]:%Y-%m-%d %H:00} UTC)", f"{peak[1]:,}")
    for name, span in SPANS:
        back, of = result.came_back(span)
        share = f" ({back / of:.1%})" if of else ""
        table.add_row(f"came back by themselves within {name}", f"{back:,} of {of:,}{share}")
    Console().print(table)
    if result.firings:
        samples = Table("customer", "key", "counted from", "ran out", title="first firings (UTC)")
        for one in result.firings[:SAMPLES]:
            samples.add_row(
                one.customer,
                one.journey_key,
                f"{one.anchor_at:%Y-%m-%d %H:%M:%S}",
                f"{one.due_at:%Y-%m-%d %H:%M:%S}",
            )
        Console().print(samples)
    click.echo(
        f"{seconds:.1f} s, {result.extent.events / max(seconds, 1e-9):,.0f} events/s. Nothing was written."
    )
