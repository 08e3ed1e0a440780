"""How the evaluation of a policy is told: as one JSON object, and in words for people."""

import math
from typing import Any

from rich.console import Console
from rich.table import Table

from callcenter.commands.effect_words import interval
from callcenter.learning.evidence import Interval
from callcenter.learning.logged_choices import LARGEST_UNSUPPORTED, LoggedChoices, MeanOfOne, Refusal
from callcenter.learning.off_policy import PolicyEvaluation, PolicyValue, PolicyVerdict

_ESTIMATES = {
    "ips": "inverse propensity",
    "self_normalised_ips": "self-normalised",
    "doubly_robust": "doubly robust",
}


def summary_of(
    file: str, found: PolicyEvaluation, log: LoggedChoices, alpha: float, smallest_sample: float
) -> dict[str, Any]:
    """Return everything, ready for JSON; the keys are those of docs/how-to-judge-an-experiment.md.

    Values are in units of the reward, a row. None where nothing may be told.
    """
    check = found.check
    return {
        "file": file,
        "rows": found.rows,
        "verdict": found.verdict.value,
        "sentence": sentence(found),
        "alpha": alpha,
        "target": "probability" if log.target is None else "action",
        "logged_value": interval(found.logged),
        **{name: _value(value) for name, value in _values(found)},
        "effective_sample_size": check.effective_sample_size,
        "smallest_sample": smallest_sample,
        "maximum_weight": check.maximum_weight,
        "mean_weight": _mean(check.mean_weight),
        "never_logged_share": check.never_logged_share,
        "unsupported_share": check.unsupported_share,
        "calibration": {
            "mean_inverse_propensity": check.mean_inverse_propensity,
            "actions": len(log.actions),
            "by_action": {
                name: _mean(one) for name, one in zip(log.actions, check.inverse_by_action, strict=True)
            },
        },
        "refusals": refusals_of(found, log, smallest_sample),
        "notes": notes(found, log),
    }


def sentence(found: PolicyEvaluation) -> str:
    """Say in one sentence whether the target policy is better, worse, or cannot be told."""
    best = found.doubly_robust or found.self_normalised
    if best is None:
        return "Cannot tell: this log cannot say what the target policy would have brought."
    name = "doubly robust" if found.doubly_robust else "self-normalised"
    figures = (
        f"{_words(best.value)} a row against {found.logged.point:.4g}, {_words(best.gain, '+')} ({name})"
    )
    match found.verdict:
        case PolicyVerdict.BETTER:
            return f"The target policy brings more: {figures}."
        case PolicyVerdict.WORSE:
            return f"The target policy brings less: {figures}."
        case _:
            return f"Cannot tell yet whether the target policy brings more: {figures}."


def refusals_of(found: PolicyEvaluation, log: LoggedChoices, smallest_sample: float) -> list[dict[str, str]]:
    """Say each reason why nothing is told, and what to do."""
    check = found.check
    told = {
        Refusal.UNSUPPORTED: (
            f"{check.unsupported_share or 0:.1%} of the rows have a target action that the log never drew for "
            f"such customers (at most {LARGEST_UNSUPPORTED:.0%} may)",
            "Draw these actions too, with a small probability, or judge a policy that keeps to those drawn.",
        ),
        Refusal.UNCALIBRATED: (
            f"the propensities are not those of the draw: {_drifts(found, log)}",
            "Log the probability that the draw itself used, of the action that was drawn, for every row; do "
            "not leave rows out by what came of them. A target action the log never drew shows here as well.",
        ),
        Refusal.SAMPLE_TOO_SMALL: (
            f"the effective sample size is {check.effective_sample_size:,.0f}, below {smallest_sample:,.0f}",
            "Log more rows, draw the target's actions with larger probabilities (10 % or more), or judge a "
            "policy closer to the logged one.",
        ),
    }
    return [
        {"code": one.value, "message": told[one][0], "what_to_do": told[one][1]} for one in check.refusals
    ]


def _drifts(found: PolicyEvaluation, log: LoggedChoices) -> str:
    check = found.check
    drifts = []
    if check.mean_weight.drift and Refusal.UNSUPPORTED not in check.refusals:
        drifts.append(f"the mean weight is {check.mean_weight.mean:.3f} and should be 1")
    for name, one in zip(log.actions, check.inverse_by_action, strict=True):
        if one.drift > 0:
            drifts.append(f"the mean of 1/p over the draws of {name!r} is {one.mean:.3f} and cannot exceed 1")
    return ", ".join(drifts)


