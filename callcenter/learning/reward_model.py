"""What an action would have brought, guessed from the other rows; pure, no I/O, no chance.

A small ridge regression for each action (A. Hoerl and R. Kennard, Technometrics 12 (1970) 55-67), fitted
without the rows it is asked about (cross-fitting, V. Chernozhukov et al., The Econometrics Journal 21
(2018) C1-C68). It need not be right: with true propensities a doubly robust estimate stays unbiased
whatever is guessed here, and is only the narrower the better the guess.
"""

import numpy as np
import numpy.typing as npt

FOLDS = 5
"""Rows go to folds in turn, so the order of the rows must not have a period of five."""

RIDGE = 1.0
"""Penalty on standardised features, in rows: as if one row said "no feature matters"."""

FEWEST_ROWS = 20
"""Below this many rows of an action, or two for each feature, its mean reward is the guess."""

Floats = npt.NDArray[np.float64]


def cross_fitted_rewards(
    features: Floats, action: npt.NDArray[np.int64], reward: Floats, actions: int
) -> Floats:
    """Return the guessed reward of every row (down) under every action (across), in units of the reward.

    `features`: rows by columns, no column for the intercept, may have no columns; `action`: codes from 0
    to `actions - 1`. An action that no other fold has seen is guessed to bring the mean of all.
    """
    rows = len(reward)
    guess = np.empty((rows, actions))
    standard = _standardised(features)
    fold = np.arange(rows) % FOLDS
    for one in range(FOLDS):
        inside = fold == one
        if not inside.any():
            continue
        for code in range(actions):
            used = ~inside & (action == code)
            others = used if used.any() else ~inside
            if not others.any():
                guess[inside, code] = 0.0
                continue
            intercept, slope = _ridge(standard[others], reward[others], has_slope=bool(used.any()))
            guess[inside, code] = intercept + standard[inside] @ slope
    return guess


def _standardised(features: Floats) -> Floats:
    """Mean 0 and deviation 1 in each column. The reward takes no part, so all rows may be used."""
    if not features.shape[1]:
        return features
    spread = features.std(axis=0)
    return np.asarray((features - features.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def _ridge(features: Floats, reward: Floats, *, has_slope: bool) -> tuple[float, Floats]:
    """Intercept, which is not penalised, and slopes of one action."""
    rows, columns = features.shape
    mean = float(reward.mean())
    if not columns or not has_slope or rows < max(FEWEST_ROWS, 2 * columns):
        return mean, np.zeros(columns)
    middle = features.mean(axis=0)
    centred = features - middle
    gram = centred.T @ centred + RIDGE * np.eye(columns)
    slope = np.linalg.solve(gram, centred.T @ (reward - mean))
    return mean - float(middle @ slope), np.asarray(slope)
