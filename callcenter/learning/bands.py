"""Bands as the evaluation sees them: a band's waits with their probabilities, and a log of draws; pure, no I/O.

Drawing itself is `domain/draws.py`, which the triggers and the back-test use too.
"""

from collections.abc import Iterable
from typing import Protocol

import numpy as np

from callcenter.domain.draws import Band
from callcenter.learning.waits import WaitLog


class Settled(Protocol):
    """A visit of a band whose window is over."""

    @property
    def wait_seconds(self) -> float: ...
    @property
    def probability(self) -> float: ...
    @property
    def converted(self) -> bool: ...
    @property
    def agent_seconds(self) -> int: ...
    @property
    def errors(self) -> int: ...
    @property
    def minutes(self) -> float: ...


def waits_of(band: Band) -> tuple[tuple[float, float], ...]:
    """A band as (wait in seconds, probability)."""
    return tuple((one.wait.total_seconds(), one.probability) for one in band.waits)


def log_of(visits: Iterable[tuple[Settled, bool]]) -> WaitLog:
    """Make the log of settled visits, each with whether its customer was held out.

    The features known when a visit entered the band: errors so far, and the logarithm of the minutes on the step.
    """
    rows = [
        (
            one.wait_seconds,
            one.probability,
            float(one.converted),
            one.agent_seconds / 60,
            float(is_held_out),
            float(one.errors),
            one.minutes,
        )
        for one, is_held_out in visits
    ]
    table = np.array(rows, dtype=np.float64).reshape(-1, 7)
    features = np.column_stack([table[:, 5], np.log1p(np.maximum(table[:, 6], 0.0))])
    return WaitLog(table[:, 0], table[:, 1], table[:, 2], table[:, 3], table[:, 4] > 0, features)
