"""Tags that a supervisor has looked at: upheld, or corrected with the agent's own word kept."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from callcenter.domain.quality import Contradiction
from callcenter.errors import NotFound
from callcenter.models import Disposition, DispositionCheck


def lock_disposition(session: Session, attempt_id: UUID) -> Disposition:
    """Return what an agent said of an attempt, locked until the commit. Raises NotFound."""
    row = session.get(Disposition, attempt_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("This attempt has not been tagged.")
    return row


def keep_check(
    session: Session,
    row: Disposition,
    found_code: str,
    evidence: Sequence[Contradiction],
    reason: str,
    user_id: UUID,
    now: datetime,
) -> DispositionCheck:
    """Keep what a tag is found to be, with why; the agent's own word stays where it is."""
    check = DispositionCheck(
        attempt_id=row.attempt_id,
        agent_id=row.agent_id,
        said_code=row.corrected_code or row.kind_code,
        found_code=found_code,
        evidence=[one.value for one in evidence],
        reason=reason,
        checked_at=now,
        checked_by=user_id,
    )
    session.add(check)
    row.corrected_code = None if found_code == row.kind_code else found_code
    session.flush()
    return check
