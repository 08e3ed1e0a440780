"""Who converts once called: a model kept as plain numbers, read with care, scored by a formula. Pure.

A calibrated logistic regression on what was known when the rule fired. It is kept as numbers and never as a
pickled object: what is read back is checked name by name, and a model that is not as it was written ranks nobody.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callcenter.errors import BadInput

VERSION = 1
FEATURES = (
    "usual_rate",
    "hour_sine",
    "hour_cosine",
    "is_weekend",
    "minutes_to_firing",
    "errors",
    "visits_before",
    "firings_before",
    "talks_before",
    "conversions_before",
    "days_known",
)
"""What the model may know, all of it as of the moment the rule fired. `usual_rate` is the log odds of the rule's
own rate on the step."""
LEFT_OUT = ("gender", "age", "name", "number", "language", "place", "traits")
"""Never given to the model: what the law protects (gender, age), what stands in for it (name, number, language,
place and time zone), and the bank's traits and tags, which are kept as of now and would tell the future."""
RATE_WEIGHT = 20.0
"""A rule's rate on a step counts as much as that of all firings once it rests on so many."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was known of one firing. Times of day are in hours of UTC, spans in minutes or days."""

    rule_key: str
    step: str
    hour: float
    is_weekend: bool
    minutes_to_firing: float
    errors: int
    visits_before: int
    firings_before: int
    talks_before: int
    conversions_before: int
    days_known: float


@dataclass(frozen=True)
class Rates:
    """The simple rule: the converted share by rule and step, drawn towards that of all; `overall` where unknown."""

    overall: float
    by_place: Mapping[str, float]

    def of(self, rule_key: str, step: str) -> float:
        """Return the usual chance of a firing of this rule on this step, between 0 and 1."""
        return self.by_place.get(f"{rule_key}/{step}", self.overall)


@dataclass(frozen=True)
class Model:
    """A model's numbers: centre, scale and weight of each feature, an intercept, and the calibration's line."""

    rates: Rates
    centres: tuple[float, ...]
    scales: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    slope: float
    shift: float


def rates_of(counts: Mapping[tuple[str, str], tuple[int, int]]) -> Rates:
    """Return the simple rule from (converted, firings) by rule and step."""
    converted, firings = (sum(one[place] for one in counts.values()) for place in (0, 1))
    overall = (converted + 0.5) / (firings + 1)
    return Rates(
        overall,
        {
            f"{rule}/{step}": (won + RATE_WEIGHT * overall) / (of + RATE_WEIGHT)
            for (rule, step), (won, of) in counts.items()
        },
    )


def row_of(facts: Facts, rates: Rates) -> tuple[float, ...]:
    """Return the features of a firing in the order of `FEATURES`."""
    usual = rates.of(facts.rule_key, facts.step)
    turn = 2 * math.pi * facts.hour / 24
    return (
        math.log(usual / (1 - usual)),
        math.sin(turn),
        math.cos(turn),
        float(facts.is_weekend),
        math.log1p(max(0.0, facts.minutes_to_firing)),
        math.log1p(max(0, facts.errors)),
        math.log1p(max(0, facts.visits_before)),
        math.log1p(max(0, facts.firings_before)),
        math.log1p(max(0, facts.talks_before)),
        math.log1p(max(0, facts.conversions_before)),
        math.log1p(max(0.0, facts.days_known)),
    )


def chance_of(model: Model, facts: Facts) -> float:
    """Return the calibrated chance that the customer of a firing converts once it is a call task."""
    row = row_of(facts, model.rates)
    score = model.intercept + sum(
        weight * (value - centre) / scale
        for weight, value, centre, scale in zip(model.weights, row, model.centres, model.scales, strict=True)
    )
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, model.slope * score + model.shift))))


def parameters_of(model: Model) -> dict[str, Any]:
    """Return a model as a document of plain numbers."""
    return {
        "version": VERSION,
        "features": list(FEATURES),
        "overall": model.rates.overall,
        "rates": dict(model.rates.by_place),
        "centres": list(model.centres),
        "scales": list(model.scales),
        "weights": list(model.weights),
        "intercept": model.intercept,
        "slope": model.slope,
        "shift": model.shift,
    }


def digest_of(parameters: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a model's document, its entries in order."""
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()


def read_model(parameters: Mapping[str, Any], digest: str) -> Model:
    """Read a model back. Raises BadInput when it is not as it was written or was made for other features."""
    if digest_of(parameters) != digest:
        raise BadInput("The model is not as it was written. Let the nightly learning train a new one.")
    if parameters.get("version") != VERSION or parameters.get("features") != list(FEATURES):
        raise BadInput("The model was made for other features. Let the nightly learning train a new one.")
    lists = [_numbers(parameters.get(name)) for name in ("centres", "scales", "weights")]
    singles = _numbers([parameters.get(name) for name in ("overall", "intercept", "slope", "shift")])
    rates = parameters.get("rates")
    if (
        any(len(one) != len(FEATURES) for one in lists)
        or not all(scale > 0 for scale in lists[1])
        or not isinstance(rates, Mapping)
        or not all(0 < rate < 1 for rate in (singles[0], *_numbers(list(rates.values()))))
    ):
        raise BadInput("The model's numbers do not fit together. Let the nightly learning train a new one.")
    _, intercept, slope, shift = singles
    centres, scales, weights = lists
    return Model(Rates(singles[0], dict(rates)), centres, scales, weights, intercept, slope, shift)


def _numbers(values: Any) -> tuple[float, ...]:
    if not isinstance(values, list) or not all(
        isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one) for one in values
    ):
        raise BadInput("The model's numbers cannot be read. Let the nightly learning train a new one.")
    return tuple(float(one) for one in values)
