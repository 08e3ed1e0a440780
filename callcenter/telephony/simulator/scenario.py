"""Scenarios: what the carrier's world is like at the start, and what happens at which moment.

    speed: 1
    campaigns: {"+1202": {shares: {human: 1}}}
    events:
      - {at: 5, do: faults, with: {cb_drop: 0.2}}
      - {at: 30, do: hangup, to: "+12025550123"}

Times are simulated seconds from the start of the scenario; on a manual clock they wait for `advance`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from .chance import BadPlan, known_keys, number
from .exchange import Exchange
from .faults import BadFaults
from .outcomes import number_plan, read_campaign
from .records import Call
from .settings import BadSettings
from .softphones import ABSENT
from .timers import Timer
from .world import World

SETUP = ("speed", "clock", "limits", "numbers", "campaigns", "faults", "softphones", "events")
MOST_EVENTS = 10_000


@dataclass(slots=True)
class Event:
    """One thing that happens; `result` is None until it has."""

    at: float
    do: str
    facts: dict[str, Any]
    result: str | None = None
    timer: Timer | None = None


class Director:
    """Runs one scenario at a time."""

    def __init__(self, world: World, exchange: Exchange) -> None:
        self._world = world
        self._exchange = exchange
        self._events: list[Event] = []
        self._actions: dict[str, Callable[[dict[str, Any]], str]] = {
            "number": self._number,
            "campaign": self._campaign,
            "faults": self._faults,
            "no_faults": self._no_faults,
            "speed": self._speed,
            "limits": self._limits,
            "softphones": self._softphones,
            "answer": lambda facts: self._press(facts, exchange.answer),
            "busy": lambda facts: self._press(facts, exchange.reject_as_busy),
            "hangup": lambda facts: self._press(facts, exchange.hang_up_far_end),
            "keys": self._keys,
            "end_room": self._end_room,
            "cut_softphone": self._cut_softphone,
        }

    def begin(self, scenario: Any) -> None:
        """Check all of it, then make the world so and set the timers. Raises `BadPlan`, `BadFaults`."""
        known_keys("a scenario", scenario, SETUP)
        events = [self._event(place, given) for place, given in enumerate(scenario.get("events") or [])]
        if len(events) > MOST_EVENTS:
            raise BadPlan(f"a scenario has at most {MOST_EVENTS} events")
        self.stop()
        self._set_up(scenario)
        self._events = sorted(events, key=lambda event: event.at)
        for event in self._events:
            event.timer = self._world.timers.after(event.at, partial(self._happen, event), scaled=True)
        self._world.journal.note("scenario.begun", events=len(events))

    def stop(self) -> None:
        """What has not happened will not."""
        for event in self._events:
            if event.timer is not None:
                event.timer.cancel()
        self._events = []

    def as_json(self) -> dict[str, Any]:
        return {
            "events": [
                {"at": event.at, "do": event.do, **event.facts, "result": event.result}
                for event in self._events
            ],
            "left": sum(event.result is None for event in self._events),
        }

    def set_limits(self, wanted: Any) -> None:
        """Calls per second and calls at once."""
        known_keys("limits", wanted, ("cps", "concurrency"))
        limits = self._world.limits
        cps = number("cps", wanted.get("cps", limits.cps), 10_000)
        concurrency = number("concurrency", wanted.get("concurrency", limits.concurrency), 1_000_000)
        if cps <= 0:
            raise BadPlan("cps must be above 0")
        limits.cps, limits.concurrency = cps, int(concurrency)

    def set_softphones(self, wanted: Any) -> None:
        """What becomes of a call to an identity that nobody has registered."""
        known_keys("softphones", wanted, ("absent",))
        if wanted.get("absent") not in ABSENT:
            raise BadPlan(f"absent must be {' or '.join(ABSENT)}")
        self._exchange.phones.absent = wanted["absent"]

    def set_speed(self, wanted: Any) -> None:
        """Let the clock run, at this speed."""
        if number("speed", wanted, 10_000) <= 0:
            raise BadPlan("speed must be a number above 0 and at most 10000")
        self._world.timers.set_speed(float(wanted))

    def _set_up(self, scenario: dict[str, Any]) -> None:
        if scenario.get("speed") is not None:
            self.set_speed(scenario["speed"])
        if scenario.get("clock") == "manual":
            self._world.timers.stand()
        self.set_limits(scenario.get("limits") or {})
        if scenario.get("softphones"):
            self.set_softphones(scenario["softphones"])
        for address, plan in (scenario.get("numbers") or {}).items():
            self._number({"to": str(address), "with": plan})
        for prefix, campaign in (scenario.get("campaigns") or {}).items():
            self._campaign({"to": str(prefix), "with": campaign})
        self._world.faults.set(scenario.get("faults") or {})

    def _event(self, place: int, given: Any) -> Event:
        where = f"event {place + 1}"
        known_keys(where, given, ("at", "do", "to", "with", "digits", "room", "identity"))
        at = number(f"{where}: at", given.get("at", 0), 86_400)
        if given.get("do") not in self._actions:
            raise BadPlan(f"{where}: do must be one of {', '.join(self._actions)}")
        facts = {name: value for name, value in given.items() if name not in ("at", "do")}
        return Event(at, given["do"], facts)

    def _happen(self, event: Event) -> None:
        try:
            event.result = self._actions[event.do](event.facts)
        except (BadPlan, BadFaults) as error:
            event.result = f"refused: {error}"
        self._world.journal.note("scenario.happened", do=event.do, result=event.result)

    def _number(self, facts: dict[str, Any]) -> str:
        plan = number_plan(facts.get("with"))
        with self._world.books.lock:
            self._world.books.number_plans[str(facts.get("to"))] = plan
        return "done"

    def _campaign(self, facts: dict[str, Any]) -> str:
        campaign = read_campaign(facts.get("with"))
        with self._world.books.lock:
            self._world.books.campaigns[str(facts.get("to"))] = campaign
        return "done"

    def _faults(self, facts: dict[str, Any]) -> str:
        self._world.faults.set(facts.get("with"))
        return "done"

    def _no_faults(self, _facts: dict[str, Any]) -> str:
        self._world.faults.clear()
        return "done"

    def _speed(self, facts: dict[str, Any]) -> str:
        self.set_speed(facts.get("with"))
        return "done"

    def _limits(self, facts: dict[str, Any]) -> str:
        self.set_limits(facts.get("with"))
        return "done"

    def _softphones(self, facts: dict[str, Any]) -> str:
        self.set_softphones(facts.get("with"))
        return "done"

    def _newest(self, facts: dict[str, Any]) -> Call | None:
        with self._world.books.lock:
            calls = self._world.books.calls_newest_first(str(facts.get("to")))
            return next((call for call in calls if call.is_live), None)

    def _press(self, facts: dict[str, Any], button: Callable[[Call], bool]) -> str:
        """Be the far end of the newest live call to a number."""
        call = self._newest(facts)
        return "done" if call is not None and button(call) else "no such call"

    def _keys(self, facts: dict[str, Any]) -> str:
        call = self._newest(facts)
        pressed = call is not None and self._exchange.press_keys(call, str(facts.get("digits", "")))
        return "done" if pressed else "no such call"

    def _end_room(self, facts: dict[str, Any]) -> str:
        with self._world.books.lock:
            room = self._world.books.find_room(str(facts.get("room")))
            if room is None or not room.is_live:
                return "no such room"
            self._exchange.rooms.end(room)
            return "done"

    def _cut_softphone(self, facts: dict[str, Any]) -> str:
        return "done" if self._exchange.phones.cut(str(facts.get("identity"))) else "no such softphone"


def parse_scenario(text: str) -> Any:
    """YAML, and JSON with it. Raises `BadPlan`."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadPlan(f"not YAML: {' '.join(str(error).split())}") from error


def read_scenario(path: str) -> Any:
    """The scenario in a file, checked for being YAML. Raises `BadSettings`."""
    try:
        return parse_scenario(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeError, BadPlan) as error:
        raise BadSettings(f"carrier-sim cannot read the scenario {path}: {error}") from error
