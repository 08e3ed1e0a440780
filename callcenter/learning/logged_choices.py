"""Actions that were drawn and logged, and whether they can tell of another policy; pure, no I/O.

A log tells of a policy only where it drew that policy's actions, with probabilities that are true. The
checks here come before any estimate, and each refusal says what to do.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

SMALLEST_SAMPLE = 200.0
"""Effective sample size below which nothing is told (docs: how to judge an experiment)."""

LARGEST_UNSUPPORTED = 0.01
"""Share of rows whose target action the log never drew, above which nothing is told."""

CELL_ROWS = 100
"""A cell of features this large in which an action was never drawn does not offer it: an action drawn with
5 % would be missing in one such cell of 170."""

CALIBRATION_ALARM = 4.0
"""Standard errors from 1, and `SMALLEST_DRIFT` besides, at which a mean of weights is not 1 by chance."""

SMALLEST_DRIFT = 0.02
"""Propensities that are rounded move the mean by less than this."""

NEVER_LOGGED = -1
"""The code of a target action that the log does not hold."""


class Refusal(StrEnum):
    """Why no value of the target policy may be told."""

    UNSUPPORTED = "support_violated"
    UNCALIBRATED = "propensities_not_calibrated"
    SAMPLE_TOO_SMALL = "effective_sample_too_small"


@dataclass(frozen=True, slots=True)
class LoggedChoices:
    """Rows of a log, all arrays of one length.

    `action`: code of the drawn action, an index into `actions`. `reward`: any unit. `propensity`: the
    probability in (0, 1] with which the action was drawn. `target_probability`: the target policy's
    probability in [0, 1] of the drawn action. `target`: code of the target policy's action, NEVER_LOGGED
    where no row drew it; None for a policy known by its probability only. `features`: rows by columns.
    `cell`: code from 0 of the row's combination of discrete features, for the check of support.
    """

    actions: tuple[str, ...]
    action: Codes
    reward: Floats
    propensity: Floats
    target_probability: Floats
    target: Codes | None
    features: Floats
    cell: Codes | None = None

    def __post_init__(self) -> None:
        rows = len(self.action)
        parts = (self.reward, self.propensity, self.target_probability, self.features)
        if not rows or any(len(part) != rows for part in parts):
            raise ValueError("a log needs rows, and every column as many")
        if not np.isfinite(self.reward).all() or not np.isfinite(self.features).all():
            raise ValueError("rewards and features must be finite numbers")
        if not ((self.propensity > 0) & (self.propensity <= 1)).all():
            raise ValueError("propensities must lie in (0, 1]")
        if not ((self.target_probability >= 0) & (self.target_probability <= 1)).all():
            raise ValueError("target probabilities must lie in [0, 1]")

    @classmethod
    def of_target_actions(
        cls,
        actions: tuple[str, ...],
        action: Codes,
        reward: Floats,
        propensity: Floats,
        target: Codes,
        features: Floats,
        cell: Codes | None = None,
    ) -> "LoggedChoices":
        """Make the log of a policy that chooses one action for each row."""
        return cls(
            actions, action, reward, propensity, (action == target).astype(float), target, features, cell
        )

    @property
    def weight(self) -> Floats:
        """How much each row counts for the target policy."""
        return np.asarray(self.target_probability / self.propensity)


@dataclass(frozen=True, slots=True)
class MeanOfOne:
    """A mean that is 1 where propensities are true, and its standard error."""

    mean: float
    standard_error: float

    @property
    def drift(self) -> float:
        """How far from 1; 0 where that may be chance or rounding."""
        distance = self.mean - 1
        is_small = abs(distance) <= max(CALIBRATION_ALARM * self.standard_error, SMALLEST_DRIFT)
        return 0.0 if is_small else distance


@dataclass(frozen=True, slots=True)
class WeightCheck:
    """What the weights tell before any reward is looked at.

    `mean_inverse_propensity`: mean of 1 / p; with true propensities the mean number of actions that could
    be drawn. `inverse_by_action`: for each action the mean of [drawn] / p: 1 where it could always be
    drawn, below where it sometimes could not, above never. `never_logged_share`: rows whose target action
    no row drew; `unsupported_share`: these, and rows of large cells in which nobody drew it.
    """

    effective_sample_size: float
    maximum_weight: float
    mean_weight: MeanOfOne
    mean_inverse_propensity: float
    inverse_by_action: tuple[MeanOfOne, ...]
    never_logged_share: float | None
    unsupported_share: float | None
    refusals: tuple[Refusal, ...]


def check_weights(log: LoggedChoices, smallest_sample: float = SMALLEST_SAMPLE) -> WeightCheck:
    """Check support, propensities and effective sample size, and name every reason to refuse."""
    weight = log.weight
    largest = float(weight.max())
    part = weight / largest if largest else weight  # squares of tiny weights would be 0
    sample = float(part.sum()) ** 2 / float((part**2).sum()) if largest else 0.0
    mean_weight = _mean(weight)
    inverse = 1 / log.propensity
    by_action = tuple(_mean(np.where(log.action == code, inverse, 0.0)) for code in range(len(log.actions)))
    never, unsupported = _unsupported(log)
    lacks_support = (unsupported or 0.0) > LARGEST_UNSUPPORTED
    weight_drifts = bool(mean_weight.drift) and not lacks_support  # without support it is below 1 anyway
    found = {
        Refusal.UNSUPPORTED: lacks_support,
        Refusal.UNCALIBRATED: weight_drifts or any(one.drift > 0 for one in by_action),
        Refusal.SAMPLE_TOO_SMALL: sample < smallest_sample,
    }
    return WeightCheck(
        effective_sample_size=sample,
        maximum_weight=largest,
        mean_weight=mean_weight,
        mean_inverse_propensity=float(inverse.mean()),
        inverse_by_action=by_action,
        never_logged_share=never,
        unsupported_share=unsupported,
        refusals=tuple(refusal for refusal, is_so in found.items() if is_so),
    )


def _mean(values: Floats) -> MeanOfOne:
    error = float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.inf
    return MeanOfOne(float(values.mean()), error)


def _unsupported(log: LoggedChoices) -> tuple[float | None, float | None]:
    """Shares of rows whose target action was never logged at all, and at all or in their large cell."""
    if log.target is None:
        return None, None
    never = log.target == NEVER_LOGGED
    missing = never.copy()
    if log.cell is not None:
        width = len(log.actions)
        cells = int(log.cell.max()) + 1
        drawn = np.bincount(log.cell * width + log.action, minlength=cells * width)
        large = np.bincount(log.cell, minlength=cells)[log.cell] >= CELL_ROWS
        wanted = log.cell * width + np.where(never, 0, log.target)
        missing |= large & (drawn[wanted] == 0)
    return float(never.mean()), float(missing.mean())
