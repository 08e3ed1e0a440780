"""Facts for the gate, loaded in bulk, and reads for people."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone as number_zones
from sqlalchemy import or_
from sqlmodel import Session, col, select

from callcenter.domain.contact import CustomerFacts
from callcenter.domain.enums import CallResult
from callcenter.models import ContactAttempt, Customer, DoNotCallEntry

_LOOK_BACK = timedelta(days=30)
_NOT_RUNG = (CallResult.NOT_PLACED, CallResult.REJECTED)


def facts_of_customers(
    session: Session, customers: Sequence[Customer], now: datetime
) -> dict[UUID, CustomerFacts]:
    """Load what the gate must know of these customers, in two queries whatever their number."""
    ids = [customer.id for customer in customers]
    numbers = [customer.number for customer in customers if customer.number]
    barred_people, barred_numbers = _do_not_call(session, ids, numbers, now)
    by_person, by_number = _attempts(session, ids, numbers, now)
    return {
        customer.id: CustomerFacts(
            number=customer.number,
            is_number_valid=customer.number is not None and is_callable(customer.number),
            time_zones=possible_zones(customer.time_zone, customer.number),
            on_do_not_call_list=customer.id in barred_people or (customer.number or "") in barred_numbers,
            is_frozen=customer.frozen_at is not None,
            attempts_at=tuple(sorted(by_person[customer.id] | by_number[customer.number or ""])),
        )
        for customer in customers
    }


def _do_not_call(
    session: Session, ids: list[UUID], numbers: list[str], now: datetime
) -> tuple[set[UUID | None], set[str | None]]:
    rows = session.execute(
        select(DoNotCallEntry.customer_id, DoNotCallEntry.number)
        .where(or_(col(DoNotCallEntry.customer_id).in_(ids), col(DoNotCallEntry.number).in_(numbers)))
        .where(or_(col(DoNotCallEntry.expires_at).is_(None), col(DoNotCallEntry.expires_at) > now))
    ).all()
    return {row[0] for row in rows}, {row[1] for row in rows}


def _attempts(
    session: Session, ids: list[UUID], numbers: list[str], now: datetime
) -> tuple[defaultdict[UUID, set[datetime]], defaultdict[str, set[datetime]]]:
    """When each person and each number was tried; a try that provably never rang does not count."""
    rows = session.execute(
        select(ContactAttempt.customer_id, ContactAttempt.to_number, ContactAttempt.claimed_at)
        .where(or_(col(ContactAttempt.customer_id).in_(ids), col(ContactAttempt.to_number).in_(numbers)))
        .where(ContactAttempt.claimed_at > now - _LOOK_BACK)
        .where(or_(col(ContactAttempt.result).is_(None), col(ContactAttempt.result).not_in(_NOT_RUNG)))
    )
    people: defaultdict[UUID, set[datetime]] = defaultdict(set)
    phones: defaultdict[str, set[datetime]] = defaultdict(set)
    for customer_id, number, at in rows:
        people[customer_id].add(at)
        phones[number].add(at)
    return people, phones


@lru_cache(maxsize=65_536)
def is_callable(number: str) -> bool:
    """Whether an E.164 number is one that can be called."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False


@lru_cache(maxsize=65_536)
def possible_zones(zone: str | None, number: str | None) -> tuple[ZoneInfo, ...]:
    """Return every zone the customer may be in; empty when we cannot tell, which bars the call.

    A stated zone is taken at its word; otherwise all zones of the number's region count.
    """
    if zone:
        try:
            return (ZoneInfo(zone),)
        except (KeyError, ValueError):
            return ()
    if not number or not is_callable(number):
        return ()
    names = number_zones.time_zones_for_number(phonenumbers.parse(number))
    return tuple(ZoneInfo(name) for name in names if name != "Etc/Unknown")
