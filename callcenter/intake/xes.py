"""An XES event log (IEEE 1849), read from front to back in bounded memory, however large it is.

Each event is a row. Its columns are its attributes by their keys and those of its trace prefixed with `case:`;
`case` alone is the trace's name. What an attribute holds inside it is named `outer.inner`. No document type, entity
or outside reference is read, and no element may be longer or deeper than a log needs.
"""

import gzip
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from callcenter.domain.events import Rejection
from callcenter.errors import BadInput
from callcenter.intake.logrow import Cells, DamagedFile, Row
from callcenter.intake.policy import MAX_EVENT_BYTES, MAX_NESTING

MAX_ELEMENT_BYTES = 1_000_000
_BLOCK_BYTES = 64 * 1024
_MAX_COLUMNS = 1_000
_CASE = "case"
_CASE_NAME = "case:concept:name"
_NUMBERS = ("int", "float")
_HOLDERS = ("list", "container", "values")
"""Elements that have no value of their own, only what is inside them."""


class _WrongStructure(Exception):
    """The XML is well formed and no XES."""


class XesLog:
    """An open log: the columns it has, its rows, and how many of the file's bytes have been read."""

    def __init__(
        self, path: Path, raw: BinaryIO, content: BufferedReader | gzip.GzipFile, wanted: Collection[str]
    ) -> None:
        """`wanted` are the columns the mapping names: the log is searched for them before the first row.

        Raises BadInput when it is no XES log, DamagedFile when it breaks off before all of them are found.
        """
        self.path, self.size = path, path.stat().st_size
        self._raw, self._content = raw, content
        self.header = self._columns(set(wanted))

    @property
    def bytes_read(self) -> int:
        """How many bytes of the file have been read, for a progress bar: at most `size`."""
        return min(self._raw.tell(), self.size)

    def rows(self) -> Iterator[Row]:
        """Yield every event from the first, each with its number. Raises DamagedFile at a break."""
        parser, events = DefusedExpatParser(forbid_dtd=True), _Events()
        parser.setContentHandler(events)
        self._content.seek(0)
        number, is_more, problem = 0, True, None
        while is_more and problem is None:
            try:
                is_more = self._feed(parser, events)
            except _EXPECTED as error:
                problem = error
            for cells, fault in events.take():
                number += 1
                yield number, Rejection(number, *fault, dict(cells)) if fault else cells
        if problem is not None:
            raise self._problem(problem, number, events) from problem

    def _feed(self, parser: DefusedExpatParser, events: "_Events") -> bool:
        block = self._content.read(_BLOCK_BYTES)
        if not block:
            parser.close()
            return False
        events.silent_bytes += len(block)
        parser.feed(block)
        if events.silent_bytes > MAX_ELEMENT_BYTES:
            raise _WrongStructure(f"an element is longer than {MAX_ELEMENT_BYTES:,} bytes")
        return True

    def _problem(self, error: Exception, number: int, events: "_Events") -> BadInput:
        name = self.path.name
        if isinstance(error, DefusedXmlException):
            return BadInput(
                f"{name} declares a document type or entities, which no event log needs and which can blow up; "
                "take the <!DOCTYPE ...> out if you trust the file"
            )
        if isinstance(error, SAXParseException):
            reason: object = f"line {error.getLineNumber()}: {error.getMessage()}"
        else:
            reason = str(error) or type(error).__name__
        if not events.has_begun and not isinstance(error, OSError | EOFError | zlib.error):
            return BadInput(f"{name} is no XES log ({reason})")
        return DamagedFile.after(name, f"event {number}", reason)

    def _columns(self, wanted: set[str]) -> frozenset[str]:
        """Return the columns of the events up to the one where all that are wanted have been seen."""
        seen: set[str] = set()
        for _, cells in self.rows():
            if isinstance(cells, Cells):
                seen.update(cells if len(seen) < _MAX_COLUMNS else wanted & cells.keys())
                seen.update((_CASE,) if _CASE_NAME in cells else ())
            if wanted <= seen:
                break
        if not seen:
            raise BadInput(f"{self.path.name} holds no event with an attribute")
        return frozenset(seen)


_EXPECTED = (
    SAXParseException,
    DefusedXmlException,
    _WrongStructure,
    EOFError,
    OSError,
    UnicodeError,
    ValueError,
    zlib.error,
)


