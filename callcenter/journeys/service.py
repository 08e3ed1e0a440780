"""Keep visits: fold events into them, move them to the customer a device belongs to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col

from callcenter.domain.enums import VisitEnd
from callcenter.domain.events import PlacedEvent
from callcenter.domain.journey import JourneyDefinition, StepReached, VisitRecord, VisitState
from callcenter.errors import BadInput
from callcenter.journeys.policy import read_journey
from callcenter.journeys.records import (
    OpenVisits,
    VisitKey,
    last_seqs,
    new_visit,
    open_visits,
    open_visits_of,
    write_visits,
)
from callcenter.journeys.rules import advance_visit
from callcenter.models import Journey, Visit


@dataclass(frozen=True, slots=True)
class Movement:
    """What a batch of events did: the visits it touched, not written yet, and the steps reached."""

    visits: list[VisitRecord]
    reached: list[StepReached]


def load_journey(
    session: Session, raw: Mapping[str, Any], others: Iterable[JourneyDefinition], now: datetime
) -> JourneyDefinition:
    """Store a journey's definition; raises BadInput when an event of it belongs to another journey already."""
    journey = read_journey(raw)
    for other in others:
        shared = set(other.roles) & set(journey.roles)
        if other.id != journey.id and shared:
            raise BadInput(f"event {min(shared)!r} already belongs to journey {other.id!r}")
    row = session.get(Journey, journey.id) or Journey(id=journey.id, loaded_at=now)
    row.definition, row.loaded_at = dict(raw), now
    session.add(row)
    session.flush()
    return journey


class _Stay:
    """One customer's course through one journey while a batch is folded: visits are written once, at the end."""

    def __init__(
        self, key: VisitKey, current: VisitRecord | None, last_seq: int, lateness: timedelta
    ) -> None:
        self.key, self.current, self.lateness = key, current, lateness
        self.last_seq = current.state.visit_seq if current else last_seq
        self.ended: list[VisitRecord] = []

    def fold(self, journey: JourneyDefinition, one: PlacedEvent) -> str | None:
        """Take one event in; return the step it reached, if any."""
        current = self.current
        advance = advance_visit(journey, current.state if current else None, self.last_seq, one, one.event)
        if advance.closed:
            assert current is not None
            self._end(current, advance.closed)
            current = None
        if advance.current is None:
            self.current = None
        elif advance.is_new or current is None:
            self.current = new_visit(self.key, advance.current, self.lateness)
            self.last_seq = max(self.last_seq, advance.current.visit_seq)
        else:
            current.state = advance.current
        return advance.reached

    def _end(self, visit: VisitRecord, state: VisitState) -> None:
        visit.state, visit.wake_at = state, None
        self.ended.append(visit)


class Moves:
    """Events, stored or being so, that move their customers' visits; historical ones move nothing.

    The events must be in the order of time, the customers locked.
    """

    def __init__(self, session: Session, placed: Iterable[PlacedEvent], lateness: timedelta) -> None:
        """Begin to load the visits."""
        self._session, self._lateness = session, lateness
        self._events: dict[VisitKey, list[PlacedEvent]] = {}
        for one in placed:
            if one.journey and not one.event.historical:
                key = (one.customer_id, one.journey, one.journey_key)
                self._events.setdefault(key, []).append(one)
        self._open = OpenVisits(session, self._events)

    def read(self) -> None:
        """Wait for the visits."""
        current = self._open.read()
        last_seq = last_seqs(self._session, [key for key in self._events if key not in current])
        self._stays = [
            _Stay(key, current.get(key), last_seq.get(key, 0), self._lateness) for key in self._events
        ]

    def fold(self, journeys: Mapping[str, JourneyDefinition]) -> Movement:
        """Fold the events into the visits, which are left to be written."""
        reached: list[StepReached] = []
        for stay in self._stays:
            key, journey = stay.key, journeys[stay.key[1]]
            for one in self._events[key]:
                step = stay.fold(journey, one)
                if step is not None:
                    reached.append(StepReached(*key, step, journey.order[step], one.event.event_time))
        touched = [
            visit
            for stay in self._stays
            for visit in (*stay.ended, *([stay.current] if stay.current else []))
        ]
        return Movement(touched, reached)


def join_visits(session: Session, joined: Sequence[tuple[UUID, UUID]]) -> list[VisitRecord]:
    """Give the open visits of devices' persons, with their clocks, to the customers they turned out to be.

    Where the customer is in the same journey already, the visit with the later activity stays open. Of several
    devices that become one customer's at once, the one that was active first comes first. A rule that has fired
    for either of two visits on one step has fired for the one that stays. Returns the visits that ended.
    """
    ended: list[VisitRecord] = []
    visits = [
        (customer_id, visit) for before, customer_id in joined for visit in open_visits_of(session, before)
    ]
    for customer_id, visit in sorted(visits, key=lambda one: one[1].state.last_activity_at):
        key = (customer_id, visit.journey, visit.journey_key)
        mine = open_visits(session, [key]).get(key)
        last_seq = last_seqs(session, [key]).get(key, 0)
        loser = visit if mine and mine.state.last_activity_at >= visit.state.last_activity_at else mine
        if loser is not None:
            at = loser.state.last_activity_at
            loser.state, loser.wake_at = replace(loser.state, closed_at=at, end=VisitEnd.MERGED), None
            ended.append(loser)
            write_visits(session, [loser])
            stays = mine if loser is visit else visit
            if stays and stays.state.step == loser.state.step:
                stays.fired += [key for key in loser.fired if key not in stays.fired]
                write_visits(session, [stays])
        if loser is not visit:
            session.execute(
                update(Visit)
                .where(col(Visit.id) == visit.id)
                .values(customer_id=customer_id, visit_seq=last_seq + 1)
                .execution_options(synchronize_session=False)
            )
    return ended
