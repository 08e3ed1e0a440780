"""How the judgement of an experiment is told: as one JSON object, and in words for people."""

import math
from typing import Any

from rich.console import Console
from rich.table import Table

from callcenter.commands.experiment_file import Experiment
from callcenter.learning.compliers import ASSUMPTIONS, FEWEST_REACHED, Arm, ReachedEffect, ReachRefusal
from callcenter.learning.evidence import EARLIEST_CONVERTERS, Interval, Share
from callcenter.learning.experiments import Analysis, Design, ExperimentEffect, ExperimentVerdict
from callcenter.learning.strata import StratifiedEffect

_REFUSED = {
    ReachRefusal.NOBODY_REACHED: "not told: no more of the assigned were reached than of the held out",
    ReachRefusal.TOO_FEW_REACHED: f"not told: fewer than {FEWEST_REACHED} were reached by being assigned",
    ReachRefusal.WEAK_CONTACT: "not told: being assigned hardly changed who was reached",
}


def summary_of(file: str, effect: ExperimentEffect, design: Design, experiment: Experiment) -> dict[str, Any]:
    """Return everything, ready for JSON; the keys are those of docs/how-to-judge-an-experiment.md.

    Shares, differences and effects are shares (0.05 is five points). None where nothing may be told, and
    for an end that is infinite.
    """
    return {
        "file": file,
        "rows": effect.assigned.n + effect.held_out.n,
        "verdict": effect.verdict.value,
        "sentence": sentence(effect, design),
        "analysis": effect.analysis.value,
        "alpha": design.alpha,
        "assigned": _arm(effect.assigned),
        "held_out": _arm(effect.held_out),
        "sample_ratio": {
            "designed_share": design.holdout_share,
            "observed_share": _share_held_out(effect).value,
            "evidence": effect.sample_ratio_evidence,
            "checked": design.holdout_share is not None,
            "fails": effect.verdict is ExperimentVerdict.SAMPLE_RATIO_FAILS,
        },
        "difference": interval(effect.difference),
        "risk_ratio": interval(effect.risk_ratio),
        "p_value": effect.p_value,
        "evidence": _evidence(effect, experiment),
        "incremental_conversions": interval(effect.incremental_conversions),
        "effect_on_reached": _reached(effect.reached),
        "stratified": _stratified(effect.stratified),
        "power": {
            "planned_effect": effect.planned_effect,
            "power": design.power,
            "needs": effect.needs,
            "needs_more": effect.needs_more,
        },
        "notes": notes(effect, design, experiment),
    }


def interval(found: Interval | None) -> dict[str, float | None] | None:
    """Return an interval for JSON."""
    if found is None:
        return None
    ends = {"low": found.low, "point": found.point, "high": found.high}
    return {name: end if math.isfinite(end) else None for name, end in ends.items()}


def sentence(effect: ExperimentEffect, design: Design) -> str:
    """Say in one sentence whether calling helps, does not, or cannot be told yet."""
    if effect.difference is None:
        return f"Cannot tell: {why_no_effect(effect)}."
    figures = (
        f"{_percent(effect.assigned.conversion)} of the assigned and {_percent(effect.held_out.conversion)} of "
        f"the held out converted, {points(effect.difference)}"
    )
    match effect.verdict:
        case ExperimentVerdict.HELPS:
            return f"Calling helps: {figures}."
        case ExperimentVerdict.HARMS:
            return f"Calling does not help, it harms: {figures}."
        case ExperimentVerdict.NO_WORTHWHILE_GAIN:
            return f"Calling does not help by {design.smallest_effect * 100:g} points or more: {figures}."
        case ExperimentVerdict.TOO_EARLY:
            return f"Cannot tell yet: fewer than {EARLIEST_CONVERTERS} customers converted. {_wait(effect)}"
        case _:
            return f"Cannot tell yet: {figures}. {_wait(effect)}"