@dataclass
class _Part:
    """A trace or an event that is open: its attributes so far, and the first thing that is wrong with them."""

    cells: Cells
    prefix: str = ""
    fault: tuple[str, str] | None = None
    size: int = 0
    path: list[str] = field(default_factory=list)

    def open(self, tag: str, key: str | None, value: str | None) -> None:
        """Take up an attribute, which may stand inside another."""
        if tag == "values" and self.path:  # the items of a list stand in it
            self.path.append("")
            return
        self.path.append(key or "")
        if not key or (value is None and tag not in _HOLDERS):
            self.fault = self.fault or ("bad_attribute", f"a <{tag[:40]}> has no {'value' if key else 'key'}")
        elif value is not None:
            self._keep(self.prefix + ".".join(filter(None, self.path)), value, tag in _NUMBERS)

    def close(self) -> None:
        """The attribute opened last ends."""
        self.path.pop()

    def _keep(self, name: str, value: str, is_number: bool) -> None:
        self.size += len(name) + len(value)
        if self.size > MAX_EVENT_BYTES:
            limit = f"an event with its trace may have {MAX_EVENT_BYTES // 1024} KB"
            self.fault = self.fault or ("event_too_large", limit)
        elif name not in self.cells:
            self.cells[name] = value
            if is_number:
                self.cells.numbers.add(name)
        elif len(self.path) > 1:  # the items of a list may share a key
            self.cells[name] += f", {value}"
            self.cells.numbers.discard(name)
        else:
            self.fault = self.fault or (
                "repeated_attribute",
                f"the attribute {name[:40]!r} stands there twice",
            )


class _Events(ContentHandler):
    """Collects the events that have ended. `silent_bytes` tells of input in which nothing began or ended."""

    def __init__(self) -> None:
        super().__init__()
        self.silent_bytes = 0
        self.has_begun = False
        self._ended: list[tuple[Cells, tuple[str, str] | None]] = []
        self._open: list[str] = []
        self._trace: _Part | None = None
        self._trace_has_events = False
        self._event: _Part | None = None

    def take(self) -> list[tuple[Cells, tuple[str, str] | None]]:
        """Hand over the events that have ended since last time, each with what is wrong with it."""
        ended, self._ended = self._ended, []
        return ended

    def startElement(self, name: str, attrs: AttributesImpl) -> None:
        """An element begins."""
        self.silent_bytes = 0
        tag = _tag(name)
        parent = self._open[-1] if self._open else ""
        if len(self._open) > MAX_NESTING:
            raise _WrongStructure(f"elements are nested deeper than {MAX_NESTING}")
        if not parent:
            if tag != "log":
                raise _WrongStructure(f"it begins with <{tag[:40]}>, an XES log with <log>")
            self.has_begun = True
        elif tag == "trace":
            self._begin_trace(parent)
        elif tag == "event":
            self._begin_event(parent)
        elif part := self._event or self._trace:
            if part is self._trace and self._trace_has_events:
                raise _WrongStructure("a trace's attribute stands after its events; they must come first")
            part.open(tag, attrs.get("key"), attrs.get("value"))
        self._open.append(tag)

    def endElement(self, name: str) -> None:
        """An element ends."""
        self.silent_bytes = 0
        self._open.pop()
        tag = _tag(name)
        if tag == "event" and self._event:
            self._ended.append((self._event.cells, self._event.fault))
            self._event = None
        elif tag == "trace":
            self._trace = None
        elif part := self._event or self._trace:
            part.close()

    def characters(self, _content: str) -> None:
        """Text between elements means nothing in XES."""
        self.silent_bytes = 0

    def _begin_trace(self, parent: str) -> None:
        if parent != "log":
            raise _WrongStructure(f"a <trace> stands in <{parent[:40]}>, not in <log>")
        self._trace, self._trace_has_events = _Part(Cells(), prefix="case:"), False

    def _begin_event(self, parent: str) -> None:
        if parent not in ("log", "trace"):
            raise _WrongStructure(f"an <event> stands in <{parent[:40]}>, not in <trace>")
        cells = Cells()
        cells.aliases[_CASE] = _CASE_NAME
        self._event = _Part(cells)
        if self._trace:
            self._trace_has_events = True
            cells.update(self._trace.cells)
            cells.numbers |= self._trace.cells.numbers
            self._event.fault, self._event.size = self._trace.fault, self._trace.size


def _tag(name: str) -> str:
    """Return an element's name without the prefix of its namespace."""
    return name.rpartition(":")[2]
