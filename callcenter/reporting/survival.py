"""The share that has not happened yet, from spans some of which were only watched for a while; pure, no I/O.

The product-limit estimate of E. Kaplan and P. Meier, JASA 53 (1958) 457-481, by `scipy.stats.ecdf`. Its band is
made of Greenwood's variance (M. Greenwood, 1926), by default on the scale of log(-log S) as J. Kalbfleisch and
R. Prentice have it (The statistical analysis of failure time data, 1980), so that it stays within 0 and 1.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Survival:
    """At each time asked for: the share it has not happened to yet, and its band; all within [0, 1]."""

    share: Floats
    low: Floats
    high: Floats


def survival_at(
    times: Sequence[float] | Floats,
    happened: Sequence[float] | Floats,
    watched: Sequence[float] | Floats,
    *,
    level: float = 0.95,
    scale: Literal["linear", "log-log"] = "log-log",
) -> Survival:
    """Estimate survival at `times` from spans after which it `happened` and spans `watched` without it.

    A time means just after it; what is watched for exactly so long as something takes is still at risk then.
    Where nothing has happened yet, or everything has, the variance is 0 and the band is the estimate. Raises
    ValueError where there is no span at all.
    """
    if not len(happened) and not len(watched):
        raise ValueError("an estimate needs at least one span")
    at = np.asarray(times, dtype=np.float64)
    if not len(happened):
        nothing = np.ones(len(at))
        return Survival(nothing, nothing.copy(), nothing.copy())
    from scipy.stats import CensoredData, ecdf

    survival = ecdf(CensoredData(uncensored=happened, right=watched)).sf
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # log(-log 1) has no value, and needs none
        band = survival.confidence_interval(confidence_level=level, method=scale)
        share, low, high = (np.asarray(one.evaluate(at)) for one in (survival, *_ends(band)))
    low, high = np.where(np.isfinite(low), low, share), np.where(np.isfinite(high), high, share)
    return Survival(share, np.clip(low, 0, 1), np.clip(high, 0, 1))


def _ends(band: Any) -> tuple[Any, Any]:
    """The ends of a band of curves, which are curves themselves."""
    return band.low, band.high
