"""How many calls to place now? Facts and policy in, a number with its reason out; no I/O, no clock.

Manual and preview calls are an agent's. Progressive dialing has one line for each agent who waits. Power and
predictive dialing place more than that, and whoever answers when nobody is free is abandoned. They do it only
with agents enough, with a past to learn from, and within the budget of abandoned calls; else one line an agent.

The predictive rule: every call has a cost (`forecast.py`), the abandoned calls it is expected to add for each
answer it brings. It is placed if the cost is within the price. A price equal to the target makes the target
the rate, for each abandoned call is counted once, when the call that costs it is placed; what the forecast gets
wrong is steered out by the day's count: the price moves by `gain` for each call below or above the target.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from callcenter.dialing.forecast import (
    BusyAgent,
    Forecast,
    Outlook,
    chance_of_more_than,
    cost_of_calls,
    expected_abandoned,
    look_ahead,
    most_worth_looking_at,
)
from callcenter.dialing.policy import PacingPolicy
from callcenter.domain.enums import AUTOMATIC_MODES, DialingMode

_ROUNDING = 1e-9


class PacingReason(StrEnum):
    """Why so many calls; the code is stable, the words are in SENTENCES."""

    AGENT_DIALS = "agent_dials"
    PROGRESSIVE = "progressive"
    FEW_AGENTS = "few_agents"
    NO_HISTORY = "no_history"
    BUDGET_SPENT = "budget_spent"
    DAY_SPENT = "day_spent"
    ABOVE_TARGET = "above_target"
    POWER = "power"
    PREDICTIVE = "predictive"


AHEAD = frozenset({PacingReason.POWER, PacingReason.PREDICTIVE})
"""Reasons with which calls are placed before they have an agent."""


class PacingLimit(StrEnum):
    """What kept the number below what the rule would have placed."""

    CUSTOMERS = "customers"
    LINES = "lines"
    STARTS = "starts"
    SUITED = "suited"
    AT_ONCE = "at_once"


@dataclass(frozen=True, slots=True)
class PacingFacts:
    """The floor of one campaign at this moment; times in seconds.

    `ready`: agents available, idle and connected in their room, for whom no call is reserved. `ringing`: how
    long each call in flight has rung that has no agent yet. A call reserved for one agent, as progressive
    dialing may do, is in neither. `waiting`: customers who answered and have no agent yet. `agents`: signed on
    for the campaign. `lines_free` and `starts_left` (calls the carrier lets begin by the next tick): None where
    there is no limit. `callable`: customers who may be called now; `suited`: those of them whom agents suit that
    other calls do not need, None where it was not asked. `forecast`: None while the campaign has no past.
    """

    mode: DialingMode
    ready: int
    agents: int
    callable: int
    busy: tuple[BusyAgent, ...] = ()
    ringing: tuple[float, ...] = ()
    waiting: int = 0
    live_answers_30d: int = 0
    abandoned_30d: int = 0
    live_answers_today: int = 0
    abandoned_today: int = 0
    lines_free: int | None = None
    starts_left: int | None = None
    suited: int | None = None
    forecast: Forecast | None = None


@dataclass(frozen=True, slots=True)
class Pacing:
    """How many calls to place now, and why.

    `figures` fill the sentence. `expected_abandoned`: calls that will find no agent, of all in flight with
    these; reckoned only where more lines than agents may be dialed, else 0.
    """

    dial: int
    reason: PacingReason
    limit: PacingLimit | None
    expected_abandoned: float
    figures: Mapping[str, float | str]
    policy_version: str


def pace(facts: PacingFacts, policy: PacingPolicy) -> Pacing:
    """Return how many calls to place now.

    Fails closed: what is not known is no ground for a second line. One line for each free agent is always
    placed, within the customers and lines there are.
    """
    if facts.mode not in AUTOMATIC_MODES:
        return _pacing(0, PacingReason.AGENT_DIALS, facts, policy)
    one_each = max(0, facts.ready - facts.waiting - len(facts.ringing))
    reason = _why_one_each(facts, policy)
    if facts.forecast is None or reason in (PacingReason.PROGRESSIVE, PacingReason.FEW_AGENTS):
        return _pacing(one_each, reason, facts, policy)
    forecast = facts.forecast
    outlook = look_ahead(forecast, facts.ready - facts.waiting, facts.ringing, facts.busy)
    wish = one_each
    if reason is PacingReason.POWER:
        wish = max(one_each, _by_ratio(facts, policy, forecast, outlook))
    elif reason is PacingReason.PREDICTIVE:
        wish = max(one_each, _by_cost(facts, policy, forecast, outlook))
    return _pacing(wish, reason, facts, policy, outlook)


def budget_left(live_answers: int, abandoned: int, ceiling: float) -> int:
    """Return how many more calls may be abandoned: the whole calls within the ceiling, less those already.

    At 3 % the first needs 34 live answers, the second 67. Negative when the ceiling is broken.
    """
    return math.floor(ceiling * live_answers + _ROUNDING) - abandoned


def starts_left(calls_per_second: float, seconds: float, unplaced: int) -> int:
    """Return how many calls may be claimed now, so that all begin within the `seconds` until the next look.

    `unplaced` were claimed before and have not begun. One may always wait: a rate below one a look would else let
    none begin.
    """
    return max(0, max(1, math.floor(calls_per_second * seconds + _ROUNDING)) - unplaced)


def price_of(facts: PacingFacts, policy: PacingPolicy) -> float:
    """Return what an answer may cost now in abandoned calls: the target, moved by the calls saved or overspent.

    Of the day and the 30 days, whichever saved less.
    """
    saved = min(
        policy.target * facts.live_answers_30d - facts.abandoned_30d,
        policy.target * facts.live_answers_today - facts.abandoned_today,
    )
    return min(policy.highest_price, max(0.0, policy.target + policy.gain * saved))


def sentence_of(pacing: Pacing, sentences: Mapping[str, str] | None = None) -> str:
    """Return the decision in one sentence; templates by reason and limit, in English without `sentences`."""
    texts = SENTENCES if sentences is None else sentences
    sentence = texts[pacing.reason].format_map(pacing.figures)
    if pacing.limit is not None:
        sentence += texts[pacing.limit].format_map(pacing.figures)
    return sentence + texts["end"]


def _left(facts: PacingFacts, policy: PacingPolicy) -> tuple[int, int]:
    """The budgets left: over 30 days, and today."""
    return (
        budget_left(facts.live_answers_30d, facts.abandoned_30d, policy.ceiling),
        budget_left(facts.live_answers_today, facts.abandoned_today, policy.ceiling),
    )


def _why_one_each(facts: PacingFacts, policy: PacingPolicy) -> PacingReason:
    """The first reason for one line an agent; without any, the mode's own."""
    left_30d, left_today = _left(facts, policy)
    checks = {
        PacingReason.PROGRESSIVE: facts.mode is DialingMode.PROGRESSIVE,
        PacingReason.FEW_AGENTS: facts.agents < policy.fewest_agents,
        PacingReason.NO_HISTORY: facts.forecast is None,
        PacingReason.BUDGET_SPENT: left_30d < 1,
        PacingReason.DAY_SPENT: left_today < 1,
        PacingReason.ABOVE_TARGET: facts.mode is DialingMode.POWER
        and price_of(facts, policy) < policy.target,
        PacingReason.POWER: facts.mode is DialingMode.POWER,
    }
    return next((reason for reason, holds in checks.items() if holds), PacingReason.PREDICTIVE)


