"""Sources and their write keys: made, changed, switched off, rotated and ended. A key itself is never kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, or_, select

from callcenter.errors import BadInput, Conflict, NotFound
from callcenter.intake.policy import MAX_SOURCE_NAME, MOST_LATENESS, MOST_REQUESTS_PER_SECOND
from callcenter.intake.service import add_source, hash_write_key
from callcenter.models import EventSource, WriteKey

OLD_KEY_ENDS = {
    "now": timedelta(0),
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
}
"""How long keys may go on working beside the one that replaces them."""


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """By how many seconds a source's events may come late, and how many requests a second it may make.

    None stands for the limit of policy.MAX_REQUESTS_PER_SECOND.
    """

    lateness_seconds: float = 5.0
    requests_per_second: int | None = None


def create_source(
    session: Session, name: str, limits: SourceLimits, write_key: str, user_id: UUID | None, now: datetime
) -> EventSource:
    """Create a source with its first write key.

    Raises BadInput for a name or figure that is none, Conflict when there is a source of this name.
    """
    name = " ".join(name.split())
    if not name or len(name) > MAX_SOURCE_NAME or not name.isprintable():
        raise BadInput(f"Give the source a name of at most {MAX_SOURCE_NAME} characters.")
    if session.exec(select(EventSource.id).where(EventSource.name == name)).first():
        raise Conflict("There is a source of this name. Choose another name, or give that one a new key.")
    _check(limits)
    source = add_source(session, name, write_key, limits.lateness_seconds, now)
    source.requests_per_second = limits.requests_per_second
    session.exec(select(WriteKey).where(WriteKey.source_id == source.id)).one().created_by = user_id
    return source


def set_source(session: Session, source_id: UUID, limits: SourceLimits) -> EventSource:
    """Change how late a source's events may come and how often it may ask. Raises BadInput, NotFound."""
    _check(limits)
    source = source_of(session, source_id)
    source.lateness_seconds = limits.lateness_seconds
    source.requests_per_second = limits.requests_per_second
    return source


def _check(limits: SourceLimits) -> None:
    most = int(MOST_LATENESS.total_seconds())
    if not 0 <= limits.lateness_seconds <= most:
        raise BadInput(f"Lateness is between 0 and {most} seconds.")
    requests = limits.requests_per_second
    if requests is not None and not 1 <= requests <= MOST_REQUESTS_PER_SECOND:
        raise BadInput(
            f"Requests per second are between 1 and {MOST_REQUESTS_PER_SECOND}; empty for the default."
        )


def switch_source(session: Session, source_id: UUID, *, enabled: bool) -> EventSource:
    """Switch a source on or off; what it sends while off is refused as a whole. Raises NotFound."""
    source = source_of(session, source_id)
    source.is_enabled = enabled
    return source


def rotate_key(
    session: Session,
    source_id: UUID,
    write_key: str,
    old_ends_at: datetime,
    user_id: UUID | None,
    now: datetime,
) -> EventSource:
    """Give a source a new key that works at once; the keys before it work until `old_ends_at` at the latest.

    Raises NotFound when there is no such source.
    """
    source = source_of(session, source_id)
    working = session.exec(
        select(WriteKey)
        .where(WriteKey.source_id == source_id)
        .where(or_(col(WriteKey.ends_at).is_(None), col(WriteKey.ends_at) > old_ends_at))
    )
    for old in working:
        old.ends_at = old_ends_at
    key_hash, hint = hash_write_key(write_key), write_key[-4:]
    session.add(
        WriteKey(source_id=source_id, key_hash=key_hash, hint=hint, created_at=now, created_by=user_id)
    )
    session.flush()
    return source


def end_key(session: Session, source_id: UUID, key_id: int, now: datetime) -> tuple[EventSource, WriteKey]:
    """End a key now; one that has ended stays as it was. Raises NotFound when the source has no such key."""
    source = source_of(session, source_id)
    key = session.get(WriteKey, key_id, with_for_update=True)
    if key is None or key.source_id != source_id:
        raise NotFound("This source has no such key.")
    if key.ends_at is None or key.ends_at > now:
        key.ends_at = now
    return source, key


def source_of(session: Session, source_id: UUID) -> EventSource:
    """Return a source and lock its row, not against rows that point to it. Raises NotFound when there is none."""
    source = session.get(EventSource, source_id, with_for_update={"key_share": True})
    if source is None:
        raise NotFound("There is no such source.")
    return source
