"""Time and everything due later: one thread, two heaps, never a sleeping thread per call.

The clock runs in one of two ways. *Running*: with the wall clock, scaled times divided by the speed.
*Manual*: it stands, and moves only by `advance`, which fires what falls due one after another, each at its
own moment. Real timers (a webhook's retry) follow the wall clock in both.
"""

import heapq
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

Action = Callable[[], object]
COMPACT_ABOVE = 512


@dataclass(order=True, slots=True)
class Timer:
    """An action due at a time of the carrier's clock; `scaled` ones follow changes of speed."""

    due: float
    number: int
    action: Action | None = field(compare=False)
    scaled: bool = field(compare=False, default=False)

    @property
    def canceled(self) -> bool:
        return self.action is None

    def cancel(self) -> None:
        """Never run it; what the action held is let go at once, not when it would have been due."""
        self.action = None


class Timers:
    """`after` may be called from any thread; actions run one at a time."""

    def __init__(self, speed: float, on_error: Callable[[BaseException], None]) -> None:
        self._speed = speed
        self._on_error = on_error
        self._carrier: list[Timer] = []
        self._real: list[Timer] = []
        self._made = 0
        self._stopped = False
        self._stands_at: float | None = None
        self._ahead = 0.0
        self._wake = threading.Condition()
        self._advancing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="timers", daemon=True)

    @property
    def speed(self) -> float:
        """How many simulated seconds pass in one; 1 while the clock is manual."""
        return self._speed if self._stands_at is None else 1.0

    @property
    def is_manual(self) -> bool:
        return self._stands_at is not None

    def monotonic(self) -> float:
        """Seconds of the carrier's clock since some moment; never less than before."""
        return time.monotonic() + self._ahead if self._stands_at is None else self._stands_at

    def now(self) -> datetime:
        """The carrier's date and time: the real one plus what `advance` has put it ahead."""
        return datetime.now(UTC) + timedelta(seconds=self.monotonic() - time.monotonic())

    def waiting(self) -> int:
        """How many timers are still to fire."""
        with self._wake:
            return sum(not timer.canceled for timer in self._carrier + self._real)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._wake:
            self._stopped = True
            self._wake.notify()

    def after(self, seconds: float, action: Action, *, scaled: bool = False, real: bool = False) -> Timer:
        """Run `action` in `seconds` of the carrier's clock; `scaled`: simulated ones; `real`: of the wall's."""
        with self._wake:
            self._made += 1
            wait = max(0.0, seconds / self.speed if scaled else seconds)
            heap = self._real if real else self._carrier
            timer = Timer((time.monotonic() if real else self.monotonic()) + wait, self._made, action, scaled)
            heapq.heappush(heap, timer)
            if heap[0] is timer:
                self._wake.notify()
            self._compact(heap)
            return timer

    def set_speed(self, speed: float) -> None:
        """Run at this speed from now on; what is left of running ring and talk times changes with it."""
        with self._wake:
            if self._stands_at is not None:
                self._ahead = max(0.0, self._stands_at - time.monotonic())
                late = time.monotonic() + self._ahead - self._stands_at
                self._restretch(1.0, speed, shift=late)
                self._stands_at = None
            else:
                self._restretch(self._speed, speed)
            self._speed = speed
            self._wake.notify()

    def stand(self) -> None:
        """Stop the clock; from here on `advance` moves it."""
        with self._wake:
            if self._stands_at is None:
                self._restretch(self._speed, 1.0)
                self._stands_at = self.monotonic()
                self._wake.notify()

    def advance(self, seconds: float, settle: Action) -> int:
        """Move a standing clock, fire what falls due in order and `settle` after each; how many fired."""
        with self._advancing:
            settle()
            target, fired = self.monotonic() + seconds, 0
            while (action := self._pop_until(target)) is not None:
                self._perform(action)
                fired += 1
                settle()
            with self._wake:
                if self._stands_at is not None:
                    self._stands_at = max(self._stands_at, target)
            return fired

    def _restretch(self, was: float, will_be: float, shift: float = 0.0) -> None:
        now = self.monotonic()
        for timer in self._carrier:
            if timer.scaled and timer.due > now:
                timer.due = now + (timer.due - now) * was / will_be
            timer.due += shift
        heapq.heapify(self._carrier)

    def _compact(self, heap: list[Timer]) -> None:
        """A call's time limit is canceled hours before it is due: without this the heap would only grow."""
        if len(heap) > COMPACT_ABOVE and self._made % COMPACT_ABOVE == 0:
            heap[:] = [timer for timer in heap if not timer.canceled]
            heapq.heapify(heap)

    def _pop_until(self, target: float) -> Action | None:
        with self._wake:
            if self._stands_at is None:
                return None
            found = _next_due(self._carrier, target)
            if found is None:
                return None
            self._stands_at = max(self._stands_at, found[0])
            return found[1]

    def _run(self) -> None:
        while (action := self._next()) is not None:
            self._perform(action)

    def _perform(self, action: Action) -> None:
        try:
            action()
        except Exception as error:  # one broken action must not stop every other call
            self._on_error(error)

    def _next(self) -> Action | None:
        with self._wake:
            while not self._stopped:
                heaps = [(self._real, time.monotonic())]
                if self._stands_at is None:
                    heaps.append((self._carrier, self.monotonic()))
                for heap, now in heaps:
                    if (found := _next_due(heap, now)) is not None:
                        return found[1]
                waits = [heap[0].due - now for heap, now in heaps if heap]
                self._wake.wait(max(0.0, min(waits)) if waits else None)
            return None


def _next_due(heap: list[Timer], now: float) -> tuple[float, Action] | None:
    """Take the first timer that is due; the action is read once, for another thread may cancel meanwhile."""
    while heap and (heap[0].canceled or heap[0].due <= now):
        timer = heapq.heappop(heap)
        action = timer.action
        if action is not None:
            return timer.due, action
    return None
