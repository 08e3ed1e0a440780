"""The model of who converts: judged by firings it has not seen, kept as numbers, silent when no better."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from callcenter.errors import BadInput
from callcenter.learning.judging import auc, calibration, judge, wilson
from callcenter.learning.propensity import (
    FEATURES,
    LEFT_OUT,
    Facts,
    chance_of,
    digest_of,
    parameters_of,
    read_model,
)
from callcenter.learning.propensity_training import Firing, Trained, rates_by_place, train

START = datetime(2026, 5, 1, tzinfo=UTC)


def firings(n: int, seed: int, *, matters: float, drift: float = 0.0) -> list[Firing]:
    """Firings whose truth is known: errors and earlier conversions matter by `matters`; `drift` turns it around."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(n):
        rule = "ab"[int(rng.random() < 0.5)]
        errors, before = int(rng.poisson(1.0)), int(rng.poisson(0.4))
        strength = matters * (1 - drift * (number > 0.6 * n))
        odds = (-1.6 if rule == "a" else -0.8) + strength * (before - 0.4) - strength * 0.7 * (errors - 1.0)
        at = START + timedelta(minutes=20 * number)
        facts = Facts(
            rule, "photo", at.hour, at.weekday() >= 5, float(rng.exponential(5)), errors, 0, 0, 0, before, 90
        )
        made.append(Firing(at, facts, bool(rng.random() < 1 / (1 + math.exp(-odds)))))
    return made


@pytest.fixture(scope="module")
def trained() -> Trained:
    return train(firings(3_000, 1, matters=1.0))


def test_where_something_can_be_known_the_model_beats_the_rules_own_rate_and_is_calibrated(
    trained: Trained,
) -> None:
    assert trained.why_not is None and trained.judgement is not None
    assert trained.judgement.gain_low > 0
    assert trained.judgement.auc.model > trained.judgement.auc.simple + 0.05
    within = [row.low <= row.told <= row.high for row in trained.judgement.calibration]
    assert sum(within) >= len(within) - 1


def test_where_nothing_can_be_known_it_refuses_to_rank() -> None:
    refused = [train(firings(1_200, seed, matters=0.0)).why_not for seed in range(12)]
    assert refused.count("not_better") >= 11


def test_a_model_whose_world_has_turned_around_refuses_to_rank() -> None:
    """A shuffled split would see both worlds on both sides and pass."""
    turned = train(firings(3_000, 3, matters=0.8, drift=2.0))
    assert turned.why_not == "not_better"
    assert turned.judgement is not None and turned.judgement.gain < 0


def test_it_is_judged_on_the_newest_firings_whatever_order_they_come_in() -> None:
    made = firings(1_000, 4, matters=1.0)
    mixed = [made[place] for place in np.random.default_rng(0).permutation(len(made))]
    assert train(mixed) == train(made)
    assert train(made).judged_from == made[750].fired_at


def test_too_few_firings_or_conversions_train_nothing() -> None:
    few = train(firings(300, 5, matters=1.0))
    assert (few.why_not, few.model, few.n) == ("too_few", None, 300)
    rare = [replace(one, converted=number < 39) for number, one in enumerate(firings(2_000, 6, matters=0.0))]
    assert train(rare).why_not == "too_few"
    early = [
        replace(one, converted=number < 400) for number, one in enumerate(firings(2_000, 6, matters=0.0))
    ]
    assert train(early).why_not == "too_few", "nobody among the newest has converted"
    assert train([]).why_not == "too_few"


def test_a_kept_model_scores_as_the_trained_one_and_any_change_of_it_is_found(trained: Trained) -> None:
    assert trained.model is not None
    kept = parameters_of(trained.model)
    facts = firings(1, 7, matters=1.0)[0].facts
    again = read_model(kept, digest_of(kept))
    assert chance_of(again, facts) == chance_of(trained.model, facts)
    for change in ({"intercept": kept["intercept"] + 0.1}, {"features": ["x"]}, {"version": 2}):
        with pytest.raises(BadInput, match="not as it was written"):
            read_model({**kept, **change}, digest_of(kept))


@pytest.mark.parametrize(
    "change",
    [
        {"weights": [1.0]},
        {"weights": ["1.0"] * len(FEATURES)},
        {"intercept": math.inf},
        {"scales": [0.0] * len(FEATURES)},
        {"rates": {"a/photo": 1.5}},
        {"rates": None},
        {"features": list(reversed(FEATURES))},
        {"version": 99},
    ],
)
def test_numbers_that_cannot_be_a_model_are_refused_even_with_the_right_hash(
    trained: Trained, change: dict[str, object]
) -> None:
    assert trained.model is not None
    kept = {**parameters_of(trained.model), **change}
    with pytest.raises(BadInput, match="nightly learning"):
        read_model(kept, digest_of(kept))


def test_nothing_protected_is_among_the_features() -> None:
    assert not set(FEATURES) & set(LEFT_OUT)
    assert not any(
        word in name for name in FEATURES for word in ("gender", "age", "name", "city", "zone", "language")
    )
    assert set(Facts.__dataclass_fields__) == {
        "rule_key", "step", "hour", "is_weekend", "minutes_to_firing", "errors", "visits_before", "firings_before",
        "talks_before", "conversions_before", "days_known",
    }  # fmt: skip


def test_figures_agree_with_an_independent_library() -> None:
    rng = np.random.default_rng(8)
    told = rng.random(500)
    came = (rng.random(500) < told).astype(float)
    judged = judge(came, told, np.full(500, came.mean()))
    assert judged.brier.model == pytest.approx(brier_score_loss(came, told), rel=1e-9)
    assert judged.log_loss.model == pytest.approx(log_loss(came, told), rel=1e-9)
    assert judged.auc.model == pytest.approx(roc_auc_score(came, told), rel=1e-12)
    ties = np.round(told, 1)
    assert auc(came, ties) == pytest.approx(roc_auc_score(came, ties), rel=1e-12)
    assert judged.auc.simple == 0.5 and judged.is_better
    assert sum(row.n for row in calibration(came, told)) == 500


def test_wilsons_interval_is_the_published_one() -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 15/148 and 0/20."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_the_simple_rule_draws_a_small_place_to_the_rate_of_all() -> None:
    made = firings(400, 9, matters=0.0)
    rates = rates_by_place(made)
    assert rates.of("never seen", "photo") == rates.overall
    assert rates.of("a", "photo") < rates.overall < rates.of("b", "photo")
