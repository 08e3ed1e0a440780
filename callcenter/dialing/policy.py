"""Limits of automatic dialing. The law's figures are ceilings; the others leave room below them."""

from dataclasses import dataclass
from datetime import timedelta

DEFAULT_VERSION = "pacing-1"
PACED_EVERY = timedelta(seconds=1)
"""How often each campaign is looked at."""


@dataclass(frozen=True, slots=True)
class PacingPolicy:
    """Typed defaults. Shares and rates lie in [0, 1]; times are in seconds.

    Ceiling, its window of 30 days for each campaign and the patience of two seconds: United States, 16 CFR
    310.4(b)(4) and 47 CFR 64.1200(a)(7). The ceiling is kept for the day as well, which is stricter. The other
    figures were found with `python -m benchmarks pacing`.
    """

    version: str = DEFAULT_VERSION
    ceiling: float = 0.03
    """Abandoned calls of live answers, at most; over 30 days and over the day."""
    target: float = 0.028
    """The rate steered for: below the ceiling by what chance adds at the end of a day."""
    gain: float = 0.004
    """How much the price of an abandoned call moves with each call the day is below or above the target."""
    highest_price: float = 0.07
    """What is saved in a quiet hour must not be spent in one minute: two and a half times the target."""
    reserve: int = 1
    """Of the 30 days' budget, calls kept back for what the forecast gets wrong."""
    chance_to_overspend: float = 0.0001
    """Calls are placed only if, with all in flight, what is left of the budget holds but for this chance."""
    fewest_agents: int = 15
    """Below it one line an agent; the size from which vendors (Genesys) advise prediction, too."""
    power_ratio: float = 1.5
    """Lines for each ready agent in power mode; a supervisor sets it."""
    highest_power_ratio: float = 3.0
    """VICIdial's default for its highest dial level, and the most that Cisco's dialer takes."""
    most_at_once: int = 50
    """Calls of one tick: a carrier takes only so many a second."""
    patience_seconds: float = 2.0
    """Who has answered and hears no agent for longer is abandoned."""
    bridge_seconds: float = 1.0
    """Of the patience, what finding the agent and joining the two calls may take."""
    horizon_seconds: int = 30
    """How far is looked ahead: longer than a telephone rings."""
    fewest_dials: int = 100
    fewest_answers: int = 30
    """With fewer finished calls known, one line an agent."""
    prior_answer_rate: float = 0.5
    prior_dials: int = 20
    """What is thought of the answer rate beforehand, as so many dials. High is careful: it dials less."""
