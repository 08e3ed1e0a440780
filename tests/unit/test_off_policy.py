"""Another policy's value: by hand, by properties, and refused where the log cannot tell."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from callcenter.learning.logged_choices import NEVER_LOGGED, LoggedChoices, Refusal, check_weights
from callcenter.learning.off_policy import (
    PolicyVerdict,
    doubly_robust,
    evaluate_policy,
    ips,
    self_normalised_ips,
)
from callcenter.learning.reward_model import cross_fitted_rewards


def of_rows(*rows: tuple[int, float, float, int], actions: int = 2) -> LoggedChoices:
    """A log from rows of action, reward, propensity, target action."""
    action, reward, propensity, target = (np.array(column) for column in zip(*rows, strict=True))
    names = tuple("abcdef"[:actions])
    return LoggedChoices.of_target_actions(
        names, action, reward.astype(float), propensity.astype(float), target, np.empty((len(rows), 0))
    )


BY_HAND = of_rows((0, 1, 0.5, 0), (0, 2, 0.25, 0), (1, 5, 0.8, 0), (0, 0, 0.5, 0))
"""Weights 2, 4, 0, 2; weighted rewards 2, 8, 0, 0."""


def drawn(
    rng: np.random.Generator, n: int, chances: tuple[float, ...] = (0.5, 0.3, 0.2), features: int = 0
) -> LoggedChoices:
    """A log of actions drawn with these chances for a target of action 0 everywhere."""
    action = rng.choice(len(chances), n, p=chances)
    known = rng.normal(size=(n, features))
    reward = (rng.random(n) < 0.1 + 0.1 * (action == 0)).astype(float)
    names = tuple("abcdef"[: len(chances)])
    return LoggedChoices.of_target_actions(
        names, action, reward, np.array(chances)[action], np.zeros(n, dtype=np.int64), known
    )


def test_inverse_propensity_by_hand() -> None:
    found = ips(BY_HAND)
    assert found.value.point == 2.5  # (2 + 8 + 0 + 0) / 4
    assert found.standard_error == pytest.approx(np.sqrt(43 / 3) / 2)  # squares .25, 30.25, 6.25, 6.25
    assert found.gain.point == 0.5  # against a mean reward of 2
    assert found.value.high - 2.5 == pytest.approx(1.959964 * found.standard_error, rel=1e-6)


def test_self_normalised_by_hand() -> None:
    found = self_normalised_ips(BY_HAND)
    assert found.value.point == pytest.approx(1.25)  # 10 / 8
    # half of w (r - 1.25): -.25, 1.5, 0, -1.25
    assert found.standard_error == pytest.approx(np.sqrt(3.875 / 3) / 2)


def test_doubly_robust_by_hand() -> None:
    # each of four rows is a fold; without features the guess is the mean of the action's other rows:
    # 1 + 2 (1-1), .5 + 4 (2-.5), 1 + 0, 1.5 + 2 (0-1.5)
    found = doubly_robust(BY_HAND)
    assert found is not None and found.value.point == pytest.approx((1 + 6.5 + 1 - 1.5) / 4)


def test_the_checks_by_hand() -> None:
    check = check_weights(BY_HAND)
    assert check.effective_sample_size == pytest.approx(64 / 24)
    assert (check.maximum_weight, check.mean_weight.mean) == (4, 2)
    assert check.mean_inverse_propensity == pytest.approx((2 + 4 + 1.25 + 2) / 4)
    assert [one.mean for one in check.inverse_by_action] == pytest.approx([2, 0.3125])
    assert (check.never_logged_share, check.unsupported_share) == (0, 0)


def test_the_policy_that_logged_is_worth_what_it_brought() -> None:
    rng = np.random.default_rng(1)
    log = drawn(rng, 3_000)
    same = LoggedChoices(
        log.actions, log.action, log.reward, log.propensity, log.propensity, None, np.empty((3_000, 0))
    )
    found = evaluate_policy(same)
    assert found.verdict is PolicyVerdict.NOT_KNOWN and found.doubly_robust is None
    assert found.ips is not None and found.ips.value == found.logged and found.ips.gain_standard_error == 0
    assert found.check.effective_sample_size == pytest.approx(3_000)


@given(st.integers(min_value=0, max_value=2**32 - 1), st.floats(min_value=-50, max_value=50))
@settings(max_examples=25, deadline=None)
def test_adding_to_every_reward_adds_to_the_self_normalised_and_the_robust_value(
    seed: int, plus: float
) -> None:
    log = drawn(np.random.default_rng(seed), 300, features=2)
    moved = LoggedChoices.of_target_actions(
        log.actions,
        log.action,
        log.reward + plus,
        log.propensity,
        np.zeros(300, dtype=np.int64),
        log.features,
    )
    before, after = self_normalised_ips(log), self_normalised_ips(moved)
    assert after.value.point == pytest.approx(before.value.point + plus, abs=1e-8)
    assert after.gain.point == pytest.approx(before.gain.point, abs=1e-8)
    assert after.standard_error == pytest.approx(before.standard_error, abs=1e-8)


@given(st.integers(min_value=0, max_value=2**32 - 1), st.floats(min_value=0.1, max_value=50))
@settings(max_examples=25, deadline=None)
def test_the_unit_of_the_reward_does_not_matter(seed: int, unit: float) -> None:
    log = drawn(np.random.default_rng(seed), 300, features=2)
    scaled = LoggedChoices.of_target_actions(
        log.actions,
        log.action,
        log.reward * unit,
        log.propensity,
        np.zeros(300, dtype=np.int64),
        log.features,
    )
    for estimate in (ips, self_normalised_ips, doubly_robust):
        one, other = estimate(log), estimate(scaled)
        assert one is not None and other is not None
        assert other.value.low == pytest.approx(one.value.low * unit, abs=1e-8)


@given(st.integers(min_value=0, max_value=2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_a_target_told_by_its_action_or_its_probability_is_one_policy(seed: int) -> None:
    log = drawn(np.random.default_rng(seed), 400, chances=(0.6, 0.4), features=1)
    told = LoggedChoices(
        log.actions, log.action, log.reward, log.propensity, log.target_probability, None, log.features
    )
    one, other = evaluate_policy(log, smallest_sample=2), evaluate_policy(told, smallest_sample=2)
    assert (one.ips, one.self_normalised, one.verdict) == (other.ips, other.self_normalised, other.verdict)
    assert one.doubly_robust is not None and other.doubly_robust is not None
    assert other.doubly_robust.value.point == pytest.approx(one.doubly_robust.value.point, abs=1e-12)


@given(st.lists(st.floats(min_value=0, max_value=1), min_size=1, max_size=60), st.floats(0.01, 1))
@example([5e-324, 0.0], 0.5)
@settings(max_examples=60, deadline=None)
def test_the_effective_sample_size_lies_between_one_and_the_rows(wanted: list[float], chance: float) -> None:
    n = len(wanted)
    log = LoggedChoices(
        ("a",),
        np.zeros(n, dtype=np.int64),
        np.ones(n),
        np.full(n, chance),
        np.array(wanted),
        None,
        np.empty((n, 0)),
    )
    size = check_weights(log).effective_sample_size
    assert size == 0 if not any(wanted) else 1 - 1e-9 <= size <= n + 1e-6


def test_a_row_is_guessed_without_itself() -> None:
    rng = np.random.default_rng(3)
    features, action = rng.normal(size=(200, 2)), rng.integers(0, 2, 200)
    reward = features @ np.array([1.0, -2.0]) + action
    guess = cross_fitted_rewards(features, action, reward, 2)
    assert np.abs(guess[np.arange(200), action] - reward).max() < 0.4  # the penalty is one row's
    reward[17] += 1_000
    moved = cross_fitted_rewards(features, action, reward, 2)
    assert np.array_equal(moved[17], guess[17]) and np.array_equal(moved[2::5], guess[2::5])
    assert not np.array_equal(moved[18], guess[18])


def test_a_constant_feature_and_an_action_of_few_rows_break_nothing() -> None:
    action = np.array([0] * 60 + [1] * 3)
    reward = np.where(action == 1, 9.0, 1.0)
    guess = cross_fitted_rewards(np.ones((63, 1)), action, reward, 3)
    assert np.allclose(guess[:, 0], 1) and np.allclose(guess[:, 1], 9)
    assert np.all((guess[:, 2] > 1) & (guess[:, 2] < 2))


# --- refusals


def test_a_small_effective_sample_is_refused() -> None:
    log = drawn(np.random.default_rng(4), 900, chances=(0.2, 0.5, 0.3))
    found = evaluate_policy(log)
    assert found.verdict is PolicyVerdict.REFUSED and found.check.refusals == (Refusal.SAMPLE_TOO_SMALL,)
    assert (found.ips, found.self_normalised, found.doubly_robust) == (None, None, None)
    assert evaluate_policy(log, smallest_sample=100).verdict is not PolicyVerdict.REFUSED


def test_an_action_that_was_never_drawn_is_refused() -> None:
    log = drawn(np.random.default_rng(5), 5_000)
    target = np.where(np.arange(5_000) % 20 == 0, NEVER_LOGGED, 0)
    found = check_weights(
        LoggedChoices.of_target_actions(
            log.actions, log.action, log.reward, log.propensity, target, log.features
        )
    )
    assert found.never_logged_share == 0.05 and Refusal.UNSUPPORTED in found.refusals


def test_an_action_never_drawn_for_such_customers_is_refused() -> None:
    rng = np.random.default_rng(6)
    cell = rng.integers(0, 4, 6_000)
    action = np.where(cell == 3, 1, rng.integers(0, 2, 6_000))
    propensity = np.where(cell == 3, 1.0, 0.5)
    reward, none = rng.random(6_000), np.empty((6_000, 0))
    found = check_weights(
        LoggedChoices.of_target_actions(
            ("a", "b"), action, reward, propensity, np.zeros(6_000, dtype=np.int64), none, cell
        )
    )
    assert found.refusals == (Refusal.UNSUPPORTED,)
    assert found.never_logged_share == 0 and found.unsupported_share == pytest.approx(0.25, abs=0.02)
    # a target that keeps to what may be drawn is told, though "a" could not be drawn everywhere
    kept = np.where(cell == 3, 1, 0)
    fine = LoggedChoices.of_target_actions(("a", "b"), action, reward, propensity, kept, none, cell)
    assert check_weights(fine).refusals == () and check_weights(fine).inverse_by_action[0].drift < 0


@pytest.mark.parametrize("logged", [(0.34, 0.33, 0.33), (0.9, 0.9, 0.9), (0.2, 0.3, 0.5), (0.5, 0.15, 0.2)])
def test_propensities_that_are_not_those_of_the_draw_are_refused(logged: tuple[float, ...]) -> None:
    log = drawn(np.random.default_rng(7), 6_000)
    wrong = LoggedChoices.of_target_actions(
        log.actions,
        log.action,
        log.reward,
        np.array(logged)[log.action],
        np.zeros(6_000, dtype=np.int64),
        log.features,
    )
    assert check_weights(log).refusals == ()
    assert Refusal.UNCALIBRATED in check_weights(wrong).refusals


def test_true_propensities_are_hardly_ever_refused() -> None:
    rng = np.random.default_rng(8)
    refused = sum(bool(check_weights(drawn(rng, 2_000)).refusals) for _ in range(400))
    assert refused == 0


def test_a_log_refuses_columns_that_cannot_be() -> None:
    one = np.ones(3)
    none = np.empty((3, 0))
    action = np.zeros(3, dtype=np.int64)
    for bad in (0.0, -0.1, 1.2, np.nan):
        with pytest.raises(ValueError, match="propensities"):
            LoggedChoices(("a",), action, one, np.array([1, 1, bad]), one, None, none)
    with pytest.raises(ValueError, match="finite"):
        LoggedChoices(("a",), action, np.array([1, np.inf, 1]), one, one, None, none)
    with pytest.raises(ValueError, match="target"):
        LoggedChoices(("a",), action, one, one, np.array([1, 2, 0.0]), None, none)
    with pytest.raises(ValueError, match="rows"):
        LoggedChoices(("a",), action[:0], one[:0], one[:0], one[:0], None, none[:0])
    with pytest.raises(ValueError, match="alpha"):
        evaluate_policy(BY_HAND, alpha=0)
    with pytest.raises(ValueError, match="no row"):
        self_normalised_ips(of_rows((0, 1, 0.5, 1), (0, 1, 0.5, 1)))
