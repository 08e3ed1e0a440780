"""One row of an event log, read by the mapping of its columns: an event, left out, or refused. Pure."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from operator import itemgetter
from typing import Self

from callcenter.domain.events import EventValue, Rejection
from callcenter.errors import BadInput
from callcenter.intake.mapping import EPOCH_MILLISECONDS, EPOCH_SECONDS, ISO, LogMapping, PropertyType
from callcenter.intake.policy import FUTURE_TOLERANCE, MAX_EVENT_BYTES, MAX_ID


class DamagedFile(BadInput):
    """The file breaks off or is damaged at some place; what came before is good."""

    code = "damaged_file"

    @classmethod
    def after(cls, name: str, place: str, reason: object) -> Self:
        """Say after which place (`line 7`) a file of this name is broken, and what to do about it."""
        return cls(
            f"{name} is damaged after {place} ({reason}); get it again and import it: "
            "what is stored stays and is not stored twice"
        )


class Cells(dict[str, str]):
    """The cells of one row by column, for logs whose rows differ in their columns: one it lacks is blank.

    `numbers` are the columns the log itself says hold numbers. `aliases` gives a column a second name.
    """

    def __init__(self, cells: dict[str, str] | None = None) -> None:
        super().__init__(cells or {})
        self.numbers: set[str] = set()
        self.aliases: dict[str, str] = {}

    def __missing__(self, column: str) -> str:
        return self.get(self.aliases.get(column, ""), "")


Fields = list[str] | Cells
Row = tuple[int, Fields | Rejection]
"""Where a row is (the line it starts on, the header being line 1; in an XES log the event's number), and its
fields or why it is no row."""


class _Refused(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class RowReader:
    """Reads the rows of one log: an event, None for a row the mapping leaves out, or why it is refused."""

    def __init__(
        self,
        mapping: LogMapping,
        header: Sequence[str] | frozenset[str],
        key_property: str | None,
        now: datetime,
    ) -> None:
        """`header` names the columns: in their order, or as a set when rows come as `Cells` (an XES log, whose
        times are ISO 8601 whatever the mapping says). `key_property` is the event property that holds the
        journey key.

        Raises BadInput when the log has no such column, or the journey no key.
        """
        if mapping.journey_key and not key_property:
            raise BadInput("columns.journey_key: the journey's file has no `key`; name one there")
        self._mapping = mapping
        self._latest = now + FUTURE_TOLERANCE
        self._header = [] if isinstance(header, frozenset) else list(header)
        self._time_format = ISO if isinstance(header, frozenset) else mapping.time_format
        self._read_time = _time_reader(self._time_format)
        self._columns = mapping.columns
        self._pick = itemgetter(*(_position(header, name, mapping.delimiter) for name in self._columns))
        at = {name: place for place, name in enumerate(self._columns)}
        self._keep = [(at[one.column], one.values, one.prefixes) for one in mapping.keep]
        self._properties = [
            (name, at[one.column], one.type, one.column) for name, one in mapping.properties.items()
        ]
        if mapping.journey_key and key_property:
            place = at[mapping.journey_key]
            self._properties.append((key_property, place, PropertyType.TEXT, mapping.journey_key))

    def read(self, line: int, fields: Fields) -> EventValue | Rejection | None:
        """Read the row at this place of the file."""
        try:
            return self._event(line, fields)
        except _Refused as refused:
            raw = dict(fields) if isinstance(fields, Cells) else list(fields)
            return Rejection(line, refused.code, refused.message, raw)

    def _event(self, line: int, fields: Fields) -> EventValue | None:
        cells = self._cells(fields)
        for place, values, prefixes in self._keep:
            if cells[place] not in values and not (prefixes and cells[place].startswith(prefixes)):
                return None
        row = "\x1f".join(fields if isinstance(fields, list) else map("\x1e".join, fields.items()))
        _check_text(row)
        user_id, activity = cells[0].strip(), cells[1].strip()
        if not user_id or len(user_id) > MAX_ID:
            raise _Refused("bad_customer", f"column {self._mapping.customer!r}: 1 to {MAX_ID} characters")
        if not activity:
            raise _Refused("no_activity", f"column {self._mapping.activity!r} is empty")
        event_time = self._event_time(cells[2].strip())
        name = self._mapping.events.get(activity, activity)
        properties = {
            name: _value(cells[place].strip(), kind, column)
            for name, place, kind, column in self._properties
            if cells[place].strip()
        }
        if self._mapping.keeps_all:
            properties |= self._others(fields)
        return EventValue(
            # The line number first: equal times keep the order of the file.
            message_id=f"{line:010d}-{blake2b(row.encode(), digest_size=8).hexdigest()}",
            kind="track",
            name=name,
            step_key=name,
            event_time=event_time,
            received_at=event_time,
            user_id=user_id,
            properties=properties,
            historical=True,
        )

    def _cells(self, fields: Fields) -> Sequence[str]:
        """Return the cells of the mapping's columns, in its order: customer, activity and time first."""
        if isinstance(fields, Cells):
            return [fields[name] for name in self._columns]
        if len(fields) != len(self._header):
            few = "too_few_columns" if len(fields) < len(self._header) else "too_many_columns"
            wanted = len(self._header)
            raise _Refused(few, f"has {len(fields)} columns, the header {wanted}; quote or mend the row")
        picked: Sequence[str] = self._pick(fields)
        return picked

    def _others(self, fields: Fields) -> dict[str, str | int | float]:
        """Return the properties of the columns that have no role of their own."""
        items = fields.items() if isinstance(fields, Cells) else zip(self._header, fields, strict=True)
        numbers = fields.numbers if isinstance(fields, Cells) else ()
        return {
            name: _value(text.strip(), PropertyType.NUMBER if name in numbers else PropertyType.TEXT, name)
            for name, text in items
            if name not in self._mapping.roles and text.strip()
        }

    def _event_time(self, text: str) -> datetime:
        column = self._mapping.time
        try:
            moment = self._read_time(text)
            if moment.tzinfo is None and self._mapping.zone is not None:
                moment = moment.replace(tzinfo=self._mapping.zone)
            if moment.tzinfo is not None:
                moment = moment.astimezone(UTC)
        except (ValueError, OverflowError, OSError):
            wanted = self._time_format
            raise _Refused(
                "bad_time",
                f"column {column!r} looks like {_shape(text)!r}, which time.format {wanted!r} does not read",
            ) from None
        if moment.tzinfo is None:
            raise _Refused("no_zone", f"column {column!r} says no zone; set time.zone in the mapping")
        if moment > self._latest:
            raise _Refused("future_time", f"column {column!r} lies in the future; check time.format and zone")
        return moment


def _position(header: Sequence[str] | frozenset[str], column: str, delimiter: str) -> int:
    if isinstance(header, frozenset):
        if column in header:
            return 0
        known = ", ".join(name[:40] for name in sorted(header)[:30])
        raise BadInput(f"no event has an attribute {column!r}; the attributes are {known}")
    if header.count(column) == 1:
        return header.index(column)
    if column in header:
        raise BadInput(f"line 1: two columns are called {column!r}; rename one")
    known = ", ".join(name[:40] for name in header[:30])
    other = next((mark for mark in ",;\t|" if mark != delimiter and mark in header[0]), None)
    hint = f"; is the delimiter {other!r}? Set it in the mapping" if len(header) == 1 and other else ""
    raise BadInput(f"line 1: there is no column {column!r}; the columns are {known}{hint}")


def _time_reader(pattern: str) -> Callable[[str], datetime]:
    if pattern == ISO:
        return datetime.fromisoformat
    if pattern in (EPOCH_SECONDS, EPOCH_MILLISECONDS):
        scale = 1 if pattern == EPOCH_SECONDS else 1000
        return lambda text: datetime.fromtimestamp(float(text) / scale, UTC)
    # A naive result is given the mapping's zone, or refused, by the caller.
    return lambda text: datetime.strptime(text, pattern)  # noqa: DTZ007


def _check_text(row: str) -> None:
    if len(row) > MAX_EVENT_BYTES:
        raise _Refused("event_too_large", f"a row may have {MAX_EVENT_BYTES // 1024} KB")
    if row.isascii():
        if "\x00" in row:
            raise _Refused("nul_character", "the row holds the character U+0000; is the file damaged?")
        return
    try:
        row.encode()
    except UnicodeEncodeError:
        raise _Refused("bad_encoding", "the row is not in the mapping's encoding; set `encoding`") from None
    if "\x00" in row:
        raise _Refused("nul_character", "the row holds the character U+0000; is the file damaged?")


def _value(text: str, kind: PropertyType, column: str) -> str | int | float:
    if kind is PropertyType.TEXT:
        return text
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not abs(number) < 1e300:  # also refuses nan and infinity, which JSON cannot say
        raise _Refused("bad_number", f"column {column!r} looks like {_shape(text)!r}, not a number")
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _shape(text: str) -> str:
    """Show what a value looks like without saying it: it may be a name in the wrong column."""
    return re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", text[:40]))
