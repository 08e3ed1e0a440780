"""What another policy would have brought, from rows that a first one logged; pure, no I/O, no chance.

Each row says what was known (features), which action was drawn, with which probability (the propensity),
and what it brought (the reward). With `w = target probability of the drawn action / propensity`:

- IPS: `mean(w r)` (D. Horvitz and D. Thompson, JASA 47 (1952) 663-685);
- self-normalised IPS: `sum(w r) / sum(w)` (A. Swaminathan and T. Joachims, NIPS 2015), its error by
  linearisation (A. Owen, Monte Carlo theory, methods and examples, 2013, section 9.2);
- doubly robust: `mean(q(x, target) + w (r - q(x, a)))` (J. Robins, A. Rotnitzky and L. Zhao, JASA 89 (1994)
  846-866; M. Dudik, J. Langford and L. Li, ICML 2011), `q` cross-fitted in `reward_model.py`;
- effective sample size: `(sum w)^2 / sum w^2` (L. Kish, Survey Sampling, 1965).

Intervals are normal ones; the rows must be independent. A gain is against the policy that logged, row by
row, so what both have in common falls out. The checks of `logged_choices.py` come first.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

import numpy as np

from callcenter.learning.evidence import Interval
from callcenter.learning.logged_choices import (
    NEVER_LOGGED,
    SMALLEST_SAMPLE,
    Floats,
    LoggedChoices,
    WeightCheck,
    check_weights,
)
from callcenter.learning.reward_model import cross_fitted_rewards


class PolicyVerdict(StrEnum):
    """What may be said of the target policy beside the one that logged."""

    BETTER = "better"
    WORSE = "worse"
    NOT_KNOWN = "not_known"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class PolicyValue:
    """A mean reward a row, its standard error and interval, and the same of the gain over the log."""

    value: Interval
    standard_error: float
    gain: Interval
    gain_standard_error: float


@dataclass(frozen=True, slots=True)
class PolicyEvaluation:
    """The answer; the three estimates are None where the checks refuse.

    `logged`: mean reward of the policy that logged. `doubly_robust` is also None where the target policy
    is known by one probability only and there are more than two actions: then its other actions are not
    known. The verdict goes by its gain, else by the self-normalised one's.
    """

    verdict: PolicyVerdict
    rows: int
    check: WeightCheck
    logged: Interval
    ips: PolicyValue | None = None
    self_normalised: PolicyValue | None = None
    doubly_robust: PolicyValue | None = None


def evaluate_policy(
    log: LoggedChoices, alpha: float = 0.05, smallest_sample: float = SMALLEST_SAMPLE
) -> PolicyEvaluation:
    """Estimate the target policy's mean reward a row in three ways, or refuse.

    Raises ValueError for an alpha outside (0, 1).
    """
    if not 0 < alpha < 1:
        raise ValueError("alpha must lie strictly between 0 and 1")
    check = check_weights(log, smallest_sample)
    rows = len(log.reward)
    logged = _interval(float(log.reward.mean()), _error(log.reward), alpha)
    if check.refusals:
        return PolicyEvaluation(PolicyVerdict.REFUSED, rows, check, logged)
    normalised = self_normalised_ips(log, alpha)
    robust = doubly_robust(log, alpha)
    return PolicyEvaluation(
        _verdict((robust or normalised).gain), rows, check, logged, ips(log, alpha), normalised, robust
    )


def ips(log: LoggedChoices, alpha: float = 0.05) -> PolicyValue:
    """Inverse propensity score: unbiased with true propensities, wide where weights are large."""
    return _value(ips_terms(log), log.reward, alpha)


def ips_terms(log: LoggedChoices) -> Floats:
    """One term a row whose mean is the estimate of `ips`."""
    return np.asarray(log.weight * log.reward)


def self_normalised_ips(log: LoggedChoices, alpha: float = 0.05) -> PolicyValue:
    """Weighted mean reward: does not move when a constant is added to every reward; bias of order 1/n.

    Raises ValueError where no row has a weight.
    """
    return _value(self_normalised_terms(log), log.reward, alpha)


def self_normalised_terms(log: LoggedChoices) -> Floats:
    """One term a row whose mean is the estimate of `self_normalised_ips`, by linearisation.

    Raises ValueError where no row has a weight.
    """
    weight = log.weight
    total = float(weight.sum())
    if not total:
        raise ValueError("no row was drawn as the target policy would")
    value = float(weight @ log.reward) / total
    return np.asarray(value + weight * (log.reward - value) * (len(weight) / total))


def doubly_robust(log: LoggedChoices, alpha: float = 0.05) -> PolicyValue | None:
    """Guessed reward of the target's actions, corrected by weighted errors of the guess.

    Right where the propensities are true or the guess is. None where the target's action is not known:
    a policy told by its probability of the drawn action, with more actions than two.
    """
    terms = doubly_robust_terms(log)
    return None if terms is None else _value(terms, log.reward, alpha)


def guessed_rewards(log: LoggedChoices) -> Floats:
    """The guess that `doubly_robust` rests on, rows by actions; the same for every target policy."""
    return cross_fitted_rewards(log.features, log.action, log.reward, len(log.actions))


def doubly_robust_terms(log: LoggedChoices, guess: Floats | None = None) -> Floats | None:
    """One term a row whose mean is the estimate of `doubly_robust`; None as there.

    `guess` is that of `guessed_rewards`, where it is at hand from another target policy of the same rows.
    """
    if log.target is None and len(log.actions) != 2:
        return None
    if guess is None:
        guess = guessed_rewards(log)
    row = np.arange(len(log.reward))
    drawn = guess[row, log.action]
    if log.target is None:
        wanted = log.target_probability * drawn + (1 - log.target_probability) * guess[row, 1 - log.action]
    else:
        never = log.target == NEVER_LOGGED
        wanted = np.where(never, guess.mean(axis=1), guess[row, np.where(never, 0, log.target)])
    return np.asarray(wanted + log.weight * (log.reward - drawn))


def _value(terms: Floats, reward: Floats, alpha: float) -> PolicyValue:
    """Value and gain from one term a row whose mean is the estimate."""
    gains = terms - reward
    error, gain_error = _error(terms), _error(gains)
    return PolicyValue(
        _interval(float(terms.mean()), error, alpha),
        error,
        _interval(float(gains.mean()), gain_error, alpha),
        gain_error,
    )


def _error(values: Floats) -> float:
    return float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.inf


def _interval(point: float, error: float, alpha: float) -> Interval:
    reach = NormalDist().inv_cdf(1 - alpha / 2) * error
    return Interval(point - reach, point, point + reach)


def _verdict(gain: Interval) -> PolicyVerdict:
    if gain.low > 0:
        return PolicyVerdict.BETTER
    return PolicyVerdict.WORSE if gain.high < 0 else PolicyVerdict.NOT_KNOWN
