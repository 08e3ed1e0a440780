"""Take in an event log in bulk: each row once, in the order of the file, and able to go on after a stop."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from callcenter.domain.events import EventValue, PlacedEvent, Rejection
from callcenter.domain.ids import derived_id
from callcenter.errors import BadInput, Conflict
from callcenter.intake.logfile import Log, open_log
from callcenter.intake.logrow import DamagedFile, Row, RowReader
from callcenter.intake.mapping import LogMapping
from callcenter.intake.partitions import keep_partitions
from callcenter.intake.service import keep_refused, next_life
from callcenter.intake.storing import Claim, store_events
from callcenter.models import Customer, EventSource, ImportRun

CHUNK_ROWS = 10_000
FIRST_BAD_ROWS = 10

UnitOfWork = Callable[[], AbstractContextManager[Session]]
OnProgress = Callable[[int, int, "ImportReport"], None]
Place = Callable[[EventValue, UUID], PlacedEvent]
"""Finds the place of a customer's event in the journeys."""


@dataclass(frozen=True, slots=True)
class ImportJob:
    """What to import: the file, what its columns mean, and the digest that names this import for good."""

    path: Path
    mapping: LogMapping
    digest: str
    key_property: str | None
    place: Place


@dataclass
class ImportReport:
    """What became of the rows read in this run; `read` is the sum of the four counts after it.

    `stored_before` and `resumed_after_line` tell of earlier runs of the same import, `unplaced` how many of
    the stored or duplicate events belong to no journey, `damage` why the file could not be read to its end.
    """

    read: int = 0
    stored: int = 0
    duplicate: int = 0
    filtered: int = 0
    bad: int = 0
    unplaced: int = 0
    stored_before: int = 0
    resumed_after_line: int = 0
    was_finished: bool = False
    damage: str | None = None
    first_bad: list[Rejection] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Chunk:
    events: list[EventValue]
    bad: list[Rejection]
    filtered: int
    last_line: int


def import_log(
    job: ImportJob,
    unit_of_work: UnitOfWork,
    clock: Callable[[], datetime],
    on_progress: OnProgress | None = None,
    chunk_rows: int = CHUNK_ROWS,
) -> ImportReport:
    """Import a log in chunks, each in a transaction of its own together with how far we have come.

    The same job run again goes on where it stopped; a finished one changes nothing. A damaged file is
    imported up to the damage, which the report names. `on_progress` is told bytes done, bytes in all and
    the counts. Raises BadInput when the file is no log or lacks a column, Conflict when another process
    imports the same file.
    """
    report = ImportReport()
    with open_log(job.path, job.mapping) as log:
        try:
            reader = RowReader(job.mapping, log.header, job.key_property, clock())
        except BadInput as error:
            raise BadInput(f"{job.path.name}: {error.message}") from error
        with unit_of_work() as session:
            run = _begin(session, job, clock())
        report.stored_before, report.resumed_after_line = run.stored, run.lines_done
        if run.ended_at is not None:
            report.was_finished = True
            return report
        lines_done = run.lines_done
        for chunk in _chunks(log, reader, lines_done, chunk_rows, report):
            with unit_of_work() as session:
                now = clock()
                _note_progress(
                    session, job, lines_done, chunk, stored := _store(session, run, job, chunk, now)
                )
            lines_done = chunk.last_line
            _count(report, chunk, stored)
            if on_progress:
                on_progress(log.bytes_read, log.size, report)
    if report.damage is None:
        with unit_of_work() as session:
            _locked_run(session, job.digest).ended_at = clock()
            # The planner must know of the new rows; autovacuum would tell it a minute later.
            session.execute(text("ANALYZE (SKIP_LOCKED) journey_event, customer"))
    return report


def _begin(session: Session, job: ImportJob, now: datetime) -> ImportRun:
    run = session.get(ImportRun, job.digest)
    if run is None:
        source = _source(session, job.mapping.source, now)
        run = ImportRun(digest=job.digest, source_id=source.id, file_name=job.path.name, started_at=now)
        session.add(run)
        session.flush()
    return run


def _source(session: Session, name: str, now: datetime) -> EventSource:
    """Return the source of this name, or make one that no write key opens: its files come by hand."""
    source = session.exec(select(EventSource).where(EventSource.name == name)).first()
    if source is None:
        source = EventSource(
            id=derived_id("source", name),
            name=name,
            lateness_seconds=0.0,
            created_at=now,
        )
        session.add(source)
        session.flush()
    return source


