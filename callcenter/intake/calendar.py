"""The calendar: a source of events of our own. It has no write key, so that nobody else can send in its name."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from callcenter.domain.ids import derived_id
from callcenter.intake.own_sources import own_source
from callcenter.intake.storing import event_id
from callcenter.models import EventReceipt, EventSource

NAME = "calendar"


def calendar_source(session: Session, now: datetime) -> EventSource:
    """Return the calendar as a source, made on first use. Its events are never late."""
    return own_source(session, NAME, now)


def chapters_done(session: Session, names: Collection[str]) -> set[str]:
    """Return those of the calendar's chapters that have been gone through to their end."""
    by_id = {_chapter_id(name): name for name in names}
    known = session.exec(select(EventReceipt.id).where(col(EventReceipt.id).in_(by_id)))
    return {by_id[one] for one in known}


def note_chapter_done(session: Session, name: str, now: datetime) -> None:
    """Keep a receipt that the calendar has gone through a chapter; a second one changes nothing."""
    row = {"id": _chapter_id(name), "received_at": now}
    session.execute(insert(EventReceipt).values(**row).on_conflict_do_nothing())


def _chapter_id(name: str) -> UUID:
    return event_id(derived_id("source", NAME), f"chapter/{name}")
