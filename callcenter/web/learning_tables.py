"""What was learned, as tables to be kept: figures unrounded, column names in English, times in UTC."""

from collections.abc import Callable, Iterator, Mapping

from callcenter.web.files import Value, harmless
from callcenter.web.pages.learning import LearningPage, RunRow

Rows = Iterator[list[Value]]


def _worth(shown: LearningPage) -> Rows:
    yield [
        "rule", "name", "assigned", "held_out", "own_effect_points", "own_deviation_points", "counted_as_points",
        "value", "agent_minutes", "per_minute", "half_gone_after_minutes", "priority",
    ]  # fmt: skip
    for row in shown.worth:
        yield [
            row.key, harmless(row.label), row.assigned, row.held_out, row.own_effect, row.own_deviation, row.effect,
            row.value, row.minutes, row.per_minute, row.fades_minutes, row.points,
        ]  # fmt: skip


def _steps(shown: LearningPage) -> Rows:
    yield ["run_asked_at", "step", "state", "started_at", "seconds", "found"]
    for step in shown.run.steps if shown.run else ():
        began = step.started_at.isoformat() if step.started_at else ""
        asked = shown.run.asked_at.isoformat() if shown.run else ""
        yield [asked, harmless(step.label), step.state, began, step.seconds, harmless(step.said)]


def _measures(shown: LearningPage) -> Rows:
    yield ["model", "measure", "better", "of_model", "low", "high", "of_rules_own_rate"]
    card = shown.card
    for row in card.measures if card else ():
        told = [row.model, row.low, row.high, row.simple]
        yield [card.version if card else None, harmless(row.label), harmless(row.better), *told]


def _calibration(shown: LearningPage) -> Rows:
    yield ["model", "firings", "told", "came", "low", "high"]
    card = shown.card
    for row in card.calibration if card else ():
        yield [card.version if card else None, row.n, row.told, row.came, row.low, row.high]


def _runs(shown: LearningPage) -> Rows:
    yield ["asked_at", "asked_by", "is_open", "steps", "ended", "failed"]
    runs: tuple[RunRow, ...] = (*((shown.run,) if shown.run else ()), *shown.earlier)
    for one in runs:
        is_open = "yes" if one.is_open else "no"
        yield [
            one.asked_at.isoformat(),
            harmless(one.by or ""),
            is_open,
            len(one.steps),
            one.done,
            one.failed,
        ]


TABLES: Mapping[str, Callable[[LearningPage], Rows]] = {
    "worth": _worth,
    "steps": _steps,
    "measures": _measures,
    "calibration": _calibration,
    "runs": _runs,
}
"""Every table of the page, by the name its file bears."""
