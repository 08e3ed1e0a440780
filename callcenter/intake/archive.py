"""Old weeks of events: each goes to a Parquet file, is read back and compared, and leaves the database.

All of it is one transaction a week. The file is whole and on the disk before the commit that drops the
partition and names the file; a process that is killed at any point leaves the week in the database and at
most a file that nothing names, which the next run removes. Whoever reads both holds `hold_partitions` from
before reading `archived_weeks` to the end, so that a week is never seen twice, and never missed.

A file holds one week, sorted by journey, customer and time, ids as 16 bytes and times in UTC; its name bears
the beginning of the digest of what it holds.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import mkstemp

import polars as pl
import psycopg
from psycopg import sql
from sqlalchemy import text
from sqlmodel import Session, col, select

from callcenter.db import cursor_of
from callcenter.errors import CallCenterError, Unavailable
from callcenter.intake.partitions import keep_partitions
from callcenter.models import EventArchive

UnitOfWork = Callable[[], AbstractContextManager[Session]]
Writer = Callable[[pl.LazyFrame, Path], None]

WEEKS_AHEAD = timedelta(weeks=4)
"""Partitions are made so long before they are needed."""
ROWS_PER_GROUP = 131_072
DROP_TRIES = 20
"""Dropping a partition shuts everybody out of the events for a moment. It is tried so often, half a second
apart, and never waits longer than a quarter of a second, since events that come in would wait behind it."""
_ONE_AT_A_TIME = 0x6576656E7473
_FILE = re.compile(r"^journey_event_\d{4}w\d{2}-[0-9a-f]{12}\.parquet$|\.part$")

_IDS = ("id", "source_id", "customer_id")
_TIMES = ("event_time", "received_at")
_FLAGS = ("historical", "clamped")
_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "id": pl.String,
    "source_id": pl.String,
    "message_id": pl.String,
    "customer_id": pl.String,
    "kind": pl.String,
    "name": pl.String,
    "journey": pl.String,
    "journey_key": pl.String,
    "step": pl.String,
    "role": pl.String,
    "key": pl.String,
    "event_time": pl.Int64,
    "received_at": pl.Int64,
    "position": pl.Int32,
    "historical": pl.Int8,
    "clamped": pl.Int8,
    "properties": pl.String,
}
"""The columns of a row as COPY gives them: ids in hexadecimal, times in microseconds since 1970, flags 0 or 1."""
COLUMNS = tuple(_SCHEMA)
"""What is archived of an event: all of it."""
_ORDER = ("journey", "customer_id", *("received_at", "event_time", "position"), "message_id", "id")
_SHOWN = {
    **dict.fromkeys(_IDS, "encode(uuid_send({}), 'hex')"),
    **dict.fromkeys(_TIMES, "(extract(epoch FROM {}) * 1000000)::bigint"),
    **dict.fromkeys(_FLAGS, "{}::int"),
}
_WEEKS = """
SELECT c.relname, greatest(c.reltuples, 0)::bigint, pg_total_relation_size(c.oid),
       pg_get_expr(c.relpartbound, c.oid)
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'journey_event'::regclass ORDER BY c.relname
"""
_BOUNDS = re.compile(r"FROM \('(.+?)'\) TO \('(.+?)'\)")


class ArchiveDamaged(CallCenterError):
    """A file of the archive is not what was written, or is not there."""

    code = "archive_damaged"


@dataclass(frozen=True, slots=True)
class Partition:
    """A week of events in the database; `events` is an estimate. The one for all others has no bounds."""

    name: str
    since: datetime | None
    until: datetime | None
    events: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ArchivedWeek:
    """A week of events in a file, of this size in bytes."""

    partition: str
    path: Path
    events: int
    size_bytes: int


def partitions(session: Session) -> list[Partition]:
    """Return the partitions of the events, oldest first, the one for all other events last."""
    found = []
    for name, events, size, bounds in cursor_of(session).execute(_WEEKS):
        match = _BOUNDS.match(bounds.removeprefix("FOR VALUES "))
        since, until = map(datetime.fromisoformat, match.groups()) if match else (None, None)
        found.append(Partition(name, since, until, events, size))
    return sorted(found, key=lambda one: (one.since is None, one.since))


def hold_partitions(session: Session) -> None:
    """Keep every week where it is until the transaction ends; weeks that are just leaving are waited for."""
    session.execute(text("LOCK TABLE journey_event IN ACCESS SHARE MODE"))


def archived_weeks(session: Session) -> list[EventArchive]:
    """Return the weeks that lie in files, oldest first."""
    return list(session.exec(select(EventArchive).order_by(col(EventArchive.since))))


def scan_weeks(folder: Path, weeks: list[EventArchive]) -> pl.LazyFrame:
    """Return the events of weeks in files, in the order of the weeks; nothing is read yet.

    Raises ArchiveDamaged when a file is missing.
    """
    paths = [folder / week.path for week in weeks]
    for path in paths:
        if not path.is_file():
            raise ArchiveDamaged(
                f"The archived events {path} are missing. Put the file back from your backup of {folder}."
            )
    return pl.scan_parquet(paths, glob=False)


def tend_partitions(
    unit_of_work: UnitOfWork, folder: Path, retention: timedelta, clock: Callable[[], datetime]
) -> list[ArchivedWeek]:
    """Make the partitions of the coming weeks, and archive those that are older than the retention."""
    with unit_of_work() as session:
        keep_partitions(session, clock(), clock() + WEEKS_AHEAD)
    return list(archive_old_weeks(unit_of_work, folder, clock() - retention, clock, spares_imports=True))


def archive_old_weeks(
    unit_of_work: UnitOfWork,
    folder: Path,
    before: datetime,
    clock: Callable[[], datetime],
    *,
    spares_imports: bool = False,
) -> Iterator[ArchivedWeek]:
    """Archive every week that ended at or before a moment, each in a unit of work of its own; yield each.

    With `spares_imports` a week with events of a log that was imported after that moment is left alone: reports
    are to show it.

    A folder that is missing is made, and files in it that no week names are removed. Raises Unavailable when
    another process is archiving or does not let go of a week, ArchiveDamaged when a file cannot be trusted:
    the weeks from that one on stay in the database.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with unit_of_work() as session:
        _alone(session)
        _remove_strays(session, folder)
        due = [
            one.name
            for one in partitions(session)
            if one.until is not None
            and one.until <= before
            and not (spares_imports and _is_fresh(session, one.name, before))
        ]
    for name in due:
        with unit_of_work() as session:
            week = archive_week(session, folder, name, clock())
        if week is not None:
            yield week


