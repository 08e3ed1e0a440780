"""Store events once: first the receipts, which say which events are new, then the rows."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from struct import Struct
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import Session

from callcenter.ahead import copying
from callcenter.db import array_of_ids, cursor_of, moment_array_of, moment_on_the_wire
from callcenter.domain.events import EventValue, PlacedEvent

_CLAIM = """
INSERT INTO event_receipt (id, received_at) SELECT * FROM unnest(%(ids)s::uuid[], %(at)s::timestamptz[])
ON CONFLICT DO NOTHING RETURNING id
"""


def event_id(source_id: UUID, message_id: str) -> UUID:
    """Return the id under which a source's message is stored, always the same."""
    return UUID(bytes=_event_id(f"{source_id}:", message_id))


def _event_id(source: str, message_id: str) -> bytes:
    return sha256((source + message_id).encode()).digest()[:16]


def _in_time(one: tuple[bytes, EventValue]) -> Any:
    return one[1].order


class Claim:
    """Events whose receipts are being written: those stored before, or twice in the batch, are left out."""

    def __init__(self, session: Session, source_id: UUID, events: Sequence[EventValue]) -> None:
        """Begin to write the receipts.

        Two batches with the same event wait for each other here, in key order, and one of them leaves it out.
        """
        self._by_id: dict[bytes, EventValue] = {}
        source = f"{source_id}:"
        for event in events:
            self._by_id.setdefault(_event_id(source, event.message_id), event)
        if self._by_id:
            ids = sorted(self._by_id)  # as PostgreSQL sorts them, the order in which rows are locked
            moments = moment_array_of(self._by_id[one].received_at for one in ids)
            self._cursor = cursor_of(session, binary=True)
            self._cursor.execute(_CLAIM, {"ids": array_of_ids(ids), "at": moments})
            self._by_id = dict(sorted(self._by_id.items(), key=_in_time))

    def events(self) -> dict[bytes, EventValue]:
        """Wait for the receipts; return, by their ids, the events that are new, in the order of time."""
        if not self._by_id or self._cursor.rowcount == len(self._by_id):
            return self._by_id
        fresh = {row[0].bytes for row in self._cursor}
        return {one: event for one, event in self._by_id.items() if one in fresh}


EVENT_COLUMNS = (
    "id, source_id, message_id, customer_id, kind, name, journey, journey_key, step, role, key,"
    " event_time, received_at, position, historical, clamped, properties"
)
_COPY = """
COPY journey_event (id, source_id, customer_id, event_time, received_at, position, historical, clamped,
                    kind, name, journey, step, role, key, message_id, journey_key, properties)
FROM STDIN (FORMAT binary)
"""
_BEGIN, _END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_FIRST = Struct(">h i16s i16s i16s iq iq ii i? i?")
"""How many columns there are, and the first eight of them, each with its length."""
_ABSENT = b"\xff\xff\xff\xff"


def rows_to_store(source_id: UUID, placed: Mapping[bytes, PlacedEvent]) -> bytes:
    """Return the rows of events, by their ids, as `storing` takes them.

    https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS
    """
    if not placed:
        return b""
    rows, source, words = [_BEGIN], source_id.bytes, _Words()
    for one_id, one in placed.items():
        event = one.event
        rows += (
            _FIRST.pack(
                17, 16, one_id, 16, source, 16, one.customer_id.bytes,
                8, moment_on_the_wire(event.event_time), 8, moment_on_the_wire(event.received_at),
                4, event.position, 1, event.historical, 1, event.clamped,
            ),
            words[event.kind, event.name, one.journey, one.step, one.role, one.key],
            _column(event.message_id.encode()),
            _column(one.journey_key.encode()),
            _column(b"\x01" + orjson.dumps(event.properties)),
        )  # fmt: skip
    return b"".join((*rows, _END))


class _Words(dict[tuple[str | None, ...], bytes]):
    """What most events share with others, written once."""

    def __missing__(self, words: tuple[str | None, ...]) -> bytes:
        columns = [_ABSENT if one is None else _column(one.encode()) for one in words]
        self[words] = written = b"".join(columns)
        return written


def _column(value: bytes) -> bytes:
    return len(value).to_bytes(4) + value


@contextmanager
def storing(session: Session, rows: bytes) -> Iterator[None]:
    """Store the rows of events whose ids were claimed, while the block goes on; it may send no statement."""
    if not rows:
        yield
        return
    with copying(session, _COPY, rows):
        yield


def store_events(session: Session, source_id: UUID, placed: Mapping[bytes, PlacedEvent]) -> None:
    """Store events whose ids were claimed, all in one COPY."""
    with storing(session, rows_to_store(source_id, placed)):
        pass
