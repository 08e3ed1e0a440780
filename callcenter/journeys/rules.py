"""Where a customer is: one event moves a visit. Pure; the live path and the back-test share it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from callcenter.domain.enums import VisitEnd
from callcenter.domain.events import EventValue, PlacedEvent
from callcenter.domain.journey import (
    OF_THE_VISIT,
    Crossing,
    EventRole,
    JourneyDefinition,
    Marks,
    PropertyType,
    VisitState,
    microseconds,
)

_LONGEST_KEY = 200
_LONGEST_TEXT = 200
"""A property's text is remembered so far; nobody writes a rule about more."""


@dataclass(frozen=True, slots=True)
class Place:
    """What an event means to a journey."""

    journey: str
    journey_key: str
    role: EventRole
    step: str | None
    key: str


Placed = Place | PlacedEvent
"""Either tells what an event means to a journey it belongs to."""


@dataclass(frozen=True, slots=True)
class Advance:
    """What one event did: the visit it closed, if any, and the visit that is current now, if any.

    `is_new` says that `current` was opened by this event; `reached` names the step entered, if any.
    """

    closed: VisitState | None
    current: VisitState | None
    is_new: bool = False
    reached: str | None = None


def place_event(journeys: Mapping[str, JourneyDefinition], event: EventValue) -> Place | None:
    """Find the one journey and step an event belongs to, by page or event name; None when it has none."""
    for journey in journeys.values():
        for known in (event.step_key, event.name):
            if found := journey.roles.get(known):
                return Place(journey.id, _journey_key(journey, event), found[0], found[1], known)
    return None


def _journey_key(journey: JourneyDefinition, event: EventValue) -> str:
    """What tells two runs of the journey apart; one too long for an index is kept by its digest."""
    raw = event.properties.get(journey.key_property) if journey.key_property else None
    key = "" if raw is None else str(raw)
    return key if len(key) <= _LONGEST_KEY else "sha256-" + sha256(key.encode()).hexdigest()


def put_in_place(
    journeys: Mapping[str, JourneyDefinition], event: EventValue, customer_id: UUID
) -> PlacedEvent:
    """Return a customer's event with its place in the journeys, if it has one."""
    place = place_event(journeys, event)
    if place is None:
        return PlacedEvent(event, customer_id)
    return PlacedEvent(
        event, customer_id, place.journey, place.journey_key, place.step, place.role, place.key
    )


def advance_visit(
    journey: JourneyDefinition, visit: VisitState | None, last_seq: int, place: Placed, event: EventValue
) -> Advance:
    """Fold one event into the customer's visit of this journey and key.

    `visit` is the open visit or None, `last_seq` the highest sequence number used so far. An event older
    than the visit's entry can move the entry of the same step back, and nothing else: what happened
    before the customer came here does not say that they left.
    """
    closed = None
    if visit and _went_silent(journey, visit, event.event_time):
        closed = _close(
            visit,
            _silent_at(journey, visit),
            VisitEnd.SILENT,
        )
        visit = None
    if place.role is EventRole.EXIT:
        if visit and event.event_time >= visit.entered_at:
            return Advance(closed=_close(visit, event.event_time, VisitEnd.EXIT), current=None)
        return Advance(closed=closed, current=visit)
    step = place.step
    assert step is not None
    definition = journey.step(step)
    if definition.milestone:
        return Advance(closed=closed, current=visit, reached=step)
    if definition.crossing and place.role is EventRole.ENTER:
        crossed = _crossed(definition.crossing, visit, step, event)
        if crossed is not None:
            return Advance(closed or crossed.closed, crossed.current)
    if visit is None:
        return _open(journey, closed, last_seq, step, place, event)
    if event.event_time < visit.entered_at:
        return Advance(closed=closed, current=_older(journey, visit, step, place, event))
    if step == visit.step:
        return Advance(closed=closed, current=_note(journey, visit, place, event))
    if place.role is not EventRole.ENTER and journey.order[step] < journey.order[visit.step]:
        return Advance(closed=closed, current=visit)
    end = VisitEnd.ADVANCED if journey.order[step] > journey.order[visit.step] else VisitEnd.WENT_BACK
    if step == journey.goal:
        end = VisitEnd.GOAL
    return _open(
        journey, _close(visit, event.event_time, end), max(last_seq, visit.visit_seq), step, place, event
    )


