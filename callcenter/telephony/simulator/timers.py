"""One thread and a heap: everything the simulator does later is an entry here, never a sleeping thread."""

import heapq
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

Action = Callable[[], object]


@dataclass(order=True, slots=True)
class Timer:
    """An action due at a monotonic time; `scaled` ones follow changes of speed."""

    due: float
    number: int
    action: Action = field(compare=False)
    scaled: bool = field(compare=False, default=False)
    canceled: bool = field(compare=False, default=False)

    def cancel(self) -> None:
        self.canceled = True


class Timers:
    """`after` may be called from any thread; actions run one at a time in the timer thread."""

    def __init__(self, speed: float, on_error: Callable[[BaseException], None]) -> None:
        self._speed = speed
        self._on_error = on_error
        self._heap: list[Timer] = []
        self._made = 0
        self._stopped = False
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="timers", daemon=True)

    @property
    def speed(self) -> float:
        return self._speed

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._wake:
            self._stopped = True
            self._wake.notify()

    def after(self, seconds: float, action: Action, *, scaled: bool = False) -> Timer:
        """Run `action` in `seconds`; when `scaled`, that is simulated time and is divided by the speed."""
        with self._wake:
            self._made += 1
            wait = seconds / self._speed if scaled else seconds
            timer = Timer(time.monotonic() + max(0.0, wait), self._made, action, scaled)
            heapq.heappush(self._heap, timer)
            if self._heap[0] is timer:
                self._wake.notify()
            return timer

    def set_speed(self, speed: float) -> None:
        """From now on; what is left of running ring and talk times is stretched or shortened too."""
        with self._wake:
            now, ratio = time.monotonic(), self._speed / speed
            for timer in self._heap:
                if timer.scaled and timer.due > now:
                    timer.due = now + (timer.due - now) * ratio
            heapq.heapify(self._heap)
            self._speed = speed
            self._wake.notify()

    def _run(self) -> None:
        while (timer := self._next()) is not None:
            try:
                timer.action()
            except Exception as error:  # one broken action must not stop every other call
                self._on_error(error)

    def _next(self) -> Timer | None:
        with self._wake:
            while not self._stopped:
                while self._heap and self._heap[0].canceled:
                    heapq.heappop(self._heap)
                wait = self._heap[0].due - time.monotonic() if self._heap else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._heap)
                self._wake.wait(wait)
            return None
