"""What the floor will look like in the next half minute: who will answer, who will be free; pure.

The past of a campaign becomes tables once in a while (`learn`). At each tick the calls in flight and the
agents at work are looked up there (`look_ahead`): for every coming second the chance that a call has been
answered by then, given how long it has rung, and that an agent is free, given how long they have talked or
wrapped up. Their sum is taken as normal (a sum of many unequal coins).

The cost of a call. Abandoned calls up to a moment are the most by which answers were ever ahead of free
agents (reflection: A. V. Skorokhod, 1961): agents who wait stay, answers who wait are lost. So one more answer
at second s costs one abandoned call if at s or later answers use up all agents, and the cost of one more call
is the mean of that chance over the seconds in which it would be answered.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from callcenter.dialing.policy import PacingPolicy

Table = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int_]

TALK_STEP_SECONDS = 5
LONGEST_TALK_SECONDS = 900
LONGEST_RING_SECONDS = 120
LONGEST_WRAP_UP_SECONDS = 300
_SMALLEST = 1e-9
_ROOT_OF_TWO_PI = math.sqrt(2 * math.pi)


@dataclass(frozen=True, slots=True)
class CallHistory:
    """Recent finished calls of a campaign; all in seconds.

    `answered`: from dialing to a person's answer. `unanswered`: from dialing to the end of calls no person
    answered (no answer, busy, machine). `talks`: an agent with a customer. `wrap_ups`: from the end of the
    talk until the agent was free again.
    """

    answered: Sequence[float] = ()
    unanswered: Sequence[float] = ()
    talks: Sequence[float] = ()
    wrap_ups: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class BusyAgent:
    """An agent with a customer, or after one; how long they have been at it, in seconds."""

    talking_seconds: float | None = None
    wrapping_seconds: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """Tables: a row for the time gone by; in it the chance p and its variance p (1 - p), by the coming second.

    `answers`: answered by then; rows are seconds of ringing, the last is for calls that ring longer than any
    known one. `frees`: free soon enough for an answer at that second; rows are steps of talk, then, from
    `first_wrap_up` on, seconds of wrap-up. `new_share`: of the answers of a new call, those at that second.
    """

    answer_rate: float
    answers: Table
    frees: Table
    first_wrap_up: int
    new_share: Table


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """Mean and variance of answers minus free agents at each coming second, if nothing more is dialed.

    `answering`: calls in flight that will be answered; `freeing`: busy agents who will be free; both expected,
    within the horizon.
    """

    mean: Table
    variance: Table
    answering: float
    freeing: float


def learn(history: CallHistory, policy: PacingPolicy) -> Forecast | None:
    """Make the tables; None while too few calls are known."""
    answers, dials = len(history.answered), len(history.answered) + len(history.unanswered)
    if dials < policy.fewest_dials or answers < policy.fewest_answers:
        return None
    rate = (answers + policy.prior_answer_rate * policy.prior_dials) / (dials + policy.prior_dials)
    grace = max(0, int(policy.patience_seconds - policy.bridge_seconds))
    ahead = policy.horizon_seconds + grace
    wrap_up = _ends(history.wrap_ups, np.arange(LONGEST_WRAP_UP_SECONDS + 1), ahead)
    talk = _ends(history.talks, np.arange(0, LONGEST_TALK_SECONDS + 1, TALK_STEP_SECONDS), ahead)
    ringing = _answers(history, rate, policy.horizon_seconds)
    by_then = ringing[0]
    return Forecast(
        answer_rate=rate,
        answers=_with_variance(ringing),
        frees=_with_variance(np.vstack((_then(talk, wrap_up[0]), wrap_up))[:, grace:]),
        first_wrap_up=len(talk),
        new_share=np.diff(by_then, prepend=0.0) / max(float(by_then[-1]), _SMALLEST),
    )


def look_ahead(forecast: Forecast, free: int, ringing: Sequence[float], busy: Sequence[BusyAgent]) -> Outlook:
    """Add up who may answer and who may be free; `free` are agents ready less customers who wait already."""
    last = len(forecast.answers) - 1
    answering = forecast.answers[[min(last, max(0, int(rung))) for rung in ringing]].sum(axis=0)
    freeing = forecast.frees[[_row_of(agent, forecast) for agent in busy]].sum(axis=0)
    return Outlook(
        mean=answering[0] - freeing[0] - free,
        variance=answering[1] + freeing[1],
        answering=float(answering[0, -1]),
        freeing=float(freeing[0, -1]),
    )


def most_worth_looking_at(outlook: Outlook, forecast: Forecast) -> int:
    """Calls beyond which agents are expected to run out for certain, so that no price could pay for more."""
    spare = -float(outlook.mean[-1]) - 0.5
    return max(0, math.ceil(spare / max(float(forecast.answers[0, 0, -1]), _SMALLEST)))


def cost_of_calls(outlook: Outlook, forecast: Forecast, most: int) -> Table:
    """Cost of the first to the `most`-th further call: abandoned calls for each answer it brings, in [0, 1].

    Where agents are more likely than not to run out the chance counts as 1. So the cost grows with every call
    in flight and falls with every free agent, whatever the normal curve makes of the tails.
    """
    mean, deviation = _with_calls(outlook, forecast, np.arange(most)[:, None])
    distance = (mean + 0.5) / deviation
    runs_out = ndtr(distance)
    runs_out[distance >= 0] = 1.0
    from_then_on = np.maximum.accumulate(runs_out[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(from_then_on @ forecast.new_share)


def expected_abandoned(outlook: Outlook, forecast: Forecast, calls: int) -> float:
    """Abandoned calls to be expected of all in flight with so many further calls: E[max(0, X)] at the worst
    second, m F(m/d) + d f(m/d) for X normal with mean m and deviation d."""
    mean, deviation = _with_calls(outlook, forecast, calls)
    distance = mean / deviation
    density = np.exp(-0.5 * distance * distance) / _ROOT_OF_TWO_PI
    return float((mean * ndtr(distance) + deviation * density).max())


def chance_of_more_than(abandoned: int, outlook: Outlook, forecast: Forecast, calls: int) -> float:
    """Chance that of all in flight with so many further calls more than this number are abandoned, at the worst
    second; counted as certain where it is more likely than not."""
    mean, deviation = _with_calls(outlook, forecast, calls)
    distance = float(((mean - abandoned - 0.5) / deviation).max())
    return float(ndtr(distance)) if distance < 0 else 1.0


def _with_calls(outlook: Outlook, forecast: Forecast, calls: int | Counts) -> tuple[Table, Table]:
    """Mean and deviation at each coming second with so many further calls (a column of counts: a row each)."""
    chance, variance = forecast.answers[0]
    return outlook.mean + calls * chance, np.sqrt(outlook.variance + calls * variance + _SMALLEST)


def _row_of(agent: BusyAgent, forecast: Forecast) -> int:
    if agent.talking_seconds is not None:
        return min(forecast.first_wrap_up - 1, max(0, int(agent.talking_seconds)) // TALK_STEP_SECONDS)
    if agent.wrapping_seconds is not None:
        return min(len(forecast.frees) - 1, forecast.first_wrap_up + max(0, int(agent.wrapping_seconds)))
    return 0  # not known for how long: as one who has just begun to talk


def _with_variance(chances: Table) -> Table:
    return np.stack((chances, chances * (1 - chances)), axis=1)


def _answers(history: CallHistory, rate: float, horizon: int) -> Table:
    """P(answered by a + s | not answered by a) = p (F(a+s) - F(a)) / (1 - p F(a) - (1-p) G(a)).

    F and G are the shares of answered and of unanswered calls that had ended by then, p the answer rate. The
    last row, for calls that have rung longer than any known one, is that of a new call: it may answer yet.
    """
    longest = max(1, min(LONGEST_RING_SECONDS, math.ceil(max(*history.answered, *history.unanswered))))
    ages = np.arange(longest)
    until = ages[:, None] + np.arange(1, horizon + 1)
    answered, unanswered = np.sort(history.answered), np.sort(history.unanswered)
    gone = _share_by(answered, ages)
    left = 1 - rate * gone - (1 - rate) * _share_by(unanswered, ages)
    rows = rate * (_share_by(answered, until) - gone[:, None]) / np.maximum(left, _SMALLEST)[:, None]
    rows[left <= _SMALLEST] = rows[0]
    return np.vstack((rows, rows[:1]))


def _share_by(ordered: npt.NDArray[np.float64], at: Counts) -> Table:
    return np.searchsorted(ordered, at, side="right") / max(1, len(ordered))


def _ends(lengths: Sequence[float], ages: Counts, ahead: int) -> Table:
    """Chance to end within 1 to `ahead` seconds, given the age: those who did, of those who lasted so long and
    one more, who never ends. What nobody has done before is thus not counted on."""
    ordered = np.sort(np.asarray(lengths, dtype=np.float64))
    ended = np.searchsorted(ordered, ages, side="right")
    until = np.searchsorted(ordered, ages[:, None] + np.arange(1, ahead + 1), side="right")
    return np.asarray((until - ended[:, None]) / (len(ordered) - ended + 1)[:, None])


def _then(first: Table, second: npt.NDArray[np.float64]) -> Table:
    """Chance that both have ended, one after the other; `second` begins when the first ends."""
    seconds = np.arange(len(second))
    lag = seconds[None, :] - seconds[:, None] - 1
    both = np.where(lag >= 0, second[np.maximum(lag, 0)], 0.0)
    return np.asarray(np.diff(first, axis=1, prepend=0.0) @ both)
