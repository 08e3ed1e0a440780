"""Lists of customers to call as they come over HTTP: CSV and XLSX into checked rows, within limits.

Nothing of a file is trusted: not its size, its name, its type, nor what it says of itself.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from warnings import catch_warnings, simplefilter

from callcenter.errors import BadInput
from callcenter.intake.directory import Told, check_told
from callcenter.intake.policy import MAX_ID

MAX_BYTES = 3 * 1024 * 1024
SMALL = 64 * 1024
"""Bytes of a file that is read while its sender waits: some 700 rows, in less than a second."""
MAX_ROWS = 10_000
MAX_COLUMNS = 50
MAX_CELL = 1_000
MAX_REASON = 200
MAX_UNPACKED = 40 * 1024 * 1024
"""Bytes an XLSX file may unpack to; it is refused by its own table of contents, which its reader is held to."""
MAX_PARTS = 200
COLUMNS = frozenset(
    ["external_id", "name", "phone", "time_zone", "language", "city", "tags", "step", "reason", "priority"]
)
_OTHER_NAMES = {"customer_id": "external_id", "number": "phone", "timezone": "time_zone"}
_NO_LIST = {
    b"\xd0\xcf\x11\xe0": (
        "encrypted_or_old",
        "an old or password-protected Office file; save it as XLSX or CSV",
    ),
    b"%PDF": ("wrong_type", "a PDF; save the list as XLSX or CSV"),
    b"\x1f\x8b": ("wrong_type", "gzipped; send it unpacked"),
    b"\xff\xfe": ("bad_encoding", "UTF-16; save it as CSV in UTF-8"),
    b"\xfe\xff": ("bad_encoding", "UTF-16; save it as CSV in UTF-8"),
}


class FileRefused(BadInput):
    """A file as a whole is no list we read; `fields` holds a code."""

    code = "file_refused"
    status = 422

    def __init__(self, code: str, what: str) -> None:
        super().__init__(f"The file is refused: {what}.", {"file": [code]})


@dataclass(frozen=True, slots=True)
class Row:
    """One checked row: its number in the file (from 1), whom, and what it says of the call."""

    number: int
    told: Told
    step: str | None = None
    reason: str | None = None
    priority: int | None = None

    def written(self) -> dict[str, Any]:
        """Return it as it is stored until it is worked through."""
        return {
            "number": self.number,
            "external_id": self.told.external_id,
            "traits": dict(self.told.traits),
            "step": self.step,
            "reason": self.reason,
            "priority": self.priority,
        }


def row_of(written: Mapping[str, Any]) -> Row:
    """Return a row as it was read, from how it is stored."""
    told = Told(written["external_id"], written["traits"])
    return Row(written["number"], told, written["step"], written["reason"], written["priority"])


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that is not taken: its number, a code, and what to do. Nothing that stood in it is kept."""

    number: int
    code: str
    message: str


@dataclass
class ReadList:
    """What a file holds."""

    rows: list[Row] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    ignored_columns: list[str] = field(default_factory=list)


def read_list(body: bytes) -> ReadList:
    """Read a CSV or XLSX file, told apart by what it is. Raises FileRefused."""
    check_file(body)
    lines = _xlsx_lines(body) if body.startswith(b"PK") else _csv_lines(body)
    return _read(lines)


def check_file(body: bytes) -> None:
    """Refuse what can be told to be no list without reading it. Raises FileRefused."""
    if not body:
        raise FileRefused("empty", "it is empty")
    if len(body) > MAX_BYTES:
        raise FileRefused("too_large", f"it is larger than {MAX_BYTES // 1024} KB; send several")
    for magic, (code, what) in _NO_LIST.items():
        if body.startswith(magic):
            raise FileRefused(code, f"it is {what}")
    if body.startswith(b"PK"):
        _check_package(body)


def _csv_lines(body: bytes) -> Iterator[list[str]]:
    if b"\x00" in body:
        raise FileRefused("wrong_type", "it is neither CSV nor XLSX")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileRefused("bad_encoding", "it is not UTF-8; save it as CSV in UTF-8") from None
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error:
        raise FileRefused(
            "bad_csv", "its quotes are wrong or not closed, or a cell is far too long"
        ) from None


