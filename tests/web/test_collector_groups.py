"""Requests that gather while another is stored are stored in one transaction, and none spoils another."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from sqlmodel import Session, select

from callcenter.db import make_engine, session_scope
from callcenter.intake import service as intake
from callcenter.intake.rules import EventBatch, read_batch
from callcenter.models import EventSource, JourneyEvent
from callcenter.web.collector_groups import TogetherStore

NOW = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)


class Slow:
    """Units of work on a database; the first waits until it is let go, and all are counted."""

    def __init__(self, url: str) -> None:
        self.engine = make_engine(url)
        self.begun, self.go = threading.Event(), threading.Event()
        self.count = 0
        self.fails_for: str | None = None

    @contextmanager
    def __call__(self) -> Iterator[Session]:
        self.count += 1
        if self.count == 1:
            self.begun.set()
            assert self.go.wait(10)
        with session_scope(self.engine) as session:
            yield session
            session.flush()
            names = set(session.exec(select(JourneyEvent.message_id)))
            if self.fails_for in names:
                raise ValueError("broken")


@pytest.fixture
def slow(fresh_database: Any) -> Iterator[Slow]:
    """A database of its own."""
    made = Slow(fresh_database("groups"))
    yield made
    made.engine.dispose()


def batch_of(*names: str) -> EventBatch:
    """A request with tracked events of these message ids."""
    raw = [{"type": "track", "event": "seen", "userId": "ann", "messageId": name} for name in names]
    return read_batch(list(raw), {}, NOW)


def source_on(slow: Slow) -> EventSource:
    with session_scope(slow.engine) as session:
        return intake.add_source(session, "app", "key", 1.0, NOW)


def sent_while_one_is_stored(slow: Slow, *batches: EventBatch) -> list[Any]:
    """Send the first batch, and the others while it is being stored; return what became of each."""
    store, source = TogetherStore(slow), source_on(slow)

    def send(batch: EventBatch) -> Any:
        try:
            taken = store.store(source, batch, NOW)
            return taken.accepted, taken.duplicate
        except ValueError as error:
            return str(error)

    with ThreadPoolExecutor(len(batches)) as pool:
        first = pool.submit(send, batches[0])
        assert slow.begun.wait(10)
        others = [pool.submit(send, batch) for batch in batches[1:]]
        while len(store._waiting) < len(others):
            threading.Event().wait(0.01)
        slow.go.set()
        return [one.result(10) for one in (first, *others)]


def test_requests_that_come_in_meanwhile_share_one_transaction(slow: Slow) -> None:
    found = sent_while_one_is_stored(slow, batch_of("a"), batch_of("b", "c"), batch_of("c"), batch_of("a"))
    assert slow.count == 2
    assert found[0] == (1, 0) and found[3] == (0, 1)
    assert sorted(found[1:3]) in ([(0, 1), (2, 0)], [(1, 0), (1, 1)]), (
        "the same event is counted for one of them"
    )


def test_one_that_breaks_spoils_none_of_its_group(slow: Slow) -> None:
    slow.fails_for = "bad"
    found = sent_while_one_is_stored(slow, batch_of("a"), batch_of("b"), batch_of("bad"), batch_of("c"))
    assert sorted(map(str, found)) == ["(1, 0)", "(1, 0)", "(1, 0)", "broken"]
    with Session(slow.engine) as session:
        assert set(session.exec(select(JourneyEvent.message_id))) == {"a", "b", "c"}


def test_one_alone_that_breaks_is_told_and_not_tried_twice(slow: Slow) -> None:
    slow.fails_for = "bad"
    assert sent_while_one_is_stored(slow, batch_of("bad")) == ["broken"]
    assert slow.count == 1


def test_a_group_is_no_larger_than_the_largest_request(slow: Slow) -> None:
    store = TogetherStore(slow, most_events=3)
    waiting = [SimpleNamespace(batch=batch_of(*(f"{n}{m}" for m in range(2)))) for n in range(4)]
    store._waiting = list(waiting)  # type: ignore[arg-type]
    assert [len(store._next_group()) for _ in range(4)] == [1, 1, 1, 1]
