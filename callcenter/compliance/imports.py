"""Import a list of numbers that must not be called, a million a minute: all of it comes into force, or nothing.

Numbers are stored in portions under a list that is not in force yet. The last transaction puts it into force
in the place of the former import. A run that is stopped leaves a list that never was in force; the next run
takes it away. Two runs of one list at once: the later one goes on, the earlier one is told.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from uuid import UUID

import phonenumbers
from sqlmodel import Session

from callcenter.compliance.csv_lines import ListFile, Refusals, open_list
from callcenter.compliance.fast_numbers import MAX_LETTERS, read_number
from callcenter.compliance.number_key import fingerprint_of
from callcenter.compliance.numbers import hash_number
from callcenter.db import cursor_of
from callcenter.domain.enums import Purpose
from callcenter.errors import BadInput, Conflict
from callcenter.models import SuppressionList

PORTION = 50_000
"""Numbers that are stored at once."""
BLOCKS_AT_ONCE = 4_096
"""Of the table of numbers, looked through at once for those of former lists: 32 MB."""
SHRINKS_TO = 0.5
"""A list that loses more than this share of the former one's numbers was most likely cut off."""

UnitOfWork = Callable[[], AbstractContextManager[Session]]
OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class NumberList:
    """What to import: the file, which list it is a copy of and as of when, and how its numbers are written.

    `columns` together hold the number. `purpose` limits what calls the list bars. `anyway` takes a list that
    is much shorter than the former one, or most of whose lines are refused.
    """

    path: Path
    key: str
    source: str
    as_of: datetime
    purpose: Purpose | None = None
    columns: tuple[str, ...] = ("number",)
    has_header: bool = True
    region: str | None = None
    anyway: bool = False
    by: UUID | None = None


@dataclass
class Imported:
    """What became of a list's lines: `read` is the sum of accepted, duplicates and refused ones."""

    read: int = 0
    accepted: int = 0
    duplicates: int = 0
    replaced: int | None = None
    """How many numbers the import had whose place this one has taken."""
    removed: int = 0


def import_numbers(
    wanted: NumberList,
    number_key: bytes,
    refusals: Refusals,
    unit_of_work: UnitOfWork,
    clock: Callable[[], datetime],
    on_progress: OnProgress | None = None,
) -> Imported:
    """Import a list; return what became of its lines, those refused being in `refusals`.

    Raises BadInput, and nothing has changed, when the file is no such list, has no valid number, is older or
    much shorter than the list in force, or most of it is refused; Conflict when a later run has taken over.
    """
    _check(wanted, number_key, clock())
    report = Imported()
    with open_list(wanted.path, has_header=wanted.has_header) as file:
        numbers = _numbers(file, wanted, report, refusals)
        with unit_of_work() as session:
            list_id = _begin(session, wanted, number_key, clock())
        while portion := list(islice(numbers, PORTION)):
            hashes = sorted({hash_number(number_key, number) for number in portion})
            with unit_of_work() as session:
                stored = _store(session, list_id, hashes)
            report.accepted += stored
            report.duplicates += len(portion) - stored
            if on_progress:
                on_progress(file.bytes_read, file.size)
    try:
        with unit_of_work() as session:
            report.replaced = _put_into_force(session, wanted, list_id, report, refusals.total)
    except BadInput:
        with unit_of_work() as session:
            cursor_of(session).execute(_FORGET, {"id": list_id})
        remove_former_numbers(unit_of_work)
        raise
    report.removed = remove_former_numbers(unit_of_work)
    return report


def read_only(wanted: NumberList, number_key: bytes, refusals: Refusals, now: datetime) -> Imported:
    """Read a list as the import would and store nothing; duplicates are not looked for."""
    _check(wanted, number_key, now)
    report = Imported()
    with open_list(wanted.path, has_header=wanted.has_header) as file:
        report.accepted = sum(1 for _ in _numbers(file, wanted, report, refusals))
    return report


def _check(wanted: NumberList, number_key: bytes, now: datetime) -> None:
    if not number_key:
        raise BadInput("NUMBER_KEY is not set; numbers are kept under it only")
    if wanted.as_of > now + timedelta(days=1):
        raise BadInput("--as-of lies in the future; it says as of when the list was complete")
    if not wanted.source.strip():
        raise BadInput("--source: say where the list comes from")
    if wanted.region is not None and wanted.region not in phonenumbers.SUPPORTED_REGIONS:
        raise BadInput("--region must be a country's two letters, such as US")


def _numbers(file: ListFile, wanted: NumberList, report: Imported, refusals: Refusals) -> Iterator[str]:
    places = file.places(wanted.columns)
    alone = places[0] if len(places) == 1 else None
    region = wanted.region
    for line, cells, refused in file.rows():
        report.read += 1
        if refused is not None:
            refusals.add(line, refused)
            continue
        text = cells[alone] if alone is not None else "".join(cells[place] for place in places)
        number = read_number(text, region) if len(text) <= MAX_LETTERS else None
        if number is not None:
            yield number
        else:
            refusals.add(line, "not_a_number" if text.strip() else "no_number")


