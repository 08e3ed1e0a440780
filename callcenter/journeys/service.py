"""Keep visits: fold events into them, set their clocks, move them to the customer a device belongs to."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, tuple_, update
from sqlmodel import Session, col, select

from callcenter.domain.enums import VisitEnd
from callcenter.domain.events import PlacedEvent
from callcenter.domain.ids import derived_id
from callcenter.domain.journey import EventRole, JourneyDefinition, Mark, StepReached, VisitState
from callcenter.errors import BadInput
from callcenter.journeys.policy import read_journey
from callcenter.journeys.rules import Place, advance_visit
from callcenter.models import Journey, Visit

VisitKey = tuple[UUID, str, str]


@dataclass(frozen=True, slots=True)
class Movement:
    """What a batch of events did: the visits it touched (open or just closed) and the steps reached."""

    visits: list[Visit]
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


def state_of(visit: Visit) -> VisitState:
    """Return a visit's row as the frozen value the rules work on."""
    return VisitState(
        visit_seq=visit.visit_seq,
        step=visit.step,
        entered_at=visit.entered_at,
        last_activity_at=visit.last_activity_at,
        marks={
            key: Mark(count, datetime.fromisoformat(first), datetime.fromisoformat(last))
            for key, (count, first, last) in visit.marks.items()
        },
        facts=visit.facts,
        errors=visit.errors,
        last_error=visit.last_error,
        last_error_reason=visit.last_error_reason,
        last_error_at=visit.last_error_at,
        closed_at=visit.closed_at,
        end=visit.end,
    )


def _write_state(row: Visit, state: VisitState) -> None:
    row.step, row.entered_at, row.last_activity_at = state.step, state.entered_at, state.last_activity_at
    row.marks = {
        key: [mark.count, mark.first_at.isoformat(), mark.last_at.isoformat()]
        for key, mark in state.marks.items()
    }
    row.facts = dict(state.facts)
    row.errors, row.last_error, row.last_error_reason = (
        state.errors,
        state.last_error,
        state.last_error_reason,
    )
    row.last_error_at, row.closed_at, row.end = state.last_error_at, state.closed_at, state.end
    if state.closed_at is not None:
        row.wake_at = None


class _Stay:
    """One customer's course through one journey while a batch is folded: rows are written once, at the end."""

    def __init__(self, key: VisitKey, row: Visit | None, last_seq: int) -> None:
        self.key, self.last_seq = key, last_seq
        self.row, self.state = row, state_of(row) if row else None
        self.ended: list[tuple[Visit | None, VisitState]] = []

    def fold(self, journey: JourneyDefinition, one: PlacedEvent) -> str | None:
        """Take one event in; return the step it reached, if any."""
        role = EventRole(one.role or EventRole.ACTIVITY)
        place = Place(self.key[1], self.key[2], role, one.step, one.key or one.event.step_key)
        advance = advance_visit(journey, self.state, self.last_seq, place, one.event)
        if advance.closed:
            self.ended.append((self.row, advance.closed))
        if advance.current is None or advance.is_new:
            self.row = None
        self.state = advance.current
        if self.state is not None:
            self.last_seq = max(self.last_seq, self.state.visit_seq)
        return advance.reached


def move_visits(
    session: Session,
    journeys: Mapping[str, JourneyDefinition],
    placed: Sequence[PlacedEvent],
    lateness: timedelta,
) -> Movement:
    """Fold events, already stored and in any order, into their customers' visits.

    The customers must be locked. Historical events move nothing.
    """
    live = [one for one in placed if one.journey and not one.event.historical]
    live.sort(key=lambda one: one.event.order)
    keys = {(one.customer_id, str(one.journey), one.journey_key) for one in live}
    current, last_seq = _current_visits(session, keys)
    stays = {key: _Stay(key, current.get(key), last_seq.get(key, 0)) for key in sorted(keys)}
    reached: list[StepReached] = []
    for one in live:
        key = (one.customer_id, str(one.journey), one.journey_key)
        journey = journeys[key[1]]
        step = stays[key].fold(journey, one)
        if step is not None:
            reached.append(StepReached(*key, step, journey.order[step], one.event.event_time))
    return Movement(_write_stays(session, stays.values(), lateness), reached)


