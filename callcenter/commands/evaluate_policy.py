"""`callcenter evaluate-policy`: ask what other choices would have brought, from a log of drawn ones."""

from pathlib import Path

import click
import orjson
from rich.console import Console

from callcenter.commands.choices_file import ChoiceColumns, read_choices
from callcenter.commands.effect import parse_names
from callcenter.commands.evaluate_policy_words import print_evaluation, refusals_of, summary_of
from callcenter.errors import BadInput
from callcenter.learning.logged_choices import SMALLEST_SAMPLE
from callcenter.learning.off_policy import PolicyVerdict, evaluate_policy

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("evaluate-policy")
@click.argument("file", type=_file)
@click.option("--action", required=True, metavar="COL", help="The action that was drawn.")
@click.option("--reward", required=True, metavar="COL", help="What it brought: a number, or yes/no.")
@click.option("--propensity", required=True, metavar="COL", help="The probability it was drawn with.")
@click.option("--target", metavar="COL", help="The action that the other policy would have taken.")
@click.option(
    "--target-probability", metavar="COL", help="Instead: its probability of the action that was drawn."
)
@click.option(
    "--features", metavar="COL,...", callback=parse_names, help="What was known before; for the reward model."
)
@click.option(
    "--alpha",
    default=0.05,
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="False alarms allowed; default 0.05.",
)
@click.option(
    "--smallest-sample",
    default=SMALLEST_SAMPLE,
    type=click.FloatRange(2),
    help="Effective sample size below which nothing is told; default 200.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def evaluate_policy_command(
    file: Path,
    action: str,
    reward: str,
    propensity: str,
    target: str | None,
    target_probability: str | None,
    features: tuple[str, ...],
    alpha: float,
    smallest_sample: float,
    as_json: bool,
) -> None:
    """Estimate another policy's mean reward from a CSV file with one drawn action a row (also gzipped).

    Three estimates: inverse propensity, self-normalised, doubly robust. Exit code 2 when the file is wrong
    or the log cannot tell of that policy. See docs/how-to-judge-an-experiment.md.
    """
    if (target is None) == (target_probability is None):
        raise BadInput("give either --target or --target-probability")
    columns = ChoiceColumns(action, reward, propensity, target, target_probability, features)
    log = read_choices(file, columns)
    found = evaluate_policy(log, alpha, smallest_sample)
    if as_json:
        click.echo(orjson.dumps(summary_of(file.name, found, log, alpha, smallest_sample)).decode())
    else:
        print_evaluation(Console(), file.name, found, log, alpha, smallest_sample)
    if found.verdict is PolicyVerdict.REFUSED:
        reasons = "; ".join(one["message"] for one in refusals_of(found, log, smallest_sample))
        raise BadInput(f"{file.name}: no value is told: {reasons}")
