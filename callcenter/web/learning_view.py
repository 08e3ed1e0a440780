"""The learning page in the viewer's words."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from sqlmodel import Session

from callcenter.errors import BadInput
from callcenter.journeys.queries import journeys_loaded
from callcenter.learning.learned import newest_model, night_of, runs_lately, worth_by_rule
from callcenter.learning.propensity import FEATURES, read_model
from callcenter.learning.worth import points_now, points_of
from callcenter.models import LearningRun, LearningStep, PropensityModel, RuleWorth, User
from callcenter.triggers.queries import RuleSet, current_rules
from callcenter.web.edge import chosen, frame
from callcenter.web.pages import learning as page

RUNS_SHOWN = 15
STEPS = {
    "scripts": _l("Scripts shared out"),
    "proposals": _l("Proposals made"),
    "propensity": _l("Who converts"),
    "priority": _l("Whom first"),
}
_SAID = (
    _l(
        "# scripts shared out (# new today, # by outcomes) from # customers; # steps and errors with enough calls"
    ),
    _l("# rules, # visits settled, # proposals made, # expired"),
    _l("# firings, # of them converted: too few to learn from. The simple order holds."),
    _l("# firings: no better than each rule's own rate on later ones. The simple order holds."),
    _l("# firings: better than each rule's own rate on later ones. It ranks."),
    _l("No rule has called some and held others out yet. Set priorities hold."),
    _l("# rules are ranked by what a call brings."),
    _l("This version of the product knows no such step."),
    _l("The step has taken its process down with it and is left."),
)
"""What steps say, with # for each figure; listed here so that the translators see them."""
_FIGURE = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?")
_FEATURES = {
    "usual_rate": _l("the rule's usual rate on the step"),
    "hour_sine": _l("hour of the day"),
    "is_weekend": _l("weekend"),
    "minutes_to_firing": _l("minutes until the rule fired"),
    "errors": _l("errors on the step"),
    "visits_before": _l("visits before"),
    "firings_before": _l("firings before"),
    "talks_before": _l("conversations before"),
    "conversions_before": _l("conversions before"),
    "days_known": _l("days known to us"),
}
_LEFT_OUT = {
    "gender": _l("gender"),
    "age": _l("age"),
    "name": _l("name"),
    "number": _l("phone number"),
    "language": _l("language"),
    "place": _l("place and time zone"),
    "traits": _l("traits and tags of the bank"),
}
_MEASURES = {
    "brier": (_l("Brier score"), _l("lower is better")),
    "log_loss": (_l("Log loss"), _l("lower is better")),
    "auc": (_l("AUC"), _l("higher is better")),
}
_VERDICTS = {
    None: _l("It ranks: on later firings it beat each rule's own rate."),
    "not_better": _l("It does not rank: on later firings it was no better than each rule's own rate."),
    "too_few": _l("It does not rank: there are too few firings to learn from."),
    "unreadable": _l("It does not rank: it is not as it was written. The next run trains a new one."),
}


def said(summary: str | None) -> str:
    """Return what a step said in the viewer's language; its figures stand where the # of its words are."""
    if not summary:
        return ""
    figures = _FIGURE.findall(summary)
    words = gettext(_FIGURE.sub("#", summary))
    for one in figures:
        words = words.replace("#", one, 1)
    return words


def learning_page(session: Session, hour: int, now: datetime) -> page.LearningPage:
    """Return the page; `hour` of UTC is when the night's run begins."""
    runs = [_run(session, run, steps, now) for run, steps in runs_lately(session, RUNS_SHOWN)]
    rules = current_rules(session, journeys_loaded(session))
    model = newest_model(session)
    return page.LearningPage(
        frame=frame("learning", live_url="/live/studio", state_url="/studio/learning/state"),
        next_at=night_of(hour, now) + timedelta(days=1),
        run=runs[0] if runs else None,
        earlier=tuple(runs[1:]),
        worth=tuple(_worth(one, rules) for one in worth_by_rule(session)),
        card=_card(model) if model else None,
    )


def _run(session: Session, run: LearningRun, steps: Sequence[LearningStep], now: datetime) -> page.RunRow:
    user = session.get(User, run.asked_by) if run.asked_by else None
    return page.RunRow(
        asked_at=run.asked_at,
        by=user.name if user else None,
        is_open=run.ended_at is None,
        steps=tuple(_step(one, now) for one in steps),
    )


def _step(step: LearningStep, now: datetime) -> page.StepRow:
    if step.ended_at is not None:
        state = "failed" if step.error else "done"
    else:
        state = "runs" if step.started_at else "waits"
    took = (step.ended_at or now) - step.started_at if step.started_at else None
    return page.StepRow(
        label=str(STEPS.get(step.name, step.name)),
        state=state,
        started_at=step.started_at,
        seconds=took.total_seconds() if took else None,
        said=said(step.error or step.summary),
    )


def _worth(row: RuleWorth, rules: RuleSet) -> page.WorthRow:
    rule = rules.current(row.rule_key)
    return page.WorthRow(
        key=row.rule_key,
        label=chosen(rule.spec.title, row.rule_key) if rule else row.rule_key,
        assigned=row.assigned,
        held_out=row.held_out,
        own_effect=None if row.own_effect is None else row.own_effect * 100,
        own_deviation=None if row.own_deviation is None else row.own_deviation * 100,
        effect=row.effect * 100,
        value=row.value,
        minutes=row.minutes,
        per_minute=row.per_minute,
        points=points_now(points_of(row.per_minute, row.usual), 0, row.fades_minutes, row.reach),
        fades_minutes=row.fades_minutes,
    )


def _card(row: PropensityModel) -> page.ModelCard:
    card, judged = row.card, row.card.get("judgement") or {}
    why_not = row.why_not
    if row.is_used:
        try:
            read_model(row.parameters, row.digest)
        except BadInput:
            why_not = "unreadable"
    return page.ModelCard(
        version=row.id or 0,
        trained_at=row.trained_at,
        is_used=row.is_used and why_not is None,
        verdict=str(_VERDICTS[why_not]),
        n=card["n"],
        converted=card["converted"],
        fitted=card["fitted"],
        calibrated=card["calibrated"],
        judged=judged.get("n", 0),
        span_from=_moment(card["span_from"]),
        judged_from=_moment(card["judged_from"]),
        span_until=_moment(card["span_until"]),
        gain_low=judged.get("gain_low"),
        gain_high=judged.get("gain_high"),
        features=tuple(str(_FEATURES[name]) for name in FEATURES if name in _FEATURES),
        left_out=tuple(str(_LEFT_OUT[name]) for name in card["left_out"] if name in _LEFT_OUT),
        measures=_measures(judged),
        calibration=tuple(page.CalibrationRow(**one) for one in judged.get("calibration", ())),
    )


def _measures(judged: Mapping[str, Any]) -> tuple[page.MeasureRow, ...]:
    return tuple(
        page.MeasureRow(str(label), str(better), **judged[name])
        for name, (label, better) in _MEASURES.items()
        if name in judged
    )


def _moment(raw: str | None) -> datetime | None:
    return datetime.fromisoformat(raw) if raw else None
