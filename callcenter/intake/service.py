"""Store what came in: events once, people and their devices, and what was refused."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from operator import attrgetter
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import update
from sqlmodel import Session, col, select

from callcenter.ahead import in_one_trip
from callcenter.db import array_of, cursor_of, id_array_of
from callcenter.domain.events import EventValue, Rejection
from callcenter.domain.ids import derived_id
from callcenter.errors import Conflict
from callcenter.intake.profiles import Profile, read_profile
from callcenter.models import Customer, EventSource, JourneyEvent, QuarantinedEvent, WriteKey

MAX_KEPT_BYTES = 64 * 1024
"""A refused event larger than this is kept by its beginning only."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose event it is, and which device's person turned out to be this customer, if that was new."""

    customer_id: UUID
    joined_from: UUID | None = None


def hash_write_key(write_key: str) -> str:
    """Return what is stored of a write key."""
    return sha256(write_key.encode()).hexdigest()


def add_source(
    session: Session, name: str, write_key: str, lateness_seconds: float, now: datetime
) -> EventSource:
    """Create an event source with a write key, or give the one of this name that lateness and that key besides."""
    source = session.exec(select(EventSource).where(EventSource.name == name)).first()
    if source is None:
        source = EventSource(id=derived_id("source", name), name=name, created_at=now)
    source.lateness_seconds = lateness_seconds
    session.add(source)
    session.flush()
    key_hash = hash_write_key(write_key)
    known = session.exec(select(WriteKey).where(WriteKey.key_hash == key_hash)).first()
    if known is None:
        session.add(WriteKey(source_id=source.id, key_hash=key_hash, hint=write_key[-4:], created_at=now))
    elif known.source_id != source.id:
        raise Conflict("Another source has this write key. Choose another one.")
    session.flush()
    return source


def _in_order(ids: Iterable[UUID]) -> list[UUID]:
    """Sort ids as PostgreSQL does, the order in which rows are locked."""
    return sorted(ids, key=_AS_NUMBER)


_AS_NUMBER = attrgetter("int")


_CREATE_PEOPLE = """
INSERT INTO customer (id, external_id, created_at, updated_at, traits, tags, language)
SELECT one.id, one.external_id, %(now)s, %(now)s, '{}', '[]', 'en'
FROM unnest(%(ids)s::uuid[], %(names)s::text[]) AS one (id, external_id)
ON CONFLICT DO NOTHING RETURNING id
"""
_LOCK_PEOPLE = """
SELECT id, erased_at IS NOT NULL FROM customer WHERE id = ANY(%(ids)s::uuid[]) ORDER BY id FOR NO KEY UPDATE
"""
_DEVICE_OWNERS = """
SELECT d.anonymous_id, d.customer_id, c.external_id IS NOT NULL
FROM device d JOIN customer c ON c.id = d.customer_id
WHERE d.source_id = %(source_id)s AND d.anonymous_id = ANY(%(devices)s::text[])
"""
_POINT_DEVICES = """
INSERT INTO device (source_id, anonymous_id, customer_id, since)
SELECT %(source_id)s, one.device, one.owner, %(now)s FROM unnest(%(devices)s::text[], %(owners)s::uuid[])
  AS one (device, owner)
ON CONFLICT (source_id, anonymous_id) DO UPDATE SET customer_id = excluded.customer_id, since = excluded.since
"""
Owners = Mapping[str, tuple[UUID, bool]]
"""Whom each device belongs to, and whether that is a customer known by name."""


class DeviceOwners:
    """Whose the devices in these events are, which is being read."""

    def __init__(self, session: Session, source_id: UUID, events: Iterable[EventValue]) -> None:
        devices = sorted({a for event in events for a in (event.anonymous_id, event.previous_id) if a})
        asked = {"source_id": source_id, "devices": array_of(devices)}
        self._cursor = cursor_of(session).execute(_DEVICE_OWNERS, asked) if devices else None

    def read(self) -> Owners:
        """Wait for the owners and return them."""
        return {device: (owner, is_named) for device, owner, is_named in self._cursor or ()}


