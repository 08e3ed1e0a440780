"""Keep how campaigns are dialed, the one switch, and what pacing decided."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import Session, col, select

from callcenter.dialing.queries import last_decision
from callcenter.domain.enums import DialingMode
from callcenter.errors import BadInput
from callcenter.models import Campaign, DialingSwitch, PacingDecision

MOST_LINES_PER_AGENT = 3.0
_SAME_SAID_AGAIN_AFTER = timedelta(seconds=60)
_KEPT = timedelta(days=30)


def set_campaign(
    session: Session,
    key: str,
    mode: DialingMode,
    user_id: UUID | None,
    now: datetime,
    *,
    lines_per_agent: float = 1.0,
    drops_machines: bool = False,
) -> Campaign:
    """Set how a journey's call tasks are dialed. Raises BadInput on a ratio outside 1 to 3."""
    if not 1.0 <= lines_per_agent <= MOST_LINES_PER_AGENT:
        raise BadInput(
            f"Lines per agent must lie between 1 and {MOST_LINES_PER_AGENT:g}.",
            {"lines_per_agent": ["between 1 and 3"]},
        )
    row = session.get(Campaign, key, with_for_update=True) or Campaign(key=key, changed_at=now)
    row.mode, row.lines_per_agent, row.drops_machines = mode, lines_per_agent, drops_machines
    row.changed_at, row.changed_by = now, user_id
    session.add(row)
    session.flush()
    return row


def set_switch(session: Session, *, automatic_allowed: bool, user_id: UUID | None, now: datetime) -> None:
    """Allow automatic dialing, or make it impossible: it waits for dials under way and refuses every later one."""
    row = session.get(DialingSwitch, 1, with_for_update=True, populate_existing=True)
    if row is None:
        row = DialingSwitch(changed_at=now)
        session.add(row)
    row.automatic_allowed, row.changed_at, row.changed_by = automatic_allowed, now, user_id
    session.flush()


def lock_campaign(session: Session, key: str) -> Campaign | None:
    """Claim a campaign for one pacing tick; None when another scheduler paces it this moment."""
    return session.exec(
        select(Campaign)
        .where(Campaign.key == key)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).first()


def keep_decision(
    session: Session,
    campaign: str,
    mode: DialingMode,
    *,
    dialed: int,
    canceled: int,
    reason: str,
    figures: Mapping[str, Any],
    sentence: str,
    now: datetime,
) -> bool:
    """Write down what a tick decided; the same again within a minute, with nothing done, is not repeated."""
    last = last_decision(session, campaign)
    is_same = last is not None and last.reason == reason and not dialed and not canceled
    if is_same and last is not None and now - last.at < _SAME_SAID_AGAIN_AFTER:
        return False
    session.add(
        PacingDecision(
            at=now,
            campaign=campaign,
            mode=mode,
            dialed=dialed,
            canceled=canceled,
            reason=reason,
            figures=dict(figures),
            sentence=sentence,
        )
    )
    session.flush()
    return True


def forget_old_decisions(session: Session, now: datetime) -> None:
    """Drop pacing decisions past their keeping."""
    session.execute(delete(PacingDecision).where(col(PacingDecision.at) < now - _KEPT))
