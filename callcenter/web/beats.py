"""Whose console is open: told for all consoles of a process together, once in a while."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID
from weakref import WeakKeyDictionary

import structlog

from callcenter import pipeline
from callcenter.runtime import Runtime

BEAT_SECONDS = 10.0
"""Well under what an unseen console is given (routing.policy.SILENT_BROWSER): one lost beat harms nobody."""
_log = structlog.get_logger()


class Beats:
    """The agents whose consoles listen to this process."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._lock = threading.Lock()
        self._open: dict[UUID, int] = {}
        self._thread: threading.Thread | None = None

    def add(self, agent_id: UUID) -> None:
        """A console of this agent has been opened."""
        with self._lock:
            self._open[agent_id] = self._open.get(agent_id, 0) + 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="console-beats", daemon=True)
                self._thread.start()

    def remove(self, agent_id: UUID) -> None:
        """A console of this agent has been closed."""
        with self._lock:
            left = self._open.pop(agent_id, 0) - 1
            if left > 0:
                self._open[agent_id] = left

    def _run(self) -> None:
        while True:
            time.sleep(BEAT_SECONDS)
            with self._lock:
                agents = sorted(self._open)
                if not agents:
                    self._thread = None
                    return
            self.beat(agents)

    def beat(self, agents: list[UUID]) -> None:
        """Say that these agents' consoles are open; a database that is away is told with the next beat."""
        try:
            with self._rt.unit_of_work() as session:
                offered = pipeline.see_consoles(session, agents, self._rt.clock())
            for agent_id in offered:
                with self._rt.unit_of_work() as session:
                    pipeline.see_console(session, agent_id, self._rt.clock())
        except (
            Exception
        ) as error:  # whatever it is: without beats every agent of this process would count as away
            _log.warning("consoles.not_seen", agents=len(agents), error=type(error).__name__)


_beats: "WeakKeyDictionary[Runtime, Beats]" = WeakKeyDictionary()
_making = threading.Lock()


@contextmanager
def keep_seen(rt: Runtime, agent_id: UUID) -> Iterator[None]:
    """Let an agent's console count as looked at for the length of the block."""
    with _making:
        beats = _beats.setdefault(rt, Beats(rt))
    beats.add(agent_id)
    try:
        yield
    finally:
        beats.remove(agent_id)
