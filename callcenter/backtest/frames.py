"""Stored events as columns: from PostgreSQL and from the archive, put together course by course.

PostgreSQL gives each slice of time as one row of arrays: sent row by row, most of the time would go into the
rows. A course is known by the customer's id and a 64-bit hash of its journey key.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import polars as pl
import psycopg
from numpy.typing import NDArray

from callcenter.backtest.columns import ROLES, Bools, EventColumns, Ints
from callcenter.domain.journey import EventRole

Words = NDArray[np.uint64]
_MIXERS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)
_PG_EPOCH = 946_684_800_000_000
"""Microseconds between 1970 and 2000, from which PostgreSQL counts."""
_PER_ROLE, _PER_KEY = 1 << 10, 1 << 12

SLICE = """
SELECT count(*), string_agg(uuid_send(customer_id), ''), array_agg(hashtextextended(journey_key, 0)),
       array_agg(event_time), array_agg(received_at), array_agg(position),
       array_agg(coalesce(array_position(%(steps)s::text[], step::text), 0)
                 + 1024 * CASE role WHEN 'enter' THEN 1 WHEN 'exit' THEN 2 WHEN 'error' THEN 3 ELSE 0 END
                 + 4096 * coalesce(array_position(%(keys)s::text[], key::text), 0)),
       CASE WHEN %(many_sources)s THEN array_agg(array_position(%(sources)s::uuid[], source_id)) END,
       array_agg(octet_length(journey_key)), string_agg(journey_key, ''),
       array_agg(octet_length(message_id)), string_agg(message_id, '')
FROM journey_event WHERE {} AND received_at >= %(from)s AND received_at < %(before)s
"""


@dataclass(slots=True)
class Piece:
    """Events of one place and time; those of one course are in their order.

    `high`, `low` are the halves of the customer's id, `hashed` the hash of the journey key; `position` is the
    event's place in its batch. `keys_of` gives the journey keys of rows.
    """

    high: Words
    low: Words
    hashed: Words
    step: NDArray[np.int8]
    role: NDArray[np.int8]
    key: NDArray[np.int16]
    at: Ints
    received: Ints
    position: NDArray[np.int32]
    lateness: Ints
    keys_of: Callable[[Ints], list[str]]
    is_archived: bool = False

    def __len__(self) -> int:
        return len(self.at)


@dataclass(slots=True)
class Table:
    """All events of a journey as columns, and whose each row is."""

    columns: EventColumns
    pieces: Sequence[Piece]
    order: Ints

    def whose(self, rows: Ints) -> list[tuple[str, str]]:
        """Return the customer's id and the journey key of rows."""
        places = self.order[rows]
        found: list[tuple[str, str]] = [("", "")] * len(places)
        starts = np.cumsum([0, *(len(piece) for piece in self.pieces)])
        for number, piece in enumerate(self.pieces):
            mine = np.flatnonzero((places >= starts[number]) & (places < starts[number + 1]))
            inside = places[mine] - starts[number]
            ids = zip(piece.high[inside].tolist(), piece.low[inside].tolist(), strict=True)
            keys = piece.keys_of(inside)
            for place, (high, low), key in zip(mine.tolist(), ids, keys, strict=True):
                digits = f"{high:016x}{low:016x}"
                customer_id = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
                found[place] = customer_id, key
        return found


def table_of(pieces: Iterable[Piece]) -> Table:
    """Put pieces together: those from the database, and from the archive, each in the order of their times."""
    kept = [piece for piece in pieces if len(piece)]
    if not kept:
        return Table(EventColumns.empty(), [], np.empty(0, np.int64))
    joined = {
        one.name: np.concatenate([getattr(piece, one.name) for piece in kept])
        for one in fields(Piece)
        if one.name not in ("keys_of", "is_archived")
    }
    archived = np.concatenate([np.full(len(piece), piece.is_archived) for piece in kept])
    mixed = _mix(joined["high"], joined["low"], joined["hashed"])
    if archived.any() and not archived.all():
        order = np.lexsort((joined["position"], joined["at"], joined["received"], mixed))
    else:
        order = np.argsort(mixed, kind="stable")
    mixed, archived = mixed[order], archived[order]
    identity = [joined.pop(name)[order] for name in ("high", "low", "hashed")]
    is_first = _changes(*identity)
    timed = [joined[name][order] for name in ("received", "at", "position")]
    is_doubtful = is_first & ~_changes(mixed)  # two courses with one hash lie mixed with each other
    is_doubtful |= ~is_first & ~_changes(*timed) & _changes(archived)  # or we cannot tell which was first
    is_doubtful[:-1] |= is_doubtful[1:]
    columns = EventColumns(
        is_first=is_first,
        step=joined["step"][order],
        role=joined["role"][order],
        key=joined["key"][order],
        at=timed[1],
        received=timed[0],
        lateness=joined["lateness"][order],
        is_doubtful=is_doubtful,
    )
    return Table(columns, kept, order)


