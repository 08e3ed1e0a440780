"""What becomes of a dialed number: chance, forced endings and per-number plans. Pure; chance is an argument.

The default shares and times are assumptions for a lively demonstration, not measurements.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any


class Outcome(StrEnum):
    HUMAN = "human"
    NO_ANSWER = "no-answer"
    BUSY = "busy"
    FAILED = "failed"
    MACHINE = "machine"
    MANUAL = "manual"


SHARES = {
    Outcome.HUMAN: 0.55,
    Outcome.NO_ANSWER: 0.25,
    Outcome.BUSY: 0.08,
    Outcome.FAILED: 0.02,
    Outcome.MACHINE: 0.10,
}
FORCED_BY_SUFFIX = {
    "900": Outcome.HUMAN,
    "901": Outcome.NO_ANSWER,
    "902": Outcome.BUSY,
    "903": Outcome.FAILED,
    "904": Outcome.MACHINE,
    "905": Outcome.HUMAN,
}
IMPATIENT_SUFFIX = "905"
HUMAN_RING_S = (3.0, 9.0)
MACHINE_RING_S = (8.0, 14.0)
MACHINE_TALK_S = (8.0, 25.0)
BUSY_TONE_S = 1.0
TALK_MEDIAN_S = 40.0
TALK_SIGMA = 0.6
PATIENCE_S = 20.0
IMPATIENCE_S = 2.0


@dataclass(frozen=True, slots=True)
class NumberPlan:
    """How one number behaves, set by `PUT /_sim/numbers/...`; `stays`: it never hangs up by itself."""

    outcome: Outcome
    ring_s: float | None = None
    talk_s: float | None = None
    patience_s: float | None = None
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Fate:
    """One call's future, in simulated seconds. `talk_s` None: the far end never hangs up by itself.

    `talk_s` runs from the moment somebody is there to talk with; `patience_s` bounds the wait before that.
    """

    outcome: Outcome
    ring_s: float
    talk_s: float | None
    patience_s: float | None

    @property
    def alone_s(self) -> float | None:
        """Seconds until the far end hangs up while nobody talks with it."""
        limits = [limit for limit in (self.talk_s, self.patience_s) if limit is not None]
        return min(limits, default=None)


def decide(to: str, plan: NumberPlan | None, chance: Random) -> Fate:
    """The fate of a call to `to`: its number plan, else a softphone's, else a forced suffix, else chance."""
    if plan is None and to.startswith("client:"):
        return Fate(Outcome.HUMAN, ring_s=0.0, talk_s=None, patience_s=None)
    if plan is not None:
        return _planned(plan, chance)
    outcome = FORCED_BY_SUFFIX.get(to[-3:]) or _drawn(chance)
    patience = IMPATIENCE_S if to.endswith(IMPATIENT_SUFFIX) else PATIENCE_S
    if outcome is Outcome.MACHINE:
        return Fate(outcome, chance.uniform(*MACHINE_RING_S), chance.uniform(*MACHINE_TALK_S), None)
    return Fate(outcome, _ring(outcome, chance), _talk(chance), patience)


def _planned(plan: NumberPlan, chance: Random) -> Fate:
    ring_s = plan.ring_s if plan.ring_s is not None else _ring(plan.outcome, chance)
    if plan.stays or (plan.outcome is Outcome.MANUAL and plan.talk_s is None):
        return Fate(plan.outcome, ring_s, None, plan.patience_s)
    if plan.talk_s is not None:
        return Fate(plan.outcome, ring_s, plan.talk_s, plan.patience_s)
    return Fate(plan.outcome, ring_s, _talk(chance), plan.patience_s or PATIENCE_S)


def _drawn(chance: Random) -> Outcome:
    return chance.choices(list(SHARES), weights=list(SHARES.values()))[0]


def _ring(outcome: Outcome, chance: Random) -> float:
    if outcome is Outcome.BUSY:
        return BUSY_TONE_S
    return chance.uniform(*(MACHINE_RING_S if outcome is Outcome.MACHINE else HUMAN_RING_S))


def _talk(chance: Random) -> float:
    return chance.lognormvariate(math.log(TALK_MEDIAN_S), TALK_SIGMA)


class BadNumberPlan(ValueError):
    """The JSON does not describe a number plan; the text says what to write instead."""


def number_plan(body: Any) -> NumberPlan:
    """Read `{"outcome": ..., "ring_s": s, "talk_s": s or null, "patience_s": s}`; null talk_s: it stays."""
    if not isinstance(body, dict):
        raise BadNumberPlan("send a JSON object with at least an outcome")
    unknown = sorted(set(body) - {"outcome", "ring_s", "talk_s", "patience_s"})
    if unknown:
        raise BadNumberPlan(f"unknown keys: {', '.join(unknown)}")
    try:
        outcome = Outcome(body.get("outcome", "human"))
    except ValueError as error:
        raise BadNumberPlan(f"outcome must be one of {', '.join(Outcome)}") from error
    seconds = {name: _seconds(name, body.get(name)) for name in ("ring_s", "talk_s", "patience_s")}
    return NumberPlan(outcome, **seconds, stays="talk_s" in body and body["talk_s"] is None)


def _seconds(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 86_400:
        raise BadNumberPlan(f"{name} must be a number of seconds from 0 to 86400")
    return float(value)
