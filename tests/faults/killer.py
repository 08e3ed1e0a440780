"""`kill -9` at random moments, the same for one seed: processes of a running instance, sometimes two at once."""

import random
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType

import psutil

from tests.system import System

ONE_OF_WEB = "one worker of web"
"""One of the web server's own processes; the other goes on, and the server starts it again at once."""
WHILE_SENDING: Mapping[str, int] = {"web": 5, ONE_OF_WEB: 3, "scheduler": 2, "worker-1": 1, "worker-2": 1}
WHILE_FIRING: Mapping[str, int] = {"scheduler": 3, "worker-1": 1, "worker-2": 1, ONE_OF_WEB: 1}
MOST_KILLS: Mapping[str, int] = {"web": 3, ONE_OF_WEB: 3, "scheduler": 4, "worker-1": 3, "worker-2": 3}
"""`up` waits longer before each further start of a process that keeps dying."""
REST_SECONDS = 20.0
"""Between two kills of the whole web: clients wait twice as long from try to try, and shall come in between."""
PAUSE_SECONDS = (3.0, 5.0)
TWO_AT_ONCE = 0.3


class Killer:
    """Kills until its block ends. `victims` and `most` may be changed on the way; `kills` counts."""

    def __init__(self, system: System, seed: int) -> None:
        self.victims, self.most, self.kills = WHILE_SENDING, MOST_KILLS, Counter[str]()
        self._system, self._chance, self._stop = system, random.Random(seed), threading.Event()
        self._web_killed_at = -REST_SECONDS
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Killer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._chance.uniform(*PAUSE_SECONDS)):
            victims = self.victims
            for _ in range(2 if self._chance.random() < TWO_AT_ONCE else 1):
                (name,) = self._chance.choices(list(victims), list(victims.values()))
                if self.kills[name] < self.most[name] and self._kill(name):
                    self.kills[name] += 1

    def _kill(self, name: str) -> bool:
        """Kill a process that runs; False when it is down already."""
        with suppress(OSError, ValueError, psutil.Error):
            process = psutil.Process(self._system.pid("web" if name == ONE_OF_WEB else name))
            # A process id may have been given to somebody else meanwhile.
            if process.environ().get("CALLCENTER_HOME") != str(self._system.home):
                return False
            # Killed before it is up again, the web would never be.
            if process.pid == self._system.pid("web") and not self._system.is_ready():
                return False
            if name == "web":
                if time.monotonic() - self._web_killed_at < REST_SECONDS:
                    return False
                self._web_killed_at = time.monotonic()
            if name == ONE_OF_WEB:
                self._chance.choice(process.children()).kill()
            else:
                self._system.kill(name)
            return True
        return False