def why_no_effect(effect: ExperimentEffect) -> str:
    """Say where the split is not as designed, and what to do."""
    broken = effect.stratified.broken_splits if effect.stratified else ()
    where = f" within {', '.join(broken[:3])}{' and others' if len(broken) > 3 else ''}" if broken else ""
    return (
        f"the split is not as designed{where}, so no effect is told; find out who was assigned how, and "
        "whether rows of one arm are missing"
    )


def _wait(effect: ExperimentEffect) -> str:
    if effect.needs is None or effect.planned_effect is None:
        return "Nothing can be planned with yet."
    size = f"a difference of {effect.planned_effect * 100:+.1f} points"
    if not effect.needs_more:
        return f"There were enough customers to find {size}: the effect is probably smaller."
    return f"About {effect.needs_more:,} more customers in both arms would show {size} ({effect.needs:,} in all)."


def notes(effect: ExperimentEffect, design: Design, experiment: Experiment) -> list[str]:
    """Say what the figures rest on, and what they cannot know."""
    told = []
    if design.holdout_share is None:
        told.append("The split was not checked: say with --holdout what share was to be held out.")
    if effect.analysis is Analysis.FIXED:
        reason = "--holdout is not given" if experiment.course else "the order of the customers is not known"
        told.append(
            f"A fixed-sample analysis, as {reason}: it holds for one look, at an end fixed before. Whoever "
            "looked earlier and stopped at a good moment is promised too much."
        )
    watched = effect.watched
    if watched and watched.decided_at is not None and (effect.evidence or 0.0) < 1 / design.alpha:
        told.append(
            "The evidence was enough once and has fallen since. Over the whole course 'no effect' may be "
            f"given up (p = {watched.p_value:.2g}); the figures, and what is said of them, are those "
            "of the end."
        )
    if effect.held_out.reached:
        told.append(
            f"{effect.held_out.reached:,} of the held out were reached: if it was by this calling, they count "
            "as held out all the same."
        )
    if effect.stratified and effect.stratified.left_out:
        told.append(
            f"{effect.stratified.left_out:,} customers are in strata with one arm only and tell nothing there."
        )
    told.append(
        "Not to be seen in these columns: whether a conversion came before the assignment, whether both arms "
        "had the same time to convert, and whether a customer is there twice."
    )
    return told


def print_effect(
    console: Console, file: str, effect: ExperimentEffect, design: Design, experiment: Experiment
) -> None:
    """Print tables and the sentence."""
    arms = Table("", "customers", "reached", "converted", "share", title=file, title_justify="left")
    for name, arm in (("assigned", effect.assigned), ("held out", effect.held_out)):
        arms.add_row(name, f"{arm.n:,}", f"{arm.reached:,}", f"{arm.converted:,}", _percent(arm.conversion))
    for column in arms.columns[1:]:
        column.justify = "right"
    console.print(arms)
    told = Table("what", "is", show_header=False)
    for what, words in _lines(effect, design, experiment):
        told.add_row(what, words)
    console.print(told)
    console.print(sentence(effect, design), highlight=False)
    for note in notes(effect, design, experiment):
        console.print(f"- {note}", highlight=False)
    if effect.reached and effect.reached.effect:
        console.print("The effect on the reached assumes:", highlight=False)
        for assumption in ASSUMPTIONS:
            console.print(f"- {assumption}", highlight=False)


def _lines(effect: ExperimentEffect, design: Design, experiment: Experiment) -> list[tuple[str, str]]:
    level = f"{1 - design.alpha:.0%}"
    share = _share_held_out(effect)
    designed = "design not told" if design.holdout_share is None else f"designed {design.holdout_share:.1%}"
    lines = [("held out", f"{share.count:,} of {share.of:,}, {_percent(share)}; {designed}")]
    if effect.sample_ratio_evidence is not None:
        lines.append(("evidence against the split", f"{effect.sample_ratio_evidence:.3g} (alarm at 1,000)"))
    for label in (effect.stratified.broken_splits if effect.stratified else ())[:10]:
        lines.append(("split not as designed in", label))
    if effect.difference is None or effect.risk_ratio is None or effect.incremental_conversions is None:
        return lines
    extra = effect.incremental_conversions
    lines += [
        (f"difference, by assignment ({level})", points(effect.difference)),
        (f"ratio ({level})", _ratio(effect.risk_ratio)),
        ("conversions that calling added", f"{extra.point:+,.0f} ({extra.low:+,.0f} to {extra.high:+,.0f})"),
        ("effect on the reached", _reached_words(effect.reached)),
    ]
    if effect.stratified:
        lines += _strata_lines(effect.stratified)
    return lines + _evidence_lines(effect, design, experiment)