def _write_stays(session: Session, stays: Iterable[_Stay], lateness: timedelta) -> list[Visit]:
    """Write what the batch did: what ended first, then what opened: one visit at a time is open."""
    known: list[Visit] = []
    fresh: list[Visit] = []
    for stay in stays:
        states = [*stay.ended, *([(stay.row, stay.state)] if stay.state else [])]
        for row, state in states:
            visit = row or _new_visit(stay.key, state, lateness)
            _write_state(visit, state)
            (known if row else fresh).append(visit)
    session.flush()
    session.add_all(fresh)
    return [*known, *fresh]


def _new_visit(key: VisitKey, state: VisitState, lateness: timedelta) -> Visit:
    return Visit(
        id=derived_id("visit", *key, state.visit_seq),
        customer_id=key[0],
        journey=key[1],
        journey_key=key[2],
        visit_seq=state.visit_seq,
        step=state.step,
        entered_at=state.entered_at,
        last_activity_at=state.last_activity_at,
        lateness_seconds=lateness.total_seconds(),
    )


def _current_visits(
    session: Session, keys: Collection[VisitKey]
) -> tuple[dict[VisitKey, Visit | None], dict[VisitKey, int]]:
    if not keys:
        return {}, {}
    columns = tuple_(col(Visit.customer_id), col(Visit.journey), col(Visit.journey_key))
    mine = columns.in_(sorted(keys))
    rows = session.exec(
        select(Visit)
        .where(mine)
        .where(col(Visit.closed_at).is_(None))
        .order_by(col(Visit.id))
        .with_for_update()
    )
    current: dict[VisitKey, Visit | None] = {(v.customer_id, v.journey, v.journey_key): v for v in rows}
    last = session.execute(
        select(Visit.customer_id, Visit.journey, Visit.journey_key, func.max(Visit.visit_seq))
        .where(mine)
        .group_by(col(Visit.customer_id), col(Visit.journey), col(Visit.journey_key))
    )
    return current, {(customer, journey, key): seq for customer, journey, key, seq in last}


def join_visits(session: Session, joined: Collection[tuple[UUID, UUID]]) -> None:
    """Give the open visits of devices' persons, with their clocks, to the customers they turned out to be.

    Where the customer is in the same journey already, the visit with the later activity stays open.
    """
    for before, customer_id in joined:
        for visit in session.exec(
            select(Visit)
            .where(Visit.customer_id == before)
            .where(col(Visit.closed_at).is_(None))
            .order_by(col(Visit.id))
            .with_for_update()
        ).all():
            key = (customer_id, visit.journey, visit.journey_key)
            current, last_seq = _current_visits(session, [key])
            mine = current.get(key)
            loser = visit if mine and mine.last_activity_at >= visit.last_activity_at else mine
            if loser is not None:
                loser.closed_at, loser.end, loser.wake_at = loser.last_activity_at, VisitEnd.MERGED, None
                session.flush()
            if loser is not visit:
                session.execute(
                    update(Visit)
                    .where(col(Visit.id) == visit.id)
                    .values(customer_id=customer_id, visit_seq=last_seq.get(key, 0) + 1)
                )
                session.expire(visit)


def set_clock(visit: Visit, wake_at: datetime | None) -> None:
    """Set when somebody must look at this visit next; None when no rule waits."""
    visit.wake_at = wake_at if visit.closed_at is None else None


def note_looks(visit: Visit, looked: Mapping[str, str], fired: Iterable[str]) -> None:
    """Remember which rules looked at which deadline, and which have fired."""
    if looked:
        visit.looked = {**visit.looked, **looked}
    if new := [key for key in fired if key not in visit.fired]:
        visit.fired = [*visit.fired, *new]
