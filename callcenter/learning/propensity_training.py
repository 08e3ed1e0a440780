"""Trains the model of who converts, on a split by time, and judges it before it may rank anybody. Pure.

The oldest 60 % of the firings fit the regression, the next 15 % calibrate it (J. Platt, "Probabilistic outputs for
support vector machines", 1999: a logistic line through the scores), the newest 25 % judge it against the simple
rule. Nothing is shuffled: a model that is asked about tomorrow is judged on days it has not seen.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from callcenter.learning.judging import Floats, Judgement, judge
from callcenter.learning.propensity import Facts, Model, Rates, rates_of, row_of

LEAST_FIRINGS, LEAST_CONVERTED = 400, 40
"""Below so many firings, and conversions among them, nothing can be told apart from chance."""
LEAST_JUDGED = 10
"""So many of each outcome must be among the newest firings."""
FITTED, CALIBRATED = 0.60, 0.75
"""The ends of the first two parts, as shares of the firings in the order of their time."""
REGULARIZATION = 1.0


@dataclass(frozen=True, slots=True)
class Firing:
    """One called-for firing whose window is over: when, what was known, whether the customer converted."""

    fired_at: datetime
    facts: Facts
    converted: bool


@dataclass(frozen=True)
class Trained:
    """What training gave: a model that was judged, or why there is none. Counts are of the three parts."""

    n: int
    converted: int
    fitted: int = 0
    calibrated: int = 0
    span_from: datetime | None = None
    judged_from: datetime | None = None
    span_until: datetime | None = None
    model: Model | None = None
    judgement: Judgement | None = None
    why_not: str | None = None
    """Code of why it does not rank: `too_few`, `not_better`; None when it does."""


def train(firings: Sequence[Firing]) -> Trained:
    """Train on firings in any order; says why where it must not rank."""
    ordered = sorted(firings, key=lambda one: one.fired_at)
    n, converted = len(ordered), sum(one.converted for one in ordered)
    nothing = Trained(
        n,
        converted,
        span_from=ordered[0].fired_at if ordered else None,
        span_until=ordered[-1].fired_at if ordered else None,
        why_not="too_few",
    )
    fitted, calibrated = int(n * FITTED), int(n * CALIBRATED)
    came = np.array([one.converted for one in ordered], dtype=np.float64)
    judged = came[calibrated:]
    enough = n >= LEAST_FIRINGS and LEAST_CONVERTED <= converted <= n - LEAST_CONVERTED
    if not enough or not LEAST_JUDGED <= judged.sum() <= len(judged) - LEAST_JUDGED:
        return nothing
    parts = (came[:fitted], came[fitted:calibrated])
    if any(not 0 < part.sum() < len(part) for part in parts):
        return nothing
    model = _fit(ordered[:fitted], ordered[fitted:calibrated])
    known = rates_by_place(ordered[:calibrated])
    newest = ordered[calibrated:]
    simple = np.array([known.of(one.facts.rule_key, one.facts.step) for one in newest])
    judgement = judge(judged, _chances(model, newest), simple)
    return replace(
        nothing,
        fitted=fitted,
        calibrated=calibrated - fitted,
        judged_from=newest[0].fired_at,
        model=model,
        judgement=judgement,
        why_not=None if judgement.is_better else "not_better",
    )


def rates_by_place(firings: Sequence[Firing]) -> Rates:
    """Return the simple rule that these firings give."""
    places = Counter((one.facts.rule_key, one.facts.step) for one in firings)
    won = Counter((one.facts.rule_key, one.facts.step) for one in firings if one.converted)
    return rates_of({place: (won[place], of) for place, of in places.items()})


def _fit(older: Sequence[Firing], newer: Sequence[Firing]) -> Model:
    from sklearn.linear_model import LogisticRegression  # takes a second; only who trains shall wait for it

    rates = rates_by_place(older)
    rows = np.array([row_of(one.facts, rates) for one in older])
    centres, scales = rows.mean(axis=0), rows.std(axis=0)
    scales[scales < 1e-9] = 1.0
    fitted = LogisticRegression(C=REGULARIZATION, max_iter=1_000)
    fitted.fit((rows - centres) / scales, [one.converted for one in older])
    weights, intercept = fitted.coef_[0], float(fitted.intercept_[0])
    later = np.array([row_of(one.facts, rates) for one in newer])
    scores = ((later - centres) / scales) @ weights + intercept
    line = LogisticRegression(C=1e3, max_iter=1_000).fit(scores[:, None], [one.converted for one in newer])
    return Model(
        rates,
        tuple(map(float, centres)),
        tuple(map(float, scales)),
        tuple(map(float, weights)),
        intercept,
        slope=max(0.0, float(line.coef_[0][0])),
        shift=float(line.intercept_[0]),
    )


def _chances(model: Model, firings: Sequence[Firing]) -> Floats:
    rows = np.array([row_of(one.facts, model.rates) for one in firings])
    scores = ((rows - np.array(model.centres)) / np.array(model.scales)) @ np.array(model.weights)
    return np.asarray(1 / (1 + np.exp(-(model.slope * (scores + model.intercept) + model.shift))))
