"""Faults a test may switch on: each a probability, or the next n chances; some carry seconds.

| fault | what happens |
|---|---|
| rest_429, rest_500_before | a write to the REST API is refused and nothing was done |
| rest_500_after, drop_after | it was done, but the answer is a 500 or a cut connection |
| hang_after | it was done, but the answer comes only after these seconds |
| list_lag_s | calls younger than this are missing from lists |
| cb_drop, cb_dup, cb_reorder | a callback is lost, sent twice, or sent after the one behind it |
| cb_delay_s | callbacks wait this long |
| cb_before_response | the first callback arrives before the create request is answered |
| bad_signature | a webhook is signed with the wrong key |
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
)
TIMED = ("hang_after", "list_lag_s", "cb_delay_s")


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
        unknown = sorted(set(body) - set(SWITCHES) - set(TIMED))
        if unknown:
            raise BadFaults(f"unknown faults: {', '.join(unknown)}; known: {', '.join(SWITCHES + TIMED)}")
        read = {name: _read(name, value) for name, value in body.items()}
        with self._lock:
            self._faults.update(read)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

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
        if not self.strikes(name):
            return 0.0
        with self._lock:
            fault = self._faults.get(name)
            return fault.seconds if fault else 0.0

    def as_json(self) -> dict[str, Any]:
        with self._lock:
            return {
                name: {"next": fault.left} if fault.left is not None else {"probability": fault.probability}
                for name, fault in self._faults.items()
            } | {
                name: {"seconds": fault.seconds} | ({"next": fault.left} if fault.left is not None else {})
                for name, fault in self._faults.items()
                if name in TIMED
            }


def _read(name: str, value: Any) -> Fault:
    if isinstance(value, dict):
        if set(value) - {"next", "probability", "seconds"}:
            raise BadFaults(f"{name}: the keys are next, probability and seconds")
        left = value.get("next")
        if left is not None and (isinstance(left, bool) or not isinstance(left, int) or left < 0):
            raise BadFaults(f"{name}: next must be a whole number")
        seconds = _number(name, value.get("seconds", 0), 600)
        return Fault(_number(name, value.get("probability", 1), 1), left, seconds)
    if name in TIMED:
        return Fault(seconds=_number(name, value, 600))
    return Fault(probability=_number(name, value, 1))


def _number(name: str, value: Any, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise BadFaults(f"{name}: give a number from 0 to {most:g}, or an object with next")
    return float(value)