def _mix(*words: Words) -> Words:
    mixed = np.zeros_like(words[0])
    for word, by in zip(words, _MIXERS, strict=True):
        mixed = (mixed ^ word) * by
        mixed ^= mixed >> np.uint64(29)
    return mixed


def _changes(*columns: NDArray[Any]) -> Bools:
    """Whether a row differs from the one before in any column; the first row does."""
    changed = np.ones(len(columns[0]), np.bool_)
    changed[1:] = columns[0][1:] != columns[0][:-1]
    for column in columns[1:]:
        changed[1:] |= column[1:] != column[:-1]
    return changed


def read_slice(cursor: psycopg.Cursor[Any], statement: str, facts: Mapping[str, Any], late: Ints) -> Piece:
    """Read what a SLICE statement selects; `late` holds the sources' latenesses in microseconds.

    `cursor` is a binary one.
    """
    cursor.execute(statement.encode(), facts)
    assert cursor.pgresult is not None
    raw = [cursor.pgresult.get_value(0, number) or b"" for number in range(12)]
    halves = np.frombuffer(raw[1], ">u8").astype(np.uint64).reshape(-1, 2)
    coded = _array(raw[6], ">i4")
    piece = Piece(
        high=halves[:, 0],
        low=halves[:, 1],
        hashed=_array(raw[2], ">i8").view(np.uint64),
        step=(coded % _PER_ROLE).astype(np.int8),
        role=(coded % _PER_KEY // _PER_ROLE).astype(np.int8),
        key=(coded // _PER_KEY).astype(np.int16),
        at=_array(raw[3], ">i8") + _PG_EPOCH,
        received=_array(raw[4], ">i8") + _PG_EPOCH,
        position=_array(raw[5], ">i4").astype(np.int32),
        lateness=late[_array(raw[7], ">i4") - 1]
        if raw[7]
        else np.full(len(coded), late[0] if len(late) else 0),
        keys_of=lambda _: [],
    )
    order = _in_order(piece, _Texts(raw[11], _array(raw[10], ">i4")))
    keys = _Texts(raw[9], _array(raw[8], ">i4"))
    for one in fields(Piece):
        if one.name not in ("keys_of", "is_archived"):
            setattr(piece, one.name, getattr(piece, one.name)[order])
    piece.keys_of = lambda rows: [keys[row].decode() for row in order[rows].tolist()]
    return piece


def _array(raw: bytes, kind: str) -> Ints:
    """Read an array without nulls as PostgreSQL sends it: a head of 20 bytes, and each value after its length."""
    if not raw:
        return np.empty(0, np.int64)
    values = np.frombuffer(raw, [("length", ">i4"), ("value", kind)], offset=20)["value"]
    return values.astype(np.int64)


class _Texts:
    """Texts that came as one, with their lengths in bytes."""

    def __init__(self, joined: bytes, lengths: Ints) -> None:
        self._joined, self._ends = joined, np.append(0, np.cumsum(lengths))

    def __getitem__(self, row: int) -> bytes:
        return self._joined[self._ends[row] : self._ends[row + 1]]


def _in_order(piece: Piece, message_ids: _Texts) -> Ints:
    """Order rows by course, then received_at, event_time, position and message id."""
    mixed = _mix(piece.high, piece.low, piece.hashed)
    order = np.argsort(mixed, kind="stable")
    if not _is_in_order(piece, mixed, order):  # rows mostly lie as they came in
        order = np.lexsort((piece.position, piece.at, piece.received, mixed))
    names = ("high", "low", "hashed", "received", "at", "position")
    is_new = _changes(*(getattr(piece, name)[order] for name in names))
    starts = np.flatnonzero(is_new)
    sizes = np.diff(np.append(starts, len(order)))
    shared = np.flatnonzero(np.repeat(sizes, sizes) > 1)
    if not len(shared):
        return order
    starts, sizes = starts[sizes > 1], sizes[sizes > 1]
    alike = _is_alike(piece, order[shared], np.cumsum(np.append(0, sizes[:-1])))
    for start, size in zip(starts[~alike].tolist(), sizes[~alike].tolist(), strict=True):
        rows = slice(start, start + size)
        order[rows] = sorted(order[rows].tolist(), key=message_ids.__getitem__)
    return order


def _is_in_order(piece: Piece, mixed: Words, order: Ints) -> bool:
    """Whether the rows of each course follow each other by received_at, event_time and position."""
    later = np.zeros(max(len(order) - 1, 0), np.bool_)
    for column in (piece.position, piece.at, piece.received, mixed):  # the least important first
        ordered = column[order]
        later = (ordered[1:] > ordered[:-1]) | ((ordered[1:] == ordered[:-1]) & later)
        if column is piece.position:
            later |= ordered[1:] == ordered[:-1]
    return bool(later.all())


def _is_alike(piece: Piece, rows: Ints, starts: Ints) -> Bools:
    """Whether the order of events of one moment makes no difference, for each group of them.

    That is when they all say the same, or at most that they enter the step the others are active on.
    """
    step, role, key = (getattr(piece, name)[rows].astype(np.int64) for name in ("step", "role", "key"))
    is_enter = role == ROLES[EventRole.ENTER]
    matters = (role == ROLES[EventRole.EXIT]) | (~is_enter & (key != 0))
    alike = _all_same(step, starts) & _all_same(key * is_enter, starts)
    alike &= ~np.logical_or.reduceat(matters, starts)
    alike |= _all_same((step * 8 + role) * _PER_KEY + key, starts)
    return alike & _all_same(piece.lateness[rows], starts)


def _all_same(values: Ints, starts: Ints) -> Bools:
    """Whether the values of each group of rows, by where they start, are one and the same."""
    same: Bools = np.minimum.reduceat(values, starts) == np.maximum.reduceat(values, starts)
    return same


def read_archived(
    rows: pl.LazyFrame,
    steps: Sequence[str],
    keys: Sequence[str],
    late: Mapping[bytes, int],
    hashes: Callable[[list[str]], Sequence[int]] | None,
) -> Piece:
    """Read rows of the archive, already filtered and in the order of their weeks.

    `late` gives the sources' latenesses in microseconds; `hashes` gives the journey keys' hashes, where they
    must be those of PostgreSQL.
    """
    roles = {role.value: number for role, number in ROLES.items()}
    one_lateness = len(set(late.values())) <= 1
    lateness = (
        pl.lit(next(iter(late.values()), 0), pl.Int64)
        if one_lateness
        else pl.col("source_id").replace_strict(list(late), list(late.values()), return_dtype=pl.Int64)
    )
    frame = rows.select(
        pl.col("customer_id").bin.head(8).bin.reinterpret(dtype=pl.UInt64, endianness="big").alias("high"),
        pl.col("customer_id").bin.tail(8).bin.reinterpret(dtype=pl.UInt64, endianness="big").alias("low"),
        pl.col("journey_key"),
        _numbered("step", {step: number for number, step in enumerate(steps, 1)}, pl.Int8),
        _numbered("role", roles, pl.Int8),
        _numbered("key", {key: number for number, key in enumerate(keys, 1)}, pl.Int16),
        pl.col("event_time").dt.timestamp("us").alias("at"),
        pl.col("received_at").dt.timestamp("us").alias("received"),
        pl.col("position"),
        lateness.alias("lateness"),
    ).collect()
    journey_keys = frame.get_column("journey_key")
    hashed = journey_keys.hash()
    if hashes is not None:
        known = journey_keys.unique()
        signed = pl.Series(hashes(known.to_list()), dtype=pl.Int64)
        hashed = journey_keys.replace_strict(known, signed, return_dtype=pl.Int64)
    named = {
        one.name: frame.get_column(one.name).to_numpy() for one in fields(Piece) if one.name in frame.columns
    }
    return Piece(
        **named,
        hashed=hashed.to_numpy().view(np.uint64),
        keys_of=lambda rows: journey_keys.gather(rows).to_list(),
        is_archived=True,
    )


def _numbered(column: str, numbers: Mapping[str, int], kind: type[pl.DataType]) -> pl.Expr:
    if not numbers:
        return pl.lit(0, kind).alias(column)
    return pl.col(column).replace_strict(list(numbers), list(numbers.values()), default=0, return_dtype=kind)
