"""Judges a model of chances against a simple rule on firings later than those it was made from. Pure.

Brier score: mean squared distance of chance and outcome (G. W. Brier, Monthly Weather Review 78, 1950). Log loss:
mean of `-ln` of the chance given to what happened. AUC: how often a convert has the higher chance of a pair, ties
half (J. A. Hanley and B. J. McNeil, Radiology 143, 1982). Intervals are percentiles of a bootstrap over firings.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
RESAMPLES = 1_000
SEED = 20_260_401
"""The same data gives the same card, however often it is asked for."""
BINS = 5
_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of the model with its 95 % interval, and that of the simple rule beside it."""

    model: float
    low: float
    high: float
    simple: float


@dataclass(frozen=True, slots=True)
class CalibrationRow:
    """Firings of similar chance: what was told on average, and what came."""

    n: int
    told: float
    came: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the later firings say of a model. `gain`: log loss saved against the simple rule, with its interval."""

    n: int
    converted: int
    brier: Measure
    log_loss: Measure
    auc: Measure
    gain: float
    gain_low: float
    gain_high: float
    calibration: tuple[CalibrationRow, ...]

    @property
    def is_better(self) -> bool:
        """Whether it beats the simple rule for certain: the whole interval of what it saves lies above zero."""
        return self.gain_low > 0

    def as_document(self) -> dict[str, Any]:
        """Return it as plain numbers."""
        return asdict(self)


def judge(came: Floats, told: Floats, simple: Floats) -> Judgement:
    """Judge chances `told` and `simple` by what `came` (0 or 1), all of the same firings.

    Raises ValueError when not both outcomes are among them.
    """
    if not 0 < came.sum() < len(came):
        raise ValueError("a judgement needs firings that converted and firings that did not")
    told, simple = (np.clip(one, _LEAST, 1 - _LEAST) for one in (told, simple))
    losses, simple_losses = _losses(came, told), _losses(came, simple)
    squares, simple_squares = (told - came) ** 2, (simple - came) ** 2
    picks = np.random.default_rng(SEED).integers(0, len(came), (RESAMPLES, len(came)))
    gains = (simple_losses - losses)[picks].mean(axis=1)
    gain_low, gain_high = np.quantile(gains, (0.025, 0.975))
    return Judgement(
        n=len(came),
        converted=int(came.sum()),
        brier=_measure(squares, simple_squares, picks),
        log_loss=_measure(losses, simple_losses, picks),
        auc=_auc_measure(came, told, simple, picks[:300]),
        gain=float((simple_losses - losses).mean()),
        gain_low=float(gain_low),
        gain_high=float(gain_high),
        calibration=calibration(came, told),
    )


def auc(came: Floats, told: Floats) -> float:
    """Return how often one who converted was given the higher chance of a pair; 0.5 tells nothing."""
    positives = came.sum()
    negatives = len(came) - positives
    if not positives or not negatives:
        return 0.5
    from scipy.stats import rankdata

    ranks = rankdata(told)
    return float((ranks[came > 0].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def calibration(came: Floats, told: Floats) -> tuple[CalibrationRow, ...]:
    """Return told against came in groups of equal size by chance, with Wilson's 95 % interval of the share."""
    order = np.argsort(told, kind="stable")
    rows = []
    for part in np.array_split(order, min(BINS, len(came))):
        low, high = wilson(int(came[part].sum()), len(part))
        rows.append(CalibrationRow(len(part), float(told[part].mean()), float(came[part].mean()), low, high))
    return tuple(rows)


def wilson(count: int, of: int, z: float = 1.959964) -> tuple[float, float]:
    """Return Wilson's interval of a share (E. B. Wilson, JASA 22, 1927)."""
    share = count / of
    centre = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * float(np.sqrt(share * (1 - share) / of + z * z / (4 * of * of)))
    return max(0.0, centre - half), min(1.0, centre + half)


def _losses(came: Floats, told: Floats) -> Floats:
    return np.asarray(-(came * np.log(told) + (1 - came) * np.log1p(-told)))


def _measure(mine: Floats, simple: Floats, picks: npt.NDArray[np.int64]) -> Measure:
    low, high = np.quantile(mine[picks].mean(axis=1), (0.025, 0.975))
    return Measure(float(mine.mean()), float(low), float(high), float(simple.mean()))


def _auc_measure(came: Floats, told: Floats, simple: Floats, picks: npt.NDArray[np.int64]) -> Measure:
    low, high = np.quantile([auc(came[pick], told[pick]) for pick in picks], (0.025, 0.975))
    return Measure(auc(came, told), float(low), float(high), auc(came, simple))
