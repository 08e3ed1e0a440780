"""One ear of this process for all its streams: a single subscription, however many pages listen.

Thousands of pages may listen to one process; each with a subscription of its own would be a connection each.
"""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from callcenter import outbox
from callcenter.runtime import LIVE_PREFIX, Runtime
from callcenter.web.console_choices import agents_choosing

_LISTEN_SECONDS = 5.0
_LIST_SECONDS = 1.0
_PREFIX = LIVE_PREFIX.encode()


def list_channel(agent_id: UUID) -> str:
    """A channel of the hub's own: rings a second after the floor has begun to, for an agent who chooses whom to
    call. Every change of the floor may be one of their list, and the consoles are thousands."""
    return f"list-{agent_id.hex}"


class Listener:
    """What one stream has heard on its channels since it last asked.

    `rung` is how often the channel of the last ring had rung by then.
    """

    def __init__(self) -> None:
        self._rung = threading.Condition()
        self._heard: set[str] = set()
        self.rung = 0
        self.is_deaf = False
        """The doorbell is away: nothing will be heard any more."""

    def hear(self, channel: str, rung: int) -> None:
        """Note a ring."""
        with self._rung:
            self._heard.add(channel)
            self.rung = rung
            self._rung.notify()

    def go_deaf(self) -> None:
        """Note that nothing will be heard any more."""
        with self._rung:
            self.is_deaf = True
            self._rung.notify()

    def wait(self, seconds: float) -> frozenset[str]:
        """Return the channels that have rung, as soon as one has; none after so many seconds, or when deaf."""
        with self._rung:
            if not self._heard and not self.is_deaf:
                self._rung.wait(max(0.0, seconds))
            heard = frozenset(self._heard)
            self._heard.clear()
            return heard


class Hub:
    """The one subscription and who listens to what of it."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._lock = threading.Lock()
        self._listeners: dict[str, set[Listener]] = {}
        self._ear: threading.Thread | None = None

    @contextmanager
    def listening(self, *channels: str) -> Iterator[Listener]:
        """Listen to channels for the length of the block. Raises redis.RedisError when the doorbell is away."""
        listener = Listener()
        with self._lock:
            if self._ear is None:
                self._ear = self._start()
            for channel in channels:
                self._listeners.setdefault(channel, set()).add(listener)
        try:
            yield listener
        finally:
            with self._lock:
                for channel in channels:
                    found = self._listeners.get(channel, set())
                    found.discard(listener)
                    if not found:
                        self._listeners.pop(channel, None)

    def listens(self) -> Mapping[str, int]:
        """Return how many listen to each channel."""
        with self._lock:
            return {channel: len(found) for channel, found in self._listeners.items()}

    def _start(self) -> threading.Thread:
        # The subscription stands before anybody is told that they are listened for: no ring falls in between.
        subscription = self._rt.redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
        subscription.psubscribe(f"{LIVE_PREFIX}*")
        subscription.get_message(timeout=_LISTEN_SECONDS)
        ear = threading.Thread(target=self._listen, args=(subscription,), name="live-hub", daemon=True)
        ear.start()
        return ear

    def _listen(self, subscription: Any) -> None:
        list_at = float("inf")
        try:
            while True:
                wait = min(_LISTEN_SECONDS, max(0.0, list_at - time.monotonic()))
                message = subscription.get_message(timeout=wait)
                if message is not None:
                    channel = message["channel"].removeprefix(_PREFIX).decode()
                    self._tell(channel, int(message["data"]))
                    if channel == outbox.FLOOR:
                        list_at = min(list_at, time.monotonic() + _LIST_SECONDS)
                if time.monotonic() >= list_at:
                    list_at = float("inf")
                    threading.Thread(target=self._tell_lists, name="live-lists", daemon=True).start()
                elif message is None and self._may_end():
                    return
        except (RedisError, OSError, ValueError):  # a connection closed under our hands is a ValueError
            self._end_deaf()
        finally:
            subscription.close()

    def _tell(self, channel: str, rung: int) -> None:
        with self._lock:
            concerned = tuple(self._listeners.get(channel, ()))
        for listener in concerned:
            listener.hear(channel, rung)

    def _tell_lists(self) -> None:
        with suppress(SQLAlchemyError), self._rt.reading() as session:
            for agent_id in agents_choosing(session):
                self._tell(list_channel(agent_id), 0)

    def _may_end(self) -> bool:
        """Whether nobody listens any more: then the ear ends, and the next listener starts another."""
        with self._lock:
            if self._listeners:
                return False
            self._ear = None
            return True

    def _end_deaf(self) -> None:
        with self._lock:
            self._ear = None
            everybody = {one for found in self._listeners.values() for one in found}
            self._listeners.clear()
        for listener in everybody:
            listener.go_deaf()


_hubs: "WeakKeyDictionary[Runtime, Hub]" = WeakKeyDictionary()
_making = threading.Lock()


def hub_of(rt: Runtime) -> Hub:
    """Return this process's hub."""
    with _making:
        return _hubs.setdefault(rt, Hub(rt))


def until_slot(gather_seconds: float) -> float:
    """Return the seconds until the next slot in which gathered rings are passed on.

    Slots are the same for all processes of a machine, so that pages of one kind ask for their state together and
    can share what was made for the first of them.
    """
    return gather_seconds - time.monotonic() % gather_seconds
