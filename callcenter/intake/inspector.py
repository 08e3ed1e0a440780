"""What a source sends: its last events, their counts, the schema seen, what was refused. Reads only.

Events are found by when they came in, from now backwards, window by window; no read looks at more than
`MOST_LOOKED_AT` events of all sources together, so that a quiet source costs no walk through the whole table.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlmodel import Session, col, func, select

from callcenter.domain.enums import QuarantineState
from callcenter.errors import NotFound
from callcenter.models import (
    Customer,
    EventReceipt,
    EventSource,
    JourneyEvent,
    QuarantinedEvent,
    User,
    WriteKey,
)

MOST_LOOKED_AT = 100_000
_WINDOWS = (
    timedelta(minutes=10),
    timedelta(hours=2),
    timedelta(days=1),
    timedelta(days=8),
    timedelta(days=60),
)
MINUTE = timedelta(minutes=1)

_LAST = """
SELECT id, kind, name, journey, step, role, customer_id, event_time, received_at, historical, clamped {more}
FROM (SELECT * FROM journey_event WHERE received_at >= :since AND received_at < :until
      ORDER BY received_at DESC LIMIT :looked_at) AS lately
WHERE source_id = :source_id ORDER BY received_at DESC LIMIT :wanted
"""
_LAST_SEEN = text(_LAST.format(more=""))
_LAST_SAID = text(_LAST.format(more=", properties"))
_MANY = text(
    "SELECT count(*) FROM (SELECT 1 FROM journey_event WHERE received_at >= :since AND received_at < :until"
    " LIMIT :looked_at) AS lately"
)
_PER_MINUTE = text("""
SELECT date_trunc('minute', received_at, 'UTC') AS minute, count(*) AS many FROM journey_event
WHERE source_id = :source_id AND received_at >= :since AND received_at < :until GROUP BY 1
""")
_PER_SOURCE = text("""
SELECT source_id, count(*) AS many FROM journey_event
WHERE received_at >= :since AND received_at < :until GROUP BY source_id
""")


def last_events(
    session: Session,
    source_id: UUID,
    now: datetime,
    wanted: int,
    *,
    properties: bool = False,
    looked_at: int = MOST_LOOKED_AT,
) -> list[Row[Any]]:
    """Return the events of a source that came in last, newest first: rows with the columns of an event.

    Fewer than wanted means that there are no more, or that other sources sent so much since.
    """
    found: list[Row[Any]] = []
    for since, until in _windows(now):
        span = {"since": since, "until": until, "looked_at": looked_at}
        ask = {**span, "source_id": source_id, "wanted": wanted - len(found)}
        found += session.execute(_LAST_SAID if properties else _LAST_SEEN, ask)
        if len(found) >= wanted:
            break
        looked_at -= session.execute(_MANY, span).scalar_one()
        if looked_at <= 0:
            break
    return found


def _windows(now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield spans from now backwards, each longer than the one before it and together without a gap."""
    until = now + timedelta(seconds=1)
    for length in _WINDOWS:
        yield until - length, until
        until -= length


def event_of(session: Session, source_id: UUID, event_id: UUID) -> JourneyEvent:
    """Return one event of a source, found by its receipt. Raises NotFound when it is not (any more) there."""
    receipt = session.get(EventReceipt, event_id)
    event = None
    if receipt is not None:
        event = session.exec(
            select(JourneyEvent)
            .where(JourneyEvent.received_at == receipt.received_at)
            .where(JourneyEvent.id == event_id)
            .where(JourneyEvent.source_id == source_id)
        ).first()
    if event is None:
        raise NotFound("This event is not there, or has moved to the archive.")
    return event


def known_customers(session: Session, ids: Sequence[UUID]) -> Mapping[UUID, str | None]:
    """Return the bank's own id of each customer; None for a device nobody has signed in on."""
    statement = select(Customer.id, Customer.external_id).where(col(Customer.id).in_(set(ids)))
    return dict(session.exec(statement).all())


