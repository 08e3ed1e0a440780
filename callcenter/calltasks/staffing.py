"""Waiting call tasks whose need nobody signed on meets: since when, and what of it is given up."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_
from sqlalchemy import select as select_rows
from sqlmodel import Session, col, select

from callcenter.calltasks.service import note_why
from callcenter.domain.enums import Requirement, TaskState
from callcenter.domain.needs import Need
from callcenter.models import CallTask

LOOKED_AT = 500
"""So many call tasks are looked at in one go; the others a moment later."""
_NEED = (CallTask.language, CallTask.skill, CallTask.skill_level, CallTask.team)


def _is_anybodys(now: datetime) -> Any:
    """Waiting call tasks that may be called now, are left to nobody and are not handed over."""
    return and_(
        col(CallTask.state) == TaskState.PENDING,
        col(CallTask.not_before_at) <= now,
        col(CallTask.agent_id).is_(None),
        col(CallTask.held_for).is_(None),
    )


def needs_waiting(session: Session, now: datetime) -> Collection[Need]:
    """Return what is asked by the call tasks that wait for an agent now, each need once."""
    asked = select_rows(*map(col, _NEED)).where(_is_anybodys(now)).distinct()
    return {Need(*row) for row in session.execute(asked)}


def lock_unstaffed(session: Session, unmet: Collection[Need], now: datetime) -> Sequence[CallTask]:
    """Claim waiting call tasks whose need is one of these, and those that were thought so before."""
    found = [
        and_(
            *(
                column.is_(None) if value is None else column == value
                for column, value in zip(
                    map(col, _NEED), (one.language, one.skill, one.level, one.team), strict=True
                )
            )
        )
        for one in unmet
    ]
    return session.exec(
        select(CallTask)
        .where(_is_anybodys(now))
        .where(or_(col(CallTask.unstaffed_at).is_not(None), *found))
        .order_by(col(CallTask.id))
        .limit(LOOKED_AT)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()


def note_staffed(task: CallTask) -> None:
    """Note that somebody signed on suits: all of the need is asked again."""
    task.unstaffed_at, task.relaxed = None, []
    note_why(task, ["no_agent"])


def note_unstaffed(task: CallTask, now: datetime) -> bool:
    """Note that nobody signed on suits; False when it was known, since when stays."""
    note_why(task, ["nobody_suits"])
    if task.unstaffed_at is not None:
        return False
    task.unstaffed_at = now
    return True


def relax(task: CallTask, given_up: Sequence[Requirement]) -> bool:
    """Note what is given up of the need; whether it is more than before."""
    names = [one.value for one in given_up]
    is_more = len(names) > len(task.relaxed)
    if names != task.relaxed:
        task.relaxed = names
    return is_more
