"""Reads of the collector."""

from sqlmodel import Session, select

from callcenter.intake.service import hash_write_key
from callcenter.models import EventSource


def source_of_key(session: Session, write_key: str) -> EventSource | None:
    """Find the source a write key belongs to; None when no source has it."""
    statement = select(EventSource).where(EventSource.write_key_hash == hash_write_key(write_key))
    return session.exec(statement).first()
