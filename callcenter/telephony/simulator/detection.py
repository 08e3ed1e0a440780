"""Answering-machine detection: when a call is answered, what the detector will say and when.

Synchronous: the call's TwiML waits for the verdict. Asynchronous: it runs on, and a callback of its own
tells the verdict. A call that ends before it is told of by neither. Call under the books' lock.
"""

from collections.abc import Callable
from random import Random

from .callbacks import announce_detection
from .records import AmdOrder, Call
from .world import World


class Detector:
    def __init__(self, world: World) -> None:
        self._world = world

    def listen(self, call: Call, order: AmdOrder, go_on: Callable[[], None]) -> None:
        """Start listening; `go_on` runs at once when asynchronous, else with the verdict."""
        fate = call.fate
        if fate is None:
            go_on()
            return
        chance = Random(f"{self._world.settings.seed}:{call.number}:amd")
        verdict, after_s = fate.amd.verdict(fate.outcome, order.timeout_s, order.until_end_of_message, chance)

        def decided() -> None:
            with self._world.books.lock:
                if call.is_live:
                    self._tell(call, order, verdict, after_s)
                    if not order.is_async:
                        go_on()

        call.timers["amd"] = self._world.timers.after(after_s, decided, scaled=True)
        if order.is_async:
            go_on()

    def _tell(self, call: Call, order: AmdOrder, verdict: str, after_s: float) -> None:
        call.answered_by, call.amd_ms = verdict, round(after_s * 1_000)
        self._world.books.touch(call)
        self._world.journal.note("call.detected", call=call.sid, answered_by=verdict, ms=call.amd_ms)
        if order.callback is not None:
            announce_detection(self._world, call, order.callback)
