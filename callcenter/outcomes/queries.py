"""Reads of dispositions and callbacks."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from callcenter.models import DispositionKind


def disposition_kinds(session: Session) -> Sequence[DispositionKind]:
    """List the dispositions agents choose from, in their order."""
    return session.exec(
        select(DispositionKind).where(DispositionKind.is_active).order_by(col(DispositionKind.position))
    ).all()
