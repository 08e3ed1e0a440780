"""Alerts that are open with who has them, and those of the past."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from callcenter.models import FloorAlert, User

SHOWN = 100


@dataclass(frozen=True, slots=True)
class AlertNow:
    """An alert. `has` is who has it; `is_quiet` while they do and it has not got worse."""

    key: str
    kind: str
    subject: str
    tone: str
    measure: int
    since: datetime
    raised_at: datetime
    has: str | None
    acknowledged_at: datetime | None
    note: str
    worsened_at: datetime | None
    cleared_at: datetime | None

    @property
    def is_quiet(self) -> bool:
        """Whether somebody has it and it is no worse than when they took it."""
        return self.acknowledged_at is not None and self.worsened_at is None


def alerts_now(session: Session) -> Mapping[str, AlertNow]:
    """Return the open alerts by key."""
    return {one.key: one for one in _alerts(session, is_open=True)}


def alerts_past(session: Session, limit: int = SHOWN) -> Sequence[AlertNow]:
    """List alerts that are over, the newest first."""
    return _alerts(session, is_open=False, limit=limit)


def _alerts(session: Session, *, is_open: bool, limit: int = 1_000) -> list[AlertNow]:
    over = col(FloorAlert.cleared_at).is_(None) if is_open else col(FloorAlert.cleared_at).is_not(None)
    rows = session.exec(
        select(FloorAlert, User.name)
        .join(User, col(User.id) == col(FloorAlert.acknowledged_by), isouter=True)
        .where(over)
        .order_by(col(FloorAlert.id).desc())
        .limit(limit)
    )
    return [_alert(row, name) for row, name in rows]


def _alert(row: FloorAlert, name: str | None) -> AlertNow:
    return AlertNow(
        key=row.key,
        kind=row.kind,
        subject=row.subject,
        tone=row.tone,
        measure=row.measure,
        since=row.since,
        raised_at=row.raised_at,
        has=name,
        acknowledged_at=row.acknowledged_at,
        note=row.note,
        worsened_at=row.worsened_at,
        cleared_at=row.cleared_at,
    )