def _is_fresh(session: Session, partition: str, before: datetime) -> bool:
    """Whether a week holds events of a log that was imported only lately: they are old, and new here."""
    statement = sql.SQL(
        "SELECT EXISTS (SELECT 1 FROM import_run r WHERE (r.ended_at IS NULL OR r.ended_at > %s)"
        " AND EXISTS (SELECT 1 FROM {} e WHERE e.source_id = r.source_id))"
    ).format(sql.Identifier(partition))
    return cursor_of(session).execute(statement, (before,)).fetchone() == (True,)


def write_file(rows: pl.LazyFrame, target: Path) -> None:
    """Write rows to a Parquet file that is on the disk when this returns. Raises Unavailable when it cannot be."""
    try:
        rows.sink_parquet(target, compression="zstd", row_group_size=ROWS_PER_GROUP)
        _to_disk(target)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Unavailable(f"The archive {target.parent} cannot be written; is the disk full?") from error


def archive_week(
    session: Session,
    folder: Path,
    partition: str,
    now: datetime,
    *,
    write: Writer = write_file,
    drop_tries: int = DROP_TRIES,
) -> ArchivedWeek | None:
    """Move one week to a file, in the session's transaction; None when there was nothing in it.

    Events of a week that came in after it was archived join those in its file. Raises as archive_old_weeks.
    """
    _alone(session)
    cursor = cursor_of(session)
    bounds = {one.name: one for one in partitions(session)}.get(partition)
    if bounds is None or bounds.since is None or bounds.until is None:
        return None
    name = sql.Identifier(partition)
    cursor.execute("SET LOCAL statement_timeout = 0")
    # Nobody adds to the week from here on; reading goes on, and so does every other week.
    cursor.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(name))
    week = None
    if cursor.execute(sql.SQL("SELECT EXISTS (SELECT 1 FROM {})").format(name)).fetchone() == (True,):
        before = session.get(EventArchive, partition)
        week = _write_week(cursor, folder, partition, folder / before.path if before else None, write)
        row = before or EventArchive(
            partition=partition, since=bounds.since, until=bounds.until, path="", events=0, archived_at=now
        )
        row.path, row.events, row.archived_at = week.path.name, week.events, now
        session.add(row)
        cursor_of(session).execute(
            sql.SQL("DELETE FROM event_receipt r USING {} e WHERE r.id = e.id").format(name)
        )
    _drop(session, partition, drop_tries)
    return week


def rewrite_week(
    session: Session, folder: Path, week: EventArchive, rows: pl.LazyFrame, now: datetime
) -> None:
    """Put other rows, as many, in the place of an archived week's; raises as archive_old_weeks.

    The file before stays until the next archiving, as one that nothing names.
    """
    _alone(session)
    with _scratch(folder) as draft:
        write_file(rows.sort(_ORDER, nulls_last=True), draft)
        written = pl.scan_parquet(draft, glob=False)
        if written.select(pl.len()).collect().item() != week.events:
            raise ArchiveDamaged(
                f"{folder / week.path} does not hold what was archived. Nothing was changed."
            )
        path = folder / f"{week.partition}-{_digest(written)[:12]}.parquet"
        draft.rename(path)
        _to_disk(folder)
    week.path, week.archived_at = path.name, now
    session.add(week)
    session.flush()


