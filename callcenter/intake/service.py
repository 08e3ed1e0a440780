"""Store what came in: events once, people and their devices, and what was refused."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from callcenter.domain.events import EventValue, PlacedEvent, Rejection
from callcenter.domain.ids import derived_id
from callcenter.intake.profiles import Profile, read_profile
from callcenter.models import Customer, Device, EventSource, JourneyEvent, QuarantinedEvent


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose event it is, and which device's person turned out to be this customer, if that was new."""

    customer_id: UUID
    joined_from: UUID | None = None


def hash_write_key(write_key: str) -> str:
    """Return what is stored of a write key."""
    return hashlib.sha256(write_key.encode()).hexdigest()


def add_source(
    session: Session, name: str, write_key: str, lateness_seconds: float, now: datetime
) -> EventSource:
    """Create an event source, or give the one of this name a new key and lateness."""
    source = session.exec(select(EventSource).where(EventSource.name == name)).first()
    if source is None:
        source = EventSource(
            id=derived_id("source", name), name=name, write_key_hash=hash_write_key(write_key), created_at=now
        )
    source.write_key_hash = hash_write_key(write_key)
    source.lateness_seconds = lateness_seconds
    session.add(source)
    session.flush()
    return source


def unseen_events(session: Session, source_id: UUID, events: Sequence[EventValue]) -> list[EventValue]:
    """Leave out events that are stored already or stand twice in the batch."""
    ids = [event.message_id for event in events]
    stored = set(
        session.exec(
            select(JourneyEvent.message_id)
            .where(JourneyEvent.source_id == source_id)
            .where(col(JourneyEvent.message_id).in_(ids))
        )
    )
    fresh: dict[str, EventValue] = {}
    for event in events:
        if event.message_id not in stored:
            fresh.setdefault(event.message_id, event)
    return list(fresh.values())


def lock_people(
    session: Session, source_id: UUID, events: Sequence[EventValue], now: datetime
) -> dict[str, Identity]:
    """Find or create the customer of each event and lock them all, in key order, until the commit.

    Returns each message id's identity. Naming a user on a device that nobody was known on joins the
    device's person to that customer; a device last used by another customer starts afresh.
    """
    anonymous = sorted({a for event in events for a in (event.anonymous_id, event.previous_id) if a})
    owners = _device_owners(session, source_id, anonymous)
    identities: dict[str, Identity] = {}
    wanted: dict[UUID, str | None] = {}
    moved: dict[str, UUID] = {}
    known: dict[UUID, bool] = _known_people(session, owners.values())
    for event in sorted(events, key=lambda event: event.order):
        joined = None
        if event.user_id:
            customer_id = derived_id("customer", event.user_id)
            wanted[customer_id] = event.user_id
            known[customer_id] = True
            device = event.previous_id if event.kind == "alias" else event.anonymous_id
            if device and owners.get(device) != customer_id:
                before = owners.get(device)
                joined = before if before and not known.get(before, False) else None
                owners[device] = moved[device] = customer_id
        else:
            device = event.anonymous_id or ""
            customer_id = owners.get(device) or derived_id("device", source_id, device)
            if device not in owners:
                owners[device] = moved[device] = customer_id
            wanted.setdefault(customer_id, None)
        identities[event.message_id] = Identity(customer_id, joined)
    for identity in identities.values():
        if identity.joined_from:
            wanted.setdefault(identity.joined_from, None)
    _create_people(session, wanted, now)
    _point_devices(session, source_id, moved, now)
    session.exec(
        select(Customer)
        .where(col(Customer.id).in_(sorted(wanted)))
        .order_by(col(Customer.id))
        .with_for_update(key_share=True)
    ).all()
    return identities


def _device_owners(session: Session, source_id: UUID, anonymous: Sequence[str]) -> dict[str, UUID]:
    if not anonymous:
        return {}
    found = session.exec(
        select(Device.anonymous_id, Device.customer_id)
        .where(Device.source_id == source_id)
        .where(col(Device.anonymous_id).in_(anonymous))
    )
    return dict(found.all())


def _known_people(session: Session, customer_ids: Iterable[UUID]) -> dict[UUID, bool]:
    ids = list(customer_ids)
    if not ids:
        return {}
    found = session.exec(select(Customer.id, Customer.external_id).where(col(Customer.id).in_(ids)))
    return {customer_id: external_id is not None for customer_id, external_id in found}


def _create_people(session: Session, wanted: Mapping[UUID, str | None], now: datetime) -> None:
    if not wanted:
        return
    rows: list[dict[str, Any]] = [
        {
            "id": customer_id,
            "external_id": wanted[customer_id],
            "created_at": now,
            "updated_at": now,
            "traits": {},
            "tags": [],
            "language": "en",
        }
        for customer_id in sorted(wanted)
    ]
    session.execute(insert(Customer).values(rows).on_conflict_do_nothing())


