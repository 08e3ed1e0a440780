"""Faults a test may switch on: each a probability, or the next n chances; some carry seconds.

| fault | what happens |
|---|---|
| rest_429, rest_500_before | a write to the REST API is refused and nothing was done |
| rest_500_after, drop_after | it was done, but the answer is a 500 or a cut connection |
| hang_after | it was done, but the answer comes only after these seconds |
| late_accept | the connection is cut, and only these seconds later the call comes into being |
| list_lag | calls younger than these seconds are missing from lists |
| cb_drop, cb_dup, cb_reorder | a callback is lost, sent twice, or sent after the one behind it |
| cb_delay | callbacks wait these seconds |
| cb_before_response | the first callback arrives before the create request is answered |
| bad_signature | a webhook is signed with the wrong key |
| agent_leg_drop | these (simulated) seconds after an agent's leg has company, it is cut off |
| conference_end_lost | a conference ends and the product is not told |
| clock_skew | the carrier's clock is these seconds ahead, or behind when negative |
"""

import threading
from dataclasses import dataclass
from random import Random
from typing import Any

SWITCHES = (
    "rest_429",
    "rest_500_before",
    "rest_500_after",
    "drop_after",
    "cb_drop",
    "cb_dup",
    "cb_reorder",
    "cb_before_response",
    "bad_signature",
    "conference_end_lost",
)
TIMED = ("hang_after", "late_accept", "list_lag", "cb_delay", "agent_leg_drop", "clock_skew")
ALSO_CALLED = {"list_lag_s": "list_lag", "cb_delay_s": "cb_delay"}
USUAL_SECONDS = {"late_accept": 3.0, "agent_leg_drop": 3.0}
MOST_SECONDS = 600.0
MOST_SKEW_S = 86_400.0


class BadFaults(ValueError):
    """The JSON does not describe faults; the text says what to write instead."""


@dataclass(slots=True)
class Fault:
    """Strikes with `probability`, or on each of the `left` next chances when that is set."""

    probability: float = 1.0
    left: int | None = None
    seconds: float = 0.0


class Faults:
    """Thread-safe; draws from its own seeded chance."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._lock = threading.Lock()
        self._faults: dict[str, Fault] = {}

    def set(self, body: Any) -> None:
        """Set the named faults, leave the others. Raises `BadFaults` and changes nothing."""
        if not isinstance(body, dict):
            raise BadFaults("send a JSON object of fault names")
        named = {ALSO_CALLED.get(str(name), str(name)): value for name, value in body.items()}
        unknown = sorted(set(named) - set(SWITCHES) - set(TIMED))
        if unknown:
            raise BadFaults(f"unknown faults: {', '.join(unknown)}; known: {', '.join(SWITCHES + TIMED)}")
        read = {name: _read(name, value) for name, value in named.items()}
        with self._lock:
            self._faults.update(read)

    def clear(self, name: str | None = None) -> None:
        """Take one fault away, or all."""
        with self._lock:
            if name is None:
                self._faults.clear()
            else:
                self._faults.pop(ALSO_CALLED.get(name, name), None)

    def strikes(self, name: str) -> bool:
        """Take one chance of this fault."""
        with self._lock:
            fault = self._faults.get(name)
            if fault is None:
                return False
            if fault.left is None:
                return self._chance.random() < fault.probability
            if fault.left <= 0:
                return False
            fault.left -= 1
            return True

    def seconds(self, name: str) -> float:
        """Take one chance of a timed fault: its seconds, or 0."""
        return self.setting(name) if self.strikes(name) else 0.0

    def setting(self, name: str) -> float:
        """The seconds of a timed fault that is on, without taking a chance; else 0."""
        with self._lock:
            fault = self._faults.get(name)
            return fault.seconds if fault else 0.0

    def as_json(self) -> dict[str, Any]:
        with self._lock:
            return {name: _shown(name, fault) for name, fault in self._faults.items()}


def _shown(name: str, fault: Fault) -> dict[str, Any]:
    shown: dict[str, Any] = {"seconds": fault.seconds} if name in TIMED else {}
    if fault.left is not None:
        shown["next"] = fault.left
    elif name not in TIMED or fault.probability < 1:
        shown["probability"] = fault.probability
    return shown


def _read(name: str, value: Any) -> Fault:
    if isinstance(value, dict):
        if set(value) - {"next", "probability", "seconds"}:
            raise BadFaults(f"{name}: the keys are next, probability and seconds")
        left = value.get("next")
        if left is not None and (isinstance(left, bool) or not isinstance(left, int) or left < 0):
            raise BadFaults(f"{name}: next must be a whole number")
        seconds = _seconds(name, value.get("seconds", USUAL_SECONDS.get(name, 0)))
        return Fault(_number(name, value.get("probability", 1), 0, 1), left, seconds)
    if name in TIMED:
        return Fault(seconds=_seconds(name, value))
    return Fault(probability=_number(name, value, 0, 1))


def _seconds(name: str, value: Any) -> float:
    if name == "clock_skew":
        return _number(name, value, -MOST_SKEW_S, MOST_SKEW_S)
    return _number(name, value, 0, MOST_SECONDS)


def _number(name: str, value: Any, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise BadFaults(f"{name}: give a number from {least:g} to {most:g}, or an object with next")
    return float(value)
