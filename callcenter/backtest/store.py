"""Reading what a back-test needs, from the database and from the archive, in a read-only transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import orjson
import polars as pl
import psycopg
from sqlalchemy import text
from sqlmodel import Session, col, select

from callcenter.backtest.columns import micros, moments
from callcenter.backtest.frames import SLICE, Piece, Table, read_archived, read_slice, table_of
from callcenter.backtest.values import LOOK_AHEAD, Attributes, Extent, OnProgress, Stored
from callcenter.domain.events import EventValue
from callcenter.domain.journey import EventRole, JourneyDefinition
from callcenter.intake.archive import ArchiveDamaged, archived_weeks, hold_partitions, partitions, scan_weeks
from callcenter.intake.policy import REALTIME_LATENESS
from callcenter.journeys.rules import Place
from callcenter.models import Customer
from callcenter.triggers.history import attributes_of

_ROLES = {role.value: role for role in EventRole}
_FETCH = 10_000
_SLICE_BYTES = 1_000_000_000
"""A slice read at once is at most about as large in the database: some millions of events."""
_OF_JOURNEY = """
journey = %(journey)s AND (step = ANY(%(steps)s::text[]) OR role = 'exit')
AND NOT (historical AND received_at - event_time > %(too_late)s)
AND (%(none_twice)s OR NOT id = ANY(%(twice)s::uuid[]))
"""
_UNTIL = "(%(until)s::timestamptz IS NULL OR received_at <= %(until)s)"
_EXTENT = f"""
SELECT count(*) FILTER (WHERE {_UNTIL}), min(received_at), max(received_at)
FROM journey_event WHERE {_OF_JOURNEY}
"""  # noqa: S608 - our own words
_EVENTS = f"""
SELECT e.customer_id::text, e.journey_key, e.step, e.role, e.key, e.event_time, e.received_at, e.position,
       e.message_id, s.lateness_seconds, CASE WHEN %(with_properties)s THEN e.properties END
FROM (
    SELECT * FROM journey_event WHERE {_OF_JOURNEY}
    AND (%(until)s::timestamptz IS NULL OR received_at <= %(until)s::timestamptz + %(look_ahead)s)
) AS e
JOIN event_source s ON s.id = e.source_id
{{}}
ORDER BY e.received_at, e.event_time, e.position, e.message_id COLLATE "C"
"""  # noqa: S608 - our own words
_OF_STEPS = """
WHERE (e.customer_id, e.journey_key) IN (
    SELECT customer_id, journey_key FROM journey_event WHERE journey = %(journey)s AND step = ANY(%(wanted)s))
"""
_OF_CUSTOMERS = "WHERE e.customer_id = ANY(%(wanted)s::uuid[])"
_SLICE = SLICE.format(_OF_JOURNEY)
_IN_WEEK = "SELECT id FROM journey_event WHERE received_at >= %(since)s AND received_at < %(until)s"
_COLUMNS = (
    *("customer_id", "journey_key", "step", "role", "key", "event_time", "received_at", "position"),
    *("message_id", "source_id"),
)
Course = tuple[str, str]
"""A customer's id and a journey key."""
_Order = tuple[datetime, datetime, int, bytes]


