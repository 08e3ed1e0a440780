"""Reads of the collector."""

from sqlmodel import Session, col, select

from callcenter.intake.service import hash_write_key
from callcenter.models import EventSource, JourneyEvent


def source_of_key(session: Session, write_key: str) -> EventSource | None:
    """Find the source a write key belongs to; None when no source has it."""
    statement = select(EventSource).where(EventSource.write_key_hash == hash_write_key(write_key))
    return session.exec(statement).first()


def events_of_customer(session: Session, customer_id: object, limit: int = 50) -> list[JourneyEvent]:
    """List a customer's latest events, newest first."""
    statement = (
        select(JourneyEvent)
        .where(JourneyEvent.customer_id == customer_id)
        .order_by(col(JourneyEvent.event_time).desc(), col(JourneyEvent.id).desc())
        .limit(limit)
    )
    return list(session.exec(statement))
