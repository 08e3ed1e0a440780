"""`callcenter effect`: judge an experiment of one's own by the functions of the live effects page."""

from pathlib import Path

import click
import orjson
from rich.console import Console

from callcenter.commands.effect_words import print_effect, summary_of, why_no_effect
from callcenter.commands.experiment_file import Columns, Experiment, read_experiment
from callcenter.errors import BadInput
from callcenter.learning.experiments import (
    Design,
    ExperimentEffect,
    ExperimentVerdict,
    effect_of_experiment,
    watch,
)

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_inside = click.FloatRange(0, 1, min_open=True, max_open=True)


def parse_names(_context: click.Context, _option: click.Parameter, raw: str | None) -> tuple[str, ...]:
    """Read an option that is a list of columns with commas between."""
    names = tuple(name.strip() for name in (raw or "").split(",") if name.strip())
    return tuple(dict.fromkeys(names))


@click.command("effect")
@click.argument("file", type=_file)
@click.option("--assigned", required=True, metavar="COL", help="1: was to be called. 0: was held out.")
@click.option("--reached", required=True, metavar="COL", help="1: was spoken with.")
@click.option("--converted", required=True, metavar="COL", help="1: converted within the window.")
@click.option("--strata", metavar="COL,...", callback=parse_names, help="Also compare within these.")
@click.option("--time", "time_column", metavar="COL", help="When each customer was drawn; gives an order.")
@click.option("--holdout", type=_inside, help="The share held out by design, for example 0.2.")
@click.option("--alpha", default=0.05, type=_inside, help="False alarms allowed; default 0.05.")
@click.option(
    "--smallest-effect", default=0.02, type=_inside, help="The least worth knowing; default 0.02, two points."
)
@click.option(
    "--power", default=0.8, type=_inside, help="Chance to find it that is planned for; default 0.8."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def effect_command(
    file: Path,
    assigned: str,
    reached: str,
    converted: str,
    strata: tuple[str, ...],
    time_column: str | None,
    holdout: float | None,
    alpha: float,
    smallest_effect: float,
    power: float,
    as_json: bool,
) -> None:
    """Say whether calling helped, from a CSV file with one customer a row (also gzipped).

    Values are 0/1, true/false or yes/no. With --time and --holdout the answer may be looked at every day;
    otherwise it holds for one look at the end. Exit code 2 when the file is wrong, or the split is not as
    designed. See docs/how-to-judge-an-experiment.md.
    """
    design = Design(holdout, alpha, smallest_effect, power)
    experiment = read_experiment(file, Columns(assigned, reached, converted, strata, time_column))
    effect = _judge(experiment, design)
    if as_json:
        summary = summary_of(file.name, effect, design, experiment)
        click.echo(orjson.dumps(summary, option=orjson.OPT_UTC_Z).decode())
    else:
        print_effect(Console(), file.name, effect, design, experiment)
    if effect.verdict is ExperimentVerdict.SAMPLE_RATIO_FAILS:
        raise BadInput(f"{file.name}: {why_no_effect(effect)}")


def _judge(experiment: Experiment, design: Design) -> ExperimentEffect:
    course, watched = experiment.course, None
    if course is not None and design.holdout_share is not None:
        watched = watch(
            course.treated_converters, course.held_out_converters, design.holdout_share, design.alpha
        )
    return effect_of_experiment(experiment.assigned, experiment.held_out, design, experiment.strata, watched)
