"""A CSV file with a header, plain or gzipped, read by polars; what is wrong is told with line and column."""

import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import polars as pl
from polars.exceptions import PolarsError

from callcenter.errors import BadInput

ROW = "__row"
"""The column with the number of each row, from 0, blank lines counted."""

SEPARATORS = ",;\t|"
YES = ("1", "true", "yes")
NO = ("0", "false", "no")


@dataclass(frozen=True, slots=True)
class Table:
    """A readable file; `columns` maps each heading, without spaces around it, to polars' name for it."""

    path: Path
    separator: str
    columns: dict[str, str]

    def scan(self, wanted: Sequence[str]) -> pl.LazyFrame:
        """Return the wanted columns as text without spaces around it, None where empty, and the row number.

        Blank lines are left out.
        """
        rows = self._read()
        if len(self.columns) > 1 and _has_blank_lines(self.path):
            rows = rows.filter(~pl.all_horizontal(_text(name).is_null() for name in self.columns.values()))
        return rows.select(ROW, *(_text(self.columns[name]).alias(name) for name in dict.fromkeys(wanted)))

    def collect(self, frame: pl.LazyFrame) -> pl.DataFrame:
        """Run a query in bounded memory. Raises BadInput where the file is not the table it should be."""
        try:
            return frame.collect(engine="streaming")
        except (PolarsError, OSError) as error:
            raise BadInput(self._damage()) from error

    def check(self, rows: pl.LazyFrame, names: Sequence[str], what: str) -> None:
        """Raise BadInput for the first row in which one of the columns, already read, is None."""
        firsts = rows.select(pl.col(ROW).filter(pl.col(name).is_null()).min().alias(name) for name in names)
        found = {
            name: row for name, row in self.collect(firsts).row(0, named=True).items() if row is not None
        }
        if found:
            name = min(found, key=lambda one: int(found[one]))
            raise self.refusal(int(found[name]), name, what)

    def refusal(self, row: int, name: str, what: str) -> BadInput:
        """Name the line, the column and, if it is short and cannot be a person's number, the value."""
        line, record = self._record(row)
        position = list(self.columns).index(name)
        value = record[position].strip() if position < len(record) else ""
        told = f"{_shown(value)} {what}" if value else "is empty"
        return BadInput(f"{self.path.name}: line {line}, column {name!r}: {told}")

    def _read(self) -> pl.LazyFrame:
        return pl.scan_csv(
            self.path, separator=self.separator, infer_schema=False, row_index_name=ROW, low_memory=True
        )

    def _record(self, wanted: int) -> tuple[int, list[str]]:
        for row, line, record in self._records():
            if row == wanted:
                return line, record
        return 0, []

    def _records(self) -> Iterator[tuple[int, int, list[str]]]:
        """Row number, the line on which it begins, and the fields; slow, so only when something is wrong."""
        with _opened(self.path) as stream:
            reader = csv.reader(stream, delimiter=self.separator)
            while not next(reader):
                pass
            ended, row = reader.line_num, 0
            for record in reader:
                yield row, ended + 1, record
                ended, row = reader.line_num, row + 1

    def _damage(self) -> str:
        name = self.path.name
        line = 1
        try:
            for _row, line, record in self._records():
                if len(record) > len(self.columns):
                    return (
                        f"{name}: line {line} has {len(record)} fields and the header {len(self.columns)}; "
                        "put quotes around values that hold the separator"
                    )
        except UnicodeDecodeError:
            return f"{name}: after line {line} the text is not UTF-8; save it as UTF-8"
        except (OSError, EOFError, csv.Error) as error:
            return f"{name}: cannot be read after line {line}: {error}"
        return f"{name}: is not a CSV table; look for a quotation mark that is never closed"


def open_table(path: Path, wanted: Sequence[str]) -> Table:
    """Open a file that has all the wanted columns.

    Raises BadInput for an empty file, no rows, text that is not UTF-8, a column that is missing or there
    twice.
    """
    try:
        with _opened(path) as stream:
            head = next((line for line in stream if line.strip()), "")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name}: is not UTF-8 text; save it as UTF-8") from error
    except (OSError, EOFError) as error:
        raise BadInput(f"{path.name}: cannot be read: {error}") from error
    if "\0" in head:
        raise BadInput(f"{path.name}: is not UTF-8 text; save it as UTF-8")
    if not head.strip():
        raise BadInput(f"{path.name}: is empty; the first line holds the names of the columns")
    separator = max(SEPARATORS, key=lambda one: (len(set(_fields(head, one)) & set(wanted)), head.count(one)))
    headings = _fields(head, separator)
    for name in wanted:
        if headings.count(name) != 1:
            is_there = "is there twice" if name in headings else "is not there"
            raise BadInput(f"{path.name}: column {name!r} {is_there}; there are: {', '.join(headings)}")
    frame = pl.scan_csv(path, separator=separator, infer_schema=False)
    try:
        names = frame.collect_schema().names()
    except PolarsError as error:
        raise BadInput(f"{path.name}: is not a CSV table: {error}") from error
    return Table(path, separator, dict(zip(headings, names, strict=False)))


def flag(name: str) -> pl.Expr:
    """Read a column of text as true or false; None for anything else."""
    lower = pl.col(name).str.to_lowercase()
    return pl.when(lower.is_in(YES)).then(True).when(lower.is_in(NO)).then(False).otherwise(None).alias(name)


def number(name: str) -> pl.Expr:
    """Read a column of text as finite numbers; None for anything else."""
    read = pl.col(name).cast(pl.Float64, strict=False)
    return pl.when(read.is_finite()).then(read).otherwise(None).alias(name)


def _text(name: str) -> pl.Expr:
    stripped = pl.col(name).str.strip_chars()
    return pl.when(stripped.str.len_bytes() > 0).then(stripped).otherwise(None)


def _fields(line: str, separator: str) -> list[str]:
    return [field.strip() for field in next(csv.reader([line], delimiter=separator), [])]


def _shown(value: str) -> str:
    is_harmless = len(value) <= 16 and sum(letter.isdigit() for letter in value) < 7 and "@" not in value
    return repr(value) if is_harmless else "its value"


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """Lend the file as text; gzipped by its first bytes."""
    with _unzipped(path) as content:
        yield io.TextIOWrapper(content, encoding="utf-8-sig", newline="")


@contextmanager
def _unzipped(path: Path) -> Iterator[io.BufferedReader]:
    with path.open("rb") as raw:
        is_zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        yield io.BufferedReader(gzip.GzipFile(fileobj=raw)) if is_zipped else raw


def _has_blank_lines(path: Path) -> bool:
    """Whether there may be any: two line ends side by side. Also true for such a pair within quotes."""
    before = b""
    with _unzipped(path) as content:
        while chunk := content.read(1 << 22):
            seen = before + chunk
            if b"\n\n" in seen or b"\n\r\n" in seen:
                return True
            before = seen[-2:]
    return False
