"""What came in: the last events of a source, one of them in full, and the schema seen."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from sqlalchemy import Row
from sqlmodel import Session

from callcenter.domain.journey import JourneyDefinition
from callcenter.intake import inspector
from callcenter.intake.schema import EventSeen, masked, schema_seen
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import JourneyEvent
from callcenter.web.edge import chosen, language, uuid_field
from callcenter.web.pages import sources as page
from callcenter.web.words import step_words

_TYPES = {
    "text": _l("text"),
    "number": _l("number"),
    "boolean": _l("yes or no"),
    "time": _l("time"),
    "list": _l("list"),
    "object": _l("object"),
    "null": _l("empty"),
}
SHOWN_EVENTS = 100
SCHEMA_EVENTS = 5_000


def events_tab(
    session: Session, source_id: UUID, href: str, event_id: str | None, now: datetime
) -> dict[str, object]:
    """Return the last events, and the chosen one in full. Raises NotFound when that is not there."""
    journeys = journeys_loaded(session)
    events = inspector.last_events(session, source_id, now, SHOWN_EVENTS)
    names = inspector.known_customers(session, [one.customer_id for one in events])
    rows = tuple(_row(one, names, journeys, href, event_id) for one in events)
    return {
        "events": rows,
        "event": _read(session, source_id, event_id, journeys, href) if event_id else None,
    }


def _row(
    event: Row[Any] | JourneyEvent,
    names: Any,
    journeys: Any,
    href: str,
    chosen_id: str | None,
) -> page.EventRow:
    journey: JourneyDefinition | None = journeys.get(event.journey)
    external_id = names.get(event.customer_id)
    query = urlencode({"show": "events", "event": str(event.id)})
    return page.EventRow(
        id=str(event.id),
        href=f"{href}?{query}",
        at=event.received_at,
        kind=event.kind,
        name=event.name,
        customer=masked_id(external_id)
        if external_id
        else gettext("device %(id)s", id=str(event.customer_id)[:4]),
        step=step_words(journey, event.step, language()) if event.step else None,
        journey=chosen(journey.title, journey.id) if journey else event.journey,
        is_device=external_id is None,
        is_historical=event.historical,
        is_clamped=event.clamped,
        is_chosen=str(event.id) == chosen_id,
    )


def masked_id(external_id: str) -> str:
    """Show only enough of the bank's own id to tell two apart: its last four characters, or two of a short one."""
    return "••" + (external_id[-4:] if len(external_id) > 6 else external_id[-2:])


def _read(session: Session, source_id: UUID, event_id: str, journeys: Any, href: str) -> page.ReadEvent:
    event = inspector.event_of(session, source_id, uuid_field(event_id))
    names = inspector.known_customers(session, [event.customer_id])
    return page.ReadEvent(
        row=_row(event, names, journeys, href, event_id),
        message_id=event.message_id,
        happened_at=event.event_time,
        properties=json_lines(event.properties),
        role=event.role,
    )


def json_lines(value: Any) -> str:
    """JSON in indented lines, personal values hidden; empty when there is nothing."""
    if not value:
        return ""
    return orjson.dumps(masked(value), option=orjson.OPT_INDENT_2, default=str).decode()


def schema_tab(session: Session, source_id: UUID, now: datetime) -> page.Schema:
    """Return what the last events looked like, by name."""
    events = inspector.last_events(session, source_id, now, SCHEMA_EVENTS, properties=True)
    seen = schema_seen((one.name, one.kind, one.received_at, one.properties) for one in events)
    return page.Schema(
        events=len(events),
        most=SCHEMA_EVENTS,
        since=events[-1].received_at if events else None,
        names=tuple(_schema_row(one) for one in seen),
    )


def _schema_row(seen: EventSeen) -> page.SchemaRow:
    assert seen.first_at is not None and seen.last_at is not None
    properties = sorted(seen.properties.items(), key=lambda one: (-one[1].events, one[0]))
    return page.SchemaRow(
        name=seen.name,
        kinds=tuple(kind for kind, _ in seen.kinds.most_common()),
        events=seen.events,
        first_at=seen.first_at,
        last_at=seen.last_at,
        properties=tuple(
            page.PropertyRow(
                path=path,
                types=tuple(str(_TYPES[name]) for name, _ in one.types.most_common()),
                events=one.events,
                share=min(1.0, one.events / seen.events),
                example=one.example,
            )
            for path, one in properties
        ),
    )
