"""One row of an event log, read by the mapping of its columns: an event, left out, or refused. Pure."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import blake2b

from callcenter.domain.events import EventValue, Rejection
from callcenter.errors import BadInput
from callcenter.intake.mapping import EPOCH_MILLISECONDS, EPOCH_SECONDS, ISO, LogMapping, PropertyType
from callcenter.intake.policy import FUTURE_TOLERANCE, MAX_EVENT_BYTES, MAX_ID


class _Refused(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class RowReader:
    """Reads the rows of one log: an event, None for a row the mapping leaves out, or why it is refused."""

    def __init__(
        self, mapping: LogMapping, header: Sequence[str], key_property: str | None, now: datetime
    ) -> None:
        """`header` names the columns, `key_property` the event property that holds the journey key.

        Raises BadInput when the log has no such column, or the journey no key.
        """
        if mapping.journey_key and not key_property:
            raise BadInput("columns.journey_key: the journey's file has no `key`; name one there")
        self._mapping = mapping
        self._width = len(header)
        self._latest = now + FUTURE_TOLERANCE
        self._read_time = _time_reader(mapping)
        self._at = {name: _position(header, name, mapping.delimiter) for name in _columns_of(mapping)}
        self._keep = [(self._at[one.column], one.values, one.prefixes) for one in mapping.keep]
        self._properties = [
            (name, self._at[one.column], one.type, one.column) for name, one in mapping.properties.items()
        ]
        if mapping.journey_key and key_property:
            place = self._at[mapping.journey_key]
            self._properties.append((key_property, place, PropertyType.TEXT, mapping.journey_key))
        self._customer, self._activity = self._at[mapping.customer], self._at[mapping.activity]
        self._time = self._at[mapping.time]

    def read(self, line: int, fields: Sequence[str]) -> EventValue | Rejection | None:
        """Read the row that starts on this line of the file (the header is line 1)."""
        try:
            return self._event(line, fields)
        except _Refused as refused:
            return Rejection(line, refused.code, refused.message, list(fields))

    def _event(self, line: int, fields: Sequence[str]) -> EventValue | None:
        if len(fields) != self._width:
            few = "too_few_columns" if len(fields) < self._width else "too_many_columns"
            raise _Refused(few, f"has {len(fields)} columns, the header {self._width}; quote or mend the row")
        for place, values, prefixes in self._keep:
            if fields[place] not in values and not (prefixes and fields[place].startswith(prefixes)):
                return None
        row = "\x1f".join(fields)
        _check_text(row)
        user_id, activity = fields[self._customer].strip(), fields[self._activity].strip()
        if not user_id or len(user_id) > MAX_ID:
            raise _Refused("bad_customer", f"column {self._mapping.customer!r}: 1 to {MAX_ID} characters")
        if not activity:
            raise _Refused("no_activity", f"column {self._mapping.activity!r} is empty")
        event_time = self._event_time(fields[self._time].strip())
        name = self._mapping.events.get(activity, activity)
        return EventValue(
            # The line number first: equal times keep the order of the file.
            message_id=f"{line:010d}-{blake2b(row.encode(), digest_size=8).hexdigest()}",
            kind="track",
            name=name,
            step_key=name,
            event_time=event_time,
            received_at=event_time,
            user_id=user_id,
            properties={
                name: _value(fields[place].strip(), kind, column)
                for name, place, kind, column in self._properties
                if fields[place].strip()
            },
            historical=True,
        )

    def _event_time(self, text: str) -> datetime:
        column = self._mapping.time
        try:
            moment = self._read_time(text)
            if moment.tzinfo is None and self._mapping.zone is not None:
                moment = moment.replace(tzinfo=self._mapping.zone)
            if moment.tzinfo is not None:
                moment = moment.astimezone(UTC)
        except (ValueError, OverflowError, OSError):
            wanted = self._mapping.time_format
            raise _Refused(
                "bad_time",
                f"column {column!r} looks like {_shape(text)!r}, which time.format {wanted!r} does not read",
            ) from None
        if moment.tzinfo is None:
            raise _Refused("no_zone", f"column {column!r} says no zone; set time.zone in the mapping")
        if moment > self._latest:
            raise _Refused("future_time", f"column {column!r} lies in the future; check time.format and zone")
        return moment


def _columns_of(mapping: LogMapping) -> list[str]:
    columns = [mapping.customer, mapping.activity, mapping.time]
    columns += [mapping.journey_key] if mapping.journey_key else []
    columns += [one.column for one in mapping.keep]
    return columns + [one.column for one in mapping.properties.values()]


def _position(header: Sequence[str], column: str, delimiter: str) -> int:
    if header.count(column) == 1:
        return header.index(column)
    if column in header:
        raise BadInput(f"line 1: two columns are called {column!r}; rename one")
    known = ", ".join(name[:40] for name in header[:30])
    other = next((mark for mark in ",;\t|" if mark != delimiter and mark in header[0]), None)
    hint = f"; is the delimiter {other!r}? Set it in the mapping" if len(header) == 1 and other else ""
    raise BadInput(f"line 1: there is no column {column!r}; the columns are {known}{hint}")


def _time_reader(mapping: LogMapping) -> Callable[[str], datetime]:
    pattern = mapping.time_format
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
