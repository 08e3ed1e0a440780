"""Reads of dispositions and callbacks."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.db import cursor_of
from callcenter.models import DispositionKind

_SPOKEN = """
SELECT max(coalesce(a.ended_at, a.bridged_at)) FROM contact_attempt a
  LEFT JOIN disposition d ON d.attempt_id = a.id LEFT JOIN disposition_kind k ON k.code = d.kind_code
 WHERE a.call_task_id = %(task)s AND a.bridged_at IS NOT NULL
   AND coalesce(k.reached, a.result IS DISTINCT FROM 'machine')
"""


def spoken_until(session: Session, call_task_id: UUID) -> datetime | None:
    """Return when the last conversation of a call task ended; None when nobody was spoken with."""
    session.flush()
    row = cursor_of(session).execute(_SPOKEN, {"task": call_task_id}).fetchone()
    return row[0] if row else None


def disposition_kinds(session: Session) -> Sequence[DispositionKind]:
    """List the dispositions agents choose from, in their order."""
    return session.exec(
        select(DispositionKind).where(DispositionKind.is_active).order_by(col(DispositionKind.position))
    ).all()
