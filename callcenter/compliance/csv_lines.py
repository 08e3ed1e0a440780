"""Read the lines of a CSV list one by one, in bounded memory; what is wrong with a line is said of that line."""

import csv
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple

from callcenter.errors import BadInput

MAX_LINE = 16_384
"""Bytes of a line; what is longer is no line of a list."""
MAX_LINES_OF_A_ROW = 100
FIRST_REFUSED = 10
_NOT_TEXT = {
    b"PK\x03\x04": "an Excel or zip file",
    b"\x1f\x8b": "gzipped",
    b"%PDF": "a PDF",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file",
}
_BOM = b"\xef\xbb\xbf"
WHAT_TO_DO = {
    "line_too_long": f"longer than {MAX_LINE:,} bytes; is a quote or a line end missing?",
    "bad_encoding": "not UTF-8; save the file as UTF-8 and import it again",
    "nul": "holds a NUL; take it out, or export the file again",
    "bad_quotes": "its quotes are wrong or not closed; mend the line",
    "columns": "has more or fewer columns than the first line; quote or mend the line",
    "no_number": "the number is empty; fill it in or take the line out",
    "not_a_number": "no valid telephone number; write +, country code and number, or give --region",
    "no_customer": "customer_id is empty or longer than 256 letters",
    "unknown_purpose": "purpose must be service, marketing or collection",
    "no_text_version": "text_version is empty: which text did the customer agree to?",
    "no_proof": "proof is empty: where can it be seen that the customer agreed?",
    "too_long": "text_version or proof is longer than 500 letters",
    "bad_time": "given_at and expires_at must be ISO 8601 times with a zone, for example 2026-11-01T09:00:00Z",
    "future_time": "given_at lies in the future",
    "consent_ended": "expires_at lies before given_at",
}
"""Why a line is refused, and what to do about it."""


class Line(NamedTuple):
    """One row: the line it begins on (the first of the file is 1), and its cells or why it has none."""

    number: int
    cells: list[str]
    refused: str | None = None


@dataclass
class Refusals:
    """The lines that were refused: counted, the first few kept, all of them written to `report` as they come."""

    report: IO[str] | None = None
    by_code: Counter[str] = field(default_factory=Counter)
    first: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.report is not None:
            self.report.write("line,code,what_to_do\n")

    def add(self, line: int, code: str) -> None:
        """Note that a line was refused; what stood in it is told nowhere."""
        self.by_code[code] += 1
        if len(self.first) < FIRST_REFUSED:
            self.first.append((line, code))
        if self.report is not None:
            self.report.write(f'{line},{code},"{WHAT_TO_DO[code]}"\n')

    @property
    def total(self) -> int:
        return self.by_code.total()


@contextmanager
def open_list(path: Path, *, has_header: bool = True) -> Iterator["ListFile"]:
    """Open a CSV list. Raises BadInput when it is empty, no text, or its first line is none of columns."""
    try:
        raw = path.open("rb")
    except OSError as error:
        raise BadInput(f"{path.name} cannot be read: {error.strerror}") from error
    with raw:
        start = raw.peek(8)[:8]
        if kind := next((kind for magic, kind in _NOT_TEXT.items() if start.startswith(magic)), None):
            raise BadInput(f"{path.name} is {kind}; save it as CSV in UTF-8 first")
        if start.startswith(_BOM):
            raw.read(len(_BOM))
        yield ListFile(path, raw, has_header=has_header)


