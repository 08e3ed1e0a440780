"""The administration of event sources: the list, one source with its inspector, a new key shown once."""

from dataclasses import dataclass
from datetime import datetime

from callcenter.web.pages.frame import Frame
from callcenter.web.pages.studio import Choice


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A write key by its last letters. `ends_at` is None for never; one in the past has ended."""

    id: int
    hint: str
    created_at: datetime
    created_by: str | None = None
    ends_at: datetime | None = None
    has_ended: bool = False


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One source of the list. `last_at` is None when nothing came in lately; `keys` are those that work."""

    name: str
    href: str
    is_enabled: bool
    last_minute: int
    last_at: datetime | None
    rejected_today: int
    open_refused: int
    keys: tuple[KeyRow, ...] = ()


@dataclass(frozen=True, slots=True)
class SourcesPage:
    """All sources. Without `may_change` nothing can be pressed."""

    frame: Frame
    sources: tuple[SourceRow, ...] = ()
    may_change: bool = False


@dataclass(frozen=True, slots=True)
class NewSourcePage:
    """The form of a new source, with what was typed before when something was wrong with it."""

    frame: Frame
    usual_requests: int
    name: str = ""
    lateness: str = "5"
    requests: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class NewKeyPage:
    """A write key, shown this once. `old_keys_end_at` is None when there were no keys before."""

    frame: Frame
    source: str
    href: str
    write_key: str
    address: str
    is_new_source: bool
    old_keys_end_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """One minute of the last hour: where its bar stands in the drawing, in pixels, and how many events."""

    x: float
    height: float
    at: datetime
    many: int


@dataclass(frozen=True, slots=True)
class Pulse:
    """The strip: events of the last full minute and of the last hour, the last one, the rejected.

    `bars` are the minutes of the last hour in a drawing 360 x 48 pixels wide and high.
    """

    last_minute: int
    last_hour: int
    busiest: int
    bars: tuple[Bar, ...]
    last_at: datetime | None
    rejected_today: int
    open_refused: int


@dataclass(frozen=True, slots=True)
class EventRow:
    """One accepted event. `customer` is masked; `step` None means no journey has a place for it."""

    id: str
    href: str
    at: datetime
    kind: str
    name: str
    customer: str
    step: str | None = None
    journey: str | None = None
    is_device: bool = False
    is_historical: bool = False
    is_clamped: bool = False
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class ReadEvent:
    """One event in full; `properties` is JSON in lines, personal values hidden."""

    row: EventRow
    message_id: str
    happened_at: datetime
    properties: str
    role: str | None = None


@dataclass(frozen=True, slots=True)
class PropertyRow:
    """One property seen: in which share of the events of its name, as what, for example."""

    path: str
    types: tuple[str, ...]
    events: int
    share: float
    example: str | None


@dataclass(frozen=True, slots=True)
class SchemaRow:
    """One event's name as seen in the last events."""

    name: str
    kinds: tuple[str, ...]
    events: int
    first_at: datetime
    last_at: datetime
    properties: tuple[PropertyRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Schema:
    """The schema seen in the last `events` events since `since`; `most` are looked at."""

    events: int
    most: int
    since: datetime | None = None
    names: tuple[SchemaRow, ...] = ()


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """One reason for which events were refused, with what to do about it, finished text."""

    code: str
    label: str
    advice: str | None
    many: int
    last_at: datetime
    href: str
    is_chosen: bool = False
    may_redrive: bool = True


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One refused event; `message` is the collector's own sentence, in English."""

    id: int
    href: str
    at: datetime
    reason: str
    message: str
    beginning: str
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class ReadRefused:
    """One refused event in full; `body` is what was kept, personal values hidden. `state` is a code."""

    row: RefusedRow
    code: str
    body: str
    is_whole: bool
    may_redrive: bool
    advice: str | None
    state: str
    state_at: datetime | None = None
    state_by: str | None = None


@dataclass(frozen=True, slots=True)
class ActRow:
    """One act from the audit trail: finished words, when, and by whom."""

    words: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class SourcePage:
    """One source. `show` is the tab: events, schema, rejected or settings."""

    frame: Frame
    name: str
    href: str
    is_enabled: bool
    show: str
    tabs: tuple[Choice, ...]
    pulse: Pulse
    may_change: bool
    lateness: float
    requests_per_second: int | None
    usual_requests: int
    events: tuple[EventRow, ...] = ()
    event: ReadEvent | None = None
    schema: Schema | None = None
    reasons: tuple[ReasonRow, ...] = ()
    refused: tuple[RefusedRow, ...] = ()
    read: ReadRefused | None = None
    code: str | None = None
    keys: tuple[KeyRow, ...] = ()
    acts: tuple[ActRow, ...] = ()
