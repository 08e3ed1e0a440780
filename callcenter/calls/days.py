"""A day of the carrier's list laid beside our attempts, both ways: what the one knows and the other does not."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.domain.ports import CallSnapshot
from callcenter.models import Agent, AgentLeg, CarrierDay, ContactAttempt, Incident, User, Watch

LISTED_AFTER = timedelta(hours=1)
"""A day is compared this long after its end, when the carrier's list has caught up."""
_MARGIN = timedelta(minutes=10)
"""A call near midnight may stand on the other day in the carrier's clock."""


def day_to_compare(session: Session, now: datetime) -> date | None:
    """Return the day that has ended and was not compared yet; None when there is none."""
    day = (now - LISTED_AFTER - timedelta(days=1)).astimezone(UTC).date()
    return day if session.get(CarrierDay, day) is None else None


def bounds_of(day: date) -> tuple[datetime, datetime]:
    """Return the span of the carrier's list that is asked for: the day in UTC with a margin at both ends."""
    start = datetime.combine(day, time(), UTC)
    return start - _MARGIN, start + timedelta(days=1) + _MARGIN


def calls_unknown_to_us(session: Session, listed: Sequence[CallSnapshot]) -> list[CallSnapshot]:
    """Return the carrier's calls to customers that belong to no attempt of ours."""
    refs = [call.ref for call in listed]
    known: set[str | None] = set()
    for column in (col(ContactAttempt.carrier_ref), col(AgentLeg.carrier_ref), col(Watch.carrier_ref)):
        known |= set(session.scalars(select(column).where(column.in_(refs))))
    # A stray call that is an incident already is not found anew: a person may have resolved it.
    told = col(Incident.detail)["ref"].astext
    known |= set(session.scalars(select(told).where(told.in_(refs))))
    staff = set(session.scalars(select(col(Agent.address)))) | set(
        session.scalars(select(col(User.telephone)))
    )
    return [call for call in listed if call.is_ours and call.ref not in known and call.to not in staff]


def compare_day(
    session: Session,
    day: date,
    listed: Sequence[CallSnapshot],
    unknown: Collection[tuple[str, UUID | None]],
    now: datetime,
) -> CarrierDay:
    """Write down how the day compares. A call nobody asked for is an incident a person must look into.

    `unknown` names the carrier's calls that are nobody's, each with the attempt it was placed for, if the carrier
    can tell.
    """
    start, end = bounds_of(day)
    ours = session.exec(
        select(ContactAttempt.carrier_ref)
        .where(ContactAttempt.claimed_at >= start + _MARGIN)
        .where(ContactAttempt.claimed_at < end - _MARGIN)
        .where(col(ContactAttempt.carrier_ref).is_not(None))
    ).all()
    refs = {call.ref for call in listed}
    row = CarrierDay(
        day_on=day,
        checked_at=now,
        carrier_calls=len(listed),
        attempts=len(ours),
        unknown_to_us=len(unknown),
        unknown_to_carrier=sum(ref not in refs for ref in ours),
    )
    session.add(row)
    for ref, attempt_id in unknown:
        attempt = session.get(ContactAttempt, attempt_id) if attempt_id else None
        session.add(
            Incident(
                at=now,
                kind="call_without_attempt",
                attempt_id=attempt.id if attempt else None,
                customer_id=attempt.customer_id if attempt else None,
                detail={"ref": ref, "day": day.isoformat()},
            )
        )
    session.flush()
    return row
