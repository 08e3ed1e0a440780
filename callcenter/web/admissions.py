"""Who may send, remembered for a few seconds by each process, so that a request costs no query for it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app

from callcenter.intake.queries import KnownKey

FRESH = timedelta(seconds=5)
"""For so long a process goes by what it has read: a key ended or a source switched off elsewhere still works."""
MOST_KEYS = 1_000


@dataclass(frozen=True, slots=True)
class _Read:
    known: KnownKey
    at: datetime


class Admissions:
    """The write keys one process has lately seen. Keys nobody knows are not kept: a new key works at once."""

    def __init__(self) -> None:
        self._by_key: dict[str, _Read] = {}

    def limit_of(self, write_key: str) -> int | None:
        """Return how many requests a second a key's source may make, as last read; None when not known."""
        read = self._by_key.get(write_key)
        return read.known.source.requests_per_second if read else None

    def known(self, write_key: str, now: datetime, ask: Callable[[], KnownKey | None]) -> KnownKey | None:
        """Return the key as it was read within the last seconds; otherwise ask for it and remember it."""
        read = self._by_key.get(write_key)
        if read and timedelta(0) <= now - read.at < FRESH:
            return read.known
        known = ask()
        self._by_key.pop(write_key, None)
        if known is not None:
            while len(self._by_key) >= MOST_KEYS:
                self._by_key.pop(next(iter(self._by_key)), None)  # the one read longest ago
            self._by_key[write_key] = _Read(known, now)
        return known


def admissions() -> Admissions:
    """Return this process's memory of write keys."""
    kept = current_app.extensions.setdefault("callcenter.admissions", Admissions())
    assert isinstance(kept, Admissions)
    return kept
