"""A crowd for the intake benchmark: 100,000 customers on the steps of a journey, what they send, and rules.

The journey has nine steps, each with an entry, two activities and an error. Events come in bursts, as SDKs
flush them: two of one customer beside each other. Of 100 events, 78 are activity or errors on the customer's
step, 7 enter the next step, 15 belong to no journey. An event is about 560 bytes of JSON.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

STEPS = 9
BURST = 2
JOURNEY: Mapping[str, Any] = {
    "journey": "crowd",
    "key": "application_id",
    "gap": "24h",
    "steps": [
        {
            "id": f"step{number}",
            "enter": [f"step{number}_page"],
            "events": [f"step{number}_field", f"step{number}_scroll"],
            "errors": [f"step{number}_error"],
        }
        for number in range(STEPS)
    ]
    + [{"id": "watched", "enter": ["watched_page"]}, {"id": "done", "enter": ["done_page"]}],
}
WATCHED_AFTER = timedelta(seconds=3)
WATCHED_RULE: Mapping[str, Any] = {
    "rule": "watched",
    "journey": "crowd",
    "step": "watched",
    "preset": "dwell",
    "after": f"{WATCHED_AFTER.seconds}s",
}
"""The rule whose firings are timed."""
_PRESETS = ("gone_quiet", "dwell", "absence", "trouble", "moment")


def rules(count: int) -> list[dict[str, Any]]:
    """So many live rules over all steps and presets, with conditions; none runs out within the benchmark."""
    found = []
    for number in range(count):
        step, preset = f"step{number % STEPS}", _PRESETS[number // STEPS % len(_PRESETS)]
        rule: dict[str, Any] = {
            "rule": f"crowd-{number}",
            "journey": "crowd",
            "step": step,
            "preset": preset,
            "after": f"{60 + number % 400}m",
            "priority": number % 100,
            "conditions": {
                "all": [
                    {"field": "visit.device", "op": "=", "value": "ios"},
                    {"field": "customer.credit_limit", "op": ">", "value": number},
                ]
            },
        }
        if preset in ("absence", "moment"):
            rule["event"] = f"{step}_field"
        if preset == "trouble":
            rule["times"] = 1 + number % 3
        if number % 2:
            rule["unless"] = [f"{step}_scroll"]
        found.append(rule)
    return found


@dataclass
class Crowd:
    """Customers and the step each is on; draws what they send next."""

    customers: int
    chance: random.Random
    steps: list[int]
    sent: int = 0

    @classmethod
    def of(cls, customers: int, seed: int) -> "Crowd":
        """Customers spread over the steps."""
        chance = random.Random(seed)
        return cls(customers, chance, [chance.randrange(STEPS) for _ in range(customers)])

    def arrivals(self) -> Iterator[dict[str, Any]]:
        """Every customer enters their step once: so many visits are open afterwards."""
        for number in range(self.customers):
            yield self._event(number, f"step{self.steps[number]}_page")

    def batch(self, size: int) -> list[dict[str, Any]]:
        """What the next customers send."""
        found: list[dict[str, Any]] = []
        while len(found) < size:
            number = self.chance.randrange(self.customers)
            found += [self._event(number, self._next(number)) for _ in range(min(BURST, size - len(found)))]
        return found

    def _next(self, number: int) -> str:
        draw, step = self.chance.random(), self.steps[number]
        if draw < 0.15:
            return "balance_shown"
        if draw < 0.22:
            self.steps[number] = step = (step + 1) % STEPS
            return f"step{step}_page"
        if draw < 0.30:
            return f"step{step}_error"
        return f"step{step}_{'field' if draw < 0.65 else 'scroll'}"

    def _event(self, number: int, name: str) -> dict[str, Any]:
        self.sent += 1
        return {
            "type": "track",
            "event": name,
            "userId": f"crowd-{number:06d}",
            "messageId": f"{self.chance.getrandbits(96):024x}",
            "timestamp": datetime.now(UTC).isoformat(),
            "properties": {
                "application_id": f"a-{number:06d}",
                "device": "ios" if number % 2 else "android",
                "app_version": "7.4.1",
                "reason": "glare",
                "amount": number % 50_000,
                "screen_ms": 1_000 + number % 900,
            },
            "context": {
                "library": {"name": "analytics-ios", "version": "4.1.6"},
                "device": {"manufacturer": "Example", "model": "iPhone15,2", "type": "ios"},
                "os": {"name": "iOS", "version": "18.1"},
                "locale": "zh-CN",
                "timezone": "Asia/Shanghai",
                "network": {"wifi": True, "cellular": False},
            },
        }
