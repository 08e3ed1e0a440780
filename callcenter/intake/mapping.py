"""What the columns of an event log mean: reading the mapping's file. Pure.

The attributes of an XES log count as columns; those of its traces are prefixed with `case:`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from callcenter.errors import BadInput

_ENTRIES = frozenset(
    ("source", "journey", "delimiter", "encoding", "columns", "time", "keep", "events", "properties")
)
_NEEDED = ("customer", "activity", "time")
_XES_COLUMNS = {"customer": "case:concept:name", "activity": "concept:name", "time": "time:timestamp"}
_ALL = "all"
_TAB_WORDS = {"tab": "\t", "\\t": "\t"}
ISO = "iso"
EPOCH_SECONDS = "epoch_s"
EPOCH_MILLISECONDS = "epoch_ms"


class PropertyType(StrEnum):
    """What a column's text becomes as an event property."""

    TEXT = "text"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Keep:
    """A row is kept when the column holds one of `values` or starts with one of `prefixes`."""

    column: str
    values: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PropertyColumn:
    """The column a property comes from, and its type."""

    column: str
    type: PropertyType = PropertyType.TEXT


@dataclass(frozen=True, slots=True)
class LogMapping:
    """How a log's columns become events. `journey` is the journey's file, relative to the mapping's.

    `zone` is that of times written without one; None means that such times are refused. With `keeps_all`,
    every column that is none of customer, activity, time and journey key becomes a property of its own name.
    """

    source: str
    journey: str
    customer: str
    activity: str
    time: str
    journey_key: str | None = None
    delimiter: str = ","
    encoding: str = "utf-8"
    time_format: str = ISO
    zone: ZoneInfo | None = None
    keep: tuple[Keep, ...] = ()
    events: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, PropertyColumn] = field(default_factory=dict)
    keeps_all: bool = False

    @property
    def roles(self) -> tuple[str, ...]:
        """The columns that say who, what, when and in which run of the journey."""
        key = (self.journey_key,) if self.journey_key else ()
        return (self.customer, self.activity, self.time, *key)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns the mapping names, each once."""
        others = (*(one.column for one in self.keep), *(one.column for one in self.properties.values()))
        return tuple(dict.fromkeys((*self.roles, *others)))


def read_mapping(raw: Any) -> LogMapping:
    """Turn a mapping's file, as parsed from YAML, into a LogMapping.

    Raises BadInput naming the entry that is wrong, with what would be right.
    """
    if not isinstance(raw, Mapping):
        raise BadInput("a mapping has the entries source, journey and columns; docs/how-to-import-a-log.md")
    _refuse_unknown(raw, _ENTRIES, "")
    columns = _entries(raw.get("columns", _XES_COLUMNS), "columns")
    _refuse_unknown(columns, {*_NEEDED, "journey_key"}, "columns: ")
    if missing := [name for name in _NEEDED if name not in columns]:
        raise BadInput(f"columns: say which column is the {', the '.join(missing)}")
    time_format, zone = _time(raw.get("time", {}))
    properties = raw.get("properties", {})
    keeps_all = properties == _ALL
    return LogMapping(
        source=_text(raw.get("source"), "source"),
        journey=_text(raw.get("journey"), "journey"),
        customer=_text(columns["customer"], "columns.customer"),
        activity=_text(columns["activity"], "columns.activity"),
        time=_text(columns["time"], "columns.time"),
        journey_key=_text(columns["journey_key"], "columns.journey_key")
        if "journey_key" in columns
        else None,
        delimiter=_delimiter(raw.get("delimiter", ",")),
        encoding=_encoding(raw.get("encoding", "utf-8")),
        time_format=time_format,
        zone=zone,
        keep=tuple(_keep(one, f"keep[{place}]") for place, one in enumerate(_list(raw.get("keep"), "keep"))),
        events={
            _text(activity, "events"): _text(name, f"events.{activity}")
            for activity, name in _entries(raw.get("events", {}), "events").items()
        },
        properties={
            _text(name, "properties"): _property(column, f"properties.{name}")
            for name, column in _entries({} if keeps_all else properties, "properties").items()
        },
        keeps_all=keeps_all,
    )


def _refuse_unknown(raw: Mapping[Any, Any], known: frozenset[str] | set[str], where: str) -> None:
    if unknown := sorted(str(name) for name in raw if name not in known):
        raise BadInput(f"{where}unknown entry {', '.join(unknown)}; known are {', '.join(sorted(known))}")


def _entries(raw: Any, where: str) -> Mapping[Any, Any]:
    if not isinstance(raw, Mapping):
        raise BadInput(f"{where}: give entries of the form `name: value`")
    return raw


def _list(raw: Any, where: str) -> Sequence[Any]:
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise BadInput(f"{where}: give a list")
    return raw


def _text(raw: Any, where: str) -> str:
    if not isinstance(raw, str) or not raw:
        raise BadInput(f"{where}: needs a text; put numbers, dates and yes or no in quotes")
    return raw


def _texts(raw: Any, where: str) -> tuple[str, ...]:
    return tuple(_text(one, where) for one in (raw if isinstance(raw, list) else [raw]))


def _keep(raw: Any, where: str) -> Keep:
    entries = _entries(raw, where)
    _refuse_unknown(entries, {"column", "is", "starts_with"}, f"{where}: ")
    if ("is" in entries) == ("starts_with" in entries):
        raise BadInput(f"{where}: give either `is` or `starts_with`, one text or a list")
    return Keep(
        column=_text(entries.get("column"), f"{where}.column"),
        values=frozenset(_texts(entries["is"], f"{where}.is")) if "is" in entries else frozenset(),
        prefixes=_texts(entries["starts_with"], f"{where}.starts_with") if "starts_with" in entries else (),
    )


def _property(raw: Any, where: str) -> PropertyColumn:
    if isinstance(raw, str):
        return PropertyColumn(_text(raw, where))
    entries = _entries(raw, where)
    _refuse_unknown(entries, {"column", "type"}, f"{where}: ")
    try:
        kind = PropertyType(entries.get("type", PropertyType.TEXT))
    except ValueError:
        raise BadInput(f"{where}.type: is one of {', '.join(PropertyType)}") from None
    return PropertyColumn(_text(entries.get("column"), f"{where}.column"), kind)


def _delimiter(raw: Any) -> str:
    text = _TAB_WORDS.get(raw, raw) if isinstance(raw, str) else ""
    if len(text) != 1 or text in '"\r\n':
        raise BadInput("delimiter: one character such as ',' or ';', or tab")
    return text


def _encoding(raw: Any) -> str:
    name = _text(raw, "encoding")
    try:
        "".encode(name)
    except LookupError:
        raise BadInput(f"encoding: {name!r} is not known; use utf-8, latin-1, gb18030 ...") from None
    return "utf-8-sig" if name.lower().replace("_", "-") in ("utf-8", "utf8") else name


def _time(raw: Any) -> tuple[str, ZoneInfo | None]:
    entries = _entries(raw, "time")
    _refuse_unknown(entries, {"format", "zone"}, "time: ")
    time_format = _text(entries.get("format", ISO), "time.format")
    if time_format not in (ISO, EPOCH_SECONDS, EPOCH_MILLISECONDS) and "%" not in time_format:
        raise BadInput("time.format: is iso, epoch_s, epoch_ms or a pattern such as '%d/%m/%Y %H:%M:%S'")
    zone = entries.get("zone")
    if zone is None:
        return time_format, None
    if zone not in available_timezones():
        raise BadInput(f"time.zone: {zone!r} is not an IANA zone such as Europe/Amsterdam")
    return time_format, ZoneInfo(zone)
