"""Keep what narrows a campaign: a pause, and calling hours of its own."""

from collections.abc import Sequence
from datetime import datetime, time
from uuid import UUID

from sqlmodel import Session

from callcenter.errors import BadInput
from callcenter.models import Campaign


def pause_campaign(session: Session, key: str, user_id: UUID, now: datetime, *, paused: bool) -> bool:
    """Let a campaign's customers not be called, or be called again; False when it is so already."""
    row = _row(session, key, now)
    if (row.paused_at is not None) == paused:
        return False
    row.paused_at = now if paused else None
    _write(session, row, user_id, now)
    return True


def set_hours(
    session: Session, key: str, hours: Sequence[str], user_id: UUID, now: datetime
) -> tuple[str, ...]:
    """Give a campaign calling hours of its own, two times in the customer's zone, or none; return what counts."""
    told = read_hours(hours)
    row = _row(session, key, now)
    row.hours = list(told)
    _write(session, row, user_id, now)
    return told


def read_hours(hours: Sequence[str]) -> tuple[str, ...]:
    """Read two times of one day, the earlier first; empty for none. Raises BadInput for anything else."""
    told = [one.strip() for one in hours if one.strip()]
    if not told:
        return ()
    try:
        opens, closes = (time.fromisoformat(one) for one in told)
    except ValueError:
        opens = closes = time()
    if not opens < closes:
        raise BadInput(
            "Give the time the campaign opens and a later one at which it closes, such as 09:00 and 18:00.",
            {"hours": ["two times, the earlier first"]},
        )
    return (f"{opens:%H:%M}", f"{closes:%H:%M}")


def _row(session: Session, key: str, now: datetime) -> Campaign:
    return session.get(Campaign, key, with_for_update=True, populate_existing=True) or Campaign(
        key=key, changed_at=now
    )


def _write(session: Session, row: Campaign, user_id: UUID, now: datetime) -> None:
    row.changed_at, row.changed_by = now, user_id
    session.add(row)
    session.flush()