def lock_people(
    session: Session, source_id: UUID, events: Sequence[EventValue], devices: DeviceOwners, now: datetime
) -> dict[str, Identity]:
    """Find or create the customer of each event and lock them all, in key order, until the commit.

    The events must be in the order of time; `devices` are theirs, perhaps with others'. Returns each message
    id's identity. Naming a user on a device that nobody was known on joins the device's person to that
    customer; a device last used by another customer starts afresh. Whose data was erased comes as somebody new.
    """
    owners, erased = devices.read(), frozenset[UUID]()
    while True:
        found = _identify(source_id, events, owners, erased)
        # Whoever moves a device holds its person, so what is read behind the locks stays as it is.
        with in_one_trip(session):
            locked = cursor_of(session).execute(_LOCK_PEOPLE, {"ids": id_array_of(_in_order(found.wanted))})
            devices = DeviceOwners(session, source_id, events)
        there = dict(locked)
        is_new = _create_missing(session, found.wanted, there, now)
        now_owned = DeviceOwners(session, source_id, events).read() if is_new else devices.read()
        gone = {one for one, is_erased in there.items() if is_erased}
        if now_owned == owners and not gone:
            break
        owners, erased = now_owned, erased | gone
    if found.moved:
        columns = {
            "devices": sorted(found.moved),
            "owners": [found.moved[one] for one in sorted(found.moved)],
        }
        cursor_of(session).execute(_POINT_DEVICES, {"source_id": source_id, "now": now, **columns})
    return found.identities


@dataclass(frozen=True, slots=True)
class _Identified:
    """Who the people of a batch are, those it concerns with their own names, and the devices that change hands."""

    identities: dict[str, Identity]
    wanted: dict[UUID, str | None]
    moved: dict[str, UUID]


def next_life(customer_id: UUID) -> UUID:
    """Return the id of the person who is known after a person's data was erased, by the same id or device."""
    return derived_id("after-erasure", customer_id)


def _alive(customer_id: UUID, erased: Collection[UUID]) -> UUID:
    while customer_id in erased:
        customer_id = next_life(customer_id)
    return customer_id


def _identify(
    source_id: UUID, events: Sequence[EventValue], owners: Owners, erased: Collection[UUID]
) -> _Identified:
    owned = {device: owner for device, (owner, _) in owners.items()}
    named = {owner for owner, is_named in owners.values() if is_named}
    found = _Identified({}, {}, {})
    for event in events:
        joined = None
        if event.user_id:
            customer_id = _alive(derived_id("customer", event.user_id), erased)
            found.wanted[customer_id] = event.user_id
            named.add(customer_id)
            device = event.previous_id if event.kind == "alias" else event.anonymous_id
            if device and owned.get(device) != customer_id:
                before = owned.get(device)
                joined = before if before and before not in named else None
                owned[device] = found.moved[device] = customer_id
        else:
            device = event.anonymous_id or ""
            customer_id = owned.get(device) or _alive(derived_id("device", source_id, device), erased)
            if device not in owned:
                owned[device] = found.moved[device] = customer_id
            found.wanted.setdefault(customer_id, None)
        if joined:
            found.wanted.setdefault(joined, None)
        found.identities[event.message_id] = Identity(customer_id, joined)
    return found


def _create_missing(
    session: Session, wanted: Mapping[UUID, str | None], locked: Collection[UUID], now: datetime
) -> bool:
    """Create those of the wanted customers who could not be locked, which locks them too; say if there were any."""
    if len(locked) == len(wanted):
        return False
    missing = _in_order(set(wanted).difference(locked))
    ids, names = id_array_of(missing), array_of(wanted[one] for one in missing)
    cursor = cursor_of(session).execute(_CREATE_PEOPLE, {"ids": ids, "names": names, "now": now})
    if cursor.rowcount < len(missing):  # another process has just created them
        cursor.execute(_LOCK_PEOPLE, {"ids": ids})
    return True


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
    """Write what identify calls say about customers, the events being in the order of time.

    Returns what was wrong with single traits.
    """
    problems: list[Rejection] = []
    for index, event in enumerate(events):
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
                raw=_beginning(rejection.raw),
                body=_body(rejection.raw),
            )
        )


def _beginning(raw: Any) -> Any:
    """Return what people are shown of a refused event: its text without U+0000, cut to 2,000 letters."""
    return {"text": repr(raw).replace("\x00", "")[:2_000]}


def _body(raw: Any) -> Any:
    """Return a refused event as it was sent, so that it can be driven in again; None when JSON cannot say it."""
    if not isinstance(raw, dict):
        return None
    try:
        written = orjson.dumps(raw)
    except (TypeError, ValueError):
        return None
    return None if len(written) > MAX_KEPT_BYTES or b"\\u0000" in written else raw
