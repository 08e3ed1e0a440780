"""Customers as the bank's other systems tell them: the same checks and the same writer as for identify calls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.domain.events import EventValue
from callcenter.domain.ids import derived_id
from callcenter.errors import BadInput
from callcenter.intake.profiles import read_profile
from callcenter.intake.service import DeviceOwners, keep_profiles, lock_people
from callcenter.models import Customer

SOURCE_ID = derived_id("source", "api")
"""Stands for other systems where intake asks for a source; they have no devices and no quarantine."""
MAX_TAGS, MAX_TAG = 50, 60


@dataclass(frozen=True, slots=True)
class Told:
    """One customer as told: the bank's own id, and the traits, as an identify call has them."""

    external_id: str
    traits: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a told customer is not taken."""

    code: str
    message: str


def check_told(one: Told) -> Refused | None:
    """Say what is wrong with a told customer; None when nothing is.

    Here a wrong number refuses the customer: whoever sends lists can mend them, and must hear of it.
    """
    problems = read_profile(one.traits).problems
    return Refused(*problems[0]) if problems else None


def keep_told(session: Session, told: Sequence[Told], now: datetime) -> dict[str, tuple[UUID, bool]]:
    """Create or change customers, locked in key order; return each one's id, and whether they are new."""
    events = [
        EventValue(
            message_id=str(place),
            kind="identify",
            name="",
            step_key="",
            event_time=now,
            received_at=now,
            user_id=one.external_id,
            traits=one.traits,
            position=place,
        )
        for place, one in enumerate(told)
    ]
    if not events:
        return {}
    names = {one.external_id for one in told}
    known = set(session.exec(select(Customer.external_id).where(col(Customer.external_id).in_(names))))
    who = lock_people(session, SOURCE_ID, events, DeviceOwners(session, SOURCE_ID, events), now)
    # Read at once what is changed one by one.
    wanted = {one.customer_id for one in who.values()}
    rows = session.exec(
        select(Customer).where(col(Customer.id).in_(wanted)).execution_options(populate_existing=True)
    ).all()
    keep_profiles(session, SOURCE_ID, events, who, now)
    return {str(row.external_id): (row.id, row.external_id not in known) for row in rows}


def foreseen_customers(session: Session, told: Sequence[Told], now: datetime) -> list[Customer]:
    """Return the customers as they would be if they were told now, in order; nothing is kept of it."""
    names = [one.external_id for one in told]
    known = {
        row.external_id: row
        for row in session.exec(select(Customer).where(col(Customer.external_id).in_(names)))
    }
    return [_foreseen(one, known.get(one.external_id), now) for one in told]


def _foreseen(one: Told, known: Customer | None, now: datetime) -> Customer:
    profile = read_profile(one.traits)
    was: dict[str, Any] = {"id": derived_id("customer", one.external_id), "created_at": now}
    if known is not None:
        was = known.model_dump()
    changed = {
        "external_id": one.external_id,
        "number": profile.number or was.get("number"),
        "time_zone": profile.time_zone or was.get("time_zone"),
        "traits": {**(was.get("traits") or {}), **profile.traits},
        "updated_at": now,
    }
    return Customer(**{**was, **changed})


def set_tags(customer: Customer, tags: Sequence[str], now: datetime) -> None:
    """Give a locked customer these tags. Raises BadInput when they are too many or too long."""
    wanted = list(dict.fromkeys(tags))
    if len(wanted) > MAX_TAGS or any(not one.strip() or len(one) > MAX_TAG for one in wanted):
        raise BadInput(f"A customer has at most {MAX_TAGS} tags of at most {MAX_TAG} letters.")
    customer.tags, customer.updated_at = wanted, now


def customer_named(session: Session, external_id: str) -> Customer | None:
    """Return the customer the bank knows by this id."""
    return session.exec(select(Customer).where(Customer.external_id == external_id)).first()