def _evidence_lines(
    effect: ExperimentEffect, design: Design, experiment: Experiment
) -> list[tuple[str, str]]:
    lines = []
    if effect.watched and effect.evidence is not None:
        decided = _evidence(effect, experiment)["decided_at"]
        weight = (
            f"{effect.evidence:.3g}, highest {effect.watched.highest:.3g}, enough at {1 / design.alpha:g}"
        )
        lines.append(("evidence", weight if decided is None else f"{weight}; first enough at {decided}"))
    elif effect.p_value is not None:
        lines.append(("p-value, one look", f"{effect.p_value:.2g}"))
    if effect.needs is not None and effect.planned_effect is not None:
        plan = f"{effect.planned_effect * 100:+.1f} points with {design.power:.0%} chance"
        lines.append(("to show", f"{plan}: {effect.needs:,} customers, {effect.needs_more:,} more"))
    return lines


def _strata_lines(found: StratifiedEffect) -> list[tuple[str, str]]:
    if found.difference is None or found.risk_ratio is None:
        return [("within strata", "not told: no stratum has both arms")]
    return [
        (f"difference within {found.strata:,} strata, one look", points(found.difference)),
        ("ratio within strata, one look", _ratio(found.risk_ratio)),
    ]


def points(found: Interval) -> str:
    """Return a difference of shares in points, with its ends."""
    return f"{found.point * 100:+.2f} points ({found.low * 100:+.2f} to {found.high * 100:+.2f})"


def _ratio(found: Interval) -> str:
    low, point, high = (
        f"{x:.2f}" if math.isfinite(x) else "no limit" for x in (found.low, found.point, found.high)
    )
    return f"{point} ({low} to {high})"


def _percent(share: Share) -> str:
    return f"{share.value:.2%}" if share.value is not None else "-"


def _share_held_out(effect: ExperimentEffect) -> Share:
    return Share(effect.held_out.n, effect.assigned.n + effect.held_out.n)


def _arm(arm: Arm) -> dict[str, Any]:
    return {
        "customers": arm.n,
        "reached": arm.reached,
        "converted": arm.converted,
        "conversion": arm.conversion.value,
        "contact": arm.contact.value,
    }


def _evidence(effect: ExperimentEffect, experiment: Experiment) -> dict[str, Any]:
    watched, course = effect.watched, experiment.course
    place = watched.decided_at if watched else None
    return {
        "value": effect.evidence,
        "highest": watched.highest if watched else None,
        "p_value": watched.p_value if watched else None,
        "decided_at": None if place is None or course is None else course.at[place],
        "decided_after_rows": None if place is None or course is None else int(course.rows[place]),
    }


def _reached(found: ReachedEffect | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "effect": interval(found.effect),
        "standard_error": found.standard_error,
        "net_contact": found.net_contact,
        "refused": found.refusal.value if found.refusal else None,
        "assumptions": list(ASSUMPTIONS),
    }


def _reached_words(found: ReachedEffect | None) -> str:
    if found is None or found.effect is None:
        return _REFUSED[found.refusal] if found and found.refusal else "not told"
    return f"{points(found.effect)}; {found.net_contact:.1%} were reached by being assigned"


def _stratified(found: StratifiedEffect | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "method": "mantel_haenszel",
        "strata": found.strata,
        "left_out": found.left_out,
        "difference": interval(found.difference),
        "risk_ratio": interval(found.risk_ratio),
        "broken_splits": list(found.broken_splits),
    }