def _crossed(crossing: Crossing, visit: VisitState | None, step: str, event: EventValue) -> Advance | None:
    """Say what a score does that does not enter the step: leave it, or nothing. None when it enters."""
    value = event.properties.get(crossing.property)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Advance(None, visit)
    if crossing.enters(value):
        return None
    if visit and visit.step == step and event.event_time >= visit.entered_at and crossing.leaves(value):
        return Advance(_close(visit, event.event_time, VisitEnd.EXIT), None)
    return Advance(None, visit)


def _went_silent(journey: JourneyDefinition, visit: VisitState, at: datetime) -> bool:
    return journey.gap is not None and at - visit.last_activity_at > journey.gap


def _silent_at(journey: JourneyDefinition, visit: VisitState) -> datetime:
    assert journey.gap is not None
    return visit.last_activity_at + journey.gap


def _close(visit: VisitState, at: datetime, end: VisitEnd) -> VisitState:
    return replace(visit, closed_at=at, end=end)


def _open(
    journey: JourneyDefinition,
    closed: VisitState | None,
    last_seq: int,
    step: str,
    place: Placed,
    event: EventValue,
) -> Advance:
    if step == journey.goal:
        return Advance(closed=closed, current=None, reached=step)
    fresh = VisitState(
        visit_seq=last_seq + 1,
        step=step,
        entered_at=event.event_time,
        last_activity_at=event.event_time,
        opened_at=event.received_at,
    )
    return Advance(closed=closed, current=_note(journey, fresh, place, event), is_new=True, reached=step)


def _older(
    journey: JourneyDefinition, visit: VisitState, step: str, place: Placed, event: EventValue
) -> VisitState:
    """Take in an event that happened before the visit's entry was known.

    An entry followed by a silence that ends a visit is of an earlier one.
    """
    at = event.event_time
    if step != visit.step or place.role is not EventRole.ENTER:
        return visit
    if journey.gap is not None and visit.entered_at - at > journey.gap:
        return visit
    said = _remembered(journey, event)
    marks = Marks.of(visit.marks).seen(place.key or event.step_key, at, _of_the_event(said))
    facts, facts_at = _told(visit, said, at) if said else (visit.facts, visit.facts_at)
    return replace(visit, entered_at=at, marks=marks, facts=facts, facts_at=facts_at)


def _remembered(journey: JourneyDefinition, event: EventValue) -> dict[str, Any]:
    """Return the properties of an event that the journey remembers, where they are of the type it says."""
    kept: dict[str, Any] = {}
    kinds = journey.properties
    for name, value in event.properties.items():
        if name in kinds:
            if kinds[name] is PropertyType.TEXT:
                if isinstance(value, str):
                    kept[name] = value[:_LONGEST_TEXT]
            elif isinstance(value, int | float) and not isinstance(value, bool):
                kept[name] = value
    return kept


def _of_the_event(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name not in OF_THE_VISIT}


def _note(journey: JourneyDefinition, visit: VisitState, place: Placed, event: EventValue) -> VisitState:
    """Take in an event on the visit's own step: activity, a mark, what it says, perhaps an error.

    What an event says holds until a later one says otherwise, in whatever order the two come in.
    """
    key, at = place.key or event.step_key, event.event_time
    said = _remembered(journey, event)
    facts, facts_at = _told(visit, said, at) if said else (visit.facts, visit.facts_at)
    error, reason, error_at = visit.last_error, visit.last_error_reason, visit.last_error_at
    is_error = place.role is EventRole.ERROR
    if is_error and (error_at is None or at >= error_at):
        given = event.properties.get("reason") or event.properties.get("code")
        error, reason, error_at = key, None if given is None else str(given), at
    # Written out in full: this is the one place every event comes through.
    return VisitState(
        visit_seq=visit.visit_seq,
        step=visit.step,
        entered_at=visit.entered_at,
        last_activity_at=max(visit.last_activity_at, at),
        opened_at=visit.opened_at,
        marks=Marks.of(visit.marks).seen(key, at, _of_the_event(said)),
        facts=facts,
        facts_at=facts_at,
        errors=visit.errors + 1 if is_error else visit.errors,
        last_error=error,
        last_error_reason=reason,
        last_error_at=error_at,
        closed_at=visit.closed_at,
        end=visit.end,
    )


def _told(
    visit: VisitState, said: Mapping[str, Any], at: datetime
) -> tuple[Mapping[str, Any], Mapping[str, int]]:
    """Return the facts of a visit, and since when they hold, with what an event says where it is the latest."""
    time, known = microseconds(at), visit.facts_at
    news = {name: value for name, value in said.items() if known.get(name, time) <= time}
    return {**visit.facts, **news}, {**known, **dict.fromkeys(news, time)}
