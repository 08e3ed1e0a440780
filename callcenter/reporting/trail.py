"""The audit trail as it is looked through: by kind of act, person and period, the latest first."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.models import AuditEntry, User

PAGE = 50


@dataclass(frozen=True, slots=True)
class TrailSieve:
    """Which acts are wanted: a family such as change, one person's, nobody's, of a period, below an entry."""

    family: str | None = None
    by: UUID | None = None
    by_nobody: bool = False
    since: datetime | None = None
    until: datetime | None = None
    before_id: int | None = None


def acts(session: Session, sieve: TrailSieve, limit: int = PAGE) -> list[tuple[AuditEntry, str | None]]:
    """Return acts with the name of who did them (None: nobody's), the latest first."""
    row = AuditEntry
    wanted = select(row, User.name).join(User, isouter=True)
    if sieve.family:
        wanted = wanted.where(col(row.act).startswith(f"{sieve.family}.", autoescape=True))
    if sieve.by:
        wanted = wanted.where(row.user_id == sieve.by)
    if sieve.by_nobody:
        wanted = wanted.where(col(row.user_id).is_(None))
    if sieve.since:
        wanted = wanted.where(row.at >= sieve.since)
    if sieve.until:
        wanted = wanted.where(row.at < sieve.until)
    if sieve.before_id:
        wanted = wanted.where(col(row.id) < sieve.before_id)
    return [(entry, name) for entry, name in session.exec(wanted.order_by(col(row.id).desc()).limit(limit))]