def _alone(session: Session) -> None:
    row = cursor_of(session).execute("SELECT pg_try_advisory_xact_lock(%s)", [_ONE_AT_A_TIME]).fetchone()
    if row != (True,):
        raise Unavailable("Another process is archiving events. Try again when it is done.")


def _remove_strays(session: Session, folder: Path) -> None:
    named = {week.path for week in archived_weeks(session)}
    for path in folder.iterdir():
        if path.name not in named and _FILE.search(path.name):
            path.unlink(missing_ok=True)


def _drop(session: Session, partition: str, tries: int) -> None:
    for _ in range(tries):
        with suppress(psycopg.errors.LockNotAvailable), session.begin_nested():
            cursor = cursor_of(session)  # within the savepoint, which begins only now
            cursor.execute("SET LOCAL lock_timeout = '250ms'")
            cursor.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(partition)))
            return
        cursor_of(session).execute("SELECT pg_sleep(0.5)")
    raise Unavailable("The events are being read by somebody who does not let go. Try again later.")


def _write_week(
    cursor: psycopg.Cursor[object], folder: Path, partition: str, before: Path | None, write: Writer
) -> ArchivedWeek:
    """Write a week's file and read it back; the file has its name, and is on the disk, when this returns."""
    with _scratch(folder) as rows, _scratch(folder) as draft:
        digest, count = _copy_out(cursor, partition, rows)
        fresh = _rows_of(rows)
        if before is None:
            write(fresh, draft)
            back = pl.scan_parquet(draft, glob=False)
        else:
            ids = fresh.select("id")
            old = pl.scan_parquet(before, glob=False).join(ids, on="id", how="anti")
            write(pl.concat([fresh, old]).sort(_ORDER, nulls_last=True), draft)
            back = pl.scan_parquet(draft, glob=False).join(ids, on="id", how="semi", maintain_order="left")
            count += old.select(pl.len()).collect().item()
        held = pl.scan_parquet(draft, glob=False).select(pl.len()).collect().item()
        if held != count or _digest(back) != digest:
            raise ArchiveDamaged(f"What was written of {partition} does not read back. Nothing was removed.")
        path = folder / f"{partition}-{digest[:12]}.parquet"
        draft.rename(path)
        _to_disk(folder)
    return ArchivedWeek(partition, path, count, path.stat().st_size)


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    descriptor, name = mkstemp(dir=folder, suffix=".part")
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _copy_out(cursor: psycopg.Cursor[object], partition: str, target: Path) -> tuple[str, int]:
    """Copy a week's rows, in order, to a CSV file; return the digest of the file, and how many there are."""
    shown = [sql.SQL(_SHOWN.get(name, "{}").format(name)) for name in _SCHEMA]
    quoted = [f"c{number}" for number, kind in enumerate(_SCHEMA.values(), 1) if kind == pl.String]
    columns = sql.SQL(", ").join(one + sql.SQL(f" AS c{number}") for number, one in enumerate(shown, 1))
    order = [f'{name} COLLATE "C"' if name in ("journey", "message_id") else name for name in _ORDER]
    statement = sql.SQL(
        "COPY (SELECT {} FROM {} ORDER BY {}) TO STDOUT (FORMAT csv, FORCE_QUOTE ({}))"
    ).format(columns, sql.Identifier(partition), sql.SQL(", ".join(order)), sql.SQL(", ".join(quoted)))
    digest = sha256()
    with target.open("wb") as file, cursor.copy(statement) as copy:
        for data in copy:
            digest.update(data)
            file.write(data)
    return digest.hexdigest(), cursor.rowcount


def _rows_of(path: Path) -> pl.LazyFrame:
    rows = pl.scan_csv(path, has_header=False, schema=_SCHEMA)
    return rows.with_columns(
        *(pl.col(name).str.decode("hex") for name in _IDS),
        *(pl.from_epoch(pl.col(name), time_unit="us").dt.replace_time_zone("UTC") for name in _TIMES),
        *(pl.col(name) == 1 for name in _FLAGS),
    )


def _digest(rows: pl.LazyFrame) -> str:
    """Write rows of a file as COPY wrote them, and return the digest of that."""
    digest = sha256()
    shown = rows.with_columns(
        *(pl.col(name).bin.encode("hex") for name in _IDS),
        *(pl.col(name).dt.timestamp("us") for name in _TIMES),
        *(pl.col(name).cast(pl.Int8) for name in _FLAGS),
    )
    for batch in shown.collect_batches(maintain_order=True):
        digest.update(batch.write_csv(include_header=False, quote_style="non_numeric").encode())
    return digest.hexdigest()


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
