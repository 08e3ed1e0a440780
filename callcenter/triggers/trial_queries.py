"""Reads of versions that are tried, and of the one to go back to."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from callcenter.domain.enums import RuleState
from callcenter.models import TriggerRule


def version_before(rows: Sequence[TriggerRule]) -> TriggerRule | None:
    """The version to go back to: the newest published one below the current that says something else."""
    current = next((one for one in rows if one.state in (RuleState.LIVE, RuleState.PAUSED)), None)
    if current is None:
        return None
    known = sorted(rows, key=lambda one: -one.version)
    return next(
        (
            one
            for one in known
            if one.version < current.version
            and one.published_at
            and one.definition != current.definition
            and one.journey == current.journey
        ),
        None,
    )


def trials_running(session: Session) -> Sequence[TriggerRule]:
    """Every version that is on trial, what began first first."""
    return session.exec(
        select(TriggerRule)
        .where(TriggerRule.state == RuleState.CANARY)
        .order_by(col(TriggerRule.canary_from), col(TriggerRule.rule_key))
    ).all()
