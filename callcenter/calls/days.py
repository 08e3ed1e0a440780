"""A day of the carrier's list laid beside our attempts, both ways: what the one knows and the other does not."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.calls.rules import day_span
from callcenter.domain.ports import CallSnapshot
from callcenter.models import CarrierDay, ContactAttempt, Incident


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
    start, end = day_span(day)
    ours = session.exec(
        select(ContactAttempt.carrier_ref)
        .where(ContactAttempt.claimed_at >= start)
        .where(ContactAttempt.claimed_at < end)
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
