"""Export the evidence about one person or one period: a zip of one file per kind of record, and a manifest.

Rows are streamed from the database into the file, so memory does not grow with their number.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import IO, Any, BinaryIO, Literal
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

import orjson
from psycopg import sql
from psycopg.rows import dict_row
from sqlmodel import Session

from callcenter.db import connection_of
from callcenter.errors import BadInput
from callcenter.evidence.queries import head_of_chain
from callcenter.evidence.sheets import NUMBERS, SHEETS, Sheet, cell, json_line, masked, parameters

Format = Literal["csv", "json"]
_ROWS_A_TRIP = 5_000
_PORTION_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be exported: everything about one person, or everything of a period (its end left out).

    `also`: other ids the person was known under. `number_hash`: the person's number as it stands in the
    suppression ledger, which knows some only by it.
    """

    format: Format = "csv"
    customer_id: UUID | None = None
    also: tuple[UUID, ...] = ()
    number_hash: bytes | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One file of an export."""

    name: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an export holds, and where the chain over the ledgers ended when it was made."""

    made_at: str
    customer_id: str | None
    since: str | None
    until: str | None
    numbers: str
    chain_head: str
    files: tuple[ExportedFile, ...]


def write_export(
    session: Session, wanted: Wanted, target: BinaryIO, now: datetime, *, with_numbers: bool = False
) -> Manifest:
    """Write the zip to `target`, which need not be seekable; numbers are masked unless asked for.

    The records are of one moment if the session's transaction is a snapshot. Raises BadInput when neither a
    person nor a period is named.
    """
    if wanted.customer_id is None and (wanted.since is None or wanted.until is None):
        raise BadInput("Name a customer, or a period: from when until when.")
    head, files = head_of_chain(session), []
    with ZipFile(target, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        for sheet in SHEETS:
            name = f"{sheet.name}.{'csv' if wanted.format == 'csv' else 'jsonl'}"
            with archive.open(name, "w", force_zip64=True) as entry:
                files.append(_write_sheet(session, sheet, wanted, name, entry, with_numbers=with_numbers))
        manifest = Manifest(
            made_at=now.isoformat(),
            customer_id=str(wanted.customer_id) if wanted.customer_id else None,
            since=wanted.since.isoformat() if wanted.since else None,
            until=wanted.until.isoformat() if wanted.until else None,
            numbers="shown" if with_numbers else "masked",
            chain_head=str(head),
            files=tuple(files),
        )
        archive.writestr("manifest.json", orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2))
    return manifest


class _Sink:
    """Writes into a file in large portions, and takes the digest of what it wrote."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._digest, self._held = file, sha256(), bytearray()

    def write(self, text: str) -> None:
        self.write_bytes(text.encode())

    def write_bytes(self, data: bytes) -> None:
        self._held += data
        if len(self._held) > _PORTION_BYTES:
            self._let_go()

    def _let_go(self) -> None:
        self._digest.update(self._held)
        self._file.write(self._held)
        self._held = bytearray()

    def close(self) -> str:
        """Write what is left; return the digest of everything."""
        self._let_go()
        return self._digest.hexdigest()


def _write_sheet(
    session: Session, sheet: Sheet, wanted: Wanted, name: str, file: IO[bytes], *, with_numbers: bool
) -> ExportedFile:
    sink, count = _Sink(file), 0
    with _rows(session, sheet, wanted) as (columns, rows):
        write = _table(sink, columns) if wanted.format == "csv" else _lines(sink, sheet)
        for row in rows:
            if NUMBERS in row and not with_numbers:
                row[NUMBERS] = masked(row[NUMBERS])
            write(row)
            count += 1
    return ExportedFile(name, count, sink.close())


def _table(sink: _Sink, columns: list[str]) -> Callable[[Mapping[str, Any]], None]:
    writer = csv.writer(sink)
    writer.writerow(columns)
    return lambda row: writer.writerow(map(cell, row.values())) and None


def _lines(sink: _Sink, sheet: Sheet) -> Callable[[Mapping[str, Any]], None]:
    return lambda row: sink.write_bytes(json_line(row, sheet.documents))


@contextmanager
def _rows(
    session: Session, sheet: Sheet, wanted: Wanted
) -> Iterator[tuple[list[str], Iterator[dict[str, Any]]]]:
    """Lend the columns of a sheet and its rows, which come from the database as they are read."""
    where = sheet.in_period if wanted.customer_id is None else sheet.of_customer
    statement = f"{sheet.select} WHERE {where} ORDER BY {sheet.order}"
    people = [wanted.customer_id, *wanted.also] if wanted.customer_id else []
    asked = parameters(people, wanted.number_hash, wanted.since, wanted.until)
    with connection_of(session).cursor(f"export_{sheet.name}", row_factory=dict_row) as cursor:
        cursor.itersize = _ROWS_A_TRIP
        cursor.execute(sql.SQL(statement), asked)
        yield [column.name for column in cursor.description or ()], iter(cursor)