def counts_per_minute(
    session: Session, source_id: UUID, since: datetime, until: datetime
) -> dict[datetime, int]:
    """Count a source's events by the minute they came in; minutes without any are left out."""
    span = {"source_id": source_id, "since": since, "until": until}
    return {row.minute: row.many for row in session.execute(_PER_MINUTE, span)}


def counts_per_source(session: Session, since: datetime, until: datetime) -> dict[UUID, int]:
    """Count the events of all sources that came in within a span."""
    rows = session.execute(_PER_SOURCE, {"since": since, "until": until})
    return {row.source_id: row.many for row in rows}


@dataclass(frozen=True, slots=True)
class Refused:
    """Refused events of one source for one reason that are still open: how many, and the last of them."""

    code: str
    message: str
    many: int
    last_at: datetime


def sources(session: Session) -> Sequence[EventSource]:
    """Return all sources by name."""
    return session.exec(select(EventSource).order_by(EventSource.name)).all()


def source_of(session: Session, source_id: UUID) -> EventSource:
    """Return a source. Raises NotFound when there is none."""
    source = session.get(EventSource, source_id)
    if source is None:
        raise NotFound("There is no such source.")
    return source


def keys_of(session: Session, source_id: UUID | None = None) -> Sequence[tuple[WriteKey, str | None]]:
    """Return the write keys of one source or of all, newest first, with the name of who made them."""
    statement = select(WriteKey, User.name).join(User, isouter=True).order_by(col(WriteKey.id).desc())
    if source_id is not None:
        statement = statement.where(WriteKey.source_id == source_id)
    return session.exec(statement).all()


def refused_since(session: Session, since: datetime) -> Mapping[UUID, int]:
    """Count the events refused since then by source, whatever became of them."""
    statement = (
        select(QuarantinedEvent.source_id, func.count())
        .where(QuarantinedEvent.received_at >= since)
        .group_by(col(QuarantinedEvent.source_id))
    )
    return dict(session.exec(statement).all())


def refused_by_reason(session: Session, source_id: UUID) -> list[Refused]:
    """Return the reasons of a source's open refused events, the most frequent first."""
    last_at = func.max(QuarantinedEvent.received_at)
    many = func.count()
    statement = (
        select(QuarantinedEvent.code, func.max(QuarantinedEvent.message), many, last_at)
        .where(QuarantinedEvent.source_id == source_id)
        .where(QuarantinedEvent.state == QuarantineState.OPEN)
        .group_by(QuarantinedEvent.code)
        .order_by(many.desc(), QuarantinedEvent.code)
    )
    return [Refused(*row) for row in session.exec(statement)]


def refused_events(
    session: Session,
    source_id: UUID | None,
    *,
    code: str | None = None,
    state: QuarantineState = QuarantineState.OPEN,
    limit: int = 100,
) -> Sequence[QuarantinedEvent]:
    """Return refused events of a source or of all, of one reason or any, the last ones first."""
    statement = select(QuarantinedEvent).where(QuarantinedEvent.state == state)
    if source_id is not None:
        statement = statement.where(QuarantinedEvent.source_id == source_id)
    if code is not None:
        statement = statement.where(QuarantinedEvent.code == code)
    newest = statement.order_by(col(QuarantinedEvent.received_at).desc(), col(QuarantinedEvent.id).desc())
    return session.exec(newest.limit(limit)).all()


def refused_event(session: Session, row_id: int) -> tuple[QuarantinedEvent, str | None]:
    """Return one refused event and the name of who settled it. Raises NotFound when there is none."""
    found = session.exec(
        select(QuarantinedEvent, User.name).join(User, isouter=True).where(QuarantinedEvent.id == row_id)
    ).first()
    if found is None:
        raise NotFound("There is no such refused event.")
    return found[0], found[1]
