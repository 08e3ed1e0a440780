"""What another wait would bring for an agent's hour, from visits whose wait was drawn; pure, no I/O, no chance.

The unit is the visit that fitted the rule when the shortest wait of its band ran out (`BandedVisit`). Until
then every draw does the same, so the visits are comparable whatever they drew, and those that came back by
themselves before their wait ran out are counted like the others. Customers in the rule's hold-out drew a wait
too, but nobody calls them: they tell what happens without a call, and take no part in comparing waits.

With `c(w)` the conversions and `m(w)` the agent minutes a visit brings under the wait `w`, and `c0` the
conversions of the held out, the yield is `R(w) = (c(w) - c0) / m(w)`: conversions because of the call, for each
minute an agent spends. The gain is `R(w) - R(current)`. `c` and `m` are estimated from the draws three ways
(`off_policy.py`); the standard error of the gain is that of the ratios linearised (the delta method), row by
row, so what both waits share falls out.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from callcenter.learning.evidence import Interval
from callcenter.learning.logged_choices import Codes, Floats, LoggedChoices, Refusal, check_weights
from callcenter.learning.off_policy import (
    doubly_robust_terms,
    guessed_rewards,
    ips_terms,
    self_normalised_terms,
)

Terms = tuple[Floats, Floats]
"""One number a visit under the candidate, and one under the current wait."""


@dataclass(frozen=True, slots=True)
class WaitLog:
    """Visits whose window is over, in the order in which they entered the band; arrays of one length.

    `wait`: the drawn wait in seconds; `probability`: with which it was drawn; `converted`: 1 or 0;
    `agent_minutes`: talk and wrap-up; `is_held_out`: nobody was to be called; `features`: rows by columns, known
    when the visit entered. Raises ValueError for lengths that differ.
    """

    wait: Floats
    probability: Floats
    converted: Floats
    agent_minutes: Floats
    is_held_out: npt.NDArray[np.bool_]
    features: Floats

    def __post_init__(self) -> None:
        parts = (self.probability, self.converted, self.agent_minutes, self.is_held_out, self.features)
        if any(len(part) != len(self.wait) for part in parts):
            raise ValueError("every column of a log needs as many rows")

    def first(self, visits: int) -> "WaitLog":
        """The first so many visits."""
        return WaitLog(
            self.wait[:visits],
            self.probability[:visits],
            self.converted[:visits],
            self.agent_minutes[:visits],
            self.is_held_out[:visits],
            self.features[:visits],
        )


@dataclass(frozen=True, slots=True)
class WaitGain:
    """What a wait would bring beside the current one, by one way of estimating.

    `conversions`, `minutes`: change for each visit; `per_hour`: change of conversions because of the call, for
    an agent's hour. The intervals are of the level asked for.
    """

    conversions: Interval
    minutes: Interval
    per_hour: Interval


@dataclass(frozen=True, slots=True)
class WaitComparison:
    """A wait beside the current one. The estimates are None where the checks refuse, or nobody is held out."""

    wait: float
    visits: int
    held_out: int
    effective_sample_size: float
    refusals: tuple[Refusal, ...]
    current_per_hour: float | None = None
    ips: WaitGain | None = None
    self_normalised: WaitGain | None = None
    doubly_robust: WaitGain | None = None


FEWEST_HELD_OUT = 30
"""Held-out visits below which nothing is known of what happens without a call."""


def compare_waits(
    log: WaitLog, wait: float, current: float, alpha: float, smallest_sample: float
) -> WaitComparison:
    """Compare a wait in seconds with the current one; `alpha` is that of two-sided intervals.

    Refuses where either wait's effective sample is below `smallest_sample` visits, where the probabilities do
    not fit the draws, where fewer than 30 visits are held out, or where no agent's time was spent on a wait.
    """
    called = ~log.is_held_out
    visits, held_out = int(called.sum()), int(log.is_held_out.sum())
    if not visits:
        return WaitComparison(wait, 0, held_out, 0.0, (Refusal.SAMPLE_TOO_SMALL,))
    waits = np.unique(np.append(log.wait, (wait, current)))
    conversions = _Pair(log, log.converted, called, waits, wait, current)
    check = check_weights(conversions.candidate, smallest_sample)
    usual = check_weights(conversions.current, smallest_sample)
    refusals = tuple(dict.fromkeys((*check.refusals, *usual.refusals)))
    sample = min(check.effective_sample_size, usual.effective_sample_size)
    answer = WaitComparison(wait, visits, held_out, sample, refusals)
    if refusals or held_out < FEWEST_HELD_OUT:
        return answer
    minutes = _Pair(log, log.agent_minutes, called, waits, wait, current)
    without = log.converted[log.is_held_out]
    by_ips, normalised = (
        _gain(conversions.terms(way), minutes.terms(way), without, alpha)
        for way in (ips_terms, self_normalised_terms)
    )
    converted, spent = conversions.robust_terms(), minutes.robust_terms()
    robust = _gain(converted, spent, without, alpha)
    if robust is None:
        return answer
    now = 60 * (float(converted[1].mean()) - float(without.mean())) / float(spent[1].mean())
    return WaitComparison(wait, visits, held_out, sample, (), now, by_ips, normalised, robust)


class _Pair:
    """One reward under both waits."""

    def __init__(
        self,
        log: WaitLog,
        reward: Floats,
        called: npt.NDArray[np.bool_],
        waits: Floats,
        wait: float,
        current: float,
    ) -> None:
        names = tuple(f"{one:g}" for one in waits)
        action: Codes = np.searchsorted(waits, log.wait[called]).astype(np.int64)

        def beside(target: float) -> LoggedChoices:
            code = np.full(len(action), int(np.searchsorted(waits, target)), dtype=np.int64)
            return LoggedChoices.of_target_actions(
                names, action, reward[called], log.probability[called], code, log.features[called]
            )

        self.candidate, self.current = beside(wait), beside(current)

    def terms(self, way: Callable[[LoggedChoices], Floats]) -> Terms:
        """One term a row under the candidate, and one under the current wait."""
        return way(self.candidate), way(self.current)

    def robust_terms(self) -> Terms:
        """The same, doubly robust: both rest on one guess."""
        guess = guessed_rewards(self.candidate)
        found = [doubly_robust_terms(one, guess) for one in (self.candidate, self.current)]
        first, second = found
        assert first is not None and second is not None  # the target's action is known in every row
        return first, second


def _gain(conversions: Terms, minutes: Terms, without: Floats, alpha: float) -> WaitGain | None:
    """The change from the current wait to the other; None where no agent's time was spent on one of them."""
    (c1, c0), (m1, m0) = conversions, minutes
    spent, spent_now = float(m1.mean()), float(m0.mean())
    if spent <= 0 or spent_now <= 0:
        return None
    base = float(without.mean())
    rate, rate_now = (float(c1.mean()) - base) / spent, (float(c0.mean()) - base) / spent_now
    rows = (c1 - base - rate * m1) / spent - (c0 - base - rate_now * m0) / spent_now
    from_base = (1 / spent - 1 / spent_now) * _error(without)
    error = math.hypot(_error(rows), from_base)
    return WaitGain(
        conversions=_interval(float((c1 - c0).mean()), _error(c1 - c0), alpha),
        minutes=_interval(spent - spent_now, _error(m1 - m0), alpha),
        per_hour=_interval(60 * (rate - rate_now), 60 * error, alpha),
    )


def _error(values: Floats) -> float:
    return float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.inf


def _interval(point: float, error: float, alpha: float) -> Interval:
    reach = NormalDist().inv_cdf(1 - alpha / 2) * error
    return Interval(point - reach, point, point + reach)
