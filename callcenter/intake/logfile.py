"""A log, CSV or XES, plain or gzipped, read from front to back in bounded memory."""

import csv
import gzip
import io
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from callcenter.domain.events import Rejection
from callcenter.errors import BadInput
from callcenter.intake.logrow import DamagedFile, Row
from callcenter.intake.mapping import LogMapping
from callcenter.intake.xes import XesLog

MAX_LINE = 1_000_000
MAX_LINES_OF_A_ROW = 100
_GZIP = b"\x1f\x8b"
_NOT_TEXT = {
    b"PK\x03\x04": "a zip or Excel file;",
    b"%PDF": "a PDF;",
    b"BZh": "a bzip2 file;",
    b"PAR1": "a Parquet file;",
    b"<?xml": "XML; if it is an XES log, name it .xes, else",
}


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def open_log(path: Path, mapping: LogMapping) -> Iterator["Log"]:
    """Open a log and read its columns. Raises BadInput when it is empty or no log, DamagedFile when broken."""
    with path.open("rb") as raw:
        start = raw.peek(8)
        if not start:
            raise BadInput(f"{path.name} is empty")
        if start.startswith(_GZIP):
            with gzip.open(raw) as unzipped:
                yield _log(path, raw, unzipped, mapping)
            return
        if path.suffix == ".gz":
            raise BadInput(f"{path.name} is named .gz and is not gzip; rename it or get it again")
        kind = next((kind for magic, kind in _NOT_TEXT.items() if start.startswith(magic)), None)
        if kind and not is_xes(path):
            raise BadInput(f"{path.name} is {kind} save it as CSV first")
        yield _log(path, raw, raw, mapping)


def is_xes(path: Path) -> bool:
    """Whether the file is an XES log by its name."""
    return path.name.lower().endswith((".xes", ".xes.gz"))


def _log(
    path: Path, raw: BinaryIO, content: BufferedReader | gzip.GzipFile, mapping: LogMapping
) -> "LogFile | XesLog":
    if is_xes(path):
        return XesLog(path, raw, content, mapping.columns)
    return LogFile(path, raw, content, mapping.delimiter, mapping.encoding)


class LogFile:
    """An open CSV log: its header, its rows, and how many of its bytes have been read."""

    def __init__(
        self,
        path: Path,
        raw: BinaryIO,
        content: BufferedReader | gzip.GzipFile,
        delimiter: str,
        encoding: str,
    ):
        self.path, self.size = path, path.stat().st_size
        self._raw, self._delimiter = raw, delimiter
        # Undecodable bytes must spoil their own row only; the row's reader refuses it.
        self._text = io.TextIOWrapper(content, encoding=encoding, errors="surrogateescape")
        self._line = 0
        self._pushed_back: deque[str] = deque()
        self.header = self._header()

    @property
    def bytes_read(self) -> int:
        """How many bytes of the file have been read, for a progress bar: at most `size`."""
        return min(self._raw.tell(), self.size)

    def rows(self) -> Iterator[Row]:
        """Yield every row after the header; blank lines are no rows. Raises DamagedFile at a break."""
        while line := self._next_line():
            number = self._line
            if '"' not in line:
                if text := line.rstrip("\n"):
                    yield number, text.split(self._delimiter)
            else:
                yield number, self._quoted_row(number, line)

    def _header(self) -> list[str]:
        row = next(self.rows(), None)
        if row is None:
            raise BadInput(f"{self.path.name} is empty")
        fields = row[1]
        if isinstance(fields, Rejection) or not all(map(_is_text, fields)):
            raise BadInput(f"{self.path.name}: line 1 is no CSV header; is this a CSV file in its encoding?")
        return [name.strip() for name in fields]

    def _quoted_row(self, number: int, line: str) -> list[str] | Rejection:
        """Join the lines of a row whose quoted field holds line ends, and split it into fields.

        A quote that is never closed would swallow the rest of the file: then only its own line is refused.
        """
        lines = [line]
        quotes = line.count('"')
        while quotes % 2 and len(lines) < MAX_LINES_OF_A_ROW and (more := self._next_line()):
            lines.append(more)
            quotes += more.count('"')
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        try:
            fields: list[str] | Rejection = next(reader)
            used = reader.line_num
        except csv.Error as error:
            used = 1
            reason = f"its quotes are wrong or not closed ({error}); mend the row"
            fields = Rejection(number, "bad_quotes", reason, line.rstrip("\n"))
        self._pushed_back.extendleft(reversed(lines[used:]))
        self._line = number + used - 1
        return fields

    def _next_line(self) -> str:
        """Return the next line, '' at the end of the file."""
        try:
            line = self._pushed_back.popleft() if self._pushed_back else self._text.readline(MAX_LINE)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DamagedFile.after(self.path.name, f"line {self._line}", error) from error
        except (UnicodeError, OSError) as error:
            raise DamagedFile(
                f"{self.path.name} cannot be read after line {self._line}: {type(error).__name__}; "
                "check the mapping's encoding and the disk"
            ) from error
        if len(line) == MAX_LINE and not line.endswith("\n"):
            raise DamagedFile(
                f"{self.path.name}: line {self._line + 1} is longer than {MAX_LINE:,} characters; "
                "is this a CSV file?"
            )
        self._line += bool(line)
        return line


def _is_text(name: str) -> bool:
    """Whether a column's name holds neither control characters nor bytes that are not in the encoding."""
    return not any((mark < " " and mark != "\t") or "\ud800" <= mark <= "\udfff" for mark in name)


Log = LogFile | XesLog
"""A log that is open: its columns in `header`, its `rows()`, and how many of its bytes are read."""