def _by_ratio(facts: PacingFacts, policy: PacingPolicy, forecast: Forecast, outlook: Outlook) -> int:
    """Lines by the supervisor's ratio, as many as the budget carries."""
    ratio = min(policy.power_ratio, policy.highest_power_ratio)
    wish = max(0, math.floor(ratio * (facts.ready - facts.waiting)) - len(facts.ringing))
    return _within_budget(facts, policy, forecast, outlook, wish)


def _by_cost(facts: PacingFacts, policy: PacingPolicy, forecast: Forecast, outlook: Outlook) -> int:
    """The most calls of which each costs no more than the price, as many as the budget carries."""
    most = min(most_worth_looking_at(outlook, forecast), policy.most_at_once)
    if most == 0:
        return 0
    too_dear = cost_of_calls(outlook, forecast, most) > price_of(facts, policy)
    wish = int(np.argmax(too_dear)) if too_dear.any() else most
    return _within_budget(facts, policy, forecast, outlook, wish)


def _within_budget(
    facts: PacingFacts, policy: PacingPolicy, forecast: Forecast, outlook: Outlook, wish: int
) -> int:
    """The most calls, up to the wish, with which what is left of the budget holds but for a small chance.

    That is stricter than to ask that the abandoned calls to be expected fit into it.
    """
    left_30d, left_today = _left(facts, policy)
    left = min(left_30d - policy.reserve, left_today)
    while wish > 0 and chance_of_more_than(left, outlook, forecast, wish) > policy.chance_to_overspend:
        wish -= 1
    return wish


