"""From when on the database holds every event of a window: weeks beyond the retention lie in files."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session

from callcenter.reporting.funnel import Span

EARLY = timedelta(hours=1)
"""A client's clock may be ahead by so much: events are kept by when they came in, counted by when they happened."""
_ARCHIVED = text("SELECT max(until) FROM event_archive WHERE until > :start AND since < :end")


def complete_since(session: Session, start: datetime, end: datetime) -> datetime | None:
    """Return from when on the events of a window are all in the database; None where all of the window is."""
    asked = {"start": start - EARLY, "end": end}
    until: datetime | None = session.execute(_ARCHIVED, asked).scalar_one()
    return until if until is not None and until > start else None


def whole_spans(session: Session, spans: Sequence[Span]) -> list[Span]:
    """Return the spans no event of which lies in a file: others would say that less was usual than was."""
    return [one for one in spans if complete_since(session, one.start, one.end) is None]
