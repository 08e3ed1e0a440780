"""Sources of events of our own. They have no write key, so that nobody else can send in their name."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, select

from callcenter.domain.ids import derived_id
from callcenter.models import EventSource

SURVEY = "survey"


def own_source(session: Session, name: str, now: datetime) -> EventSource:
    """Return a source of our own, made on first use. Its events are never late."""
    row = {
        "id": derived_id("source", name),
        "name": name,
        "lateness_seconds": 0.0,
        "is_enabled": True,
        "created_at": now,
    }
    session.execute(insert(EventSource).values(**row).on_conflict_do_nothing())
    return session.exec(select(EventSource).where(EventSource.name == name)).one()