def _locked_run(session: Session, digest: str) -> ImportRun:
    return session.exec(select(ImportRun).where(ImportRun.digest == digest).with_for_update()).one()


def _chunks(
    log: Log, reader: RowReader, lines_done: int, size: int, report: ImportReport
) -> Iterator[_Chunk]:
    """Read the rows not yet done in portions; damage ends them, after a last portion of what was good."""
    rows = _until_damage(log, report)
    if lines_done:
        rows = (row for row in rows if row[0] > lines_done)
    while portion := list(islice(rows, size)):
        events, bad, filtered = [], [], 0
        for line, fields in portion:
            one = fields if isinstance(fields, Rejection) else reader.read(line, fields)
            if one is None:
                filtered += 1
            elif isinstance(one, Rejection):
                bad.append(one)
            else:
                events.append(one)
        yield _Chunk(events, bad, filtered, portion[-1][0])


def _until_damage(log: Log, report: ImportReport) -> Iterator[Row]:
    try:
        yield from log.rows()
    except DamagedFile as damage:
        report.damage = damage.message


def _store(session: Session, run: ImportRun, job: ImportJob, chunk: _Chunk, now: datetime) -> tuple[int, int]:
    """Store a portion's customers, events and bad rows; return how many events were new, and unplaced."""
    who = _alive(
        session, {event.user_id or "": derived_id("customer", event.user_id) for event in chunk.events}
    )
    placed = [job.place(event, who[event.user_id or ""]) for event in chunk.events]
    keep_refused(session, run.source_id, chunk.bad, now)
    claimed = Claim(session, run.source_id, chunk.events).events()
    _create_people(session, who, now)
    if chunk.events:
        times = [event.received_at for event in chunk.events]
        keep_partitions(session, min(times), max(times))
    new = {event.message_id: one for one, event in claimed.items()}
    fresh = {new[one.event.message_id]: one for one in placed if new.get(one.event.message_id)}
    store_events(session, run.source_id, fresh)
    return len(fresh), sum(one.journey is None for one in placed)


def _alive(session: Session, who: dict[str, UUID]) -> dict[str, UUID]:
    """Put those who are known after it in the place of people whose data was erased."""
    while gone := set(
        session.exec(
            select(Customer.id)
            .where(col(Customer.id).in_(who.values()))
            .where(col(Customer.erased_at).is_not(None))
        )
    ):
        who = {name: next_life(one) if one in gone else one for name, one in who.items()}
    return who


def _create_people(session: Session, who: dict[str, UUID], now: datetime) -> None:
    """Create the customers nobody knows yet; in key order, so that two writers cannot deadlock."""
    people = sorted(who.items(), key=lambda one: one[1])
    session.execute(
        text(
            "INSERT INTO customer (id, external_id, created_at, updated_at, traits, tags, language)"
            " SELECT one.id, one.external_id, :now, :now, '{}', '[]', 'en'"
            " FROM unnest(CAST(:ids AS uuid[]), CAST(:names AS text[])) WITH ORDINALITY"
            " AS one (id, external_id, place) ORDER BY one.place ON CONFLICT DO NOTHING"
        ),
        {
            "now": now,
            "ids": [customer_id for _, customer_id in people],
            "names": [name for name, _ in people],
        },
    )


def _note_progress(
    session: Session, job: ImportJob, lines_done: int, chunk: _Chunk, stored: tuple[int, int]
) -> None:
    run = _locked_run(session, job.digest)
    if run.lines_done != lines_done:
        raise Conflict(f"another process is importing {job.path.name}; wait for it to end")
    run.lines_done, run.stored = chunk.last_line, run.stored + stored[0]


def _count(report: ImportReport, chunk: _Chunk, stored: tuple[int, int]) -> None:
    report.read += len(chunk.events) + len(chunk.bad) + chunk.filtered
    report.stored += stored[0]
    report.duplicate += len(chunk.events) - stored[0]
    report.unplaced += stored[1]
    report.filtered += chunk.filtered
    report.bad += len(chunk.bad)
    report.first_bad += chunk.bad[: FIRST_BAD_ROWS - len(report.first_bad)]
