"""Runs of the nightly learning: what is to be done, what is done, how it ended. One run is open at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from callcenter.domain.ids import derived_id
from callcenter.learning.learned import MAX_STARTS, RUN_LEASE, STEP_LEASE, steps_of
from callcenter.models import LearningRun, LearningStep

LEARNED_ANEW = "learning-run"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A step taken by this process, to be done now; `step` None says that another process is at it."""

    step: str | None


def run_id_of(why: str, at: datetime) -> UUID:
    """Return the id of the one run asked for by `why` at a moment."""
    return derived_id(LEARNED_ANEW, why, at.isoformat())


def begin_run(
    session: Session, run_id: UUID, steps: Sequence[str], now: datetime, asked_by: UUID | None = None
) -> bool:
    """Open a run with its steps; False when it exists already or another is open."""
    session.execute(
        update(LearningRun)
        .where(col(LearningRun.ended_at).is_(None), col(LearningRun.asked_at) < now - RUN_LEASE)
        .values(ended_at=now)
    )
    made = session.execute(
        insert(LearningRun)
        .values(id=run_id, asked_at=now, asked_by=asked_by)
        .on_conflict_do_nothing()
        .returning(col(LearningRun.id))
    ).first()
    if made is None:
        return False
    for position, name in enumerate(steps):
        session.add(LearningStep(run_id=run_id, name=name, position=position))
    session.flush()
    return True


def claim_step(session: Session, run_id: UUID, now: datetime) -> Claimed | None:
    """Take the next step of a run; None when nothing of it is left, which closes the run.

    A step that has ended is never taken again, so a run that is carried out twice does everything once.
    """
    run = session.get(LearningRun, run_id, with_for_update=True, populate_existing=True)
    if run is None or run.ended_at is not None:
        return None
    for step in steps_of(session, run_id):
        if step.ended_at is not None:
            continue
        if step.started_at is not None and step.started_at > now - STEP_LEASE:
            return Claimed(None)
        if step.starts >= MAX_STARTS:
            step.ended_at, step.error = now, "The step has taken its process down with it and is left."
            continue
        step.started_at, step.starts = now, step.starts + 1
        session.flush()
        return Claimed(step.name)
    run.ended_at = now
    return None


def end_step(
    session: Session,
    run_id: UUID,
    name: str,
    now: datetime,
    *,
    summary: str | None = None,
    error: str | None = None,
) -> None:
    """Write down how a step ended, in the transaction of its work or, failed, in one of its own."""
    step = session.get(LearningStep, (run_id, name), with_for_update=True, populate_existing=True)
    if step is not None and step.ended_at is None:
        step.ended_at, step.summary, step.error = now, summary, error


def open_run(session: Session) -> UUID | None:
    """Return the run that is under way, if there is one."""
    return session.exec(select(LearningRun.id).where(col(LearningRun.ended_at).is_(None))).first()
