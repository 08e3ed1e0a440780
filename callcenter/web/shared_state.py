"""What is the same for many viewers is made once: the floor's live part, for all who ask after the same change.

A state is shared as long as nothing has rung since it was read, and for a moment at most: what changes by the mere
passing of time rings nobody. Who takes part in a call, or did the last act, reads words of their own ("You listen")
and has a state of their own.
"""

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from json import dumps

from callcenter.runtime import Runtime

CSRF_MARK = "csrf-token-of-the-viewer"
"""Stands in a shared state where the viewer's own token belongs."""
_LONGEST_SECONDS = 0.5
_KEPT = 64


@dataclass(frozen=True)
class Shared:
    """A rendered state. `rung` is how often the channel had rung before it was read; `own_of` are the viewers who
    read words of their own."""

    html: str
    rung: int
    made_at: float
    own_of: frozenset[str]

    @cached_property
    def event(self) -> str:
        """The state as an event of a stream."""
        return f"event: state\ndata: {dumps(self.html)}\n\n"


@dataclass
class SharedStates:
    """The states of one channel, by what they depend on."""

    states: dict[Hashable, Shared] = field(default_factory=dict)
    locks: dict[Hashable, threading.Lock] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def get(
        self,
        rt: Runtime,
        channel: str,
        key: Hashable,
        viewer_id: str,
        wanted: int | None,
        make: Callable[[], tuple[str, frozenset[str]]],
    ) -> Shared:
        """Return the state for a viewer, made at most once for all who ask at the same time.

        `wanted` is how often the channel had rung when they asked, None when nobody can say: then nothing is
        shared. `make` returns the state in the viewer's words and who else would read other words in it.
        """
        if wanted is None:
            return _made(make, 0)
        if (found := self._fresh(key, viewer_id, wanted)) is not None:
            return found
        with self._lock_of(key):
            if (found := self._fresh(key, viewer_id, wanted)) is not None:
                return found
            rung = rt.times_rung(channel)
            state = _made(make, rung or 0)
            if rung is not None and viewer_id not in state.own_of:
                self.states[key] = state
            return state

    def _fresh(self, key: Hashable, viewer_id: str, wanted: int) -> Shared | None:
        found = self.states.get(key)
        if found is None or found.rung < wanted or viewer_id in found.own_of:
            return None
        return found if time.monotonic() - found.made_at < _LONGEST_SECONDS else None

    def _lock_of(self, key: Hashable) -> threading.Lock:
        with self._guard:
            if len(self.locks) > _KEPT:
                self.locks.clear()
                self.states.clear()
            return self.locks.setdefault(key, threading.Lock())


def _made(make: Callable[[], tuple[str, frozenset[str]]], rung: int) -> Shared:
    began = time.monotonic()
    html, own_of = make()
    return Shared(html, rung, began, own_of)
