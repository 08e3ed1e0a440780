"""Forget a person: who they are, their devices, and what their events say. That the events happened stays."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from uuid import UUID

import orjson
import polars as pl
from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from callcenter.db import array_of, cursor_of, id_array_of
from callcenter.domain.enums import QuarantineState
from callcenter.domain.ids import derived_id
from callcenter.domain.veils import ERASED
from callcenter.intake.archive import archived_weeks, rewrite_week, scan_weeks
from callcenter.intake.service import next_life
from callcenter.models import Customer, Device

_KEYS = "SELECT DISTINCT journey_key FROM journey_event WHERE customer_id = ANY(%(ids)s::uuid[])"
_EVENTS = """
UPDATE journey_event SET properties = '{}', message_id = %(erased)s,
       journey_key = COALESCE(%(veils)s::jsonb->>journey_key, journey_key)
 WHERE customer_id = ANY(%(ids)s::uuid[]) AND message_id <> %(erased)s
"""
# A refused event is a person's when it names them, as JSON writes it or as people are shown it.
_REFUSED = """
UPDATE quarantined_event q SET body = NULL, raw = '{"text": ""}', state_at = %(now)s,
       state = CASE WHEN state = %(open)s THEN %(dismissed)s ELSE state END
 WHERE EXISTS (SELECT FROM unnest(%(marks)s::text[]) AS m(mark)
                WHERE strpos(q.body::text, to_json(m.mark)::text) > 0
                   OR strpos(q.raw->>'text', '''' || m.mark || '''') > 0
                   OR strpos(q.raw->>'text', to_json(m.mark)::text) > 0)
"""


def person_named(session: Session, external_id: str) -> Customer | None:
    """Return the person the bank knows by an id, else the last one it knew by it and whose data was erased."""
    found = session.exec(select(Customer).where(Customer.external_id == external_id)).first()
    one = found or session.get(Customer, derived_id("customer", external_id))
    while found is None and one is not None and (later := session.get(Customer, next_life(one.id))):
        one = later
    return one if one is None or one.external_id or one.erased_at else None


def everyone_named(session: Session, external_id: str) -> list[UUID]:
    """Return all ids under which a person has ever been known by an id of the bank: also before they signed in, and
    before their data was erased."""
    person = person_named(session, external_id)
    if person is None:
        return []
    ids = people_of(session, person, devices_of(session, person.id))
    life = derived_id("customer", external_id)
    while life != person.id and session.get(Customer, life) is not None:
        ids.append(life)
        life = next_life(life)
    return ids


def devices_of(session: Session, customer_id: UUID) -> list[Device]:
    """Return the devices that are a customer's now."""
    return list(session.exec(select(Device).where(Device.customer_id == customer_id)))


def people_of(session: Session, customer: Customer, devices: Iterable[Device]) -> list[UUID]:
    """Return the ids under which a person was known, in the order in which they are locked.

    Before a device's person signs in they have an id of their own; it stays, empty, when they are joined.
    """
    before = {derived_id("device", one.source_id, one.anonymous_id) for one in devices}
    nameless = session.exec(
        select(Customer.id).where(col(Customer.id).in_(before)).where(col(Customer.external_id).is_(None))
    )
    return sorted({customer.id, *nameless}, key=lambda one: one.int)


def keys_of(session: Session, ids: Collection[UUID]) -> set[str]:
    """Return the journey keys that people's events bear."""
    return {row[0] for row in cursor_of(session).execute(_KEYS, {"ids": id_array_of(ids)})}


def forget_customer(session: Session, ids: Collection[UUID], now: datetime) -> dict[str, int]:
    """Forget who people are and which devices are theirs. Their rows stay: what is kept of them hangs on these."""
    session.flush()
    done = session.execute(
        update(Customer)
        .where(col(Customer.id).in_(ids))
        .values(
            external_id=None,
            name=None,
            gender=None,
            number=None,
            time_zone=None,
            language="en",
            city=None,
            traits={},
            tags=[],
            agent_tags=[],
            segments=[],
            survey_group=None,
            erased_at=now,
            updated_at=now,
        )
    )
    devices = session.execute(delete(Device).where(col(Device.customer_id).in_(ids)))
    return {"profiles": done.rowcount, "devices": devices.rowcount}  # type: ignore[attr-defined]


def forget_events(session: Session, ids: Collection[UUID], veils: Mapping[str, str]) -> dict[str, int]:
    """Empty people's events in the database; kind, step and time stay, which funnels and rules count."""
    asked = {"ids": id_array_of(ids), "veils": orjson.dumps(veils).decode(), "erased": ERASED}
    return {"events": cursor_of(session).execute(_EVENTS, asked).rowcount}


def forget_refused(session: Session, marks: Iterable[str | None], now: datetime) -> dict[str, int]:
    """Empty and dismiss the refused events that name a person by one of these: ids, devices, a number."""
    asked = {
        "marks": array_of(sorted({mark for mark in marks if mark})),
        "now": now,
        "open": QuarantineState.OPEN,
        "dismissed": QuarantineState.DISMISSED,
    }
    return {"refused_events": cursor_of(session).execute(_REFUSED, asked).rowcount}


def forget_archived(
    session: Session, folder: Path, ids: Collection[UUID], veils: Mapping[str, str], now: datetime
) -> dict[str, int]:
    """Write the archived weeks that hold people's events anew, with those emptied.

    The files before are named by nothing from the commit on, and the next archiving removes them. Raises as
    `rewrite_week`; no other process archives until the commit.
    """
    theirs = pl.col("customer_id").is_in([one.bytes for one in ids]) & (pl.col("message_id") != ERASED)
    emptied = [
        pl.when(theirs).then(pl.lit(ERASED)).otherwise("message_id").alias("message_id"),
        pl.when(theirs).then(pl.lit("{}")).otherwise("properties").alias("properties"),
        pl.when(theirs)
        .then(pl.col("journey_key").replace(dict(veils)))
        .otherwise("journey_key")
        .alias("journey_key"),
    ]
    count = 0
    for week in archived_weeks(session):
        rows = scan_weeks(folder, [week])
        if found := rows.filter(theirs).select(pl.len()).collect().item():
            rewrite_week(session, folder, week, rows.with_columns(emptied), now)
            count += found
    return {"archived_events": count}
