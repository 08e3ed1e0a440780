"""Reads of the collector."""

from datetime import datetime

from sqlmodel import Session, col, or_, select

from callcenter.intake.service import hash_write_key
from callcenter.models import EventSource, WriteKey


def source_of_key(session: Session, write_key: str, now: datetime) -> EventSource | None:
    """Find the source a write key belongs to; None when no source has it, or it has ended."""
    statement = (
        select(EventSource)
        .join(WriteKey, col(WriteKey.source_id) == EventSource.id)
        .where(WriteKey.key_hash == hash_write_key(write_key))
        .where(or_(col(WriteKey.ends_at).is_(None), col(WriteKey.ends_at) > now))
    )
    return session.exec(statement).first()