def _xlsx_lines(body: bytes) -> Iterator[list[str]]:
    import openpyxl

    try:
        with catch_warnings():
            simplefilter("ignore")  # of styles and extensions nobody asks for here
            book = openpyxl.load_workbook(
                io.BytesIO(body), read_only=True, data_only=True, keep_links=False, keep_vba=False
            )
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # a sheet may say anything of its own size
            for cells in sheet.iter_rows(max_row=MAX_ROWS + 2, max_col=MAX_COLUMNS, values_only=True):
                yield [_text(cell) for cell in cells]
    except FileRefused:
        raise
    except Exception as error:  # whatever breaks the reader is the file's doing
        raise FileRefused("damaged", f"it cannot be read as XLSX ({type(error).__name__})") from None


def _check_package(body: bytes) -> None:
    """Look at a zip file's table of contents before anything is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as package:
            parts = package.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise FileRefused("damaged", "it is a damaged XLSX or zip file") from None
    names = {one.filename.lower() for one in parts}
    if any(name.endswith(("vbaproject.bin", ".xlm")) or "macrosheets/" in name for name in names):
        raise FileRefused("has_macros", "it holds macros; save it as XLSX without them")
    if "[content_types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise FileRefused("wrong_type", "it is a zip file and no XLSX workbook")
    if len(parts) > MAX_PARTS or sum(one.file_size for one in parts) > MAX_UNPACKED:
        raise FileRefused("unpacks_too_large", "it unpacks to far more than a list holds")
    if any(one.flag_bits & 0x1 for one in parts):
        raise FileRefused("encrypted_or_old", "it is password-protected")


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    return str(cell)


def _read(lines: Iterable[Sequence[str]]) -> ReadList:
    found, seen = ReadList(), set[str]()
    numbered = enumerate(lines, 1)
    header = next((cells for _, cells in numbered if any(one.strip() for one in cells)), None)
    places = _places(header or [], found)
    for number, cells in numbered:
        if not any(one.strip() for one in cells):
            continue
        if len(found.rows) + len(found.refused) >= MAX_ROWS:
            raise FileRefused("too_many_rows", f"it has more than {MAX_ROWS:,} rows; send several")
        row = _row(
            number, {name: cells[place].strip() for name, place in places.items() if place < len(cells)}
        )
        if isinstance(row, Row) and row.told.external_id in seen:
            row = RefusedRow(number, "duplicate", "the same customer stands in the list above")
        if isinstance(row, RefusedRow):
            found.refused.append(row)
        else:
            seen.add(row.told.external_id)
            found.rows.append(row)
    return found


def _places(header: Sequence[str], found: ReadList) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, cell in enumerate(header[:MAX_COLUMNS]):
        name = cell.strip().lower()
        name = _OTHER_NAMES.get(name, name)
        if name in COLUMNS and name not in places:
            places[name] = place
        elif name:
            found.ignored_columns.append(cell.strip()[:60].replace("\x00", ""))
    if "external_id" not in places:
        raise FileRefused("no_external_id", "its first row names no column external_id (the bank's own id)")
    return places


def _row(number: int, cells: dict[str, str]) -> Row | RefusedRow:
    if any(len(text) > MAX_CELL or "\x00" in text for text in cells.values()):
        return RefusedRow(number, "bad_cell", f"a cell holds more than {MAX_CELL} letters, or a NUL")
    external_id = cells.get("external_id", "")
    if not external_id or len(external_id) > MAX_ID:
        return RefusedRow(number, "no_external_id", f"external_id is empty or longer than {MAX_ID} letters")
    traits: dict[str, Any] = {
        name: cells[name] for name in ("name", "phone", "time_zone", "language", "city") if cells.get(name)
    }
    if tags := [one.strip() for one in cells.get("tags", "").split(";") if one.strip()]:
        traits["tags"] = tags
    told = Told(external_id, traits)
    if wrong := check_told(told):
        return RefusedRow(number, wrong.code, wrong.message)
    reason = cells.get("reason") or None
    if reason and len(reason) > MAX_REASON:
        return RefusedRow(number, "reason_too_long", f"reason has at most {MAX_REASON} letters")
    priority = cells.get("priority") or None
    if priority is not None and not (priority.isascii() and priority.isdigit() and int(priority[:4]) <= 100):
        return RefusedRow(number, "bad_priority", "priority is a whole number from 0 to 100")
    return Row(number, told, cells.get("step") or None, reason, int(priority) if priority else None)