# Lists are begun and former ones taken away under this lock: no run takes away what another has just begun.
_LOCK = "SELECT pg_advisory_xact_lock(5109)"
_OLDER = "SELECT as_of FROM suppression_list WHERE key = %(key)s AND in_force AND as_of > %(as_of)s"
_STOPPED = "DELETE FROM suppression_list WHERE key = %(key)s AND NOT in_force AND accepted = 0"
_FORGET = "DELETE FROM suppression_list WHERE id = %(id)s AND NOT in_force"
_STORE = """
INSERT INTO suppression_list_number (number_hash, list_id)
SELECT one, %(list)s FROM unnest(%(hashes)b::bytea[]) AS one ON CONFLICT DO NOTHING
"""
_HOLD = "SELECT FROM suppression_list WHERE id = %(id)s FOR SHARE"
_RETIRE = """
UPDATE suppression_list SET in_force = false WHERE key = %(key)s AND in_force RETURNING accepted
"""
_BRING_IN = """
UPDATE suppression_list SET in_force = true, accepted = %(accepted)s, refused = %(refused)s WHERE id = %(id)s
"""
_ANALYZE = "ANALYZE (SKIP_LOCKED) suppression_list_number, suppression_list"


def _begin(session: Session, wanted: NumberList, number_key: bytes, now: datetime) -> int:
    cursor = cursor_of(session)
    cursor.execute(_LOCK)
    newer = cursor.execute(_OLDER, {"key": wanted.key, "as_of": wanted.as_of}).fetchone()
    if newer is not None:
        raise BadInput(f"{wanted.key}: a copy as of {newer[0]:%Y-%m-%d %H:%M} UTC is in force; this is older")
    cursor.execute(_STOPPED, {"key": wanted.key})
    row = SuppressionList(
        key=wanted.key,
        source=wanted.source,
        purpose=wanted.purpose,
        imported_at=now,
        imported_by=wanted.by,
        as_of=wanted.as_of,
        key_fingerprint=fingerprint_of(number_key),
    )
    session.add(row)
    session.flush()
    assert row.id is not None
    return row.id


def _store(session: Session, list_id: int, hashes: list[bytes]) -> int:
    _hold(session, list_id)
    return cursor_of(session).execute(_STORE, {"list": list_id, "hashes": hashes}).rowcount


def _hold(session: Session, list_id: int) -> None:
    if cursor_of(session).execute(_HOLD, {"id": list_id}).fetchone() is None:
        raise Conflict(
            "Another import of this list was begun and goes on; this one has ended, nothing changed."
        )


def _put_into_force(
    session: Session, wanted: NumberList, list_id: int, report: Imported, refused: int
) -> int | None:
    cursor = cursor_of(session)
    cursor.execute(_LOCK)
    _hold(session, list_id)
    if not report.accepted:
        raise BadInput(f"{wanted.path.name} has no valid number; nothing has changed")
    newer = cursor.execute(_OLDER, {"key": wanted.key, "as_of": wanted.as_of}).fetchone()
    if newer is not None:
        raise BadInput(f"{wanted.key}: a later copy has come into force meanwhile; nothing has changed")
    former = cursor.execute(_RETIRE, {"key": wanted.key}).fetchone()
    replaced = former[0] if former is not None else None
    if not wanted.anyway and refused > report.accepted + report.duplicates:
        raise BadInput(
            f"{refused:,} of {report.read:,} lines are refused, so nothing has changed; is it the right column "
            "and --region? --anyway takes the others"
        )
    if not wanted.anyway and replaced is not None and report.accepted < SHRINKS_TO * replaced:
        raise BadInput(
            f"{report.accepted:,} numbers would take the place of {replaced:,}, so nothing has changed; is the "
            "file whole? --anyway takes it as it is"
        )
    asked = {"id": list_id, "accepted": report.accepted, "refused": refused}
    cursor.execute(_BRING_IN, asked)
    cursor.execute(_ANALYZE)
    return replaced


_KEPT = "SELECT id FROM suppression_list WHERE in_force OR accepted = 0"
_NEWEST = (
    "SELECT COALESCE(pg_sequence_last_value(pg_get_serial_sequence('suppression_list', 'id')::regclass), 0)"
)
"""Under the lock, every list up to this one is there to be seen, or was taken away."""
_BLOCKS = "SELECT pg_relation_size('suppression_list_number') / current_setting('block_size')::int"
_REMOVE = """
DELETE FROM suppression_list_number
 WHERE ctid >= %(since)s::tid AND ctid < %(until)s::tid AND list_id <= %(newest)s AND list_id <> ALL(%(kept)s)
"""


def remove_former_numbers(unit_of_work: UnitOfWork) -> int:
    """Remove the numbers of lists that were replaced or never came into force, some at a time; return how many.

    The table is gone through in the order in which it lies, so no index on the list is needed.
    """
    with unit_of_work() as session:
        cursor = cursor_of(session)
        cursor.execute(_LOCK)
        kept = [row[0] for row in cursor.execute(_KEPT)]
        (newest,) = cursor.execute(_NEWEST).fetchone() or (0,)
        (blocks,) = cursor.execute(_BLOCKS).fetchone() or (0,)
    removed = 0
    for first in range(0, blocks, BLOCKS_AT_ONCE):
        asked = {"since": f"({first},0)", "until": f"({first + BLOCKS_AT_ONCE},0)"}
        with unit_of_work() as session:
            done = cursor_of(session).execute(_REMOVE, {**asked, "newest": newest, "kept": kept})
            removed += done.rowcount
    return removed
