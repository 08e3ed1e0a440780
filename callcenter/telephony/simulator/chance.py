"""Distributions, and how they are written in JSON: times, shares of outcomes, a machine detector's mistakes.

Pure; the source of chance is always an argument.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any

LONGEST_S = 86_400.0
VERDICTS = (
    "human",
    "machine_start",
    "machine_end_beep",
    "machine_end_silence",
    "machine_end_other",
    "fax",
    "unknown",
)


class BadPlan(ValueError):
    """The JSON does not describe a plan; the text says what to write instead."""


class Outcome(StrEnum):
    HUMAN = "human"
    NO_ANSWER = "no-answer"
    BUSY = "busy"
    FAILED = "failed"
    MACHINE = "machine"
    FAX = "fax"
    MANUAL = "manual"

    @property
    def picks_up(self) -> bool:
        return self in (Outcome.HUMAN, Outcome.MACHINE, Outcome.FAX)


@dataclass(frozen=True, slots=True)
class Spread:
    """A distribution of seconds: between `low` and `high` evenly, or log-normal when `sigma` is set."""

    low: float
    high: float
    median: float = 0.0
    sigma: float = 0.0

    def draw(self, chance: Random) -> float:
        if self.sigma:
            return min(chance.lognormvariate(math.log(self.median), self.sigma), LONGEST_S)
        return chance.uniform(self.low, self.high)

    def as_json(self) -> Any:
        if self.sigma:
            return {"median": self.median, "sigma": self.sigma}
        return self.low if self.low == self.high else [self.low, self.high]


def read_spread(name: str, value: Any) -> Spread | None:
    """`8`, `[3, 9]` or `{"median": 40, "sigma": 0.6}`; None stays None."""
    if value is None:
        return None
    if isinstance(value, list) and len(value) == 2:
        low, high = (seconds(name, part) for part in value)
        if low is not None and high is not None and low <= high:
            return Spread(low, high)
    elif isinstance(value, dict) and set(value) == {"median", "sigma"}:
        median, sigma = number(name, value["median"], LONGEST_S), number(name, value["sigma"], 5)
        if median > 0 and sigma > 0:
            return Spread(0, 0, median, sigma)
    else:
        constant = number(name, value, LONGEST_S)
        return Spread(constant, constant)
    raise BadPlan(f'{name}: give seconds, [least, most], or {{"median": s, "sigma": n}}')


@dataclass(frozen=True, slots=True)
class AmdModel:
    """How an answering-machine detector does: how often right, how often unsure, after how long.

    `says` fixes the verdict. The default figures are assumptions for a demonstration, not measurements.
    """

    accuracy: float = 0.95
    unknown: float = 0.03
    delay: Spread = Spread(2.0, 4.0)
    greeting: Spread = Spread(6.0, 15.0)
    says: str | None = None

    def verdict(self, outcome: Outcome, timeout_s: float, to_end: bool, chance: Random) -> tuple[str, float]:
        """What it says of a call that was answered by `outcome`, and after how many simulated seconds."""
        delay = self.delay.draw(chance)
        if self.says is not None:
            return self.says, delay
        if chance.random() < self.unknown:
            return "unknown", min(delay, timeout_s)
        is_machine = outcome is Outcome.MACHINE
        if chance.random() >= self.accuracy:
            is_machine = not is_machine
        elif outcome is Outcome.FAX:
            return "fax", min(delay, timeout_s)
        if not is_machine:
            return "human", min(delay, timeout_s)
        if not to_end:
            return "machine_start", min(delay, timeout_s)
        delay += self.greeting.draw(chance)
        if delay > timeout_s:
            return "unknown", timeout_s
        return chance.choices(VERDICTS[2:5], weights=(0.7, 0.25, 0.05))[0], delay

    def as_json(self) -> dict[str, Any]:
        shown = {
            "accuracy": self.accuracy,
            "unknown": self.unknown,
            "delay_s": self.delay.as_json(),
            "greeting_s": self.greeting.as_json(),
        }
        return shown | ({"says": self.says} if self.says else {})


def read_amd(value: Any) -> AmdModel | None:
    """Read `{"accuracy": 0.95, "unknown": 0.03, "delay_s": [2, 4], "greeting_s": ..., "says": "human"}`."""
    if value is None:
        return None
    known_keys("amd", value, ("accuracy", "unknown", "delay_s", "greeting_s", "says"))
    says, usual = value.get("says"), AmdModel()
    if says is not None and says not in VERDICTS:
        raise BadPlan(f"amd.says must be one of {', '.join(VERDICTS)}")
    return AmdModel(
        number("amd.accuracy", value.get("accuracy", usual.accuracy), 1),
        number("amd.unknown", value.get("unknown", usual.unknown), 1),
        read_spread("amd.delay_s", value.get("delay_s")) or usual.delay,
        read_spread("amd.greeting_s", value.get("greeting_s")) or usual.greeting,
        says,
    )


def known_keys(where: str, value: Any, names: Iterable[str]) -> None:
    """Raise `BadPlan` unless `value` is an object with none but these keys."""
    if not isinstance(value, dict):
        raise BadPlan(f"{where}: send a JSON object")
    unknown = sorted(set(map(str, value)) - set(names))
    if unknown:
        raise BadPlan(f"{where}: unknown keys: {', '.join(unknown)}")


def seconds(name: str, value: Any) -> float | None:
    return None if value is None else number(name, value, LONGEST_S)


def number(name: str, value: Any, most: float) -> float:
    """A number from 0 to `most`, or `BadPlan`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise BadPlan(f"{name} must be a number from 0 to {most:g}")
    return float(value)