def _point_devices(session: Session, source_id: UUID, moved: Mapping[str, UUID], now: datetime) -> None:
    if not moved:
        return
    statement = insert(Device).values(
        [
            {"source_id": source_id, "anonymous_id": device, "customer_id": moved[device], "since": now}
            for device in sorted(moved)
        ]
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["source_id", "anonymous_id"],
            set_={"customer_id": statement.excluded.customer_id, "since": statement.excluded.since},
        )
    )


def join_history(session: Session, joined: Collection[tuple[UUID, UUID]]) -> None:
    """Give a device's earlier events to the customer it turned out to belong to: (from, to) pairs."""
    for before, customer_id in joined:
        session.execute(
            update(JourneyEvent)
            .where(col(JourneyEvent.customer_id) == before)
            .values(customer_id=customer_id)
        )


def keep_profiles(
    session: Session,
    source_id: UUID,
    events: Sequence[EventValue],
    who: Mapping[str, Identity],
    now: datetime,
) -> list[Rejection]:
    """Write what identify calls say about customers; return what was wrong with single traits."""
    problems: list[Rejection] = []
    for index, event in enumerate(sorted(events, key=lambda event: event.order)):
        if event.kind != "identify" or not event.traits or event.historical:
            continue
        profile = read_profile(event.traits)
        customer = session.get(Customer, who[event.message_id].customer_id)
        assert customer is not None
        _update_profile(customer, profile, now)
        problems += [
            Rejection(index, code, text, {"messageId": event.message_id}) for code, text in profile.problems
        ]
    keep_refused(session, source_id, problems, now)
    session.flush()
    return problems


def _update_profile(customer: Customer, profile: Profile, now: datetime) -> None:
    for name in ("name", "gender", "number", "time_zone", "language", "city"):
        if (value := getattr(profile, name)) is not None:
            setattr(customer, name, value)
    if any(code == "invalid_phone" for code, _ in profile.problems):
        customer.number = None
    if any(code == "unknown_time_zone" for code, _ in profile.problems):
        customer.time_zone = None
    if profile.tags is not None:
        customer.tags = list(profile.tags)
    customer.traits = {**customer.traits, **profile.traits}
    customer.updated_at = now


def freeze(session: Session, customer_id: UUID, now: datetime) -> None:
    """Bar every call to a customer until a person has looked into what happened."""
    session.execute(
        update(Customer)
        .where(col(Customer.id) == customer_id)
        .where(col(Customer.frozen_at).is_(None))
        .values(frozen_at=now)
    )


def unfreeze(session: Session, customer_id: UUID, now: datetime) -> None:
    """Let a frozen customer be called again."""
    session.execute(
        update(Customer).where(col(Customer.id) == customer_id).values(frozen_at=None, updated_at=now)
    )


_STORE = text("""
INSERT INTO journey_event (source_id, message_id, customer_id, kind, name, journey, journey_key, step, role, key,
                           event_time, received_at, historical, clamped, properties)
SELECT CAST(:source_id AS uuid), e.* FROM unnest(
       CAST(:message_id AS text[]), CAST(:customer_id AS uuid[]), CAST(:kind AS text[]), CAST(:name AS text[]),
       CAST(:journey AS text[]), CAST(:journey_key AS text[]), CAST(:step AS text[]), CAST(:role AS text[]),
       CAST(:key AS text[]), CAST(:event_time AS timestamptz[]), CAST(:received_at AS timestamptz[]),
       CAST(:historical AS boolean[]), CAST(:clamped AS boolean[]), CAST(:properties AS jsonb[])) AS e
ON CONFLICT (source_id, message_id) DO NOTHING RETURNING message_id
""")


def store_events(session: Session, source_id: UUID, placed: Sequence[PlacedEvent]) -> set[str]:
    """Insert events, each once and all in one statement; return the message ids that were new."""
    if not placed:
        return set()
    events = [one.event for one in placed]
    columns = {
        "source_id": source_id,
        "message_id": [event.message_id for event in events],
        "customer_id": [one.customer_id for one in placed],
        "kind": [event.kind for event in events],
        "name": [event.name for event in events],
        "journey": [one.journey for one in placed],
        "journey_key": [one.journey_key for one in placed],
        "step": [one.step for one in placed],
        "role": [one.role for one in placed],
        "key": [one.key for one in placed],
        "event_time": [event.event_time for event in events],
        "received_at": [event.received_at for event in events],
        "historical": [event.historical for event in events],
        "clamped": [event.clamped for event in events],
        "properties": [orjson.dumps(event.properties).decode() for event in events],
    }
    return set(session.scalars(_STORE, columns))


def keep_refused(session: Session, source_id: UUID, rejections: Iterable[Rejection], now: datetime) -> None:
    """Keep refused events with their reasons, so that somebody can see and mend them."""
    for rejection in rejections:
        session.add(
            QuarantinedEvent(
                source_id=source_id,
                received_at=now,
                position=rejection.index,
                code=rejection.code,
                message=rejection.message,
                raw=_storable(rejection.raw),
            )
        )


def _storable(raw: Any) -> Any:
    """Return what PostgreSQL can keep of a refused event: its text without U+0000, cut to 2,000 letters."""
    return {"text": repr(raw).replace("\x00", "")[:2_000]}
