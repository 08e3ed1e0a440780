"""Requests that come in together are stored together: one transaction, one wait for the disk.

Under load most of what a small request costs is its transaction. So while one is being stored, the requests
that come in meanwhile gather, and the next transaction takes them all; nobody ever waits for company.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from callcenter import pipeline
from callcenter.db import is_conflict
from callcenter.intake.rules import EventBatch
from callcenter.models import EventSource

MOST_EVENTS = 2_500
"""Of one transaction, unless a single request has more: as many as the largest request may bring."""

UnitOfWork = Callable[[], AbstractContextManager[Session]]


@dataclass(slots=True, eq=False)
class _Waiting:
    """One request's events, and what became of them once they are stored."""

    source: EventSource
    batch: EventBatch
    received_at: datetime
    taken: pipeline.Intake | None = None
    is_alone: bool = False
    error: Exception | None = None

    @property
    def is_settled(self) -> bool:
        """Whether no group has to take it any more."""
        return self.taken is not None or self.is_alone or self.error is not None


class TogetherStore:
    """Stores requests in groups; one per process."""

    def __init__(self, unit_of_work: UnitOfWork, most_events: int = MOST_EVENTS) -> None:
        self._unit_of_work, self._most_events = unit_of_work, most_events
        self._waiting: list[_Waiting] = []
        self._door = threading.Lock()
        self._turn = threading.Lock()

    def store(self, source: EventSource, batch: EventBatch, received_at: datetime) -> pipeline.Intake:
        """Return what became of a request's events, after the commit.

        When a group cannot be stored, each of its requests is tried by itself, so that one cannot spoil
        another; what then breaks is raised here. OperationalError is raised at once: the database cannot now.
        """
        mine = _Waiting(source, batch, received_at)
        with self._door:
            self._waiting.append(mine)
        with self._turn:
            while not mine.is_settled:
                self._store_group(self._next_group())
        if mine.error is not None:
            raise mine.error
        if mine.taken is None:
            with self._unit_of_work() as session:
                mine.taken = pipeline.take_events(session, source, batch, received_at)
        return mine.taken

    def _next_group(self) -> list[_Waiting]:
        """Take those who have waited longest, up to the most events of one transaction."""
        with self._door:
            group, events = self._waiting[:1], len(self._waiting[0].batch.events)
            for one in self._waiting[1:]:
                events += len(one.batch.events)
                if events > self._most_events:
                    break
                group.append(one)
            self._waiting = self._waiting[len(group) :]
        return group

    def _store_group(self, group: Sequence[_Waiting]) -> None:
        by_source: dict[UUID, list[_Waiting]] = {}
        for one in group:
            by_source.setdefault(one.source.id, []).append(one)
        taken: list[tuple[_Waiting, pipeline.Intake]] = []
        try:
            with self._unit_of_work() as session:
                for members in by_source.values():
                    now = max(one.received_at for one in members)
                    found = pipeline.take_batches(
                        session, members[0].source, [one.batch for one in members], now
                    )
                    taken += zip(members, found, strict=True)
        except Exception as error:
            self._settle_broken(group, error)
            return
        for one, intake in taken:
            one.taken = intake

    def _settle_broken(self, group: Sequence[_Waiting], error: Exception) -> None:
        """Let each of a group that broke be tried by itself, unless the database said that it cannot now.

        Then those who wait behind are told so too: one after the other they would wait for it many times over.
        """
        cannot_now = isinstance(error, OperationalError) and not is_conflict(error)
        if cannot_now:
            with self._door:
                group, self._waiting = [*group, *self._waiting], []
        for one in group:
            one.is_alone = len(group) > 1 and not cannot_now
            one.error = None if one.is_alone else error