def notes(found: PolicyEvaluation, log: LoggedChoices) -> list[str]:
    """Say what the figures rest on."""
    told = []
    for name, one in zip(log.actions, found.check.inverse_by_action, strict=True):
        if one.drift < 0:
            told.append(
                f"The mean of 1/p over the draws of {name!r} is {one.mean:.3f}: below 1, as where it could not "
                "be drawn for everybody. If it could, its propensities are wrong."
            )
    if found.check.unsupported_share and Refusal.UNSUPPORTED not in found.check.refusals:
        told.append(
            f"{found.check.unsupported_share:.2%} of the rows have a target action the log never drew for such "
            "customers; what these would have brought is guessed (doubly robust) or left out."
        )
    if found.self_normalised and found.doubly_robust is None:
        told.append(
            "No doubly robust estimate: with more than two actions it needs the target's action (--target)."
        )
    if found.doubly_robust and not log.features.shape[1]:
        told.append("Without --features the reward model is the mean reward of each action.")
    told.append(
        "Rows are taken as independent, one a customer; rewards as complete; and the future as the past was."
    )
    return told


def print_evaluation(
    console: Console,
    file: str,
    found: PolicyEvaluation,
    log: LoggedChoices,
    alpha: float,
    smallest_sample: float,
) -> None:
    """Print tables and the sentence."""
    table = Table("estimate", "a row", "error", "gain over the log", title=file, title_justify="left")
    table.add_row(f"logged ({1 - alpha:.0%})", _words(found.logged), "", "")
    for name, value in _values(found):
        if value is not None:
            table.add_row(
                _ESTIMATES[name], _words(value.value), f"{value.standard_error:.3g}", _words(value.gain, "+")
            )
    console.print(table)
    check = found.check
    checks = Table("check", "is", show_header=False)
    checks.add_row("rows", f"{found.rows:,}")
    checks.add_row(
        "effective sample size", f"{check.effective_sample_size:,.0f} (at least {smallest_sample:,.0f})"
    )
    checks.add_row("largest weight", f"{check.maximum_weight:,.4g}")
    checks.add_row("mean weight", f"{_words_of_one(check.mean_weight)}, should be 1")
    checks.add_row(
        "mean of 1/p", f"{check.mean_inverse_propensity:.4g}, with {len(log.actions)} actions drawn"
    )
    for name, one in list(zip(log.actions, check.inverse_by_action, strict=True))[:12]:
        checks.add_row(f"- of {name!r}", f"{_words_of_one(one)}, 1 where it could always be drawn")
    if check.never_logged_share is not None and check.unsupported_share is not None:
        checks.add_row("target action never logged", f"{check.never_logged_share:.2%} of the rows")
        checks.add_row("- or not for such customers", f"{check.unsupported_share:.2%} of the rows")
    console.print(checks)
    console.print(sentence(found), highlight=False)
    for refusal in refusals_of(found, log, smallest_sample):
        console.print(f"- Refused: {refusal['message']}. {refusal['what_to_do']}", highlight=False)
    for note in notes(found, log):
        console.print(f"- {note}", highlight=False)


def _values(found: PolicyEvaluation) -> list[tuple[str, PolicyValue | None]]:
    return list(zip(_ESTIMATES, (found.ips, found.self_normalised, found.doubly_robust), strict=True))


def _value(found: PolicyValue | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "value": interval(found.value),
        "standard_error": found.standard_error,
        "gain": interval(found.gain),
        "gain_standard_error": found.gain_standard_error,
    }


def _mean(found: MeanOfOne) -> dict[str, float | None]:
    error = found.standard_error
    return {"mean": found.mean, "standard_error": error if math.isfinite(error) else None}


def _words(found: Interval, sign: str = "") -> str:
    low, point, high = (format(end, f"{sign}.4g") for end in (found.low, found.point, found.high))
    return f"{point} ({low} to {high})"


def _words_of_one(found: MeanOfOne) -> str:
    return f"{found.mean:.3f} (error {found.standard_error:.3f})"
