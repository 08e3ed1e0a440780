"""Who did what lately to one thing, from the audit trail."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from callcenter.models import AuditEntry, User

LOOKED_BACK = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Act:
    """One act: its code such as source.keyed, when, by whom (None: from the command line), and its figures."""

    act: str
    at: datetime
    by: str | None
    detail: Mapping[str, Any]


def last_acts(session: Session, subject: str, family: str, now: datetime, limit: int = 6) -> list[Act]:
    """Return the last acts of a family ("source", "quarantine") on a subject, of 90 days, newest first."""
    rows = session.exec(
        select(AuditEntry, User.name)
        .join(User, isouter=True)
        .where(AuditEntry.at >= now - LOOKED_BACK)
        .where(AuditEntry.subject == subject)
        .where(col(AuditEntry.act).startswith(f"{family}."))
        .order_by(col(AuditEntry.id).desc())
        .limit(limit)
    )
    return [Act(entry.act, entry.at, name, entry.detail) for entry, name in rows]