class StoredEvents:
    """A journey's stored events.

    Events that were already history when they came in (older than a day on arrival) are left out, as they
    feed no live rule; an imported log's events count as received when they happened. From here to the end of
    the session's transaction no week of events leaves the database.
    """

    def __init__(
        self,
        session: Session,
        journey: JourneyDefinition,
        archive: Path | None = None,
        until: datetime | None = None,
    ) -> None:
        """`archive` is the folder with the archived weeks; `until` the end of the clock, if it ends early.

        Raises ArchiveDamaged when the database names archived weeks that are not there.
        """
        session.execute(text("SET TRANSACTION READ ONLY"))
        # The planner knows little of rows stored a minute ago, and would join thousands one by one.
        session.execute(text("SET LOCAL enable_nestloop = off"))
        session.execute(text("SET LOCAL statement_timeout = 0"))
        session.execute(text("SET LOCAL jit = off"))
        session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
        hold_partitions(session)
        connection = session.connection().connection.driver_connection
        assert isinstance(connection, psycopg.Connection)
        self._session, self._connection, self._journey, self._until = session, connection, journey, until
        self._archived = self._scan(archive)
        self._late: dict[UUID, float] = dict(
            self._connection.execute("SELECT id, lateness_seconds FROM event_source").fetchall()
        )
        self._facts: dict[str, Any] = {
            "journey": journey.id,
            "steps": list(journey.order),
            "too_late": REALTIME_LATENESS,
            "look_ahead": LOOK_AHEAD,
            "until": until,
            "twice": (twice := self._stored_twice()),
            "none_twice": not twice,
        }

    def _scan(self, archive: Path | None) -> pl.LazyFrame | None:
        """The journey's events in the archive, week after week."""
        self._weeks = archived_weeks(self._session)
        if not self._weeks:
            return None
        if archive is None:
            raise ArchiveDamaged("There are archived events, and it is not known where.")
        step, role = pl.col("step"), pl.col("role")
        late = pl.col("received_at") - pl.col("event_time") > REALTIME_LATENESS
        rows = scan_weeks(archive, self._weeks).filter(
            (pl.col("journey") == self._journey.id)
            & (step.is_in(list(self._journey.order)) | (role == EventRole.EXIT.value))
            & ~(pl.col("historical") & late)
        )
        return rows if self._until is None else rows.filter(pl.col("received_at") <= self._until + LOOK_AHEAD)

    def _stored_twice(self) -> list[UUID]:
        """Events of the archive that were imported again, which the database does not know any more."""
        twice: list[bytes] = []
        for week in self._weeks:
            facts = {"since": week.since, "until": week.until}
            found = [row[0].bytes for row in self._connection.execute(_IN_WEEK.encode(), facts)]
            if found and self._archived is not None:
                is_known = pl.col("id").is_in(found)
                twice += self._archived.filter(is_known).select("id").collect().to_series().to_list()
        return [UUID(bytes=one) for one in twice]

    def extent(self) -> Extent:
        """Say how much there is, without reading it."""
        row = self._connection.execute(_EXTENT.encode(), self._facts).fetchone()
        assert row is not None
        events, first, last = row
        if self._archived is not None:
            at = pl.col("received_at")
            is_in = at <= self._until if self._until else at.is_not_null()
            shown = self._archived.select(
                is_in.sum().alias("events"), at.min().alias("a"), at.max().alias("z")
            )
            ((more, earliest, latest),) = shown.collect().rows()
            events += more or 0
            first = min((one for one in (first, earliest) if one), default=None)
            last = max((one for one in (last, latest) if one), default=None)
        return Extent(events, first, last)

    def estimate(self) -> int:
        """Say about how many events there are, of any journey."""
        in_files = sum(week.events for week in self._weeks)
        return in_files + sum(max(one.events, one.size_bytes // 1_000) for one in partitions(self._session))

    # -- row by row, for the plain loop --------------------------------------------------------------------

    def of_steps(self, steps: Collection[str], *, with_properties: bool) -> Iterator[Stored]:
        """Yield, in back-test order, the events of every course that comes to one of these steps, at least.

        Memory is bounded, by a week of the journey where weeks are archived. `with_properties` is needed only
        by rules that ask for what events say.
        """
        if self._archived is None:
            yield from map(itemgetter(1), self._from_database(_OF_STEPS, list(steps), with_properties))
        else:
            yield from self._from_both("", [], None, with_properties)

    def of_courses(self, courses: Collection[Course], *, with_properties: bool) -> Iterator[Stored]:
        """Yield, in back-test order, the events of these courses."""
        wanted = set(courses)
        ids = sorted({UUID(customer_id) for customer_id, _ in wanted})
        found = self._from_both(_OF_CUSTOMERS, ids, [one.bytes for one in ids], with_properties)
        return (one for one in found if (one.customer_id, one.place.journey_key) in wanted)

    def _from_both(
        self, condition: str, wanted: list[Any], ids: list[bytes] | None, with_properties: bool
    ) -> Iterator[Stored]:
        sources = [self._from_database(condition, wanted, with_properties)]
        if self._archived is not None:
            sources.append(self._from_archive(ids, with_properties))
        yield from map(itemgetter(1), merge(*sources, key=itemgetter(0)))

    def _from_database(
        self, condition: str, wanted: list[Any], with_properties: bool
    ) -> Iterator[tuple[_Order, Stored]]:
        with self._connection.cursor(name="back_test", binary=True) as cursor:
            cursor.itersize = _FETCH
            facts = {**self._facts, "wanted": wanted, "with_properties": with_properties}
            cursor.execute(_EVENTS.format(condition).encode(), facts)
            for *said, late, properties in cursor:
                yield self._stored(said, timedelta(seconds=late), properties)

    def _from_archive(
        self, ids: list[bytes] | None, with_properties: bool
    ) -> Iterator[tuple[_Order, Stored]]:
        assert self._archived is not None
        columns = [*_COLUMNS, *(["properties"] if with_properties else [])]
        lateness = {one.bytes: timedelta(seconds=late) for one, late in self._late.items()}
        for week in self._weeks:
            is_in = (pl.col("received_at") >= week.since) & (pl.col("received_at") < week.until)
            rows = self._archived.filter(is_in)
            if ids is not None:
                rows = rows.filter(pl.col("customer_id").is_in(ids))
            order = ("received_at", "event_time", "position", "message_id")
            for row in rows.select(columns).sort(order).collect().iter_rows():
                customer_id, *said = row[:9]
                properties = orjson.loads(row[10]) if with_properties else None
                yield self._stored([str(UUID(bytes=customer_id)), *said], lateness[row[9]], properties)

    def _stored(self, said: Sequence[Any], late: timedelta, properties: Any) -> tuple[_Order, Stored]:
        customer_id, journey_key, step, role, key, at, received_at, position, message_id = said
        place = Place(self._journey.id, journey_key, _ROLES[role], step, key)
        event = EventValue(
            message_id=message_id,
            kind="track",
            name=key,
            step_key=key,
            event_time=at,
            received_at=received_at,
            position=position,
            properties=properties or {},
        )
        order = (received_at, at, position, message_id.encode())
        return order, Stored(customer_id, place, event, late)

    # -- column by column ----------------------------------------------------------------------------------

    def columns(self, keys: Sequence[str], on_progress: OnProgress | None = None) -> tuple[Table, Extent]:
        """Read all events as columns, `keys` being the event keys that matter, and say how much there is."""
        pieces = list(self._archived_pieces(keys))
        for piece in self._slices(keys):
            pieces.append(piece)
            if on_progress:
                on_progress(sum(map(len, pieces)))
        return table_of(pieces), self._extent_of(pieces)

    def _extent_of(self, pieces: Sequence[Piece]) -> Extent:
        if self._until is not None:
            return self.extent()
        times = np.array(
            [end(one.received) for one in pieces if len(one) for end in (np.min, np.max)], np.int64
        )
        if not len(times):
            return Extent(0, None, None)
        first, last = moments(np.array([times.min(), times.max()]))
        return Extent(sum(map(len, pieces)), first, last)

    def _archived_pieces(self, keys: Sequence[str]) -> Iterator[Piece]:
        if self._archived is None:
            return
        late = {one.bytes: micros(timedelta(seconds=seconds)) for one, seconds in self._late.items()}
        hashes = self._hashes if self._has_rows() else None
        yield read_archived(self._archived, list(self._journey.order), keys, late, hashes)

    def _has_rows(self) -> bool:
        query = "SELECT EXISTS (SELECT 1 FROM journey_event WHERE journey = %s)"
        return self._connection.execute(query, [self._journey.id]).fetchone() == (True,)

    def _hashes(self, keys: list[str]) -> list[int]:
        query = (
            "SELECT hashtextextended(one, 0) FROM unnest(%s::text[]) WITH ORDINALITY AS k (one, n) ORDER BY n"
        )
        return [row[0] for row in self._connection.execute(query, [keys])]

    def _slices(self, keys: Sequence[str]) -> Iterator[Piece]:
        """Read the database, a slice of time after the other."""
        cuts = self._cuts()
        sources = list(self._late)
        late = np.array([micros(timedelta(seconds=self._late[one])) for one in sources], np.int64)
        many = len(set(late.tolist())) > 1
        facts = {**self._facts, "keys": list(keys), "sources": sources, "many_sources": many}
        with self._connection.cursor(binary=True) as cursor:
            for since, before in pairwise(cuts):
                yield read_slice(cursor, _SLICE, {**facts, "from": since, "before": before}, late)

    def _cuts(self) -> list[datetime]:
        """The moments at which to cut the time, so that no slice is too large."""
        query = "SELECT min(received_at), max(received_at) FROM journey_event"
        row = self._connection.execute(query).fetchone()
        if row is None or row[0] is None:
            return []
        first, end = row[0], row[1] + timedelta(microseconds=1)
        if self._until is not None:
            end = min(end, self._until + LOOK_AHEAD + timedelta(microseconds=1))
        cuts = {first, end}
        for week in partitions(self._session):
            if week.since is not None and week.until is not None:
                parts = 1 + week.size_bytes // _SLICE_BYTES
                cuts |= {
                    week.since + (week.until - week.since) / parts * number for number in range(parts + 1)
                }
        return sorted(one for one in cuts if first <= one <= end)

    # -- whose they are ------------------------------------------------------------------------------------

    def names(self, customer_ids: Collection[str]) -> Mapping[str, str]:
        """Return the bank's own ids of customers, by ours; one without is not in it."""
        query = "SELECT id::text, external_id FROM customer WHERE id = ANY(%s::uuid[]) AND external_id > ''"
        return dict(self._connection.execute(query, [sorted(customer_ids)]).fetchall())

    def attributes(self, customer_ids: Collection[str] = ()) -> Attributes:
        """Return what conditions may know of a customer, as of today; these are read at once, others when asked."""
        session = self._session
        known: dict[str, Mapping[str, Any]] = {}

        def read(ids: Collection[str]) -> None:
            wanted = select(Customer).where(col(Customer.id).in_([UUID(one) for one in ids]))
            known.update({one: {} for one in ids})
            for customer in session.exec(wanted).all():
                session.expunge(customer)
                known[str(customer.id)] = attributes_of(customer)

        ids = iter(sorted(set(customer_ids)))
        while some := list(islice(ids, _FETCH)):
            read(some)

        def of(customer_id: str) -> Mapping[str, Any]:
            if customer_id not in known:
                read([customer_id])
            return known[customer_id]

        return of