class ListFile:
    """An open list: its columns in `header` (1, 2, 3 ... without a first line of names), its `rows()`."""

    def __init__(self, path: Path, raw: BinaryIO, *, has_header: bool) -> None:
        self.name, self.size = path.name, path.stat().st_size
        self._raw, self._line = raw, 0
        self._pushed_back: deque[bytes] = deque()
        self._delimiter = ","
        first = self._first_line()
        self._delimiter = max(",;\t", key=first.count)
        if has_header:
            self.header = self._names(self._cells(first))
        else:
            width = len(self._cells(first) or ())
            self.header = [str(place) for place in range(1, width + 1)]
            self._pushed_back.append(first.encode())
            self._line -= 1

    @property
    def bytes_read(self) -> int:
        """How much of the file has been read."""
        return min(self._raw.tell(), self.size)

    def places(self, columns: Sequence[str]) -> list[int]:
        """Return where columns are. Raises BadInput, naming those there are."""
        lower = [name.lower() for name in self.header]
        missing = [name for name in columns if lower.count(name.lower()) != 1]
        if missing:
            known = ", ".join(name[:40] for name in self.header[:30])
            twice = missing[0].lower() in lower
            said = "two columns are called" if twice else "there is no column"
            raise BadInput(f"{self.name}: {said} {missing[0]!r}; the columns are {known}")
        return [lower.index(name.lower()) for name in columns]

    def rows(self) -> Iterator[Line]:
        """Yield every row after the first line of names; blank lines are no rows."""
        width = len(self.header)
        while line := self._next():
            number = self._line
            if len(line) >= MAX_LINE and not line.endswith(b"\n"):
                self._skip_rest()
                yield Line(number, [], "line_too_long")
                continue
            if b'"' in line:
                line = self._joined(line)
            try:
                text = line.decode().rstrip("\r\n")
            except UnicodeDecodeError:
                yield Line(number, [], "bad_encoding")
                continue
            if not text.strip():
                continue
            yield self._row(number, text, width)

    def _row(self, number: int, text: str, width: int) -> Line:
        if "\x00" in text:
            return Line(number, [], "nul")
        cells = self._cells(text)
        if cells is None:
            return Line(number, [], "bad_quotes")
        while len(cells) > width and not cells[-1].strip():
            cells.pop()
        return Line(number, cells) if len(cells) == width else Line(number, [], "columns")

    def _cells(self, text: str) -> list[str] | None:
        if '"' not in text:
            return text.split(self._delimiter)
        lines = [part + "\n" for part in text.split("\n")]
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        try:
            cells = next(reader)
            return cells if next(reader, None) is None else None
        except (csv.Error, StopIteration):
            return None

    def _joined(self, line: bytes) -> bytes:
        """Join the lines of a row whose quoted cell holds line ends; one that is never closed stays alone."""
        taken, quotes = [line], line.count(b'"')
        while quotes % 2 and len(taken) < MAX_LINES_OF_A_ROW and (more := self._next()):
            taken.append(more)
            quotes += more.count(b'"')
        if quotes % 2:
            self._pushed_back.extendleft(reversed(taken[1:]))
            self._line -= len(taken) - 1
            return line
        return b"".join(taken)

    def _next(self) -> bytes:
        line = self._pushed_back.popleft() if self._pushed_back else self._raw.readline(MAX_LINE)
        self._line += bool(line)
        return line

    def _skip_rest(self) -> None:
        while (more := self._raw.readline(MAX_LINE)) and not more.endswith(b"\n"):
            pass

    def _first_line(self) -> str:
        while line := self._next():
            if not line.strip():
                continue
            if len(line) >= MAX_LINE:
                raise BadInput(f"{self.name}: its first line is longer than {MAX_LINE:,} bytes; is this CSV?")
            try:
                text = line.decode().rstrip("\r\n")
            except UnicodeDecodeError:
                raise BadInput(f"{self.name} is not UTF-8; save it as CSV in UTF-8 first") from None
            if "\x00" in text:
                raise BadInput(f"{self.name} holds NULs; save it as CSV in UTF-8 first")
            return text
        raise BadInput(f"{self.name} is empty")

    def _names(self, cells: list[str] | None) -> list[str]:
        names = [name.strip() for name in cells or ()]
        # Names of columns are shown where one is missing; what may be somebody's number is not.
        if not names or any(sum(map(str.isdigit, name)) > 5 for name in names):
            raise BadInput(
                f"{self.name}: its first line holds no names of columns; add one such as: number (or --no-header)"
            )
        return names
