"""`callcenter back-test`: ask what a trigger rule would have done with the events that are stored."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import orjson
from rich.console import Console
from rich.progress import Progress

from callcenter.backtest.report import Assumptions, report_back_test
from callcenter.commands.back_test_words import print_report, summary_of
from callcenter.commands.funnel import parse_moment
from callcenter.commands.here import read_yaml, runtime_here
from callcenter.config import archive_folder
from callcenter.domain.durations import parse_duration
from callcenter.errors import BadInput

DEFAULTS = Assumptions()


def _parse_zone(_context: click.Context, _option: click.Parameter, raw: str) -> ZoneInfo:
    try:
        return ZoneInfo(raw)
    except (KeyError, ValueError, OSError):
        raise click.BadParameter(f"{raw!r} is not an IANA time zone such as Asia/Shanghai") from None


def _parse_span(_context: click.Context, option: click.Parameter, raw: str | None) -> timedelta | None:
    if raw is None:
        return None
    try:
        span = parse_duration(raw, str(option.name))
    except BadInput as error:
        raise click.BadParameter(error.message) from None
    if not span:
        raise click.BadParameter("more than nothing")
    return span


@click.command("back-test")
@click.argument("rule", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--after", help="Use this duration instead of the rule's own: 90s, 5m, 24h, 7d.")
@click.option("--from", "since", callback=parse_moment, help="Leave out what fires before (ISO 8601, UTC).")
@click.option("--to", "until", callback=parse_moment, help="Stop the clock at this moment.")
@click.option(
    "--zone", default="UTC", callback=_parse_zone, help="Whose days and hours to count: an IANA zone."
)
@click.option(
    "--handle-time",
    default="4m",
    callback=_parse_span,
    help="What an average call task takes an agent, whether the customer is reached or not; default 4m.",
)
@click.option(
    "--service-level",
    default=DEFAULTS.service_level,
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="The share of calls that are to begin in time; default 0.8.",
)
@click.option("--within", default="20s", callback=_parse_span, help="What is in time; default 20s.")
@click.option(
    "--patience", callback=_parse_span, help="How long a call waits before its reason is gone (Erlang A)."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, without a progress bar.")
def back_test_command(
    rule: Path,
    after: str | None,
    since: datetime | None,
    until: datetime | None,
    zone: ZoneInfo,
    handle_time: timedelta,
    service_level: float,
    within: timedelta,
    patience: timedelta | None,
    as_json: bool,
) -> None:
    """Run the trigger rule in a YAML file over the stored events. Nothing is written, nobody is called."""
    raw: Any = read_yaml(rule)
    if not isinstance(raw, dict):
        raise BadInput(f"{rule}: a rule has the entries rule, journey, step, preset ...")
    with runtime_here() as runtime, runtime.reading() as session, _progress(as_json) as on_progress:
        began = time.perf_counter()
        report = report_back_test(
            session,
            {**raw, "after": after} if after else raw,
            now=runtime.clock(),
            gate=runtime.house.gate,
            archive=archive_folder(runtime.settings),
            where=str(rule),
            since=since,
            until=until,
            assumptions=Assumptions(zone, handle_time, service_level, within, patience),
            on_progress=on_progress,
        )
        seconds = time.perf_counter() - began
    if as_json:
        click.echo(orjson.dumps(summary_of(report, seconds), option=orjson.OPT_UTC_Z).decode())
    else:
        print_report(Console(), report, seconds)


@contextmanager
def _progress(is_quiet: bool) -> Iterator[Callable[[int, int | None], None]]:
    console = Console(stderr=True)
    is_off = is_quiet or not console.is_terminal
    with Progress(console=console, disable=is_off, transient=True) as progress:
        task = progress.add_task("back-test", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
