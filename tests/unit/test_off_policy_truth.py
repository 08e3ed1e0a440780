"""Simulated logs whose truth is known: bias, errors and coverage of the three estimates."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from callcenter.learning.logged_choices import LoggedChoices
from callcenter.learning.off_policy import (
    PolicyValue,
    PolicyVerdict,
    doubly_robust,
    evaluate_policy,
    ips,
    self_normalised_ips,
)

pytestmark = pytest.mark.slow

RUNS, ROWS = 500, 1_500
ESTIMATES: dict[str, Callable[[LoggedChoices], PolicyValue | None]] = {
    "ips": ips,
    "self_normalised": self_normalised_ips,
    "doubly_robust": doubly_robust,
}


@dataclass(frozen=True)
class Population:
    """Customers with features, what each of three actions brings, and how actions are drawn."""

    features: np.ndarray
    expected: np.ndarray
    chances: np.ndarray
    target: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator, n: int) -> "Population":
        """Draw customers; the reward model, a line in the features, is not quite right."""
        x, group = rng.normal(size=n), rng.integers(0, 3, n)
        raw = np.exp(np.stack([0 * x, 0.7 * x, -0.5 * x + 0.3 * (group == 1)], axis=1))
        brings = np.stack(
            [0.1 + 0 * x, 0.3 + 0.25 * np.tanh(2 * x), 0.3 - 0.2 * np.tanh(x) + 0.1 * (group == 2)], axis=1
        )
        features = np.column_stack([x, group == 1, group == 2]).astype(float)
        return cls(features, brings, 0.7 * raw / raw.sum(axis=1, keepdims=True) + 0.1, np.where(x > 0, 1, 2))

    def log(self, rng: np.random.Generator, propensity: np.ndarray | None = None) -> LoggedChoices:
        """Draw one action and reward for each; `propensity` is logged in place of the truth."""
        n = len(self.target)
        action = (self.chances.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
        reward = (rng.random(n) < self.expected[np.arange(n), action]).astype(float)
        chance = self.chances[np.arange(n), action] if propensity is None else propensity[action]
        return LoggedChoices.of_target_actions(
            ("a", "b", "c"), action, reward, chance, self.target, self.features
        )

    @property
    def truth(self) -> float:
        """The target's mean reward."""
        return float(self.expected[np.arange(len(self.target)), self.target].mean())

    @property
    def logged(self) -> float:
        """The logging policy's mean reward."""
        return float((self.expected * self.chances).sum(axis=1).mean())


WORLD = Population.draw(np.random.default_rng(0), 1_000_000)


@pytest.mark.parametrize("name", ESTIMATES)
def test_values_and_gains_are_covered_without_bias_and_with_honest_errors(name: str) -> None:
    rng = np.random.default_rng(20261127)
    found = []
    for _ in range(RUNS):
        value = ESTIMATES[name](Population.draw(rng, ROWS).log(rng))
        assert value is not None
        found.append(value)
    points = np.array([one.value.point for one in found])
    four = 4 * math.sqrt(0.05 * 0.95 / RUNS)
    assert abs(np.mean([one.value.low <= WORLD.truth <= one.value.high for one in found]) - 0.95) <= four
    gain = WORLD.truth - WORLD.logged
    assert abs(np.mean([one.gain.low <= gain <= one.gain.high for one in found]) - 0.95) <= four
    assert abs(points.mean() - WORLD.truth) <= 4 * points.std() / math.sqrt(RUNS)
    assert np.mean([one.standard_error for one in found]) == pytest.approx(points.std(), rel=0.12)


def test_the_reward_model_narrows_the_doubly_robust_estimate() -> None:
    log = Population.draw(np.random.default_rng(1), 40_000).log(np.random.default_rng(2))
    found = evaluate_policy(log)
    assert found.ips and found.self_normalised and found.doubly_robust
    assert found.doubly_robust.standard_error < found.self_normalised.standard_error
    assert found.self_normalised.standard_error < found.ips.standard_error
    assert found.verdict is PolicyVerdict.BETTER


def test_doubly_robust_survives_wrong_propensities_where_the_model_is_right() -> None:
    rng = np.random.default_rng(3)
    slope = np.array([[0.1, 0.2], [0.3, 0.1], [0.2, -0.2]])
    found: dict[str, list[float]] = {"ips": [], "doubly_robust": []}
    for _ in range(100):
        features = np.column_stack([np.ones(ROWS), rng.normal(size=ROWS)])
        action = rng.choice(3, ROWS, p=[0.6, 0.2, 0.2])
        reward = (features * slope[action]).sum(axis=1) + rng.normal(scale=0.1, size=ROWS)
        target = np.full(ROWS, 1)
        log = LoggedChoices.of_target_actions(
            ("a", "b", "c"), action, reward, np.full(ROWS, 1 / 3), target, features[:, 1:]
        )
        for name, values in found.items():
            value = ESTIMATES[name](log)
            assert value is not None
            values.append(value.value.point)
    assert np.mean(found["doubly_robust"]) == pytest.approx(0.3, abs=0.005)
    assert np.mean(found["ips"]) < 0.2


def test_doubly_robust_survives_features_that_say_nothing() -> None:
    rng = np.random.default_rng(4)
    points = []
    for _ in range(200):
        people = Population.draw(rng, ROWS)
        nothing = Population(rng.normal(size=(ROWS, 5)), people.expected, people.chances, people.target)
        value = doubly_robust(nothing.log(rng))
        assert value is not None
        points.append(value.value.point)
    assert abs(np.mean(points) - WORLD.truth) <= 4 * np.std(points) / math.sqrt(200)


def test_a_policy_that_changes_nothing_is_rarely_called_better() -> None:
    """All actions bring the same; the verdict goes by the gain's interval, so it errs in one of twenty."""
    rng = np.random.default_rng(5)
    claims = 0
    for _ in range(RUNS):
        people = Population.draw(rng, ROWS)
        flat = Population(people.features, np.full((ROWS, 3), 0.2), people.chances, people.target)
        claims += evaluate_policy(flat.log(rng)).verdict is not PolicyVerdict.NOT_KNOWN
    assert claims / RUNS <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / RUNS)


def test_propensities_of_another_draw_are_caught() -> None:
    rng = np.random.default_rng(6)
    caught = sum(
        evaluate_policy(Population.draw(rng, ROWS).log(rng, np.array([0.2, 0.4, 0.4]))).verdict
        is PolicyVerdict.REFUSED
        for _ in range(50)
    )
    assert caught >= 45
