"""Reads of the collector."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, select

from callcenter.intake.service import hash_write_key
from callcenter.models import EventSource, WriteKey


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A write key's source, as read from the database, and when the key ends; None for never."""

    source: EventSource
    ends_at: datetime | None


def known_key(session: Session, write_key: str) -> KnownKey | None:
    """Find the source a write key belongs to, also when it has ended; None when no source has it.

    The source is let go by the session: it may be kept for longer and must not be changed.
    """
    statement = (
        select(EventSource, WriteKey.ends_at)
        .join(WriteKey, WriteKey.source_id == EventSource.id)  # type: ignore[arg-type]
        .where(WriteKey.key_hash == hash_write_key(write_key))
    )
    found = session.exec(statement).first()
    if found is None:
        return None
    session.expunge(found[0])
    return KnownKey(*found)