def _pacing(
    wish: int, reason: PacingReason, facts: PacingFacts, policy: PacingPolicy, outlook: Outlook | None = None
) -> Pacing:
    """Keep the wish within customers, lines and calls at once, and write down the figures."""
    bounds = {PacingLimit.CUSTOMERS: facts.callable, PacingLimit.AT_ONCE: policy.most_at_once}
    if facts.lines_free is not None:
        bounds[PacingLimit.LINES] = facts.lines_free
    if facts.starts_left is not None:
        bounds[PacingLimit.STARTS] = facts.starts_left
    if facts.suited is not None and reason in AHEAD:
        bounds[PacingLimit.SUITED] = facts.suited
    tightest = min(bounds, key=bounds.__getitem__)
    dial = max(0, min(wish, bounds[tightest]))
    abandoned = 0.0
    if outlook is not None and facts.forecast is not None:
        abandoned = expected_abandoned(outlook, facts.forecast, dial)
    return Pacing(
        dial=dial,
        reason=reason,
        limit=tightest if dial < wish else None,
        expected_abandoned=abandoned,
        figures=_figures(dial, wish, reason, facts, policy, outlook),
        policy_version=policy.version,
    )


def _figures(
    dial: int,
    wish: int,
    reason: PacingReason,
    facts: PacingFacts,
    policy: PacingPolicy,
    outlook: Outlook | None,
) -> dict[str, float | str]:
    """All the templates ask for; answers, abandoned and budget are of the day where the day's is spent."""
    left, left_today = _left(facts, policy)
    of_today = reason is PacingReason.DAY_SPENT
    answers = facts.live_answers_today if of_today else facts.live_answers_30d
    abandoned = facts.abandoned_today if of_today else facts.abandoned_30d
    return {
        "dial": dial,
        "wish": wish,
        "mode": facts.mode.value,
        "ready": facts.ready,
        "ringing": len(facts.ringing),
        "waiting": facts.waiting,
        "agents": facts.agents,
        "fewest_agents": policy.fewest_agents,
        "ratio": min(policy.power_ratio, policy.highest_power_ratio),
        "horizon": policy.horizon_seconds,
        "answering": 0.0 if outlook is None else outlook.answering,
        "freeing": 0.0 if outlook is None else outlook.freeing,
        "answers": answers,
        "abandoned": abandoned,
        "rate": 100 * abandoned / answers if answers else 0.0,
        "left": left,
        "left_today": left_today,
        "answers_needed": math.ceil((abandoned + 1) / policy.ceiling - _ROUNDING),
    }


_FLOOR = "agents ready {ready}, calls ringing {ringing}"
SENTENCES: Mapping[str, str] = {
    PacingReason.AGENT_DIALS: "Dialing 0: in {mode} mode the agent places each call",
    PacingReason.PROGRESSIVE: "Dialing {dial}: one line for each agent, " + _FLOOR,
    PacingReason.FEW_AGENTS: "Dialing {dial}: one line for each agent, as more need {fewest_agents} agents and"
    " {agents} are signed on; " + _FLOOR,
    PacingReason.NO_HISTORY: "Dialing {dial}: one line for each agent, as too few calls are known yet to look"
    " ahead; " + _FLOOR,
    PacingReason.BUDGET_SPENT: "Dialing {dial}: one line for each agent, as the budget is spent: abandoned"
    " {abandoned} of {answers} answers in 30 days ({rate:.1f} %), and the next needs {answers_needed} answers; "
    + _FLOOR,
    PacingReason.DAY_SPENT: "Dialing {dial}: one line for each agent, as the day's budget is spent: abandoned"
    " {abandoned} of {answers} answers today ({rate:.1f} %), and the next needs {answers_needed} answers; "
    + _FLOOR,
    PacingReason.ABOVE_TARGET: "Dialing {dial}: one line for each agent until fewer calls are abandoned again:"
    " {abandoned} of {answers} answers in 30 days ({rate:.1f} %); " + _FLOOR,
    PacingReason.POWER: "Dialing {dial}: {ratio:g} lines for each agent, agents ready {ready}, calls ringing"
    " {ringing}, of which {answering:.1f} will answer; abandoned {rate:.1f} % of {answers} answers in 30 days,"
    " budget left {left}, today {left_today}",
    PacingReason.PREDICTIVE: "Dialing {dial}: agents ready {ready}, {freeing:.1f} more free within {horizon} s;"
    " calls ringing {ringing}, of which {answering:.1f} will answer; abandoned {rate:.1f} % of {answers} answers"
    " in 30 days, budget left {left}, today {left_today}",
    PacingLimit.CUSTOMERS: "; held down from {wish}, as no more customers may be called now",
    PacingLimit.LINES: "; held down from {wish}, as no more lines are free",
    PacingLimit.STARTS: "; held down from {wish}, as no more calls may begin in this second",
    PacingLimit.SUITED: "; held down from {wish}, as no more agents suit the customers who wait",
    PacingLimit.AT_ONCE: "; held down from {wish}, the most at once",
    "end": ".",
}
"""English, by reason and limit. The figures are those of `Pacing.figures`; other languages bring their own."""
